"""A verdict in words: a counterexample one line a fact, and a result as a gate of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction

from supercheck.base.errors import clip
from supercheck.base.exit_codes import PASSED
from supercheck.base.numbers import exact_text, short
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Counterexample
from supercheck.claims.result import Another, Result
from supercheck.network.formats.tensors import brief
from supercheck.report.gate.outcome import SpecOutcome, SuiteOutcome, conclusion
from supercheck.spec.readout import Readout
from supercheck.spec.syntax import text as formula_text

_MOST_DIGITS = 48  # of an end of a range
_SHORT = 8  # characters of a number that is told exactly


def facts(claims: Claims, found: Counterexample | None) -> Iterator[str]:
    """A counterexample, one line a fact."""
    if found is None:
        return
    yield f"on: {_features(found.active)}"
    formula = clip(formula_text(claims.formulas[found.output]))
    yield f"output: y{found.output}, which should be {formula} = {found.expected}"
    other = None if found.against is None else found.against.value
    near = claims.readout.beside(found.expected, other)
    exact, value = exact_text(found.value), short(found.value, beside=near)
    also = f" (exactly {exact})" if value != exact and len(exact) <= 60 else ""
    yield f"value: y = {value}{also}, but {claims.readout.expected(found.expected)} is expected"
    if found.against is not None:
        value = short(found.against.value, beside=[found.value])
        yield f"against: y = {value} where {_features(found.against.active)} is on"
    if found.minimal:
        yield "no input with fewer features on is wrong"


def _features(active: tuple[int, ...]) -> str:
    return " ".join(f"x{j}" for j in active) or "nothing"


def otherwise(readout: Readout, found: Another | None) -> Iterator[str]:
    """How else a refuted question's outputs could be read, in one sentence; the numbers in it are rounded inwards."""
    if found is None:
        return
    every = "the one output is" if found.of == 1 else f"all {found.of:,} outputs are"
    kept = f", with the margin {exact_text(readout.margin)}" if readout.margin else ""
    if found.within is not None:
        yield f"Within {_rounded(found.within, ROUND_CEILING)} {every} right."
    elif found.at is not None:
        low = "" if found.low is None else _rounded(found.low, ROUND_CEILING, found.at)
        high = "" if found.high is None else _rounded(found.high, ROUND_FLOOR, found.at)
        which = f"from {low} to below {high}" if low and high else f"from {low} on" if low else f"below {high}"
        told = "" if low is None or high is None else f" (any {which})"  # an end that nobody could write is left out
        yield f"With the threshold {exact_text(found.at)}{told} {every} right{kept}."
    elif found.separable == found.of:
        yield f"With a threshold of its own each output is right{kept or ' (mode separable: PROVED)'}."
    elif found.separable is not None:
        yield f"{found.separable:,} of {found.of:,} outputs would be right with a threshold of their own{kept}."


def _rounded(value: Fraction, way: str, at: Fraction | None = None) -> str | None:
    """A number with six digits, more if it would leave out `at`, rounded one way, exact where short; None past 48."""
    if len(whole := exact_text(value)) <= _SHORT:
        return whole
    digits, above, below = 6, Decimal(value.numerator), Decimal(value.denominator)
    while digits <= _MOST_DIGITS:
        context = Context(prec=digits, rounding=way)
        near = context.divide(above, below).normalize(context)  # its own context: the common one would round again
        if at is None or (at >= near if way == ROUND_CEILING else at < near):
            return f"{near:f}" if abs(near.adjusted()) < _SHORT else f"{near}"
        digits += 1
    return None


def single(result: Result) -> SuiteOutcome:
    """One verdict as a gate that expects a proof: what `verify` writes in a gate's formats."""
    verdict, seconds = result.verdict.value, result.seconds.get("total", 0.0)
    code = conclusion(verdict, "proved")
    reason = None if code == PASSED else result.reason or verdict
    file = result.source.spec or result.source.network or "spec"
    told = (*facts(result.claims, result.smallest), *otherwise(result.claims.readout, result.another))
    notes = (*result.claims.assumptions, *result.notes)
    judgement = SpecOutcome(file, code, "proved", verdict, reason, told, seconds=seconds)
    return SuiteOutcome((replace(judgement, assumptions=notes, assumed=brief(notes)),), seconds)
