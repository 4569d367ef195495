"""Smaller networks from a network's layers: pure changes, none of which says that the network stays right.

The shapes of matrices stay as they are, so that an edge keeps its name; a neuron is gone when nothing enters or leaves
it. `compact` drops such neurons at the end.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

import numpy as np

from supercheck.analysis.costs.wiring import duplicates
from supercheck.base.matrix import Array, Rows, trusted
from supercheck.base.products import product
from supercheck.construct.pruning.floats import Kind, exact, holds, narrowed, nearest, number, plain
from supercheck.network.layers import Affine, Neuron
from supercheck.network.network import Network

Layers = tuple[Affine, ...]
"""The layers of a network as they are stored, with a ReLU after each but the last."""

Edge = tuple[int, int, int]
"""Layer, row and column of a weight that is not zero; layers, rows and columns count from 0."""


def layered(network: Network) -> Layers:
    """A network's layers, ready to be changed.

    Returns:
        The layers as they are stored, or in normal form where a ReLU does not follow each but the last; numbers as
        `plain` gives them.
    """
    relus = [layer.relu for layer in network.stored]
    whole = relus == [True] * (len(relus) - 1) + [False]
    layers = network.stored if whole else network.affine()
    return tuple(
        replace(layer, weight=layer.weight.holding(narrowed(layer.weight.data)), bias=narrowed(layer.bias))
        for layer in layers
    )


def fits(layers: Layers, kind: Kind) -> bool:
    """Whether floats of this kind hold every number."""
    return all(holds(part, kind) for layer in layers for part in (layer.weight.data, layer.bias))


def fitted(layers: Layers, kind: Kind) -> Layers:
    """The layers with every number rounded to a float of this kind, which may change the function.

    Raises:
        OverflowError: if one is past their range.
    """
    if fits(layers, kind):
        return layers
    return tuple(
        replace(layer, weight=layer.weight.holding(nearest(layer.weight.data, kind)), bias=nearest(layer.bias, kind))
        for layer in layers
    )


def without(layers: Layers, gone: Collection[Edge]) -> Layers:
    """The layers without some edges, and without what does nothing then.

    Args:
        layers: as `layered` has them.
        gone: edges of these layers; others are passed over.

    Returns:
        Layers of the same shapes.
    """
    return _removed(layers, _masks(layers, gone), [np.zeros(layer.weight.width, dtype=object) for layer in layers])


def held(layers: Layers, gone: Collection[Edge]) -> Layers:
    """The same, but each edge goes on adding what it adds where all inputs are 0.

    Args:
        layers: as `layered` has them.
        gone: edges of these layers; what they add goes into biases.

    Returns:
        Layers of the same shapes.
    """
    return _removed(layers, _masks(layers, gone), resting(layers))


def stood_still(layers: Layers, still: Collection[Neuron]) -> Layers:
    """The layers with some neurons held at the value that they have where all inputs are 0.

    Args:
        layers: as `layered` has them.
        still: neurons of these layers; what they add goes into the biases of the next layer.

    Returns:
        Layers of the same shapes.
    """
    chosen = [[neuron.row for neuron in still if neuron.layer == depth] for depth in range(len(layers))]
    masks = [np.isin(layer.weight.indices, part) for layer, part in zip(layers, chosen, strict=True)]
    return _removed(layers, masks, resting(layers))


def _masks(layers: Layers, chosen: Collection[Edge]) -> list[Array]:
    """For each layer, which of its entries are among some edges."""
    masks = []
    for depth, layer in enumerate(layers):
        rows = layer.weight
        places = [row * rows.width + column for at, row, column in chosen if at == depth]
        masks.append(np.isin(rows.row_of() * rows.width + rows.indices, places))
    return masks


@lru_cache(maxsize=2)
def resting(layers: Layers) -> list[Array]:
    """What each layer reads where all inputs are 0.

    Returns:
        For each layer a fraction, or 0, a column.
    """
    found = [np.zeros(layers[0].weight.width, dtype=object)]
    for layer in layers[:-1]:
        read = _kept(layer.weight, np.asarray(found[-1][layer.weight.indices] != 0, dtype=bool))
        found.append(np.maximum(_added(layer.bias, _times(read, found[-1])), 0))
    return found


def _removed(layers: Layers, masks: Sequence[Array], values: Sequence[Array]) -> Layers:
    """The layers without some entries, each source taken to be constant there."""
    changes = zip(layers, masks, values, strict=True)
    return cleared([_fixed(*change) if change[1].any() else change[0] for change in changes])


def _fixed(layer: Affine, mask: Array, values: Array) -> Affine:
    """A layer without some of its entries, what these add for some values of the columns added to the biases."""
    gone, weight = _kept(layer.weight, mask), _kept(layer.weight, ~mask)
    if not values[gone.indices].any():
        return replace(layer, weight=weight)
    added = _times(gone, values)
    rows = np.flatnonzero(added)
    sums, bias = plain(number(layer.bias[row]) + added[row] for row in rows), layer.bias
    if object in (sums.dtype, bias.dtype):
        sums, bias = exact(sums), exact(bias)
    changed = bias.copy()
    changed[rows] = sums
    return replace(layer, weight=weight, bias=changed)


def cleared(layers: Sequence[Affine]) -> Layers:
    """The same function without neurons that nothing reads, and with those that nothing enters made constants.

    Returns:
        Layers of the same shapes; a layer in which nothing changes is the same object.
    """
    changed = list(layers)
    while True:
        before = list(changed)
        for depth in reversed(range(len(changed) - 1)):
            read, entered = _read(changed[depth + 1].weight), _entered(changed[depth].weight)
            idle = (~read & (entered | (changed[depth].bias != 0))) | (read & ~entered)
            if idle.any():
                constant = np.zeros(len(idle), dtype=object)
                constant[idle] = np.maximum(exact(changed[depth].bias[idle]), 0)
                after = changed[depth + 1]
                changed[depth + 1] = _fixed(after, idle[after.weight.indices], constant)
                rows, bias = changed[depth].weight, np.where(idle, 0, changed[depth].bias)
                changed[depth] = replace(changed[depth], weight=_kept(rows, ~idle[rows.row_of()]), bias=bias)
        if all(a is b for a, b in zip(before, changed, strict=True)):
            return tuple(changed)


def merged(layers: Layers) -> Layers:
    """The same function with only one of the neurons that compute the same, up to a positive factor.

    Returns:
        Layers of the same shapes.
    """
    changed = list(layers)
    for group in duplicates(Network.of(layers)):
        depth, (first, *others) = group[0][0] - 1, [neuron for _, neuron in group]
        rows = changed[depth].weight
        if len(rows.row(first)[1]):
            lead = number(rows.row(first)[1][0])
            factors = {other: number(rows.row(other)[1][0]) / lead for other in others}
            changed[depth + 1] = _joined(changed[depth + 1], first, factors)
    return cleared(changed)


def _joined(layer: Affine, column: int, factors: dict[int, Fraction]) -> Affine:
    """A layer with multiples of some columns added to one, and those columns left empty."""
    rows = layer.weight
    matrix: dict[tuple[int, int], Fraction | int | float] = dict(
        zip(zip(rows.row_of().tolist(), rows.indices.tolist(), strict=True), rows.data.tolist(), strict=True)
    )
    for (row, at), value in list(matrix.items()):
        if at in factors:
            del matrix[row, at]
            matrix[row, column] = Fraction(matrix.get((row, column), 0)) + factors[at] * Fraction(value)
    listed = sorted((place, value) for place, value in matrix.items() if value)
    ends = np.bincount([row for (row, _), _ in listed], minlength=rows.height).cumsum()
    columns = np.array([at for (_, at), _ in listed], dtype=np.int32)
    data = plain(value for _, value in listed)
    return replace(layer, weight=trusted(np.concatenate([[0], ends]).astype(np.int64), columns, data, rows.width))


def folded(layers: Layers, depth: int) -> Layers:
    """The layers with a hidden layer multiplied into the next one.

    Args:
        layers: as `layered` has them.
        depth: which one, from 0; the function is the same where its neurons are linear on the domain.

    Returns:
        One layer less.
    """
    first, then = layers[depth], layers[depth + 1]
    matrix = then.weight.dense()
    bias = plain(_added(product(matrix, first.bias), then.bias))
    weight = Rows.from_dense(product(matrix, first.weight.dense()))
    return (*layers[:depth], replace(then, weight=weight, bias=bias), *layers[depth + 2 :])


def compact(layers: Layers) -> Layers:
    """The same function without the neurons that are gone.

    Returns:
        Layers with as many features and outputs; where every output is a constant, the last one alone.
    """
    last = layers[-1]
    if not len(last.weight.data):  # every output is a constant
        nothing = Rows.from_dense(np.zeros((last.weight.height, layers[0].weight.width), dtype=np.int64))
        return (replace(last, weight=nothing),)
    found, before = list[Affine](), np.arange(layers[0].weight.width)
    for layer, after in pairwise(layers):
        kept = np.flatnonzero(_entered(layer.weight) | _read(after.weight))
        found.append(replace(layer, weight=layer.weight.take(kept).columns(before), bias=layer.bias[kept]))
        before = kept
    return (*found, replace(last, weight=last.weight.columns(before)))


def _entered(rows: Rows) -> Array:
    """Which rows have an entry."""
    return np.asarray(np.diff(rows.indptr) > 0)


def _read(rows: Rows) -> Array:
    """Which columns have an entry."""
    read = np.zeros(rows.width, dtype=bool)
    read[rows.indices] = True
    return read


def _kept(rows: Rows, mask: Array) -> Rows:
    counts = np.bincount(rows.row_of()[mask], minlength=rows.height)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return trusted(indptr, rows.indices[mask], rows.data[mask], rows.width)


def _added(a: Array, b: Array) -> Array:
    total: Array = exact(a) + exact(b)
    return total


def _times(rows: Rows, vector: Array) -> Array:
    return rows.holding(exact(rows.data)).dot(vector)


def entry(layers: Layers, edge: Edge) -> Fraction:
    """The weight of an edge, which is one of these layers'."""
    depth, row, column = edge
    columns, values = layers[depth].weight.row(row)
    return number(values[np.searchsorted(columns, column)])
