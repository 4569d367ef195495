"""What is true where a question is refuted: another threshold, one for each output, or the least error that would do.

It follows from exact extremes, and is looked for only where they cost little beside deciding: a sweep over all inputs
of the outputs that are asked about, or a few nodes of branch and bound for each of their cases, may cost at most as
many multiplications as such engines spent on the outputs that they proved, or `LITTLE`. That is counted, never
measured, so that the answer is the same on every machine and for any number of workers. Outputs that are proved have
a threshold of their own; they are asked about only where all the others have one in common.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil

from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Extremes, Verdict
from supercheck.claims.result import Another, OutputResult
from supercheck.decide.engines import ENGINES, ENUMERATE, Engine, searcher
from supercheck.decide.limits import Clock, Limits
from supercheck.spec.readout import Readout

LITTLE = 3 * 10**8
"""Multiplications that are always spent: some hundredths of a second."""

_MOST_DECIMALS = 40  # of a threshold that is told: nobody would write more

_Range = tuple[Fraction | None, Fraction | None]  # of thresholds, the second excluded; None: no end


def another(claims: Claims, outputs: Sequence[OutputResult], limits: Limits, clock: Clock) -> Another | None:
    """How else a refuted question's outputs could be read so that they are right; None where that costs more.

    Args:
        claims: the question, in real arithmetic.
        outputs: what is known of its outputs, in order; where that is nothing, all are asked about.
        limits: workers.
        clock: the deadline.
    """
    if claims.readout.rules.remedy is None:
        return None
    known = {found.index: found for found in outputs}
    proved = [i for i, found in known.items() if found.verdict is Verdict.PROVED]
    others = sorted(set(range(len(claims))).difference(proved))
    worst = _extremes(claims, others, known, limits, clock)
    if worst is None:
        return None
    if claims.readout.rules.remedy == "within":
        errors = [
            abs(point.value - f) for one in worst for point, f in ((one.off, 0), (one.on, 1)) if point is not None
        ]
        return Another(len(claims), within=max(errors, default=Fraction(0)))
    margin, own = claims.readout.margin, [_thresholds(one, claims.readout.margin) for one in worst]
    separate = Another(len(claims), len(proved) + sum(part is not None for part in own))
    if not _meet(own):
        return separate
    rest = _extremes(claims, proved, known, limits, clock)
    common = None if rest is None else _meet([*own, *(_thresholds(one, margin) for one in rest)])
    at = None if common is None else _plainest(*common)
    return separate if common is None or at is None else replace(separate, at=at, low=common[0], high=common[1])


def _extremes(
    claims: Claims, outputs: Sequence[int], known: Mapping[int, OutputResult], limits: Limits, clock: Clock
) -> list[Extremes] | None:
    """The extremes of some outputs; None where they are not known and cost too much."""
    found = {i: one.extremes for i, one in known.items()}
    missing = [i for i in outputs if found.get(i) is None]
    engine, nodes = _affordable(claims, missing, known) if missing else (ENUMERATE, 0)
    if missing and not nodes:
        return None
    asked = claims.read_as(Readout("separable")) if claims.readout.rules.remedy == "threshold" else claims
    own = replace(limits, margins=True, nodes=max(1, nodes), team=None)
    for decisions in engine.decide(asked, missing, own, clock) if missing else ():
        found.update({decision.output: decision.extremes for decision in decisions})
    listed = [one for one in (found.get(i) for i in outputs) if one is not None]
    return listed if len(listed) == len(outputs) else None


def _affordable(claims: Claims, outputs: Sequence[int], known: Mapping[int, OutputResult]) -> tuple[Engine, int]:
    """The engine that may be asked for the extremes of some outputs, and nodes for each case; 0 where none may."""
    proved: dict[Engine, list[int]] = {}
    for i, one in known.items():
        if one.verdict is Verdict.PROVED and one.engine in ENGINES:
            proved.setdefault(ENGINES[one.engine], []).append(i)
    one_node, search = Limits(nodes=1), searcher(claims)
    spent = [LITTLE, *(e.price(claims, there, one_node).total for e, there in proved.items() if not e.outside)]
    if ENUMERATE.price(claims, outputs, one_node).total <= max(spent):
        return ENUMERATE, 1
    return search, int(max(spent) // max(1.0, search.price(claims, outputs, one_node).total))


def _thresholds(worst: Extremes, margin: Fraction) -> _Range | None:
    """The thresholds that part the classes of an output; None where there are none."""
    low = None if worst.off is None else worst.off.value + margin
    high = None if worst.on is None else worst.on.value - margin
    return None if low is not None and high is not None and low >= high else (low, high)


def _meet(ranges: Sequence[_Range | None]) -> _Range | None:
    """The thresholds in all ranges; None where there are none."""
    known = [one for one in ranges if one is not None]
    low = max((low for low, _ in known if low is not None), default=None)
    high = min((high for _, high in known if high is not None), default=None)
    empty = len(known) < len(ranges) or (low is not None and high is not None and low >= high)
    return None if empty else (low, high)


def _plainest(low: Fraction | None, high: Fraction | None) -> Fraction | None:
    """The number with the fewest decimals in a range, the nearest to its middle if there are several; None past 40."""
    unit = Fraction(1)
    for _ in range(_MOST_DECIMALS + 1):
        least = None if low is None else ceil(low / unit)
        most = None if high is None else ceil(high / unit) - 1
        if least is None or most is None:
            return unit * (least if least is not None else most if most is not None else 0)
        if low is not None and high is not None and least <= most:
            return unit * min(max(round((low + high) / (2 * unit)), least), most)
        unit /= 10
    return None
