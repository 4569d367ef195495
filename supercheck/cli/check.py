"""The command `check`: a certificate, the network, the spec, and the checker that shares no code with the prover."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from supercheck.base.errors import InputError
from supercheck.cli.options import Format, MaxActive, SpecFile, TextOrJson, required
from supercheck.cli.output import write


def check(
    files: Annotated[list[Path], typer.Argument(metavar="CERT... NETWORK", help="Certificates, then the network.")],
    spec: SpecFile = None,
    max_active: MaxActive = None,
    accept_solver: Annotated[bool, typer.Option("--accept-solver", help="Count a solver's word as a proof.")] = False,
    format_: TextOrJson = Format.TEXT,
) -> int:
    """Check certificates independently. Exit: 0 proof accepted, 1 rejected or refuted, 2 bad input, 3 not checked."""
    spec = required(spec)
    if len(files) < 2:
        raise InputError(place="CERT... NETWORK", expected="a certificate, then the network", got=f"only {files[0]}")
    from supercheck.api.check import check_certificate
    from supercheck.checker import CODES
    from supercheck.report.envelope import indented

    outcome = check_certificate(files[:-1], files[-1], spec, max_active=max_active, accept_solver=accept_solver)
    if format_ is Format.JSON:
        write(indented(outcome.to_dict()))
    else:
        write(outcome.reason)
    return CODES[outcome.status]
