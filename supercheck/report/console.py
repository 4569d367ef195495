"""The consoles that reports are printed on: into a text, or on the terminal. What is printed is never markup."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from supercheck.base.errors import printable_lines


def captured(print_to: Callable[[Console], None], width: int) -> str:
    """What a report prints, as plain text: the same in a terminal, a notebook, CI, and whatever the environment says.

    Args:
        print_to: prints the report on a console.
        width: of the console, in columns.
    """
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, color_system=None, force_terminal=False, force_jupyter=False, legacy_windows=False,
        highlight=False, markup=False, emoji=False,
    )  # fmt: skip
    print_to(console)
    return stream.getvalue().rstrip("\n")


class _Terminal(Console):
    """A console that shows what a terminal must not obey."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for part in super().render(renderable, options):
            yield part if part.control else part._replace(text=printable_lines(part.text))


def terminal() -> Console:
    """The terminal, in its colours and width."""
    return _Terminal(highlight=False, markup=False, emoji=False)
