"""Smallest changes that mend, and how far weights may move, against brute force on changed networks."""

from __future__ import annotations

import copy
from fractions import Fraction
from random import Random

from brute import SOME, Brute, explored
from hypothesis import given, settings, strategies as st
from oracle import Stored, run
from strategies import Question, questions, right_questions

from supercheck import Limits, Readout, Spec
from supercheck.analysis.explore.radii import radii
from supercheck.analysis.explore.repairs import mends
from supercheck.analysis.explore.search import ExploreOptions
from supercheck.analysis.explore.sensitivity import measured, sensitivity
from supercheck.decide.portfolio import decide


@given(questions(separable=False))
@settings(max_examples=SOME)
def test_the_smallest_change_mends_and_no_smaller_one_does(asked: Question) -> None:
    found = explored(asked, ExploreOptions(limit=4))
    wrong = asked.wrong
    assert wrong is not None
    for case in found.cases:
        x = [int(j in case.active) for j in range(asked.spec.domain.features)]
        for change in mends(found.claims, case.output, case.active, found.ledger(case)):
            tiny = Fraction(1, 10**9) * (1 if change.by >= 0 else -1)
            for part, right in (
                (change.by + (tiny if change.past else 0), True),
                (change.by - (0 if change.past else tiny), False),
            ):
                if change.what == "threshold":
                    moved = Readout("threshold", change.now + part, asked.spec.readout.margin)
                    again = Question(asked.stored, Spec(asked.spec.domain, asked.spec.formulas, moved)).wrong
                    y = run(asked.stored, x)
                else:
                    again, y = wrong, run(changed(asked.stored, change.place, change.now, part), x)
                assert again is not None
                if change.by or not change.past:  # at 0 the side to which it has to move is not said
                    assert again(y[case.output], bool(case.expected)) is not right


def changed(stored: Stored, place: str, now: Fraction, by: Fraction) -> Stored:
    """The layers with one weight or bias moved; `place` is in the tool's words."""
    layers = copy.deepcopy(stored)
    depth = len(layers) - 1
    ends = [
        (depth if name[0] == "y" else int(name[1:].split(".")[0]) - 1, int(name.strip("xy").split(".")[-1]))
        for name in place.split(" -> ")
    ]
    weight, bias, _ = layers[ends[-1][0]]
    row = ends[-1][1]
    numbers, column = (bias, row) if len(ends) == 1 else (weight[row], ends[0][1])
    assert numbers[column] == now
    numbers[column] += by
    return layers


def right(asked: Question, stored: Stored) -> bool:
    return not Brute.of(Question(stored, asked.spec)).fails


@given(right_questions(most_layers=1))
@settings(max_examples=SOME)
def test_a_single_weight_may_move_exactly_so_far(asked: Question) -> None:
    found = radii(asked.claims)
    assert found is not None
    for one in found:
        assert one.now
        for share, fine in ((Fraction(999_999, 10**6), True), (Fraction(1_000_001, 10**6), False)):
            step = one.radius * share + (0 if fine else Fraction(1, 10**40))
            both = [right(asked, changed(asked.stored, one.place, one.now, sign * step)) for sign in (1, -1)]
            assert all(both) if fine else not all(both)
    free = numbers(asked.stored).keys() - {one.place for one in found}
    for place in free:  # whatever has no radius breaks nothing
        now = numbers(asked.stored)[place]
        assert right(asked, changed(asked.stored, place, now, Fraction(10**40)))
        assert right(asked, changed(asked.stored, place, now, -Fraction(10**40)))


def numbers(stored: Stored) -> dict[str, Fraction]:
    """The weights and biases of a network with one hidden layer that are not zero, by the tool's names."""
    (first, bias, _), (last, ends, _) = stored
    found = {f"x{j} -> h1.{p}": w for p, row in enumerate(first) for j, w in enumerate(row)}
    found |= {f"h1.{p} -> y{i}": w for i, row in enumerate(last) for p, w in enumerate(row)}
    found |= {f"h1.{p}": b for p, b in enumerate(bias)} | {f"y{i}": b for i, b in enumerate(ends)}
    return {place: value for place, value in found.items() if value}


@given(right_questions(most_layers=3), st.randoms(use_true_random=False))
@settings(max_examples=SOME)
def test_all_weights_together_may_move_at_least_so_far(asked: Question, random: Random) -> None:
    found = sensitivity(decide(asked.claims, Limits(margins=True)))
    for kind, step in found.together.items():
        most = Fraction(10**6) if step is None else step
        for _ in range(3):
            layers = copy.deepcopy(asked.stored)
            for weight, bias, _ in layers:
                for row in (*weight, bias):
                    for place, value in enumerate(row):
                        row[place] += random.choice([-1, 0, 1]) * most * measured(kind, value) if value else 0
            assert right(asked, layers)
