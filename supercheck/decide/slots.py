"""Decide networks with one hidden layer by the slot rule: a bound that knows how few features may still come.

`kernels/slot_search.c` has the rule and the search; `slot_layout.py` says why its doubles decide integers. Depth first
and deterministic: what may be spent on an output is a number of nodes, never seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from supercheck.base.matrix import Array
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Decision, Unknown
from supercheck.decide.engines import Price
from supercheck.decide.kernels.slots import Asked, Memory, search
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.relaxation import (
    TOO_MANY_CASES,
    TOO_WIDE,
    Answers,
    _Chunk,
    _chunks,
    _compared,
    _measured,
    goals_of,
)
from supercheck.decide.slot_layout import TOO_LARGE, Layout
from supercheck.decide.threads import in_threads

FEW = 1 << 8
"""Nodes for each case of an output that all of them get before any gets more."""


NODE = 20
"""Multiplications that a node costs for each weight of a cone, all cases of an output together."""

EXPECTED = 8
"""Nodes that are expected for each case of an output: most need one or two."""


def price(claims: Claims, outputs: Sequence[int], limits: Limits) -> Price:
    """What the search is expected to cost."""
    weights = claims.network.weights[np.asarray(outputs, dtype=np.int64)]
    return Price((NODE * min(EXPECTED, limits.nodes) * np.maximum(1.0, weights)).tolist())


def decide(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[list[Decision]]:
    """Decide the given outputs, in `limits.workers` threads.

    Yields:
        One decision an output, a chunk of outputs at a time; unknown where `limits.nodes` are spent.
    """
    layout = Layout.of(claims)
    if isinstance(layout, str):
        yield [Unknown(i, layout) for i in outputs]
        return
    left, large = layout.parted(outputs)
    yield [Unknown(i, TOO_LARGE) for i in large.tolist()]
    for cap in sorted({min(FEW, limits.nodes), limits.nodes}):
        last, reason = cap == limits.nodes, f"{cap:,} nodes of the slot rule leave it open"
        unanswered, open_ = dict.fromkeys(left.tolist()), list[int]()
        for answers in ask(claims, layout, left, cap, limits, clock):
            for i in answers.outputs.tolist():
                del unanswered[i]
            decisions = _decisions(claims, layout, answers, reason, limits.margins or claims.separable)
            again = {d.output for d in decisions if isinstance(d, Unknown) and d.reason == reason and not last}
            open_ += again
            yield [d for d in decisions if d.output not in again]
        why = clock.reason if clock.timeout is not None and clock.over else TOO_MANY_CASES
        yield [Unknown(i, why) for i in unanswered]
        left = np.array(sorted(open_), dtype=np.int64)


def _decisions(claims: Claims, layout: Layout, answers: Answers, reason: str, optimised: bool) -> list[Decision]:
    """What the answers say of each output: here, and nowhere else, decisions are made."""
    decisions = _measured(claims, answers, reason) if optimised else _compared(answers, reason)
    wide = layout.wide
    return [Unknown(d.output, TOO_WIDE) if isinstance(d, Unknown) and wide[d.output] else d for d in decisions]


def ask(claims: Claims, layout: Layout, outputs: Array, cap: int, limits: Limits, clock: Clock) -> Iterator[Answers]:
    """Put the claims of some outputs to the compiled search, in threads.

    Args:
        claims: the question.
        layout: its network laid out.
        outputs: which outputs.
        cap: nodes for each output, case and side.
        limits: workers, and whether margins are wanted: the extreme values of each class instead of the goals.
        clock: the deadline; what it leaves is not answered.

    Yields:
        Answers for a chunk of outputs each; none for outputs whose function has too many cases.
    """
    slots, optimise = layout.slots, limits.margins or claims.separable

    def run(chunk: _Chunk, memory: Memory) -> Answers:
        goals = goals_of(claims, chunk.outputs, layout.flat, optimise)
        cases = len(chunk.cases.values)
        asked = Asked.of(chunk.outputs, chunk.supports, goals, cases, slots.max_active, cap, optimise=optimise)
        search(layout.flat, slots, memory, chunk.cases, asked)
        plain = np.zeros(len(asked.outputs), dtype=np.bool_)
        return Answers(asked.outputs, asked.status, asked.sizes, asked.witnesses, asked.visits, plain)

    own = partial(layout.memory, outputs)
    yield from in_threads(run, _chunks(claims, outputs.tolist(), limits.workers, clock), own, limits.workers, clock)
