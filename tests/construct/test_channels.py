"""Output channels: the closed form says what the engines and enumeration say, to the exact margin."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from oracle import inputs

from supercheck import verify
from supercheck.base.errors import InputError
from supercheck.claims.evidence import Verdict
from supercheck.construct.channels import Channels, alone, in_common, least_neurons, margins, random_channels, thinned
from supercheck.construct.gates.read import gated
from supercheck.construct.random_stream import stream
from supercheck.decide.limits import Limits


@st.composite
def channels(draw: st.DrawFn) -> Channels:
    """Any channels, empty ones and features without outputs included."""
    features, neurons = draw(st.integers(2, 6)), draw(st.integers(1, 6))
    pairs = draw(st.lists(st.sampled_from(list(combinations(range(features), 2))), min_size=1, max_size=6, unique=True))
    row = st.lists(st.sampled_from([True, True, False]), min_size=neurons, max_size=neurons)
    owned = draw(st.lists(row, min_size=len(pairs), max_size=len(pairs)))
    return Channels(features, np.array(pairs), np.array(owned))


@given(channels(), st.integers(0, 4))
def test_the_margin_is_what_enumeration_finds(made: Channels, k: int) -> None:
    k = min(k, made.features)
    network = gated(made, "and", k).whole
    off: list[list[Fraction]] = [[] for _ in made.pairs]
    for active in inputs(made.features, k):
        y = network.run([int(j in active) for j in range(made.features)])
        for i, pair in enumerate(made.pairs.tolist()):
            if set(pair) <= set(active):
                assert y[i] >= 1
            else:
                off[i].append(y[i])
    assert [1 - max(values) for values in off] == margins(made, k).tolist()


@given(channels(), st.integers(0, 4), st.sampled_from(["bound", "auto"]))
def test_the_margin_is_the_engines(made: Channels, k: int, engine: str) -> None:
    built = gated(made, "and", min(k, made.features))
    found = verify(built.whole, built.spec, limits=Limits(engine=engine, margins=True))
    expected = margins(made, k).tolist()
    assert [one.verdict is Verdict.PROVED for one in found.outputs] == [margin > 0 for margin in expected]
    assert [one.extremes.off.value for one in found.outputs] == [1 - margin for margin in expected]  # type: ignore[union-attr]


@given(channels())
def test_owning_all_that_its_features_have_in_common_is_never_worse_at_two(made: Channels) -> None:
    full = in_common(made.features, made.pairs, made.fed)
    assert (full.fed <= made.fed).all()
    assert (full.owned >= made.owned).all()
    assert ((margins(full, 2) > 0) >= (margins(made, 2) > 0)).all()


@given(channels())
def test_a_thinned_channel_is_right_where_it_was(made: Channels) -> None:
    thin = thinned(made)
    assert (thin.owned <= made.owned).all()
    assert ((margins(thin, 2) > 0) >= (margins(made, 2) > 0)).all()


@given(channels(), st.integers(2, 4))
def test_nothing_is_right_below_the_floor(made: Channels, k: int) -> None:
    if (margins(made, k) > 0).all():
        assert made.neurons >= least_neurons(len(made.pairs))


def test_the_floor_is_sperners() -> None:
    assert [least_neurons(outputs) for outputs in (1, 2, 16, 64, 256, 1024, 4096)] == [1, 2, 6, 8, 11, 13, 15]


def test_random_channels_have_one_size() -> None:
    made = random_channels(6, np.array([[0, 1], [2, 3]]), 9, 4, stream(0))
    assert made.sizes.tolist() == [4, 4]
    with pytest.raises(InputError, match="at most 9, the number of neurons"):
        random_channels(6, made.pairs, 9, 10, stream(0))


def test_a_neuron_of_its_own_for_each_output_is_right_at_every_k() -> None:
    pairs = np.array(list(combinations(range(5), 2)))
    assert [margins(alone(5, pairs), k).tolist() for k in range(6)] == [[1] * 10] * 6
