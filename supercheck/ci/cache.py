"""Earlier verdicts: an index in SQLite, and beside it a certificate for each. No row is believed, only its certificate.

A verdict in real arithmetic is found under the exact integers of the network, the question as a certificate spells
it, the version and the engine asked for. A refutation counts once its witness is replayed, and a proof once the lone
checker accepts its certificate; where that would take long beside deciding, nothing is indexed, and the question is
decided anew. So whatever is wrong with these files, or whoever wrote them, costs time and never a verdict. (What one's
own supercheck decided before about the very same bytes is found sooner: `sealed.py`.)
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from supercheck.base.errors import InputError, SupercheckError
from supercheck.base.store import FILE, CacheError, opened
from supercheck.base.version import __version__
from supercheck.certificate.core_form import handed
from supercheck.checker import CheckError, Outcome, check
from supercheck.claims.claims import Claims, claims_digest
from supercheck.claims.evidence import Counterexample, Refuted
from supercheck.claims.replay import replay
from supercheck.claims.result import Result
from supercheck.network.input import Input
from supercheck.spec.formula import Lookup

if TYPE_CHECKING:
    from supercheck.decide.limits import Limits

CHEAP = 10**8
"""Units of work that checking one certificate may take: under a second."""

SMALL = 1 << 20
"""Inputs times weights up to which deciding costs less than a certificate, which is neither written nor looked for."""

WORTH = 0.1
"""Seconds that deciding has to have taken beside."""

RATE = 2 * 10**7
"""Units of work that checking may take for each second of deciding: a fifth of it."""

_ENTRY = 1_000  # units that handing the checker a number is worth

MOST_ENTRIES = 100_000
"""Weights, outputs and cells of tables up to which a certificate is checked when it is found again."""

_TABLE = "verdicts (key TEXT PRIMARY KEY, verdict TEXT NOT NULL)"
_LONGEST = 1 << 24  # characters of a certificate's first lines


@dataclass(frozen=True)
class Known:
    """What a gate needs to know of a verdict.

    Attributes:
        verdict: "proved", "refuted" or "unknown".
        reason: why it is unknown.
        counterexample: where it is refuted.
    """

    verdict: str
    reason: str | None = None
    counterexample: Counterexample | None = None

    @classmethod
    def of(cls, result: Result) -> Known:
        """What is known of a result."""
        return cls(result.verdict.value, result.reason, result.smallest)


@dataclass(frozen=True)
class Cache:
    """The index and its folder of certificates.

    Every call opens the file anew, so that any number of processes may share it, and any of them may be killed.
    """

    file: Path = FILE

    @property
    def certificates(self) -> Path:
        """The folder beside the index."""
        return self.file.with_suffix(".certificates")

    def probe(self) -> None:
        """See whether the index can be read; it is made where there is none.

        Raises:
            CacheError: if it cannot.
        """
        with self._open() as database:
            database.execute("SELECT key, verdict FROM verdicts LIMIT 1").fetchone()

    def find(self, claims: Claims, engine: str) -> Known | None:
        """An earlier verdict that convinces now; None where there is none.

        Raises:
            CacheError: if the file cannot be read.
        """
        if not _dear(claims):
            return None
        question = _question(claims)
        key = _key(question, engine)
        with self._open() as database:
            row = database.execute("SELECT verdict FROM verdicts WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        try:
            known = _confirmed(claims, question, self.certificates / f"{key}.cert")
        except (AttributeError, OSError, ValueError, SupercheckError):  # not what was written there
            return None
        return known if known is not None and known.verdict == row[0] else None

    def keep(self, claims: Claims, result: Result, limits: Limits, seconds: float) -> None:
        """Write the certificate of a verdict, and index it if confirming it costs little beside deciding.

        Args:
            claims: the question.
            result: the verdict.
            limits: as of deciding.
            seconds: how long deciding took.

        Raises:
            CacheError: if it cannot be written, or the lone checker rejects it: the certificate is wrong then, or the
                checker, which does not tell against the verdict.
        """
        budget = min(CHEAP, int(seconds * RATE)) - _ENTRY * _entries(claims)
        if not _dear(claims) or seconds < WORTH or budget <= 0:
            return
        from supercheck.certificate.writer import write

        key = _key(_question(claims), limits.engine)
        with self._open():  # the folder is there now, and it is ours
            pass
        file = self.certificates / f"{key}.cert"
        try:
            if self.certificates.is_symlink():
                raise CacheError(f"{self.certificates}: a link, which is not followed; remove it")
            self.certificates.mkdir(exist_ok=True)
            written = write(result, file, limits, force=True)  # named by a digest: whatever is broken is replaced
        except OSError as error:
            raise CacheError(f"{self.certificates}: {error.strerror}") from error
        except InputError as error:
            raise CacheError(f"{error}") from error
        if written is None or written.words:
            return
        outcome = _checked(claims, file, budget)
        if outcome is not None and outcome.status == "rejected":
            raise CacheError(f"the checker rejects {file}, please report it: {outcome.reason}")
        if outcome is None or outcome.status == "unchecked":
            return
        with self._open() as database:
            database.execute("REPLACE INTO verdicts VALUES (?, ?)", (key, result.verdict.value))

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        return opened(self.file, _TABLE)


def _dear(claims: Claims) -> bool:
    return claims.cube.size * max(claims.network.edges, 1) > SMALL


def _entries(claims: Claims) -> int:
    """Numbers that a checker is handed: weights, outputs, and cells of the rows at which a table's outputs are on."""
    tables = (formula for formula in claims.formulas if isinstance(formula, Lookup))
    cells = sum(len(table.features) * sum(table.column) for table in tables)
    return claims.network.edges + len(claims) + cells


