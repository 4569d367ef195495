"""The verb `prune` of the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from supercheck.base.errors import InputError
from supercheck.base.exit_codes import OF_VERDICT, UNKNOWN
from supercheck.cli.options import Force, Format, check_seconds
from supercheck.cli.output import write


def prune(
    output: Annotated[Path, typer.Option("-o", "--output", help="The network file; its spec goes beside it.")],
    network: Annotated[
        Path | None, typer.Argument(help="ONNX, safetensors, NPZ or JSON file; left out, the spec names it.")
    ] = None,
    spec: Annotated[Path | None, typer.Option("--spec", help="The TOML file that says what it should compute.")] = None,
    max_active: Annotated[
        int | None, typer.Option("-k", "--max-active", help="At most this many features on, in place of the spec's.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(help="Seconds, reading included, till it stops; what is proved is kept.")
    ] = None,
    force: Force = False,
    format_: Annotated[Format, typer.Option("--format", help="How it is told on stdout.")] = Format.TEXT,
) -> int:
    """Take neurons, edges and digits away from NETWORK as long as SPEC stays proved.

    Exit: 0 what is left is proved, 1 NETWORK is refuted, 2 bad input, 3 not proved, or stopped before all was tried.
    """
    if spec is None:
        raise InputError(place="--spec", expected="a spec file", got="none", do="write `--spec FILE.toml`")
    check_seconds("--timeout", timeout)
    from supercheck.api.prune import prune as run
    from supercheck.cli.progress import progress_bar
    from supercheck.report.envelope import indented

    with progress_bar() as progress:
        found = run(
            network, spec, output=output, max_active=max_active, timeout=timeout, force=force, progress=progress
        )
    write(indented(found.to_dict()) if format_ is Format.JSON else f"{found}")
    stopped = found.pruned is not None and found.pruned.reason is not None  # what is proved is written all the same
    return UNKNOWN if stopped else OF_VERDICT[found.verdict.value]
