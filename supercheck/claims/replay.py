"""Replay: the only maker of a `Counterexample`.

It evaluates the loaded network in exact arithmetic and reads the output by the readout's own words, not by the
integer goals that the engines work with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from supercheck.base.errors import FaultError
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Counterexample, Decision, Point
from supercheck.network.evaluate import totals
from supercheck.spec.formula import holds


def evaluate(claims: Claims, questions: Sequence[tuple[int, Iterable[int]]]) -> list[tuple[Point, bool]]:
    """The exact value of an output on an input of the domain, and what its function says there.

    Args:
        claims: network, domain and functions.
        questions: (output, active features), all evaluated together.
    """
    inputs = [frozenset(active) for _, active in questions]
    for on in inputs:
        if on not in claims.domain:
            raise FaultError(f"an engine named an input outside the domain: {sorted(on)}")
    found = totals(claims.network, [i for i, _ in questions], inputs)
    return [
        (Point(tuple(sorted(on)), claims.value(i, total)), holds(claims.formulas[i], on))
        for (i, _), on, total in zip(questions, inputs, found, strict=True)
    ]


def replay(claims: Claims, decisions: Sequence[Decision]) -> list[Counterexample]:
    """Check engines' refutations in exact arithmetic.

    Raises:
        FaultError: if one does not refute; an engine is at fault then, and nothing may be concluded.
    """
    questions: list[tuple[int, Iterable[int]]] = []
    for decision in decisions:
        if decision.active is None:
            raise FaultError(f"output {decision.output} was called refuted without a witness")
        questions.append((decision.output, decision.active))
        if claims.separable:
            if decision.against is None:
                raise FaultError(f"output {decision.output} was called inseparable without its second input")
            questions.append((decision.output, decision.against))
    evaluated = iter(evaluate(claims, questions))
    return [_replayed(claims, decision.output, *islice(evaluated, 1 + claims.separable)) for decision in decisions]


def _replayed(
    claims: Claims, output: int, first: tuple[Point, bool], second: tuple[Point, bool] | None = None
) -> Counterexample:
    point, on = first
    if second is not None:
        fails = not on and second[1] and second[0].value <= point.value
    else:
        fails = claims.readout.wrong(point.value, on, claims.error(output))
    if not fails:
        raise FaultError(f"output {output}: the witness {list(point.active)} does not refute it")
    return Counterexample(point.active, output, point.value, int(on), None if second is None else second[0])


def shrink(claims: Claims, counterexamples: Sequence[Counterexample]) -> list[Counterexample]:
    """Turn features of each off, one at a time, as long as the output stays wrong; not in mode separable."""
    found = list(counterexamples)
    if claims.separable:
        return found
    originals = [example.active for example in found]
    for position in range(max((len(active) for active in originals), default=0)):
        tried = [place for place, active in enumerate(originals) if position < len(active)]
        smaller = [(found[p].output, set(found[p].active) - {originals[p][position]}) for p in tried]
        for place, (point, on) in zip(tried, evaluate(claims, smaller), strict=True):
            if claims.readout.wrong(point.value, on, claims.error(found[place].output)):
                found[place] = Counterexample(point.active, found[place].output, point.value, int(on))
    return found