def _question(claims: Claims) -> list[str]:
    """What a certificate says of the question that it is for: two lines with a digest each."""
    return [f"network {claims.network.digest}", f"claims {claims_digest(claims)}"]


def _key(question: list[str], engine: str) -> str:
    """What a verdict in real arithmetic depends on."""
    return hashlib.sha256("\n".join([__version__, engine, *question]).encode()).hexdigest()


def _confirmed(claims: Claims, question: list[str], file: Path) -> Known | None:
    """What a certificate proves of these claims: the witness is replayed here, the rest is the checker's affair."""
    if file.is_symlink() or not file.is_file():  # gone, or somebody's link, or a pipe that nobody writes to
        return None
    with file.open("rb") as stream:
        _, *asked, head = [stream.readline(_LONGEST).decode("ascii").rstrip("\n") for _ in range(4)]
    verdict, *words = head.split(" ")
    if asked != question or verdict not in ("proved", "refuted", "refuted-minimal"):
        return None
    outcome = _checked(claims, file)
    if verdict == "proved":
        return Known("proved") if outcome is not None and outcome.status == "accepted" else None
    found = _witness(claims, words)
    confirmed = outcome is not None and outcome.status == "refutation"
    return Known("refuted", None, replace(found, minimal=confirmed and verdict == "refuted-minimal"))


def _witness(claims: Claims, words: list[str]) -> Counterexample:
    """The counterexample of a certificate, replayed.

    Raises:
        FaultError: if it refutes nothing.
    """
    output, *active = [word for word in words if word != "/"]
    against = None
    if "/" in words:
        active, against = words[1 : words.index("/")], Input.on(map(int, words[words.index("/") + 1 :]))
    if not 0 <= int(output) < len(claims):
        raise ValueError("no such output")
    return replay(claims, [Refuted(int(output), Input.on(map(int, active)), against)])[0]


def _checked(claims: Claims, file: Path, budget: int = CHEAP) -> Outcome | None:
    """What the lone checker says of a certificate; None where that would take long, or is not for it to say."""
    if _entries(claims) > MOST_ENTRIES:
        return None
    try:
        return check([str(file)], *handed(claims), budget=budget)
    except CheckError:
        return None
