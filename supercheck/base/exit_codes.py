"""The exit codes of every verb: one table. Only 0 may pass a gate."""

from __future__ import annotations

from collections.abc import Iterable

PASSED = 0  # proved; of a gate, every spec as expected and every limit kept
FAILED = 1  # refuted; of a gate, not as expected
INPUT = 2  # bad input or usage
UNKNOWN = 3  # unknown, or interrupted
FAULT = 4  # an internal fault, or engines that disagree: never a verdict

GRAVITY = (FAULT, INPUT, FAILED, UNKNOWN, PASSED)
"""Which one wins where several things happened, the gravest first."""

OF_VERDICT = {"proved": PASSED, "refuted": FAILED, "unknown": UNKNOWN}


def gravest(codes: Iterable[int]) -> int:
    """The one code over several."""
    return min(codes, key=GRAVITY.index)
