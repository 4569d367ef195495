"""On how many inputs of the domain each output is wrong: counted by the slot rule's search, not by enumeration.

The search looks only where a bound leaves inputs that may be wrong, and sees each of those once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from math import comb, inf

import numpy as np

from supercheck.base.errors import FaultError
from supercheck.base.matrix import Array
from supercheck.claims.claims import Claims
from supercheck.decide.kernels.arrays import OPEN
from supercheck.decide.kernels.slots import Asked, Memory, search
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.relaxation import _Chunk, _chunks, goals_of
from supercheck.decide.slot_layout import Layout
from supercheck.decide.threads import in_threads


def failures(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[dict[int, int | None]]:
    """Count the inputs on which outputs are wrong.

    Args:
        claims: the question, in any mode but separable, where no single input is wrong.
        outputs: which outputs.
        limits: workers, and nodes that may be bounded for each case of an output.
        clock: the deadline.

    Yields:
        The count of some outputs each; None where it is not known.
    """
    if claims.separable:
        raise FaultError("no single input is wrong in mode separable")
    layout = Layout.of(claims)
    if isinstance(layout, str):
        yield dict.fromkeys(outputs)
        return
    chosen, large = layout.parted(outputs)
    left: dict[int, int | None] = dict.fromkeys(chosen.tolist())
    yield dict.fromkeys(large.tolist())

    def run(chunk: _Chunk, memory: Memory) -> dict[int, int | None]:
        goals = goals_of(claims, chunk.outputs, layout.flat, False)
        never = _unmet(claims, chunk.outputs)
        goals[0][never] = inf  # every input is wrong: counted by itself
        cases = len(chunk.cases.values)
        asked = Asked.of(
            chunk.outputs, chunk.supports, goals, cases, layout.slots.max_active, limits.nodes, counting=True
        )
        search(layout.flat, layout.slots, memory, chunk.cases, asked)
        found = dict(zip(chunk.outputs.tolist(), _totals(claims, chunk, asked, never), strict=True))
        return {i: None if (asked.status[x] == OPEN).any() else n for x, (i, n) in enumerate(found.items())}

    own = partial(layout.memory, chosen)
    for found in in_threads(run, _chunks(claims, chosen.tolist(), limits.workers, clock), own, limits.workers, clock):
        for i in found:
            del left[i]
        yield found
    yield left


def _unmet(claims: Claims, outputs: Array) -> Array:
    """Whether no value at all meets the goals of a class, [outputs, class]."""
    unmet = np.zeros((len(outputs), 2), dtype=np.bool_)
    for x, i in enumerate(outputs.tolist()):
        for kind in (0, 1):
            goal = claims.goal(i, kind)
            unmet[x, kind] = None not in (goal.lowest, goal.highest) and not goal.met(goal.lowest or 0)
    return unmet


def _totals(claims: Claims, chunk: _Chunk, asked: Asked, never: Array) -> list[int]:
    """The inputs counted: those features that matter, times all choices of those that do not."""
    features, k = claims.cube.features, min(claims.cube.max_active, claims.cube.features)
    on = chunk.cases.on_count.tolist()
    off = np.diff(chunk.cases.off_ends, prepend=0).tolist()
    values, counts, outside = chunk.cases.values.tolist(), asked.counts.tolist(), asked.outside.tolist()
    totals = []
    for x in range(len(asked.outputs)):
        total = 0
        for c, value in enumerate(values):
            if never[x, value]:
                total += sets(features - on[c] - off[c], k - on[c])
            for added, count in enumerate(counts[x][c]):
                if count:
                    total += count * sets(outside[x][c], k - on[c] - added)
        totals.append(total)
    return totals


def sets(of: int, most: int) -> int:
    """How many sets of at most so many there are."""
    return sum(comb(of, size) for size in range(min(of, most) + 1))
