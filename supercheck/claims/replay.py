"""Replay: the only maker of a `Counterexample`.

It evaluates the loaded network in exact arithmetic and reads the output by the readout's own words, not by the
integer goals that the engines work with.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from supercheck.base.errors import FaultError
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Counterexample, Point, Refuted
from supercheck.network.evaluate import totals
from supercheck.network.input import Input
from supercheck.spec.formula import holds


def evaluate(claims: Claims, questions: Sequence[tuple[int, Input]]) -> list[tuple[Point, int]]:
    """The exact value of an output on an input of the domain, and what its function says there.

    Args:
        claims: network, domain and functions.
        questions: (output, input), all evaluated together.
    """
    for _, x in questions:
        if not claims.domain.contains(x):
            raise FaultError(f"an engine named an input outside the domain: {list(x.active)}")
    found = totals(claims.network, [i for i, _ in questions], [x for _, x in questions])
    return [
        (Point(x, claims.value(i, total)), int(holds(claims.formulas[i], frozenset(x.active))))
        for (i, x), total in zip(questions, found, strict=True)
    ]


def replay(claims: Claims, refuted: Sequence[Refuted]) -> list[Counterexample]:
    """Check engines' refutations in exact arithmetic.

    Raises:
        FaultError: if one does not refute; an engine is at fault then, and nothing may be concluded.
    """
    questions: list[tuple[int, Input]] = []
    for one in refuted:
        questions.append((one.output, one.witness))
        if claims.separable:
            if one.against is None:
                raise FaultError(f"output {one.output} was called inseparable without its second input")
            questions.append((one.output, one.against))
    evaluated = iter(evaluate(claims, questions))
    return [_replayed(claims, one.output, *islice(evaluated, 1 + claims.separable)) for one in refuted]


def _replayed(
    claims: Claims, output: int, first: tuple[Point, int], second: tuple[Point, int] | None = None
) -> Counterexample:
    point, target = first
    if second is not None:
        fails = not target and second[1] and second[0].value <= point.value
    else:
        fails = claims.readout.wrong(point.value, target, claims.error(output))
    if not fails:
        raise FaultError(f"output {output}: the witness {list(point.active)} does not refute it")
    return Counterexample(point.input, output, point.value, target, None if second is None else second[0])


def shrink(claims: Claims, counterexamples: Sequence[Counterexample]) -> list[Counterexample]:
    """Turn features of each off, one at a time, as long as the output stays wrong; not in mode separable."""
    found = list(counterexamples)
    if claims.separable:
        return found
    originals = [example.active for example in found]
    for position in range(max((len(active) for active in originals), default=0)):
        tried = [place for place, active in enumerate(originals) if position < len(active)]
        smaller = [(found[p].output, claims.domain.rested(found[p].input, originals[p][position])) for p in tried]
        for place, (point, target) in zip(tried, evaluate(claims, smaller), strict=True):
            if claims.readout.wrong(point.value, target, claims.error(found[place].output)):
                found[place] = Counterexample(point.input, found[place].output, point.value, target)
    return found
