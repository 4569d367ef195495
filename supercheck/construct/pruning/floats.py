"""Exact arrays as files can hold them: as doubles where these hold every number, else as fractions."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from fractions import Fraction

import numpy as np

from supercheck.base.matrix import Array, Ratios, exact_array

Kind = type[np.float32] | type[np.float64]
"""Which floats have to hold every number."""


def plain(values: Iterable[Fraction | int | float]) -> Array:
    """Exact numbers as doubles where these hold them all, else as fractions."""
    listed = [Fraction(value) for value in values]
    with suppress(OverflowError):
        doubles = [float(value) for value in listed]
        if all(Fraction(near) == value for near, value in zip(doubles, listed, strict=True)):
            return np.array(doubles)
    return exact_array(listed)


def narrowed(values: Array) -> Array:
    """The same numbers as `plain` gives them."""
    return values if values.dtype == np.float64 else plain(values.tolist())


def number(value: object) -> Fraction:
    """One entry of an exact array as a fraction."""
    return Ratios.of(np.array([value])).fractions()[0]


def exact(values: Array) -> Array:
    """The same numbers as fractions."""
    return exact_array(Ratios.of(values).fractions())


def holds(values: Array, kind: Kind) -> bool:
    """Whether floats of this kind hold every number; they are as `plain` gives them."""
    if values.dtype == object:
        return False
    with np.errstate(over="ignore"):
        return bool((values.astype(kind) == values).all())


def nearest(values: Array, kind: Kind) -> Array:
    """Each number as the nearest float of this kind.

    Raises:
        OverflowError: if one is past their range.
    """
    with np.errstate(over="ignore"):
        rounded = values.astype(kind).astype(np.float64)
    if not np.isfinite(rounded).all():
        raise OverflowError
    return rounded
