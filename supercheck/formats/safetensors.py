"""safetensors: a state_dict as PyTorch writes it. The library checks offsets, overlaps and the header's size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors import SafetensorError, deserialize

from supercheck.errors import InputError
from supercheck.formats.tensors import Tensors, exact

_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "?",
}  # fmt: skip


def read(path: Path) -> Tensors:
    """The tensors by name."""
    try:
        stored = deserialize(path.read_bytes())  # type: ignore[no-untyped-call]
    except (SafetensorError, ValueError) as error:
        raise InputError(file=path, expected="a safetensors file", got=error) from error
    return {name: _array(path, name, part["dtype"], part["shape"], part["data"]) for name, part in stored}


def _array(path: Path, name: str, dtype: str, shape: list[int], data: bytes) -> np.ndarray:
    if dtype == "BF16":  # the upper half of a float32
        values = (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4")
    elif dtype in _DTYPES:
        values = np.frombuffer(data, _DTYPES[dtype])
    else:
        raise InputError(file=path, place=name, expected=f"a dtype among BF16, {', '.join(_DTYPES)}", got=dtype)
    try:
        shaped = values.reshape(shape)
    except ValueError as error:
        raise InputError(file=path, place=name, expected="a shape that fits its data", got=error) from error
    return exact(shaped, name)
