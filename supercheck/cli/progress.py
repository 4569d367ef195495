"""Progress on stderr: live bars on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supercheck.decide.limits import Progress

_EVERY = 10.0  # seconds between plain lines
_PATIENCE = 0.5  # seconds before a bar is worth showing


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Make a progress function; on a terminal it shows a bar for each kind of thing, with the time left."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bars, TaskID, TextColumn, TimeRemainingColumn

    columns = BarColumn(), MofNCompleteColumn(), TextColumn("{task.description} done, left:"), TimeRemainingColumn()
    begun, tasks = time.monotonic(), dict[str, TaskID]()
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:

        def show(done: int, total: int, what: str) -> None:
            if time.monotonic() - begun > _PATIENCE:
                kind = what.partition(" (")[0]  # a phase in brackets has no bar of its own
                if kind not in tasks:
                    tasks[kind] = bars.add_task(what)
                bars.update(tasks[kind], completed=done, total=total, description=what)

        yield show


class _Lines:
    """Plain lines, at most one every `_EVERY` seconds."""

    def __init__(self) -> None:
        self.last = self.begun = time.monotonic()
        self.kind = ""

    def __call__(self, done: int, total: int, what: str) -> None:
        now, kind = time.monotonic(), what.partition(" (")[0]
        if kind != self.kind:
            self.kind, self.begun = kind, now
        if now - self.last >= _EVERY:
            self.last = now
            left = f", about {(now - self.begun) * (total - done) / done:,.0f} s left" if done else ""
            with suppress(OSError):  # nobody listens
                sys.stderr.write(f"supercheck: {done:,} of {total:,} {what} done{left}\n")
