"""Text files with one thing a line: what stands before a `#`, with the line's number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from supercheck.base.errors import InputError
from supercheck.spec.formula import Formula
from supercheck.spec.spec import MOST_OUTPUTS
from supercheck.spec.syntax import parse

_LARGEST = 1 << 26  # bytes


def lines(file: Path) -> Iterator[tuple[int, str]]:
    """The number and the text of every line that is not empty; `#` begins a comment.

    Raises:
        InputError: if it cannot be read.
    """
    try:
        if file.exists() and not file.is_file():  # a device, or a pipe that nobody fills
            raise InputError(file=file, expected="a file", got="something else")
        if file.stat().st_size > _LARGEST:
            raise InputError(file=file, expected="a list of at most 64 MB", got="a larger file")
        content = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(file=file, expected="a file that can be read", got=error.strerror or error) from error
    except UnicodeDecodeError as error:
        raise InputError(file=file, expected="text in UTF-8", got=f"byte {error.start} is none") from error
    for number, line in enumerate(content.split("\n"), 1):
        text = line.partition("#")[0].strip()
        if text:
            yield number, text


def read_formulas(file: Path) -> tuple[Formula, ...]:
    """The functions of a file, one formula a line, as specs write them.

    Raises:
        InputError: naming the line.
    """
    formulas = []
    for number, text in lines(file):
        try:
            formulas.append(parse(text))
        except InputError as error:
            raise InputError(
                file=file, line=number, place=error.place, expected=error.expected, got="another text"
            ) from error
    if not 1 <= len(formulas) <= MOST_OUTPUTS:
        raise InputError(file=file, expected=f"1 to {MOST_OUTPUTS:,} formulas, one a line", got=f"{len(formulas):,}")
    return tuple(formulas)
