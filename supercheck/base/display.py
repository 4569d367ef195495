"""How a result shows itself: its text, one screen of it, a notebook's cell, its JSON. Imports nothing of ours.

Reports lie above the results that they tell of: where a report is imported, its type gets the `Faces` that it makes.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any, ClassVar, NamedTuple

MOST_CELL = 200_000
"""Bytes of a notebook's cell."""

_MOST_TEXT = 30_000  # characters of a report in a cell: six bytes each, at most, once they are escaped
_MOST_LINES = 22  # of one screen
_MOST_COLUMNS = 200


class Faces(NamedTuple):
    """What a type's reports make of it.

    Attributes:
        text: the report as plain text.
        object: the report as a JSON object.
        cell: the report in a notebook, or None where that is too long; left out, the text.
    """

    text: Callable[[Any], str]
    object: Callable[[Any], dict[str, Any]]
    cell: Callable[[Any], str | None] = lambda _: None


class Shown:
    """A result that shows itself to whoever prints it, looks at it in a REPL or a notebook, or wants its JSON."""

    faces: ClassVar[Faces | None] = None

    def __str__(self) -> str:
        """The report as plain text."""
        return object.__repr__(self) if self.faces is None else self.faces.text(self)

    def __repr__(self) -> str:
        """As much of the report as one screen has room for."""
        return screen(str(self))

    def _repr_html_(self) -> str | None:
        """The report in a notebook."""
        if self.faces is None:
            return None
        told = self.faces.cell(self)
        return told if told is not None and fits(told) else preformatted(str(self))

    def to_dict(self) -> dict[str, Any]:
        """What `--format json` writes, as a dictionary.

        Raises:
            TypeError: if nobody has imported a report of this type.
        """
        if self.faces is None:
            raise TypeError(f"no report of {type(self).__name__} is imported")
        return self.faces.object(self)


def screen(text: str) -> str:
    """A text cut to one screen; never longer than the text."""
    lines = text.split("\n")
    shown = [line if len(line) <= _MOST_COLUMNS else f"{line[: _MOST_COLUMNS - 3]}..." for line in lines]
    if len(lines) > _MOST_LINES:
        shown[_MOST_LINES - 1 :] = [f"... {len(lines) - _MOST_LINES + 1:,} more lines: print it"]
    cut = "\n".join(shown)
    return cut if len(cut) < len(text) else text


def fits(cell: str) -> bool:
    """Whether a notebook's cell is short enough."""
    return len(cell.encode(errors="surrogatepass")) < MOST_CELL


def preformatted(text: str) -> str:
    """A text as a notebook's cell, in the notebook's own colours; its end is cut off where it is too long."""
    if len(text) > _MOST_TEXT:
        text = f"{text[:_MOST_TEXT]}\n... and more: print it"
    return f'<pre style="white-space:pre-wrap">{escape(text)}</pre>'
