"""Set systems in which two sets share little: Steiner triple systems, Reed-Solomon codes, and what greed finds.

Each is a 0/1 matrix [points, sets], the sets as columns. It is k-disjunct if no column lies in the union of k others,
for which it is enough that columns have w ones each, two share at most o, and k o < w.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, count
from random import Random

import numpy as np

from supercheck.base.matrix import Array
from supercheck.decide.limits import Clock

_TRIES = 8  # of greed, for one column


def steiner(points: int) -> list[tuple[int, ...]]:
    """A Steiner triple system: triples of points that hold every pair of points exactly once.

    Args:
        points: 1 or 3 more than a multiple of 6, at least 7.

    Returns:
        The points (points - 1) / 6 triples.

    Source: Bose (1939) for 6t + 3, Skolem (1958) for 6t + 1; the quasigroups that they need are sums modulo 2t + 1 and
    2t.
    """
    third, t = points // 3, points // 6
    bose = points % 6 == 3

    def joined(x: int, y: int) -> int:
        total = (x + y) % third
        return total * (t + 1) % third if bose else total // 2 + t * (total % 2)

    def point(x: int, part: int) -> int:
        return x + third * (part % 3)

    own = third if bose else t
    triples = [tuple(point(x, part) for part in range(3)) for x in range(own)]
    if not bose:
        triples += [(points - 1, point(t + x, part), point(x, part + 1)) for x in range(t) for part in range(3)]
    pairs = combinations(range(third), 2)
    return triples + [
        (point(x, part), point(y, part), point(joined(x, y), part + 1)) for x, y in pairs for part in range(3)
    ]


def steiner_points(sets: int) -> int:
    """The fewest points on which a Steiner triple system has so many triples."""
    return next(v for v in count(7) if v % 6 in (1, 3) and v * (v - 1) // 6 >= sets)


def incidence(sets: list[tuple[int, ...]], points: int) -> Array:
    """The matrix int64 [points, sets] of some sets."""
    matrix = np.zeros((points, len(sets)), dtype=np.int64)
    for column, members in enumerate(sets):
        matrix[list(members), column] = 1
    return matrix


def reed_solomon(sets: int, most: int) -> tuple[Array, str]:
    """A k-disjunct matrix whose columns are polynomials over a finite field, given by their values at some places.

    Two polynomials of degree below d agree at no more than d - 1 places, so k (d - 1) + 1 places are enough; there are
    as many rows as places times elements. With d = 2 and three places: the points of an affine plane, and three
    classes of its parallel lines.

    Args:
        sets: how many columns.
        most: k.

    Returns:
        The matrix with the fewest rows, and what it is: the identity where none of these has fewer rows than columns.

    Source: Kautz and Singleton, Nonrandom binary superimposed codes, 1964.
    """
    codes = []
    for degree in range(2, sets.bit_length() + 1):
        places = most * (degree - 1) + 1
        size = next(q for q in count(max(2, places)) if q**degree >= sets and _prime_of(q))
        codes.append((places * size, degree, places, size))
    rows, degree, places, size = min(codes, default=(sets, 1, 1, sets))
    if rows >= sets:
        return np.eye(sets, dtype=np.int64), "each feature its own row"
    add, multiply = field(size)
    values = np.zeros((places, sets), dtype=np.int64)
    for power in reversed(range(degree)):  # the first polynomials are of low degree
        coefficient = np.arange(sets) // size**power % size
        values = add[multiply[np.arange(places)[:, None], values], coefficient]
    matrix = np.zeros((rows, sets), dtype=np.int64)
    matrix[np.arange(places)[:, None] * size + values, np.arange(sets)] = 1
    return matrix, f"Reed-Solomon, {places} places, degree below {degree}, {size} elements"


def greedy(sets: int, most: int, shared: int, rows: int, random: Random, clock: Clock) -> Array | None:
    """A k-disjunct matrix of columns with k o + 1 ones, two of which share at most o: one column after the other.

    Args:
        sets: how many columns.
        most: k.
        shared: o.
        rows: how many rows.
        random: where chance comes from.
        clock: when to end.

    Returns:
        The matrix, or None where a column was not found, in time.

    Source: ours. A column takes the row that the fewest columns use, of those that would not share too much with any.
    """
    weight = most * shared + 1
    matrix = np.zeros((sets, rows), dtype=np.int64)
    for column in range(sets):
        for _ in range(_TRIES):
            if _fill(matrix[:column], matrix[column], weight, shared, random):
                break
            matrix[column] = 0
            if clock.over:
                return None
        else:
            return None
    return matrix.T.copy()


def _fill(before: Array, column: Array, weight: int, shared: int, random: Random) -> bool:
    """Choose the ones of a column, if there are enough."""
    used = before.sum(axis=0)
    common = np.zeros(len(before), dtype=np.int64)
    for _ in range(weight):
        allowed = np.flatnonzero((before[common == shared].sum(axis=0) == 0) & (column == 0))
        if not allowed.size:
            return False
        fewest = allowed[used[allowed] == used[allowed].min()]
        row = int(fewest[random.randrange(len(fewest))])
        column[row] = 1
        common += before[:, row]
    return True


def disjunct(sets: int, most: int, random: Random, clock: Clock) -> tuple[Array, str]:
    """A k-disjunct matrix with as few rows as any of these ways finds, and which way that was.

    Args:
        sets: how many columns.
        most: k.
        random: where chance comes from.
        clock: when to end.
    """
    best = min(systematic(sets, most), key=lambda found: len(found[0]))
    for shared in range(1, 4):
        while (found := greedy(sets, most, shared, len(best[0]) - 1, random, clock)) is not None:
            best = found, f"greedy, {most * shared + 1} ones a column, two share at most {shared}"
    return best


def systematic(sets: int, most: int) -> Iterator[tuple[Array, str]]:
    """The k-disjunct matrices that need no search, and what each is; columns have equally many ones."""
    yield reed_solomon(sets, most)
    if most == 2:
        points = steiner_points(sets)
        matrix = incidence(steiner(points)[:sets], points)
        yield matrix[matrix.any(axis=1)], f"Steiner triple system on {points} points"


def field(size: int) -> tuple[Array, Array]:
    """The tables of addition and multiplication of a finite field, int64 [size, size] each.

    Args:
        size: a prime power. Elements are polynomials over the prime field; their digits, base p, are the coefficients.
    """
    prime = _prime_of(size)
    digits = np.array([[a // prime**i % prime for i in range(size.bit_length())] for a in range(size)])
    weights = prime ** np.arange(size.bit_length())
    add = ((digits[:, None] + digits[None]) % prime) @ weights
    for low in range(size):  # of the polynomial x^e + low, which must be irreducible
        table = _products(size, prime, low, add)
        if size == prime or all((row > 0).all() for row in table[1:, 1:]):
            return add, table
    raise AssertionError(f"{size} is no power of a prime")


def _products(size: int, prime: int, low: int, add: Array) -> Array:
    """Multiplication modulo x^e + low, or modulo p where e is 1."""
    if size == prime:
        return np.outer(np.arange(size), np.arange(size)) % prime
    minus = next(a for a in range(size) if add[a, low] == 0)

    def scaled(a: int, by: int) -> int:
        total = 0
        for _ in range(by):
            total = int(add[total, a])
        return total

    def shifted(a: int) -> int:  # a times x
        return int(add[a * prime % size, scaled(minus, a * prime // size)])

    powers = [1]
    while prime ** len(powers) < size:
        powers.append(shifted(powers[-1]))
    table = np.zeros((size, size), dtype=np.int64)
    for a in range(size):
        part = a
        for i in range(len(powers)):
            row = np.array([scaled(part, b // prime**i % prime) for b in range(size)])
            table[a] = add[table[a], row]
            part = shifted(part)
    return table


def _prime_of(size: int) -> int:
    """The prime of which a number is a power; 0 where it is none."""
    if size < 2:
        return 0
    prime = next(p for p in range(2, size + 1) if size % p == 0)
    while size % prime == 0:
        size //= prime
    return prime if size == 1 else 0
