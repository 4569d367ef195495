"""Earlier verdicts in one SQLite file, believed only where they still convince.

A verdict in real arithmetic is found under the exact integers of the network, the question as a certificate spells it,
this program's own sources and the engine asked for. Its row carries a digest of itself. A refutation is replayed before
it is believed, and a proof whose certificate is small is checked again by the lone checker. Whatever is wrong with the
file is a miss, never a verdict.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cache as once
from pathlib import Path
from typing import Any

from supercheck import __version__
from supercheck.certificate import claims_digest, claims_text, write
from supercheck.checker import check
from supercheck.claims import Claims
from supercheck.decide import Limits
from supercheck.errors import SupercheckError
from supercheck.evidence import Counterexample, Decision, Result, Verdict
from supercheck.numbers import exact_text
from supercheck.replaying import replay

FILE = Path(".supercheck") / "cache.sqlite"
PATIENCE = 10.0
"""Seconds to wait for another process that writes."""

MOST_PROOF = 1 << 16
"""Bytes of a certificate that is kept and checked again."""

MOST_WORK = 2 * 10**6
"""What the checker may be asked for when a proof is found again."""

APPLICATION = 0x5C4EC7
_TABLE = "CREATE TABLE IF NOT EXISTS verdicts (key TEXT PRIMARY KEY, content TEXT NOT NULL, digest TEXT NOT NULL)"


class CacheError(SupercheckError):
    """The cache cannot be used; says why."""


@dataclass(frozen=True)
class Kept:
    """What is remembered of a result.

    Attributes:
        verdict: "proved", "refuted" or "unknown".
        reason: why it is unknown.
        counterexample: where it is refuted.
        margins: of each output, as exact text, where they were asked for.
        proof: the certificate's text, where it is small.
    """

    verdict: str
    reason: str | None = None
    counterexample: Counterexample | None = None
    margins: tuple[str | None, ...] = ()
    proof: str | None = None

    @classmethod
    def of(cls, result: Result) -> Kept:
        """What is to be remembered of a result."""
        margins = tuple(None if m is None else exact_text(m) for m in map(result.margin, result.outputs))
        return cls(result.verdict.value, result.reason, result.smallest, margins)


@dataclass(frozen=True)
class Cache:
    """The file; every call opens it anew, so that any number of processes may share it."""

    file: Path

    def find(self, claims: Claims, limits: Limits) -> Kept | None:
        """An earlier verdict that still convinces; None where there is none."""
        key = _key(claims, limits)
        with self._open() as database:
            row = database.execute("SELECT content, digest FROM verdicts WHERE key = ?", (key,)).fetchone()
        if row is None or not all(isinstance(part, str) for part in row) or _digest(key, row[0]) != row[1]:
            return None
        try:
            kept = _read(claims, json.loads(row[0]))
            return kept if _convinces(claims, kept) else None
        except (ValueError, KeyError, TypeError, IndexError, SupercheckError):
            return None

    def keep(self, claims: Claims, limits: Limits, result: Result) -> None:
        """Remember a verdict."""
        key, kept = _key(claims, limits), replace(Kept.of(result), proof=_proof(result, limits))
        content = json.dumps(_written(kept), sort_keys=True)
        with self._open() as database:
            database.execute("REPLACE INTO verdicts VALUES (?, ?, ?)", (key, content, _digest(key, content)))
            database.commit()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            if not self.file.exists():
                self.file.parent.mkdir(parents=True, exist_ok=True)
                ignore = self.file.parent / ".gitignore"
                if self.file.parent.name == FILE.parent.name and not ignore.exists():
                    ignore.write_text("*\n")  # as other tools' caches do
            with closing(sqlite3.connect(self.file, timeout=PATIENCE)) as database:
                number = database.execute("PRAGMA application_id").fetchone()[0]
                if number == 0 and not database.execute("SELECT name FROM sqlite_master").fetchone():
                    database.execute(f"PRAGMA application_id = {APPLICATION}")
                elif number != APPLICATION:
                    raise CacheError(f"{self.file} is not a cache of supercheck")
                database.execute(_TABLE)
                yield database
        except (sqlite3.Error, OSError) as error:
            raise CacheError(f"{self.file}: {error}") from error


def _key(claims: Claims, limits: Limits) -> str:
    """What a verdict in real arithmetic depends on."""
    parts = [claims.network.digest, claims_digest(claims), limits.engine, limits.margins]
    return hashlib.sha256(json.dumps([__version__, _sources(), *parts]).encode()).hexdigest()


@once
def _sources() -> str:
    """A digest of this program's own sources: another version may see things differently."""
    digest = hashlib.sha256()
    package = Path(__file__).parent.parent
    for file in sorted(package.rglob("*.py")):
        digest.update(f"{file.relative_to(package)}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _digest(key: str, content: str) -> str:
    return hashlib.sha256(f"{key}\n{content}".encode()).hexdigest()


def _written(kept: Kept) -> dict[str, Any]:
    found = kept.counterexample
    witness = None
    if found is not None:
        against = None if found.against is None else list(found.against.active)
        witness = {"output": found.output, "active": list(found.active), "against": against, "minimal": found.minimal}
    return {"verdict": kept.verdict, "witness": witness, "margins": list(kept.margins), "proof": kept.proof}


def _read(claims: Claims, content: dict[str, Any]) -> Kept:
    """What a row says; a witness is replayed first.

    Raises:
        FaultError: if the witness refutes nothing.
    """
    witness, found = content["witness"], None
    if witness is not None:
        active, against = tuple(witness["active"]), witness["against"]
        decision = Decision(witness["output"], Verdict.REFUTED, None, active, None if against is None else tuple(against))
        found = replace(replay(claims, [decision])[0], minimal=witness["minimal"] is True)
    verdict = content["verdict"]
    if (verdict, found is None) not in (("proved", True), ("refuted", False)):
        raise ValueError("a row that contradicts itself")
    return Kept(verdict, None, found, tuple(content["margins"]), content["proof"])


def _proof(result: Result, limits: Limits) -> str | None:
    """The certificate of a proof, where it is small."""
    if result.verdict is not Verdict.PROVED or result.claims.domain.size * result.claims.network.edges > MOST_WORK:
        return None
    with tempfile.TemporaryDirectory() as folder:
        written = write(result, Path(folder) / "proof", replace(limits, timeout=None))
        proof = (Path(folder) / "proof").read_text() if written is not None and not written.words else None
    return proof if proof is not None and len(proof) <= MOST_PROOF else None


def _convinces(claims: Claims, kept: Kept) -> bool:
    """Whether the kept proof is one of these claims, by the lone checker; what is too large is believed by its digest."""
    if kept.proof is None:
        return True
    with tempfile.TemporaryDirectory() as folder:
        proof, network, asked = (Path(folder) / name for name in ("proof", "network", "claims"))
        proof.write_text(kept.proof)
        network.write_text("".join(claims.network.text()))
        asked.write_text("".join(claims_text(claims)))
        return check([str(proof)], str(network), str(asked)).status == "accepted"
