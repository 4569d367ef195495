"""Decide by evaluating every input, fewest active features first, all outputs at once.

Every answer is exact (`sweep.py`), and the first failure met is a smallest one of its output.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from supercheck.base.matrix import Array
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Decision, Proved, Refuted, Unknown
from supercheck.decide.engines import ENUMERATE, UNAFFORDABLE, Price
from supercheck.decide.extremes import extremes
from supercheck.decide.limits import Clock, DeadlineError, Limits
from supercheck.decide.measure import Best
from supercheck.decide.sweep import MOST_CELLS, Sheet
from supercheck.network.input import Input

NAME = ENUMERATE.name

_LARGE = 10**10  # multiplications past which each output is priced by itself, too


def cost(claims: Claims, outputs: Sequence[int]) -> int:
    """Multiplications that one sweep for all the given outputs needs, or work that takes as long.

    For each input the weights, some ten comparisons an output, and what it takes to make one: about a thousand.
    `UNAFFORDABLE` where the matrices are too large to be made dense.
    """
    once, each = shares(claims, outputs)
    return once + each * len(outputs) if each else UNAFFORDABLE


def shares(claims: Claims, outputs: Sequence[int]) -> tuple[int, int]:
    """Of the cost of a sweep, what all its outputs cost together, and what each adds; zeros where it cannot be made."""
    widest = int(widths(claims)[np.asarray(outputs, dtype=np.int64)].max(initial=0))
    if claims.cube.restricted(widest).size > UNAFFORDABLE:
        return 0, 0  # the widest output alone has too many inputs
    sheet = Sheet(claims, tuple(outputs), Clock.start(None))
    if sheet.cells > MOST_CELLS:
        return 0, 0
    inputs, active = claims.cube.restricted(len(sheet.features)).size, claims.cube.max_active
    hidden = [len(neurons) for neurons in sheet.cone[1:]]
    once = sum(a * b for a, b in pairwise(hidden)) + hidden[0] * active if hidden else 0
    return inputs * (once + 1000), inputs * ((hidden[-1] if hidden else active) + 10)


def price(claims: Claims, outputs: Sequence[int], _limits: Limits) -> Price:
    """What a sweep costs, shared by its outputs; and each by itself, where the sweep is large or cannot be made."""
    once, each = shares(claims, outputs)
    large = not each or once + each * len(outputs) > _LARGE
    own = costs(claims) if large else []
    alone = [_number(own[i]) for i in outputs] if large else []
    return Price([_number(each or UNAFFORDABLE)] * len(outputs), _number(once), alone)


def _number(price: int) -> float:
    """A price, or what nobody pays: the inputs may be more than a double can count."""
    return float(min(price, UNAFFORDABLE))


def widths(claims: Claims) -> Array:
    """For every output an upper bound of how many features it or its function depends on."""
    features = claims.network.features
    reached = np.ones(features)
    for rows in claims.network.matrices:
        ones = rows.holding(np.ones(len(rows.data)))
        reached = np.minimum(ones.dot(reached), features)
    named = np.array([len(support) for support in claims.shapes.supports])
    return np.asarray(np.minimum(reached + named, features), dtype=np.int64)


def costs(claims: Claims) -> list[int]:
    """For every output an upper bound of what a sweep of its own needs, in one pass over the weights."""
    reached = widths(claims).tolist()
    sizes = {count: claims.cube.restricted(count).size for count in set(reached)}
    return [sizes[count] * (int(each) + 1) for count, each in zip(reached, claims.network.weights, strict=True)]


def decide(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[list[Decision]]:
    """Decide the given outputs.

    Args:
        claims: the question.
        outputs: which outputs.
        limits: whether margins are wanted.
        clock: the deadline; what it leaves open is unknown.

    Yields:
        One decision an output, refuted ones as soon as they are found, together what arrives together.
    """
    sheet = Sheet(claims, tuple(outputs), clock)
    if sheet.cells <= MOST_CELLS:
        yield from _sweep(sheet, limits)
    elif len(outputs) > 1:  # smaller sheets have smaller cones
        half = len(outputs) // 2
        yield from decide(claims, outputs[:half], limits, clock)
        yield from decide(claims, outputs[half:], limits, clock)
    else:
        yield [Unknown(i, "its cone is too large to enumerate") for i in outputs]


def _sweep(sheet: Sheet, limits: Limits) -> Iterator[list[Decision]]:
    claims, clock = sheet.claims, sheet.clock
    found: dict[int, Refuted] = {}
    outputs = sheet.outputs
    open_ = list(outputs)
    best = Best(sheet) if claims.separable or limits.margins else None
    domain, done = claims.cube.restricted(len(sheet.features)), 0
    try:
        for level in range(domain.levels):
            if 2 * len(open_) <= len(sheet.outputs):  # the others are decided
                sheet = Sheet(claims, tuple(open_), clock)
            for batch in sheet.batches(level):
                sheet.check_clock()
                if best is not None:
                    best.see(batch)
                failed = []
                looking = not claims.separable and len(found) < len(outputs)
                for place, active in batch.failures(found) if looking else ():
                    failed.append(i := sheet.outputs[place])
                    found[i] = Refuted(i, Input.on(active), minimal=True)
                if failed and best is None:
                    yield [found[i] for i in failed]
                    open_ = [i for i in open_ if i not in found]
                if not open_:
                    return
                done += len(batch.active)
                clock.progress(min(done, domain.size), domain.size, "inputs")
            if best is not None and claims.separable:
                wanted = np.array([i not in found for i in outputs])
                for place, (off, on) in best.overlapping(wanted).items():
                    i = outputs[place]
                    found[i] = Refuted(i, off, on, minimal=True)
        ends = None if best is None else best.ends()
    except DeadlineError:  # what was found before stands
        yield [found.get(i, Unknown(i, clock.reason)) for i in open_]
        return
    settled: list[Proved | Refuted] = [found.get(i) or Proved(i) for i in open_]
    if ends is not None:
        settled = [d._replace(extremes=extremes(claims, d.output, own)) for d, own in zip(settled, ends, strict=True)]
    yield [*settled]
