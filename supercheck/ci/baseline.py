"""A regression gate: what networks once achieved, in a file, and whether they still do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from supercheck.base.errors import InputError, printable
from supercheck.base.exit_codes import FAILED, PASSED
from supercheck.base.files import written_aside
from supercheck.base.numbers import rational, short
from supercheck.report.gate.outcome import Measured, SpecOutcome

VERSION = 1


class Figures(BaseModel):
    """What the file remembers of one spec."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    max_active: int
    verdict: str
    counts: dict[str, int]
    margins: list[str | None]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    supercheck_baseline: int = Field(ge=VERSION, le=VERSION)
    specs: dict[str, Figures]


@dataclass(frozen=True)
class Baseline:
    """Earlier figures.

    Attributes:
        file: where they are.
        specs: the figures, by the spec's path relative to the file's folder.
        strict: whether a spec that falls short of them fails; otherwise that is a warning.
    """

    file: Path
    specs: Mapping[str, Figures]
    strict: bool = False

    @classmethod
    def read(cls, file: Path, *, strict: bool = False) -> Baseline:
        """Read a baseline.

        Raises:
            InputError: if it cannot be read, or is something else.
        """
        try:
            if file.exists() and not file.is_file():
                raise InputError(file=file, expected="a baseline", got="something that is no file")
            return cls(file, _File.model_validate_json(file.read_bytes()).specs, strict)
        except OSError as error:
            do = "without --fail-on-regression a first run writes it"
            raise InputError(file=file, expected="a baseline", got=error.strerror or error, do=do) from error
        except ValidationError as error:
            first = error.errors()[0]
            known = {*_File.model_fields, *Figures.model_fields}  # what else there is may be another file's
            place = ".".join(part for part in map(str, first["loc"]) if part in known) or None
            raise InputError(file=file, place=place, expected="a baseline of this version", got=first["msg"]) from error

    def name(self, file: str) -> str:
        """What a spec is called in the file."""
        here, spec = self.file.resolve().parent, Path(file).resolve()
        return spec.relative_to(here).as_posix() if spec.is_relative_to(here) else spec.as_posix()

    def updated(self, judgements: Sequence[SpecOutcome], *, force: bool = False) -> None:
        """Write the file anew with what was measured; specs that were not judged keep their figures.

        Args:
            judgements: what was measured.
            force: whether a file that is no baseline may be replaced.

        Raises:
            InputError: if it cannot be written.
        """
        kept = {name: figures.model_dump() for name, figures in self.specs.items()}
        new = {self.name(one.file): asdict(one.measured) for one in judgements if one.measured is not None}
        content = {"supercheck_baseline": VERSION, "specs": dict(sorted({**kept, **new}.items()))}
        with written_aside(self.file, "baseline", force=force) as stream:
            stream.write(json.dumps(content, indent=1).encode() + b"\n")

    def compare(self, judgement: SpecOutcome) -> SpecOutcome:
        """The judgement, failed or with a warning where it falls short."""
        known = self.specs.get(self.name(judgement.file))
        if known is None or judgement.measured is None:
            return judgement
        worse = tuple(f"worse than {printable(self.file.name)}: {told}" for told in _worse(known, judgement.measured))
        if not worse:
            return judgement
        if not self.strict:
            told = (f"{judgement.file}: {one}" for one in worse)
            return replace(judgement, warnings=(*judgement.warnings, *told))
        if judgement.code == PASSED:
            judgement = replace(judgement, code=FAILED, reason=worse[0])
        return replace(judgement, failed=(*judgement.failed, *worse))


def _worse(known: Figures, now: Measured) -> Iterator[str]:
    for name, before in known.counts.items():
        after = now.counts.get(name, 0)
        if after > before:
            yield f"{name}: {after:,}, before {before:,}"
    if known.verdict != "proved":  # a negative control has nothing to lose
        return
    if now.verdict != "proved":
        yield f"{now.verdict}, before proved"
    elif now.max_active < known.max_active:
        yield f"proved up to k = {now.max_active}, before up to {known.max_active}"
    elif len(now.margins) < len(known.margins):
        yield f"outputs: {len(now.margins):,}, before {len(known.margins):,}"
    elif now.max_active == known.max_active:  # with more features on, margins are smaller by nature
        yield from _smaller(known.margins, now.margins)


def _smaller(before: Sequence[str | None], after: Sequence[str | None]) -> Iterator[str]:
    for i, (old, new) in enumerate(zip(map(_margin, before), map(_margin, after), strict=False)):
        if old is not None and new is not None and new < old:
            yield f"margin of output {i}: {short(new, beside=[old])}, before {short(old, beside=[new])}"


def _margin(written: str | None) -> Fraction | None:
    try:
        return None if written is None else rational(written)
    except ValueError:  # a number too long to be read back
        return None
