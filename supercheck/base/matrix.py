"""Exact matrices: sparse rows of numbers, their products, and rows scaled to coprime integers.

An exact array is a numpy array of float64 (each value is itself), of int64, or of Python integers
and fractions (dtype object). No operation here rounds; int64 is used only where a bound proves that it fits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from supercheck.base.errors import InputError
from supercheck.base.validate import compressed, numbers, unchecked

if np.dtype(int).itemsize < 8:  # numpy 1 on Windows, or a system of 32 bits: sums would wrap in silence
    do = "install numpy 2 or later, on a system of 64 bits"
    raise InputError(place="numpy", expected="whole numbers of 64 bits", got=np.__version__, do=do)

Array = npt.NDArray[Any]

MOST_BITS = 1 << 16  # of one number, and of the common denominator of one row of rationals
SHORT, MOST_LONG = 128, 1 << 26  # bits of an ordinary number, and how many more all of a network's may have together
FITS = 2.0**62  # magnitudes below this are kept as int64


@dataclass(frozen=True, eq=False)
class Rows:
    """A sparse matrix in compressed rows: zeros are not stored, columns ascend within a row.

    Attributes:
        indptr: int64 [rows + 1]; row i is the slice from indptr[i] to indptr[i + 1].
        indices: int32 [nonzeros], the columns.
        data: the exact array [nonzeros] of values.
        width: the number of columns.
    """

    indptr: Array
    indices: Array
    data: Array
    width: int

    def __post_init__(self) -> None:
        """Refuse what is not as it says; code that has seen to that itself calls `trusted`."""
        parts = compressed(self.indptr, self.indices, self.data, self.width)
        vars(self).update(zip(("indptr", "indices", "data", "width"), parts, strict=True))

    @classmethod
    def from_dense(cls, matrix: Array) -> Rows:
        """The nonzeros of an exact matrix [rows, columns]."""
        matrix = numbers(matrix, "matrix", 2)
        row, column = np.nonzero(matrix != 0)
        indptr = np.zeros(matrix.shape[0] + 1, dtype=np.int64)
        np.cumsum(np.bincount(row, minlength=matrix.shape[0]), out=indptr[1:])
        return trusted(indptr, column.astype(np.int32), matrix[row, column], matrix.shape[1])

    def holding(self, data: Array) -> Rows:
        """Other values, of any kind, at the same places."""
        return trusted(self.indptr, self.indices, data, self.width)

    @property
    def height(self) -> int:
        """The number of rows."""
        return len(self.indptr) - 1

    def dense(self) -> Array:
        """The matrix [rows, columns], zeros filled in."""
        matrix = np.zeros((self.height, self.width), dtype=self.data.dtype)
        matrix[self.row_of(), self.indices] = self.data
        return matrix

    def row(self, i: int) -> tuple[Array, Array]:
        """Columns and values of row i, as views."""
        part = slice(self.indptr[i], self.indptr[i + 1])
        return self.indices[part], self.data[part]

    def row_of(self) -> Array:
        """For every stored value its row."""
        return np.repeat(np.arange(self.height), np.diff(self.indptr))

    def take(self, rows: Array) -> Rows:
        """The given rows, in the given order."""
        lengths = np.diff(self.indptr)[rows]
        indptr = np.concatenate([[0], np.cumsum(lengths)])
        where = np.arange(indptr[-1]) + np.repeat(self.indptr[rows] - indptr[:-1], lengths)
        return trusted(indptr, self.indices[where], self.data[where], self.width)

    def columns(self, kept: Array) -> Rows:
        """The same rows with column kept[j] renamed to j; `kept` ascends and holds every column used."""
        place = np.searchsorted(kept, self.indices).astype(np.int32)
        return trusted(self.indptr, place, self.data, len(kept))

    def transposed(self) -> Rows:
        """The matrix turned over, [columns, rows]."""
        order = np.argsort(self.indices, kind="stable")
        indptr = np.concatenate([[0], np.cumsum(np.bincount(self.indices, minlength=self.width))])
        return trusted(indptr, self.row_of()[order].astype(np.int32), self.data[order], self.height)

    def dot(self, vector: Array) -> Array:
        """The product with a vector [width], in the arithmetic of the two dtypes."""
        return by_row(np.add, self.data * vector[self.indices], self.indptr, 0)


def trusted(indptr: Array, indices: Array, data: Array, width: int) -> Rows:
    """Rows that nobody checks: for code that has made sure, or puts other values in their place for a while."""
    return unchecked(Rows, indptr=indptr, indices=indices, data=data, width=width)


def by_row(ufunc: np.ufunc, values: Array, indptr: Array, empty: object) -> Array:
    """Reduce the values of each row with `ufunc`; a row without values gives `empty`."""
    result = np.full(len(indptr) - 1, empty, dtype=values.dtype)
    filled = np.flatnonzero(np.diff(indptr))
    if filled.size:
        result[filled] = ufunc.reduceat(values, indptr[filled])
    return result


def integers(values: Array) -> Array:
    """The same integers as int64 where every one is below 2^62 in magnitude, else as Python integers."""
    if values.dtype != object:
        return values
    if all(-(2**62) < value < 2**62 for value in values.flat):
        return values.astype(np.int64)
    return values


@dataclass(frozen=True, eq=False)
class Ratios:
    """An exact array taken apart: each value is numerator * 2^exponent / denominator.

    Attributes:
        numerator: int64 or Python integers.
        exponent: int64.
        denominator: positive Python integers, or None where all are 1.
    """

    numerator: Array
    exponent: Array
    denominator: Array | None = None

    @classmethod
    def of(cls, values: Array) -> Ratios:
        """Take an exact array apart; a float becomes an odd integer times a power of two."""
        if values.dtype.kind == "f" and values.dtype.itemsize <= 8:
            if not np.isfinite(values).all():
                raise InputError(expected="finite numbers", got="NaN or infinity")
            values = values.astype(np.float64)
            fraction, exponent = np.frexp(values)
            whole = np.ldexp(fraction, 53).astype(np.int64)
            lowest = np.frexp((whole & -whole).astype(np.float64))[1].astype(np.int64) - 1
            zeros = np.where(whole == 0, 0, lowest)
            return cls(whole >> zeros, np.where(whole == 0, 0, exponent - 53 + zeros))
        exponent = np.zeros(values.shape, dtype=np.int64)
        if values.dtype.kind in "iub":
            if not values.size or int(values.max()) < 2**63:
                return cls(values.astype(np.int64), exponent)
            values = values.astype(object)
        if values.dtype != object:
            raise InputError(expected="real numbers", got=f"dtype {values.dtype}")
        numerator = np.array([value.numerator for value in values.flat], dtype=object)
        denominator = np.array([value.denominator for value in values.flat], dtype=object)
        fractional = bool((denominator != 1).any())
        numerator = integers(numerator).reshape(values.shape)
        return cls(numerator, exponent, denominator.reshape(values.shape) if fractional else None)

    def __getitem__(self, where: Any) -> Ratios:
        denominator = None if self.denominator is None else self.denominator[where]
        return Ratios(self.numerator[where], self.exponent[where], denominator)

    def __mul__(self, other: Ratios) -> Ratios:
        top = _largest(self.numerator) * _largest(other.numerator)
        left = self.numerator if top < FITS else self.numerator.astype(object)
        both = [d for d in (self.denominator, other.denominator) if d is not None]
        denominator = None if not both else both[0] if len(both) == 1 else both[0] * both[1]
        return Ratios(left * other.numerator, self.exponent + other.exponent, denominator)

    def fractions(self) -> list[Fraction]:
        """The values, one by one."""
        below = [1] * len(self.numerator) if self.denominator is None else self.denominator.tolist()
        rows = zip(self.numerator.tolist(), self.exponent.tolist(), below, strict=True)
        return [Fraction(n << e, d) if e >= 0 else Fraction(n, d << -e) for n, e, d in rows]


def magnitudes(values: Array) -> Array:
    """Upper bounds of the absolute values as doubles; `inf` for integers past the range of a double."""
    if values.dtype != object:
        return np.asarray(np.abs(values.astype(np.float64)) * (1 + 2.0**-50))
    bits = (abs(value).bit_length() for value in values.flat)
    return np.array([2.0**b if b < 1000 else np.inf for b in bits]).reshape(values.shape)


def _largest(values: Array) -> float:
    """An upper bound of all absolute values."""
    return float(magnitudes(values).max(initial=0.0))


@dataclass
class Room:
    """What the long integers of one network may still take: `bits` together, beyond `SHORT` each."""

    bits: int = MOST_LONG

    def check(self, sizes: Array, short: int = SHORT) -> int:
        """Refuse numbers of such sizes in bits before they are made; how many bits too many they have together."""
        longest, total = int(sizes.max(initial=0)), int(np.maximum(sizes - short, 0).sum())
        if longest > MOST_BITS:
            raise InputError(expected=f"numbers of at most {MOST_BITS:,} bits in a row of integers", got=f"{longest:,}")
        if total > self.bits:
            got = f"{total:,} bits beyond {short} a number"
            raise InputError(expected=f"integers with at most {self.bits:,} bits too many", got=got)
        return total

    def take(self, sizes: Array) -> None:
        """The same for numbers that are kept."""
        self.bits -= self.check(sizes)


def sizes_of(values: Array) -> Array:
    """How many bits each integer has, int64; 64 for what is stored in 64."""
    if values.dtype != object:
        return np.full(values.shape, 64)
    return np.fromiter((n.bit_length() for n in values.flat), np.int64, values.size).reshape(values.shape)


def coprime(values: Ratios, indptr: Array, bias: Ratios | None, room: Room) -> tuple[Array, Array | None, Ratios]:
    """Scale every row, with its bias if there is one, to coprime integers.

    Args:
        values: the nonzero weights [nonzeros], row by row.
        indptr: where the rows begin, [rows + 1].
        bias: one number a row, or None where the bias stays out of it.
        room: of the network's long integers.

    Returns:
        (weights, biases, factors): row = factor * coprime row, every factor positive; 1 for a zero row.

    Source: design, "a network is a chain of exact integers"; ours.
    """
    count, lengths = len(indptr) - 1, np.diff(indptr)
    row_of = np.repeat(np.arange(count), lengths)
    if bias is not None:  # each row's bias is one more entry, at its end
        ends = indptr[1:] + np.arange(count)
        where = np.ones(len(row_of) + count, dtype=bool)
        where[ends] = False
        values = _interleave(values, bias, where)
        indptr, row_of = indptr + np.arange(count + 1), np.repeat(np.arange(count), lengths + 1)
    numerator, exponent = values.numerator, values.exponent
    nonzero = numerator != 0
    unset = np.iinfo(np.int64).max
    lowest = by_row(np.minimum, np.where(nonzero, exponent, unset), indptr, unset)
    lowest[lowest == unset] = 0
    shift = np.where(nonzero, exponent - lowest[row_of], 0)
    common, bits = np.ones(count, dtype=object), sizes_of(numerator) + shift
    if values.denominator is not None:
        common = _common(values.denominator, indptr)
        bits += np.where(nonzero, sizes_of(common)[row_of] - sizes_of(values.denominator) + 1, 0)
    room.take(np.concatenate([bits, np.abs(lowest)]))
    if values.denominator is not None:
        numerator = numerator.astype(object) * (common[row_of] // values.denominator)
    if _largest(numerator) * 2.0 ** min(int(shift.max(initial=0)), 1000) >= FITS:
        numerator, shift = numerator.astype(object), shift.astype(object)
    numerator = numerator << shift
    factor = by_row(np.gcd, np.abs(numerator), indptr, 0)
    factor[factor == 0] = 1
    numerator = integers(numerator // factor[row_of])
    factors = Ratios(factor, lowest, None if values.denominator is None else common)
    if bias is None:
        return numerator, None, factors
    return numerator[where], numerator[ends], factors


def _common(denominators: Array, indptr: Array) -> Array:
    """The least common multiple of each row's denominators, while it is of reasonable size."""
    for start, end in pairwise(indptr.tolist()):
        bits = sum(value.bit_length() for value in set(denominators[start:end].tolist()))
        if bits > MOST_BITS:
            expected = f"a common denominator of at most {MOST_BITS:,} bits a row"
            raise InputError(expected=expected, got=f"up to {bits:,}")
    return by_row(np.lcm, denominators, indptr, 1)


def _interleave(values: Ratios, bias: Ratios, where: Array) -> Ratios:
    """One array of both: `values` where `where` is true, `bias` elsewhere."""

    def merge(a: Array, b: Array) -> Array:
        merged = np.empty(len(where), dtype=object if object in (a.dtype, b.dtype) else np.int64)
        merged[where], merged[~where] = a, b
        return merged

    if values.denominator is None and bias.denominator is None:
        denominator = None
    else:
        below = [
            np.ones(len(r.numerator), dtype=object) if r.denominator is None else r.denominator for r in (values, bias)
        ]
        denominator = merge(*below)
    return Ratios(merge(values.numerator, bias.numerator), merge(values.exponent, bias.exponent), denominator)


def exact_array(values: Iterable[Any]) -> Array:
    """Python integers and fractions as an exact array [length]."""
    listed = list(values)
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return array
