"""A network laid out for the compiled loops, and how far their doubles may be trusted.

Let a_r = |b_r| + sum |w| 2 a_below bound everything that is met in a row's bounds (ours): slopes lie in [0, 1], and a
line above ReLU on [L, U] is lifted by at most max(|L|, |U|). All of it is a multiple of 2^(-Q layers); where
a_r 2^(Q layers) < 2^51, doubles hold it exactly. Elsewhere a sum of products of at most d roundings each errs by less
than 4 d 2^-53 a_r, the row's slack: ranges are widened by it, and a bound counts only if it clears the goal by it.
An input is exact all the same: if a value comes closer to its goal than the slack, their difference is that of their
lowest 64 bits, which integers carry along modulo 2^64.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import inf
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from supercheck.base.matrix import Array, magnitudes
from supercheck.decide.kernels.arrays import SLOPES, Flat
from supercheck.network.network import Network, upward

_EXACT = 2.0**51
_SAFE = 2.0**900  # past this the doubles' range is not to be trusted
_LAID_OUT: WeakKeyDictionary[Network, dict[int | Fraction, Flat | None]] = WeakKeyDictionary()


def lay_out(network: Network, largest: int | Fraction) -> Flat | None:
    """The network as flat arrays, on features of at most that size; None where doubles cannot hold its integers."""
    found = _LAID_OUT.setdefault(network, {})
    if largest not in found:
        found[largest] = _lay_out(network, largest)
    return found[largest]


def _lay_out(network: Network, largest: int | Fraction) -> Flat | None:
    reach, layers = _reach(network, largest), len(network.hidden)
    if any(not part.max(initial=0) < _SAFE for part in reach):
        return None
    slack: list[Array] = []
    exact_below = np.zeros(0, dtype=bool)
    roundings = _roundings(network)
    for depth, part in enumerate(reach):
        rows = network.matrices[depth]
        exact = part * SLOPES**depth < _EXACT
        if depth:
            inexact = rows.holding((~exact_below[rows.indices]).astype(np.float64))
            exact &= inexact.dot(np.ones(rows.width)) == 0
        exact_below = exact
        slack.append(np.where(exact, 0.0, part * (4 * roundings * 2.0**-53)))
    starts = np.cumsum([0, *(rows.height for rows in network.matrices)])
    entries = np.cumsum([0, *(len(rows.data) for rows in network.matrices)])
    indptr = np.concatenate([rows.indptr[:-1] + e for rows, e in zip(network.matrices, entries, strict=False)])
    shifted = [rows.indices + (starts[d - 1] if d else 0) for d, rows in enumerate(network.matrices)]
    vals, lows = _both([rows.data for rows in network.matrices])
    biases = [layer.bias for layer in network.hidden] + [np.zeros(network.outputs, dtype=np.int64)]
    bias, bias_lows = _both(biases)
    cols, ptr = np.concatenate(shifted).astype(np.uint32), np.append(indptr, entries[-1]).astype(np.int64)
    order_cols, order_vals = _by_value(ptr[: starts[1] + 1] if layers else ptr[:1], cols, vals)
    bits = np.frexp(np.maximum(reach[-1], 1.0))[1].astype(np.int64) + 1
    slacks = np.concatenate(slack)
    return Flat(
        starts.astype(np.int64), ptr, cols, vals, lows, bias, bias_lows, order_cols, order_vals, slacks, bits
    )  # fmt: skip


def _by_value(indptr: Array, cols: Array, vals: Array) -> tuple[Array, Array]:
    """The entries of some rows with the greatest values of each first."""
    cols, vals = cols[: indptr[-1]], vals[: indptr[-1]]
    rises = np.diff(vals) > 0
    rises[indptr[1:-1][(indptr[1:-1] > 0) & (indptr[1:-1] < len(vals))] - 1] = False  # from one row to the next
    if not rises.any():  # as in a 0/1 matrix: no copy, and the loops find both in one place
        return cols, vals
    order = np.lexsort((-vals, np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))))
    return cols[order], vals[order]


def _roundings(network: Network) -> int:
    """An upper bound of how many roundings any one term of a bound goes through."""
    widest, total = 1, network.features
    for rows in reversed(network.matrices):
        widest = min(rows.width, widest * int(np.diff(rows.indptr).max(initial=0)))
        total += widest
    return 64 + 8 * total


def _both(parts: Sequence[Array]) -> tuple[Array, Array]:
    """Integers as doubles and modulo 2^64."""
    if all(part.dtype != object for part in parts):
        whole: Array = np.concatenate(parts).astype(np.int64)
        return whole.astype(np.float64), whole.view(np.uint64)
    listed: list[Any] = [value for part in parts for value in part.tolist()]
    return np.array([float(value) for value in listed]), np.array([lowest(int(v)) for v in listed], dtype=np.uint64)


def _reach(network: Network, largest: int | Fraction) -> list[Array]:
    """For every layer, the output last, the a_r of the module's docstring, rounded up generously."""
    height, reach = np.full(network.features, upward(largest)), []
    biases = [layer.bias for layer in network.hidden] + [np.zeros(network.outputs)]
    with np.errstate(over="ignore", invalid="ignore"):
        for depth, (rows, bias) in enumerate(zip(network.matrices, biases, strict=True)):
            size = rows.holding(magnitudes(rows.data))
            height = (size.dot(height) * (2 if depth else 1) + magnitudes(bias)) * (1 + 2.0**-20)
            height[np.isnan(height)] = inf
            reach.append(height)
    return reach


def lowest(value: int) -> int:
    """The integer modulo 2^64."""
    return value & ((1 << 64) - 1)
