"""Decide by branch and bound: features are fixed, the greatest coefficient's first, until every part is bounded.

Depth first, so that memory is that of one path, and deterministic: what may be spent on an output is a number of
nodes, never seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from supercheck.claims import Claims
from supercheck.decide import relaxation
from supercheck.decide.limits import Clock, Limits
from supercheck.evidence import Decision

NAME = "branch"

FEW, MANY = 1 << 10, 1 << 20
"""Nodes for each case of an output: first few for all of them, then many for those that need them."""


def decide(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[list[Decision]]:
    """Decide the given outputs, in `limits.workers` threads.

    Yields:
        One decision an output, a chunk of outputs at a time.
    """
    left: list[int] = []
    for cap in (FEW, MANY):
        reason = f"{cap:,} nodes of branch and bound leave it open"
        asked, left = (outputs if cap == FEW else left), []
        for decisions in relaxation.decide(claims, asked, cap, limits, clock, reason):
            open_ = {d.output for d in decisions if d.reason == reason and cap < MANY}
            left += open_
            yield [d for d in decisions if d.output not in open_]
