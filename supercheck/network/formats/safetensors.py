"""safetensors: a state_dict as PyTorch writes it. Shapes, offsets and overlaps are checked before anything is built."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from supercheck.base.errors import InputError, unquoted
from supercheck.base.matrix import Array, Rows
from supercheck.base.reading import content_of
from supercheck.network.formats.json import once
from supercheck.network.formats.tensors import MOST_CELLS, MOST_TENSORS, Tensors, Used, exact, floats

LARGEST = 4 << 30  # bytes
_LONGEST = 1 << 22  # of the header

_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "?", "BF16": "<u2",
}  # fmt: skip


def read(path: Path, used: Used) -> Tensors:
    """The tensors by name, None for those that are not used; the header is checked before any tensor takes memory."""
    with path.open("rb") as file:
        _header(path, file, path.stat().st_size)
    content = content_of(path, LARGEST)  # and once more, of what is parsed
    with io.BytesIO(content) as file:
        header, start = _header(path, file, len(content))
        wanted = used(header)
        return {
            name: _array(path, name, part, file, start) if name in wanted else None for name, part in header.items()
        }


def _header(path: Path, file: BinaryIO, whole: int) -> tuple[dict[str, Any], int]:
    """The tensors' entries in a file of so many bytes, and where their data begins."""
    size = int.from_bytes(file.read(8), "little")
    if size > _LONGEST:
        raise InputError(file=path, expected=f"a header of at most {_LONGEST:,} bytes", got=f"{size:,}")
    try:
        header: dict[str, Any] = json.loads(file.read(size), object_pairs_hook=once)  # no key may be there twice
        header.pop("__metadata__", None)
        _check(header, whole - 8 - size)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise InputError(file=path, expected="a safetensors file", got=unquoted(error)) from error
    cells = sum(math.prod(part["shape"]) for part in header.values())
    if cells > MOST_CELLS or len(header) > MOST_TENSORS:
        expected = f"at most {MOST_CELLS:,} numbers in {MOST_TENSORS:,} tensors"
        raise InputError(file=path, expected=expected, got=f"{cells:,} in {len(header):,}")
    return header, 8 + size


def _check(header: dict[str, Any], size: int) -> None:
    """Hold the header against the `size` bytes after it: each is one tensor's, and each tensor has what its shape says.

    Raises:
        ValueError: if that is not so.
    """
    place = 0
    for part in sorted(header.values(), key=lambda part: (part["data_offsets"], part["dtype"])):
        (begin, end), shape, dtype = part["data_offsets"], part["shape"], part["dtype"]
        whole = all(type(number) is int and number >= 0 for number in (begin, end, *shape))
        if not whole or not begin == place <= end:
            raise ValueError("tensors with a gap between them, or that overlap")
        if dtype in _DTYPES and math.prod(shape) * np.dtype(_DTYPES[dtype]).itemsize != end - begin:
            raise ValueError("a tensor with more or fewer bytes than its shape says")
        place = end
    if place != size:
        raise ValueError("more or fewer bytes than the header says")


def _array(path: Path, name: str, part: dict[str, Any], file: BinaryIO, start: int) -> Array:
    """One tensor, whose place in the file the library has checked."""
    dtype, shape, (begin, end) = part["dtype"], part["shape"], part["data_offsets"]
    if dtype not in _DTYPES:
        raise InputError(file=path, place=name, expected=f"a dtype among {', '.join(_DTYPES)}", got=dtype)
    file.seek(start + begin)
    values = np.frombuffer(file.read(end - begin), _DTYPES[dtype])
    if dtype == "BF16":  # the upper half of a float32
        values = (values.astype("<u4") << 16).view("<f4")
    try:
        shaped = values.reshape(shape)
    except ValueError as error:
        raise InputError(file=path, place=name, expected="a shape that fits its data", got=error) from error
    return exact(shaped, name)


def write(tensors: Mapping[str, Array | Rows], file: Path, made: Mapping[str, str]) -> bytes:
    """A file of tensors of one type of floats; its metadata says what they were made from."""
    from safetensors.numpy import save

    dense = {name: floats(part.dense() if isinstance(part, Rows) else part, file) for name, part in tensors.items()}
    wide = any(array.dtype == np.float64 for array in dense.values())  # one type, as PyTorch wants it
    same = {name: array.astype(np.float64 if wide else np.float32) for name, array in dense.items()}
    told = {"supercheck": json.dumps(dict(made))}  # of several keys the order would be chance
    content: bytes = save(same, told)
    return content
