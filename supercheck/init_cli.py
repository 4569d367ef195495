"""The command `init`: a commented spec for a network, to be filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from supercheck.streams import write


def init(
    network: Annotated[Path, typer.Argument(metavar="NETWORK", help="ONNX, safetensors, NPZ or JSON file.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The spec; else NETWORK with its suffix replaced by .toml.")
    ] = None,
) -> int:
    """Write a commented spec for NETWORK, which fails until its functions are filled in. Exit: 0, 2 bad input."""
    from supercheck.starting import start

    file = start(network, output)
    write(f"wrote {file}; fill in what the outputs compute, then: supercheck verify --spec {file}")
    return 0
