"""One SQLite file of ours that any number of processes share, and any of them may be killed.

Nothing in it is believed because it is there: a gate's verdict is replayed or checked anew; a finished batch is not,
but has to come from the same code and to bear its owner's seal (`decide/resuming.py`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from supercheck.errors import SupercheckError

FILE = Path(".supercheck") / "cache.sqlite"

PATIENCE = 5.0
"""Seconds to wait for another process that writes."""

APPLICATION = 0x5C4EC7
"""What marks an SQLite file as ours."""


class CacheError(SupercheckError):
    """The cache cannot be used; says why."""


@contextmanager
def opened(file: Path, table: str) -> Iterator[sqlite3.Connection]:
    """Open the file, which is made where there is none, with a table in it.

    Args:
        file: where it is.
        table: the name and the columns, as SQL has them.

    Raises:
        CacheError: if it cannot be used.
    """
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            if file.parent.name == FILE.parent.name:  # a folder of ours: nothing in it is to be committed
                (file.parent / ".gitignore").write_text("*\n", encoding="utf-8")
        with closing(sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)) as database:
            database.execute("PRAGMA synchronous = OFF")  # a cache may be lost with the machine's power
            if not _ours(database):
                _found(database)
            database.execute(f"CREATE TABLE IF NOT EXISTS {table}")
            yield database
    except (sqlite3.Error, OSError, ValueError) as error:  # ValueError: text that is not UTF-8
        raise CacheError(f"{file}: {error}") from error


def _ours(database: sqlite3.Connection) -> bool:
    """Whether the file is a cache; false where it is empty still."""
    number = database.execute("PRAGMA application_id").fetchone()[0]
    if number != APPLICATION and (number or database.execute("SELECT name FROM sqlite_master").fetchone()):
        raise sqlite3.DatabaseError("a database, but not a cache of supercheck")
    return bool(number == APPLICATION)


def _found(database: sqlite3.Connection) -> None:
    """Make an empty file a cache, all at once, unless another process was faster."""
    database.execute("BEGIN IMMEDIATE")
    if not _ours(database):
        database.execute(f"PRAGMA application_id = {APPLICATION}")
    database.execute("COMMIT")
