"""What a caller gives: taken as the exact numbers, sparse rows, words and paths that it has to be, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from operator import index
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from supercheck.base.errors import InputError, spelled
from supercheck.base.numbers import LONGEST, exact_text, rational, whole

Array = npt.NDArray[Any]
T = TypeVar("T")

_WIDEST = 2**31 - 1  # columns are int32


def numbers(values: object, place: str, axes: int) -> Array:
    """A numpy array as an exact array of the same shape: float64, int64, or Python integers and fractions.

    Args:
        values: what the caller gave.
        place: what it is, for errors.
        axes: how many axes it must have, 1 or 2.

    Raises:
        InputError: for what is no such array, not real and finite, or may have been rounded on its way into it.
    """
    if not isinstance(values, np.ndarray) or isinstance(values, np.ma.MaskedArray) or values.ndim != axes:
        got = f"shape {list(values.shape)}" if type(values) is np.ndarray else spelled(values, repr)
        raise InputError(place=place, expected=f"a {('vector', 'matrix')[axes - 1]} of numpy's", got=got)
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind == "f" and size <= 8:
        with np.errstate(invalid="ignore"):  # a signalling NaN; refused in a moment
            wide = np.asarray(values).astype(np.float64, copy=False)
        if not np.isfinite(wide).all():
            raise InputError(place=place, expected="finite numbers", got=wide[~np.isfinite(wide)][0])
        return wide
    if kind in "iub":
        wraps = kind == "u" and values.size and int(values.max()) >= 2**63
        return np.asarray(values).astype(object if wraps else np.int64, copy=False)
    if kind != "O":
        raise InputError(place=place, expected="floats of at most 64 bits, or integers", got=f"dtype {values.dtype}")
    listed = values.ravel().tolist()
    if set(map(type, listed)) <= {int}:
        return np.asarray(values)
    exact = np.empty(len(listed), dtype=object)
    exact[:] = [
        one
        if type(one) is int or (type(one) is Fraction and type(one.numerator) is int and type(one.denominator) is int)
        else number(one, place)
        for one in listed
    ]
    return exact.reshape(values.shape)


def unchecked(kind: type[T], **parts: object) -> T:
    """A frozen dataclass without slots from all its parts, none of them looked at: for code that has made sure."""
    made = object.__new__(kind)
    vars(made).update(parts)
    return made


def number(value: object, place: str) -> int | Fraction:
    """An exact number of Python's own; a numpy integer would wrap inside an array of objects.

    Raises:
        InputError: for anything else.
    """
    if isinstance(value, Fraction):
        above, below = value.numerator, value.denominator
        return value if type(above) is type(below) is int else Fraction(int(above), int(below))
    try:
        return int(index(value))  # type: ignore[arg-type]
    except TypeError as error:
        raise InputError(place=place, expected="whole numbers or fractions", got=spelled(value, repr)) from error


def of_whole(values: object) -> bool:
    """Whether it is a vector of int64 or of Python integers."""
    if not isinstance(values, np.ndarray) or values.ndim != 1:
        return False
    return values.dtype == np.int64 or (values.dtype == object and set(map(type, values.tolist())) <= {int})


def compressed(indptr: object, indices: object, data: object, width: object) -> tuple[Array, Array, Array, int]:
    """The parts of `exact.Rows`, each as it has to be.

    Raises:
        InputError: naming the part that does not fit.
    """
    columns = whole(width, "Rows.width", 0, _WIDEST)
    ends, places, values = _integers(indptr, "indptr"), _integers(indices, "indices"), numbers(data, "Rows.data", 1)
    count = len(places)
    if not len(ends) or ends[0] != 0 or ends[-1] != count or (np.diff(ends) < 0).any():
        raise _refused("indptr", f"ascending offsets from 0 to {count}", ends[:9].tolist())
    if len(values) != count:
        raise _refused("data", f"{count} numbers, one for each column", len(values))
    if count and not (places.min() >= 0 and places.max() < columns):
        raise _refused("indices", f"columns from 0 to {columns - 1}", f"{places.min()} to {places.max()}")
    rises = np.diff(places) > 0
    starts = ends[1:-1]
    rises[starts[(starts > 0) & (starts < count)] - 1] = True  # from one row to the next
    if not rises.all():
        at = int(np.argmin(rises))
        raise _refused("indices", "columns that ascend within a row, each once", places[at : at + 2].tolist())
    if not (values != 0).all():
        raise _refused("data", "no zeros", "a stored zero")
    return ends, places.astype(np.int32), values, columns


def _integers(values: object, part: str) -> Array:
    if not isinstance(values, np.ndarray) or values.ndim != 1 or values.dtype.kind not in "iu":
        got = (
            f"dtype {values.dtype}, shape {list(values.shape)}"
            if isinstance(values, np.ndarray)
            else spelled(values, repr)
        )
        raise _refused(part, "a vector of integers", got)
    return np.asarray(values).astype(np.int64)


def _refused(part: str, expected: str, got: object) -> InputError:
    return InputError(
        place=f"Rows.{part}", expected=expected, got=got, do="Rows.from_dense(matrix) makes rows of a matrix"
    )


def fraction(place: str, value: object) -> Fraction:
    """A number of a spec: exact, and one that a file could say.

    Raises:
        InputError: for floats above all, which are rarely the number meant.
    """
    with suppress(ValueError, TypeError):
        if isinstance(value, Fraction):
            value = exact_text(Fraction(int(value.numerator), int(value.denominator)))
        elif not isinstance(value, bool | Decimal | str):
            value = exact_text(index(value))  # type: ignore[arg-type]
        if isinstance(value, Decimal | str):
            return rational(value, LONGEST)
    expected = 'a Fraction, a whole number or text such as "1/3"'
    raise InputError(place=place, expected=expected, got=spelled(value, repr), do="a float is rarely the number meant")


def one_of(place: str, word: object, known: Sequence[str]) -> None:
    """Refuse a word that is none of those known."""
    if not isinstance(word, str) or word not in known:
        raise InputError(place=place, expected=f"one of {', '.join(known)}", got=word)


def path_of(place: str, value: object) -> Path | None:
    """A file's path, if one is given."""
    if value is not None and not isinstance(value, str | Path):
        raise InputError(place=place, expected="a file's path", got=spelled(value, repr))
    return None if value is None else Path(value)
