"""The command `init`: a commented spec for a network, to be filled in."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from supercheck import __version__
from supercheck.options import Format
from supercheck.streams import write


def init(
    network: Annotated[Path, typer.Argument(metavar="NETWORK", help="ONNX, safetensors, NPZ or JSON file.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The spec; else NETWORK with its suffix replaced by .toml.")
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="How it is told on stdout.")] = Format.TEXT,
) -> int:
    """Write a commented spec for NETWORK, which fails until its functions are filled in. Exit: 0, 2 bad input."""
    from supercheck.starting import start

    begun = time.perf_counter()
    file = start(network, output)
    if format_ is Format.JSON:
        seconds = round(time.perf_counter() - begun, 6)
        write(json.dumps({"supercheck": __version__, "spec": file.as_posix(), "seconds": seconds}, indent=2))
    else:
        write(f"wrote {file}; fill in what the outputs compute, then: supercheck verify --spec {file}")
    return 0
