"""A verdict in words: a counterexample one line a fact, and a result as a gate of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from supercheck.claims import Claims, expected
from supercheck.errors import clip
from supercheck.evidence import Counterexample, Result
from supercheck.formats.tensors import brief
from supercheck.judgement import PASSED, Gate, Judgement, conclusion
from supercheck.numerals import exact_text, short
from supercheck.syntax import text as formula_text


def facts(claims: Claims, found: Counterexample | None) -> Iterator[str]:
    """A counterexample, one line a fact."""
    if found is None:
        return
    yield f"on: {_features(found.active)}"
    formula = clip(formula_text(claims.formulas[found.output]))
    yield f"output: y{found.output}, which should be {formula} = {found.expected}"
    exact, value = exact_text(found.value), short(found.value)
    also = f" (exactly {exact})" if value != exact and len(exact) <= 60 else ""
    yield f"value: y = {value}{also}, but {expected(claims.readout, bool(found.expected))} is expected"
    if found.against is not None:
        yield f"against: y = {short(found.against.value)} where {_features(found.against.active)} is on"
    if found.minimal:
        yield "no input with fewer features on is wrong"


def _features(active: tuple[int, ...]) -> str:
    return " ".join(f"x{j}" for j in active) or "nothing"


def single(result: Result) -> Gate:
    """One verdict as a gate that expects a proof: what `verify` writes in a gate's formats."""
    verdict, seconds = result.verdict.value, result.seconds.get("total", 0.0)
    code = conclusion(verdict, "proved")
    reason = None if code == PASSED else result.reason or verdict
    file = result.source.spec or result.source.network or "spec"
    told, notes = tuple(facts(result.claims, result.smallest)), (*result.claims.assumptions, *result.notes)
    judgement = Judgement(file, code, "proved", verdict, reason, told, seconds=seconds)
    return Gate((replace(judgement, assumptions=notes, assumed=brief(notes)),), seconds)
