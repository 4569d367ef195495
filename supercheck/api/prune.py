"""Pruning from end to end: load, read, prove, take away, write, prove what was written. The face of `prune`."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from supercheck.analysis.costs.floors.bounds import forms
from supercheck.analysis.costs.floors.classes import FunctionClass
from supercheck.analysis.costs.floors.floor import Floor, bound
from supercheck.analysis.costs.floors.measured import class_floors, counted_class, edge_floors, tolerates_all
from supercheck.api.reproducer import parts
from supercheck.api.verify import verify
from supercheck.base.display import Faces
from supercheck.base.errors import FaultError, InputError
from supercheck.base.files import check_written, keep_apart
from supercheck.base.system import relative
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Verdict
from supercheck.claims.question import question
from supercheck.claims.result import Provenance, Result
from supercheck.construct.output import check_output, kind_of, spec_bytes, write_together
from supercheck.construct.pruning.edits import fits, layered
from supercheck.construct.pruning.floats import Kind
from supercheck.construct.pruning.result import Pruning
from supercheck.construct.pruning.search import Pruned, prune as search
from supercheck.decide.float32.portfolio import decide_in
from supercheck.decide.limits import Limits, Progress, quiet
from supercheck.network.formats.load import load_linear
from supercheck.network.formats.save import holds_all, network_bytes
from supercheck.network.formats.tensors import brief
from supercheck.network.network import Network
from supercheck.report.prune.json import prune_object
from supercheck.report.prune.text import text
from supercheck.spec.spec import Spec
from supercheck.spec.syntax import text as formula_text

_UNPROVED = ".unproved"  # before the suffix


Pruning.faces = Faces(text, prune_object)


def prune(
    network: object,
    spec: Spec | str | Path,
    *,
    output: str | Path | None = None,
    max_active: int | None = None,
    timeout: float | None = None,
    force: bool = False,
    progress: Progress = quiet,
) -> Pruning:
    """Take neurons, edges and digits away from a network as long as it stays proved.

    Args:
        network: a `Network`, the path of a network file, a `torch.nn.Sequential`, or None for the file that
            the spec names.
        spec: a `Spec`, or the path of a spec file.
        output: the network file to write; its spec goes beside it, with the suffix `.toml`. Both were read again, and
            the network is proved; where it is not, they have `.unproved` before the suffix. None: nothing is written.
        max_active: a sparsity that wins over the spec's own.
        timeout: seconds for deciding and pruning; what is proved until then is kept, and so it is after Ctrl-C.
            Verifying it once more may take as long again.
        force: whether files that supercheck did not write, such as a spec written by hand, may be replaced.
        progress: called with how many are done, of how many, and of what: first outputs or inputs of the given network,
            then percent, with the phase, then those of what is left.

    Raises:
        InputError: if network or spec cannot be read, or do not fit each other, or the file cannot be written.
        FaultError: if supercheck contradicts itself.
    """
    begun = time.perf_counter()
    if output is not None:
        check_output(Path(output))
    limits = Limits(timeout=timeout).begin()
    clock = limits.clock()
    with clock.reading():
        claims, spec, source = question(network, spec, max_active)
    target = None if output is None else _Target(Path(output), spec, claims.own.digest, brief(claims.own.notes), force)
    if target is not None:
        target.check(claims, source)
    ready = time.perf_counter()
    given = replace(decide_in(spec.arithmetic, claims, limits, _of(progress, "the given network")), source=source)
    decided = time.perf_counter()
    seconds = {"load": ready - begun, "decide": decided - ready}
    if given.verdict is not Verdict.PROVED:
        return Pruning(given, None, source=source, seconds={**seconds, "total": decided - begun})
    encoder, decoder = (
        None if code is None else load_linear(code) for code in (spec.source.encoder, spec.source.decoder)
    )
    kind: Kind | None = None if target is None or target.holds_all else np.float64
    if spec.arithmetic == "float32":
        kind = np.float32
    pruned = search(claims, (encoder, decoder), spec.arithmetic, clock, progress, kind=kind)
    done, progress = time.perf_counter(), _of(progress, "what is left")
    own, again = Network.of(pruned.layers), replace(limits, begun=None)  # verifying it once more has a time of its own
    if target is None:
        result = verify(own, spec.of_a_network, limits=again, progress=progress)
    else:
        result = target.write(pruned, claims.of(own, own.between(encoder, decoder)), again, progress)
    if result.verdict is Verdict.REFUTED:
        raise FaultError("every step was proved, but what came out is refuted")
    now = time.perf_counter()
    of_class, after = counted_class(claims), pruned.after
    file, written = (None, None)
    if target is not None:
        file, written = target.files("" if result.verdict is Verdict.PROVED else _UNPROVED)
    return Pruning(
        given,
        pruned,
        result,
        of_class,
        _floors(claims, pruned, of_class),
        tuple(forms(after.outputs, after.neurons, after.parameters)),
        file,
        written,
        source,
        {**seconds, "prune": done - decided, "verify": now - done, "total": now - begun},
    )


def _of(progress: Progress, which: str) -> Progress:
    return lambda done, total, what: progress(done, total, f"{what} of {which}")


def _floors(claims: Claims, pruned: Pruned, of_class: FunctionClass | None) -> tuple[Floor, ...]:
    if tolerates_all(claims):
        return ()
    of_the_class = () if of_class is None else class_floors(of_class, pruned.after, claims.cube.size)
    return bound([*of_the_class, *edge_floors(claims, pruned.after)], ("class",))


@dataclass(frozen=True)
class _Target:
    """Where a network is written, and the spec that it is verified by."""

    output: Path
    asked: Spec
    given: str  # the digest of the network that was given
    assumed: str | None  # of what follows its layers
    force: bool = False

    @property
    def holds_all(self) -> bool:
        """Whether the format holds every rational number."""
        return holds_all(self.output)

    def files(self, mark: str = "") -> tuple[Path, Path]:
        """The network file and the spec file, with a mark before the suffix."""
        file = self.output.with_suffix(f"{mark}{self.output.suffix}")
        return file, file.with_suffix(".toml")

    def check(self, claims: Claims, source: Provenance) -> None:
        """Refuse to write over what is read, or numbers that the format does not hold."""
        written = (*self.files(), *self.files(_UNPROVED))
        keep_apart({f"-o, that is {file}": file for file in written}, self._read(source))
        check_written({f"-o, that is {file}": (kind_of(file), file) for file in self.files()}, force=self.force)
        if not self.holds_all and not fits(layered(claims.own), np.float64):
            do = "write it to a .json file, which holds every number"
            raise InputError(place="-o", expected="a format that holds its numbers", got=self.output.suffix, do=do)

    def _read(self, source: Provenance) -> Iterator[Path]:
        file, asked = None if source.network is None else Path(source.network), self.asked
        if asked.file is not None:
            yield from parts(file, asked.file)
        named = (file, asked.source.file, asked.source.encoder, asked.source.decoder, asked.table)
        yield from (part for part in named if part is not None)

    def write(self, pruned: Pruned, claims: Claims, limits: Limits, progress: Progress) -> Result:
        """Write network and spec, verify what they read back as, and give them the names that the verdict allows.

        Until then they have names that nobody else has, which go whatever comes of it.

        Args:
            pruned: what is left.
            claims: the question, put to what is left.
            limits: of verifying.
            progress: told how far that is.

        Raises:
            FaultError: if they do not read back as what was written.
        """
        aside = self.files(f".{secrets.token_hex(8)}")
        try:
            write_together(self._contents(pruned, aside, proved=False))
            result = verify(None, aside[1], limits=limits, progress=progress)
        finally:
            for file in aside:
                with suppress(OSError):
                    os.unlink(file)
        if (result.arithmetic, *_told(result.claims)) != (self.asked.arithmetic, *_told(claims)):
            raise FaultError(f"what was written to {self.output} and its spec does not read back as what was pruned")
        proved = result.verdict is Verdict.PROVED
        file, spec = self.files("" if proved else _UNPROVED)
        contents = self._contents(pruned, (file, spec), proved=proved)
        write_together(contents, force=self.force)
        digests = [hashlib.sha256(contents[name]).hexdigest() for name in (file, spec)]
        read = ((f"{file}", digests[0]),), result.source.spec_files
        return replace(result, source=Provenance(file.as_posix(), digests[0], spec.as_posix(), digests[1], *read))

    def _contents(self, pruned: Pruned, files: tuple[Path, Path], *, proved: bool) -> dict[Path, bytes]:
        """What each file is to hold."""
        file, spec = files
        before, after = pruned.before, pruned.after
        made: dict[str, int | str] = {"verdict": "proved" if proved else "not proved", "pruned": self.given}
        notes = [
            f"Written by `supercheck prune`: {made['verdict']}.",
            f"neurons: {after.neurons} of {before.neurons}; edges: {after.edges} of {before.edges}",
            *([] if self.assumed is None else [f"assumed of the network that was given: {self.assumed}"]),
        ]
        named = {"encoder": self.asked.source.encoder, "decoder": self.asked.source.decoder, "table": self.asked.table}
        names = {"file": file.name} | {
            key: relative(part.resolve(), spec.parent.resolve()) for key, part in named.items() if part is not None
        }
        return {
            file: network_bytes(pruned.layers, file, made),
            spec: spec_bytes(self.asked, pruned.layers, names, notes),
        }


def _told(claims: Claims) -> tuple[object, ...]:
    """What is asked of which network; formulas in text, for one of a single part is written as that part."""
    own, whole = claims.own.digest, claims.network.digest
    return own, whole, claims.cube, list(map(formula_text, claims.formulas)), claims.readout
