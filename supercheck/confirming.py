"""Certificates, checked: the lone checker reads what it can itself, and is handed the core form of the rest."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from supercheck.certificate import READABLE
from supercheck.checker import Outcome, check
from supercheck.claims import claims_text
from supercheck.errors import InputError
from supercheck.posing import question
from supercheck.spec import read_spec


def check_certificate(
    certificates: Sequence[str | Path],
    network: str | Path,
    spec: str | Path,
    *,
    max_active: int | None = None,
    accept_solver: bool = False,
) -> Outcome:
    """Check certificates of one verdict with `checker.py`, which shares no code with what wrote them.

    Args:
        certificates: one file, or the shards of one.
        network: the network file.
        spec: the spec file.
        max_active: a sparsity that wins over the spec's own.
        accept_solver: whether a solver's word counts as a proof.

    Returns:
        Whether the verdict is confirmed, and what that took.

    Raises:
        InputError: if a file cannot be read.
    """
    with _readable(Path(network), Path(spec), max_active) as (own, asked, k):
        try:
            return check([str(file) for file in certificates], str(own), str(asked), k, accept_solver=accept_solver)
        except OSError as error:
            name = error.filename or certificates[0]
            raise InputError(file=name, expected="a readable file", got=error.strerror or error) from error


@contextmanager
def _readable(network: Path, spec: Path, max_active: int | None) -> Iterator[tuple[Path, Path, int | None]]:
    """Files that the checker reads itself, and the sparsity to tell it."""
    if _core(network) or _core(spec):
        yield network, spec, max_active
        return
    read = read_spec(spec, max_active)
    source = read.source
    if network.suffix in READABLE and not (source.encoder or source.decoder or read.table):
        yield network, spec, max_active
        return
    claims, _, _ = question(network, read, None)
    with tempfile.TemporaryDirectory() as folder:
        own, asked = Path(folder) / "network", Path(folder) / "claims"
        for file, parts in ((own, claims.network.text()), (asked, claims_text(claims))):
            with file.open("w", encoding="ascii") as stream:
                stream.writelines(parts)
        yield own, asked, None


def _core(file: Path) -> bool:
    """Whether a file is a core form, by its first bytes."""
    try:
        with file.open("rb") as stream:
            return stream.read(11) == b"supercheck-"
    except OSError:
        return False  # whoever reads it says what is wrong
