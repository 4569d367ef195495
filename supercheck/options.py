"""What several commands' options have in common."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from supercheck.errors import InputError
from supercheck.files import check_free


class Engine(StrEnum):
    """What may decide."""

    AUTO = "auto"
    BOUND = "bound"
    ENUMERATE = "enumerate"
    BRANCH = "branch"
    Z3 = "z3"


class Format(StrEnum):
    """How it is told on stdout, where there is no other way."""

    TEXT = "text"
    JSON = "json"


Force = Annotated[bool, typer.Option("--force", help="Replace files, also those that supercheck did not write.")]


def check_seconds(option: str, seconds: float | None) -> None:
    """Refuse a time that is none.

    Raises:
        InputError: if it is 0, negative, infinite or not a number.
    """
    if seconds is not None and not 0 < seconds < float("inf"):
        raise InputError(place=option, expected="seconds above 0", got=seconds)


def keep_apart(written: Mapping[str, Path | None], read: Iterable[Path]) -> None:
    """Refuse to write one file twice, or over one that is read, under whichever name or link.

    Args:
        written: the file of each option; None where it was not given.
        read: the files of the question.

    Raises:
        InputError: naming the option.
    """
    taken = {name: f"{file}, which is read" for file in read for name in _identities(file)}
    for option, file in written.items():
        if file is not None:
            mine = f"that of {option}"
            got = next((taken[name] for name in _identities(file) if name in taken), mine)
            if got != mine:
                raise InputError(place=option, expected="a file of its own", got=got, do="write to another file")
            taken |= dict.fromkeys(_identities(file), mine)


def _identities(file: Path) -> list[object]:
    """What tells a file from others: where it is and, where it is there already, which file of its disk."""
    names: list[object] = [os.path.realpath(file)]
    with suppress(OSError, ValueError):
        status = os.stat(file)
        names += [(status.st_dev, status.st_ino)] if status.st_ino else []
    return names


def check_written(
    written: Mapping[str, tuple[str, Path | None]],
    read: Iterable[Path] = (),
    *,
    force: bool = False,
) -> None:
    """Refuse, before anything is computed, what may not be written.

    Args:
        written: for each option the kind of its file, and the file; None where it was not given.
        read: the files of the question.
        force: whether files that supercheck did not write may be replaced.

    Raises:
        InputError: naming the file.
    """
    given = {option: (kind, file) for option, (kind, file) in written.items() if file is not None}
    if given:
        keep_apart({option: file for option, (_, file) in given.items()}, read)
    for option, (kind, file) in given.items():
        check_free(file, kind, force=force, place=option.split()[0] if option.startswith("--") else None)
