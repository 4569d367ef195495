"""Finished batches, kept so that an interrupted run goes on where it was.

To check a day's proofs again would take a day, so a batch that was kept is believed if the very code that runs now
decided it, and if it bears a seal: an HMAC under a key that never leaves its owner's account on this machine. Whoever
else writes into the file, or restores another machine's, costs time and never a verdict; and refutations are replayed
as ever.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from supercheck.database import FILE, CacheError, opened
from supercheck.decide.batches import Answer, Batch
from supercheck.evidence import Decision, Extremes, Point, Verdict

_TABLE = "batches (key TEXT PRIMARY KEY, content TEXT NOT NULL, seal TEXT NOT NULL)"

_BITS = 256


@dataclass(frozen=True)
class Kept:
    """The batches that are kept in a file.

    Attributes:
        file: the same that gates use.
    """

    file: Path = FILE

    def probe(self) -> None:
        """See whether batches can be kept.

        Raises:
            CacheError: if they cannot.
        """
        _sources()
        self._seal("", "")
        with opened(self.file, _TABLE) as database:
            database.execute("SELECT key FROM batches LIMIT 1").fetchone()

    def find(self, question: str, batch: Batch) -> Answer | None:
        """The answer to a batch that was finished before, if there is one that bears the seal.

        Args:
            question: the digests of network and claims.
            batch: the batch.
        """
        with suppress(CacheError), opened(self.file, _TABLE) as database:
            key = _key(question, batch)
            row = database.execute("SELECT content, seal FROM batches WHERE key = ?", (key,)).fetchone()
            if row is not None and hmac.compare_digest(self._seal(key, str(row[0])), str(row[1]).encode()):
                return Answer([_decision(*told) for told in json.loads(row[0])], complete=True)
        return None

    def keep(self, question: str, batch: Batch, answer: Answer) -> None:
        """Keep the answer to a batch; a file that cannot be written costs only time."""
        content = json.dumps([_told(decision) for decision in answer.decisions])
        with suppress(CacheError), opened(self.file, _TABLE) as database:
            key = _key(question, batch)
            seal = self._seal(key, content).decode()
            database.execute("REPLACE INTO batches VALUES (?, ?, ?)", (key, content, seal))

    def _seal(self, key: str, content: str) -> bytes:
        return hmac.new(self._secret, f"{key}\n{content}".encode(), hashlib.sha256).hexdigest().encode()

    @cached_property
    def _secret(self) -> bytes:
        """The owner's key; made where there is none."""
        try:
            state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
            file = Path(state) / "supercheck" / "seal"
            if not file.exists():
                _make(file)
            found = file.read_bytes()
        except (OSError, RuntimeError) as error:  # RuntimeError: an account without a home
            raise CacheError(f"no key to seal batches with: {error}") from error
        if len(found) < _BITS // 8:
            raise CacheError(f"no key to seal batches with: {file} is too short; delete it")
        return found


def _make(file: Path) -> None:
    """Make a key that its owner alone can read; whoever else makes one meanwhile wins."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=file.parent)
    try:
        with open(number, "wb") as stream:
            stream.write(secrets.token_bytes(_BITS // 8))
        with suppress(FileExistsError):
            os.link(name, file)
    finally:
        os.unlink(name)


def _key(question: str, batch: Batch) -> str:
    return hashlib.sha256(f"{_sources()}\n{question}\n{batch.meaning}".encode()).hexdigest()


@cache
def _sources() -> str:
    """The digest of supercheck's own code: what a mended engine got wrong before has to be decided anew."""
    folder, digest = Path(__file__).parent.parent, hashlib.sha256()
    files = sorted(folder.rglob("*.py"))
    if not files:
        raise CacheError(f"no sources in {folder} to tell by who decided a batch")
    try:
        for file in files:
            digest.update(f"{file.relative_to(folder)}\n{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    except OSError as error:
        raise CacheError(f"no sources to tell by who decided a batch: {error}") from error
    return digest.hexdigest()


def _told(decision: Decision) -> list[Any]:
    """A decision as JSON has it."""
    extremes = decision.extremes
    ends = None if extremes is None else [_end(extremes.on), _end(extremes.off)]
    return [*decision._replace(verdict=decision.verdict.value, extremes=ends)]  # type: ignore[arg-type]


def _end(point: Point | None) -> list[Any] | None:
    return None if point is None else [point.active, str(point.value)]


def _decision(*told: Any) -> Decision:
    """The decision that `_told` wrote."""
    found = Decision(*told)
    ends = found.extremes
    return found._replace(
        verdict=Verdict(found.verdict),
        active=_features(found.active),
        against=_features(found.against),
        extremes=None if ends is None else Extremes(*map(_point, ends)),  # type: ignore[call-overload]
    )


def _features(found: Any) -> tuple[int, ...] | None:
    return None if found is None else tuple(found)


def _point(found: Any) -> Point | None:
    return None if found is None else Point(tuple(found[0]), Fraction(found[1]))
