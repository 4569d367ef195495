"""A network with one hidden layer laid out for the slot rule, and how far its doubles may be trusted.

Let A bound sum |d| (|b| + sum |w|) over an output's neurons (`Network.peaks`): in a bound or a value every product is
of a weight d and something no larger than |b| + sum |w|. With u = 2^-53, n neurons and at most k features on, a sum of
these products errs by less than u (n + k + 32) A, however it is ordered: n terms, z from k columns and a bias, entries
and goals that were rounded. A value is two such sums; a bound is at most 3 k + 1, and 2 k + 2 additions of those.

- Two values, or a value and a goal, that are `near` = 8 u (n + k + 32) A apart are told apart by doubles. Closer ones
  are by the lowest 64 bits of their difference, which integers carry along modulo 2^64. Where A is below 2^49 all
  products and sums are integers that doubles hold, and `near` is 0.
- w . h is an integer: what is below best + 1 is not better than the best. So a bound closes a node if it is at most
  best + 1 - 2^-20 - (12 (k + 1) + 24) u (n + k + 32) A = best - `loose`; that is how ties are closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from weakref import WeakKeyDictionary

import numpy as np

from supercheck.base.matrix import Array
from supercheck.claims.claims import Claims
from supercheck.decide.flatten import lay_out
from supercheck.decide.kernels.arrays import WRAP, Flat
from supercheck.decide.kernels.slots import LANES, Memory, Slots
from supercheck.decide.relaxation import TOO_WIDE
from supercheck.network.network import Network

_EXACT = 2.0**49
_DENSE = 1 << 23  # numbers that a network's columns may have to be laid out once for all outputs
MOST_CELLS = 1 << 25
"""Numbers that the columns of one output may have."""

ONE_LAYER = "the slot rule is for networks with one hidden layer"
TOO_LARGE = "its cone is too large to be laid out"

_COLUMNS: WeakKeyDictionary[Network, tuple[Array, Array, Array]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Layout:
    """A question's network laid out.

    Attributes:
        network: with one hidden layer.
        flat: its arrays for all compiled loops.
        slots: what the slot rule needs beside them.
        wide: for each output whether a value next to its goal may not be told apart from it.
    """

    network: Network
    flat: Flat
    slots: Slots
    wide: Array

    @classmethod
    def of(cls, claims: Claims) -> Layout | str:
        """The layout, or why there is none."""
        network = claims.network
        if len(network.hidden) != 1:
            return ONE_LAYER
        flat = lay_out(network, claims.cube.largest)
        if flat is None:
            return TOO_WIDE
        if network not in _COLUMNS:
            _COLUMNS[network] = _columns(network, flat)
        k, neurons = min(claims.cube.max_active, network.features), network.hidden[0].neurons
        peak = network.peaks(claims.cube.largest)[-1]
        error = peak * (2.0**-53 * (neurons + k + 32))
        near = np.where(peak < _EXACT, 0.0, 8 * error)
        loose = (12 * (k + 1) + 24) * error - (1 - 2.0**-20)
        columns, means, biases = _COLUMNS[network]
        slots = Slots(columns, means, biases, near, loose, len(means), network.features, k)
        return cls(network, flat, slots, (near >= WRAP) | bool(flat.slack[:neurons].max(initial=0) >= WRAP))

    def parted(self, outputs: Sequence[int]) -> tuple[Array, Array]:
        """Of some outputs those that are laid out, and those that are too large for it."""
        chosen = np.asarray(outputs, dtype=np.int64)
        widths, neurons = self._sizes(chosen)
        large = widths * (neurons + LANES) > (inf if self.slots.stride else MOST_CELLS)
        return chosen[~large], chosen[large]

    def memory(self, outputs: Array, stop: Array) -> Memory:
        """A thread's memory, enough for any of some outputs."""
        if self.slots.stride:
            return Memory.of(self.slots, self.network.features, self.slots.stride, stop)
        widths, neurons = self._sizes(outputs)
        return Memory.of(self.slots, int(widths.max(initial=0)), int(neurons.max(initial=0)), stop)

    def _sizes(self, outputs: Array) -> tuple[Array, Array]:
        """Of some outputs upper bounds of the features that they depend on, and their neurons."""
        rows = self.network.output.weight
        reached = rows.holding(np.ones(len(rows.data))).dot(np.diff(self.network.hidden[0].weight.indptr).astype(float))
        return np.minimum(reached, self.network.features).astype(np.int64)[outputs], np.diff(rows.indptr)[outputs]


def _columns(network: Network, flat: Flat) -> tuple[Array, Array, Array]:
    """The columns, means and biases of a network that is dense; empty for others."""
    rows, output = network.hidden[0].weight, network.output.weight
    neurons, features = rows.height, rows.width
    stride = -(-neurons // LANES) * LANES
    first, cells = int(flat.starts[1]), output.height * neurons
    if stride * features > _DENSE or 2 * len(rows.data) < neurons * features or 2 * len(output.data) < cells:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    columns, biases = np.zeros((features, stride)), np.zeros(stride)
    columns[rows.indices, rows.row_of()] = flat.vals[: len(rows.data)]
    biases[:neurons] = flat.bias[:first]
    return columns, columns.sum(axis=0) / max(1, features), biases
