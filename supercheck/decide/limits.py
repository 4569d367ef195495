"""What a caller may limit, the clock that enforces it, and progress. Frozen values; nothing global."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from supercheck.errors import InputError, spelled
from supercheck.numerals import whole

if TYPE_CHECKING:
    from supercheck.decide.team import Team


@dataclass(frozen=True)
class Limits:
    """Limits of one run.

    Attributes:
        engine: "auto", or the one engine to use.
        timeout: seconds for everything after loading, or None.
        workers: how many processes may solve at once.
        margins: whether to find every output's exact worst value of each class.
        largest_k: whether to find the largest sparsity at which each output is right.
        cross_check: how many of the outputs that other engines decided Z3 decides once more.
        reproducer: where a disagreement of engines is saved.
        nodes: what branch and bound may spend on each case of an output.
        memory: bytes of address space for each solver process; None: three quarters of the machine's memory, shared.
        team: who decides batches of outputs in the engines' place; None: nobody, the engines run here.
    """

    engine: str = "auto"
    timeout: float | None = None
    workers: int = os.cpu_count() or 1
    margins: bool = False
    largest_k: bool = False
    cross_check: int = 0
    reproducer: Path = Path("supercheck-disagreement.toml")
    nodes: int = 1 << 18
    memory: int | None = None
    team: Team | None = None

    def __post_init__(self) -> None:
        """Refuse limits that cannot be kept."""
        seconds = self.timeout
        if seconds is not None and not (type(seconds) in (int, float) and 0 < seconds < float("inf")):
            raise InputError(place="timeout", expected="seconds above 0", got=spelled(seconds, repr))
        for key, least in (("workers", 1), ("nodes", 1), ("cross_check", 0), ("memory", 1)):
            value = getattr(self, key)
            if key != "memory" or value is not None:
                object.__setattr__(self, key, whole(value, key, least))
        kinds: dict[str, tuple[Any, str]] = {"engine": (str, "a name"), "reproducer": ((str, Path), "a file")}
        kinds |= dict.fromkeys(("margins", "largest_k"), (bool, "True or False"))
        for key, (kind, expected) in kinds.items():
            if not isinstance(getattr(self, key), kind):
                raise InputError(place=key, expected=expected, got=spelled(getattr(self, key), repr))
        object.__setattr__(self, "reproducer", Path(self.reproducer))


_LONGEST = 1e9  # seconds: what a system's own timers can still count

Progress = Callable[[int, int, str], None]
"""Called with how many are done, of how many, and of what: "outputs" or "inputs"."""


def quiet(_done: int, _total: int, _what: str) -> None:
    """Report no progress."""


@dataclass(frozen=True)
class Clock:
    """A deadline, why it is one, and who wants to know how far the work is."""

    timeout: float | None
    end: float
    progress: Progress = quiet

    @classmethod
    def start(cls, timeout: float | None, progress: Progress = quiet) -> Clock:
        """Start counting now."""
        seconds = float("inf") if timeout is None else min(timeout, _LONGEST)
        return cls(timeout, time.monotonic() + seconds, progress)

    @property
    def left(self) -> float:
        """Seconds left; at least 0."""
        return max(0.0, self.end - time.monotonic())

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return self.left == 0.0

    @property
    def reason(self) -> str:
        """Why an output is unknown after the deadline."""
        return f"timeout after {self.timeout:g} s"
