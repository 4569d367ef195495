"""Writes certificates: files with which anyone can check a verdict without trusting this program.

The format is that of README.md beside it; `checker/` reads it and shares no code with what is written here. A
certificate that is wrong can only be rejected.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from supercheck.base.errors import FaultError, present
from supercheck.base.files import written_aside
from supercheck.certificate.proofs import WORD, prove
from supercheck.checker import CheckError, question
from supercheck.claims.claims import Claims, claims_digest, claims_text
from supercheck.claims.evidence import Counterexample, Verdict
from supercheck.claims.result import Certificate, OutputResult, Provenance, Result
from supercheck.decide.limits import Clock, Limits, Progress, quiet
from supercheck.decide.portfolio import decide
from supercheck.network.formats.json import written

READABLE = {".safetensors", ".npz", ".json"}
"""Network files that the lone checker reads itself."""

MOST_READ = 1 << 17
"""Weights and outputs that it reads in moments."""


BESIDE = {"network.json": "network", "claims": "text of claims"}
"""What may be written beside a certificate, and its kind."""


def names(file: Path) -> dict[str, tuple[str, Path]]:
    """Every file that may be written with a certificate, with its kind, by what the option and it are called."""
    beside = ((kind, file.with_name(f"{file.name}.{end}")) for end, kind in BESIDE.items())
    named = {f"--certificate {name}": (kind, name) for kind, name in beside} if file.name else {}
    return {"--certificate": ("certificate", file), **named}


def write(
    result: Result, file: Path, limits: Limits = Limits(), progress: Progress = quiet, *, force: bool = False
) -> Certificate | None:
    """Write the certificate of a verdict.

    Args:
        result: the verdict.
        file: where; what the lone checker cannot read itself is written beside it, in core form.
        limits: workers, nodes, and the seconds that proving may take.
        progress: told how many outputs have their proof.
        force: whether files that supercheck did not write may be replaced.

    Returns:
        What was written; None where the verdict is unknown, or of what the format does not cover (`uncovered`).

    Raises:
        InputError: if the file cannot be written.
    """
    claims = result.claims
    if result.verdict is Verdict.UNKNOWN or uncovered(result) is not None:
        return None
    clock = limits.clock(progress)
    head = ["supercheck-certificate 1", f"network {claims.network.digest}", f"claims {claims_digest(claims)}"]
    proofs: Iterable[str] = ()
    words = total = 0
    if result.verdict is Verdict.REFUTED:
        head.append(_refutation(result.counterexample))
        if result.counterexample.minimal and result.counterexample.size:
            below = claims.at_most(result.counterexample.size - 1)
            shown = decide(below, replace(limits, margins=False, largest_k=False, count=False, cross_check=0))
            if shown.verdict is Verdict.REFUTED:
                raise FaultError(f"a smallest counterexample is not the smallest: {shown.counterexample}")
            proofs = _lines(shown.outputs, below, limits, clock) if shown.verdict is Verdict.PROVED else ()
            if shown.verdict is not Verdict.PROVED:
                head[-1] = head[-1].replace("refuted-minimal", "refuted")
    else:
        head.append("proved")
        proofs = _lines(result.outputs, claims, limits, clock)
    digest = hashlib.sha256()
    with written_aside(file, "certificate", force=force) as stream:

        def put(line: str) -> None:
            content = f"{line}\n".encode()
            digest.update(content)
            stream.write(content)

        for line in head:
            put(line)
        for line in proofs:
            put(line)
            total += 1
            words += line.endswith(f" {WORD}")
        put(f"end {total}")
    return Certificate(file, digest.hexdigest(), words, tuple(_cores(result, file, force)))


def uncovered(result: Result) -> str | None:
    """What of a question the format does not cover, as a sentence; None where it covers it."""
    claims = result.claims
    if result.arithmetic != "real":
        return f"the format does not cover {result.arithmetic}"
    if not claims.readout.rules.in_certificates:
        return f"the format does not cover mode {claims.readout.mode}"
    return None if claims.domain.binary else f"the format does not cover features that are {claims.domain}"


def certified(
    result: Result,
    file: Path,
    limits: Limits = Limits(),
    *,
    require: bool = False,
    progress: Progress = quiet,
    force: bool = False,
) -> Result:
    """The result with its certificate, and with what a reader has to know about it.

    Args:
        result: the verdict.
        file: where the certificate goes.
        limits: workers, nodes, and the seconds that proving may take.
        require: whether the verdict is unknown where it rests on a solver's word, or there is no certificate.
        progress: told how many outputs have their proof.
        force: whether files that supercheck did not write may be replaced.
    """
    begun, written, withheld, note = time.perf_counter(), None, result.withheld, None
    try:
        with limits.clock().alarm():
            written = write(result, file, limits, progress, force=force)
        if written is None:
            why = "the verdict is unknown" if result.verdict is Verdict.UNKNOWN else uncovered(result)
            note = f"no certificate was written: {why}"
        elif written.words:
            what = "one output is" if written.words == 1 else f"{written.words:,} outputs is"
            note = f"the proof of {what} a solver's word (Z3's), which `supercheck check` cannot confirm"
        if require and note is not None:
            withheld = withheld or note
    except KeyboardInterrupt:
        why = limits.clock().reason if limits.clock().over else "interrupted"
        note = f"no certificate was written: {why}"
        withheld = note if result.verdict is Verdict.PROVED else withheld
    return replace(
        result,
        certificate=written,
        notes=result.notes if note is None else (*result.notes, f"{note[:1].upper()}{note[1:]}."),
        withheld=withheld,
        seconds={**result.seconds, "certify": time.perf_counter() - begun},
    )


def _refutation(found: Counterexample) -> str:
    word = "refuted-minimal" if found.minimal else "refuted"
    against = [] if found.against is None else ["/", *map(str, found.against.active)]
    return " ".join([word, str(found.output), *map(str, found.active), *against])


def _lines(outputs: Sequence[OutputResult], claims: Claims, limits: Limits, clock: Clock) -> Iterator[str]:
    """The certificate's lines for outputs that are all proved."""
    known = {output.index: output.proof for output in outputs if output.proof is not None}
    bounds = _bounds(outputs, claims) if claims.separable else None
    evaluated, done = not known, 0
    for first, last, tree in prove(claims, known, bounds, limits, clock, evaluated=evaluated):
        if bounds is not None:
            yield from (f"{i} @{bounds[i]},{bounds[i] + 1}" for i in range(first, last + 1))
        yield f"{first} {tree}" if first == last else f"{first}-{last} {tree}"
        done += last + 1 - first
        clock.progress(done, len(claims), "outputs")


