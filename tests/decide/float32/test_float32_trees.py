"""All trees over the terms of a sum: nothing that a machine computes is outside, and nothing inside is too far out."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from random import Random

import pytest
from machines import Machine
from oracle import Stored
from strategies import network

from supercheck.base.binary32 import nearest
from supercheck.decide.float32.layers import StoredLayers
from supercheck.decide.float32.summation_trees import reachable

F = Fraction


def stored_sum(random: Random) -> Stored:
    """Two layers of few terms, some of them alike, on grids that make rounding and cancelling likely."""
    weights = [nearest(F(random.randrange(-99, 100), random.choice([1, 3, 7, 10]))) for _ in range(3)]
    first = [[random.choice([F(0), F(1), random.choice(weights)]) for _ in range(4)] for _ in range(3)]
    last = [[random.choice(weights) for _ in range(3)]]
    return [(first, [random.choice([F(0), F(-1), weights[0]]) for _ in first], True), (last, [weights[1]], False)]


@pytest.mark.parametrize("seed", range(60))
def test_no_machine_computes_what_is_not_reachable(seed: int) -> None:
    random = Random(seed)
    stored = stored_sum(random)
    part = StoredLayers.of(network(stored)).part(0)
    for active in [(), *combinations(range(4), 1), *combinations(range(4), 2), *combinations(range(4), 3)]:
        ends = reachable(part, active)
        if ends is None:
            continue
        x = [int(j in active) for j in range(4)]
        seen = [Machine.any(seed).run(stored, x)[0] for seed in range(40)]
        assert ends[0] <= min(seen)
        assert max(seen) <= ends[1]


def test_both_ends_are_reached() -> None:
    """0.1 + 0.2 + 0.7 + 0.3: every order from the left, and pairwise, by hand."""
    terms = [nearest(F(n, 10)) for n in (1, 2, 7, 3)]
    stored: Stored = [([[F(1)]] * 4, [F(0)] * 4, True), ([terms], [F(0)], False)]
    seen = {Machine(Random(seed)).run(stored, [1])[0] for seed in range(400)}
    assert len(seen) > 1
    assert reachable(StoredLayers.of(network(stored)).part(0), (0,)) == (min(seen), max(seen))


def test_what_is_not_covered_or_too_much_is_not_said() -> None:
    small = F(1, 2**80)
    flushed: Stored = [([[F(1, 2**60)]], [F(0)], True), ([[small]], [F(0)], False)]
    huge = nearest(F(3 * 10**38))
    past: Stored = [([[F(1)]] * 2, [F(0)] * 2, True), ([[huge, huge]], [F(0)], False)]
    many: Stored = [([[F(1)]] * 12, [F(0)] * 12, True), ([[nearest(F(1, n)) for n in range(3, 15)]], [F(0)], False)]
    assert [reachable(StoredLayers.of(network(stored)).part(0), (0,)) for stored in (flushed, past, many)] == [None] * 3
