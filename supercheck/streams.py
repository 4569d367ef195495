"""Writing results to stdout. Standard library only."""

from __future__ import annotations

import os
import sys


def write(text: str) -> None:
    """Write a result and a line break to stdout; a reader who has seen enough changes nothing."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read has seen enough; the verdict stands
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
