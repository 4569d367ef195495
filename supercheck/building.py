"""Build a network, prove what it claims, write both. The Python face of `supercheck build`."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from supercheck.construct import CONSTRUCTIONS
from supercheck.construct.built import Built, Wanted
from supercheck.construct.pairs import of_edges, read_pairs
from supercheck.construct.writing import check_suffix, write_code, write_network, write_spec
from supercheck.decide import Limits
from supercheck.decide.limits import Progress, quiet
from supercheck.errors import FaultError, InputError
from supercheck.evidence import Result, Verdict
from supercheck.formats import load, load_linear
from supercheck.network import Network
from supercheck.verifying import verify


@dataclass(frozen=True, eq=False)
class Building:
    """A network that was built, and what came of verifying it.

    Attributes:
        construction: its name.
        built: the network and its claims.
        result: the verdict on them.
        file: the network file, None where none was written.
        spec: the spec file, None where none was written.
        seconds: by phase.
    """

    construction: str
    built: Built
    result: Result
    file: Path | None
    spec: Path | None
    seconds: dict[str, float]


def build(
    construction: str,
    *,
    output: str | Path | None = None,
    pairs: str | Path | Sequence[Sequence[int]] | Any | None = None,
    limits: Limits = Limits(),
    progress: Progress = quiet,
    **wanted: Any,
) -> Building:
    """Build a network, verify that it computes what it claims, and write both.

    Args:
        construction: a key of `CONSTRUCTIONS`.
        output: the network file; the spec goes beside it, with the suffix `.toml`. A network that is not proved gets
            `.unproved` before its suffix. None: nothing is written.
        pairs: a file of pairs, a list of them, or a networkx graph with features for nodes.
        limits: of verifying.
        progress: as `verify` takes it.
        **wanted: the fields of `Wanted`: max_active, features, outputs, gate, seed, ...

    Returns:
        The network, its claims, the verdict, and the files.

    Raises:
        InputError: if there is no such construction, it cannot build what is asked, or a file cannot be written.
        FaultError: if what was written reads back as another network.
    """
    begun = time.perf_counter()
    if construction not in CONSTRUCTIONS:
        expected = f"one of {', '.join(CONSTRUCTIONS)}"
        raise InputError(place="construction", expected=expected, got=construction)
    if output is not None:
        check_suffix(Path(output))
    request = Wanted(pairs=None if pairs is None else _listed(pairs), **wanted)
    built = CONSTRUCTIONS[construction](request)
    if request.at is not None:
        built = built.read_at(request.at)
    made = time.perf_counter()
    result = verify(built.whole, built.spec, limits=limits, progress=progress)
    proved = result.verdict is Verdict.PROVED
    built = replace(
        built,
        made={
            "construction": construction,
            "verdict": result.verdict.value if proved else f"not proved ({result.verdict.value})",
            "seed": request.seed,
            **built.made,
        },
    )
    file, spec = (None, None) if output is None else _save(built, Path(output), proved)
    now = time.perf_counter()
    seconds = {"build": made - begun, **result.seconds, "total": now - begun}
    return Building(construction, built, result, file, spec, seconds)


def _listed(pairs: Any) -> Any:
    if isinstance(pairs, str | Path):
        return read_pairs(Path(pairs))
    return of_edges(tuple(pair) for pair in (pairs.edges if hasattr(pairs, "edges") else pairs))


def _save(built: Built, output: Path, proved: bool) -> tuple[Path, Path]:
    """Write network, codes and spec; what was written is read back and compared."""
    file = output if proved else output.with_suffix(f".unproved{output.suffix}")
    codes = {"encoder": built.encoder, "decoder": built.decoder}
    names = {"file": file} | {
        key: file.with_suffix(f".{key}{file.suffix}") for key, code in codes.items() if code is not None
    }
    write_network(built.layers, file, built.made)
    for key, code in codes.items():
        if code is not None:
            write_code(code, names[key], built.made)
    if built.spec.table is not None:
        names["table"] = Path(os.path.relpath(built.spec.table, file.parent))
    spec = file.with_suffix(".toml")
    notes = [
        f"Written by `supercheck build {built.made['construction']}`: {built.made['verdict']}.",
        *(f"{key}: {value}" for key, value in built.made.items() if key not in ("construction", "verdict")),
    ]
    stated = {key: name.as_posix() if key == "table" else name.name for key, name in names.items()}
    write_spec(built.spec, spec, built.layers, stated, notes)
    _read_back(built, names, spec)
    return file, spec


def _read_back(built: Built, names: dict[str, Path], spec: Path) -> None:
    from supercheck.spec import read_spec

    read = read_spec(spec)
    again = load(names["file"], read.source.layers).affine()
    whole = [load_linear(names["encoder"])] if "encoder" in names else []
    whole += again
    whole += [load_linear(names["decoder"])] if "decoder" in names else []
    if Network.of(whole).digest != built.whole.digest or read.formulas != built.spec.formulas:
        raise FaultError(f"{names['file']} and {spec} do not read back as what was written")
    if (read.domain, read.readout) != (built.spec.domain, built.spec.readout):
        raise FaultError(f"{spec} does not read back as the spec that was written")
