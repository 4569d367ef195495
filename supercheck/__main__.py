"""The outermost door of `supercheck` and `python -m supercheck`: what cannot even start is a fault, never a verdict."""

from __future__ import annotations

import sys


def run() -> None:
    """Run the command line."""
    try:
        from supercheck.cli.app import run as run_cli
    except Exception as error:  # noqa: BLE001 - Python's own exit code, 1, would mean refuted
        sys.stderr.write(f"supercheck: cannot start: {type(error).__name__}: {error}\n")
        sys.exit(4)
    run_cli()


if __name__ == "__main__":
    run()
