"""The constants of an ONNX file, in the file itself or in external data beside it, and the shapes it asks for.

Trusts nothing in the file: declared sizes are compared with the data before anything is allocated, external
data is read only from a regular file beside the model, by us, and never through the onnx library.
"""

from __future__ import annotations

import math
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from supercheck.base.errors import InputError, present
from supercheck.base.matrix import Array, integers
from supercheck.base.reading import content_of
from supercheck.network.formats.tensors import exact

MOST_AXES = 16  # of one tensor
_MOST_WORK = 2**28  # numbers read or moved; a weight counts about three times
_FLOATS = ("FLOAT16", "BFLOAT16", "FLOAT", "DOUBLE")
_INTEGERS = ("INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64")
_FIELDS = {
    "FLOAT": "float_data",
    "DOUBLE": "double_data",
    "INT64": "int64_data",
    "UINT32": "uint64_data",
    "UINT64": "uint64_data",
}  # where the numbers of a type lie that are not raw bytes; int32_data for the others
_HELD = {"float_data": "f4", "double_data": "f8", "int32_data": "i4", "int64_data": "i8", "uint64_data": "u8"}
_NAMES = {TensorProto.DataType.Value(name): name for name in _FLOATS + _INTEGERS}
_TYPES = {code: np.dtype(helper.tensor_dtype_to_np_dtype(code)) for code in _NAMES}
FLOATS = {code: name for code, name in _NAMES.items() if name in _FLOATS}


class Work:
    """What is left of the work that one file may cause: a bound for memory and time."""

    def __init__(self) -> None:
        self._left = _MOST_WORK
        self._files: dict[Path, bytes] = {}

    def spend(self, amount: int) -> None:
        """Take `amount` numbers off the budget; an InputError if it is used up."""
        self._left -= amount
        if self._left < 0:
            raise InputError(expected=f"a network that takes at most {_MOST_WORK:,} steps to read", got="more")

    def content(self, file: Path) -> bytes:
        """A file of external data, which is read once."""
        if file not in self._files:
            self._files[file] = content_of(file, 8 * _MOST_WORK, links=False)
        return self._files[file]


@dataclass(frozen=True, eq=False)
class Constant:
    """A constant in the type in which the file holds it.

    Attributes:
        raw: the numbers, in their own dtype.
        name: the tensor in the file that they come from.
    """

    raw: Array
    name: str

    @property
    def exact(self) -> Array:
        """The numbers as an exact array; one that is not finite is an InputError."""
        if self.raw.dtype.kind in "iu":
            wide = self.raw.astype(object) if self.raw.dtype.itemsize == 8 else self.raw.astype(np.int64)
            return integers(wide)
        with np.errstate(invalid="ignore"):  # a signalling NaN is refused like any other
            wide = self.raw.astype(np.float64)
        return exact(wide, self.name)

    def cast(self, code: int) -> Constant:
        """The same constant rounded to the float type with this ONNX code."""
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is reported where it is used
            return replace(self, raw=self.raw.astype(_TYPES[code]))


def decode(tensor: Any, folder: Path, work: Work) -> Constant:
    """Read a stored tensor.

    Args:
        tensor: the TensorProto.
        folder: the model's own, in which its external data has to be.
        work: the budget for its numbers.

    Raises:
        InputError: if type, shape and data do not fit together, or the external file is not allowed.
    """
    try:
        return _decode(tensor, folder, work)
    except InputError as error:
        raise error.at(None, place=f"tensor {tensor.name}" if tensor.name else "a tensor") from None


def _decode(tensor: Any, folder: Path, work: Work) -> Constant:
    if tensor.data_type not in _TYPES:
        known = tensor.data_type in TensorProto.DataType.values()
        got = TensorProto.DataType.Name(tensor.data_type) if known else tensor.data_type
        raise InputError(expected=f"one of the types {', '.join(_FLOATS + _INTEGERS)}", got=got)
    dims = list(tensor.dims)
    if len(dims) > MOST_AXES or min(dims, default=0) < 0:
        raise InputError(expected=f"at most {MOST_AXES} dimensions, none negative", got=dims)
    if tensor.HasField("segment"):
        raise InputError(expected="a whole tensor", got="a segment of one")
    dtype, field, count = (
        _TYPES[tensor.data_type],
        _FIELDS.get(_NAMES[tensor.data_type], "int32_data"),
        math.prod(dims),
    )
    work.spend(count)
    external = tensor.data_location == TensorProto.EXTERNAL
    typed, raw, size = getattr(tensor, field), tensor.raw_data, count * dtype.itemsize
    if external + bool(typed) + bool(raw) > 1:
        raise InputError(expected="data in one place", got=f"it in several of external data, raw_data, {field}")
    if typed:
        values = np.fromiter(typed, _HELD[field], len(typed))  # numpy's own guess depends on protobuf's version
        return Constant(_typed(values, dtype, count).reshape(dims), tensor.name)
    data = _external(tensor, folder, size, work) if external else raw
    if len(data) != size:
        raise InputError(expected=f"{size} bytes of data for shape {dims}", got=len(data))
    little = np.frombuffer(data, f"<u{dtype.itemsize}")
    return Constant(little.astype(f"=u{dtype.itemsize}").view(dtype).reshape(dims), tensor.name)


