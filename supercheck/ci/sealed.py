"""Judgements that this account's own supercheck sealed: found by the bytes that they are about, and nothing is decided.

Reading and posing a small question costs nearly as much as deciding it, so a proof is found again without either: its
row bears the owner's seal (`base/seal.py`) under the bytes of the spec, the code that decided and the engine asked for,
and names every file that was read with its digest, all of which have to be the same. That is to trust the files of
one's own account, where supercheck itself is. A refutation is read, posed and replayed as ever, whoever sealed it. Rows
of others, such as a repository's or another machine's, are worth nothing; what is dear to decide has a certificate too
(`cache.py`), which convinces anyone.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from supercheck.base.exit_codes import FAILED, PASSED
from supercheck.base.seal import genuine, own_secret, sealed, sources
from supercheck.base.store import CacheError, opened
from supercheck.network.formats.table import whole
from supercheck.report.gate.outcome import SpecOutcome

if TYPE_CHECKING:
    from supercheck.claims.evidence import Counterexample
    from supercheck.spec.spec import Spec

_TABLE = "judgements (key TEXT PRIMARY KEY, content TEXT NOT NULL, seal TEXT NOT NULL)"

_MOST = 1 << 28  # bytes of a file that is hashed before it is read: what is larger is dear to decide, too

_EVERY = 0.5  # seconds between transactions

Row = tuple[str, str, str]
"""Key, content and seal."""

Witness = tuple[int, list[int], list[int] | None, bool]
"""Output, active features, those of the second input in mode separable, whether it is proved that none is smaller."""


@dataclass(frozen=True)
class Found:
    """What an own row says: the judgement, and what is to be replayed before a refutation is believed."""

    judgement: SpecOutcome
    witness: Witness | None


@dataclass(frozen=True)
class About:
    """The bytes that a judgement is about, seen before any of them were read.

    Attributes:
        spec: the sha256 of the spec's own.
        key: of spec, engine and code.
        files: what else is read, each with its sha256.
        stamps: by which a change since then shows.
    """

    spec: str | None
    key: str
    files: tuple[tuple[str, str], ...]
    stamps: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, file: Path, spec: Spec, engine: str) -> About | None:
        """Look at every file of a question; None where some cannot be sealed, or nothing can."""
        with suppress(OSError, ValueError, CacheError):
            own_secret()
            seen = [(str(part), *_seen(part)) for part in _files(spec)]
            files, stamps = tuple((name, digest) for name, digest, _ in seen), tuple(stamp for *_, stamp in seen)
            return cls(spec.digest, _key(file, str(spec.digest), engine), files, stamps)
        return None

    def still(self, spec: Spec) -> bool:
        """Whether all of it is what it was, and the spec that was read is that one."""
        with suppress(OSError):
            return spec.digest == self.spec and all(
                _stamp(os.stat(name)) == stamp for (name, _), stamp in zip(self.files, self.stamps, strict=True)
            )
        return False


def find_sealed(cache: Path, file: Path, engine: str) -> Found | None:
    """What this account's own supercheck found out about the very same bytes; None where it did not.

    Args:
        cache: the database.
        file: the spec, as the user writes it.
        engine: the one asked for.

    Raises:
        CacheError: if the database cannot be read.
    """
    try:
        secret, key = own_secret(), _key(file, _seen(file)[0], engine)
    except (OSError, ValueError, CacheError):  # no spec, or an account that has no key: nothing of it is here
        return None
    with opened(cache, _TABLE) as database:
        row = database.execute("SELECT content, seal FROM judgements WHERE key = ?", (key,)).fetchone()
    if row is None or not genuine(secret, key, *row):
        return None
    told = json.loads(row[0])
    with suppress(OSError, ValueError):
        if all(_seen(Path(name))[0] == digest for name, digest in told["files"]):
            return Found(_judgement(told["judgement"]), told["witness"])
    return None


def sealed_row(about: About, judgement: SpecOutcome, example: Counterexample | None) -> Row | None:
    """A judgement with its seal, for the next run; None of one that is open or came with a warning: it is made anew.

    Args:
        about: what it is about.
        judgement: the judgement.
        example: the counterexample of a refutation.
    """
    if judgement.code not in (PASSED, FAILED) or judgement.warnings or judgement.verdict == "unknown":
        return None
    against = None if example is None or example.against is None else example.against.active
    witness = None if example is None else (example.output, example.active, against, example.minimal)
    content = json.dumps({"files": about.files, "judgement": asdict(judgement), "witness": witness})
    return about.key, content, sealed(own_secret(), about.key, content)


class Later:
    """Rows that are written together: a transaction costs as much as a small question.

    Attributes:
        trouble: why some were not written, if they were not.
    """

    def __init__(self, cache: Path) -> None:
        """Write into this database."""
        self.cache = cache
        self.trouble: str | None = None
        self._rows, self._since = list[Row](), float("-inf")

    def add(self, row: Row) -> None:
        """Take a row; it is written within moments, as whoever is killed then knows no more."""
        self._rows.append(row)
        if time.monotonic() - self._since >= _EVERY:
            self.flush()

    def flush(self) -> None:
        """Write what there is."""
        try:
            if self._rows and self.trouble is None:  # a cache that is locked is not waited for again and again
                write_sealed(self.cache, self._rows)
        except CacheError as error:
            self.trouble = f"not kept: {error}"
        self._rows, self._since = [], time.monotonic()


def write_sealed(cache: Path, rows: Sequence[Row]) -> None:
    """Write rows into a database, all or none.

    Raises:
        CacheError: if it cannot be written.
    """
    with opened(cache, _TABLE) as database:
        database.execute("BEGIN IMMEDIATE")
        database.executemany("REPLACE INTO judgements VALUES (?, ?, ?)", rows)
        database.execute("COMMIT")


def _key(file: Path, digest: str, engine: str) -> str:
    told = json.dumps(["judgement", sources(), engine, str(file), digest])
    return hashlib.sha256(told.encode()).hexdigest()


def _files(spec: Spec) -> Iterator[Path]:
    """Every file that is read for a verdict, but for the spec itself."""
    named = spec.source.file, spec.source.encoder, spec.source.decoder, spec.table
    for part in named:
        if part is not None:
            yield from whole(part)


def _seen(file: Path) -> tuple[str, tuple[int, ...]]:
    """The sha256 of a file's bytes, and its stamp from before they were read."""
    if not file.is_file():  # a pipe would keep us waiting
        raise OSError(f"{file} is no file")
    with file.open("rb") as stream:
        stamp = _stamp(os.fstat(stream.fileno()))
        if stamp[2] > _MOST:
            raise OSError(f"{file} is too large to be looked at before it is read")
        return hashlib.file_digest(stream, "sha256").hexdigest(), stamp


def _stamp(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _judgement(told: dict[str, Any]) -> SpecOutcome:
    whole: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    return replace(SpecOutcome(**whole), cached=True)
