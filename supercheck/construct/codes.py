"""Families of sets of points in which no few sets cover another: what partners of a heavy feature are encoded in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, count, islice, product
from math import comb

import numpy as np

from supercheck.exact import Array


def family(sets: int, others: int) -> Array:
    """Sets of equal size such that a set shares fewer points than it has with `others` others together.

    Args:
        sets: d, how many.
        others: how many other sets there may be at once.

    Returns:
        Points int64 [d, c], numbered from 0 without a gap; on as few points as is known here.

    Source: one other: Sperner, Mathematische Zeitschrift 27 (1928): no family on fewer points. More: polynomials of
    degree below r over a field of q elements, each the set of its points (place, value) at (r - 1) others + 1 places;
    two agree in at most r - 1 (Reed and Solomon 1960; Kautz and Singleton 1964). r = 1 is a point for each set.
    """
    if others < 1:
        return np.zeros((sets, 1), dtype=np.int64)
    if others == 1:
        points = next(n for n in count(1) if comb(n, n // 2) >= sets)
        size = next(c for c in count(1) if comb(points, c) >= sets)
        return np.array(list(islice(combinations(range(points), size), sets)), dtype=np.int64)
    return min(_polynomials(sets, others), key=lambda code: int(code.max()))


def shared(code: Array, others: int) -> Array:
    """For each set [d] how many points it shares with the `others` that share most, counted one by one."""
    member = np.zeros((len(code), int(code.max()) + 1), dtype=np.int64)
    member[np.arange(len(code))[:, None], code] = 1
    overlaps = member @ member.T
    np.fill_diagonal(overlaps, 0)
    return np.asarray(np.sort(overlaps, axis=1)[:, max(0, len(code) - others) :].sum(axis=1))


def _polynomials(sets: int, others: int) -> Iterator[Array]:
    """The family for each r at the least q at which it is large enough, up to an r that only adds places."""
    for degree in count(1):
        places = (degree - 1) * others + 1
        order = next(q for q in count(places) if q**degree >= sets and (degree == 1 or _prime_power(q)))
        if degree == 1:
            yield np.arange(sets, dtype=np.int64)[:, None]
            continue
        yield _words(sets, degree, order, places)
        if order == places:
            return


def _words(sets: int, degree: int, order: int, places: int) -> Array:
    """The first polynomials, each at the first `places` elements of the field; points that none has are left out."""
    plus, times = _field(order)
    codewords = np.zeros((sets, places), dtype=np.int64)
    coefficients = np.array(list(islice(product(range(order), repeat=degree), sets)), dtype=np.int64)
    for column in coefficients.T:  # Horner
        codewords = plus[times[codewords, np.arange(places)], column[:, None]]
    points = np.arange(places) * order + codewords
    return np.searchsorted(np.unique(points), points)


def _prime_power(q: int) -> bool:
    base = next((p for p in range(2, q + 1) if q % p == 0), 0)
    while base and q % base == 0:
        q //= base
    return q == 1 and base > 0


def _field(order: int) -> tuple[Array, Array]:
    """The tables of addition and multiplication [q, q] of the field of q = p^e elements.

    Digits to base p are coefficients of polynomials, multiplied modulo the first that leaves no product of nonzeros 0.
    """
    base = next(p for p in range(2, order + 1) if order % p == 0)
    size = next(e for e in count(1) if base**e == order)
    digits = np.array(list(product(range(base), repeat=size)), dtype=np.int64)[:, ::-1]  # least first
    value = base ** np.arange(size)
    plus = ((digits[:, None] + digits[None]) % base) @ value
    long = np.zeros((order, order, 2 * size - 1), dtype=np.int64)
    for i in range(size):
        long[:, :, i : i + size] += digits[:, None, i : i + 1] * digits[None]
    for tail in digits:
        rest = long.copy()
        for top in range(2 * size - 2, size - 1, -1):
            rest[:, :, top - size : top] -= rest[:, :, top : top + 1] * tail
        times = (rest[:, :, :size] % base) @ value
        if times[1:, 1:].all():
            return plus, times
    raise AssertionError("there is a field of every prime power")
