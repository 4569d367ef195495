"""Files that are read: once, so that what is hashed is what is parsed, whoever writes to them meanwhile."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from supercheck.base.errors import InputError

_PIECE = 1 << 20  # bytes

_LEDGERS: ContextVar[tuple[dict[Path, str], ...]] = ContextVar("ledgers", default=())


@contextmanager
def noted() -> Iterator[Mapping[Path, str]]:
    """Note the sha256 of every file that is read meanwhile, in order; within each other, each notes."""
    ledger: dict[Path, str] = {}
    token = _LEDGERS.set((*_LEDGERS.get(), ledger))
    try:
        yield ledger
    finally:
        _LEDGERS.reset(token)


def content_of(file: Path, most: int, *, links: bool = True) -> bytes:
    """A file's bytes, all at once: they take as much memory as the file.

    Args:
        file: a regular file.
        most: bytes that it may have.
        links: whether the file may be a link.

    Raises:
        InputError: if it is larger, or no file, or another one than a moment ago.
        OSError: if it cannot be read.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # it may have become a pipe
    flags |= 0 if links else getattr(os, "O_NOFOLLOW", 0)
    with open(os.open(file, flags), "rb") as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise InputError(file=file, expected="a regular file", got="something else")
        if status.st_size > most:
            raise InputError(file=file, expected=f"at most {most:,} bytes", got=f"{status.st_size:,}")
        pieces = [stream.read(status.st_size)]
        while sum(map(len, pieces)) <= most and (piece := stream.read(_PIECE)):  # it grew, or is one of /proc
            pieces.append(piece)
    content = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    if len(content) > most:
        raise InputError(file=file, expected=f"at most {most:,} bytes", got="more")
    digest = hashlib.sha256(content).hexdigest()
    for ledger in _LEDGERS.get():
        if ledger.setdefault(file, digest) != digest:
            raise InputError(file=file, expected="a file that stays as it is while it is read", got="two contents")
    return content


def combined(digests: Mapping[Path, str]) -> str | None:
    """One digest of a network's files: its own; where there are several that of what `sha256sum FILE...` prints."""
    if len(digests) < 2:
        return next(iter(digests.values()), None)
    lines = "".join(f"{digest}  {file.name}\n" for file, digest in digests.items())
    return hashlib.sha256(lines.encode(errors="surrogateescape")).hexdigest()
