"""Every binary tree over the few terms of a sum: all that float32 evaluation can compute of an output on one input.

Where so few terms are on that all trees can be gone through, this is exact where the lemma's bound is not: three copies
of a stored 1/6 are 1/2 in every order, though more than that as real numbers. Numbers are integers here, in units of
2^-298, so that products of float32 numbers are whole.

Source: ours. The values of all trees over a bag of terms are those of all pairs of trees over two parts of it; a node
is rounded to float32, or kept where the accumulator is wider, which is exact for up to 53 bits; a leaf is the rounded
product or, inside an FMA, the product itself; what is stored at the end is rounded. So the values found here may be too
many, never too few.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from math import prod

from supercheck.base.binary32 import LEAST, SMALLEST_NORMAL
from supercheck.decide.float32.layers import Single, StoredLayers, terms
from supercheck.decide.float32.summation_orders import rounded

_UNIT = -2 * LEAST
_NORMAL = 1 << _UNIT + SMALLEST_NORMAL  # nothing that is a multiple of this is subnormal
_WIDE = 53  # bits that any wider accumulator holds
_BAGS = 1 << 9  # parts of one sum's terms
_SUMS = 1 << 16  # additions that one input may take

Values = frozenset[int]


class _TooManyError(Exception):
    """There are too many trees to go through, or what they compute is not covered."""


def reachable(part: StoredLayers, active: Sequence[int]) -> tuple[Fraction, Fraction] | None:
    """The least and the greatest value that float32 evaluation can give the one output of a part of a chain.

    Args:
        part: what the output depends on.
        active: the features that are on.

    Returns:
        None where there are too many trees, a number may be taken for zero, or a sum may be past the range.
    """
    h = [Values([int(j in set(active)) << _UNIT]) for j in part.features.tolist()]
    left = [_SUMS]
    try:
        for layer in part.layers:
            sums = [_stored(_leaves(layer, row, h), left) for row in range(layer.weight.height)]
            h = [Values(max(value, 0) for value in values) for values in sums] if layer.relu else sums
    except (_TooManyError, OverflowError):
        return None
    return Fraction(min(h[0]), 1 << _UNIT), Fraction(max(h[0]), 1 << _UNIT)


def _leaves(layer: Single, row: int, h: Sequence[Values]) -> list[Values]:
    """What each term of a sum may be, those that are always 0 left out."""
    leaves = [Values([_units(layer.bias[row])])]
    for j, weight in terms(layer, row):
        scale = _units(weight)
        exact = [scale * value for value in h[j]]
        if any(value % (_NORMAL << _UNIT) for value in exact):
            raise _TooManyError
        leaves.append(Values(each for value in exact for each in (value >> _UNIT, _single(value >> _UNIT))))
    return [leaf for leaf in leaves if leaf != {0}]


def _stored(leaves: Sequence[Values], left: list[int]) -> Values:
    """What a sum may be when it is stored: the values of all trees over its terms, rounded."""
    if not leaves:
        return Values([0])
    kinds = Counter(leaves)
    names, most = list(kinds), tuple(kinds.values())
    if prod(count + 1 for count in most) > _BAGS:
        raise _TooManyError
    bags: dict[tuple[int, ...], set[int]] = {}
    for bag in sorted(product(*(range(count + 1) for count in most)), key=sum)[1:]:
        found = bags[bag] = set(names[bag.index(1)]) if sum(bag) == 1 else set()
        for one in product(*(range(count + 1) for count in bag)):
            other = tuple(all_ - some for all_, some in zip(bag, one, strict=True))
            if any(one) and one <= other:  # the same two parts come the other way round, too
                found.update(_nodes(bags[one], bags[other], left))
    return Values(_single(value) for value in bags[most])


def _nodes(one: set[int], other: set[int], left: list[int]) -> set[int]:
    """What a node above two trees may be."""
    left[0] -= len(one) * len(other)
    if left[0] < 0:
        raise _TooManyError
    sums = {a + b for a in one for b in other}
    if any(abs(value).bit_length() - _trailing(value) > _WIDE for value in sums):
        raise _TooManyError
    return sums | {_single(value) for value in sums}


def _single(value: int) -> int:
    """The nearest float32 number.

    Raises:
        OverflowError: if it is past the range.
    """
    return rounded(value, -LEAST) << -LEAST


def _trailing(value: int) -> int:
    return (value & -value).bit_length() - 1 if value else 0


def _units(value: float) -> int:
    """A float32 number in units.

    Raises:
        _TooManyError: if it, or a multiple of it, may be subnormal.
    """
    numerator, denominator = float(value).as_integer_ratio()
    units = (numerator << _UNIT) // denominator
    if units % _NORMAL:
        raise _TooManyError
    return units
