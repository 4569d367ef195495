"""What several commands' options have in common."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from supercheck.base.errors import InputError


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
