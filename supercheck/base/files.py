"""Files that are written: whole or not at all, never through a link, and only over what supercheck wrote itself.

Whatever is written bears a mark of its kind, so that a later run may replace it and nothing else.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from supercheck.base.errors import InputError

_ENDS = 1 << 12, 1 << 17  # bytes at a file's start and end in which its mark is; a zip's comment is at the end

_ZIP = rb"PK\x05\x06.{18}"  # what stands before a zip's comment

_MARKS = {
    "baseline": rb'\A\{\s*"supercheck_baseline":',
    "certificate": rb"\Asupercheck-certificate 1\n",
    "text of claims": rb"\Asupercheck-claims 1\n",
    "drawing": rb"\A(<\?xml.*<dc:title>supercheck|\x89PNG.*tEXtSoftware\0supercheck)",
    "fault report": rb"\Asupercheck [0-9][^\n]*, Python ",
    "github report": rb"\Asupercheck [0-9][^\n]*: a gate, for GitHub\n",
    "json report": rb'\A\{\n\s*"supercheck": "',
    "json-lines report": rb'\A\{"supercheck": "',
    "junit report": rb'\A<\?xml[^>]*>\s*<testsuites name="supercheck"',
    "network": rb'\A(.{8}\{"__metadata__":\{"supercheck":|\{\s*"supercheck": ?\{)|' + _ZIP + rb'\{"supercheck":.*\Z',
    "page": rb'<meta name="generator" content="supercheck',
    "reproducer": _ZIP + rb"supercheck [0-9][^\n]*\Z",
    "sarif report": rb'\A\{\n\s*"\$schema":.*"driver": \{\s*"name": "supercheck"',
    "spec": rb"\A# Written by `?supercheck ",
    "text report": rb"\Asupercheck [0-9][^\n]*: a gate\n",
}
"""How each kind of file says that supercheck wrote it."""


@contextmanager
def written_aside(
    file: Path, kind: str | None = None, *, force: bool = False, place: str | None = None
) -> Iterator[IO[bytes]]:
    """Open a file for writing under another name beside it; it takes its own name when everything is written.

    Args:
        file: its own name.
        kind: as `check_free` takes it.
        force: whether it may replace a file that is not of this kind, or not ours.
        place: the option that names it, for messages.

    Raises:
        InputError: if it cannot or must not be written; what had that name before is still there.
    """
    check_free(file, kind, force=force, place=place)
    name = None
    try:
        with _told(file, place):
            number, name = tempfile.mkstemp(dir=file.parent, prefix=".supercheck-", suffix=".part")
            with open(number, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())  # else, after a crash, the name could be there and the content not
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(name, 0o666 & ~mask)  # a temporary file is its owner's alone
            os.replace(name, file)  # a link that took the name meanwhile is replaced, not followed
            name = None
    finally:
        if name is not None:
            with suppress(OSError):
                os.unlink(name)


def check_free(file: Path, kind: str | None = None, *, force: bool = False, place: str | None = None) -> None:
    """Refuse a name under which nothing may be written: of a link, of a folder or device, of somebody else's file.

    Args:
        file: the name.
        kind: a key of the marks; a file that bears it may be replaced. None: any file may be.
        force: whether any file may be replaced, whatever it is.
        place: the option that names it, for messages.

    Raises:
        InputError: saying what is there, and what to do.
    """
    with _told(file, place):
        try:
            mode = file.lstat().st_mode
        except FileNotFoundError:
            return
        if stat.S_ISLNK(mode):
            do = "name the file that it leads to, or remove the link"
            raise InputError(file=file, place=place, expected="a name that is free", got="a link", do=do)
        if not stat.S_ISREG(mode):
            expected = "a file, or a name that is free"
            raise InputError(file=file, place=place, expected=expected, got="something else")
        if kind is not None and not force and not _is_ours(file, kind):
            expected = f"a name that is free, or a {kind} that supercheck wrote"
            do = "`--force`, in Python `force=True`, replaces it"
            raise InputError(file=file, place=place, expected=expected, got="another file", do=do)


def _is_ours(file: Path, kind: str) -> bool:
    """Whether a file bears the mark of its kind; a kind without one has no files that are known."""
    if kind not in _MARKS:
        return False
    with file.open("rb") as stream:
        head = stream.read(_ENDS[0])
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - _ENDS[1]))
        tail = stream.read()
    return any(re.search(_MARKS[kind], part, re.DOTALL) for part in (head, tail))


@contextmanager
def _told(file: Path, place: str | None) -> Iterator[None]:
    """Say which file it is that the system refuses."""
    try:
        yield
    except OSError as error:
        expected = "a file that can be written" if place is None else "a file to write"
        raise InputError(file=file, place=place, expected=expected, got=error.strerror or error) from error


def keep_apart(written: Mapping[str, Path | None], read: Iterable[Path]) -> None:
    """Refuse to write one file twice, or over one that is read, under whichever name or link.

    Args:
        written: the file of each option; None where it was not given.
        read: the files of the question.

    Raises:
        InputError: naming the option.
    """
    taken = {name: f"{file}, which is read" for file in read for name in _identities(file)}
    for option, file in written.items():
        if file is not None:
            mine = f"that of {option}"
            got = next((taken[name] for name in _identities(file) if name in taken), mine)
            if got != mine:
                raise InputError(place=option, expected="a file of its own", got=got, do="write to another file")
            taken |= dict.fromkeys(_identities(file), mine)


def _identities(file: Path) -> list[object]:
    """What tells a file from others: where it is and, where it is there already, which file of its disk."""
    names: list[object] = [os.path.realpath(file)]
    with suppress(OSError, ValueError):
        status = os.stat(file)
        names += [(status.st_dev, status.st_ino)] if status.st_ino else []
    return names


def check_written(
    written: Mapping[str, tuple[str, Path | None]],
    read: Iterable[Path] = (),
    *,
    force: bool = False,
) -> None:
    """Refuse, before anything is computed, what may not be written.

    Args:
        written: for each option the kind of its file, and the file; None where it was not given.
        read: the files of the question.
        force: whether files that supercheck did not write may be replaced.

    Raises:
        InputError: naming the file.
    """
    given = {option: (kind, file) for option, (kind, file) in written.items() if file is not None}
    if given:
        keep_apart({option: file for option, (_, file) in given.items()}, read)
    for option, (kind, file) in given.items():
        check_free(file, kind, force=force, place=option.split()[0] if option.startswith("--") else None)
