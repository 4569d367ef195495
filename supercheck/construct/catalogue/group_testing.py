"""ANDs from sets that share little: group tests, which know every AND of every arity, and sum - 1 on a design."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain, combinations
from math import comb
from random import Random

import numpy as np

from supercheck.base.errors import InputError
from supercheck.base.matrix import Array, Rows
from supercheck.base.numbers import plural
from supercheck.construct.designs import disjunct, incidence, reed_solomon, steiner, steiner_points
from supercheck.construct.layers import MOST_EDGES, hidden, placed, readout
from supercheck.construct.pairs import listed
from supercheck.construct.request import PAIRS, Built, Request, claim
from supercheck.spec.formula import gate
from supercheck.spec.spec import MOST_OUTPUTS

_SETS = 1 << 12  # features: the matrices are dense while they are sought


def group_testing(wanted: Request) -> Built:
    """A neuron is a test, ReLU(1 - B x): 1 if no feature of its group is on, else 0; an AND is on if none of its is 1.

    Guarantee: right at k for ANDs of any arity, all at the threshold -1/2: where a feature of the AND is off, a
    k-disjunct B has a test of that feature that none of the k that are on is in, so the output is at most -1; else it
    is 0.
    Cost: as many neurons as B has rows, O(k^2 log^2 m); each feature and each output has an edge for every one of its
    tests.
    Source: Kautz and Singleton, Nonrandom binary superimposed codes, 1964; as a network ours. The best of each feature
    its own test, Reed-Solomon, Steiner triple systems (k = 2) and greed.
    """
    features, tuples = _tuples(wanted)
    matrix, name = disjunct(_bounded(features), max(1, wanted.max_active), Random(wanted.seed), wanted.clock)
    tests = Rows.from_dense(matrix)
    negative = tests.holding(-tests.data)
    formulas = [gate("and", part) for part in tuples]
    spec = claim(features, wanted.max_active, formulas, Fraction(-1, 2))
    weight = int(matrix.sum(axis=0).max())
    _check_edges(sum(map(len, tuples)) * weight)
    unions = [np.flatnonzero(matrix[:, part].any(axis=1)) for part in tuples]
    rows = np.repeat(np.arange(len(tuples)), [len(union) for union in unions])
    columns = np.concatenate(unions)
    last = placed([(rows, columns, np.full(len(rows), -1, dtype=np.int64))], len(tuples), len(matrix))
    return Built((hidden(negative, 1), readout(last)), spec, {"matrix": name})


def design(wanted: Request) -> Built:
    """A neuron is a point of a design, ReLU(sum - 1) over the features whose sets do not hold it.

    With two on, it says whether the point is in neither of their sets. An output listens to the points outside the
    union of its two sets: all of them fire for this pair; for any other pair one does not, for no set lies in the
    union of two others.

    Guarantee: right at every k up to 2; the output is 1 or at most 0.
    Cost: n = v neurons for at most v (v - 1) / 6 features, v = 1 or 3 modulo 6; a Steiner triple system on 19 points
    does all 1,596 ANDs of 57 features. For 13 to 16 features 12: the lines of three directions in the affine plane of
    order 4.
    Source: Bose 1939, Skolem 1958 for the designs; the network ours.
    """
    wanted.only(*PAIRS)
    if wanted.max_active > 2:
        raise InputError(place="-k", expected="at most 2, for sum - 1 knows pairs", got=wanted.max_active)
    features, pairs = listed(wanted)
    matrix, name = _design(_bounded(features))
    _check_edges(len(matrix) * len(pairs))
    outside = 1 - matrix
    channels = (outside[:, pairs[:, 0]] * outside[:, pairs[:, 1]]).T
    first = hidden(Rows.from_dense(outside), -1)
    last = readout(Rows.from_dense(channels), 1 - channels.sum(axis=1))
    formulas = [gate("and", pair) for pair in pairs.tolist()]
    return Built((first, last), claim(features, wanted.max_active, formulas, Fraction(1, 2)), {"design": name})


def _design(features: int) -> tuple[Array, str]:
    """The smaller of a Steiner triple system and three directions of an affine plane, int64 [points, features]."""
    points = steiner_points(features)
    triples = incidence(steiner(points)[:features], points)
    plane, _ = reed_solomon(features, 2)
    if plane[:, 0].sum() == 3 and len(plane) < points:
        return plane, f"three directions of the affine plane of order {len(plane) // 3}"
    return triples, f"Steiner triple system on {plural(points, 'point')}"


def _bounded(features: int) -> int:
    if features > _SETS:
        raise InputError(place="--features", expected=f"at most {_SETS:,}", got=f"{features:,}")
    return features


def _check_edges(edges: int) -> None:
    if edges > MOST_EDGES:
        raise InputError(place="--outputs", expected=f"at most {MOST_EDGES:,} edges to the outputs", got=f"{edges:,}")


def _tuples(wanted: Request) -> tuple[int, list[tuple[int, ...]]]:
    """The features, and those of each AND: the pairs that are asked for, or all tuples of some arities."""
    if wanted.arity == (2,):
        wanted.only(*PAIRS)
        features, pairs = listed(wanted)
        return features, [(a, b) for a, b in pairs.tolist()]
    wanted.only("features", "arity", "seed")
    if wanted.features is None:
        raise InputError(place="--features", expected="how many features there are", got="none")
    features, most = wanted.features, max(wanted.arity)
    if most > features:
        raise InputError(place="--arity", expected=f"at most {features:,}, the number of features", got=most)
    if sum(comb(features, arity) for arity in wanted.arity) > MOST_OUTPUTS:
        raise InputError(place="--arity", expected=f"at most {MOST_OUTPUTS:,} ANDs", got="more")
    return features, list(chain.from_iterable(combinations(range(features), arity) for arity in wanted.arity))
