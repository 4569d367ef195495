"""Finished batches, kept so that an interrupted run goes on where it was.

To check a day's proofs again would take a day, so a batch that was kept is believed if the very code that runs now
decided it, and if it bears its owner's seal (`base/seal.py`). Whoever else writes into the file, or restores another
machine's, costs time and never a verdict; and refutations are replayed as ever.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from supercheck.base.seal import genuine, own_secret, sealed, sources
from supercheck.base.store import FILE, CacheError, opened
from supercheck.claims.evidence import Decision, Extremes, Point, Verdict
from supercheck.decide.workers.batches import Answer, Batch

_TABLE = "batches (key TEXT PRIMARY KEY, content TEXT NOT NULL, seal TEXT NOT NULL)"


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
        sources()
        own_secret()
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
            if row is not None and genuine(self._secret, key, *row):
                return Answer([_decision(*told) for told in json.loads(row[0])], complete=True)
        return None

    def keep(self, question: str, batch: Batch, answer: Answer) -> None:
        """Keep the answer to a batch; a file that cannot be written costs only time."""
        content = json.dumps([_told(decision) for decision in answer.decisions])
        with suppress(CacheError), opened(self.file, _TABLE) as database:
            key = _key(question, batch)
            seal = sealed(self._secret, key, content)
            database.execute("REPLACE INTO batches VALUES (?, ?, ?)", (key, content, seal))

    @cached_property
    def _secret(self) -> bytes:
        return own_secret()


def _key(question: str, batch: Batch) -> str:
    return hashlib.sha256(f"{sources()}\n{question}\n{batch.meaning}".encode()).hexdigest()


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
