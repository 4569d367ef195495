"""How small a counterexample is, three senses apart, for failure is not monotone: turning a feature on may mend.

For output i, A is inclusion-minimal if A fails at i and no proper subset of A does; a minimum is one of least size;
it is flip-stable if turning off any single feature mends it. A minimum is inclusion-minimal, and whatever is
inclusion-minimal is flip-stable; neither holds the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from supercheck.analysis.explore.failures import Pair
from supercheck.analysis.explore.result import Case
from supercheck.base.errors import FaultError
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Counterexample, Verdict
from supercheck.claims.replay import evaluate, shrink
from supercheck.claims.result import OutputResult
from supercheck.decide.engines import AUTO, searcher
from supercheck.decide.enumeration import cost
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.portfolio import AFFORDABLE, settle
from supercheck.network.input import Input

_MOST_SUBSETS = 12  # features all of whose subsets are evaluated


def smallest(
    claims: Claims, results: Iterable[OutputResult], limits: Limits, clock: Clock
) -> dict[int, tuple[Counterexample, bool]]:
    """For every refuted output a counterexample with as few features on as can be found, and whether that is proved.

    Whatever is found is asked for a smaller one, all outputs of a size together, until the level below is proved.

    Args:
        claims: the question; not in mode separable.
        results: what is known of the outputs.
        limits: engine, workers.
        clock: the deadline; what it leaves is not proved.
    """
    refuted = [r for r in results if r.counterexample is not None]
    first = shrink(claims, [r.counterexample for r in refuted if r.counterexample is not None])
    found = {example.output: example for example in first}
    proved = {r.index for r in refuted if r.least or not found[r.index].size}
    open_ = {i for i in found if i not in proved}
    while open_ and not clock.over:
        size = max(found[i].size for i in open_)
        asked = sorted(i for i in open_ if found[i].size == size)
        level = claims.at_most(size - 1)
        engine = AUTO if cost(level, asked) <= AFFORDABLE else searcher(level).name  # Z3 might take for ever
        below = settle(level, asked, replace(limits, engine=engine), clock)
        proved |= {i for i in asked if i in below and below[i].verdict is Verdict.PROVED}
        better = [r.counterexample for r in below.values() if r.counterexample is not None]
        for example in shrink(claims, better):
            found[example.output] = example
            if not example.size or below[example.output].least:
                proved.add(example.output)
        open_ = {i for i in open_ - proved if i not in asked or found[i].size < size}
    return {i: (example, i in proved) for i, example in found.items()}


def cases(claims: Claims, pairs: Sequence[Pair], least: Mapping[int, int], *, minimal: bool) -> list[Case]:
    """Replay pairs that fail and say how small each is.

    Args:
        claims: the question; not in mode separable.
        pairs: outputs and active features.
        least: the proved size of a minimum, for each output where that is known.
        minimal: whether all of them are known to be inclusion-minimal.

    Raises:
        FaultError: if a pair does not fail in exact arithmetic.
    """
    found, questions = [], [(output, Input.on(active)) for output, active in pairs]
    for (output, active), (point, on) in zip(pairs, evaluate(claims, questions), strict=True):
        if not claims.readout.wrong(point.value, on):
            raise FaultError(f"output {output} is right where {list(active)} are on, but an engine says otherwise")
        minimum = least.get(output) == len(active)
        small = True if minimal or minimum else _inclusion_minimal(claims, output, active)
        stable = True if small else _mended(claims, output, combinations(active, len(active) - 1))
        found.append(Case(point.active, output, point.value, int(on), minimum, small, stable))
    return sorted(found, key=lambda case: case.order)


def _inclusion_minimal(claims: Claims, output: int, active: tuple[int, ...]) -> bool | None:
    if len(active) > _MOST_SUBSETS:
        stable = _mended(claims, output, combinations(active, len(active) - 1))
        return None if stable else False
    return _mended(claims, output, (part for size in range(len(active)) for part in combinations(active, size)))


def _mended(claims: Claims, output: int, subsets: Iterable[tuple[int, ...]]) -> bool:
    """Whether the output is right on all of some inputs."""
    points = evaluate(claims, [(output, Input.on(part)) for part in subsets])
    return not any(claims.readout.wrong(point.value, on) for point, on in points)
