"""The library of compiled loops: loaded once, and handed arrays only after a look at them.

C knows nothing of an array but where it begins. So every array passes `pointer`, or `Struct` for a tuple of them, which
refuse one of another type, with gaps, or that may not be written: that is a fault of ours, never corrupted memory. A
call holds no lock of the interpreter: threads run side by side.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Collection
from functools import cache
from typing import Annotated, Any, get_args, get_type_hints

import numpy as np

from supercheck.base.errors import FaultError, InputError
from supercheck.base.matrix import Array
from supercheck.decide.kernels.build import HERE, LIBRARY, digest, sources

Float64 = Annotated[Array, np.dtype(np.float64)]
Int8 = Annotated[Array, np.dtype(np.int8)]
Int16 = Annotated[Array, np.dtype(np.int16)]
Int32 = Annotated[Array, np.dtype(np.int32)]
Int64 = Annotated[Array, np.dtype(np.int64)]
UInt8 = Annotated[Array, np.dtype(np.uint8)]
UInt32 = Annotated[Array, np.dtype(np.uint32)]
UInt64 = Annotated[Array, np.dtype(np.uint64)]
Bool = Annotated[Array, np.dtype(np.bool_)]

_ANEW = "build it with `pip install -e .`, or install supercheck anew with `pip install --force-reinstall`"


@cache
def library() -> ctypes.CDLL:
    """The library, loaded on first use.

    Raises:
        InputError: if there is none, if it cannot be loaded, or if it is of other sources than those beside it.
    """
    file = HERE / LIBRARY
    wanted = "the compiled loops that installing supercheck builds"
    if not file.is_file():
        raise InputError(file=file, expected=wanted, got="no such file", do=_ANEW)
    try:
        found = ctypes.CDLL(str(file))
        found.sc_sources.restype = ctypes.c_uint64
        files = sources()  # which somebody may have left out
        same = not files or found.sc_sources() == digest(files)
    except (OSError, AttributeError) as error:
        raise InputError(file=file, expected=wanted, got=str(error), do=_ANEW) from None
    if not same:
        raise InputError(file=file, expected=wanted, got="those of other sources", do=_ANEW)
    return found


def function(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    """An exported function, `sc_NAME` in C.

    Args:
        name: its name without the prefix.
        result: the ctypes type of what it returns, or None.
        arguments: those of its arguments; `ctypes.c_void_p` for what `pointer` gives, `Struct.by_reference`.
    """
    found = getattr(library(), f"sc_{name}")
    found.restype, found.argtypes = result, arguments
    return found  # type: ignore[no-any-return]


def pointer(array: Array, dtype: Any, size: int | None = None, *, written: bool = False) -> int:
    """Where an array's elements lie, for C.

    Args:
        array: the array; whoever calls keeps it alive.
        dtype: what its elements have to be, exactly.
        size: how many there have to be; None: not looked at.
        written: whether C writes into it.

    Raises:
        FaultError: if the array is another.
    """
    if not isinstance(array, np.ndarray):
        raise FaultError(f"the compiled loops take arrays, not {type(array).__name__}")
    flags = array.flags
    if array.dtype != dtype or not (flags.c_contiguous and flags.aligned and (flags.writeable or not written)):
        kind = f"{array.dtype}, {'' if flags.c_contiguous else 'not '}contiguous, "
        kind += f"{'' if flags.writeable else 'not '}writable"
        raise FaultError(f"the compiled loops take an array of {dtype}, not this one: {kind}")
    if size is not None and array.size != size:
        raise FaultError(f"the compiled loops take an array of {size} elements here, not {array.size}")
    return int(array.ctypes.data)


class Struct:
    """How a tuple of arrays and whole numbers is handed over: a struct of kernels.h with the same fields in order.

    Attributes:
        by_reference: the ctypes type of an argument that takes it.
    """

    def __init__(self, fields: type[tuple[Any, ...]], *numbers: str, written: Collection[str] = ()) -> None:
        """Lay the struct out.

        Args:
            fields: a NamedTuple whose annotations say each array's type, as `Float64` does; int and bool are numbers.
            numbers: whole numbers behind these fields.
            written: the fields that C writes into.
        """
        hints = get_type_hints(fields, include_extras=True)
        self._dtypes = {name: (get_args(hint) or (None, None))[1] for name, hint in hints.items()}
        self._written, self._name = frozenset(written), fields.__name__
        kinds = [(name, ctypes.c_int64 if d is None else ctypes.c_void_p) for name, d in self._dtypes.items()]
        kinds += [(name, ctypes.c_int64) for name in numbers]
        self._type: Any = type(fields.__name__, (ctypes.Structure,), {"_fields_": kinds})
        self.by_reference: Any = ctypes.POINTER(self._type)

    def of(self, values: tuple[Any, ...], **numbers: int) -> Any:
        """The struct of some arrays, which have to outlive it.

        Raises:
            FaultError: if an array is not what C takes.
        """
        places = []
        for (name, dtype), value in zip(self._dtypes.items(), values, strict=True):
            try:
                one = int(value) if dtype is None else pointer(value, dtype, written=name in self._written)
            except FaultError as error:
                raise FaultError(f"{self._name}.{name}: {error}") from None
            places.append(one)
        return self._type(*places, **numbers)
