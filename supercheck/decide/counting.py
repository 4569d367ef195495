"""On how many inputs of the domain each output is wrong: `--count`.

A proved output is wrong on none. Refuted ones are counted by the slot rule's search, which looks only where inputs may
be wrong, or by evaluating every input where that is affordable. An output that was left open stays so: its count must
not say what its verdict does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Verdict, WrongInputs
from supercheck.claims.result import OutputResult
from supercheck.decide.enumeration import cost
from supercheck.decide.limits import Clock, DeadlineError, Limits
from supercheck.decide.slot_counts import failures, sets
from supercheck.decide.sweep import Sheet

MOST_WORK = 10**11
"""Multiplications that evaluating every input may cost: some tens of seconds."""


def counted(
    claims: Claims, results: Mapping[int, OutputResult], limits: Limits, clock: Clock
) -> dict[int, WrongInputs]:
    """For each output on how many inputs it is wrong; nothing in a mode in which no input is wrong by itself.

    Args:
        claims: the question.
        results: what is known of its outputs.
        limits: workers and nodes.
        clock: the deadline; what it leaves is open from above.
    """
    if claims.separable or claims.binary is None:
        return {}
    binary = claims.binary
    found = {i: WrongInputs(0, 0) for i, one in results.items() if one.verdict is Verdict.PROVED}
    left = [i for i, one in results.items() if one.verdict is Verdict.REFUTED]
    for counts in failures(binary, left, replace(limits, margins=False), clock) if left else ():
        found.update({i: WrongInputs(count, count) for i, count in counts.items() if count is not None})
    left = [i for i in left if i not in found]
    if left and cost(binary, left) <= MOST_WORK:
        found.update(_swept(binary, left, clock))
    open_ = {i: int(one.verdict is Verdict.REFUTED) for i, one in results.items() if i not in found}
    return {**found, **{i: WrongInputs(least, claims.domain.size) for i, least in open_.items()}}


def _swept(claims: Claims, outputs: Sequence[int], clock: Clock) -> Iterable[tuple[int, WrongInputs]]:
    """The same by evaluating every input of the features that matter; the others are counted."""
    sheet, domain = Sheet(claims, tuple(outputs), clock), claims.cube
    others, levels = domain.features - len(sheet.features), domain.restricted(len(sheet.features)).levels
    wrong = [0] * len(outputs)
    try:
        for level in range(levels):
            choices = sets(others, domain.max_active - level)
            for block in sheet.batches(level):
                sheet.check_clock()
                for place, count in enumerate(np.count_nonzero(block.failing, axis=1).tolist()):
                    wrong[place] += count * choices
    except DeadlineError:
        return []
    return [(i, WrongInputs(count, count)) for i, count in zip(outputs, wrong, strict=True)]
