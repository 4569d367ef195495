"""NPZ: dense arrays, or weights in compressed sparse rows; never a pickled object."""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from supercheck.errors import InputError
from supercheck.exact import Array, Rows
from supercheck.formats.tensors import MOST_CELLS, Tensors, exact

_PARTS = ("data", "indices", "indptr", "shape")


def read(path: Path) -> Tensors:
    """The tensors by name; `N.data`, `N.indices`, `N.indptr` and `N.shape` together are the sparse tensor N."""
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = _members(path, archive)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise InputError(file=path, expected="an NPZ file", got=error) from error
    sparse = {name.removesuffix(".indptr") for name in arrays if name.endswith(".indptr")}
    tensors: Tensors = {}
    for name in sorted(sparse):
        parts = {part: arrays.pop(f"{name}.{part}", None) for part in _PARTS}
        missing = [part for part in _PARTS if parts[part] is None]
        if missing:
            raise InputError(
                file=path, place=f"{name}.{missing[0]}", expected="this part of a sparse weight", got="none"
            )
        tensors[name] = _rows(path, name, *(np.asarray(parts[part]) for part in _PARTS))
    return tensors | {name: exact(array, name) for name, array in arrays.items()}


def _members(path: Path, archive: zipfile.ZipFile) -> dict[str, Array]:
    """The arrays, each header checked before its data takes memory."""
    arrays: dict[str, Array] = {}
    for member in archive.infolist():
        name = member.filename.removesuffix(".npy")
        if name in arrays or not member.filename.endswith(".npy"):
            raise InputError(file=path, place=name, expected="one .npy member a name", got=member.filename)
        arrays[name] = _member(path, name, archive, member)
    return arrays


def _member(path: Path, name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Array:
    try:
        with archive.open(member) as stream:
            version = npy.read_magic(stream)
            header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, dtype = header(stream)
        if dtype.hasobject:
            expected, got, do = "numbers", "a pickled object array", "save it with a numeric dtype"
            raise InputError(file=path, place=name, expected=expected, got=got, do=do)
        cells = math.prod(shape)
        if cells > MOST_CELLS or cells * dtype.itemsize > member.file_size:
            raise InputError(
                file=path, place=name, expected="as much data as its shape says", got=f"shape {list(shape)}"
            )
        with archive.open(member) as stream:
            array: Array = npy.read_array(stream, allow_pickle=False)
            return array
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as error:
        raise InputError(file=path, place=name, expected="an array of numbers", got=error) from error


def _rows(path: Path, name: str, data: Array, indices: Array, indptr: Array, shape: Array) -> Rows:
    def refuse(part: str, expected: str, got: object) -> InputError:
        return InputError(file=path, place=f"{name}.{part}", expected=expected, got=got)

    for part, array in (("indices", indices), ("indptr", indptr), ("shape", shape)):
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise refuse(part, "a vector of integers", f"dtype {array.dtype}, shape {list(array.shape)}")
    if len(shape) != 2 or not all(0 < size < 2**31 for size in shape.tolist()):
        raise refuse("shape", "two sizes from 1 to 2^31 - 1", shape.tolist())
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
    return Rows(np.concatenate([[0], np.cumsum(counts)]), indices[kept].astype(np.int32), values[kept], width)
