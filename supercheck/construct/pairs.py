"""Lists of pairs of features: from a file, all, of a graph, or drawn: with a bound on influence, or a heavy tail."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import combinations
from math import comb, isqrt
from operator import index
from pathlib import Path
from random import Random

import numpy as np

from supercheck.base.errors import InputError
from supercheck.base.matrix import Array
from supercheck.base.numbers import plural
from supercheck.construct.inputs import lines
from supercheck.construct.random_stream import stream
from supercheck.construct.request import Request, domain_of
from supercheck.spec.spec import MOST_OUTPUTS

_SWAPS = 20  # a pair, so that what is drawn no longer shows where it began
_TABLED = 1 << 22  # pairs that are drawn from a table of all; else one by one


def listed(wanted: Request) -> tuple[int, Array]:
    """The features and the pairs that a request asks for.

    Returns:
        m, and int64 [outputs, 2]; the smaller feature first, every pair once.

    Raises:
        InputError: if there are no such pairs, or fewer features than may be on.
    """
    features, pairs = _listed(wanted)
    domain_of(features, wanted.max_active)
    return features, pairs


def _listed(wanted: Request) -> tuple[int, Array]:
    if wanted.pairs is not None or wanted.outputs is None:
        for place, asked in (
            ("--max-influence", wanted.max_influence is not None),
            ("--heavy-tail", wanted.heavy_tail),
        ):
            if asked:
                expected = "it where pairs are drawn, with --outputs and without --pairs"
                raise InputError(place=place, expected=expected, got="pairs that are given")
    if wanted.pairs is not None:
        least = int(wanted.pairs.max()) + 1
        features = wanted.features or least
        if features < least:
            raise InputError(place="--features", expected=f"at least {least:,}, for x{least - 1}", got=features)
        if wanted.outputs not in (None, len(wanted.pairs)):
            expected = f"{len(wanted.pairs):,}, as many as there are pairs"
            raise InputError(place="--outputs", expected=expected, got=wanted.outputs)
        return features, wanted.pairs
    if wanted.outputs is None:
        if wanted.features is None:
            expected = "how many features there are, or how many outputs"
            raise InputError(place="--features", expected=expected, got="neither --features nor --outputs")
        return wanted.features, all_pairs(wanted.features)
    if wanted.heavy_tail:
        if wanted.max_influence is not None:
            raise InputError(place="--max-influence", expected="none beside --heavy-tail", got=wanted.max_influence)
        features = wanted.features or max(wanted.outputs // 2, (isqrt(8 * wanted.outputs - 7) + 3) // 2)
        return features, heavy_tailed(features, wanted.outputs, wanted.seed)
    most = wanted.max_influence or max(1, isqrt(isqrt(wanted.outputs)))  # low influence, as the source has it
    features = wanted.features or max(most + 1, -(-2 * wanted.outputs // most))
    if wanted.max_influence is None:
        most = max(most, -(-2 * wanted.outputs // features))
    return features, drawn(features, wanted.outputs, most, Random(wanted.seed))


def all_pairs(features: int) -> Array:
    """All pairs in lexicographic order, int64 [features choose 2, 2].

    Raises:
        InputError: if there are none, or too many.
    """
    if not 1 <= comb(features, 2) <= MOST_OUTPUTS:
        got = f"{plural(comb(features, 2), 'pair')} of {plural(features, 'feature')}"
        raise InputError(place="--features", expected=f"1 to {MOST_OUTPUTS:,} pairs", got=got)
    return np.array(list(combinations(range(features), 2)), dtype=np.int64)


def drawn(features: int, outputs: int, most: int, random: Random) -> Array:
    """Random distinct pairs, no feature in more than `most` of them.

    It begins with a list that has no feature in more, and changes it at random while that stays so: two pairs exchange
    an end, or one pair takes another feature for one of its ends. So it succeeds wherever there is such a list.

    Args:
        features: m.
        outputs: m', how many pairs.
        most: D, the largest influence.
        random: where chance comes from.

    Returns:
        int64 [outputs, 2], ascending.

    Raises:
        InputError: if 2 m' > D m, or there are not so many pairs.

    Source: ours. The list it begins with: pairs at distance 1, 2, ... on a circle of m features use each feature twice
    a distance. For an odd D the last place of each is used by every second step of a walk that visits all of them, or
    by the pairs of opposite features.
    """
    most = min(most, features - 1)
    if not 1 <= outputs <= MOST_OUTPUTS:
        raise InputError(place="--outputs", expected=f"1 to {MOST_OUTPUTS:,} pairs", got=outputs)
    if 2 * outputs > most * features:
        room = f"at most {most * features // 2:,} pairs of {features:,} features with an influence of {max(0, most):,}"
        raise InputError(place="--outputs", expected=room, got=outputs)
    pairs = _circle(features, outputs, most)
    used = [0] * features
    for a, b in pairs:
        used[a] += 1
        used[b] += 1
    held = {frozenset(pair) for pair in pairs}

    def change(i: int, pair: tuple[int, int]) -> None:
        held.remove(frozenset(pairs[i]))
        held.add(frozenset(pair))
        pairs[i] = pair

    for _ in range(_SWAPS * outputs):
        i = random.randrange(outputs)
        a, b = pairs[i] if random.random() < 0.5 else pairs[i][::-1]
        if random.random() < 0.5:
            j = random.randrange(outputs)
            c, d = pairs[j] if random.random() < 0.5 else pairs[j][::-1]
            if len({a, b, c, d}) == 4 and not {frozenset((a, d)), frozenset((c, b))} & held:
                change(i, (a, d))
                change(j, (c, b))
        else:
            c = random.randrange(features)
            if used[c] < most and c not in (a, b) and frozenset((a, c)) not in held:
                change(i, (a, c))
                used[b] -= 1
                used[c] += 1
    names = random.sample(range(features), features)
    return np.array(sorted(sorted((names[a], names[b])) for a, b in pairs), dtype=np.int64)


def _circle(features: int, outputs: int, most: int) -> list[tuple[int, int]]:
    """The list of pairs that drawing begins with."""
    pairs = [(i, (i + step) % features) for step in range(1, most // 2 + 1) for i in range(features)]
    if most % 2:
        step, half = features // 2, features // 2  # opposite features; for an odd number a walk through all of them
        ends = range(half) if features % 2 == 0 else (2 * i * step % features for i in range(half))
        pairs += [(i, (i + step) % features) for i in ends]
    return pairs[:outputs]


def heavy_tailed(features: int, outputs: int, seed: int) -> Array:
    """Random distinct pairs of which a few features are in many.

    Feature number r, in an order that is drawn, has the weight (r + 1)^(-2/3); pairs are drawn one after the
    other, each with a chance in proportion to the product of its two weights, none twice. So about D^(-3/2) of all
    features are in more than D times as many pairs as the least: a power law of exponent 5/2.

    Args:
        features: m.
        outputs: m', how many pairs; every number of pairs that there are succeeds.
        seed: where chance comes from.

    Returns:
        int64 [outputs, 2], ascending.

    Raises:
        InputError: if there are not so many pairs.

    Source: ours. Where all pairs fit a table, the first m' of independent exponential clocks are taken, which is the
    same as drawing one after the other.
    """
    if not 1 <= outputs <= min(comb(features, 2), MOST_OUTPUTS):
        room = min(comb(features, 2), MOST_OUTPUTS)
        raise InputError(place="--outputs", expected=f"1 to {room:,} pairs of {features:,} features", got=outputs)
    random = stream(seed)
    weight = np.arange(1, features + 1) ** (-2 / 3)
    if comb(features, 2) <= _TABLED:
        first, second = np.triu_indices(features, 1)
        clocks = random.exponential(size=len(first)) / (weight[first] * weight[second])
        chosen = np.argpartition(clocks, outputs - 1)[:outputs]
        pairs = np.stack([first[chosen], second[chosen]], axis=1)
    else:
        ends = np.cumsum(weight)
        seen: dict[tuple[int, int], None] = {}
        while len(seen) < outputs:
            for a, b in np.searchsorted(ends, random.random_sample((outputs, 2)) * ends[-1]).tolist():
                if a != b and len(seen) < outputs:
                    seen[min(a, b), max(a, b)] = None
        pairs = np.array(list(seen), dtype=np.int64)
    named = np.sort(random.permutation(features)[pairs], axis=1)
    return np.asarray(named[np.lexsort((named[:, 1], named[:, 0]))], dtype=np.int64)


def of_edges(edges: Iterable[tuple[int, int]]) -> Array:
    """The pairs of a list, or of a networkx graph's `edges`, int64 [outputs, 2]; the smaller feature first.

    Raises:
        InputError: if there are none, or one is no pair of features or comes twice.
    """
    seen: dict[tuple[int, int], None] = {}
    for number, given in enumerate(edges):
        place, pair = f"pairs[{number}]", _features(given)
        if len(pair) != 2 or min(pair) < 0 or pair[0] == pair[1]:
            raise InputError(place=place, expected="two different features, numbered from 0", got=given)
        key = (min(pair), max(pair))
        if key in seen:
            raise InputError(place=place, expected="each pair once", got=pair)
        seen[key] = None
    if not 1 <= len(seen) <= MOST_OUTPUTS:
        raise InputError(place="pairs", expected=f"1 to {MOST_OUTPUTS:,} pairs", got=f"{len(seen):,}")
    return np.array(list(seen), dtype=np.int64)


def _features(given: object) -> list[int]:
    """What may be a pair, as Python's integers, numpy's among them; empty where it is none."""
    parts = list(given) if isinstance(given, Iterable) else []
    if any(isinstance(part, bool) or not hasattr(part, "__index__") for part in parts):
        return []
    return [index(part) for part in parts]


def read_pairs(file: Path) -> Array:
    """The pairs of a file: two features a line, with a space or a comma between them; `#` begins a comment.

    Raises:
        InputError: naming the line.
    """
    pairs: list[tuple[int, int]] = []
    places: list[int] = []
    for number, text in lines(file):
        words = text.replace(",", " ").split()
        got = text if re.fullmatch("[-0-9., ]+", text) else "another text"  # which may be another file's
        if len(words) != 2 or not all(word.isascii() and word.isdecimal() and len(word) < 10 for word in words):
            raise InputError(file=file, line=number, expected="two features such as `0 3`", got=got)
        pairs.append((int(words[0]), int(words[1])))
        places.append(number)
    try:
        return of_edges(pairs)
    except InputError as error:
        place = (error.place or "").removeprefix("pairs[").removesuffix("]")
        line = places[int(place)] if place.isdecimal() else None
        raise InputError(file=file, line=line, expected=error.expected, got=error.got) from error
