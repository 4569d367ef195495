"""Progress on stderr: a live bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from supercheck.decide.limits import Progress

_EVERY = 10.0  # seconds between plain lines
_PATIENCE = 0.5  # seconds before a bar is worth showing


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress function that shows outputs done and, on a terminal, the time left."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bar, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("outputs"),
        TimeRemainingColumn(),
    )
    begun = time.monotonic()
    with Bar(*columns, console=Console(stderr=True), transient=True, auto_refresh=True) as bar:
        task = bar.add_task("loading", total=None, visible=False)

        def show(done: int, total: int, doing: str) -> None:
            visible = time.monotonic() - begun > _PATIENCE
            bar.update(task, completed=done, total=total, description=doing, visible=visible)

        yield show


class _Lines:
    """Plain lines, at most one every `_EVERY` seconds."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def __call__(self, done: int, total: int, doing: str) -> None:
        if time.monotonic() - self.last >= _EVERY:
            self.last = time.monotonic()
            sys.stderr.write(f"supercheck: {doing}: {done} of {total} outputs\n")
