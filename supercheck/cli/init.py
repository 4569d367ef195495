"""The command `init`: a commented spec for a network, to be filled in."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from supercheck.base.errors import printable
from supercheck.base.exit_codes import PASSED
from supercheck.cli.options import Force, Format, TextOrJson
from supercheck.cli.output import write


def init(
    network: Annotated[Path, typer.Argument(metavar="NETWORK", help="ONNX, safetensors, NPZ or JSON file.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The spec; else NETWORK with its suffix replaced by .toml.")
    ] = None,
    force: Force = False,
    format_: TextOrJson = Format.TEXT,
) -> int:
    """Write a commented spec for NETWORK, which fails until its functions are filled in. Exit: 0, 2 bad input."""
    from supercheck.api.init import start

    begun = time.perf_counter()
    file, notes = start(network, output, force=force)
    if format_ is Format.JSON:
        from supercheck.report.envelope import enveloped, indented

        found = {"spec": file.as_posix(), "assumptions": notes}
        write(indented(enveloped(found, time.perf_counter() - begun)))
    else:
        told = f"wrote {file}; fill in what the outputs compute, then: supercheck verify --spec {file}"
        write("\n".join(map(printable, [told, *(f"Assumed: {note}" for note in notes)])))
    return PASSED
