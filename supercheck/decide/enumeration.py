"""Decide by evaluating every input, fewest active features first, all outputs at once.

Every answer is exact (`sheet.py`), and the first failure met is a smallest one of its output.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from supercheck.claims import Claims
from supercheck.decide.extremes import End, asked, extremes
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.sheet import MOST_CELLS, Batch, LateError, Sheet
from supercheck.evidence import Decision, Verdict
from supercheck.exact import Array

NAME = "enumerate"

UNAFFORDABLE = 1 << 100


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
    if claims.domain.restricted(widest).size > UNAFFORDABLE:
        return 0, 0  # the widest output alone has too many inputs
    sheet = Sheet(claims, tuple(outputs), Clock.start(None))
    if sheet.cells > MOST_CELLS:
        return 0, 0
    inputs, active = claims.domain.restricted(len(sheet.features)).size, claims.domain.max_active
    hidden = [len(neurons) for neurons in sheet.cone[1:]]
    once = sum(a * b for a, b in pairwise(hidden)) + hidden[0] * active if hidden else 0
    return inputs * (once + 1000), inputs * ((hidden[-1] if hidden else active) + 10)


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
    sizes = {count: claims.domain.restricted(count).size for count in set(reached)}
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
        yield [Decision(i, Verdict.UNKNOWN, "its cone is too large to enumerate") for i in outputs]


def _sweep(sheet: Sheet, limits: Limits) -> Iterator[list[Decision]]:
    claims, clock = sheet.claims, sheet.clock
    optimise = claims.separable or limits.margins
    found: dict[int, Decision] = {}
    outputs = sheet.outputs
    open_ = list(outputs)
    best = {i: Best() for i in open_ if optimise}
    domain, done = claims.domain.restricted(len(sheet.features)), 0
    try:
        for level in range(domain.levels):
            if 2 * len(open_) <= len(sheet.outputs):  # the others are decided
                sheet = Sheet(claims, tuple(open_), clock)
            for batch in sheet.batches(level):
                sheet.check_clock()
                if optimise:
                    improve(batch, best)
                failed = []
                looking = not claims.separable and len(found) < len(outputs)
                for place, active in batch.failures(found) if looking else ():
                    failed.append(i := sheet.outputs[place])
                    found[i] = Decision(i, Verdict.REFUTED, active=active, minimal=True)
                if failed and not optimise:
                    yield [found[i] for i in failed]
                    open_ = [i for i in open_ if i not in found]
                if not open_:
                    return
                done += len(batch.active)
                clock.progress(min(done, domain.size), domain.size, "inputs")
            for i in open_ if claims.separable else ():
                off, on = best[i].top.get(False), best[i].top.get(True)
                if i not in found and off and on and off.total >= on.total:
                    found[i] = Decision(i, Verdict.REFUTED, active=off.active, against=on.active, minimal=True)
    except LateError:  # what was found before stands
        yield [found.get(i, Decision(i, Verdict.UNKNOWN, clock.reason)) for i in open_]
        return
    settled = [found.get(i, Decision(i, Verdict.PROVED)) for i in open_]
    if optimise:
        settled = [d._replace(extremes=extremes(claims, d.output, best[d.output].ends)) for d in settled]
    yield settled


@dataclass(frozen=True)
class _Seen:
    """An exact value of w . h and the input that attains it."""

    total: int
    active: tuple[int, ...]


@dataclass
class Best:
    """The least and the greatest w . h of each class so far; `top` is greatest off and least on."""

    least: dict[bool, _Seen] = field(default_factory=dict)
    greatest: dict[bool, _Seen] = field(default_factory=dict)

    @property
    def top(self) -> dict[bool, _Seen]:
        """The greatest of the off inputs and the least of the on inputs."""
        pairs = ((False, self.greatest.get(False)), (True, self.least.get(True)))
        return {on: seen for on, seen in pairs if seen is not None}

    @property
    def ends(self) -> dict[bool, list[End]]:
        """Both ends of each class, as far as they were kept."""
        parts = (self.greatest, self.least)
        return {on: [(part[on].total, part[on].active) for part in parts if on in part] for on in (False, True)}


def improve(batch: Batch, best: dict[int, Best]) -> None:
    """Take a batch into account, for every output the extremes that decide it."""
    outputs, doubles = batch.sheet.outputs, batch.sheet.doubles
    for on, greatest in asked(batch.sheet.claims):
        sign, of_class = 1 if greatest else -1, batch.truth if on else ~batch.truth
        places = np.flatnonzero(of_class.any(axis=1))
        floors = np.full(len(outputs), -np.inf)
        if doubles is not None:  # keep what may be better than everything else here and so far
            peaks = np.where(of_class, sign * batch.sums, -np.inf).max(axis=1)
            floors = peaks - 2 * doubles.errors
            known = [best[i].greatest.get(on) if greatest else best[i].least.get(on) for i in outputs]
            for place, seen in enumerate(known):
                if seen is not None:
                    scaled, off = doubles.bound(place, seen.total)
                    so_far = np.nextafter(sign * scaled, np.inf) if off == 0 else sign * scaled - 2 * off
                    floors[place] = max(floors[place], so_far)
            places = places[peaks[places] >= floors[places]]
        for place in places.tolist():
            inputs = np.flatnonzero(of_class[place])
            if doubles is not None:
                inputs = inputs[sign * batch.sums[place, inputs] >= floors[place]]
                inputs = inputs[:1] if doubles.errors[place] == 0 else inputs
            totals = batch.totals(inputs, place)
            first = max(range(len(totals)), key=lambda k: (sign * totals[k], -k))
            kept = best[outputs[place]].greatest if greatest else best[outputs[place]].least
            if on not in kept or sign * totals[first] > sign * kept[on].total:
                kept[on] = _Seen(totals[first], batch.named(int(inputs[first])))
