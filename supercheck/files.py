"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from supercheck.errors import InputError


@contextmanager
def written_aside(file: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing under another name beside it; it takes its own name when everything is written.

    Raises:
        InputError: if it cannot be written; what had that name before is still there.
    """
    name, target = None, _target(file)
    try:
        try:
            number, name = tempfile.mkstemp(dir=target.parent, prefix=".supercheck-", suffix=".part")
            with open(number, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())  # else, after a crash, the name could be there and the content not
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(name, 0o666 & ~mask)  # a temporary file is its owner's alone
            os.replace(name, target)
            name = None
        except OSError as error:
            raise _unwritable(file, error.strerror or error) from error
    finally:
        if name is not None:
            with suppress(OSError):
                os.unlink(name)


def _target(file: Path) -> Path:
    """What is to be written: what a link points to, not the link."""
    try:
        if file.exists() and not file.is_file():  # a folder, or a device such as /dev/full
            raise InputError(file=file, expected="a file, or a name that is free", got="something else")
        return file.resolve()
    except OSError as error:
        raise _unwritable(file, error.strerror or error) from error
    except RuntimeError as error:
        raise _unwritable(file, "a circle of links") from error


def _unwritable(file: Path, got: object) -> InputError:
    return InputError(file=file, expected="a file that can be written", got=got)
