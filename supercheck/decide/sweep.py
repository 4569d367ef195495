"""Batches of inputs with all outputs evaluated on each: what an enumeration looks at.

Arrays are [outputs, inputs]. Doubles do the bulk; whatever lies within their proven error of a goal is evaluated again
in integers.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from supercheck.base.errors import present
from supercheck.base.matrix import Array
from supercheck.claims.claims import Claims
from supercheck.decide.doubles import Doubles
from supercheck.decide.exact import Exactly
from supercheck.decide.limits import Clock, DeadlineError
from supercheck.network.network import Network
from supercheck.spec.formula import Index, Lookup, evaluate

MOST_CELLS = 1 << 26  # entries of the dense matrices of a sheet

_CELLS = 1 << 19  # doubles that a batch may hold in one array: two of them stay in the cache
_RECHECK = 512  # inputs evaluated exactly at a time


@dataclass(frozen=True, eq=False)
class Sheet:
    """The part of the question that some outputs depend on, with features and outputs numbered anew.

    Attributes:
        claims: the whole question.
        outputs: which outputs.
        clock: the deadline.
    """

    claims: Claims
    outputs: tuple[int, ...]
    clock: Clock

    def check_clock(self) -> None:
        """Stop everything once the time is up."""
        if self.clock.over:
            raise DeadlineError

    @cached_property
    def cone(self) -> tuple[Array, ...]:
        """The features and neurons that the outputs depend on."""
        return self.claims.network.cone(self.outputs)

    @property
    def cells(self) -> int:
        """How many entries the matrices have when they are dense."""
        return sum(a * b for a, b in pairwise([len(self.features), *map(len, self.cone[1:]), len(self.outputs)]))

    @cached_property
    def features(self) -> Array:
        """The features that outputs or functions depend on."""
        return self.claims.features(self.outputs, self.cone)

    @cached_property
    def network(self) -> Network:
        """The network's part."""
        return self.claims.network.slice(self.outputs, self.features)

    @cached_property
    def doubles(self) -> Doubles | None:
        """The same in doubles, where its integers are not too far apart."""
        return Doubles.of(self.network, 1)

    @cached_property
    def exactly(self) -> Exactly:
        """The same in integers."""
        return Exactly(self.network)

    @cached_property
    def reach(self) -> Array:
        """Whether each output depends on each feature, bool [outputs, features + 1]; the last is none."""
        reached = np.eye(len(self.outputs), dtype=np.float32)
        for rows in reversed(self.network.matrices):
            reached = (reached @ (rows.dense() != 0).astype(np.float32) > 0).astype(np.float32)
        return np.column_stack([reached > 0, np.zeros(len(self.outputs), dtype=bool)])

    @cached_property
    def shapes(self) -> list[tuple[int, Array, Array]]:
        """For each shape of functions: its number, its outputs' places, their supports' places [outputs, positions]."""
        shapes = self.claims.shapes
        of = np.array([shapes.of[i] for i in self.outputs])
        groups = []
        for number in np.unique(of).tolist():
            places = np.flatnonzero(of == number)
            named = np.array([shapes.supports[self.outputs[p]] for p in places.tolist()], dtype=np.int64)
            groups.append((number, places, np.searchsorted(self.features, named.reshape(len(places), -1))))
        return groups

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

    def batches(self, level: int) -> Iterator[Block]:
        """The inputs with `level` active features, in order."""
        widest = max(max(rows.height for rows in self.network.matrices), len(self.features))
        size = max(64, min(1 << 13, _CELLS // widest))
        for active in self.claims.cube.restricted(len(self.features)).members(level, size):
            yield Block(self, active)


@dataclass(frozen=True, eq=False)
class Block:
    """Some inputs, evaluated."""

    sheet: Sheet
    active: Array

    @cached_property
    def evaluated(self) -> tuple[Array | None, Array]:
        """The last hidden layer, if there is one, and the scaled sums w . h, in doubles."""
        return present(self.sheet.doubles, "network in doubles").evaluate(self.active)

    @property
    def sums(self) -> Array:
        """The scaled sums w . h."""
        return self.evaluated[1]

    @cached_property
    def truth(self) -> Array:
        """The functions' values, bool."""
        count = len(self.active)
        x = np.zeros((len(self.sheet.features), count), dtype=bool)
        np.put_along_axis(x, self.active.T.astype(np.int64), True, axis=0)
        packed = np.packbits(x, axis=1, bitorder="little")
        truth = np.empty((len(self.sheet.outputs), packed.shape[1]), dtype=np.uint8)
        for number, places, supports in self.sheet.shapes:  # all functions of a shape in one long integer
            form = self.sheet.claims.shapes.forms[number]
            if isinstance(form, Lookup):
                for place, support in zip(places.tolist(), supports, strict=True):
                    values = np.frombuffer(form.column, np.uint8)[self._rows(form.table, support)]
                    truth[place] = np.packbits(values, bitorder="little")
                continue
            bits = len(places) * packed.shape[1] * 8
            value = evaluate(
                form,
                lambda position, supports=supports: int.from_bytes(packed[supports[:, position]].tobytes(), "little"),  # type: ignore[misc]
                (1 << bits) - 1,
            )
            truth[places] = np.frombuffer(value.to_bytes(bits // 8, "little"), np.uint8).reshape(len(places), -1)
        return np.unpackbits(truth, axis=1, count=count, bitorder="little").view(bool)

    def _rows(self, index: Index, support: Array) -> Array:
        """The row of a truth table that each input is, where its features have these places; -1 where there is none."""
        key = id(index), support.tobytes()
        if key not in self._looked_up:
            position = {place: p for p, place in enumerate(support.tolist())}
            on = (frozenset([position[j] for j in active if j in position]) for active in self.active.tolist())
            self._looked_up[key] = np.array([index.numbers.get(positions, -1) for positions in on], dtype=np.int64)
        return self._looked_up[key]

    @cached_property
    def _looked_up(self) -> dict[tuple[int, bytes], Array]:
        return {}

    @cached_property
    def suspects(self) -> Array:
        """Where a goal may be missed, bool: a miss in doubles, or too close to tell."""
        if self.sheet.doubles is None:
            return np.ones((len(self.sheet.outputs), len(self.active)), dtype=bool)
        return self._missed(1)

    @cached_property
    def failing(self) -> Array:
        """Where a goal is missed, bool: what is too close to tell is evaluated in integers."""
        found = np.zeros(self.suspects.shape, dtype=bool) if self.sheet.doubles is None else self._missed(-1)
        close = self.suspects & ~found
        for place in np.flatnonzero(close.any(axis=1)).tolist():
            output, inputs = self.sheet.outputs[place], np.flatnonzero(close[place])
            for number, total in zip(inputs.tolist(), self.totals(inputs, place), strict=True):
                found[place, number] = not self.sheet.claims.goal(output, bool(self.truth[place, number])).met(total)
        return found

    def _missed(self, side: int) -> Array:
        """Where sums miss a goal that is moved by its error: 1 towards them, so that they may; -1 away: they do."""
        low, high, low_error, high_error = self.sheet.bounds
        least, most = low + side * low_error, high - side * high_error
        missed = {on: np.zeros(self.truth.shape, dtype=bool) for on in (0, 1)}
        for on, found in missed.items():
            if np.isfinite(most[:, on]).any():
                found |= self.sums > most[:, on, None]
            if np.isfinite(least[:, on]).any():
                found |= self.sums < least[:, on, None]
        return np.where(self.truth, missed[1], missed[0])

    def failures(self, known: Container[int]) -> Iterator[tuple[int, tuple[int, ...]]]:
        """For each output that misses a goal and is not known to: its place, and the first input at which it does."""
        for place in np.flatnonzero(self.suspects.any(axis=1)).tolist():
            active = None if self.sheet.outputs[place] in known else self._failure(place)
            if active is not None:
                yield place, active

    def _failure(self, place: int) -> tuple[int, ...] | None:
        inputs = np.flatnonzero(self.suspects[place])
        exact = self.sheet.doubles is not None and not any(part[place].any() for part in self.sheet.bounds[2:])
        for start in range(0, len(inputs), _RECHECK):
            chunk = inputs[start : start + _RECHECK]
            if exact:  # a suspect is a failure
                return self.named(chunk[0])
            for number, total in zip(chunk, self.totals(chunk, place), strict=True):
                if not self.sheet.claims.goal(self.sheet.outputs[place], bool(self.truth[place, number])).met(total):
                    return self.named(number)
        return None

    def totals(self, inputs: Array, place: int) -> list[int]:
        """The exact w . h of one output on some of the inputs; inputs with the same hidden layer are evaluated once."""
        doubles = self.sheet.doubles
        if doubles is not None and doubles.hidden_exact and len(inputs) > 1:
            hidden = present(self.evaluated[0], "hidden layer")
            _, first, same = np.unique(hidden[:, inputs], axis=1, return_index=True, return_inverse=True)
        else:
            first, same = np.arange(len(inputs)), np.arange(len(inputs))
        chosen = self.active[inputs[first]]
        values = self.sheet.exactly.totals(chosen, np.full(len(first), place), self.sheet.check_clock).tolist()
        return [values[k] for k in same.reshape(-1)]

    def named(self, number: int) -> tuple[int, ...]:
        """The active features of one input, by their names in the whole network."""
        return tuple(int(self.sheet.features[j]) for j in self.active[number])
