"""Layers of ones and of whole numbers, from the places where they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from supercheck.base.matrix import Array, Rows, trusted
from supercheck.network.layers import Affine

MOST_EDGES = 1 << 26  # of one matrix


def marked(rows: Array, columns: Array, height: int, width: int) -> Rows:
    """The 0/1 matrix [height, width] with ones at the places that are listed, however often."""
    places = np.unique(rows * np.int64(width) + columns)
    return _compressed(places // width, places % width, np.ones(len(places), dtype=np.int64), height, width)


def placed(parts: Sequence[tuple[Array, Array, Array]], height: int, width: int) -> Rows:
    """The matrix [height, width] with the given values at the given places, each place once."""
    rows, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(rows * np.int64(width) + columns)
    return _compressed(rows[order], columns[order], values[order], height, width)


def hidden(weight: Rows, bias: int | Array) -> Affine:
    """A layer of neurons ReLU(W h + b)."""
    return Affine(weight, _filled(weight, bias), True)


def readout(weight: Rows, bias: int | Array = 0) -> Affine:
    """The last layer, W h + b."""
    return Affine(weight, _filled(weight, bias), False)


def _filled(weight: Rows, bias: int | Array) -> Array:
    return np.full(weight.height, bias, dtype=np.int64) if isinstance(bias, int) else bias


def _compressed(rows: Array, columns: Array, values: Array, height: int, width: int) -> Rows:
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=height))]).astype(np.int64)
    return trusted(indptr, columns.astype(np.int32), values, width)
