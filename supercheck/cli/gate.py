"""The command `gate`: every spec below some paths, as one answer for a pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supercheck.base.errors import InputError, printable, printable_lines
from supercheck.base.exit_codes import INPUT, PASSED, gravest
from supercheck.base.files import check_written, written_aside
from supercheck.base.version import __version__
from supercheck.cli.options import Engine, Force, one_of, seconds
from supercheck.cli.output import show, tell, write

if TYPE_CHECKING:
    from supercheck.ci.baseline import Baseline
    from supercheck.report.gate.outcome import SuiteOutcome


def _formats() -> Iterable[str]:
    from supercheck.report.gate.formats import FORMATS

    return FORMATS


def gate(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Specs, or folders of specs (*.toml).")],
    report: Annotated[
        list[str] | None, typer.Option("--report", metavar="FORMAT:FILE", help="Also write a report; may be repeated.")
    ] = None,
    format_: Annotated[str, one_of(_formats, "text", "--format", help_="How the gate is written to stdout.")] = "text",
    select: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only specs with this in their path; may be repeated.")
    ] = None,
    exit_zero: Annotated[
        bool,
        typer.Option(
            "-e", "--exit-zero", help="Exit with 0 in place of 1; bad input, unknowns and faults still count."
        ),
    ] = False,
    fail_fast: Annotated[
        bool, typer.Option("-x", "--fail-fast", help="Stop at the first spec that does not pass.")
    ] = False,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, help="How many specs at once.")] = 1,
    engine: Engine = "auto",
    timeout: Annotated[float | None, seconds("Seconds for each spec, reading included.")] = None,
    total_timeout: Annotated[float | None, seconds("Seconds for all specs together.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Where verdicts are kept; else .supercheck/cache.sqlite.")] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", "-n", help="Neither use nor keep earlier verdicts.")] = False,
    baseline: Annotated[
        Path | None, typer.Option(help="Margins and costs to compare with; a first run writes them.")
    ] = None,
    update_baseline: Annotated[
        bool, typer.Option("--update-baseline", help="Write the baseline anew, and compare nothing.")
    ] = False,
    fail_on_regression: Annotated[
        bool, typer.Option("--fail-on-regression", help="A spec that falls short of the baseline does not pass.")
    ] = False,
    force: Force = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Show only what does not pass.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Show each spec, also those that pass.")] = False,
) -> int:
    """Verify and audit every spec below PATH. Exit: 0 all as expected, 1 not, 2 bad input, 3 unknown, 4 fault."""
    reports = [_report(written) for written in report or ()]
    for option, given, other in (
        ("--cache", cache is not None and no_cache, "--no-cache"),
        ("--quiet", quiet and verbose, "--verbose"),
        ("--update-baseline", update_baseline and fail_on_regression, "--fail-on-regression"),
    ):
        if given:
            raise InputError(place=option, expected="one of two", got=f"{option} and {other}")
    if baseline is None and (update_baseline or fail_on_regression):
        option = "--update-baseline" if update_baseline else "--fail-on-regression"
        raise InputError(place=option, expected="a file", got="none", do="write `--baseline FILE`")
    from supercheck.ci.cache import Cache
    from supercheck.ci.discover import collect
    from supercheck.ci.judge import GateOptions
    from supercheck.ci.suite import gate as run
    from supercheck.cli.progress import progress_bar
    from supercheck.report.gate.formats import reporter

    specs, _ = collect(paths)
    written = {f"--report {name}": (f"{name} report", file) for name, file in reports if not _is_device(file)}
    compared = {"--baseline": ("baseline", baseline)}
    read = (part for spec in specs for part in _parts(spec, force))
    check_written({**written, **compared}, read, force=force)
    kept = None if no_cache else Cache() if cache is None else Cache(cache)
    terms = GateOptions(engine, timeout, cache=kept, measure=baseline is not None)
    known = _baseline(baseline, strict=fail_on_regression)
    done = count()
    with progress_bar() as progress:
        found = run(
            paths, terms=terms, select=select or (), jobs=jobs, total=total_timeout, fail_fast=fail_fast,
            baseline=None if update_baseline else known,
            seen=lambda _, total: progress(next(done) + 1, total, "specs"),
        )  # fmt: skip
    _warn(found)
    codes = [found.lenient if exit_zero else found.code]
    if known is not None and (update_baseline or not known.file.exists()):
        codes.append(_tried(partial(known.updated, force=force), found.judgements))
    codes += [_tried(partial(_save, name, force=force), reporter(name)(found), file) for name, file in reports]
    if format_ == "text":
        _print(found, verbose - quiet)
    else:
        write(reporter(format_)(found))
    return gravest(codes)


def _report(written: str) -> tuple[str, Path]:
    """The format and the file of one `--report`."""
    name, colon, file = written.partition(":")
    if not colon or not file or name not in _formats():
        raise InputError(place="--report", expected=f"FORMAT:FILE with one of {', '.join(_formats())}", got=written)
    return name, Path(file)


def _baseline(file: Path | None, *, strict: bool) -> Baseline | None:
    """The baseline to compare with, or to write."""
    from supercheck.ci.baseline import Baseline

    if file is None:
        return None
    return Baseline.read(file, strict=strict) if strict or file.exists() else Baseline(file, {})


def _parts(spec: Path, force: bool) -> Iterable[Path]:
    """The files of a question; without --force its networks are safe, for none of them is a report of ours."""
    from supercheck.api.reproducer import parts

    return parts(None, spec) if force else [spec]


def _is_device(file: Path) -> bool:
    """Whether it is such as /dev/stderr: what that leads to is not to be replaced."""
    return file.parent in (Path("/dev"), Path("/dev/fd"))  # not what lies deeper, such as in /dev/shm


def _save(name: str, text: str, file: Path, *, force: bool) -> None:
    """Write a report; its folder is made where there is none."""
    heads = {"text": "a gate", "github": "a gate, for GitHub"}  # the others say themselves who wrote them
    head = f"supercheck {__version__}: {heads[name]}\n" if name in heads else ""
    content = f"{head}{printable_lines(text)}\n".encode(errors="backslashreplace")
    try:
        if _is_device(file):
            with file.open("ab") as stream:
                stream.write(content)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(file=file, expected="a file that can be written", got=error.strerror or error) from error
    with written_aside(file, f"{name} report", force=force) as stream:
        stream.write(content)


def _tried(action: Callable[..., None], *arguments: object) -> int:
    """Do what must not stop the rest; the exit code that it asks for."""
    try:
        action(*arguments)
    except InputError as error:
        tell(str(error))
        return INPUT
    return PASSED


def _warn(found: SuiteOutcome) -> None:
    """Say on stderr what went wrong without touching a verdict, each thing once."""
    for warning in dict.fromkeys([*found.warnings, *(told for one in found.judgements for told in one.warnings)]):
        tell(f"warning: {printable(warning)}")


def _print(found: SuiteOutcome, verbosity: int) -> None:
    from supercheck.report.gate import text

    plain = text.text(found, verbosity)
    if plain:
        show(lambda console: text.show(found, console, verbosity), lambda: plain)