def _typed(values: Array, dtype: np.dtype[Any], count: int) -> Array:
    """The numbers of a typed field, which is often wider than the tensor's type."""
    if len(values) != count:
        raise InputError(expected=f"{count} numbers", got=len(values))
    bits = values.dtype.kind in "iu" and dtype.kind not in "iu"  # 16-bit floats lie there as their bits
    narrow = values.astype(np.uint16 if bits else dtype)
    if values.dtype.kind in "iu" and (narrow != values).any():
        raise InputError(expected=f"numbers that fit {narrow.dtype}", got=values[narrow != values][0])
    return narrow.view(dtype)


def _external(tensor: Any, folder: Path, size: int, work: Work) -> bytes:
    """The `size` bytes of a tensor that lies in a file of its own."""
    entries = {str(entry.key): str(entry.value) for entry in tensor.external_data}  # bytes where it is no UTF-8
    name = entries.get("location", "")
    plain = PurePosixPath(name).name == PureWindowsPath(name).name == name
    if not plain or name in ("", "..") or "\0" in name:
        raise InputError(expected="external data in a file directly beside the model", got=repr(name))
    offset, length = (
        _bytes(key, entries.get(key, default)) for key, default in (("offset", "0"), ("length", f"{size}"))
    )
    if length != size:
        raise InputError(expected=f"{size} bytes of external data", got=length)
    path = folder / name
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise InputError(expected="external data in a regular file, not a link", got=name)
        content = work.content(path)
        if offset + size > len(content):
            got = f"{len(content)} bytes in {name}"
            raise InputError(expected=f"external data up to byte {offset + size}", got=got)
        return content[offset : offset + size]
    except OSError as error:
        raise InputError(expected="readable external data", got=f"{name}: {error.strerror}") from None


def _bytes(key: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise InputError(expected=f"a number of bytes as {key} of the external data", got=repr(text))
    return int(text)


def reshaped(operator: str, attributes: dict[str, Any], given: Sequence[Constant], old: Sequence[int]) -> list[int]:
    """The new shape that Flatten, Reshape, Squeeze or Unsqueeze asks for.

    Args:
        operator: which of them.
        attributes: its attributes.
        given: the constant with shape or axes, if it is an input.
        old: the shape before.

    Raises:
        InputError: if the two shapes do not fit.
    """
    rank, listed = len(old), attributes.get("shape", attributes.get("axes"))
    if given and given[0].raw.dtype.kind in "iu" and given[0].raw.ndim == 1 and given[0].raw.size <= MOST_AXES:
        listed = given[0].raw.tolist()
    elif given or (listed is None and operator in ("Reshape", "Unsqueeze")):
        raise InputError(expected="a short list of integers as shape or axes", got="none")
    if operator == "Flatten":
        axis = attributes.get("axis", 1)
        [axis] = _axes([axis], rank) if axis != rank else [rank]
        return [math.prod(old[:axis]), math.prod(old[axis:])]
    if operator == "Squeeze":
        axes = [i for i, n in enumerate(old) if n == 1] if listed is None else _axes(listed, rank)
        if any(old[axis] != 1 for axis in axes):
            raise InputError(expected=f"axes of length 1 of shape {list(old)}", got=listed)
        return [n for i, n in enumerate(old) if i not in axes]
    listed = present(listed, "shape")
    if operator == "Unsqueeze":
        axes, kept = _axes(listed, rank + len(listed)), iter(old)
        return [1 if i in axes else next(kept) for i in range(rank + len(listed))]
    shape = list(listed)
    if not attributes.get("allowzero", 0):
        shape = [old[i] if n == 0 and i < rank else n for i, n in enumerate(shape)]
    rest = math.prod(n for n in shape if n != -1)
    if shape.count(-1) == 1 and rest:
        shape[shape.index(-1)] = math.prod(old) // rest
    if min(shape, default=1) < 0 or math.prod(shape) != math.prod(old):
        raise InputError(expected=f"a shape of {math.prod(old)} elements", got=listed)
    return shape


def transposed(attributes: dict[str, Any], rank: int) -> list[int]:
    """The order of axes that a Transpose asks for."""
    order = list(attributes.get("perm", range(rank)[::-1]))
    if sorted(order) != list(range(rank)):
        raise InputError(expected=f"a permutation of {rank} axes", got=order)
    return order


def _axes(listed: Sequence[int], rank: int) -> list[int]:
    """Axes counted from the front, all different."""
    axes = [axis + rank if axis < 0 else axis for axis in listed]
    if rank > MOST_AXES or len(set(axes)) < len(axes) or not all(0 <= axis < rank for axis in axes):
        raise InputError(expected=f"different axes of a tensor with {rank} dimensions", got=list(listed))
    return axes
