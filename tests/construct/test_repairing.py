"""Repair finds channels that the engines prove, the same ones each time, and keeps its counts right on the way."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from supercheck import verify
from supercheck.base.errors import InputError
from supercheck.base.matrix import Array
from supercheck.claims.evidence import Verdict
from supercheck.construct.catalogue.output_channels import draws, output_channels, rising
from supercheck.construct.channels import least_neurons, margins
from supercheck.construct.gates.read import gated
from supercheck.construct.pairs import drawn
from supercheck.construct.repair.search import Searched, repair, smallest
from supercheck.construct.request import Request


def regular(outputs: int, influence: int) -> tuple[int, Array]:
    """Features and random pairs, every feature in `influence` of them or, one maybe, in fewer."""
    features = -(-2 * outputs // influence)
    return features, drawn(features, outputs, influence, Random(0))


def proved(found: Searched, k: int) -> bool:
    built = gated(found.channels, "and", k)
    return verify(built.whole, built.spec).verdict is Verdict.PROVED


@pytest.mark.parametrize(
    ("outputs", "influence", "k", "neurons"),
    [
        (16, 2, 2, 7), (64, 2, 2, 11), (256, 4, 2, 16), (1024, 5, 2, 22),
        (16, 2, 3, 15), (64, 2, 3, 31), (256, 4, 3, 77), (64, 2, 4, 52),
    ],
)  # fmt: skip
def test_so_few_neurons_are_repaired_and_proved(outputs: int, influence: int, k: int, neurons: int) -> None:
    """The least n known before was 8, 16, 25 and 46 at k = 2; 20, 56 and 116 at k = 3."""
    features, pairs = regular(outputs, influence)
    found = repair(features, pairs, k, neurons)
    assert found.right
    assert found.channels.neurons == neurons
    assert proved(found, k)


@given(st.integers(1, 12), st.integers(1, 3), st.integers(0, 5), st.integers(0, 9))
@settings(max_examples=30)
def test_the_smallest_is_proved_and_never_below_the_floor(outputs: int, influence: int, k: int, seed: int) -> None:
    features = max(influence + 1, -(-2 * outputs // influence)) + seed % 2
    pairs = drawn(features, outputs, influence, Random(seed))
    k = min(k, features)
    found = smallest(features, pairs, k, seed=seed, moves=20_000)
    assert found.right
    assert found.channels.neurons <= outputs
    assert k < 2 or found.channels.neurons >= least_neurons(outputs)
    assert proved(found, k)


@given(st.integers(2, 40), st.integers(3, 14), st.integers(2, 4), st.booleans(), st.integers(0, 99))
@settings(max_examples=60)
def test_a_search_ends_when_the_closed_form_says_so(
    outputs: int, neurons: int, k: int, by_size: bool, seed: int
) -> None:
    """A search ends when its counts say that there is no counterexample; the closed form looks at all there is."""
    features = max(4, outputs)
    pairs = drawn(features, outputs, 3, Random(seed))
    size = min(neurons, 1 + seed % 3 * (k - 1)) if by_size or k > 2 else None
    shorter, longer = (repair(features, pairs, k, neurons, size=size, seed=seed, moves=m) for m in (5_000, 10_000))
    assert shorter.right or shorter.moves == 5_000
    assert longer.right or longer.moves == 10_000
    if shorter.right:
        assert longer.moves == shorter.moves
        assert np.array_equal(longer.channels.owned, shorter.channels.owned)


def test_the_same_seed_gives_the_same_channels() -> None:
    features, pairs = regular(64, 2)
    for k in (2, 3):
        one, two, other = (smallest(features, pairs, k, seed=seed, moves=100_000).channels for seed in (1, 1, 2))
        assert np.array_equal(one.owned, two.owned)
        assert not np.array_equal(one.owned, other.owned)


def test_seconds_end_a_search() -> None:
    features, pairs = regular(64, 2)
    found = repair(features, pairs, 2, 8, seconds=0.0)
    assert (found.right, found.moves) == (False, 0)
    assert found.channels.neurons == 8


def test_what_cannot_be_repaired_is_told() -> None:
    features, pairs = regular(16, 2)
    found = repair(features, pairs, 2, 5, moves=20_000)  # below the floor
    assert not found.right
    assert found.moves == 20_000
    assert not proved(found, 2)


@pytest.mark.parametrize("wanted", [{}, {"repair": True}, {"smallest": True}, {"repair": True, "neurons": 40}])
@pytest.mark.parametrize("k", [0, 1, 2, 3])
def test_the_construction_is_right_however_it_is_wanted(wanted: dict[str, Any], k: int) -> None:
    built = output_channels(Request(k, outputs=40, max_influence=3, seconds=0.5, **wanted))
    assert verify(built.whole, built.spec).verdict is Verdict.PROVED
    assert built.neurons == wanted.get("neurons", built.neurons)


@pytest.mark.parametrize(("outputs", "influence", "k", "known"), [(256, 4, 2, 91), (1024, 5, 2, 150), (256, 4, 3, 485)])
def test_drawing_takes_as_many_neurons_as_was_known_before(outputs: int, influence: int, k: int, known: int) -> None:
    features, pairs = regular(outputs, influence)
    tries = draws(features, pairs, k, rising(outputs))
    made = next(made for made in tries if (margins(made, k) > 0).all())
    assert 0.8 * known < made.neurons < 1.2 * known


def test_so_many_neurons_as_are_asked_for_may_be_too_few() -> None:
    built = output_channels(Request(2, outputs=40, neurons=9))
    assert built.neurons == 9
    assert verify(built.whole, built.spec).verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"neurons": 9, "smallest": True}, "--neurons: expected nothing beside --smallest, got 9"),
        ({"neurons": 4, "channel": 5}, "--channel: expected at most 4, the number of neurons, got 5"),
        ({"cut": 3}, "--cut: expected nothing"),
    ],
)
def test_what_contradicts_itself_is_refused(wanted: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        output_channels(Request(2, outputs=40, **wanted))


@pytest.mark.parametrize("k", [3, 4])
def test_the_smallest_of_so_few_outputs_that_no_channel_fits_is_a_neuron_for_each(k: int) -> None:
    """No size of channels is below two neurons, so there is nothing to try: this divided by zero."""
    found = smallest(4, np.array([[0, 1], [2, 3]]), k, seconds=10)
    assert (found.right, found.channels.neurons, found.channels.sizes.tolist()) == (True, 2, [1, 1])


def test_a_channel_may_be_as_large_as_floats_cannot_count() -> None:
    """To score channels of so many neurons overflowed, though their size was given."""
    wanted = Request(3, features=10, neurons=3000, channel=2000)
    assert output_channels(wanted).made["neurons"] == 3000
    with pytest.raises(InputError, match="--channel: expected a size"):
        output_channels(Request(3, features=10, channel=2000))


@pytest.mark.parametrize("repaired", [False, True])
def test_more_neurons_than_memory_holds_are_refused(repaired: bool) -> None:
    for neurons, said in ((10**7, "at most 1,677,721 for 40 features"), (10**12, "at most 10,000,000, got 1,000,0")):
        with pytest.raises(InputError, match=f"--neurons: expected {said}"):
            output_channels(Request(2, features=40, outputs=80, neurons=neurons, repair=repaired))


def test_parts_of_a_request_share_its_deadline() -> None:
    """Each cut of combined channels had all of the time to itself."""
    wanted = Request(2, outputs=40, seconds=5, begun=7.0)
    assert replace(wanted, max_active=3, repair=True).clock.end == 12.0
