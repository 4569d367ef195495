"""Exact products of matrices: in doubles where these are exact, else digit by digit."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from supercheck.base.matrix import FITS, SHORT, Array, Ratios, Room, _common, _largest, sizes_of

_EXACT = 2.0**53  # integers up to this are exact in a double


_FEW = 32  # pairs of digits up to which products in doubles are faster than those of long integers


def product(left: Array, right: Array) -> Array:
    """The exact product of two exact matrices, [a, b] times [b, c] or times [b].

    Source: ours. Integers whose sums of products stay below 2^53 multiply exactly in doubles.
    """
    parts = []
    for matrix in (left, right):
        ratios = Ratios.of(matrix)
        lowest = int(ratios.exponent[ratios.numerator != 0].min(initial=0))
        shift = np.where(ratios.numerator == 0, 0, ratios.exponent - lowest)
        below, bits = 1, sizes_of(ratios.numerator) + shift
        if ratios.denominator is not None:
            below = int(_common(ratios.denominator.ravel(), np.array([0, ratios.denominator.size]))[0])
            bits += below.bit_length() - sizes_of(ratios.denominator)
        Room().check(bits)
        big = below > 1 or _largest(ratios.numerator) * 2.0 ** min(int(shift.max(initial=0)), 1000) >= FITS
        whole = ratios.numerator.astype(object) if big else ratios.numerator
        whole = whole << (shift.astype(object) if big else shift)
        if ratios.denominator is not None:
            whole = whole * (below // ratios.denominator)
        parts.append((whole, lowest, below))
    (a, low_a, below_a), (b, low_b, below_b) = parts
    power, below = low_a + low_b, below_a * below_b
    if _largest(a) * _largest(b) * max(left.shape[1], 1) < _EXACT:
        whole = a.astype(np.float64) @ b.astype(np.float64)
        if below == 1 and abs(power) < 900:
            return np.asarray(np.ldexp(whole, power))
        exact = whole.astype(np.int64).astype(object)
    else:
        each = max(int(sizes_of(a).max(initial=0) + sizes_of(b).max(initial=0)), abs(power) + below.bit_length())
        Room().check(np.full((a.shape[0], *b.shape[1:]), each), 4 * SHORT)
        exact = whole_product(a, b)
    return np.asarray(exact * (Fraction(2) ** power / below))


def whole_product(a: Array, b: Array) -> Array:
    """The product of two integer matrices as Python integers."""
    return _by_limbs(a, b, np.matmul)


def dots(a: Array, b: Array) -> Array:
    """Each row of an integer matrix times the same row of another, summed, as Python integers [rows]."""
    return _by_limbs(a, b, lambda left, right: (left * right).sum(axis=1))


def _by_limbs(a: Array, b: Array, times: Callable[[Array, Array], Array]) -> Array:
    """A sum of products of integers over the columns of `a`, in digits where these are few.

    Source: ours. Digits to a base 2^d multiply exactly in doubles while a row's sum stays below 2^53.
    """
    width = (53 - max(a.shape[1], 1).bit_length()) // 2
    bits = [int(np.abs(matrix).max(initial=0)).bit_length() for matrix in (a, b)]
    if bits[0] * bits[1] > _FEW * width**2:
        return np.asarray(times(a.astype(object), b.astype(object)))
    right = list(enumerate(_limbs(b, width)))
    parts = (
        times(high, low).astype(np.int64).astype(object) << (width * (i + j))
        for i, high in enumerate(_limbs(a, width))
        for j, low in right
    )
    return np.asarray(sum(parts))


def _limbs(values: Array, width: int) -> list[Array]:
    """Signed digits to the base 2^width, least first, as doubles."""
    sign, rest, limbs = np.sign(values).astype(np.float64), np.abs(values), list[Array]()
    while rest.any() or not limbs:
        limbs.append(sign * (rest & ((1 << width) - 1)).astype(np.float64))
        rest = rest >> width
    return limbs
