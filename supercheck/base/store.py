"""One SQLite file of ours that any number of processes share, and any of them may be killed.

Nothing in it is believed because it is there: a gate's refutation is replayed, and its proof checked anew unless it
comes from the same code and bears its owner's seal (`gating/sealed.py`); so does a finished batch
(`decide/workers/checkpoint.py`).
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from supercheck.base.errors import SupercheckError

FILE = Path(".supercheck") / "cache.sqlite"

PATIENCE = 5.0
"""Seconds to wait for another process that writes."""

APPLICATION = 0x5C4EC7
"""What marks an SQLite file as ours."""

_NAMES_ANOTHER = bytes.fromhex("d9d505f920a163d7")
"""The end of a journal that names a journal of several databases."""


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
        _make_folder(file)
        _check_files(file)
        with closing(sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)) as database:
            database.execute("PRAGMA synchronous = OFF")  # a cache may be lost with the machine's power
            if not _ours(database):
                _found(database)
            database.execute(f"CREATE TABLE IF NOT EXISTS {table}")
            _check_schema(database, table)
            yield database
    except (sqlite3.Error, OSError, ValueError) as error:  # ValueError: text that is not UTF-8
        raise CacheError(f"{file}: {error}") from error


def _make_folder(file: Path) -> None:
    """Make the folder; in one of ours, which may come with somebody's repository, nothing is written through a link."""
    folder = file.parent
    own, ignore = folder.name == FILE.parent.name, folder / ".gitignore"
    if own and (folder.is_symlink() or ignore.is_symlink()):
        raise OSError(f"{folder if folder.is_symlink() else ignore} is a link, which is not followed; remove it")
    folder.mkdir(parents=True, exist_ok=True)
    if own and not ignore.exists():
        with suppress(FileExistsError), ignore.open("x") as stream:  # another process was faster
            stream.write("*\n")


def _check_files(file: Path) -> None:
    """Refuse a link, a name that another file bears, too, and a journal that makes SQLite delete a file that it names.

    Raises:
        OSError: saying which.
    """
    for name in (file, *(file.with_name(f"{file.name}-{end}") for end in ("journal", "wal", "shm"))):
        with suppress(FileNotFoundError):
            status = name.lstat()
            if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
                raise OSError(f"{name} is a link, or no file, and is left alone; remove it")
    with suppress(FileNotFoundError), file.with_name(f"{file.name}-journal").open("rb") as journal:
        journal.seek(max(0, journal.seek(0, os.SEEK_END) - len(_NAMES_ANOTHER)))
        if journal.read() == _NAMES_ANOTHER:  # SQLite writes that where a commit spans several databases: never here
            raise OSError(f"{journal.name} names another file, which SQLite would delete; remove it")


def _check_schema(database: sqlite3.Connection, table: str) -> None:
    """Refuse views, triggers and indexes, which could compute for ever, and a table that is not laid out as ours."""
    found = database.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    name = table.split(" ")[0]
    foreign = any(kind not in ("table", "index") or (kind == "index" and sql) for kind, _, sql in found)
    if foreign or ("table", name, f"CREATE TABLE {table}") not in found:
        raise sqlite3.DatabaseError(f"a table {name} that supercheck did not make")


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
