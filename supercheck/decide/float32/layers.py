"""A network as float32 arithmetic meets it: the layers as they are stored, not scaled to integers, not folded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from supercheck.base.errors import SupercheckError
from supercheck.base.matrix import Array, Ratios, Rows
from supercheck.network.layers import Affine
from supercheck.network.network import Network

FREE = 1 << 20  # the grid of zero, which is a multiple of every power of two


class UncoveredError(SupercheckError):
    """The guarantee does not cover this network; the message says why."""


@dataclass(frozen=True, eq=False)
class Block:
    """Some rows of a layer, filled up with zeros to the same length.

    Attributes:
        rows: which rows, [rows].
        columns: int [rows, terms].
        weights: float64 [rows, terms]; 0 where there is no weight.
        grids: int64 [rows, terms], each weight is an odd multiple of 2^grid.
    """

    rows: Array
    columns: Array
    weights: Array
    grids: Array


@dataclass(frozen=True, eq=False)
class Single:
    """A stored layer; every number in it is a float32 number, held as float64.

    Attributes:
        weight: sparse, [outputs, inputs].
        bias: [outputs].
        relu: whether a ReLU follows.
        name: what the file calls it.
    """

    weight: Rows
    bias: Array
    relu: bool
    name: str

    @classmethod
    def of(cls, layer: Affine, number: int) -> Single:
        """A stored layer, if it is one that float32 arithmetic evaluates as the theorem says."""
        name = layer.name or f"layer {number}"
        if not layer.plain:
            raise UncoveredError(f"{name} is not one sum of products and a bias, all in float32")
        rows = layer.weight
        return cls(
            rows.holding(_floats(rows.data, name)),
            _floats(layer.bias, f"the bias of {name}"),
            layer.relu,
            name,
        )

    @cached_property
    def bias_grids(self) -> Array:
        """Each bias is an odd multiple of 2^grid, int64 [outputs]."""
        return _grids(self.bias)

    @cached_property
    def blocks(self) -> list[Block]:
        """The rows, those of about equal length together."""
        lengths = np.diff(self.weight.indptr)
        grids, blocks = _grids(self.weight.data), []
        sizes = np.frexp(np.maximum(lengths, 1).astype(np.float64) - 0.5)[1]
        for size in np.unique(sizes).tolist():
            rows = np.flatnonzero(sizes == size)
            width = int(lengths[rows].max(initial=0))
            place = self.weight.indptr[rows][:, None] + np.arange(width)
            kept = np.arange(width) < lengths[rows][:, None]
            place = np.where(kept, place, 0)
            parts = (self.weight.indices, self.weight.data, grids)
            columns, weights, own = (
                np.where(kept, part[place] if len(part) else np.zeros(place.shape, part.dtype), 0) for part in parts
            )
            blocks.append(Block(rows, columns.astype(np.int64), weights, np.where(kept, own, FREE)))
        return blocks

    @cached_property
    def dense(self) -> Array:
        """The weight as a dense matrix."""
        return self.weight.dense()


@dataclass(frozen=True, eq=False)
class StoredLayers:
    """Stored layers, first to last, and which of the network's features they take."""

    layers: tuple[Single, ...]
    features: Array

    @classmethod
    def of(cls, network: Network) -> StoredLayers:
        """The chain of a whole network.

        Raises:
            UncoveredError: if some number is no float32 number, or some layer no sum of products.
        """
        layers = (Single.of(layer, number) for number, layer in enumerate(network.stored))
        return cls(tuple(layers), np.arange(network.features))

    def part(self, output: int) -> StoredLayers:
        """What one output depends on."""
        kept, layers = np.array([output]), list[Single]()
        for layer in reversed(self.layers):
            rows = layer.weight.take(kept)
            below = np.unique(rows.indices).astype(np.int64)
            layers.append(Single(rows.columns(below), layer.bias[kept], layer.relu, layer.name))
            kept = below
        return StoredLayers(tuple(reversed(layers)), self.features[kept])

    def numbers(self, output: int) -> list[Array]:
        """For each layer of `part(output)` its rows' numbers in the whole chain."""
        kept = [np.array([output])]
        for layer in reversed(self.layers[1:]):
            kept.append(np.unique(layer.weight.take(kept[-1]).indices).astype(np.int64))
        return kept[::-1]


def terms(layer: Single, row: int) -> Iterator[tuple[int, float]]:
    """Columns and weights of one row."""
    columns, weights = layer.weight.row(row)
    yield from zip(columns.tolist(), weights.tolist(), strict=True)


def _floats(values: Array, name: str) -> Array:
    """The numbers as float64, if every one is a float32 number."""
    with np.errstate(over="ignore", invalid="ignore"):
        if values.dtype == object:
            wide = np.array([_float(value) for value in values.tolist()])
            same = all(not np.isnan(w) and w == v for w, v in zip(wide.tolist(), values.tolist(), strict=True))
        else:
            wide = values.astype(np.float64)
            same = values.dtype.kind == "f" or bool((np.abs(values) <= 2**53).all())
        narrow = wide.astype(np.float32).astype(np.float64)
    if not (same and (narrow == wide).all()):
        raise UncoveredError(f"{name} holds numbers that are no float32 numbers; only those stored in float32 are sure")
    return wide


def _float(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        return float("nan")


def _grids(values: Array) -> Array:
    ratios = Ratios.of(values)
    return np.where(ratios.numerator == 0, FREE, ratios.exponent)


def spans(total: int, size: int) -> Iterator[slice]:
    """Slices of at most `size` that cover `total`."""
    yield from (slice(a, b) for a, b in pairwise([*range(0, total, max(1, size)), total]))
