"""NPZ: dense arrays, or weights in compressed sparse rows; never a pickled object."""

from __future__ import annotations

import io
import json
import math
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from supercheck.base.errors import InputError, unquoted
from supercheck.base.matrix import Array, Rows, trusted
from supercheck.base.reading import content_of
from supercheck.network.formats.tensors import MOST_CELLS, MOST_TENSORS, MOST_WIDTH, Tensors, Used, exact, floats

LARGEST = 2 << 30  # bytes of all members
_LONGEST = 1 << 20  # bytes that may be asked for at once: the directory is read whole, members are not
_EPOCH = (1980, 1, 1, 0, 0, 0)  # zip files have dates; the same network has to give the same bytes
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # numpy's own

_BROKEN = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, tokenize.TokenError, EOFError,
    ArithmeticError, RuntimeError, SyntaxError, TypeError, ValueError, MemoryError,
)  # fmt: skip
"""What zipfile and numpy raise on files that are not what they say."""

_MOST_FILLED = 1 << 22  # zeros take little memory, but the weights of a network some fifty bytes each
_PARTS = ("data", "indices", "indptr", "shape")


def read(path: Path, used: Used) -> Tensors:
    """The tensors by name, None for those that are not used.

    `N.data`, `N.indices`, `N.indptr` and `N.shape` together are the sparse tensor N.
    """
    try:
        with zipfile.ZipFile(_Piecewise(io.BytesIO(content_of(path, LARGEST)))) as archive:
            tensors, arrays = _arrays(path, archive, used)
    except _BROKEN as error:
        raise InputError(file=path, expected="an NPZ file", got=unquoted(error)) from error
    room = _MOST_FILLED + 8 * path.stat().st_size
    for name in list(arrays):  # each let go as it is read
        parts = arrays.pop(name)
        tensors[name] = _rows(path, name, *parts) if len(parts) > 1 else exact(parts[0], name)
        room -= int(np.count_nonzero(parts[0]))
        if room < 0:
            expected = f"at most {_MOST_FILLED:,} nonzero numbers, and eight more for each byte of the file"
            raise InputError(file=path, place=name, expected=expected, got="more", do="save it without compression")
    return tensors


def _arrays(path: Path, archive: zipfile.ZipFile, used: Used) -> tuple[Tensors, dict[str, list[Array]]]:
    """The names of all tensors, and the arrays that make up those that are used."""
    members = _members(path, archive)
    sparse = {name.rpartition(".")[0] for name in members if name.endswith((".indptr", ".indices", ".shape"))}
    whole = {f"{name}.{part}" for name in sparse for part in _PARTS}
    tensors: Tensors = dict.fromkeys([*sorted(sparse), *(name for name in members if name not in whole)])
    arrays: dict[str, list[Array]] = {}
    wanted, room = used(tensors), min(MOST_CELLS, (1 << 24) + 4 * path.stat().st_size)
    for name in filter(wanted.__contains__, tensors):  # zeros shrink a thousandfold: store them sparse
        if name in sparse and name in members:
            raise InputError(file=path, place=name, expected="a weight that is dense or sparse", got="both")
        arrays[name] = []
        for part in [f"{name}.{part}" for part in _PARTS] if name in sparse else [name]:
            if part not in members:
                raise InputError(file=path, place=part, expected="this part of a sparse weight", got="none")
            arrays[name].append(_member(path, part, archive, members[part], room))
            room -= arrays[name][-1].size
    return tensors, arrays


class _Piecewise:
    """A file that refuses to be read in large pieces."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        """As a file does it."""
        content = self._file.read(min(size, _LONGEST + 1) if size >= 0 else _LONGEST + 1)
        if len(content) > _LONGEST:
            raise zipfile.BadZipFile("a directory that is too large")
        return content


def _members(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The members by name, which are not too many or too large."""
    members: dict[str, zipfile.ZipInfo] = {}
    listed = archive.infolist()
    size = sum(member.file_size for member in listed)
    if size > LARGEST or len(listed) > MOST_TENSORS:
        expected = f"at most {LARGEST:,} bytes unpacked in {MOST_TENSORS:,} members"
        raise InputError(file=path, expected=expected, got=f"{size:,} in {len(listed):,}")
    for member in listed:
        name = member.filename.removesuffix(".npy")
        if name in members or not member.filename.endswith(".npy"):
            raise InputError(file=path, expected="one .npy member a name", got="another member, or one twice")
        members[name] = member
    return members


