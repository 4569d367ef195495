"""Where the network stands as sparsity grows: one row for each k."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import accumulate
from math import comb

import numpy as np

from supercheck.analysis.explore.failures import Failing, margins
from supercheck.analysis.explore.result import Case, Count, Row
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Counterexample
from supercheck.decide.engines import searcher
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.portfolio import settle
from supercheck.spec.domain import KSparse

MOST_MARGINS = 100_000
"""Outputs times rows of a profile up to which margins are looked for where inputs are too many to enumerate."""

_NODES = 1 << 8  # of branch and bound for each case of an output's margins at one k


def counted(claims: Claims, swept: Failing, cases: Sequence[Case], *, proved: bool) -> list[Row]:
    """The profile by enumeration: every figure exact, as far as the sweep came, and then "at least".

    Where everything is proved nothing fails at any k, however far the sweep came; it adds the margins.

    Args:
        claims: the question.
        swept: the sweep.
        cases: counterexamples, maybe some from where the sweep did not come to.
        proved: whether every output is proved to be right in real arithmetic.
    """
    features, levels = claims.network.features, len(swept.wrong)
    rows, wrong, at = [], 0, np.zeros(len(swept.outputs), dtype=bool)
    for k in range(claims.cube.max_active + 1):
        reached = swept.done or k < levels
        exact = reached or proved
        exactly = swept.wrong_exactly(k, features)
        if not exact:
            exactly = max(exactly, len({case.active for case in cases if len(case.active) == k}))
            at |= np.isin(swept.outputs, [case.output for case in cases if len(case.active) == k])
        wrong += exactly
        if k < levels:
            at |= swept.wrong_outputs[k]
        on, off = swept.margins[min(k, levels - 1)] if reached else (None, None)
        inputs, outputs = Count(wrong, exact), Count(int(at.sum()), exact)
        rows.append(
            Row(k, KSparse(features, k).size, inputs, outputs, on, off, comb(features, k), Count(exactly, exact))
        )
    return rows


def bounded(
    claims: Claims, smallest: Mapping[int, tuple[Counterexample, bool]], *, open_: bool, limits: Limits, clock: Clock
) -> list[Row]:
    """The profile where inputs are too many to enumerate: wrong outputs by their smallest counterexamples.

    Args:
        claims: the question.
        smallest: for each refuted output a counterexample, and whether it is proved to be a smallest one.
        open_: whether some output is neither proved nor refuted.
        limits: workers.
        clock: the deadline, past which margins are not looked for.
    """
    rows, features = [], claims.network.features
    known = all(proved for _, proved in smallest.values()) and not open_
    measured = len(claims) * (claims.cube.max_active + 1) <= MOST_MARGINS
    least = _failing_at_least(claims, [example for example, _ in smallest.values()])
    for k, total in zip(range(claims.cube.max_active + 1), accumulate(least), strict=True):
        outputs = Count(sum(example.size <= k for example, _ in smallest.values()), known)
        none = known and not outputs.value
        wrong, exactly = (None, None) if claims.separable else (Count(total, none), Count(least[k], none))
        found = measured and not clock.over
        on, off = _margins(claims.at_most(k), limits, clock) if found else (None, None)
        rows.append(Row(k, KSparse(features, k).size, wrong, outputs, on, off, comb(features, k), exactly))
    return rows


def _failing_at_least(claims: Claims, found: Sequence[Counterexample]) -> list[int]:
    """For each k how many inputs with exactly k features on are certain to fail.

    Source: ours. Features that neither the output nor its function depends on may be on or off; of what the
    counterexamples of different outputs give, the most is counted, or how many differ.
    """
    features, most = claims.network.features, claims.cube.max_active
    certain = [len({one.active for one in found if one.size == k}) for k in range(most + 1)]
    for one in found if not claims.separable else ():
        others = features - len(claims.features([one.output]))
        for k in range(one.size, most + 1):
            certain[k] = max(certain[k], comb(others, k - one.size))
    return certain


def _margins(claims: Claims, limits: Limits, clock: Clock) -> tuple[Fraction | None, Fraction | None]:
    """Both margins over all outputs; None where bounds do not find every output's quickly."""
    quick = Limits(engine=searcher(claims).name, nodes=_NODES, workers=limits.workers)
    found = settle(claims, range(len(claims)), quick, clock, margins=True)
    worst = [result.extremes for result in found.values() if result.extremes is not None]
    return margins(claims, worst) if len(worst) == len(claims) else (None, None)
