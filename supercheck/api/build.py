"""Build a network, prove what it claims, write both. The Python face of `supercheck build`."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from supercheck.api.verify import verify
from supercheck.base.display import Faces
from supercheck.base.errors import FaultError, InputError, meant
from supercheck.base.files import check_written
from supercheck.base.system import relative
from supercheck.claims.evidence import Verdict
from supercheck.claims.question import loaded
from supercheck.construct.constructions import CONSTRUCTIONS, DRAWN
from supercheck.construct.inputs import read_formulas
from supercheck.construct.output import check_output, kind_of, spec_bytes, write_together
from supercheck.construct.pairs import of_edges, read_pairs
from supercheck.construct.request import Built, Request
from supercheck.construct.result import Building
from supercheck.decide.limits import Limits, Progress, quiet
from supercheck.network.formats.load import load_linear
from supercheck.network.formats.save import code_bytes, network_bytes
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.report.build.text import build_object, build_text
from supercheck.spec.formula import Formula
from supercheck.spec.syntax import parse, text

Building.faces = Faces(build_text, build_object)


def build(
    construction: str,
    *,
    output: str | Path | None = None,
    pairs: str | Path | Sequence[Sequence[int]] | Any | None = None,
    formulas: str | Path | Sequence[str | Formula] | None = None,
    table: str | Path | None = None,
    limits: Limits = Limits(),
    progress: Progress = quiet,
    force: bool = False,
    **wanted: Any,
) -> Building:
    """Build a network, verify that it computes what it claims, and write both.

    Args:
        construction: a key of `CONSTRUCTIONS`.
        output: the network file; the spec goes beside it, with the suffix `.toml`. A network that is not proved gets
            `.unproved` before its suffix. None: nothing is written.
        pairs: a file of pairs, a list of them, or a networkx graph with features for nodes.
        formulas: a file with one formula a line, or a list of them.
        table: a file with a truth table, as specs read it.
        limits: of verifying.
        progress: as `verify` takes it.
        force: whether files that supercheck did not write, such as a spec written by hand, may be replaced.
        **wanted: the fields of `Request`: max_active, features, outputs, gate, seed, ...

    Returns:
        The network, its claims, the verdict, and the files.

    Raises:
        InputError: if there is no such construction, it cannot build what is asked, or a file cannot be written.
        FaultError: if what was written reads back as another network.
    """
    begun = time.perf_counter()
    if construction not in CONSTRUCTIONS:
        do = meant(construction, CONSTRUCTIONS)
        raise InputError(place="construction", expected="one that there is", got=f'"{construction}"', do=do)
    if output is not None:
        check_output(Path(output))
        read = [Path(part) for part in (pairs, formulas, table) if isinstance(part, str | Path)]
        written = [*_names(Path(output)).values(), *_names(_unproved(Path(output))).values()]
        check_written({f"-o, that is {file}": (kind_of(file), file) for file in written}, read, force=force)
    request = Request(
        pairs=None if pairs is None else _pairs(pairs),
        formulas=None if formulas is None else _formulas(formulas),
        table=None if table is None else Path(table),
        **wanted,
    )
    built = CONSTRUCTIONS[construction](request)
    if request.at is not None:
        built = built.read_at(request.at)
    made = time.perf_counter()
    result = verify(built.whole, built.spec, limits=limits, progress=progress)
    proved = result.verdict is Verdict.PROVED
    drawn_pairs = request.pairs is None and request.outputs is not None
    built = replace(
        built,
        made={
            "construction": construction,
            "verdict": result.verdict.value if proved else f"not proved ({result.verdict.value})",
            **({"seed": request.seed} if construction in DRAWN or drawn_pairs else {}),
            **built.made,
        },
    )
    file, spec = None, None
    if output is not None:
        file, spec = save(built, Path(output), proved=proved, force=force)
    now = time.perf_counter()
    seconds = {"build": made - begun, **result.seconds, "total": now - begun}
    return Building(construction, built, result, file, spec, seconds)


def save(built: Built, file: Path, *, proved: bool, force: bool = False) -> tuple[Path, Path]:
    """Write a network, its codes and its spec, all or none; what was written is read back and compared.

    All is written with `.unproved` in its names; what is proved, and read back, gets its own.

    Returns:
        The network file and the spec file.

    Raises:
        InputError: if one cannot be written.
        FaultError: if it reads back as something else.
    """
    codes = {"encoder": built.encoder, "decoder": built.decoder}
    contents = {"file": network_bytes(built.layers, file, built.made)}
    contents |= {key: code_bytes(code, file, built.made) for key, code in codes.items() if code is not None}
    aside, names = (
        {key: name for key, name in _names(of).items() if key in contents or key == "spec"}
        for of in (_unproved(file), file)
    )
    with ExitStack() as after:
        _write(built, aside, contents, force=force)
        after.callback(_remove, aside)
        _read_back(built, aside)
        if not proved:
            after.pop_all()
            return aside["file"], aside["spec"]
        _write(built, names, contents, force=force)
    return names["file"], names["spec"]


def _write(built: Built, names: dict[str, Path], contents: dict[str, bytes], *, force: bool) -> None:
    """Write a spec, and what it names."""
    notes = [
        f"Written by `supercheck build {built.made['construction']}`: {built.made['verdict']}.",
        *(f"{key}: {value}" for key, value in built.made.items() if key not in ("construction", "verdict")),
    ]
    stated = {key: name.name for key, name in names.items()}
    if built.spec.table is not None:
        folder = names["spec"].parent.resolve()
        stated["table"] = relative(built.spec.table.resolve(), folder)
    spec = spec_bytes(built.spec, built.layers, stated, notes)
    write_together({names[key]: content for key, content in contents.items()} | {names["spec"]: spec}, force=force)


def _remove(names: dict[str, Path]) -> None:
    for file in names.values():
        with suppress(OSError):
            os.unlink(file)


def _names(file: Path) -> dict[str, Path]:
    """Every file that may be written, by what it is for."""
    codes = {key: file.with_suffix(f".{key}{file.suffix}") for key in ("encoder", "decoder")}
    return {"file": file, **codes, "spec": file.with_suffix(".toml")}


def _unproved(file: Path) -> Path:
    return file.with_suffix(f".unproved{file.suffix}")


def _pairs(pairs: Any) -> Any:
    if isinstance(pairs, str | Path):
        return read_pairs(Path(pairs))
    return of_edges(tuple(pair) for pair in (pairs.edges if hasattr(pairs, "edges") else pairs))


def _formulas(formulas: str | Path | Sequence[str | Formula]) -> tuple[Formula, ...]:
    if isinstance(formulas, str | Path):
        return read_formulas(Path(formulas))
    return tuple(parse(formula) if isinstance(formula, str) else formula for formula in formulas)


def _read_back(built: Built, names: dict[str, Path]) -> None:
    from supercheck.spec.read import read_spec

    read = read_spec(names["spec"])
    again: list[Affine] = loaded(names["file"], read.source)[0].affine()
    whole = [load_linear(names["encoder"])] if "encoder" in names else []
    whole += again
    whole += [load_linear(names["decoder"])] if "decoder" in names else []
    if Network.of(whole).digest != built.whole.digest:
        raise FaultError(f"{names['file']} does not read back as the network that was written")
    same = read.formulas == built.spec.formulas or [*map(text, read.formulas)] == [*map(text, built.spec.formulas)]
    if not same or (read.domain, read.readout) != (built.spec.domain, built.spec.readout):
        raise FaultError(f"{names['spec']} does not read back as the spec that was written")
