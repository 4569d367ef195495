"""A circuit of gates, given as formulas: one layer of gates is one layer of neurons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from supercheck.base.errors import InputError
from supercheck.base.matrix import Array, Rows
from supercheck.construct.layers import hidden, placed, readout
from supercheck.construct.request import Built, Request, claim
from supercheck.network.layers import Affine
from supercheck.spec.formula import Formula, Not, Var, Xor, support

_EDGES = 1 << 22  # of a layer, one by one in memory until it is whole

Sum = tuple[int, Mapping[int, int]]
"""A constant, and whole multiples of numbered values."""


def circuit(wanted: Request) -> Built:
    """The gates of every formula, layer by layer; every value is 0 or 1, or a sum of neurons that is.

    AND is ReLU(s - n + 1) of the sum s of its n parts, OR is 1 - ReLU(1 - s), at least t is ReLU(s - t + 1) - ReLU(s -
    t), and XOR is s - 2 ReLU(s - 1) + 2 ReLU(s - 2) - .... A negation costs nothing. What occurs twice is computed
    once, and what a later layer needs is passed on, by one neuron a layer.

    Guarantee: right at every k, with every readout; each value is exactly 0 or 1.
    Cost: a neuron for an AND or OR, two for a threshold, n for an XOR of n parts, of which one is linear; as many
    hidden layers as the deepest formula has gates one inside the other.

    Raises:
        InputError: if a matrix would have too many edges.

    Source: Adler and Shavit, arXiv 2409.15318, a layer of gates a layer of the network; the gates are folklore.
    """
    wanted.only("features", "formulas")
    if not wanted.formulas:
        raise InputError(place="--formulas", expected="a file with one formula a line", got="none")
    least = max((feature + 1 for formula in wanted.formulas for feature in support(formula)), default=1)
    features = wanted.features or least
    if features < least:
        raise InputError(place="--features", expected=f"at least {least:,}, for x{least - 1}", got=features)
    gates = Gates(features)
    outputs = [gates.sum_of(formula) for formula in wanted.formulas]
    layers = _layers(gates, outputs)
    return Built(
        layers, claim(features, wanted.max_active, wanted.formulas, Fraction(1, 2)), {"depth": len(layers) - 1}
    )


@dataclass(frozen=True)
class Gate:
    """[sum of parts >= count], or its parity where `count` is None; `least` and `most` bound the sum.

    Attributes:
        count: the threshold.
        parts: multiples of values, by their numbers, ascending.
        level: the layer of neurons that computes it.
    """

    count: int | None
    parts: tuple[tuple[int, int], ...]
    level: int

    @property
    def least(self) -> int:
        """The least that the sum could be."""
        return sum(min(0, times) for _, times in self.parts)

    @property
    def most(self) -> int:
        """The most that it could be."""
        return sum(max(0, times) for _, times in self.parts)

    def neurons(self) -> Iterable[tuple[int, int, int]]:
        """What it is made of: for each neuron its slope over the sum, its bias, and its weight; a constant comes last.

        Yields:
            (slope, bias, weight) for weight * ReLU(slope * sum + bias); slope 0 for the constant.
        """
        if self.count is None:
            yield from ((1, -kink, 1 if kink == 0 else 2 * (-1) ** kink) for kink in range(self.most))
        elif self.count == self.least + 1:
            yield -1, self.count, -1
            yield 0, 1, 1
        else:
            yield 1, 1 - self.count, 1
            if self.count < self.most:
                yield 1, -self.count, -1


class Gates:
    """Values by number: first the features, then each different gate once."""

    def __init__(self, features: int) -> None:
        self.features = features
        self.gates: list[Gate] = []
        self._numbers: dict[Gate, int] = {}
        self._sums: dict[Formula, Sum] = {}

    def level(self, value: int) -> int:
        """The layer that computes a value; 0 for features."""
        return 0 if value < self.features else self.gates[value - self.features].level

    def sum_of(self, formula: Formula) -> Sum:
        """A formula as a sum of values that is always 0 or 1; its gates are noted."""
        if formula not in self._sums:
            self._sums[formula] = self._sum_of(formula)
        return self._sums[formula]

    def _sum_of(self, formula: Formula) -> Sum:
        if isinstance(formula, Var):
            return 0, {formula.index: 1}
        if isinstance(formula, Not):
            constant, parts = self.sum_of(formula.inside)
            return 1 - constant, {value: -times for value, times in parts.items()}
        constant, total = 0, dict[int, int]()
        for part in formula.inside:
            own, parts = self.sum_of(part)
            constant += own
            for value, times in parts.items():
                total[value] = total.get(value, 0) + times
        if isinstance(formula, Xor):  # only whether a multiple is odd counts
            odd = {value: 1 for value, times in total.items() if times % 2}
            constant, inner = constant % 2, self._gate(None, odd)
            return inner if constant == 0 else (1 - inner[0], {value: -times for value, times in inner[1].items()})
        return self._gate(formula.count - constant, {value: times for value, times in total.items() if times})

    def _gate(self, count: int | None, parts: Mapping[int, int]) -> Sum:
        level = 1 + max(map(self.level, parts), default=0)
        gate = Gate(count, tuple(sorted(parts.items())), level)
        if count is not None and not gate.least < count <= gate.most:
            return int(count <= gate.least), {}
        if gate.most - gate.least <= 1:  # the sum itself, from its least value on
            return -gate.least, parts
        number = self._numbers.setdefault(gate, self.features + len(self.gates))
        if number == self.features + len(self.gates):
            self.gates.append(gate)
        return 0, {number: 1}


def _layers(gates: Gates, outputs: Sequence[Sum]) -> tuple[Affine, ...]:
    depth = max((gates.level(value) for _, parts in outputs for value in parts), default=0)
    last = {value: depth for _, parts in outputs for value in parts}  # the layer at which a value is read last
    for number in reversed(range(gates.features, gates.features + len(gates.gates))):
        if number in last:
            gate = gates.gates[number - gates.features]
            for value, _ in gate.parts:
                last[value] = max(last.get(value, 0), gate.level - 1)
    forms: dict[int, Sum] = {value: (0, {value: 1}) for value in last if value < gates.features}
    layers, width = [], gates.features
    for level in range(1, depth + 1):
        neurons = _Neurons()
        later: dict[int, Sum] = {}
        for value in sorted(last):
            if not gates.level(value) <= level <= last[value]:
                continue
            constant, parts = 0, dict[int, int]()
            if gates.level(value) < level:
                parts[neurons.number(forms[value])] = 1  # passed on
            else:
                gate = gates.gates[value - gates.features]
                total = _total(forms, gate.parts)
                _check_edges(len(total[1]) * sum(slope != 0 for slope, _, _ in gate.neurons()))
                for slope, bias, weight in gate.neurons():
                    if slope == 0:
                        constant += weight
                    else:
                        scaled = {place: slope * times for place, times in total[1].items()}
                        parts[neurons.number((slope * total[0] + bias, scaled))] = weight
            later[value] = constant, parts
        rows = [(bias, dict(row)) for bias, row in neurons.numbers]
        layers.append(hidden(*_matrix(rows, width)))
        forms, width = later, len(rows)
    _check_edges(sum(len(forms[value][1]) for _, parts in outputs for value in parts))
    layers.append(readout(*_matrix([_total(forms, (*parts.items(),), constant) for constant, parts in outputs], width)))
    return tuple(layers)


def _total(forms: Mapping[int, Sum], parts: Iterable[tuple[int, int]], constant: int = 0) -> Sum:
    """A sum of values as a sum of the neurons that they are made of."""
    total = dict[int, int]()
    for value, times in parts:
        own, places = forms[value]
        constant += times * own
        for place, weight in places.items():
            total[place] = total.get(place, 0) + times * weight
    return constant, {place: weight for place, weight in total.items() if weight}


class _Neurons:
    """The rows of a layer, each different one once, as long as they have not too many edges."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[int, tuple[tuple[int, int], ...]], int] = {}
        self._edges = 0

    def number(self, row: Sum) -> int:
        """The number of a row."""
        key = row[0], tuple(sorted(row[1].items()))
        if key not in self.numbers:
            self._edges += len(row[1])
            _check_edges(self._edges)
            self.numbers[key] = len(self.numbers)
        return self.numbers[key]


def _check_edges(edges: int) -> None:
    if edges > _EDGES:
        raise InputError(place="--formulas", expected=f"at most {_EDGES:,} edges in a layer", got="more")


def _matrix(rows: Sequence[Sum], width: int) -> tuple[Rows, Array]:
    """Weights and biases of some rows."""
    entries = [(i, place, weight) for i, (_, places) in enumerate(rows) for place, weight in places.items()]
    parts = np.array(entries, dtype=np.int64).reshape(-1, 3).T
    return placed([(parts[0], parts[1], parts[2])], len(rows), width), np.array([bias for bias, _ in rows])
