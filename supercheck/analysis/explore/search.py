"""What breaks a network, why, and how far from breaking the rest is. Read this file first.

Where all inputs can be enumerated they are: every failing input is counted, and every inclusion-minimal counterexample
is found. Otherwise the engines find for each wrong output a smallest one, with proof of the level below, and the rest
is said as "at least". Then each counterexample is taken apart on demand (`ledger.py`), and where the network is right
it is measured how far its weights may move.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from supercheck.analysis.explore import failures as failing, minimal, profile
from supercheck.analysis.explore.groups import MOST_CASES, grouped
from supercheck.analysis.explore.result import Case, Count, Exploration, Row
from supercheck.analysis.explore.sensitivity import Sensitivity, sensitivity
from supercheck.base.errors import FaultError
from supercheck.base.numbers import plural
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Counterexample, Verdict
from supercheck.claims.replay import shrink
from supercheck.claims.result import Result
from supercheck.decide.engines import searcher
from supercheck.decide.enumeration import cost, costs
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.portfolio import INTERRUPTED, QUICK, decide, up_to

__all__ = ["Exploration", "ExploreOptions", "examine", "unexamined"]

LIMIT = 10_000
"""Counterexamples that are kept unless another limit is asked for."""

OWN_WORK = 10**9
"""Multiplications up to which one output's inputs are enumerated where those of all outputs are too many."""


@dataclass(frozen=True)
class ExploreOptions:
    """What an exploration is to look for.

    Attributes:
        only: the one output whose counterexamples are wanted, if not all are.
        limit: how many counterexamples to keep; None: all.
        all: whether to look for all inclusion-minimal ones where inputs are too many to enumerate together.
    """

    only: int | None = None
    limit: int | None = LIMIT
    all: bool = False

    @property
    def most(self) -> int:
        """The limit as a number."""
        return 1 << 62 if self.limit is None else self.limit


def examine(
    result: Result, wanted: ExploreOptions, limits: Limits, clock: Clock, *, work: int = failing.MOST_WORK
) -> Exploration:
    """Explore a question that has been decided.

    Args:
        result: the verdict; the exploration is always of real arithmetic.
        wanted: what to look for.
        limits: engine, workers.
        clock: the deadline; what it leaves is said to be left out.
        work: multiplications up to which everything is enumerated.

    Raises:
        FaultError: if what is found contradicts the verdict.
    """
    claims, left_out = replace(result.claims, errors=None), list[str]()
    everything = range(len(claims))
    if not claims.separable and failing.affordable(claims, everything, work):
        swept = failing.sweep(claims, everything, wanted.most, clock, only=_only(wanted))
        _agree(result, swept)
        found = _swept_cases(claims, result, swept, wanted)
        proved = result.real_verdict is Verdict.PROVED
        rows = profile.counted(claims, swept, found, proved=proved)
        total = Count(swept.found if swept.done else max(swept.found, len(found)), swept.done or proved)
        if not swept.done:
            what, why = "margins" if proved else "inputs", clock.reason if clock.over else INTERRUPTED
            left_out.append(f"{what} with {len(swept.wrong)} or more features on: {why}")
    else:
        rows, found, total = _by_engines(claims, result, wanted, limits, clock)
        left_out += _unlooked(claims, total)
        if len(claims) * (claims.cube.max_active + 1) > profile.MOST_MARGINS:
            left_out.append(
                f"margins of {plural(len(claims), 'output')} at each k; `verify --margins` finds them at one"
            )
    if len(found) < total.value:
        left_out.append(f"{plural(total.value - len(found), 'more counterexample')}: the limit is {wanted.most:,}")
    if result.sparsity is None and result.arithmetic == "real":  # with what time the profile leaves
        result = replace(result, outputs=tuple(up_to(result.claims, result.outputs, limits, clock)))
    moved = _sensitivity(claims, result, rows, limits, clock)
    if moved is not None:
        left_out += moved.left_out
    if len(found) > MOST_CASES:
        left_out.append(f"groups by cause and symmetry: there are {len(found):,} counterexamples")
    whole = Exploration(result, tuple(rows), tuple(found), total, wanted.only, moved, left_out=tuple(left_out))
    if claims.separable:
        return whole
    return replace(whole, groups=tuple(grouped(claims, found, whole.ledger)))


def unexamined(result: Result, wanted: ExploreOptions, clock: Clock) -> Exploration:
    """What is known where no time is left to explore: the verdict, and its own counterexamples."""
    claims, real = replace(result.claims, errors=None), result.arithmetic == "real"
    known = [one.counterexample for one in result.outputs if real and one.counterexample is not None]
    smallest = {one.output: (one, one.minimal) for one in known}
    rows = profile.bounded(claims, smallest, open_=True, limits=Limits(), clock=clock)
    chosen = [one for one in known if wanted.only in (None, one.output)]
    found = [Case(c.active, c.output, c.value, c.expected, c.minimal, None, None, c.against) for c in chosen]
    found.sort(key=lambda case: case.order)
    left_out = (f"all but the verdict and its counterexamples: {clock.reason}",)
    total = Count(len(found), False)
    return Exploration(result, tuple(rows), tuple(found[: wanted.most]), total, wanted.only, left_out=left_out)


def _only(wanted: ExploreOptions) -> set[int] | None:
    return None if wanted.only is None else {wanted.only}


