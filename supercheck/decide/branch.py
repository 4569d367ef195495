"""Decide by branch and bound: features are fixed, the greatest coefficient's first, until every part is bounded.

Depth first, so that memory is that of one path, and deterministic: what may be spent on an output is a number of
nodes, never seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Decision, Unknown
from supercheck.decide.engines import Price, by_nodes
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.relaxation import relaxed

EXPECTED = 1 << 5
"""Nodes that branching is expected to need for each case of an output: most need few, a few need thousands."""

FEW = 1 << 10
"""Nodes for each case of an output that all of them get before any gets more."""


def price(claims: Claims, outputs: Sequence[int], limits: Limits) -> Price:
    """What branching is expected to cost."""
    return by_nodes(claims, outputs, min(EXPECTED, limits.nodes))


def decide(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[list[Decision]]:
    """Decide the given outputs, in `limits.workers` threads.

    Yields:
        One decision an output, a chunk of outputs at a time; unknown where `limits.nodes` are spent.
    """
    left: list[int] = []
    for cap in sorted({min(FEW, limits.nodes), limits.nodes}):
        reason = f"{cap:,} nodes of branch and bound leave it open"
        asked, left = (left if cap > FEW else outputs), []
        for decisions in relaxed(claims, asked, cap, limits, clock, reason):
            open_ = {
                d.output for d in decisions if isinstance(d, Unknown) and d.reason == reason and cap < limits.nodes
            }
            left += open_
            yield [d for d in decisions if d.output not in open_]
