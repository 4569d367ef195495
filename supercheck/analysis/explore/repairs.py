"""The smallest single change that would mend one case: one weight or bias of the last two layers, or the threshold.

The output is linear in what is read out, and a neuron of the last hidden layer is the ReLU of a form that is linear in
its own weights. So the change that each of these needs follows exactly, in units of the weights as they are stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from supercheck.analysis.explore.ledger import Cone, Ledger, cone
from supercheck.base.matrix import Ratios, Rows
from supercheck.claims.claims import Claims
from supercheck.network.network import Network


@dataclass(frozen=True)
class Change:
    """One number that would have to move.

    Attributes:
        what: "threshold", "bias" or "weight".
        place: which bias or weight: "y3", "h1.5", "h1.5 -> y3", "x2 -> h1.5".
        now: its value.
        by: by how much, with its sign.
        past: whether it has to move by more than that.
    """

    what: str
    place: str
    now: Fraction
    by: Fraction
    past: bool


def mends(claims: Claims, output: int, active: Sequence[int], found: Ledger) -> list[Change]:
    """The threshold's change, if there is one, then the smallest change of a weight or bias, if one is known.

    Args:
        claims: the question.
        output: the output that is wrong.
        active: the features that are on.
        found: its ledger.
    """
    if found.limit is None:
        return []
    needed, at = found.limit - found.value, claims.readout.at
    past = found.limit not in claims.readout.goal(found.expected)  # on: y > at + margin
    listed = [] if at is None else [Change("threshold", "", at, -needed, past)]
    if plain(claims):
        weights = _weights(claims, output, active, needed, past)
        best = min(weights, key=lambda change: (abs(change.by), change.what), default=None)
        listed += [] if best is None else [best]
    return listed


def plain(claims: Claims) -> bool:
    """Whether the layers that decide are those of the file: no fixed codes, a ReLU after each layer but the last."""
    stored = claims.own.stored
    whole = claims.own is claims.network and len(stored) == len(claims.network.hidden) + 1
    return whole and not stored[-1].relu and all(layer.relu for layer in stored[:-1])


def stored_scale(network: Network, layer: int, neuron: int) -> Fraction:
    """What a neuron's value in the normal form has to be multiplied by to be the stored network's.

    Args:
        network: a plain one.
        layer: which hidden layer, from 0.
        neuron: which of its neurons.
    """
    columns, weights = network.hidden[layer].weight.row(neuron)
    if not len(columns):
        bias = int(network.hidden[layer].bias[neuron])
        return _number(network.stored[layer].bias[neuron]) / bias if bias else Fraction(1)
    below = stored_scale(network, layer - 1, int(columns[0])) if layer else Fraction(1)
    return entry(network.stored[layer].weight, neuron, int(columns[0])) * below / int(weights[0])


def entry(rows: Rows, row: int, column: int) -> Fraction:
    """One stored weight; 0 where there is none."""
    columns, data = rows.row(row)
    place = int(np.searchsorted(columns, column))
    return _number(data[place]) if place < len(columns) and columns[place] == column else Fraction(0)


def _number(value: object) -> Fraction:
    return Ratios.of(np.array([value])).fractions()[0]


def _weights(claims: Claims, output: int, active: Sequence[int], needed: Fraction, past: bool) -> Iterator[Change]:
    """For the output's bias, and each weight and bias of the last two layers, the least change that mends."""
    network, part = claims.network, cone(claims.network, output)
    stored, depth = network.stored, len(network.hidden)
    yield Change("bias", f"y{output}", part.bias, needed, past)
    sums = part.hidden(active)
    if not depth:
        for j in set(part.columns) & set(active):
            yield Change("weight", f"x{j} -> y{output}", entry(stored[-1].weight, output, j), needed, past)
        return
    below = dict.fromkeys(active, 1) if depth == 1 else {p: z for p, z in sums[-2].items() if z > 0}
    for p, w in zip(part.columns, part.weights, strict=True):
        scale, z, name = stored_scale(network, depth - 1, p), sums[-1][p], f"h{depth}.{p}"
        if z > 0:
            now = entry(stored[-1].weight, output, p)
            yield Change("weight", f"{name} -> y{output}", now, needed / (scale * z), past)
        moved = response(z, needed / (part.scale * w), past)
        if moved is None:
            continue
        yield Change("bias", name, _number(stored[-2].bias[p]), moved * scale, past)
        for q, height in _reaches(part, p, below):
            unit = scale / (height * (stored_scale(network, depth - 2, q) if depth > 1 else 1))
            source = f"h{depth - 1}.{q}" if depth > 1 else f"x{q}"
            yield Change("weight", f"{source} -> {name}", entry(stored[-2].weight, p, q), moved * unit, past)


def _reaches(part: Cone, neuron: int, below: dict[int, int]) -> Iterator[tuple[int, int]]:
    """What a neuron of the last hidden layer reads that is not 0, and its value."""
    return ((q, below[q]) for q in part.layers[-1][neuron][0] if q in below)


def response(z: int, needed: Fraction, past: bool) -> Fraction | None:
    """By how much a neuron's sum z has to move so that ReLU(z) moves by `needed` (past it); None if it cannot."""
    target = max(z, 0) + needed
    return None if target < 0 or (target == 0 and past) else target - z
