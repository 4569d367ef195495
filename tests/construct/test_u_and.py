"""U-AND: all pairs through a random layer, right by the closed form, by enumeration and by the engines."""

from __future__ import annotations

from math import comb, log

import numpy as np
import pytest
from plainly import wrong

from supercheck.api.verify import verify
from supercheck.base.errors import InputError
from supercheck.claims.evidence import Verdict
from supercheck.construct.catalogue.u_and import needed, u_and
from supercheck.construct.channels import Channels, in_common, margins
from supercheck.construct.pairs import all_pairs
from supercheck.construct.request import Request
from supercheck.decide.limits import Limits
from supercheck.decide.portfolio import ENGINES


@pytest.mark.parametrize("gate", ["and", "or", "xor"])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_all_pairs_are_right(gate: str, k: int) -> None:
    assert wrong(u_and(Request(k, features=7, gate=gate, seed=k))) == set()


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_prove_all_pairs(engine: str) -> None:
    built = u_and(Request(2, features=12))
    assert built.neurons < 20
    assert verify(built.whole, built.spec, limits=Limits(engine=engine)).verdict is Verdict.PROVED


@pytest.mark.parametrize("features", [16, 32, 48])
def test_fewer_neurons_than_the_union_bound_says_are_enough(features: int) -> None:
    built = u_and(Request(2, features=features))
    assert verify(built.whole, built.spec).verdict is Verdict.PROVED
    assert built.neurons < 3 * log(features) / -log(1 - 4 / 27)
    assert len(built.spec.formulas) == comb(features, 2)


@pytest.mark.parametrize("neurons", [6, 12, 24, 60])
@pytest.mark.parametrize("k", [2, 3])
def test_a_given_number_of_neurons_is_kept_right_or_wrong(neurons: int, k: int) -> None:
    built = u_and(Request(k, features=7, neurons=neurons))
    heard = built.layers[0].weight.dense().T > 0
    said = margins(in_common(7, all_pairs(7), heard), k) > 0
    assert built.neurons == neurons
    assert set(np.flatnonzero(~said).tolist()) == wrong(built)


@pytest.mark.parametrize("k", [2, 3])
def test_no_neuron_is_left_that_no_output_needs(k: int) -> None:
    random, pairs = np.random.RandomState(k), all_pairs(8)
    drawn = in_common(8, pairs, random.random_sample((8, 60 * k)) < 2 / (3 * (k - 1)))
    drawn = Channels(8, pairs, np.concatenate([drawn.owned, np.eye(len(pairs), dtype=bool)], axis=1))
    assert (margins(drawn, k) > 0).all()
    left = needed(drawn, k)
    assert left.neurons < drawn.neurons
    assert (margins(left, k) > 0).all()
    for neuron in range(left.neurons) if k == 2 else ():  # for more, what is left out later may spare an earlier one
        without = Channels(8, pairs, np.delete(left.owned, neuron, axis=1))
        assert not (margins(without, k) > 0).all()


def test_how_many_features_has_to_be_said() -> None:
    with pytest.raises(InputError, match="--features: expected how many features there are"):
        u_and(Request(2))
    with pytest.raises(InputError, match="--features: expected at most 512, got 600"):
        u_and(Request(2, features=600))
    with pytest.raises(InputError, match="--neurons: expected at most 8,192, got 1,000,000"):
        u_and(Request(2, features=6, neurons=10**6))
    with pytest.raises(InputError, match="--outputs: expected nothing"):
        u_and(Request(2, features=5, outputs=3))


def test_where_many_may_be_on_a_neuron_for_each_pair_is_the_least_that_is_found() -> None:
    """It drew ever more neurons: for m = 40 and k = 12 tens of thousands, where 780 do."""
    built = u_and(Request(6, features=7))
    assert built.neurons == comb(7, 2)
    assert wrong(built) == set()


def test_without_time_each_pair_has_a_neuron_of_its_own() -> None:
    assert u_and(Request(3, features=40, seconds=1e-9)).neurons == comb(40, 2)
    with pytest.raises(InputError, match="--outputs: expected at most 32,768 where no fewer"):
        u_and(Request(2, features=260, seconds=1e-9))
