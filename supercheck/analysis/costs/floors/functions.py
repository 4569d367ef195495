"""Floors that hold for this one function: every network that computes it keeps to them.

They bound the neurons of the last hidden layer (for a network without one, what its readout reads), whatever
the weights and whatever lies before, or count edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import comb

import numpy as np

from supercheck.analysis.costs.floors.classes import and_arity
from supercheck.analysis.costs.floors.logs import surely_least
from supercheck.analysis.costs.floors.patterns import Patterns
from supercheck.base.matrix import Array
from supercheck.spec.formula import Formula, support

RANK_SOURCE = "equality: outputs and 1 lie in the span of 1 and the last layer (ours); rank modulo 2^31 - 1"
EPSILON_SOURCE = "rank of Hadamard powers of a near identity (after Alon; the form ours)"
SHATTER_SOURCE = "n affine forms shatter at most n outputs (Radon; the form ours)"
PATTERN_SOURCE = "cells of m' hyperplanes cut by an n-dimensional flat (Schlaefli; the form ours)"
EDGE_SOURCE = "each AND needs two edges that no other shares (ours)"

_PRIME = 2**31 - 1
_MOST_STEPS = 2 * 10**9  # multiplications of one elimination
_MOST_TRIED = 2 * 10**7  # patterns looked at for a shattered set
_BEAM = 64


def rank_floor(known: Patterns) -> int:
    """The least neurons of the last layer where y = f(x) exactly: rank([1, F]) - 1.

    Args:
        known: output vectors that occur; a part of them gives a floor that is still true.

    Source: ours. Each column of F is an affine form in the last layer. A rank modulo a prime, or of some of the
    rows and columns, is never too high.
    """
    alone, rows = len(_alone(known)), known.rows
    silent = bool((~rows.any(axis=1)).any())
    triangle = alone + silent - 1  # a triangle of rows (1, e_i), and (1, 0)
    if triangle == known.outputs:
        return triangle
    order = np.argsort(rows.sum(axis=1), kind="stable")
    width = known.outputs + 1
    most = min(len(order), _MOST_STEPS // width**2)
    if most < 1:
        return max(triangle, 0)
    table = np.ones((width, most), dtype=np.int64)
    table[1:] = rows[order[:most]].T
    return max(triangle, _rank(table) - 1)


def epsilon_floor(alone: int, within: Fraction) -> int:
    """The least neurons of the last layer where |y - f(x)| <= `within` < 1/2.

    Args:
        alone: N outputs, each the only one of them on for some input.
        within: the tolerated error.

    Returns:
        r - 1 for the least r with C(r + p - 1, p) >= N / (1 + (N - 1) e'^(2p)) for every p, e' = e / (1 - e).

    Source: ours, after Alon. On those inputs the outputs form an N x N matrix of rank at most r = n + 1 whose rows,
    divided by their diagonal, are near the identity; so are their p-th powers, entry by entry.
    """
    if not 0 <= within < Fraction(1, 2):
        raise ValueError("the error must be below 1/2")
    ratio = within / (1 - within)
    return surely_least(lambda neurons: _near_identity(alone, ratio, neurons + 1), alone)


def _near_identity(alone: int, ratio: Fraction, rank: int) -> bool:
    """Whether this rank allows such a matrix, as far as the bound tells."""
    if alone <= 1:
        return True
    if rank == 1:
        return False  # for large p the right side exceeds 1
    power = 1
    while (ways := comb(rank + power - 1, power)) < alone:
        if ways * (1 + (alone - 1) * ratio ** (2 * power)) < alone:
            return False
        power += 1
    return True


def alone(known: Patterns) -> int:
    """How many outputs are the only one on for some input."""
    return len(_alone(known))


def _alone(known: Patterns) -> set[int]:
    single = known.rows[known.rows.sum(axis=1) == 1]
    return set(single.argmax(axis=1).tolist())


def shattered(known: Patterns) -> tuple[int, ...]:
    """Outputs that take all 2^s combinations of values: a largest such set that a bounded search finds.

    Source: ours. Signs of s affine forms in n variables take all combinations only where s <= n, so the last layer
    has at least s neurons, whatever the thresholds.
    """
    rows, best = known.rows, tuple[int, ...]()
    beam: list[tuple[tuple[int, ...], Array]] = [((), np.zeros(len(rows), dtype=np.int64))]
    budget = _MOST_TRIED
    while beam:
        best, larger = beam[0][0], list[tuple[tuple[int, ...], Array]]()
        for chosen, code in beam[:_BEAM]:
            for output in range(chosen[-1] + 1 if chosen else 0, known.outputs):
                budget -= len(rows)
                if budget < 0:
                    return larger[0][0] if larger else best
                longer = 2 * code + rows[:, output]
                if np.count_nonzero(np.bincount(longer, minlength=2)) == 2 ** (len(chosen) + 1):
                    larger.append(((*chosen, output), longer))
        beam = larger
    return best


def pattern_floor(patterns: int, outputs: int) -> int:
    """The least n for which sum over j <= n of C(m', j) reaches the number of output patterns."""
    neurons, cells = 0, 1
    while cells < patterns:
        neurons += 1
        cells += comb(outputs, neurons)
    return neurons


def edge_floor(formulas: Sequence[Formula], max_active: int, neurons: int) -> int | None:
    """The least edges of one hidden layer of `neurons` neurons, no fixed codes, for distinct ANDs of one arity.

    Returns:
        #relevant features + 2 m' - c n, c = 1 where any two outputs can be on together (k >= 2q), else 2; None where
        the functions are not distinct ANDs of one arity q <= k.

    Source: ours. False for mixed arities, whose nested ANDs can share a neuron.
    """
    arity = and_arity(formulas)
    if arity is None or arity > max_active:
        return None
    relevant = len({feature for formula in formulas for feature in support(formula)})
    shared = 1 if max_active >= 2 * arity else 2
    return max(0, relevant + 2 * len(formulas) - shared * neurons)


def _rank(table: Array) -> int:
    """The rank modulo a prime, by elimination; destroys the table."""
    rank = 0
    for column in range(table.shape[1]):
        below = np.flatnonzero(table[rank:, column]) + rank
        if not len(below):
            continue
        pivot = below[0]
        table[[rank, pivot]] = table[[pivot, rank]]
        table[rank] = table[rank] * pow(int(table[rank, column]), -1, _PRIME) % _PRIME
        rest = np.flatnonzero(table[rank + 1 :, column]) + rank + 1
        if len(rest):
            table[rest] = (table[rest] - table[rest, column][:, None] * table[rank]) % _PRIME
        rank += 1
        if rank == len(table):
            break
    return rank
