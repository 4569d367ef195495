"""Sums in a named order: replayed in integers, rounding to nearest; and a small search for one that goes wrong.

Float32 numbers are integers here, in units of 2^-149; -1 names the bias among a neuron's terms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from random import Random

import numpy as np

from supercheck.base.binary32 import GREATEST, LEAST
from supercheck.base.errors import FaultError
from supercheck.decide.float32.layers import Single, StoredLayers, terms

BIAS = -1
Order = tuple[int, ...]
"""The columns of a neuron's terms other than 0, as they are added up from left to right."""
Orders = Mapping[tuple[int, int], Order]
"""For (layer, row) the order of its sum; a neuron of fewer than three terms needs none."""

_UNIT = -LEAST
_LARGEST = int(GREATEST * 2**_UNIT)
_SHUFFLES = 24  # random orders that are tried of each neuron


def rounded(value: int, below: int = 0) -> int:
    """The float32 number nearest to value * 2^-below units, ties to even, in units.

    Raises:
        OverflowError: if it is past the range of float32.
    """
    dropped = max(abs(value).bit_length() - 24, below)
    kept = value
    if dropped > 0:
        kept, rest = value >> dropped, value & ((1 << dropped) - 1)
        half = 1 << (dropped - 1)
        kept += rest > half or (rest == half and kept & 1)
        kept <<= dropped - below
    if abs(kept) > _LARGEST:
        raise OverflowError
    return kept


def replayed(chain: StoredLayers, active: Sequence[int], orders: Orders) -> list[Fraction]:
    """The outputs of a chain, computed in the named orders; elsewhere terms are added as stored, the bias last.

    Args:
        chain: the layers.
        active: the features that are on.
        orders: the order of some neurons' sums.

    Raises:
        OverflowError: if some sum is past the range of float32.
        FaultError: if an order does not name each term of its neuron once.
    """
    h = [int(j in set(active)) << _UNIT for j in chain.features.tolist()]
    for depth, layer in enumerate(chain.layers):
        values = []
        for row in range(layer.weight.height):
            parts = _terms(layer, row, h)
            order = orders.get((depth, row), tuple(parts))
            if sorted(order) != sorted(parts):
                raise FaultError(f"an order of {layer.name}[{row}] does not name each of its terms once")
            values.append(_sum(parts, order))
        h = [max(value, 0) for value in values] if layer.relu else values
    return [Fraction(value, 1 << _UNIT) for value in h]


def extreme(chain: StoredLayers, active: Sequence[int], *, greatest: bool) -> tuple[Fraction, Orders] | None:
    """Push the one output of a part of a chain up or down, by the order of each neuron's sum alone.

    Each neuron takes, of a few dozen orders, the one that helps most; which way that is, the slopes at this input say.

    Returns:
        What is then computed, and the orders; None where a sum leaves the range of float32.
    """
    h = [int(j in set(active)) << _UNIT for j in chain.features.tolist()]
    slopes, orders = _slopes(chain, active, 1.0 if greatest else -1.0), dict[tuple[int, int], Order]()
    try:
        for depth, layer in enumerate(chain.layers):
            values = []
            for row in range(layer.weight.height):
                parts = _terms(layer, row, h)
                tried = {order: _sum(parts, order) for order in _candidates(parts)}
                best = (max if slopes[depth][row] > 0 else min)(tried, key=lambda order: tried[order])
                values.append(tried[best])
                if len(best) > 2:
                    orders[depth, row] = best
            h = [max(value, 0) for value in values] if layer.relu else values
    except OverflowError:
        return None
    return Fraction(h[0], 1 << _UNIT), orders


def _terms(layer: Single, row: int, h: Sequence[int]) -> dict[int, int]:
    """A neuron's terms other than 0, rounded, by column."""
    parts = {j: rounded(_units(weight) * h[j], _UNIT) for j, weight in terms(layer, row)}
    parts[BIAS] = _units(float(layer.bias[row]))
    return {j: part for j, part in parts.items() if part}


def _sum(parts: Mapping[int, int], order: Order) -> int:
    total = 0
    for j in order:
        total = rounded(total + parts[j])
    return total


def _candidates(parts: Mapping[int, int]) -> Iterator[Order]:
    stored = tuple(parts)
    yield stored
    if len(stored) <= 2:
        return
    by_size, by_value = (tuple(sorted(stored, key=key)) for key in (lambda j: abs(parts[j]), parts.__getitem__))
    for order in (stored, by_size, by_value):
        yield from (order, order[::-1], order[-1:] + order[:-1], order[1:] + order[:1])
    for part in (by_size, by_size[::-1]):
        positive, negative = (tuple(j for j in part if (parts[j] > 0) is sign) for sign in (True, False))
        yield from (positive + negative, negative + positive)
    random = Random(len(stored))  # noqa: S311 - the same orders each time
    for _ in range(_SHUFFLES):
        yield tuple(random.sample(stored, len(stored)))


def _slopes(chain: StoredLayers, active: Sequence[int], sign: float) -> list[list[float]]:
    """Which way each neuron has to go, [layer][row]; a guide for the search, which proves nothing."""
    h, masks = np.isin(chain.features, list(active)).astype(np.float64), []
    for layer in chain.layers:
        z = layer.dense @ h + layer.bias
        masks.append((z > 0) | (not layer.relu))
        h = np.where(masks[-1], z, 0.0)
    slope, found = np.array([sign]), [[sign]]
    for layer, mask in zip(chain.layers[:0:-1], masks[-2::-1], strict=True):
        slope = (slope @ layer.dense) * mask
        found.append(slope.tolist())
    return found[::-1]


def _units(value: float) -> int:
    """A float32 number in units."""
    numerator, denominator = value.as_integer_ratio()
    return (numerator << _UNIT) // denominator
