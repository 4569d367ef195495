"""In which order edges and neurons are tried: those that can move an output least go first."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from supercheck.base.matrix import Array
from supercheck.construct.pruning.edits import Edge, Layers
from supercheck.construct.pruning.floats import exact
from supercheck.network.layers import Affine, Neuron


def edges(layers: Layers) -> list[Edge]:
    """Every edge, those that can move an output least first.

    Returns:
        A place for each weight that is not zero.

    Source: ours. What a weight can add is at most its size times the most that its source can be; what an output makes
    of that is at most the largest product of weights on a way there. In exact numbers, so that every machine has the
    same order.
    """
    found, below, above = [], _heights(layers), _gains(layers)
    for depth, layer in enumerate(layers):
        rows, columns = layer.weight.row_of(), layer.weight.indices
        sizes = _sizes(layer) * below[depth][columns] * above[depth][rows]
        found += [(size, depth, *place) for size, *place in zip(sizes, rows.tolist(), columns.tolist(), strict=True)]
    return [(depth, row, column) for _, depth, row, column in sorted(found)]


def neurons(layers: Layers) -> list[Neuron]:
    """Every neuron that something enters and leaves, those that can move an output least first.

    Source: as of `edges`, with the most that a neuron can be.
    """
    below, above, found = _heights(layers), _gains(layers), []
    for depth, layer in enumerate(layers[:-1]):
        sizes = below[depth + 1] * above[depth]
        alive = (np.diff(layer.weight.indptr) > 0) & np.asarray(above[depth] > 0, dtype=bool)
        found += [(sizes[neuron], depth, neuron) for neuron in np.flatnonzero(alive).tolist()]
    return [Neuron(depth + 1, row) for _, depth, row in sorted(found)]


def _sizes(layer: Affine) -> Array:
    """The absolute values of a layer's weights, as fractions."""
    return np.abs(exact(layer.weight.data))


def _heights(layers: Layers) -> list[Array]:
    """For each layer an upper bound of what its columns can be on inputs from 0 to 1."""
    found = [np.full(layers[0].weight.width, Fraction(1))]
    for layer in layers[:-1]:
        positive = layer.weight.holding(np.maximum(exact(layer.weight.data), 0))
        found.append(np.maximum(exact(layer.bias) + positive.dot(found[-1]), 0))
    return found


def _gains(layers: Layers) -> list[Array]:
    """For each layer the largest product of weights on a way from each row to an output; 0 where there is no way."""
    found = [np.full(layers[-1].weight.height, Fraction(1))]
    for layer in reversed(layers[1:]):
        gain = np.zeros(layer.weight.width, dtype=object)
        np.maximum.at(gain, layer.weight.indices, _sizes(layer) * found[0][layer.weight.row_of()])
        found.insert(0, gain)
    return found
