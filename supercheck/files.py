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
    name = None
    if file.exists() and not file.is_file():  # a folder, or a device such as /dev/full
        raise InputError(file=file, expected="a file, or a name that is free", got="something else")
    file = file.resolve()  # what a link points to is written, not the link
    try:
        try:
            number, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name[:100]}.", suffix=".part")
            with open(number, "wb") as stream:
                yield stream
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(name, 0o666 & ~mask)  # a temporary file is its owner's alone
            os.replace(name, file)
            name = None
        except OSError as error:
            raise InputError(file=file, expected="a file that can be written", got=error.strerror or error) from error
    finally:
        if name is not None:
            with suppress(OSError):
                os.unlink(name)
