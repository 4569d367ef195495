"""Network files written by the standard library alone, and what has become of them."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import Stored, run

from supercheck.base.errors import InputError
from supercheck.network.formats.load import load
from supercheck.network.formats.tensors import LayerNames
from supercheck.network.network import Network

W = np.array([[1.0, 2.0]])
SIZES = {"F16": 2, "BF16": 2, "F32": 4, "F64": 8, "I64": 8, "U64": 8, "I8": 1, "BOOL": 1}


def value(kind: str, raw: bytes) -> Fraction | None:
    """The number that these bytes of a tensor stand for; None for NaN and infinity."""
    if kind[0] in "IUB" and kind != "BF16":
        return Fraction(int.from_bytes(raw, "little", signed=kind[0] == "I"))
    number = struct.unpack({"F16": "<e", "F64": "<d"}.get(kind, "<f"), b"\0\0" * (kind == "BF16") + raw)[0]
    return Fraction(number) if abs(number) < float("inf") else None


def cells(draw: random.Random, kind: str, count: int) -> bytes:
    """Finite cells: any bits, small magnitudes and subnormals, extremes, zeros."""
    size, found = SIZES[kind], list[bytes]()
    special = [
        bytes(size),
        b"\1" + bytes(size - 1),
        b"\xff" * (size - 1) + b"\x7f",
        b"\xff" * size,
        bytes(size - 1) + b"\x80",
    ]
    while len(found) < count:
        raw = draw.choice([draw.randbytes(size), bytes([draw.randrange(256)]) + bytes(size - 1), *special])
        raw = bytes([raw[0] & 1]) if kind == "BOOL" else raw
        found += [raw] if value(kind, raw) is not None else []
    return b"".join(found)


def fractions(kind: str, raw: bytes) -> list[Fraction]:
    size = SIZES[kind]
    return [value(kind, raw[i : i + size]) or Fraction(0) for i in range(0, len(raw), size)]


def safetensors(path: Path, tensors: dict[str, tuple[str, list[int], bytes]], **extra: object) -> Path:
    header, end = dict(extra), 0
    for name, (kind, shape, raw) in tensors.items():
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [end, end := end + len(raw)]}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(raw for _, _, raw in tensors.values()))
    return path


def npy(array: Any, dtype: Any = None) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asarray(array, dtype), allow_pickle=True)
    return out.getvalue()


def header(shape: str, descr: str = "'<f8'") -> bytes:
    """The head of an `.npy` file with any shape at all, and 16 bytes of data."""
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + bytes(16)


def npz(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def sparse(path: Path, **parts: object) -> Path:
    """The weight [[1, 0, 2], [0, 0, 3]] in compressed rows, with parts replaced, or left out where None."""
    given = {"data": [1.0, 2.0, 3.0], "indices": [0, 2, 2], "indptr": [0, 2, 3], "shape": [2, 3]} | parts
    return npz(path, {f"0.weight.{name}": npy(part) for name, part in given.items() if part is not None})


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refused(path: Path, layers: tuple[LayerNames, ...] = ()) -> str:
    """The message of the refusal, after the file; always one short printable line."""
    with pytest.raises(InputError) as refusal:
        load(path, layers)
    message = str(refusal.value)
    assert message.isprintable()
    assert len(message) < 700
    assert message.startswith(f"{path}"[:150])
    return message.removeprefix(f"{path}")


def outcome(path: Path) -> str | tuple[Fraction, ...]:
    """The network's output on ones, or the message of the refusal."""
    try:
        return load(path).run([1, 1])
    except InputError as error:
        return str(error)


def agree(network: Network, stored: Stored) -> None:
    """The network is the oracle's on all inputs of 0 and 1, and on others."""
    features = len(stored[0][0][0])
    points = [[Fraction(b >> j & 1) for j in range(features)] for b in range(1 << features)]
    for x in [*points, [Fraction(-j, 3) for j in range(features)], [Fraction(j + 1, 7) for j in range(features)]]:
        assert list(network.run(x)) == run(stored, x)
