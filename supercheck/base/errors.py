"""What can go wrong, as types. Trusts and imports nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

Value = TypeVar("Value")

_LONGEST = 200  # characters of foreign text that one message may repeat


class SupercheckError(Exception):
    """Every error that supercheck raises on purpose."""


class InputError(SupercheckError):
    """A file, an option or an argument that cannot be what the user meant (exit code 2).

    Attributes:
        file: the file at fault, if there is one.
        line: its line, counted from 1, where it has lines.
        place: the key, tensor, node or option inside it.
        expected: what would have been right.
        got: what was found; long or unprintable text is shortened.
        do: what to do about it, where that does not follow from the rest.
        recipe: further lines for a reader who has to convert the file first.
    """

    def __init__(
        self,
        *,
        file: object = None,
        line: int | None = None,
        place: str | None = None,
        expected: str,
        got: object,
        do: str | None = None,
        recipe: str | None = None,
    ) -> None:
        super().__init__(expected)
        self.file, self.line, self.place = file, line, place
        self.expected, self.got, self.do, self.recipe = expected, got, do, recipe

    def __str__(self) -> str:
        """One printable line: where, what was expected, what was found, what to do."""
        where = "" if self.file is None else clip(self.file)
        where += "" if self.line is None else f":{self.line}"
        parts = [part for part in (where, self.place and clip(self.place)) if part]
        ending = "" if self.do is None else f"; {printable(self.do)}"
        return ": ".join([*parts, f"expected {printable(self.expected)}, got {clip(self.got)}{ending}"])

    def _render_traceback_(self) -> list[str]:
        """In a notebook: the line, and no traceback, which would tell of our files and not of the user's."""
        return [f"InputError: {self}", *([] if self.recipe is None else self.recipe.split("\n"))]

    def at(self, file: object, line: int | None = None, place: str | None = None) -> InputError:
        """The same error, with what is not known yet of its place filled in; places nest."""
        nested = ", ".join(part for part in (place, self.place) if part) or None
        return InputError(
            file=self.file if self.file is not None else file,
            line=self.line if self.line is not None else line,
            place=nested,
            expected=self.expected,
            got=self.got,
            do=self.do,
            recipe=self.recipe,
        )


class OverdueError(SupercheckError):
    """The time was up before there was a question to decide (exit code 3)."""


class FaultError(SupercheckError):
    """supercheck contradicts itself; no verdict may be drawn from it (exit code 4)."""


def meant(word: str, known: Iterable[str]) -> str:
    """What to do about an unknown word: the nearest known one, or all of them."""
    from difflib import get_close_matches

    names = list(known)
    close = get_close_matches(word, names, n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(names)}"


def clip(value: object) -> str:
    """`value` as one printable line of bounded length."""
    text = printable(spelled(value)[: 2 * _LONGEST])
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def spelled(value: object, write: Callable[[object], str] = str) -> str:
    """`value` as `write` gives it; Python refuses to write integers of thousands of digits."""
    try:
        return write(value)
    except ValueError:
        return "an integer of thousands of digits"


def printable(text: str) -> str:
    """The text with line breaks, control and direction characters and halves of characters spelled out."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def printable_lines(text: str) -> str:
    """The same for a text of several lines: what ends a line is a line feed alone. For wherever text leaves us."""
    return "\n".join(map(printable, text.split("\n")))


def unquoted(error: Exception) -> str:
    """What a library says of a file that is not what it should be, up to where it begins to quote the file."""
    said = re.split("[:'\"`({\\[]", f"{error}")[0].strip()
    return said or type(error).__name__


def present(value: Value | None, what: str) -> Value:
    """A value that has to be there.

    Raises:
        FaultError: if it is not; an internal fault, which is no verdict.
    """
    if value is None:
        raise FaultError(f"there is no {what}")
    return value
