"""The formats that networks are stored in: one table, one file a format.

A newcomer adds a format with one file here and one row in `FORMATS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

FORMATS = {
    ".safetensors": "supercheck.network.formats.safetensors",
    ".npz": "supercheck.network.formats.npz",
    ".json": "supercheck.network.formats.json",
    ".onnx": "supercheck.network.formats.onnx.read",
}
"""Suffix -> module, imported when such a file is read or written. A module has

    read(path, used)            the tensors by name or, where the file says itself how they are connected, the layers
                                and what was assumed of them; required
    write(tensors, file, made)  the bytes of a file that holds them; left out where none is written
    HOLDS_ALL = True            if it holds every rational number; left out, those of a float64
    beside(path)                the other files that a file's data lies in; left out where there are none
"""


def format_of(file: Path) -> Any:
    """The module of a file's format, by its suffix in small letters; None where there is none."""
    module = FORMATS.get(file.suffix.lower())
    return None if module is None else import_module(module)


def whole(file: Path) -> Iterator[Path]:
    """A network file, and the files that its data lies in, as far as it can be read."""
    yield file
    beside = getattr(format_of(file), "beside", None)
    if beside is not None:
        yield from beside(file)
