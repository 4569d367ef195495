"""A network with one hidden layer laid out for the slot rule, and how far its doubles may be trusted.

Let A bound sum |d| (|b| + sum |w|) over an output's neurons (`Network.peaks`): in a bound or a value every product is
of a weight d and something no larger than |b| + sum |w|. With u = 2^-53, n neurons and at most k features on, a sum of
these products errs by less than u (n + k + 32) A, however it is ordered: n terms, z from k columns and a bias, entries
and goals that were rounded. A value is two such sums; a bound is at most 3 k + 1, and k more additions of those.

- Two values, or a value and a goal, that are `near` = 8 u (n + k + 32) A apart are told apart by doubles. Closer ones
  are by the lowest 64 bits of their difference, which integers carry along modulo 2^64. Where A is below 2^49 all
  products and sums are integers that doubles hold, and `near` is 0.
- w . h is an integer: what is below best + 1 is not better than the best. So a bound closes a node if it is at most
  best + 1 - (8 (k + 1) + 24) u (n + k + 32) A = best - `loose`; that is how ties are closed.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from supercheck.base.matrix import Array
from supercheck.decide.kernels.arrays import Flat
from supercheck.decide.kernels.slots import LANES, Memory, Slots
from supercheck.network.network import Network

_ROUNDING = 2.0**-53
_EXACT = 2.0**49
_DENSE = 1 << 23  # numbers that a network's columns may have to be laid out once for all outputs
MOST_CELLS = 1 << 25
"""Numbers that the columns of one output may have."""

_COLUMNS: WeakKeyDictionary[Network, tuple[Array, Array, Array]] = WeakKeyDictionary()


def lay_out_slots(network: Network, flat: Flat, max_active: int) -> Slots:
    """What the slot rule needs beside the flat arrays, for inputs with at most `max_active` features on."""
    if network not in _COLUMNS:
        _COLUMNS[network] = _columns(network, flat)
    columns, means, biases = _COLUMNS[network]
    k = min(max_active, network.features)
    peak, neurons = network.peaks[-1], network.hidden[0].neurons
    error = peak * (_ROUNDING * (neurons + k + 32))
    near = np.where(peak < _EXACT, 0.0, 8 * error)
    loose = (8 * (k + 1) + 24) * error - 1.0
    return Slots(columns, means, biases, near, loose, len(means), network.features, k)


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
    return columns, columns.mean(axis=0), biases


def sizes(network: Network) -> tuple[Array, Array]:
    """For every output an upper bound of the features that it depends on, and its neurons, [outputs]."""
    output = network.output.weight
    reached = output.holding(np.ones(len(output.data))).dot(np.diff(network.hidden[0].weight.indptr).astype(float))
    return np.minimum(reached, network.features).astype(np.int64), np.diff(output.indptr)


def memory_for(network: Network, slots: Slots, outputs: Array, stop: Array) -> Memory:
    """A thread's memory, enough for any of some outputs."""
    if slots.stride:
        return Memory.of(slots, network.features, slots.stride, stop)
    widths, counts = sizes(network)
    return Memory.of(slots, int(widths[outputs].max(initial=0)), int(counts[outputs].max(initial=0)), stop)
