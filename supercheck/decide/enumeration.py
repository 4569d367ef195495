"""Decide by evaluating every input, fewest active features first, all outputs at once.

Doubles do the bulk; whatever lies within their proven error of a goal is evaluated again in integers, so
every answer is exact. The first failure met is a smallest one of its output.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from supercheck.boolean import evaluate, support
from supercheck.claims import Claims
from supercheck.decide.doubles import Doubles, evaluate_exactly
from supercheck.decide.extremes import End, extremes
from supercheck.decide.limits import Clock, Limits
from supercheck.evidence import Decision, Verdict
from supercheck.exact import Array
from supercheck.network import Network

NAME = "enumerate"

_CELLS = 1 << 21  # doubles a batch may hold in one array
_RECHECK = 512  # inputs evaluated exactly at a time


def cost(claims: Claims, outputs: Sequence[int]) -> int:
    """Multiplications that one sweep for all the given outputs needs: inputs on their features times their weights."""
    cone = claims.network.cone(outputs)
    sizes = [len(part) for part in cone] + [len(outputs)]
    weights = sum(a * b for a, b in pairwise(sizes[1:])) + sizes[1] * claims.domain.max_active
    return claims.domain.restricted(len(claims.features(outputs, cone))).size * (weights + len(outputs))


def costs(claims: Claims) -> list[int]:
    """For every output an upper bound of what a sweep of its own needs, in one pass over the weights."""
    features, network = claims.network.features, claims.network
    reached, weights = np.ones(features), network.weights
    for rows in network.matrices:
        ones = replace(rows, data=np.ones(len(rows.data)))
        reached = np.minimum(ones.dot(reached), features)
    named = np.array([len(support(formula)) for formula in claims.formulas])
    reached = np.minimum(reached + named, features).astype(np.int64)
    sizes = {count: claims.domain.restricted(count).size for count in set(reached.tolist())}
    return [sizes[count] * (int(each) + 1) for count, each in zip(reached.tolist(), weights.tolist(), strict=True)]


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
    sheet = _Sheet(claims, tuple(outputs), clock)
    optimise = claims.separable or limits.margins
    open_ = dict(enumerate(outputs))  # place in the sheet -> output
    found: dict[int, Decision] = {}
    best = {place: _Best() for place in open_} if optimise else {}
    domain, done = claims.domain.restricted(len(sheet.features)), 0
    try:
        for level in range(domain.levels):
            for batch in sheet.batches(level):
                sheet.check_clock()
                for place in list(best):
                    best[place].improve(batch, place)
                failed = [] if claims.separable else [place for place, i in open_.items() if i not in found]
                for place in list(failed):
                    active, i = batch.failure(place), open_[place]
                    if active is None:
                        failed.remove(place)
                    else:
                        found[i] = Decision(i, Verdict.REFUTED, active=active, minimal=True)
                if not optimise and failed:
                    yield [found[open_.pop(place)] for place in failed]
                if not open_:
                    return
                done += len(batch.active)
                clock.progress(done, domain.size, "inputs")
            if claims.separable:
                for place, i in open_.items():
                    off, on = best[place].top.get(False), best[place].top.get(True)
                    if i not in found and off and on and off.total >= on.total:
                        found[i] = Decision(i, Verdict.REFUTED, active=off.active, against=on.active, minimal=True)
    except _LateError:  # what was found before stands
        yield [found.get(i, Decision(i, Verdict.UNKNOWN, clock.reason)) for i in open_.values()]
        return
    proved = [found.get(i, Decision(i, Verdict.PROVED)) for i in open_.values()]
    if optimise:
        worst = [extremes(claims, i, best[place].ends) for place, i in open_.items()]
        proved = [replace(decision, extremes=each) for decision, each in zip(proved, worst, strict=True)]
    yield proved


class _LateError(Exception):
    """The time is up."""


@dataclass(frozen=True, eq=False)
class _Sheet:
    """The part of the question that some outputs depend on, with features and outputs numbered anew."""

    claims: Claims
    outputs: tuple[int, ...]
    clock: Clock

    def check_clock(self) -> None:
        """Stop everything once the time is up."""
        if self.clock.over:
            raise _LateError

    @cached_property
    def features(self) -> Array:
        return self.claims.features(self.outputs)

    @cached_property
    def place(self) -> dict[int, int]:
        return {int(feature): place for place, feature in enumerate(self.features)}

    @cached_property
    def network(self) -> Network:
        return self.claims.network.slice(self.outputs, self.features)

    @cached_property
    def doubles(self) -> Doubles | None:
        return Doubles.of(self.network)

    @cached_property
    def bounds(self) -> tuple[Array, Array, Array, Array]:
        """Per output the goals as doubles, [outputs, class]: lowest, highest, and the errors of each."""
        shape = (len(self.outputs), 2)
        low, high = np.full(shape, -np.inf), np.full(shape, np.inf)
        low_error, high_error = np.zeros(shape), np.zeros(shape)
        doubles = self.doubles
        for place, i in enumerate(self.outputs) if doubles is not None else ():
            for on in (0, 1):  # not bools: numpy would take those for masks
                goal = self.claims.goal(i, bool(on))
                if doubles is not None and goal.lowest is not None:
                    low[place, on], low_error[place, on] = doubles.bound(place, goal.lowest)
                if doubles is not None and goal.highest is not None:
                    high[place, on], high_error[place, on] = doubles.bound(place, goal.highest)
        return low, high, low_error, high_error

    def batches(self, level: int) -> Iterator[_Batch]:
        """The inputs with `level` active features, in order."""
        widest = sum(rows.height for rows in self.network.matrices) + len(self.features)
        size = max(64, min(1 << 14, _CELLS // widest))
        for active in self.claims.domain.restricted(len(self.features)).members(level, size):
            yield _Batch(self, active)


@dataclass(frozen=True, eq=False)
class _Batch:
    """Some inputs, evaluated."""

    sheet: _Sheet
    active: Array

    @cached_property
    def evaluated(self) -> tuple[Array, Array]:
        """The last hidden layer and the scaled sums w . h, in doubles."""
        assert self.sheet.doubles is not None
        return self.sheet.doubles.evaluate(self.active)

    @cached_property
    def truth(self) -> Array:
        """The functions' values, bool [inputs, outputs]."""
        count, width = len(self.active), len(self.sheet.features)
        x = np.zeros((count, width), dtype=bool)
        np.put_along_axis(x, self.active.astype(np.int64), True, axis=1)
        packed = np.packbits(x, axis=0, bitorder="little")
        columns = [int.from_bytes(packed[:, j].tobytes(), "little") for j in range(width)]
        ones, size = (1 << count) - 1, packed.shape[0]
        truth = np.empty((len(self.sheet.outputs), size), dtype=np.uint8)
        for place, i in enumerate(self.sheet.outputs):
            bits = evaluate(self.sheet.claims.formulas[i], lambda j: columns[self.sheet.place[j]], ones)
            truth[place] = np.frombuffer(bits.to_bytes(size, "little"), dtype=np.uint8)
        return np.unpackbits(truth, axis=1, count=count, bitorder="little").astype(bool).T

    @cached_property
    def suspects(self) -> Array:
        """Where a goal may be missed, bool [inputs, outputs]: a miss in doubles, or too close to tell."""
        if self.sheet.doubles is None:
            return np.ones((len(self.active), len(self.sheet.outputs)), dtype=bool)
        low, high, low_error, high_error = self.sheet.bounds
        sums, least, most = self.evaluated[1], low + low_error, high - high_error
        suspects: Array = (sums < np.where(self.truth, least[:, 1], least[:, 0])) | (
            sums > np.where(self.truth, most[:, 1], most[:, 0])
        )
        return suspects

    @cached_property
    def suspected(self) -> Array:
        """Which outputs have a suspect."""
        return np.asarray(self.suspects.any(axis=0))

    def failure(self, place: int) -> tuple[int, ...] | None:
        """The first input that misses the output's goal."""
        if not self.suspected[place]:
            return None
        rows = np.flatnonzero(self.suspects[:, place])
        exact = self.sheet.doubles is not None and not any(part[place].any() for part in self.sheet.bounds[2:])
        for start in range(0, len(rows), _RECHECK):
            chunk = rows[start : start + _RECHECK]
            if exact:  # a suspect is a failure
                return self.named(chunk[0])
            for row, total in zip(chunk, self.totals(chunk, place), strict=True):
                if not self.sheet.claims.goal(self.sheet.outputs[place], bool(self.truth[row, place])).met(total):
                    return self.named(row)
        return None

    def totals(self, rows: Array, place: int) -> list[int]:
        """The exact w . h of one output on some of the inputs; inputs with the same hidden layer are evaluated once."""
        doubles = self.sheet.doubles
        if doubles is not None and doubles.hidden_exact and len(rows) > 1:
            _, first, same = np.unique(self.evaluated[0][rows], axis=0, return_index=True, return_inverse=True)
        else:
            first, same = np.arange(len(rows)), np.arange(len(rows))
        values: list[int] = []
        cells = sum(matrix.height * matrix.width for matrix in self.sheet.network.matrices)
        step = max(1, min(_RECHECK, _CELLS // max(1, cells)))
        for start in range(0, len(first), step):
            self.sheet.check_clock()
            chosen = self.active[rows[first[start : start + step]]]
            values.extend(evaluate_exactly(self.sheet.network, chosen)[:, place].tolist())
        return [values[k] for k in same.reshape(-1)]

    def named(self, row: int) -> tuple[int, ...]:
        """The active features of one input, by their names in the whole network."""
        return tuple(int(self.sheet.features[j]) for j in self.active[row])


@dataclass(frozen=True)
class _Seen:
    """An exact value of w . h and the input that attains it."""

    total: int
    active: tuple[int, ...]


@dataclass
class _Best:
    """The least and the greatest w . h of each class so far; `top` is greatest off and least on."""

    least: dict[bool, _Seen] = field(default_factory=dict)
    greatest: dict[bool, _Seen] = field(default_factory=dict)

    @property
    def top(self) -> dict[bool, _Seen]:
        """The greatest of the off inputs and the least of the on inputs."""
        pairs = ((False, self.greatest.get(False)), (True, self.least.get(True)))
        return {on: seen for on, seen in pairs if seen is not None}

    def improve(self, batch: _Batch, place: int) -> None:
        """Take a batch into account."""
        claims = batch.sheet.claims
        both = claims.readout.mode in ("epsilon", "equality")
        for on in (False, True):
            rows = np.flatnonzero(batch.truth[:, place] == on)
            if not rows.size:
                continue
            if both or not on:
                self._improve(batch, place, rows, on, self.greatest, 1)
            if both or on:
                self._improve(batch, place, rows, on, self.least, -1)

    @staticmethod
    def _improve(batch: _Batch, place: int, rows: Array, on: bool, best: dict[bool, _Seen], sign: int) -> None:
        seen, doubles = best.get(on), batch.sheet.doubles
        if doubles is not None:  # keep what may be better than everything else here and so far
            sums = sign * batch.evaluated[1][rows, place]
            error = 2 * float(doubles.errors[place])
            floor = sums.max() - error
            if seen is not None:
                scaled, off = doubles.bound(place, seen.total)
                floor = max(floor, np.nextafter(sign * scaled, np.inf) if off == 0 else sign * scaled - 2 * off)
            rows = rows[sums >= floor]
            rows = rows[:1] if error == 0 else rows
        if not rows.size:
            return
        totals = batch.totals(rows, place)
        first = max(range(len(totals)), key=lambda k: (sign * totals[k], -k))
        if seen is None or sign * totals[first] > sign * seen.total:
            best[on] = _Seen(totals[first], batch.named(rows[first]))

    @property
    def ends(self) -> dict[bool, list[End]]:
        """Both ends of each class, as far as they were kept."""
        parts = (self.greatest, self.least)
        return {on: [(part[on].total, part[on].active) for part in parts if on in part] for on in (False, True)}
