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
from supercheck.claims.evidence import Decision, Verdict
from supercheck.decide.flatten import lay_out
from supercheck.decide.kernels.arrays import WRAP, Flat
from supercheck.decide.kernels.slots import LANES, Asked, Memory, Slots, search
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
)  # fmt: skip
from supercheck.decide.slot_layout import MOST_CELLS, lay_out_slots, memory_for, sizes
from supercheck.decide.threads import threaded

NAME = "slots"

FEW = 1 << 8
"""Nodes for each case of an output that all of them get before any gets more."""

ONE_LAYER = "the slot rule is for networks with one hidden layer"
TOO_LARGE = "its cone is too large to be laid out"


def decide(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[list[Decision]]:
    """Decide the given outputs, in `limits.workers` threads.

    Yields:
        One decision an output, a chunk of outputs at a time; unknown where `limits.nodes` are spent.
    """
    flat = lay_out(claims.network) if len(claims.network.hidden) == 1 else None
    if flat is None:
        why = ONE_LAYER if len(claims.network.hidden) != 1 else TOO_WIDE
        yield [Decision(i, Verdict.UNKNOWN, why) for i in outputs]
        return
    left = np.asarray(outputs, dtype=np.int64)
    if not (slots := lay_out_slots(claims.network, flat, claims.domain.max_active)).stride:
        widths, counts = sizes(claims.network)
        large = widths[left] * (counts[left] + LANES) > MOST_CELLS
        yield [Decision(i, Verdict.UNKNOWN, TOO_LARGE) for i in left[large].tolist()]
        left = left[~large]
    wide = (slots.near >= WRAP) | (flat.slack[: flat.starts[1]].max(initial=0) >= WRAP)  # nor do 64 more bits tell
    for cap in sorted({min(FEW, limits.nodes), limits.nodes}):
        reason = f"{cap:,} nodes of the slot rule leave it open"
        open_: list[int] = []
        answered = dict.fromkeys(left.tolist())
        for answers in ask(claims, flat, slots, left, cap, limits, clock):
            decided = _decisions(claims, answers, reason, wide, optimised=limits.margins or claims.separable)
            again = {d.output for d in decided if d.reason == reason and cap < limits.nodes}
            open_ += again
            for i in answers.outputs.tolist():
                del answered[i]
            yield [d for d in decided if d.output not in again]
        why = clock.reason if clock.timeout is not None and clock.over else TOO_MANY_CASES
        yield [Decision(i, Verdict.UNKNOWN, why) for i in answered]
        left = np.array(sorted(open_), dtype=np.int64)


def _decisions(claims: Claims, answers: Answers, reason: str, wide: Array, *, optimised: bool) -> list[Decision]:
    """What the answers say of each output: here, and nowhere else, decisions are made."""
    decided = _measured(claims, answers, reason) if optimised else _compared(answers, reason)
    return [d._replace(reason=TOO_WIDE) if d.verdict is Verdict.UNKNOWN and wide[d.output] else d for d in decided]


def ask(
    claims: Claims, flat: Flat, slots: Slots, outputs: Array, cap: int, limits: Limits, clock: Clock
) -> Iterator[Answers]:
    """Put the claims of some outputs to the compiled search, in threads.

    Args:
        claims: the question.
        flat: its network laid out for all compiled loops.
        slots: the same for the slot rule.
        outputs: which outputs.
        cap: nodes for each output, case and side.
        limits: workers, and whether margins are wanted: the extreme values of each class instead of the goals.
        clock: the deadline; what it leaves is not answered.

    Yields:
        Answers for a chunk of outputs each; none for outputs whose function has too many cases.
    """
    own = partial(memory_for, claims.network, slots, outputs)
    optimise = limits.margins or claims.separable

    def run(chunk: _Chunk, memory: Memory) -> Answers:
        goals = goals_of(claims, chunk.outputs, flat, optimise)
        cases = len(chunk.cases.values)
        asked = Asked.of(chunk.outputs, chunk.supports, goals, cases, slots.max_active, cap, optimise=optimise)
        search(flat, slots, memory, chunk.cases, asked)
        plain = np.zeros(len(asked.outputs), dtype=np.bool_)
        return Answers(asked.outputs, asked.status, asked.sizes, asked.witnesses, asked.visits, plain)

    yield from threaded(run, _chunks(claims, outputs.tolist(), limits.workers, clock), own, limits.workers, clock)
