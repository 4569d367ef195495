"""All failing inputs, by evaluating every input: how many there are at each sparsity, and which are inclusion-minimal.

Only the features that outputs or functions depend on are enumerated; the others are counted. An input is covered at
an output where some proper subset of it fails there: where one with one feature fewer fails or is covered. So one
level of inputs, a bit for each output, is all that has to be remembered.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import comb

import numpy as np

from supercheck.base.matrix import Array
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Extremes
from supercheck.decide.enumeration import cost
from supercheck.decide.extremes import extremes
from supercheck.decide.limits import Clock, DeadlineError
from supercheck.decide.measure import Best
from supercheck.decide.sweep import Block, Sheet

MOST_WORK = 10**11
"""Multiplications up to which everything is enumerated: some tens of seconds."""

_MOST_BYTES = 1 << 29  # of a level's bits

Pair = tuple[int, tuple[int, ...]]
"""An output, and the active features of an input on which it fails."""


@dataclass
class Failing:
    """What a sweep over all inputs found out; a level is the inputs with exactly so many of the features on.

    Attributes:
        outputs: which outputs were looked at.
        features: how many features they or their functions depend on.
        wrong: for each level how many inputs fail at some output.
        wrong_outputs: for each level whether each output fails on some input, [outputs].
        margins: for each level the least distance from failing with at most so many on, for "on" and for "off".
        pairs: inclusion-minimal counterexamples, fewest features first, up to a limit.
        found: how many there are on the levels that were swept.
        done: whether every level was swept.
    """

    outputs: tuple[int, ...]
    features: int
    wrong: list[int] = field(default_factory=list)
    wrong_outputs: list[Array] = field(default_factory=list)
    margins: list[tuple[Fraction | None, Fraction | None]] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    found: int = 0
    done: bool = False

    def wrong_exactly(self, k: int, features: int) -> int:
        """How many inputs with exactly k of all `features` on fail at some output."""
        others = features - self.features
        return sum(count * comb(others, k - level) for level, count in enumerate(self.wrong[: k + 1]))


def affordable(claims: Claims, outputs: Sequence[int], work: int) -> bool:
    """Whether all inputs of these outputs together can be enumerated with so many multiplications."""
    if cost(claims, outputs) > work:
        return False
    features = len(claims.features(outputs))
    widest = max(comb(features, level) for level in range(claims.cube.restricted(features).levels))
    return widest * (len(outputs) + 7) // 8 <= _MOST_BYTES


def sweep(
    claims: Claims, outputs: Sequence[int], limit: int, clock: Clock, *, only: Collection[int] | None = None
) -> Failing:
    """Evaluate every input, fewest active features first, and keep all that fails.

    Args:
        claims: the question; not in mode separable.
        outputs: which outputs.
        limit: how many inclusion-minimal pairs to keep; all are counted.
        clock: the deadline, after which the levels that are done stand.
        only: the outputs whose pairs are wanted; None: all.
    """
    sheet = Sheet(claims, tuple(outputs), clock)
    domain = claims.cube.restricted(len(sheet.features))
    found, best = Failing(sheet.outputs, len(sheet.features)), Best(sheet)
    wanted = np.array([only is None or i in only for i in outputs])
    below: Array | None = None  # of the level below, for each input the outputs at which it fails or is covered
    done = 0
    try:
        for level in range(domain.levels):
            kept, pairs, new = [], list[Pair](), 0
            wrong, at = 0, np.zeros(len(outputs), dtype=bool)
            for batch in sheet.batches(level):
                sheet.check_clock()
                best.see(batch)
                fails = np.packbits(batch.failing.T, axis=1)
                covered = _covered(batch.active, below, len(sheet.features)) if below is not None else fails & 0
                count, chosen = _pairs(batch, fails & ~covered, wanted, limit - len(found.pairs) - len(pairs))
                new, pairs = new + count, pairs + chosen
                wrong += int(np.count_nonzero(fails.any(axis=1)))
                at |= batch.failing.any(axis=1)
                kept.append(fails | covered)
                done += len(batch.active)
                clock.progress(min(done, domain.size), domain.size, "inputs")
            worst = [extremes(claims, i, ends) for i, ends in zip(outputs, best.ends(), strict=True)]
            whole = np.concatenate(kept)  # from here on nothing looks at the clock: a level stands whole or not at all
            below = whole if whole.any() else None
            found.wrong.append(wrong)
            found.wrong_outputs.append(at)
            found.pairs += pairs
            found.found += new
            found.margins.append(margins(claims, worst))
        found.done = True
    except (DeadlineError, KeyboardInterrupt):
        pass
    return found


def _covered(active: Array, below: Array, features: int) -> Array:
    """For each input the outputs at which some proper subset fails, as bits.

    Source: ours. In lexicographic order the subset a_0 < ... < a_(s-1) of n comes at
    C(n, s) - 1 - sum_t C(n - 1 - a_t, s - t).
    """
    size = active.shape[1] - 1
    table = np.array([[comb(n, s) for s in range(size + 2)] for n in range(features)], dtype=np.int64)
    left = features - 1 - active.astype(np.int64)
    places = np.arange(size + 1)
    before = table[left, size - places]  # the terms of features that come before the one left out,
    after = table[left, size + 1 - places]  # and of those that come after it
    heads = np.cumsum(before, axis=1) - before
    tails = np.cumsum(after[:, ::-1], axis=1)[:, ::-1] - after
    rank = comb(features, size) - 1 - heads - tails
    covered: Array = below[rank[:, 0]]
    for place in range(1, size + 1):
        covered |= below[rank[:, place]]
    return covered


def _pairs(batch: Block, bits: Array, wanted: Array, room: int) -> tuple[int, list[Pair]]:
    """How many pairs the bits name of outputs that are wanted, and the first of them."""
    rows = np.flatnonzero(bits.any(axis=1))
    which = np.unpackbits(bits[rows], axis=1, count=len(wanted)).astype(bool) & wanted
    number, place = np.nonzero(which)
    first = zip(rows[number[:room]].tolist(), place[:room].tolist(), strict=True)
    return len(number), [(batch.sheet.outputs[p], batch.named(n)) for n, p in first]


def margins(claims: Claims, worst: Sequence[Extremes]) -> tuple[Fraction | None, Fraction | None]:
    """The least distance of any output from failing where it should be on, and where it should be off."""
    sides = [one.on for one in worst], [one.off for one in worst]
    on, off = (
        min((room for room in (goal.room(point.value) for point in points if point) if room is not None), default=None)
        for goal, points in zip(map(claims.readout.goal, (1, 0)), sides, strict=True)
    )
    return on, off
