"""Runs the checker: `python supercheck/checker CERTIFICATE... NETWORK SPEC`, from a copy of this folder just as well.

    python supercheck/checker CERTIFICATE... NETWORK SPEC [-k K] [--accept-solver] [--budget N]

NETWORK is a safetensors, NPZ or JSON file, SPEC a TOML file or the core form of its claims. Exit: 0 proof accepted;
1 rejected, or a refutation confirmed; 2 unreadable; 3 not checked to the end. Standard library only; no code in common
with the writer of certificates. Nothing in a certificate is trusted: a wrong one is rejected. Digests are for
diagnosis.
"""

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

if not __package__:  # run as a folder: a package of its own, whatever is installed and wherever it lies
    _folder = Path(__file__).resolve().parent
    _spec = importlib.util.spec_from_file_location(
        __package__ := "checker", _folder / "__init__.py", submodule_search_locations=[str(_folder)]
    )
    if _spec is None or _spec.loader is None:
        raise ImportError(f"no checker in {_folder}")
    sys.modules["checker"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["checker"])

from .proving import BUDGET, CODES, check
from .reading import CheckError, question


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Checks certificates of a network and a spec.")
    parser.add_argument("files", nargs="+", metavar="CERTIFICATE... NETWORK SPEC")
    parser.add_argument("-k", type=int, help="how many features may be on; wins over the spec")
    parser.add_argument("--accept-solver", action="store_true", help="count a solver's word")
    parser.add_argument("--budget", type=int, default=BUDGET, help="units of work")
    limits = vars(parser.parse_args(arguments))
    try:
        *certificates, network, spec = limits.pop("files")
        outcome = check(certificates, *question(network, spec, limits.pop("k")), **limits)
    except (CheckError, OSError, ValueError) as error:
        print(f"unreadable: {error.args[-1]}", file=sys.stderr)
        return 2
    print(outcome.reason)
    return CODES[outcome.status]


if __name__ == "__main__":
    sys.exit(main())
