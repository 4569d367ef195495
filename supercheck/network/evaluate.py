"""Many outputs, each on an input of its own, evaluated exactly: only their cones, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np

from supercheck.base.matrix import FITS, Array, by_row
from supercheck.network.input import Input
from supercheck.network.network import Network

_CELLS = 1 << 24  # features or weights that may be looked at together


def totals(network: Network, outputs: Sequence[int], inputs: Sequence[Input]) -> list[int | Fraction]:
    """The form w . h of each output on its input; an integer where the input is of zeros and ones.

    Args:
        network: in normal form.
        outputs: which outputs, [questions]; may repeat.
        inputs: one for each of them, [questions].
    """
    if not all(x.binary for x in inputs):
        return [_alone(network, i, x) for i, x in zip(outputs, inputs, strict=True)]
    found: list[int | Fraction] = []
    chosen = np.asarray(outputs, dtype=np.int64)
    shares = np.cumsum(network.weights[chosen] + network.features) // _CELLS
    for begin, end in pairwise([0, *(np.flatnonzero(np.diff(shares)) + 1).tolist(), len(chosen)]):
        found += _together(network, chosen[begin:end], inputs[begin:end])
    return found


def _alone(network: Network, output: int, x: Input) -> Fraction:
    """The same of one output on an input of any values."""
    y = network.value(output, x.dense(network.features))
    return (y - network.output.bias[output]) / network.output.scale[output]


def _together(network: Network, outputs: Array, inputs: Sequence[Input]) -> list[int]:
    count, dtype = len(outputs), np.int64 if network.fits_int64(1) else object
    x = np.zeros((count, network.features), dtype=np.int8)
    place = np.repeat(np.arange(count), [len(one.active) for one in inputs])
    x[place, np.array([j for one in inputs for j in one.active], dtype=np.int64)] = 1

    def values(layer: int, question: Array, row: Array) -> Array:
        """What the rows of a layer sum to, each for its question; the output is layer number `hidden`."""
        matrix = network.matrices[layer]
        entries = int(np.diff(matrix.indptr)[row].sum())
        if layer == 0 and 2 * entries > count * matrix.height * matrix.width:  # most rows of a dense one, each time
            fits = matrix.data.dtype != object and bool(network.peaks(1)[0].max(initial=0) < FITS)
            one = np.int64 if fits else object
            return np.asarray((x.astype(one) @ matrix.dense().T.astype(one))[question, row].astype(dtype))
        part = matrix.take(row)
        of, column = np.repeat(question, np.diff(part.indptr)), part.indices.astype(np.int64)
        if layer == 0:  # sums of the active features' weights
            kept = np.flatnonzero(x[of, column])
            return by_row(np.add, part.data[kept].astype(dtype), np.searchsorted(kept, part.indptr), 0)
        if layer == len(network.hidden):  # no two entries of a question are of one neuron
            below = neurons(layer - 1, of, column)
        else:  # a neuron that several rows of one question share is evaluated once
            keys, back = np.unique(of * matrix.width + column, return_inverse=True)
            below = neurons(layer - 1, *np.divmod(keys, matrix.width))[back.reshape(-1)]
        return by_row(np.add, part.data * below, part.indptr, 0)

    def neurons(layer: int, question: Array, row: Array) -> Array:
        """The values of a hidden layer's neurons."""
        return np.asarray(np.maximum(values(layer, question, row) + network.hidden[layer].bias[row], 0))

    return [int(total) for total in values(len(network.hidden), np.arange(count), outputs).tolist()]
