"""The command line: a thin face of the Python API.

Results go to stdout, progress and messages to stderr. `main` is the one place where exceptions become exit
codes: 0 proved, 1 refuted, 2 bad input or usage, 3 unknown, 4 whatever was not foreseen.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supercheck import __version__, audit_cli, build_cli, check_cli, explore_cli, gate_cli, init_cli, prune_cli
from supercheck.errors import InputError, OverdueError, clip
from supercheck.files import written_aside
from supercheck.options import Engine, Force, check_seconds, check_written
from supercheck.streams import CODES, show, tell, write

if TYPE_CHECKING:
    from supercheck.results import Result

INPUT, UNKNOWN, FAULT = 2, 3, 4

_SAMPLE = 20  # outputs that --cross-check asks Z3 about

_INTERRUPTED = 130  # what typer makes of Ctrl-C

FAULT_FILE = "supercheck-fault.txt"

app = typer.Typer(
    help="Prove or refute, exactly, that a saved ReLU network computes given Boolean feature functions on every "
    "input with at most k features on.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Format(StrEnum):
    """How a result is written."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    SARIF = "sarif"
    GITHUB = "github"


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"supercheck {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(INPUT)


@app.command()
def verify(
    context: typer.Context,
    network: Annotated[
        Path | None, typer.Argument(help="ONNX, safetensors, NPZ or JSON file; left out, the spec names it.")
    ] = None,
    spec: Annotated[Path | None, typer.Option("--spec", help="The TOML file that says what it should compute.")] = None,
    max_active: Annotated[
        int | None, typer.Option("-k", "--max-active", help="How many features may be on; wins over the spec.")
    ] = None,
    engine: Annotated[Engine, typer.Option(help="Which engine decides; auto chooses by cost.")] = Engine.AUTO,
    timeout: Annotated[
        float | None, typer.Option(help="Seconds from the start, reading included; what is open then is unknown.")
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="How the result is written to stdout.")] = Format.TEXT,
    margins: Annotated[bool, typer.Option("--margins", help="Find every output's exact worst values.")] = False,
    max_k: Annotated[bool, typer.Option("--max-k", help="Find the largest k at which each output is right.")] = False,
    cross_check: Annotated[
        bool, typer.Option("--cross-check", help="Have Z3 decide a sample of the outputs once more.")
    ] = False,
    certificate: Annotated[
        Path | None,
        typer.Option("--certificate", help="Write a proof of the verdict that `supercheck check` confirms."),
    ] = None,
    require_certificate: Annotated[
        bool, typer.Option("--require-certificate", help="Unknown unless the certificate needs no solver's word.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write one page to explore the result with, in any browser.")
    ] = None,
    executor: Annotated[
        str,
        typer.Option(help="Where outputs are decided: processes[:N], in-process, dask-local:N or dask://HOST:PORT."),
    ] = "processes",
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="With an executor: neither use nor keep finished batches.")
    ] = False,
    reproducer: Annotated[
        Path | None,
        typer.Option("--reproducer", help="A zip file to report a wrong verdict with: files, command, result."),
    ] = None,
    force: Force = False,
) -> int:
    """Prove or refute that NETWORK computes what SPEC says. Exit: 0 proved, 1 refuted, 2 bad input, 3 unknown."""
    if spec is None:
        raise InputError(place="--spec", expected="a spec file", got="none", do="write `--spec FILE.toml`")
    check_seconds("--timeout", timeout)
    if certificate or html or reproducer:
        from supercheck.certificate import names
        from supercheck.reproducing import parts

        files = {"--html": ("page", html), "--reproducer": ("reproducer", reproducer)}
        proof = names(certificate) if certificate else {}
        check_written({**proof, **files}, parts(network, spec), force=force)
    from supercheck.decide import Limits
    from supercheck.progress import progress_bar
    from supercheck.verifying import verify as run

    limits = Limits(
        engine=engine.value,
        timeout=timeout,
        margins=margins,
        largest_k=max_k,
        cross_check=_SAMPLE if cross_check else 0,
    ).begin()
    result = None
    try:
        with _packed(reproducer, network, spec, context.obj, force=force) as told, progress_bar() as progress:
            result = run(
                network, spec, max_active=max_active, limits=limits, progress=progress,
                certificate=certificate, require_certificate=require_certificate,
                executor=executor, kept=_kept(executor, no_cache), force=force,
            )  # fmt: skip
            if reproducer is not None:
                told.append(f"{result}")
            if html is not None:
                from supercheck.exploring import explored
                from supercheck.report.explore_html import save_page

                save_page(explored(result, limits.clock()), html, force=force)
        _print(result, format_.value)
    except KeyboardInterrupt:
        if result is None or CODES[result.verdict.value] != CODES["refuted"]:  # a proof that nobody saw is none
            raise
        tell("interrupted while it was told that a replayed counterexample refutes this")
    return CODES[result.verdict.value]


