"""How far each single weight or bias of a network with one hidden layer may move, exactly: over every input.

With one weight moved, an output changes by what is read out times a neuron's value, or by what a neuron's ReLU makes of
its moved sum. So each input and output says by how much the weight may move before that output there is wrong. Doubles
order these: each is a few operations on integers rounded once, so within a relative 2^-48 of the exact number. Those
within that of the least are computed exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from supercheck.analysis.explore.repairs import stored_scale
from supercheck.base.matrix import Array, Ratios
from supercheck.claims.claims import Claims
from supercheck.decide.limits import Clock
from supercheck.decide.sweep import Block, Sheet

MOST_WORK = 1 << 25
"""Inputs times neurons times outputs up to which that is computed."""

_CLOSE = 1 + 2.0**-46


_How = tuple[int, dict[int, Any] | None]
"""A neuron, and what each output reads it with; None where it is that number that moves."""


@dataclass(frozen=True)
class Radius:
    """How far one weight or bias may move on its own.

    Attributes:
        place: which one: "h1.5", "y3", "x2 -> h1.5", "h1.5 -> y3".
        now: its stored value.
        radius: every smaller change leaves all outputs right; a change beyond it in one direction does not.
        output: the output that breaks first.
        active: the features that are on where it does.
    """

    place: str
    now: Fraction
    radius: Fraction
    output: int
    active: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class _Side:
    """How far one output is from one end of what is allowed, on every input.

    Attributes:
        output: which output.
        up: whether it has to rise to get there.
        totals: its w . h, [inputs].
        truth: what its function says, [inputs].
        ends: for each class this end in units of w . h; None where there is none.
        open: for each class whether it is wrong already at the end itself.
        near: the distance in doubles, [inputs]; infinite where there is no end.
    """

    output: int
    up: bool
    totals: Array
    truth: Array
    ends: tuple[Fraction | None, ...]
    open: tuple[bool, ...]
    near: Array

    def room(self, n: int) -> Fraction:
        """The exact distance on one input that has this end."""
        end = self.ends[int(self.truth[n])]
        return Fraction(0) if end is None else abs(end - int(self.totals[n]))

    def reached(self, n: int) -> bool:
        """Whether the output is wrong on an input as soon as the end is reached."""
        return self.open[int(self.truth[n])]


def radii(claims: Claims) -> list[Radius] | None:
    """The radius of every stored weight and bias that is not zero and can break something.

    Args:
        claims: a question that is proved, of a network with one hidden layer whose layers are those of its file.

    Returns:
        None where there are more layers or too many inputs.
    """
    network, domain = claims.network, claims.cube
    work = domain.size * network.neurons * network.outputs
    if len(network.hidden) != 1 or work > MOST_WORK or claims.separable:
        return None
    return list(_Table(claims).radii())


class _Table:
    """Every input with the sums of its neurons, and the room of its outputs."""

    def __init__(self, claims: Claims) -> None:
        self.claims, network = claims, claims.network
        sheet = Sheet(claims, tuple(range(len(claims))), Clock.start(None))
        batches = [
            b for level in range(claims.cube.restricted(len(sheet.features)).levels) for b in sheet.batches(level)
        ]
        self.inputs = [batch.named(n) for batch in batches for n in range(len(batch.active))]
        self.having: list[list[int]] = [[] for _ in range(network.features)]  # the inputs that have each feature on
        for n, active in enumerate(self.inputs):
            for j in active:
                self.having[j].append(n)
        weight = network.hidden[0].weight.dense().astype(object)
        bias = network.hidden[0].bias.astype(object)
        self.sums = np.array([weight[:, list(active)].sum(axis=1) + bias for active in self.inputs], dtype=object).T
        self.scales = [stored_scale(network, 0, p) for p in range(network.neurons)]
        self.sides = [side for i in range(len(claims)) for side in self._sides(i, batches)]

    def _sides(self, output: int, batches: list[Block]) -> Iterator[_Side]:
        network, readout = self.claims.network, self.claims.readout
        columns, weights = network.output.weight.row(output)
        totals = np.maximum(self.sums[columns], 0).T @ weights.astype(object)
        totals = totals if len(columns) else np.zeros(len(self.inputs), dtype=object)
        truth = np.concatenate([batch.truth[output] for batch in batches])
        bias, scale = network.output.bias[output], network.output.scale[output]
        goals = [readout.goal(target).solved(bias, scale) for target in (0, 1)]
        for up in (False, True):
            ends = tuple(goal.high if up else goal.low for goal in goals)
            open_ = tuple(goal.high_open if up else goal.low_open for goal in goals)
            near = np.full(len(truth), np.inf)
            for on, end in enumerate(ends):
                if end is not None:
                    there = truth == bool(on)
                    near[there] = (
                        np.abs(end.numerator - end.denominator * totals[there]).astype(float) / end.denominator
                    )
            yield _Side(output, up, totals, truth, ends, open_, near)

    def radii(self) -> Iterator[Radius]:
        """One of each weight and bias."""
        network, stored = self.claims.network, self.claims.network.stored
        for i, now in enumerate(Ratios.of(stored[1].bias).fractions()):
            if not now:
                continue
            sides = [side for side in self.sides if side.output == i]
            yield from self._least(f"y{i}", now, sides, np.array([side.near for side in sides]), None)
        for p in range(network.neurons):
            yield from self._of_neuron(p)

    def _of_neuron(self, p: int) -> Iterator[Radius]:
        """Those of a neuron: what it is read out with, its bias, its weights."""
        network, stored = self.claims.network, self.claims.network.stored
        z = self.sums[p].astype(float)
        read = {i: w for i in range(network.outputs) if (w := _at(network.output.weight.row(i), p))}
        for i in read:
            sides = [side for side in self.sides if side.output == i]
            with np.errstate(divide="ignore", invalid="ignore"):
                near = [np.where(z > 0, side.near / np.maximum(z, 1), np.inf) for side in sides]
            now = _number(_at(stored[1].weight.row(i), p))
            yield from self._least(f"h1.{p} -> y{i}", now, sides, np.array(near), (p, None))
        sides = [side for side in self.sides if side.output in read]
        near = []
        for side in sides:
            weight = read[side.output]
            moved = side.near / abs(float(weight))
            rises = side.up == (weight > 0)
            near.append(moved + np.maximum(-z, 0) if rises else np.where(moved <= z * _CLOSE, moved, np.inf))
        grid = np.array(near).reshape(len(sides), len(self.inputs))
        if bias := _number(stored[0].bias[p]):
            yield from self._least(f"h1.{p}", bias, sides, grid.copy(), (p, read))
        for j, value in zip(*(part.tolist() for part in stored[0].weight.row(p)), strict=True):
            yield from self._least(
                f"x{j} -> h1.{p}", _number(value), sides, grid[:, self.having[j]], (p, read), self.having[j]
            )

    def _least(
        self,
        place: str,
        now: Fraction,
        sides: list[_Side],
        grid: Array,
        how: _How | None,
        inputs: list[int] | None = None,
    ) -> Iterator[Radius]:
        """The least exact change over all sides and inputs, or some of these; nothing where nothing breaks."""
        while grid.size and np.isfinite(least := grid.min()):
            rows, columns = np.nonzero(grid <= least * _CLOSE)
            seen: dict[object, tuple[int, int]] = {}
            for s, column in zip(rows.tolist(), columns.tolist(), strict=True):
                n = column if inputs is None else inputs[column]
                z = None if how is None else self.sums[how[0], n]
                seen.setdefault((s, sides[s].totals[n], bool(sides[s].truth[n]), z), (s, n))
            found = [(radius, s, n) for s, n in seen.values() if (radius := self._exact(sides[s], n, how)) is not None]
            if found:
                radius, s, n = min(found)
                yield Radius(place, now, radius, sides[s].output, self.inputs[n])
                return
            grid[rows, columns] = np.inf

    def _exact(self, side: _Side, n: int, how: _How | None) -> Fraction | None:
        """By how much the stored number has to move for one output to break on one input; None if it cannot."""
        room, network = side.room(n), self.claims.network
        if how is None:
            return room * network.output.scale[side.output]
        p, read = how
        z = int(self.sums[p, n])
        if read is None:
            return room * network.output.scale[side.output] / (self.scales[p] * z)
        weight = int(read[side.output])
        moved = room / abs(weight)
        if side.up == (weight > 0):
            return (moved + max(-z, 0)) * self.scales[p]
        if moved > z or (moved == z and not side.reached(n)):
            return None
        return moved * self.scales[p]


def _at(row: tuple[Array, Array], column: int) -> Any:
    """The entry of a sparse row; 0 where there is none."""
    columns, data = row
    place = int(np.searchsorted(columns, column))
    return data[place] if place < len(columns) and columns[place] == column else 0


def _number(value: object) -> Fraction:
    return Ratios.of(np.array([value])).fractions()[0]