def _agree(result: Result, swept: failing.Failing) -> None:
    """Compare a sweep with the verdict.

    Raises:
        FaultError: if one calls an output wrong and the other does not.
    """
    if not swept.done or result.arithmetic != "real":
        return
    for place, i in enumerate(swept.outputs):
        wrong = any(bool(level[place]) for level in swept.wrong_outputs)
        if result.outputs[i].verdict is (Verdict.PROVED if wrong else Verdict.REFUTED):
            said = result.outputs[i].verdict.value
            raise FaultError(f"output {i} is {said} by {result.outputs[i].engine}, but a sweep says otherwise")


def _swept_cases(claims: Claims, result: Result, swept: failing.Failing, wanted: ExploreOptions) -> list[Case]:
    """The pairs of a sweep, replayed; an output's first level with failures is proved to be its minimum.

    Where the sweep did not come to an end, the verdict's own counterexamples of other outputs are added.
    """
    least = {
        i: next((level for level, wrong in enumerate(swept.wrong_outputs) if wrong[place]), -1)
        for place, i in enumerate(swept.outputs)
    }
    found = minimal.cases(claims, swept.pairs, least, minimal=True)
    if swept.done or result.arithmetic != "real":
        return found
    known = {case.output for case in found}
    examples = [one.counterexample for one in result.outputs if one.counterexample is not None]
    others = [one for one in shrink(claims, examples) if one.output not in known and wanted.only in (None, one.output)]
    found += minimal.cases(claims, [(one.output, one.active) for one in others], least, minimal=False)
    return sorted(found, key=lambda case: case.order)[: wanted.most]


def _by_engines(
    claims: Claims, result: Result, wanted: ExploreOptions, limits: Limits, clock: Clock
) -> tuple[list[Row], list[Case], Count]:
    """A smallest counterexample for each wrong output; where asked, the others of outputs with small cones."""
    results = result.outputs if result.arithmetic == "real" else decide(claims, limits).outputs
    smallest = _separated(result) if claims.separable else minimal.smallest(claims, results, limits, clock)
    unknown = [one.index for one in results if one.verdict is Verdict.UNKNOWN]
    rows = profile.bounded(claims, smallest, open_=bool(unknown), limits=limits, clock=clock)
    chosen = {i: pair for i, pair in smallest.items() if wanted.only in (None, i)}
    closed = not any(wanted.only in (None, i) for i in unknown)
    if claims.separable:
        found = [
            Case(one.active, one.output, one.value, one.expected, proved, None, None, one.against)
            for one, proved in chosen.values()
        ]
        found.sort(key=lambda case: case.order)
        return rows, found[: wanted.most], Count(len(found), closed and not found)
    pairs, done = list[failing.Pair](), set[int]()
    if wanted.all or wanted.only is not None:
        pairs, done = _own_sweeps(claims, list(chosen), wanted, clock)
    pairs += [(i, example.active) for i, (example, _) in chosen.items() if i not in done]
    least = {i: example.size for i, (example, proved) in smallest.items() if proved}
    found = minimal.cases(claims, pairs, least, minimal=False)
    return rows, found[: wanted.most], Count(len(pairs), closed and done == set(chosen))


def _separated(result: Result) -> dict[int, tuple[Counterexample, bool]]:
    """In mode separable the pairs of inputs that the verdict names."""
    return {one.index: (one.counterexample, one.least) for one in result.outputs if one.counterexample is not None}


def _own_sweeps(
    claims: Claims, outputs: Sequence[int], wanted: ExploreOptions, clock: Clock
) -> tuple[list[failing.Pair], set[int]]:
    """All inclusion-minimal pairs of outputs that can be enumerated one by one, and which outputs those are."""
    prices, pairs, done = costs(claims), list[failing.Pair](), set[int]()
    for i in outputs:
        if prices[i] <= OWN_WORK and failing.affordable(claims, [i], OWN_WORK) and not clock.over:
            swept = failing.sweep(claims, [i], wanted.most, clock)
            if swept.done and swept.found == len(swept.pairs):
                pairs += swept.pairs
                done.add(i)
    return pairs, done


def _unlooked(claims: Claims, total: Count) -> list[str]:
    if claims.separable:
        return ["inclusion-minimal counterexamples: in mode separable no single input is wrong by itself"]
    if total.exact:
        return []
    return [
        f"all inclusion-minimal counterexamples: {claims.cube.size:,} inputs are too many to enumerate; shown is a "
        f"smallest one of each wrong output"
    ]


def _sensitivity(
    claims: Claims, result: Result, rows: Sequence[Row], limits: Limits, clock: Clock
) -> Sensitivity | None:
    """How far weights may move at the largest k of the profile at which everything is right."""
    right = [row.k for row in rows if row.wrong_outputs == Count(0)]
    if not right or result.count(Verdict.UNKNOWN) or clock.over or claims.separable:
        return None
    at = claims.at_most(right[-1])
    timeout = None if clock.timeout is None else max(clock.left, 1e-3)
    asked = Limits(workers=limits.workers, margins=True, timeout=timeout)
    if cost(at, range(len(at))) > failing.MOST_WORK:  # as far as bounds find margins
        asked = replace(asked, engine=searcher(at).name, nodes=QUICK)
    proved = decide(at, asked)
    return sensitivity(proved) if proved.verdict is Verdict.PROVED else None
