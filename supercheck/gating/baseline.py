"""A regression gate: what a network once achieved, in a file, and whether it still does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from supercheck.errors import InputError
from supercheck.files import written_aside
from supercheck.judgement import FAILED, PASSED, Judgement, Measured
from supercheck.numbers import rational, short

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
    """Earlier figures, by the spec's path relative to the baseline's folder."""

    file: Path
    specs: Mapping[str, Figures]

    @classmethod
    def read(cls, file: Path) -> Baseline:
        """Read a baseline.

        Raises:
            InputError: if it cannot be read, or is something else.
        """
        try:
            return cls(file, _File.model_validate_json(file.read_bytes()).specs)
        except OSError as error:
            do = "`--update-baseline` writes it"
            got = error.strerror or error
            raise InputError(file=file, expected="a baseline", got=got, do=do) from error
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or None
            raise InputError(file=file, place=place, expected="a baseline of this version", got=first["msg"]) from error

    def name(self, file: str) -> str:
        """What a spec is called in the file."""
        here, spec = self.file.resolve().parent, Path(file).resolve()
        return spec.relative_to(here).as_posix() if spec.is_relative_to(here) else spec.as_posix()


def write(file: Path, judgements: Sequence[Judgement]) -> None:
    """Write what was measured as the new baseline; specs that were not judged keep their figures."""
    old = Baseline.read(file).specs if file.exists() else {}
    names = Baseline(file, {})
    new = {names.name(one.file): asdict(one.measured) for one in judgements if one.measured is not None}
    kept = {name: figures.model_dump() for name, figures in old.items() if name not in new}
    content = {"supercheck_baseline": VERSION, "specs": dict(sorted({**kept, **new}.items()))}
    with written_aside(file) as stream:
        stream.write(json.dumps(content, indent=1).encode() + b"\n")


def compare(judgement: Judgement, baseline: Baseline) -> Judgement:
    """The judgement, failed where it falls short of its baseline."""
    known = baseline.specs.get(baseline.name(judgement.file))
    if known is None or judgement.measured is None:
        return judgement
    worse = tuple(_worse(known, judgement.measured))
    if not worse:
        return judgement
    if judgement.code == PASSED:
        judgement = replace(judgement, code=FAILED, reason=f"worse than {baseline.file.name}: {worse[0]}")
    return replace(judgement, failed=(*judgement.failed, *worse))


def _worse(known: Figures, now: Measured) -> Iterator[str]:
    if known.verdict == "proved" and now.verdict == "proved" and now.max_active < known.max_active:
        yield f"proved up to k = {now.max_active}, before up to {known.max_active}"
    if known.verdict == "proved" and now.verdict != "proved":
        yield f"{now.verdict}, before proved"
    for name, before in known.counts.items():
        if now.counts.get(name, 0) > before:
            yield f"{name}: {now.counts[name]:,}, before {before:,}"
    if len(known.margins) != len(now.margins) or known.max_active != now.max_active:
        return
    for i, (before, after) in enumerate(zip(known.margins, now.margins, strict=True)):
        if before is None or after is None:
            continue
        old, new = _margin(before), _margin(after)
        if old is not None and new is not None and new < old:
            yield f"margin of output {i}: {short(new)}, before {short(old)}"


def _margin(written: str) -> Fraction | None:
    try:
        return rational(written)
    except ValueError:  # a number too long to be read back
        return None
