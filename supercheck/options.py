"""What several commands' options have in common."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path

from supercheck.errors import InputError


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


def check_seconds(option: str, seconds: float | None) -> None:
    """Refuse a time that is none.

    Raises:
        InputError: if it is 0, negative, infinite or not a number.
    """
    if seconds is not None and not 0 < seconds < float("inf"):
        raise InputError(place=option, expected="seconds above 0", got=seconds)


def keep_apart(written: Mapping[str, Path | None], read: Iterable[Path]) -> None:
    """Refuse to write one file twice, or over one that is read.

    Args:
        written: the file of each option; None where it was not given.
        read: the files of the question.

    Raises:
        InputError: naming the option.
    """
    taken = {os.path.realpath(file): f"{file}, which is read" for file in read}
    for option, file in written.items():
        if file is not None:
            got = taken.setdefault(os.path.realpath(file), f"that of {option}")
            if got != f"that of {option}":
                raise InputError(place=option, expected="a file of its own", got=got, do="write to another file")
