"""The command line: a thin face of the Python API.

Results go to stdout, progress and messages to stderr. `main` is the one place where exceptions become exit
codes: those of `base/exit_codes.py`.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from supercheck.base.errors import InputError, OverdueError, clip
from supercheck.base.exit_codes import FAULT, INPUT, PASSED, UNKNOWN
from supercheck.base.files import written_aside
from supercheck.base.version import __version__
from supercheck.cli.output import tell

_INTERRUPTED = 130  # what typer makes of Ctrl-C

FAULT_FILE = "supercheck-fault.txt"

VERBS = {
    "verify": "verify", "gate": "gate", "audit": "audit", "bounds": "audit", "check": "check", "init": "init",
    "build": "build", "prune": "prune", "explore": "explore",
}  # fmt: skip
"""Each verb with the module that has it, in the order of the help."""


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"supercheck {__version__}")
        raise typer.Exit


def _root(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(INPUT)


def command_line(words: Sequence[str]) -> typer.Typer:
    """The command line that some words need: that of the verb which they begin with, or of all."""
    app = typer.Typer(
        help="Prove or refute, exactly, that a saved ReLU network computes given Boolean feature functions on every "
        "input with at most k features on.",
        invoke_without_command=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_root)
    for verb in [word for word in words[:1] if word in VERBS] or VERBS:  # to lay out an option takes a while
        app.command()(getattr(import_module(f"supercheck.cli.{VERBS[verb]}"), verb))
    return app


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code; the one handler of everything that goes wrong."""
    _prepare_streams()
    try:
        words = sys.argv[1:] if arguments is None else arguments
        code = command_line(words)(args=words, prog_name="supercheck", standalone_mode=False, obj=words)
        if code == _INTERRUPTED:
            return _interrupted()
        return code if isinstance(code, int) else PASSED
    except InputError as error:
        tell(f"{error}" + (f"\n{error.recipe}" if error.recipe else ""))
        return INPUT
    except OverdueError as error:
        tell(f"{error}")
        return UNKNOWN
    except typer.TyperException as error:
        told = error.format_message().replace("Value error, ", "")  # as the option's own check says it
        tell(f"{clip(told)} (see `supercheck --help`)")
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
