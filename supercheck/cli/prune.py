"""The verb `prune` of the command line."""

from __future__ import annotations

from typing import Annotated

from supercheck.base.exit_codes import OF_VERDICT, UNKNOWN
from supercheck.cli.options import (
    Force,
    Format,
    MaxActive,
    NetworkFile,
    Output,
    SpecFile,
    TextOrJson,
    required,
    seconds,
)
from supercheck.cli.output import write


def prune(
    output: Output,
    network: NetworkFile = None,
    spec: SpecFile = None,
    max_active: MaxActive = None,
    timeout: Annotated[
        float | None, seconds("Seconds, reading included, till it stops; what is proved is kept.")
    ] = None,
    force: Force = False,
    format_: TextOrJson = Format.TEXT,
) -> int:
    """Take neurons, edges and digits away from NETWORK as long as SPEC stays proved.

    Exit: 0 what is left is proved, 1 NETWORK is refuted, 2 bad input, 3 not proved, or stopped before all was tried.
    """
    spec = required(spec)
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