def _bounds(outputs: Sequence[OutputResult], claims: Claims) -> list[int]:
    """For each output a whole number in the middle: w . h is at most that where its function is off, above where on."""
    bounds = []
    for output in outputs:
        worst = present(output.extremes, f"extremes of output {output.index}")
        on, off = (None if p is None else _total(claims, output.index, p.value) for p in (worst.on, worst.off))
        bounds.append((off + on) // 2 if on is not None and off is not None else on - 1 if on is not None else off or 0)
    return bounds


def _total(claims: Claims, output: int, value: Fraction) -> int:
    """The integer w . h of an output's value."""
    return int((value - claims.network.output.bias[output]) / claims.network.output.scale[output])


def _cores(result: Result, file: Path, force: bool) -> Iterator[Path]:
    """Write what the lone checker cannot read by itself, in a form that it reads."""
    claims, source = result.claims, result.source
    if not _readable(claims, source):
        yield _core(file, "network.json", [written(claims.network)], force)
        yield _core(file, "claims", claims_text(claims), force)


def _readable(claims: Claims, source: Provenance) -> bool:
    """Whether the lone checker reads this question from its files; asked of itself where that takes no time."""
    if source.network is None or source.spec is None or claims.own is not claims.network:
        return False
    plain = Path(source.network).suffix in READABLE
    if not plain or claims.network.edges + len(claims) > MOST_READ:  # too large for JSON, too: in a plain file, or not
        return plain
    try:
        own, asked = question(source.network, source.spec, claims.cube.max_active)
    except CheckError:
        return False
    return own.digest == claims.network.digest and asked.digest == claims_digest(claims)


def _core(file: Path, end: str, parts: Iterable[str], force: bool) -> Path:
    name = file.with_name(f"{file.name}.{end}")
    with written_aside(name, BESIDE[end], force=force) as stream:
        for part in parts:
            stream.write(part.encode())
    return name
