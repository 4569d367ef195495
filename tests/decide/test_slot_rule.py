"""The slot rule in Python's fractions: sound, exact with one feature left, and what the compiled search closes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from common import EXAMPLES
from deciding import ONE, by_slots as decided
from hypothesis import given, settings, strategies as st

from supercheck.base.matrix import Rows
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Verdict
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import AtLeast, Formula
from supercheck.spec.readout import Goal, Readout


def bound(
    weight: list[list[int]], bias: list[int], row: list[int], on: set[int], off: set[int], room: int, bent: str = ""
) -> Fraction:
    """An upper bound of row . h with these features fixed and at most `room` others on; `bent`: which line is bent."""
    features = len(weight[0]) if weight else 0
    free = [j for j in range(features) if j not in on | off]
    r = min(room, len(free)) if bent != "room that is not capped" else room
    slots_ = max(r - 1, 1) if bent == "a slot too few" else r
    base, gains = Fraction(0), dict.fromkeys(free, Fraction(0))
    for c, w, b in zip(row, weight, bias, strict=True):
        z = Fraction(b + sum(w[j] for j in on))
        mean = Fraction(sum(w), max(features, 1))
        above: Callable[[Fraction], Fraction]
        if r == 0 or (r == 1 and c < 0):  # exact
            base += c * max(z, Fraction(0))
            for j in free:
                gains[j] += c * (max(z + w[j], Fraction(0)) - max(z, Fraction(0)))
        elif c > 0 or bent == "a chord below":
            above = lambda v, z=z: max(z / slots_ + v, Fraction(0))  # type: ignore[misc]  # noqa: E731
            if bent == "a line above 1":
                above = lambda v, z=z: (z / slots_ + v) * Fraction(1, 2)  # type: ignore[misc]  # noqa: E731
            base += c * slots_ * above(Fraction(0))
            for j in free:
                gains[j] += c * (above(Fraction(w[j])) - above(Fraction(0)))
        elif z + r * mean > 0:  # the line z, or 0
            slope = 2 if bent == "a line below of slope 2" else 1
            base += slope * c * z
            for j in free:
                gains[j] += slope * c * w[j]
        elif bent == "a line below that is lifted":
            base += c * Fraction(1)
    return base + sum(sorted((g for g in gains.values() if g > 0), reverse=True)[:r])


BENT = ["a slot too few", "a chord below", "a line above 1", "a line below of slope 2", "a line below that is lifted"]


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[list[int]], list[int], list[int], set[int], set[int], int]:
    """A hidden layer of small integers, an output row, fixed features, and how many more may be on."""
    m, n = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    whole = st.integers(-9, 9) | st.just(0)
    weight = draw(st.lists(st.lists(whole, min_size=m, max_size=m), min_size=n, max_size=n))
    bias, row = (draw(st.lists(whole, min_size=n, max_size=n)) for _ in range(2))
    state = draw(st.lists(st.sampled_from(["free", "free", "on", "off"]), min_size=m, max_size=m))
    on, off = ({j for j in range(m) if state[j] == word} for word in ("on", "off"))
    return weight, bias, row, on, off, draw(st.integers(0, m))


def greatest(
    weight: list[list[int]], bias: list[int], row: list[int], on: set[int], off: set[int], room: int
) -> Fraction:
    """The same by trying everything."""
    free = [j for j in range(len(weight[0])) if j not in on | off]
    chosen = [on | set(s) for size in range(min(room, len(free)) + 1) for s in combinations(free, size)]
    return Fraction(
        max(
            sum(c * max(b + sum(w[j] for j in x), 0) for c, w, b in zip(row, weight, bias, strict=True)) for x in chosen
        )
    )


@settings(max_examples=EXAMPLES * 3)
@given(cases())
def test_the_rule_is_never_below_what_is_attained_and_exact_with_one_feature_left(
    case: tuple[list[list[int]], list[int], list[int], set[int], set[int], int],
) -> None:
    stated, attained = bound(*case), greatest(*case)
    free = len(case[0][0]) - len(case[3] | case[4])
    assert stated >= attained
    if min(case[5], free) <= 1:
        assert stated == attained


def random_case(rng: np.random.Generator) -> tuple[list[list[int]], list[int], list[int], set[int], set[int], int]:
    m, n = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    weight, bias, row = (rng.integers(-5, 6, shape).tolist() for shape in ((n, m), n, n))
    return weight, bias, row, set(), set(range(m)[: int(rng.integers(0, 2))]), int(rng.integers(1, m + 1))


@pytest.mark.parametrize("bent", BENT)
def test_an_unsound_rule_falls_below_what_is_attained(bent: str) -> None:
    rng = np.random.default_rng(0)
    drawn_cases = [random_case(rng) for _ in range(300)]
    assert any(bound(*case, bent=bent) < greatest(*case) for case in drawn_cases)
    assert all(bound(*case) >= greatest(*case) for case in drawn_cases)


def test_a_room_that_is_not_capped_by_the_free_features_is_looser() -> None:
    rng = np.random.default_rng(1)
    drawn_cases = [(*random_case(rng)[:5], 9) for _ in range(100)]
    pairs = [(bound(*case, bent="room that is not capped"), bound(*case)) for case in drawn_cases]
    assert all(loose >= tight for loose, tight in pairs)
    assert any(loose > tight for loose, tight in pairs)


class Asked(Claims):
    """Claims with one goal of our own: the off class stays at or below it."""

    highest = 0

    def goal(self, output: int, target: int) -> Goal:
        return Goal() if target else Goal(highest=self.highest)


@settings(max_examples=EXAMPLES * 2)
@given(cases())
def test_the_compiled_bound_closes_exactly_what_the_rule_closes(
    case: tuple[list[list[int]], list[int], list[int], set[int], set[int], int],
) -> None:
    """One node is bounded, that of the whole case: a function that is never on has no other."""
    weight, bias, row, _, _, room = case
    chain = [Affine(Rows.from_dense(np.array(weight)), np.array(bias), True),
             Affine(Rows.from_dense(np.array([row])), np.array([0]), False)]  # fmt: skip
    network = Network.of(chain)
    hidden, row = network.hidden[0], network.output.weight.dense()[0].tolist()
    kept = [t for t, c in enumerate(row) if c]
    weight = [hidden.weight.dense()[t].tolist() for t in kept]
    used = [j for j in range(network.features) if any(w[j] for w in weight)]  # what does not matter is left out
    cone = [[w[j] for j in used] for w in weight], [int(hidden.bias[t]) for t in kept], [row[t] for t in kept]
    never: Formula = AtLeast(1, ())
    claims = Asked(network, network, KSparse(network.features, room), [never], Readout("threshold", Fraction(0)))
    stated = bound(*cone, set(), set(), room)
    whole = stated.numerator // stated.denominator
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("supercheck.decide.slot_layout._DENSE", 0)
        for goal, closes in ((whole, True), (whole - 1, False)):
            object.__setattr__(claims, "highest", goal)
            [decision] = decided(claims, replace(ONE, nodes=1))
            assert (decision.verdict is Verdict.PROVED) == closes
