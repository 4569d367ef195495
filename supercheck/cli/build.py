"""The command `build`: a network from what it shall compute, proved before it is written."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from supercheck.base.errors import InputError
from supercheck.base.exit_codes import OF_VERDICT
from supercheck.base.numbers import rational
from supercheck.cli.options import Force, Format, Output, TextOrJson, seconds
from supercheck.cli.output import write


def build(
    construction: Annotated[str, typer.Argument(metavar="CONSTRUCTION", help="Which construction; README lists them.")],
    output: Output,
    max_active: Annotated[int, typer.Option("-k", "--max-active", help="How many features may be on.")],
    features: Annotated[int | None, typer.Option(help="How many features there are.")] = None,
    outputs: Annotated[int | None, typer.Option(help="How many outputs; their pairs are drawn.")] = None,
    pairs: Annotated[Path | None, typer.Option(help="A file with two features a line, one line an output.")] = None,
    gate: Annotated[str, typer.Option(help="Which gate of each pair.")] = "and",
    formulas: Annotated[Path | None, typer.Option(help="A file with one formula a line, for `circuit`.")] = None,
    table: Annotated[Path | None, typer.Option(help="A truth table in CSV, for `table`.")] = None,
    max_influence: Annotated[int | None, typer.Option(help="How many of the drawn pairs a feature may be in.")] = None,
    heavy_tail: Annotated[
        bool, typer.Option("--heavy-tail", help="Draw pairs so that a few features are in many.")
    ] = False,
    cut: Annotated[int | None, typer.Option(help="In how many pairs a feature is heavy, for `combined`.")] = None,
    arity: Annotated[str, typer.Option(help="How many features an AND has, such as 2,3; for `group-testing`.")] = "2",
    neurons: Annotated[int | None, typer.Option(help="How many neurons; left out, as few as it finds.")] = None,
    channel: Annotated[int | None, typer.Option(help="How many neurons a channel has; left out, it finds out.")] = None,
    at: Annotated[str | None, typer.Option(help="The threshold in the spec, in place of the construction's.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything random; it is stored with the network.")] = 0,
    repair: Annotated[
        bool, typer.Option("--repair", help="Change what a counterexample hits until there is none.")
    ] = False,
    smallest: Annotated[bool, typer.Option("--smallest", help="Search the least number of neurons.")] = False,
    timeout: Annotated[float | None, seconds("Seconds for searching, and as many for deciding.")] = None,
    force: Force = False,
    format_: TextOrJson = Format.TEXT,
) -> int:
    """Write a network and the spec that it claims to meet, proved. Exit: 0 proved, 1 refuted, 2 bad input, 3 not."""
    from supercheck.api.build import build as run
    from supercheck.cli.progress import progress_bar
    from supercheck.decide.limits import Limits
    from supercheck.report.envelope import indented

    with progress_bar() as progress:
        found = run(
            construction, output=output, pairs=pairs, formulas=formulas, table=table,
            limits=Limits(timeout=timeout), progress=progress, force=force,
            max_active=max_active, features=features, outputs=outputs, gate=gate, max_influence=max_influence,
            heavy_tail=heavy_tail, cut=cut, arity=_arity(arity), neurons=neurons, channel=channel,
            at=None if at is None else _threshold(at), seed=seed, repair=repair, smallest=smallest, seconds=timeout,
        )  # fmt: skip
    write(indented(found.to_dict()) if format_ is Format.JSON else f"{found}")
    return OF_VERDICT[found.result.verdict.value]


def _arity(written: str) -> tuple[int, ...]:
    words = written.split(",")
    if not all(word.isascii() and word.isdecimal() and 0 < len(word) < 4 and int(word) for word in words):
        raise InputError(place="--arity", expected="whole numbers from 1 on, such as 2,3", got=written)
    return tuple(sorted({int(word) for word in words}))


def _threshold(written: str) -> Fraction:
    try:
        return rational(written)
    except ValueError as error:
        raise InputError(place="--at", expected="a number such as 1/2", got=written) from error
