"""The rounding error of one neuron, whatever the order of its sum: the lemma of README.md, for many neurons at once.

Everything here is an upper bound, computed in doubles. Where all that goes in is `sharp` (a multiple of 2^q of at most
2^(q + 52)), doubles do not round, so that an error of exactly 0 is found where there is none; everywhere else each sum
of n terms is enlarged by a factor of 1 + (n + 8) 2^-50, more than what doubles can lose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from supercheck.base.binary32 import GREATEST, LEAST
from supercheck.base.matrix import Array

LARGEST = float(GREATEST)

ROUND = 1 + 2.0**-28
"""A little more than half a unit in the last place: sums in a wider format are rounded twice."""


def hulp(size: Array, grid: Array) -> Array:
    """By how much rounding to float32 moves a multiple of 2^grid that is at most `size` in magnitude.

    Source: README.md, "Rounding"; not decreasing in `size`.
    """
    fraction, exponent = np.frexp(size)
    ceiling = exponent - (fraction == 0.5)  # ceil(log2(size))
    moved = np.ldexp(ROUND, np.maximum(ceiling - 25, LEAST - 1))
    exact = (grid >= LEAST) & (size <= np.ldexp(1.0, np.minimum(grid, 900) + 24))
    return np.where(exact | (size == 0), 0.0, moved)


def sharp(size: Array, grid: Array) -> Array:
    """Whether doubles add multiples of 2^grid without rounding as long as sums of magnitudes are at most `size`."""
    return np.asarray(size <= np.ldexp(1.0, np.minimum(grid, 900) + 52))


@dataclass(frozen=True, eq=False)
class Summands:
    """The terms of sums, the bias among them; arrays [..., terms], for each sum [...].

    Attributes:
        positive: bounds of the positive part of each term as it is computed.
        negative: bounds of the negative part's magnitude.
        count: how many terms may be other than 0, for each sum.
        leaf: what is lost before any sum: by rounding products, by taking subnormal numbers for zero; for each sum.
        grid: every term is a multiple of 2^grid, for each sum.
        total: bound of the whole sum's magnitude, for each sum.
        positives: bound of the sum of all positive terms, for each sum.
        negatives: and of the negative ones' magnitude.
        exact: whether positive and negative are `sharp`, for each sum.
    """

    positive: Array
    negative: Array
    count: Array
    leaf: Array
    grid: Array
    total: Array
    positives: Array
    negatives: Array
    exact: Array


def tree_error(terms: Summands) -> Array:
    """How far any binary tree over the terms is from their sum.

    Source: README.md, "Lemma (any tree)": G_r bounds sums of any r terms, and the i-th smallest of a tree's inner
    nodes has at most i + 1 leaves.
    """
    most = int(terms.count.max(initial=0))
    up = 1 + (terms.positive.shape[-1] + 8) * 2.0**-50
    error = np.where(terms.count > 0, terms.leaf, 0.0)
    sums = [np.cumsum(np.sort(part, axis=-1)[..., ::-1], axis=-1) for part in (terms.positive, terms.negative)]
    above, below = (np.where(terms.exact[..., None], part, part * up) for part in sums)
    whole = np.maximum(above[..., -1:], below[..., -1:])[..., 0] if most else error
    if not error.any() and not hulp(whole, terms.grid).any():
        return error
    for r in range(2, most + 1):
        size = np.maximum(
            np.minimum(above[..., r - 1], terms.positives), np.minimum(below[..., r - 1], terms.negatives)
        )
        size = np.where(terms.count == r, np.minimum(size, terms.total), size)
        size = np.where(error > 0, (size + error) * up, size)
        error = np.where(terms.count >= r, (error + hulp(size, terms.grid)) * up, error)
    return error
