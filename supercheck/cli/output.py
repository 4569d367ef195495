"""Writing results to stdout: plain, or on a terminal in its colours and width."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from supercheck.base.errors import InputError, printable_lines

if TYPE_CHECKING:
    from rich.console import Console


def show(print_to: Callable[[Console], None], plain: Callable[[], str]) -> None:
    """Print a report for people.

    Args:
        print_to: what prints it on a terminal.
        plain: what makes the text that goes anywhere else.
    """
    if not sys.stdout.isatty():
        write(plain())
        return
    from supercheck.report.console import terminal

    print_to(terminal())


def tell(message: str) -> None:
    """Say something on stderr; if nobody can hear it, the exit code still says enough."""
    with suppress(OSError):
        sys.stderr.write(f"supercheck: {printable_lines(message)}\n")
        sys.stderr.flush()


def write(text: str) -> None:
    """Write a result and a line break to stdout; a reader who has seen enough changes nothing.

    Raises:
        InputError: if there is no room for it.
    """
    try:
        sys.stdout.write(printable_lines(text) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read has seen enough; the verdict stands
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left unwritten must not fail again
        raise InputError(place="stdout", expected="room for the result", got=error.strerror or error) from error
