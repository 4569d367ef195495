"""Networks in doubles with a proven error bound: fast evaluation whose every answer is exact or says so.

Rows whose integers and sums stay below 2^53 are exact in doubles in any order of summation; elsewhere a
static bound on the error is kept for each output, and whatever comes closer than that is evaluated again
in integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from supercheck.base.errors import FaultError
from supercheck.base.matrix import Array, magnitudes
from supercheck.network.network import Network

_UNIT = 2.0**-52  # twice the unit roundoff of a double: covers every rounding of one operation
_EXACT = 2.0**53
_SAFE = 2.0**900  # past this the doubles' range is not to be trusted


@dataclass(frozen=True, eq=False)
class Doubles:
    """A network whose row i of each layer is scaled by 2^-shift_i so that nothing leaves (-2, 2).

    Attributes:
        weights: dense [rows, columns] of each layer, the output last.
        biases: [rows] of each hidden layer.
        shifts: int64 [outputs]; the double of output i stands for w . h * 2^-shift_i.
        errors: [outputs]; no double is farther from what it stands for. 0 means exact.
        hidden_exact: whether there is a hidden layer and the last one is exact in doubles.
    """

    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    shifts: Array
    errors: Array
    hidden_exact: bool

    @classmethod
    def of(cls, network: Network, largest: int | Fraction) -> Doubles | None:
        """The doubles of a network on features of at most that size; None where integers are too far apart for them.

        Source: ours. A sum of n products in doubles, in any order and with or without fused operations, errs by at
        most (n + 2) 2^-53 (1 + tiny) sum |w h|; `peaks` bounds that sum, the stored weights err by 2^-53 each.
        """
        sizes = [*network.peaks(largest), *(magnitudes(rows.data) for rows in network.matrices)]
        if any(not size.max(initial=0) < _SAFE for size in sizes):
            return None
        weights, biases = [], []
        before = np.zeros(network.features, dtype=np.int64)
        error, exact = np.zeros(network.features), np.ones(network.features, dtype=bool)
        hidden_exact = False
        for layer, (rows, peak) in enumerate(zip(network.matrices, network.peaks(largest), strict=True)):
            shift = np.frexp(np.maximum(peak, 1.0))[1].astype(np.int64)
            scaled = _scaled(rows.data, before[rows.indices] - shift[rows.row_of()])
            weight = rows.holding(scaled).dense()
            inexact = (weight != 0) @ ~exact
            exact_rows = (peak < _EXACT) & ~inexact
            # |z - z^| <= sum |w| error_j + rounding of weights, products and sums; times 1.01 for this line's own
            spread = np.abs(weight) @ error
            count = np.diff(rows.indptr) + 8
            own = spread + count * _UNIT * (np.ldexp(peak, -shift) + spread) + count * 2.0**-900
            error, exact = np.where(exact_rows, 0.0, own * 1.01), exact_rows
            weights.append(weight)
            if layer < len(network.hidden):
                biases.append(_scaled(network.hidden[layer].bias, -shift))
                hidden_exact = bool(exact.all())
            before = shift
        return cls(tuple(weights), tuple(biases), before, error, hidden_exact)

    @cached_property
    def columns(self) -> Array:
        """The first layer's weights, a row for each feature."""
        return np.ascontiguousarray(self.weights[0].T)

    def evaluate(self, active: Array) -> tuple[Array | None, Array]:
        """Evaluate a batch of inputs.

        Args:
            active: the active features of each input, [inputs, level].

        Returns:
            (hidden, sums): the last hidden layer [neurons, inputs] or None, the scaled w . h [outputs, inputs].
        """
        total = np.zeros((len(active), self.columns.shape[1]))
        for position in range(active.shape[1]):
            total += self.columns[active[:, position]]
        z, hidden = total.T, None
        for bias, weight in zip(self.biases, self.weights[1:], strict=True):
            hidden = z + bias[:, None]
            np.maximum(hidden, 0.0, out=hidden)
            z = weight @ hidden
        return hidden, z

    def bound(self, output: int, goal: int) -> tuple[float, float]:
        """A goal on w . h as a double, and the error with which sums may be compared to it.

        Goals past what the network can reach are moved closer; the comparison comes out the same.
        """
        shift, error = int(self.shifts[output]), float(self.errors[output])
        limit = 1 << (shift + 2)  # |w . h| < 2^shift
        goal = max(-limit, min(limit, goal))
        scaled = float(_scaled(np.array([goal], dtype=object), np.array([-shift]))[0])
        if error == 0.0 and abs(goal) <= _EXACT:
            return scaled, 0.0
        return scaled, error + 8 * _UNIT


def _scaled(values: Array, power: Array) -> Array:
    """Integers times powers of two as doubles: exact below 2^53, otherwise within a relative 2^-52."""
    if values.dtype != object:
        return np.ldexp(values.astype(np.float64), power)
    result = np.empty(len(values))
    for i, (value, p) in enumerate(zip(values.tolist(), power.tolist(), strict=True)):
        spare = max(0, value.bit_length() - 64)  # a big integer keeps its leading 64 bits
        result[i] = np.ldexp(float(value >> spare), p + spare)
    if not np.isfinite(result).all():
        raise FaultError("a weight left the range of doubles")
    return result