def _member(path: Path, name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo, room: int) -> Array:
    """One array of at most `room` numbers, its header checked before its data takes memory."""
    if member.compress_type not in _METHODS:
        got = f"compression method {member.compress_type}"
        raise InputError(file=path, place=name, expected="a member stored or deflated", got=got)
    try:
        with archive.open(member) as stream:
            version = npy.read_magic(stream)
            header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, dtype = header(stream)
        if dtype.hasobject:
            expected, got, do = "numerals", "a pickled object array", "save it with a numeric dtype"
            raise InputError(file=path, place=name, expected=expected, got=got, do=do)
        cells = math.prod(shape)
        if cells > room:
            expected = f"at most {room:,} more numbers in a file of this size"
            do = "save a sparse weight as compressed rows: data, indices, indptr, shape"
            raise InputError(file=path, place=name, expected=expected, got=f"shape {list(shape)}", do=do)
        if cells * dtype.itemsize > member.file_size:
            raise InputError(
                file=path, place=name, expected="as much data as its shape says", got=f"shape {list(shape)}"
            )
        with archive.open(member) as stream:
            array: Array = npy.read_array(stream, allow_pickle=False)
            return array
    except _BROKEN as error:
        raise InputError(file=path, place=name, expected="an array of numbers", got=unquoted(error)) from error


def _rows(path: Path, name: str, data: Array, indices: Array, indptr: Array, shape: Array) -> Rows:
    def refuse(part: str, expected: str, got: object) -> InputError:
        return InputError(file=path, place=f"{name}.{part}", expected=expected, got=got)

    for part, array in (("indices", indices), ("indptr", indptr), ("shape", shape)):
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise refuse(part, "a vector of integers", f"dtype {array.dtype}, shape {list(array.shape)}")
    if len(shape) != 2 or not all(0 < size <= MOST_WIDTH for size in shape.tolist()):
        raise refuse("shape", f"two sizes from 1 to {MOST_WIDTH:,}", shape[:9].tolist())
    height, width = shape.tolist()
    indptr, indices, values = indptr.astype(np.int64), indices.astype(np.int64), exact(data, f"{name}.data")
    if len(indptr) != height + 1 or indptr[0] != 0 or indptr[-1] != len(indices) or (np.diff(indptr) < 0).any():
        raise refuse("indptr", f"{height + 1} ascending offsets from 0 to {len(indices)}", f"{len(indptr)} offsets")
    if values.ndim != 1 or len(values) != len(indices):
        raise refuse("data", f"{len(indices)} numbers, one for each index", f"shape {list(values.shape)}")
    if len(indices) and not (indices.min() >= 0 and indices.max() < width):
        raise refuse("indices", f"columns from 0 to {width - 1}", f"{indices.min()} to {indices.max()}")
    row_of = np.repeat(np.arange(height), np.diff(indptr))
    place = row_of * width + indices
    if (np.diff(place) <= 0).any():
        order = np.argsort(place, kind="stable")
        place, indices, values = place[order], indices[order], values[order]
        if (np.diff(place) == 0).any():
            raise refuse("indices", "each column once a row", "a column twice")
    kept = values != 0
    counts = np.bincount(row_of[kept], minlength=height)  # sorting kept every entry in its row
    return trusted(np.concatenate([[0], np.cumsum(counts)]), indices[kept].astype(np.int32), values[kept], width)


def write(tensors: Mapping[str, Array | Rows], file: Path, made: Mapping[str, str]) -> bytes:
    """A file of tensors, those with few nonzeros as sparse rows; its comment says what they were made from."""
    arrays: dict[str, Array] = {}
    for name, tensor in tensors.items():
        if not isinstance(tensor, Rows):
            arrays[name] = _narrow(tensor, file)
        elif 3 * len(tensor.data) >= tensor.height * tensor.width:
            arrays[name] = _narrow(tensor.dense(), file)
        else:
            arrays[f"{name}.data"], arrays[f"{name}.indices"] = _narrow(tensor.data, file), tensor.indices
            arrays[f"{name}.indptr"] = tensor.indptr
            arrays[f"{name}.shape"] = np.array([tensor.height, tensor.width])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:  # not compressed: what zlib makes of it depends on its version
        for name, array in arrays.items():
            member = io.BytesIO()
            npy.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), member.getvalue())
        archive.comment = json.dumps({"supercheck": dict(made)}).encode()
    return out.getvalue()


def _narrow(values: Array, file: Path) -> Array:
    """The same values in the narrowest type that holds them all."""
    if values.dtype.kind != "f" and all(Fraction(value).denominator == 1 for value in values.flat):
        for kind in (np.int8, np.int16, np.int32, np.int64):
            if all(np.iinfo(kind).min <= value <= np.iinfo(kind).max for value in values.flat):
                return values.astype(kind)
    return floats(values, file)
