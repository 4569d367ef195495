"""Options that several verbs share, each declared once, and choices that are the rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from supercheck.base.errors import InputError

Names = Callable[[], Iterable[str]]
"""What names the rows of a table; it may import what is slow to start."""


class OneOf(str):
    """The name of a table's row: called, it checks one; as text, it is the list for help.

    Only then the table is asked, so that a row that is added is an option, and nobody waits for a table unasked.
    """

    __slots__ = ("default", "names")
    names: Names
    default: str

    def __new__(cls, names: Names, default: str) -> OneOf:
        """Names, of which the default is one that the table need not be asked for."""
        made = super().__new__(cls)
        made.names, made.default = names, default
        return made

    def __call__(self, value: str) -> str:
        """The value, if there is such a row.

        Raises:
            ValueError: naming those that there are, as typer has it.
        """
        if value != self.default and value not in (names := [*self.names()]):
            raise ValueError(f"{value!r} is not one of {', '.join(map(repr, names))}.")
        return value

    def __str__(self) -> str:
        """All of them, as help shows choices."""
        return f"<{'|'.join(self.names())}>"

    def __format__(self, _: str) -> str:
        """The same."""
        return str(self)


def one_of(names: Names, default: str, *declarations: str, help_: str) -> Any:
    """An option whose values are the rows of a table; its type is `str`."""
    choice = OneOf(names, default)
    return typer.Option(*declarations, parser=choice, metavar=choice, help=help_)


def seconds(help_: str) -> Any:
    """An option that is a time; what is none is refused."""
    return typer.Option(help=help_, callback=_time)


def _time(param: typer.CallbackParam, value: float | None) -> float | None:
    if value is not None and not 0 < value < float("inf"):
        raise InputError(place=param.opts[0], expected="seconds above 0", got=value)
    return value


def _engines() -> tuple[str, ...]:
    from supercheck.decide.engines import AUTO, ENGINES

    return (AUTO, *ENGINES)


class Format(StrEnum):
    """How it is told on stdout, where there is no other way."""

    TEXT = "text"
    JSON = "json"


NetworkFile = Annotated[
    Path | None, typer.Argument(help="ONNX, safetensors, NPZ or JSON file; left out, the spec names it.")
]
SpecFile = Annotated[Path | None, typer.Option("--spec", help="The TOML file that says what it should compute.")]
MaxActive = Annotated[
    int | None, typer.Option("-k", "--max-active", help="At most this many features on, in place of the spec's.")
]
Output = Annotated[Path, typer.Option("-o", "--output", help="The network file; its spec goes beside it.")]
Engine = Annotated[str, one_of(_engines, "auto", "--engine", help_="Which engine decides; auto chooses by cost.")]
TextOrJson = Annotated[Format, typer.Option("--format", help="How it is told on stdout.")]
Page = Annotated[Path | None, typer.Option("--html", help="Write one page to explore it with, in any browser.")]
Force = Annotated[bool, typer.Option("--force", help="Replace files, also those that supercheck did not write.")]


def required(spec: Path | None) -> Path:
    """The spec file, without which nothing is asked.

    Raises:
        InputError: if there is none.
    """
    if spec is None:
        raise InputError(place="--spec", expected="a spec file", got="none", do="write `--spec FILE.toml`")
    return spec
