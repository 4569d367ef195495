"""What a caller may limit, the clock that enforces it, and progress. Frozen values; nothing global."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from supercheck.base.errors import InputError, OverdueError, spelled
from supercheck.base.numbers import whole
from supercheck.base.system import interrupted_after

if TYPE_CHECKING:
    from supercheck.claims.claims import Claims
    from supercheck.claims.evidence import Decision


Progress = Callable[[int, int, str], None]
"""Called with how many are done, of how many, and of what: "outputs" or "inputs"."""


def quiet(_done: int, _total: int, _what: str) -> None:
    """Report no progress."""


class Pool(Protocol):
    """Who decides batches of outputs in the engines' place; `workers/pool.py` has the one there is."""

    def knows(self, claims: Claims) -> bool:
        """Whether a question is the pool's own."""

    def spread(
        self, engine: Any, claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock
    ) -> Iterator[list[Decision]]:
        """Have outputs decided in batches by an engine."""


@dataclass(frozen=True)
class Limits:
    """Limits of one run.

    Attributes:
        engine: "auto", or the one engine to use.
        timeout: seconds for everything, or None.
        begun: since when, on the monotonic clock; None: since they are first asked for.
        workers: how many processes may solve at once.
        margins: whether to find every output's exact worst value of each class.
        count: whether to count the inputs on which each output is wrong.
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
    team: Pool | None = None
    begun: float | None = None
    count: bool = False

    def begin(self) -> Limits:
        """The same with the time running."""
        return self if self.begun is not None else replace(self, begun=time.monotonic())

    def clock(self, progress: Progress = quiet) -> Clock:
        """The deadline."""
        clock = Clock.start(self.timeout, progress)
        return clock if self.begun is None else replace(clock, end=clock.end - (time.monotonic() - self.begun))

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
        kinds |= dict.fromkeys(("margins", "largest_k", "count"), (bool, "True or False"))
        for key, (kind, expected) in kinds.items():
            if not isinstance(getattr(self, key), kind):
                raise InputError(place=key, expected=expected, got=spelled(getattr(self, key), repr))
        object.__setattr__(self, "reproducer", Path(self.reproducer))


GRACE = 0.25  # seconds after the deadline, in which whatever looks at the clock may end by itself
_LONGEST = 1e9  # seconds: what a system's own timers can still count


class Overdue(KeyboardInterrupt):
    """The time is up: what Ctrl-C ends this ends, and as safely."""


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

    @contextmanager
    def alarm(self) -> Iterator[None]:
        """Within it the deadline interrupts what does not look at the clock, as Ctrl-C would.

        Where the system has such a timer: between two steps of Python's, so never within compiled code.
        """
        with nullcontext() if self.timeout is None else interrupted_after(self.left + GRACE, Overdue):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """The same for what has to be done before there is a question.

        Raises:
            OverdueError: at the deadline.
        """
        try:
            with self.alarm():
                yield
        except Overdue:
            raise OverdueError(f"unknown: time is up while network and spec are read: {self.reason}") from None

    @property
    def reason(self) -> str:
        """Why an output is unknown after the deadline."""
        return f"timeout after {self.timeout:g} s"


class DeadlineError(Exception):
    """The time is up."""
