"""Every engine says what plain Python says, on thousands of random questions of all shapes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from brute import brute_force
from common import EXAMPLES
from deciding import answers, sizes
from hypothesis import assume, given, settings
from strategies import Question, questions

from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Decision, Refuted, Verdict
from supercheck.claims.replay import replay
from supercheck.claims.result import Result
from supercheck.decide import bound, branch, enumeration, smt
from supercheck.decide.flatten import lay_out
from supercheck.decide.kernels.arrays import WRAP
from supercheck.decide.limits import Limits
from supercheck.decide.portfolio import decide

MARGINS = Limits(margins=True)


def enumerated(claims: Claims, limits: Limits = Limits()) -> dict[int, Decision]:
    return answers(enumeration, claims, limits)


def branched(claims: Claims, limits: Limits = Limits()) -> dict[int, Decision]:
    """Branch and bound on a question that it may not leave open: doubles and 64 more bits tell its integers apart."""
    flat = lay_out(claims.network, 1)
    assume(flat is not None and flat.slack.max() < WRAP)
    return answers(branch, claims, limits)


def solved(claims: Claims, *, margins: bool = False) -> dict[int, Decision]:
    return {i: smt.solve(claims, i, margins) for i in range(len(claims))}


@settings(max_examples=EXAMPLES * 3)
@given(questions())
def test_enumeration_agrees_with_brute_force_on_verdicts_and_on_smallest_sizes(question: Question) -> None:
    claims = question.claims
    assert sizes(claims, enumerated(claims)) == brute_force(question).smallest


@settings(max_examples=EXAMPLES * 3)
@given(questions())
def test_z3_agrees_with_brute_force_on_verdicts(question: Question) -> None:
    claims = question.claims
    found = [size is not None for size in sizes(claims, solved(claims))]
    assert found == [size is not None for size in brute_force(question).smallest]


@settings(max_examples=EXAMPLES * 3)
@given(questions())
def test_branch_and_bound_agrees_with_brute_force_on_verdicts(question: Question) -> None:
    claims = question.claims
    found = [size is not None for size in sizes(claims, branched(claims))]
    assert found == [size is not None for size in brute_force(question).smallest]


@settings(max_examples=EXAMPLES * 3)
@given(questions())
def test_the_bound_alone_is_never_wrong(question: Question) -> None:
    claims, smallest = question.claims, brute_force(question).smallest
    for i, decision in answers(bound, claims).items():
        if isinstance(decision, Refuted):
            replay(claims, [decision])
        if decision.verdict is not Verdict.UNKNOWN:
            assert (decision.verdict is Verdict.REFUTED) == (smallest[i] is not None)


@given(questions())
def test_z3_finds_no_counterexample_below_the_smallest_and_one_at_it(question: Question) -> None:
    claims, smallest = question.claims, brute_force(question).smallest
    refuted = [size for size in smallest if size is not None]
    assume(refuted)
    least = min(refuted)
    assert {d.verdict for d in solved(claims.at_most(least)).values()} >= {Verdict.REFUTED}
    if least:
        assert {d.verdict for d in solved(claims.at_most(least - 1)).values()} == {Verdict.PROVED}


@given(questions())
def test_all_engines_find_the_exact_worst_value_of_each_class(question: Question) -> None:
    assume(question.spec.readout.mode in ("threshold", "separable"))
    claims, worst = question.claims, brute_force(question)
    for decisions in (enumerated(claims, MARGINS), branched(claims, MARGINS), solved(claims, margins=True)):
        for i, decision in decisions.items():
            extremes = decision.extremes
            assert extremes is not None
            assert (extremes.off and extremes.off.value) == worst.highest_off[i]
            assert (extremes.on and extremes.on.value) == worst.lowest_on[i]


@given(questions())
def test_all_engines_find_the_exact_largest_error(question: Question) -> None:
    spec = replace(
        question.spec, readout=replace(question.spec.readout, mode="equality", at=None, within=None, margin=Fraction(0))
    )
    question = replace(question, spec=spec)
    claims = question.claims
    first = enumerated(claims, MARGINS)
    for second in (branched(claims, MARGINS), solved(claims, margins=True)):
        for i in range(len(claims)):
            a, b = first[i].extremes, second[i].extremes
            assert a is not None
            assert b is not None
            for mine, other, on in ((a.on, b.on, 1), (a.off, b.off, 0)):
                assert (mine and abs(mine.value - on)) == (other and abs(other.value - on))


@settings(max_examples=EXAMPLES * 2)
@given(questions())
def test_the_portfolio_proves_its_smallest_counterexample_minimal(question: Question) -> None:
    smallest = brute_force(question).smallest
    for limits in (Limits(), MARGINS):
        check_portfolio(decide(question.claims, limits), smallest)


def check_portfolio(result: Result, smallest: list[int | None]) -> None:
    refuted = [size for size in smallest if size is not None]
    assert result.verdict is (Verdict.REFUTED if refuted else Verdict.PROVED)
    assert [output.verdict is Verdict.REFUTED for output in result.outputs] == [s is not None for s in smallest]
    if refuted:
        assert result.counterexample.size == min(refuted)
        assert result.counterexample.minimal


@given(questions())
def test_a_class_is_called_vacuous_exactly_if_no_input_has_it(question: Question) -> None:
    claims, worst = question.claims, brute_force(question)
    for i in range(len(claims)):
        absent = "on" if worst.lowest_on[i] is None else "off" if worst.highest_off[i] is None else None
        assert claims.vacuous(i) == absent


@settings(max_examples=EXAMPLES // 2)
@given(questions())
def test_z3_needs_no_bound_of_ours(question: Question) -> None:
    """With every simplification by closed-form bounds switched off, Z3 says the same."""
    claims = question.claims
    unaided = {i: smt.solve(claims, i, aided=False) for i in range(len(claims))}
    assert verdicts(solved(claims)) == verdicts(unaided)


def verdicts(decisions: dict[int, Decision]) -> list[Verdict]:
    return [decisions[i].verdict for i in sorted(decisions)]
