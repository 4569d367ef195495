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
from supercheck.claims.evidence import Decision, Extremes, Point, Proved, Refuted, Unknown
from supercheck.decide.workers.batches import Answer, Batch
from supercheck.network.input import Input

_TABLE = "batches (key TEXT PRIMARY KEY, content TEXT NOT NULL, seal TEXT NOT NULL)"


@dataclass(frozen=True)
class BatchStore:
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


_KINDS = {kind.__name__: kind for kind in (Proved, Refuted, Unknown)}


def _told(decision: Decision) -> list[Any]:
    """A decision as JSON has it: its kind, then its fields."""
    return [type(decision).__name__, *map(_plain, decision)]


def _plain(value: object) -> object:
    if isinstance(value, Input):
        return {"active": value.active, "values": [[j, str(number)] for j, number in value.values]}
    if isinstance(value, Extremes):
        return [None if point is None else [_plain(point.input), str(point.value)] for point in (value.on, value.off)]
    return value


def _decision(kind: str, *told: Any) -> Decision:
    """The decision that `_told` wrote."""
    found = _KINDS[kind](*told)
    if isinstance(found, Unknown):
        return found
    found = found._replace(extremes=None if found.extremes is None else _extremes(found.extremes))
    if isinstance(found, Refuted):
        against = None if found.against is None else _input(found.against)
        return found._replace(witness=_input(found.witness), against=against)
    return found


def _input(told: Any) -> Input:
    return Input(tuple(told["active"]), tuple((j, Fraction(number)) for j, number in told["values"]))


def _extremes(told: Any) -> Extremes:
    on, off = (None if end is None else Point(_input(end[0]), Fraction(end[1])) for end in told)
    return Extremes(on, off)
