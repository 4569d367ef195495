"""safetensors: a state_dict as PyTorch writes it. The library checks dtypes, shapes, offsets and overlaps."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from safetensors import SafetensorError, safe_open

from supercheck.errors import InputError
from supercheck.exact import Array
from supercheck.formats.json import once
from supercheck.formats.tensors import MOST_CELLS, MOST_TENSORS, Tensors, Used, exact

_LONGEST = 1 << 22  # bytes of the header

_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "?", "BF16": "<u2",
}  # fmt: skip


def read(path: Path, used: Used) -> Tensors:
    """The tensors by name, None for those that are not used; the header is checked before any tensor takes memory."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if size > _LONGEST:
            raise InputError(file=path, expected=f"a header of at most {_LONGEST:,} bytes", got=f"{size:,}")
        try:
            with safe_open(path, framework="numpy"):
                pass
        except (SafetensorError, ValueError) as error:
            raise InputError(file=path, expected="a safetensors file", got=error) from error
        header = json.loads(file.read(size), object_pairs_hook=once)  # the library keeps the last of two
        header.pop("__metadata__", None)
        cells = sum(math.prod(part["shape"]) for part in header.values())
        if cells > MOST_CELLS or len(header) > MOST_TENSORS:
            expected = f"at most {MOST_CELLS:,} numbers in {MOST_TENSORS:,} tensors"
            raise InputError(file=path, expected=expected, got=f"{cells:,} in {len(header):,}")
        wanted = used(header)
        return {
            name: _array(path, name, part, file, 8 + size) if name in wanted else None for name, part in header.items()
        }


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
