"""Decide by one bound: the closed-form maximum of the relaxation over each case of inputs, and the input it points to.

Proves almost every right output of a sparse network, and refutes most wrong ones, in the time that it takes to read
their weights a few times. What it leaves open is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Decision
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.relaxation import relaxed


def decide(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[list[Decision]]:
    """Decide the given outputs, in `limits.workers` threads.

    Yields:
        One decision an output, a chunk of outputs at a time.
    """
    yield from relaxed(claims, outputs, 1, limits, clock, "the bound leaves it open")