app.command()(gate_cli.gate)
app.command()(audit_cli.audit)
app.command()(audit_cli.bounds)
app.command()(check_cli.check)
app.command()(init_cli.init)
app.command()(build_cli.build)
app.command()(prune_cli.prune)
app.command()(explore_cli.explore)


@contextmanager
def _packed(
    file: Path | None, network: Path | None, spec: Path, command: list[str], *, force: bool
) -> Iterator[list[str]]:
    """Save what a report of a wrong verdict needs, if that was asked for, also when the run ends in a fault."""
    told: list[str] = []

    def save() -> None:
        if file is not None:
            from supercheck.reproducing import pack

            pack(file, network, spec, command, "\n".join(told), force=force)

    try:
        yield told
    except Exception as error:
        told.append(f"{type(error).__name__}: {error}")
        try:
            save()
        except InputError as unsaved:  # the fault weighs more
            tell(f"{unsaved}")
        raise
    save()


def _kept(executor: str, no_cache: bool) -> Path | None:
    """The file that keeps finished batches, where there are any and it can be used."""
    from supercheck.decide.executors import Place

    if no_cache or Place.named(executor).default:
        return None
    from supercheck.database import CacheError
    from supercheck.decide.resuming import Kept

    kept = Kept()
    try:
        kept.probe()
    except CacheError as error:
        tell(f"finished batches are not kept: {error}")
        return None
    return kept.file


def _print(result: Result, format_: str) -> None:
    from supercheck.report import REPORTERS

    if format_ == "text":
        from supercheck.report.text import show as print_to

        show(lambda console: print_to(result, console), lambda: REPORTERS[format_](result))
    else:
        write(REPORTERS[format_](result))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code; the one handler of everything that goes wrong."""
    _prepare_streams()
    try:
        words = sys.argv[1:] if arguments is None else arguments
        code = app(args=words, prog_name="supercheck", standalone_mode=False, obj=words)
        if code == _INTERRUPTED:
            return _interrupted()
        return code if isinstance(code, int) else 0
    except InputError as error:
        tell(f"{error}" + (f"\n{error.recipe}" if error.recipe else ""))
        return INPUT
    except OverdueError as error:
        tell(f"{error}")
        return UNKNOWN
    except typer.TyperException as error:
        tell(f"{clip(error.format_message())} (see `supercheck --help`)")
        return INPUT
    except KeyboardInterrupt:
        return _interrupted()
    except SystemExit:  # typer's answer to a reader who closed the pipe; its 1 would mean refuted
        return UNKNOWN
    except Exception as error:  # noqa: BLE001 - the door: whatever was not foreseen is a fault, never a verdict
        if isinstance(error, typer.Abort) and not isinstance(error.__cause__, EOFError):
            return _interrupted()
        with suppress(Exception):  # not even memory for a message: the exit code says enough
            tell(f"internal fault, no verdict: {type(error).__name__}: {clip(error)}{_save_fault()}")
        return FAULT


def _interrupted() -> int:
    tell("interrupted before anything was decided")
    return UNKNOWN


def _prepare_streams() -> None:
    """Closed streams become silent ones, and what an encoding cannot say is spelled out."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - for as long as the process lives
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _save_fault() -> str:
    """Save what a report of the fault needs; says where."""
    words = " ".join(sys.argv[1:])
    content = f"supercheck {__version__}, Python {sys.version}\ncommand: {words}\n\n{traceback.format_exc()}"
    try:
        with written_aside(Path(FAULT_FILE), "fault report") as stream:
            stream.write(content.encode(errors="backslashreplace"))
    except InputError:
        return f"\n{content}"
    return f"; please report it with {FAULT_FILE}, the network and the spec"


def run() -> None:
    """The console script."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to be told to end is to be interrupted
    code = main()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # else the interpreter would end with a code of its own
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)


if __name__ == "__main__":
    run()
