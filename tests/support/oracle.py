"""What the tests hold the tool against: plain Python, `fractions.Fraction`, and nothing of supercheck."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

Stored = list[tuple[list[list[Fraction]], list[Fraction], bool]]
"""Layers as (weight, bias, relu), first to last."""

Wrong = Callable[[Fraction, bool], bool]
"""Whether y is wrong where the function is on (True) or off (False)."""


def run(layers: Stored, x: Sequence[int | Fraction]) -> list[Fraction]:
    """Evaluate a network, one multiplication at a time."""
    h = [Fraction(value) for value in x]
    for weight, bias, relu in layers:
        z = [
            b + sum((w * v for w, v in zip(row, h, strict=True) if w and v), Fraction(0))
            for row, b in zip(weight, bias, strict=True)
        ]
        h = [max(value, Fraction(0)) for value in z] if relu else z
    return h


def inputs(features: int, k: int) -> Iterator[tuple[int, ...]]:
    """The active features of every input with at most k on, fewest first."""
    for size in range(min(k, features) + 1):
        yield from combinations(range(features), size)


@dataclass(frozen=True)
class Truth:
    """What brute force says: for each output the size of its smallest failure, or None; and its worst values."""

    smallest: list[int | None]
    highest_off: list[Fraction | None]
    lowest_on: list[Fraction | None]


def truth(
    layers: Stored, features: int, k: int, functions: Sequence[Callable[[frozenset[int]], bool]], wrong: Wrong | None
) -> Truth:
    """Evaluate everything. `wrong` None means mode separable: some off value is not below some on value."""
    count = len(functions)
    smallest: list[int | None] = [None] * count
    high: list[Fraction | None] = [None] * count
    low: list[Fraction | None] = [None] * count
    for active in inputs(features, k):
        y = run(layers, [int(j in active) for j in range(features)])
        for i, function in enumerate(functions):
            on = function(frozenset(active))
            lowest, highest = low[i], high[i]
            if on:
                low[i] = lowest = y[i] if lowest is None else min(lowest, y[i])
            else:
                high[i] = highest = y[i] if highest is None else max(highest, y[i])
            overlap = lowest is not None and highest is not None and highest >= lowest
            fails = wrong(y[i], on) if wrong else overlap
            if fails and smallest[i] is None:
                smallest[i] = len(active)
    return Truth(smallest, high, low)
