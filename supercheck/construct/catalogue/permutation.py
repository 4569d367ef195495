"""The neural permutation: features in another order, carried through fewer numbers than there are features."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from random import Random

import numpy as np

from supercheck.base.errors import FaultError, InputError
from supercheck.base.matrix import Array, Rows
from supercheck.construct.layers import readout
from supercheck.construct.request import Built, Request, claim, domain_of
from supercheck.decide.limits import Clock
from supercheck.spec.formula import Var

MOST = 1 << 12  # features: their products are dense
_BITS = 12  # of a weight, its sign included
_ROUNDS = 30  # of projections, before a width counts as too small
_NEAR = 0.9  # of the size at which k numbers of an off output meet the 1 of an on output less k - 1 of them
_STEPS = 64  # parts of the features into which the width is searched, unless the smallest is wanted


def permutation(wanted: Request) -> Built:
    """y_i = x_p(i) for a random p: a fixed code of +1 and -1, an inner n x n layer, and the code turned over.

    Only the inner layer depends on p. It has no ReLU, so there are no neurons: n is the width, and `neurons` asks for
    it.

    Guarantee: right at k, at one threshold for all outputs; all numbers are whole or dyadic, of at most 12 bits.
    Cost: width n, 0 neurons, n^2 edges; 256 for 1,024 features at k = 2.
    Source: Adler and Shavit, arXiv 2409.15318, neural permutation; the code and the way to the inner layer are ours.
    The code's n rows are rows of a Hadamard matrix, its columns some of its columns. The inner layer begins as the
    least squares solution, and is projected in turn onto the matrices that have ones at the places of p and small
    numbers elsewhere, and back onto those that the code allows, until an output's top-k sums leave a threshold between
    them. That is tested once all is rounded.
    """
    wanted.only("features", "neurons", "smallest", "seed")
    features = wanted.features
    if features is None or features > MOST:
        expected = f"how many features are permuted, at most {MOST:,}"
        raise InputError(place="--features", expected=expected, got=features or "none")
    domain = domain_of(features, wanted.max_active)
    random = Random(wanted.seed)
    order = np.array(random.sample(range(features), features))
    rows, columns = (np.array(random.sample(range(1 << (features - 1).bit_length()), features)) for _ in range(2))
    question = _Question(order, _signs(rows, columns), domain.max_active, wanted.clock)
    found = question.fit(wanted.neurons or features)
    if wanted.neurons is not None and (wanted.neurons > features or found is None):
        got = f"{wanted.neurons:,}, at which none was found"
        raise InputError(place="--neurons", expected=f"a width up to {features:,} that is enough", got=got)
    if found is None:
        raise FaultError("as wide as there are features, the inner layer is the permutation, and it was not found")
    if wanted.neurons is None:
        found = _narrowed(question, found, 1 if wanted.smallest else max(1, features // _STEPS))
    formulas = [Var(j) for j in order.tolist()]
    inner = readout(Rows.from_dense(found.inner))
    return Built(
        (inner,),
        claim(features, wanted.max_active, formulas, found.at),
        {"features": features, "width": len(found.code), "weights": f"dyadics of at most {_BITS} bits"},
        encoder=readout(Rows.from_dense(found.code)),
        decoder=readout(Rows.from_dense(np.ascontiguousarray(found.code.T))),
    )


@dataclass(frozen=True, eq=False)
class _Fit:
    """A code [n, m], an inner layer [n, n] and a threshold that are right together."""

    code: Array
    inner: Array
    at: Fraction


@dataclass(frozen=True, eq=False)
class _Question:
    """A permutation, the rows of which a code takes the first, k, and when to end."""

    order: Array
    rows: Array
    max_active: int
    clock: Clock

    def fit(self, width: int) -> _Fit | None:
        """A network of that width, if one is found in time."""
        features = len(self.order)
        own = np.arange(features)
        if width >= features:
            inner = np.zeros((features, features), dtype=np.int64)
            inner[own, self.order] = 1
            return _Fit(np.eye(features, dtype=np.int64), inner, Fraction(1, 2))
        code = self.rows[:width]
        basis, triangle = np.linalg.qr(code.T.astype(np.float64))
        if np.abs(np.diagonal(triangle)).min() < 1e-6:  # rows that depend on each other
            return None
        back = np.linalg.inv(triangle)
        inner = basis[self.order].T @ basis  # of orthonormal rows, as everything in between
        small = _NEAR / max(1, 2 * self.max_active - 1)
        for _ in range(_ROUNDS):
            if self.clock.over:
                break
            table = basis @ inner @ basis.T
            on = table[own, self.order].copy()
            if _gap(table, self.order, self.max_active) > 0:
                found = self._rounded(code, back @ inner @ back.T, table)
                if found is not None:
                    return found
            goal = np.clip(table, -small, small)
            goal[own, self.order] = np.maximum(on, 1)
            inner += 1.5 * min(features / width, 4) * (basis.T @ (goal - table) @ basis)
        return None

    def _rounded(self, code: Array, inner: Array, table: Array) -> _Fit | None:
        """The same in whole numbers and dyadics, read at 1/2 where that is right, if anything still is."""
        off, on = _interval(table, self.order, self.max_active)
        inner = inner / (on + off)  # the middle comes to 1/2
        power = _BITS - 1 - int(np.frexp(np.abs(inner).max())[1])
        whole = np.rint(np.ldexp(inner, power))
        sums = code.T.astype(np.float64) @ whole @ code  # whole numbers below 2^53: n^2 2^11
        low, high = (
            Fraction(int(value)) / Fraction(2) ** power for value in _interval(sums, self.order, self.max_active)
        )
        if low >= high:
            return None
        half = Fraction(1, 2)
        return _Fit(code, np.ldexp(whole, -power), half if low <= half < high else (low + high) / 2)


def _signs(rows: Array, columns: Array) -> Array:
    """A part of Sylvester's Hadamard matrix, int64 [rows, columns]: -1 to the number of ones that i and j share."""
    common: Array = rows[:, None] & columns
    for shift in (16, 8, 4, 2, 1):
        common = common ^ common >> shift
    return 1 - 2 * (common & 1)


def _interval(table: Array, order: Array, max_active: int) -> tuple[float, float]:
    """The largest value of any output that should be off, the smallest of any that should be on: top-k sums of rows."""
    own = np.arange(len(order))
    others = table.copy()
    others[own, order] = 0
    most, fewer = min(max_active, len(order) - 1), max(0, max_active - 1)
    top = -np.partition(-np.maximum(others, 0), most, axis=1)[:, :most]
    low = np.partition(np.minimum(others, 0), fewer, axis=1)[:, :fewer]
    return float(top.sum(axis=1).max()), float((table[own, order] + low.sum(axis=1)).min())


def _gap(table: Array, order: Array, max_active: int) -> float:
    off, on = _interval(table, order, max_active)
    return on - off


def _narrowed(question: _Question, found: _Fit, step: int) -> _Fit:
    """The narrowest network that halving the interval of widths finds in time."""
    low = 0
    while len(found.code) - low > step and not question.clock.over:
        middle = (low + len(found.code)) // 2
        better = question.fit(middle)
        if better is None:
            low = middle
        else:
            found = better
    return found
