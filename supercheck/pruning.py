"""Pruning from end to end: load, read, prove, take away, write, prove what was written. The face of `prune`."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from supercheck.claims import Claims
from supercheck.construct.pruning import Pruned, prune as search
from supercheck.construct.storing import Kind
from supercheck.construct.trimming import fits, layered
from supercheck.construct.writing import check_output, kind_of, network_bytes, spec_bytes, write_together
from supercheck.decide import Limits
from supercheck.decide.limits import Progress, quiet
from supercheck.errors import FaultError, InputError
from supercheck.evidence import Verdict
from supercheck.faces import Faces, Shown
from supercheck.float32 import decide_in
from supercheck.floors import Floor, bound
from supercheck.floors.bounds import Form, forms
from supercheck.floors.classes import FunctionClass
from supercheck.floors.measured import class_floors, counted_class, edge_floors, tolerates_all
from supercheck.formats import load_linear
from supercheck.formats.tensors import brief
from supercheck.network import Network
from supercheck.options import check_written, keep_apart
from supercheck.posing import question
from supercheck.report.prune import text
from supercheck.report.prune_json import prune_object
from supercheck.reproducing import parts
from supercheck.results import Provenance, Result
from supercheck.spec import Spec
from supercheck.syntax import text as formula_text
from supercheck.system import relative
from supercheck.verifying import verify

_UNPROVED = ".unproved"  # before the suffix


@dataclass(frozen=True, eq=False, repr=False)
class Pruning(Shown):
    """A network with all taken away that could go, and what came of verifying it.

    Attributes:
        given: the verdict on the network as it was given.
        pruned: what is left, and why; None where the given network is not proved.
        result: the verdict on what is left, read again from its file; None where the given network is not proved.
        of_class: the class that its functions belong to, if there is one.
        floors: what some function of the class, and what this function, needs, beside what is left.
        forms: the paper's forms beside what is left.
        file: the network file; None where none was written.
        spec: the spec file beside it.
        source: where network and spec came from.
        seconds: load, decide, prune, verify, total.
    """

    given: Result
    pruned: Pruned | None
    result: Result | None = None
    of_class: FunctionClass | None = None
    floors: tuple[Floor, ...] = ()
    forms: tuple[Form, ...] = ()
    file: Path | None = None
    spec: Path | None = None
    source: Provenance = field(default_factory=Provenance)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def claims(self) -> Claims:
        """The question, put to the network as it was given."""
        return self.given.claims

    @property
    def verdict(self) -> Verdict:
        """That on what is left; on the network as it was given where nothing was taken away."""
        return self.given.verdict if self.result is None else self.result.verdict

    @property
    def network(self) -> Network | None:
        """What is left, without the spec's fixed codes."""
        return None if self.pruned is None else Network.of(self.pruned.layers)


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
    of_the_class = () if of_class is None else class_floors(of_class, pruned.after, claims.domain.size)
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
        return self.output.suffix == ".json"

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
    return own, whole, claims.domain, list(map(formula_text, claims.formulas)), claims.readout
