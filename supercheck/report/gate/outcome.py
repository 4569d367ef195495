"""What a gate found out, as types: one judgement a spec, and the gate's own over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from supercheck.base.display import Shown
from supercheck.base.exit_codes import FAILED, PASSED, UNKNOWN, gravest

HOW = "activation and final in [network] say it"
"""What to do about what was taken for granted."""


@dataclass(frozen=True, repr=False)
class SpecOutcome:
    """What became of one spec.

    Attributes:
        file: the spec, as the user would write it.
        code: `PASSED`, or why it does not pass.
        expected: the verdict that the spec expects; None where it could not be read.
        verdict: "proved", "refuted" or "unknown"; None where there is none.
        reason: why it does not pass, in one line; None where it does.
        facts: what a reader needs to understand that, one line each.
        failed: limits and baseline figures that were not kept, one line each.
        cached: whether the verdict was found in the cache.
        seconds: how long it took.
        line: the line of the spec at which a report points.
        measured: margins and counts, where they were asked for.
        warnings: what went wrong without touching the verdict.
        assumptions: what a reader of the verdict has to know, one sentence each.
        assumed: what was taken for granted of activations, in few words; None where nothing was.
    """

    file: str
    code: int
    expected: str | None = None
    verdict: str | None = None
    reason: str | None = None
    facts: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    cached: bool = False
    seconds: float = 0.0
    line: int = 1
    measured: Measured | None = None
    warnings: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    assumed: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the verdict is the expected one, and every limit is kept."""
        return self.code == PASSED

    def __repr__(self) -> str:
        """The spec, and what became of it."""
        return f"<SpecOutcome {self.file}: {self.verdict or 'no verdict'}, code {self.code}>"

    @property
    def told(self) -> tuple[str, ...]:
        """Why it does not pass, each line once: the reason, what explains it, what was not kept."""
        lines = (*([] if self.reason is None else [self.reason]), *self.facts, *self.failed)
        return tuple(dict.fromkeys(lines))


@dataclass(frozen=True)
class Measured:
    """What a baseline remembers of a spec.

    Attributes:
        max_active: the k that was asked about.
        verdict: what came out.
        counts: neurons, edges and parameters, by name.
        margins: of each output, as exact text; None where it has none.
    """

    max_active: int
    verdict: str
    counts: Mapping[str, int]
    margins: tuple[str | None, ...]


@dataclass(frozen=True, repr=False)
class SuiteOutcome(Shown):
    """What became of all specs.

    Attributes:
        judgements: one a spec, in the order of their names; at least one.
        seconds: for all of them.
        warnings: what went wrong without touching any verdict.
    """

    judgements: Sequence[SpecOutcome]
    seconds: float
    warnings: tuple[str, ...] = ()

    @property
    def code(self) -> int:
        """The gravest code of any spec."""
        return gravest(one.code for one in self.judgements)

    @property
    def lenient(self) -> int:
        """The gravest code where a verdict that is not the expected one, or a limit not kept, is let through."""
        return gravest(PASSED if one.code == FAILED else one.code for one in self.judgements)

    @property
    def passed(self) -> bool:
        """Whether every spec passed."""
        return self.code == PASSED

    def count(self, code: int) -> int:
        """How many specs have a code."""
        return sum(one.code == code for one in self.judgements)


def conclusion(verdict: str, expect: str) -> int:
    """The code of a verdict beside the expected one."""
    return UNKNOWN if verdict == "unknown" else PASSED if verdict == expect else FAILED
