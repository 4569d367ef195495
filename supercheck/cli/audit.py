"""The verbs `audit` and `bounds` of the command line."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from supercheck.base.errors import InputError
from supercheck.base.exit_codes import FAILED, PASSED
from supercheck.base.files import check_written
from supercheck.base.numbers import rational
from supercheck.cli.options import Force, Format, MaxActive, NetworkFile, SpecFile, TextOrJson, required, seconds
from supercheck.cli.output import show, write


def audit(
    network: NetworkFile = None,
    spec: SpecFile = None,
    max_active: MaxActive = None,
    verify: Annotated[
        bool | None,
        typer.Option("--verify/--no-verify", help="Decide the question, too; left out, where that takes seconds."),
    ] = None,
    timeout: Annotated[float | None, seconds("Seconds, reading included; what they leave is left out.")] = None,
    format_: TextOrJson = Format.TEXT,
    plot: Annotated[
        Path | None,
        typer.Option(help="Draw the bounds of its class with the network as a point: FILE.svg or FILE.png."),
    ] = None,
    heat_map: Annotated[
        Path | None, typer.Option(help="Draw how many neurons each two outputs share: FILE.svg or FILE.png.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report and the drawings as one HTML page.")] = None,
    force: Force = False,
) -> int:
    """Set what NETWORK costs beside what theory says. Exit: 0, 1 if a limit of [audit] fails, 2 bad input."""
    spec = required(spec)
    from supercheck.api.audit import audit as run
    from supercheck.report.audit import html as audit_html, plot as drawing, text as report
    from supercheck.report.envelope import indented

    for option, path in (("--plot", plot), ("--heat-map", heat_map)):
        if path is not None:
            drawing.check_suffix(path, option)
    if html is not None or plot is not None or heat_map is not None:
        from supercheck.api.reproducer import parts

        files = {"--plot": ("drawing", plot), "--heat-map": ("drawing", heat_map), "--html": ("page", html)}
        check_written(files, parts(network, spec), force=force)
    found = run(network, spec, max_active=max_active, verify=verify, timeout=timeout)
    if plot is not None:
        figure = drawing.audit_figure(found)
        if figure is None:
            do = "`supercheck bounds` draws any class"
            raise InputError(place="--plot", expected="functions of a class that has bounds", got="none", do=do)
        drawing.save(figure, plot, "--plot", force=force)
    if heat_map is not None:
        if found.interference is None:
            raise InputError(place="--heat-map", expected="fewer outputs", got=f"{len(found.claims):,}")
        drawing.save(drawing.heat_map(found.interference), heat_map, "--heat-map", force=force)
    if html is not None:
        audit_html.save_page(found, html, force=force)
    if format_ is Format.JSON:
        write(indented(found.to_dict()))
    else:
        show(lambda console: report.show(found, console), lambda: str(found))
    return PASSED if found.kept else FAILED


def bounds(
    name: Annotated[str, typer.Argument(metavar="CLASS", help="permutation 2-and 2-and-unlabelled q-and gate2")],
    features: Annotated[int, typer.Option(help="m, the features.")],
    outputs: Annotated[int, typer.Option(help="m', the outputs.")],
    max_active: Annotated[int, typer.Option("-k", "--max-active", help="At most this many features on.")],
    arity: Annotated[int, typer.Option(help="q, the features of one AND of class q-and.")] = 2,
    wrong: Annotated[
        str, typer.Option(help="The part of the outputs, not of inputs, that may be wrong: up to 1/2.")
    ] = "0",
    bits: Annotated[int, typer.Option(help="Bits of one parameter.")] = 32,
    format_: TextOrJson = Format.TEXT,
    plot: Annotated[
        Path | None, typer.Option(help="Draw them over the number of outputs: FILE.svg or FILE.png.")
    ] = None,
    force: Force = False,
) -> int:
    """The bounds of a class of functions alone: what some function of CLASS needs, what is enough for every one."""
    from supercheck.analysis.costs.floors.bounds import bounds as run, curves
    from supercheck.report.audit import plot as drawing, text as report
    from supercheck.report.audit.json import bounds_object
    from supercheck.report.envelope import indented

    if plot is not None:
        drawing.check_suffix(plot, "--plot")
    check_written({"--plot": ("drawing", plot)}, force=force)
    found = run(name, features, outputs, max_active, arity=arity, wrong=_fraction(wrong), precision=bits)
    if plot is not None:
        drawing.save(drawing.bounds_figure(curves(found.of_class, found.wrong)), plot, "--plot", force=force)
    if format_ is Format.JSON:
        write(indented(bounds_object(found)))
    else:
        show(lambda console: report.show_bounds(found, console), lambda: report.bounds_text(found))
    return PASSED


def _fraction(written: str) -> Fraction:
    try:
        return rational(written)
    except ValueError as error:
        raise InputError(place="--wrong", expected='a fraction such as 0.1 or "1/10"', got=written) from error
