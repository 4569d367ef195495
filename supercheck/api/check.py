"""Certificates, checked: the lone checker reads what it can itself, and is handed the rest in normal form."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from supercheck import checker
from supercheck.base.display import Faces, Shown
from supercheck.base.errors import InputError
from supercheck.certificate.core_form import handed
from supercheck.claims.question import question
from supercheck.report.verify.json import outcome_object


class Checked(Shown, checker.Outcome):
    """What came of certificates: `status` and `reason`, as the lone checker says them, and in how many `seconds`."""

    seconds: float = 0.0


Checked.faces = Faces(lambda found: str(found.reason), lambda found: outcome_object(found, found.seconds))


def check_certificate(
    certificates: Sequence[str | Path],
    network: str | Path,
    spec: str | Path,
    *,
    max_active: int | None = None,
    accept_solver: bool = False,
) -> Checked:
    """Check certificates of one verdict with `checker/`, which shares no code with what wrote them.

    Args:
        certificates: one file, or the shards of one.
        network: the network file.
        spec: the spec file.
        max_active: a sparsity that wins over the spec's own.
        accept_solver: whether a solver's word counts as a proof.

    Returns:
        Whether the verdict is confirmed, why, and what neither network nor spec says.

    Raises:
        InputError: if a file cannot be read.
    """
    notes: tuple[str, ...] | None = None
    begun = time.perf_counter()
    try:
        own, asked = checker.question(str(network), str(spec), max_active)
    except checker.CheckError:  # ONNX, truth tables, codes and other layers: ours to read
        claims, _, _ = question(network, spec, max_active)
        own, asked = handed(claims)
        notes = claims.assumptions
    try:
        found = Checked(*checker.check([str(file) for file in certificates], own, asked, accept_solver=accept_solver))
    except OSError as error:
        name = error.filename or certificates[0]
        raise InputError(file=name, expected="a readable file", got=error.strerror or error) from error
    if notes is not None:
        found = found._replace(assumptions=notes)
    found.seconds = time.perf_counter() - begun
    return found
