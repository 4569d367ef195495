"""What the compiled loops work on: flat arrays, no objects.

Nothing compiled allocates or decides on types, and none of it holds the interpreter's lock, so threads run side by
side. The rules are those of certificate/README.md; `flatten.py` says why doubles may be trusted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np

from supercheck.base.matrix import Array
from supercheck.decide.kernels.disk_cache import sparing

Function = TypeVar("Function", bound=Callable[..., Any])

SLOPES = 4096.0  # slopes are multiples of 2^-Q, Q = 12
FREE, ON, OFF = 0, 1, 2
PROVED, REFUTED, OPEN = 0, 1, 2
HALF = np.uint64(1 << 63)
WRAP = 2.0**61  # what is this close to a goal is told apart by its lowest 64 bits


_PLAIN: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
"""Without reference counting, which would cost two thirds of the time: nothing compiled here allocates."""


def compiled(function: Function) -> Function:
    """Compile into whatever calls it."""
    return cast(Function, numba.njit(**_PLAIN, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function))


def inlined(function: Function) -> Function:
    """Write out in whatever calls it: a call would copy all these arrays' descriptions."""
    return cast(Function, numba.njit(**_PLAIN, inline="always")(function))


def entry_point(function: Function) -> Function:
    """Compile on first call and keep the machine code beside the source, where that can be written.

    numba finds kept code by the entry point's own file and by what it closes over, so it has to close over `SOURCES`.
    """
    try:
        made = sparing(numba.njit(**_PLAIN, cache=True)(function))
    except (OSError, RuntimeError):  # nowhere to keep it
        made = numba.njit(**_PLAIN)(function)
    return cast(Function, made)


def _digest() -> int:
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return int.from_bytes(digest.digest()[:7], "big") | 1


SOURCES = _digest()
"""A number that changes with any source of the compiled loops; never 0."""


class Flat(NamedTuple):
    """A network as flat arrays. Rows are numbered through: the hidden layers', then the outputs'.

    Attributes:
        starts: the first row of each layer, the outputs' too; then the number of rows.
        indptr: where each row's entries begin.
        cols: of a first-layer row features, of the others rows of the layer below; ascending.
        vals: the integers as doubles.
        lows: the integers modulo 2^64, uint64.
        bias, bias_lows: the same of each row's bias; 0 for outputs.
        order_cols, order_vals: the entries of the first layer's rows by value, greatest first.
        slack: for each row how far a computed value may be from the exact one; 0 where doubles are exact.
        bits: for each output, |w . h| < 2^(bits - 1).
    """

    starts: Array
    indptr: Array
    cols: Array
    vals: Array
    lows: Array
    bias: Array
    bias_lows: Array
    order_cols: Array
    order_vals: Array
    slack: Array
    bits: Array


class Cases(NamedTuple):
    """The cases of one shape: positions in the support that are on, and off, one case after the other.

    Attributes:
        values: the function's value in each case, 0 or 1.
        on_count: how many features are on in each.
        on_ends, off_ends: where each case's positions end.
        on_positions, off_positions: the positions.
        fixed: whether every case fixes the whole support.
    """

    values: Array
    on_count: Array
    on_ends: Array
    off_ends: Array
    on_positions: Array
    off_positions: Array
    fixed: bool


class Scratch(NamedTuple):
    """One thread's working memory. `form`, `middle` and `state` are zero between uses.

    Attributes:
        form: coefficient of each feature.
        state: FREE, ON or OFF for each feature.
        middle: coefficient of each hidden row.
        up, lift, down: h <= up z + lift and h >= down z for each hidden row.
        value, low: of each hidden row, after ReLU, on one input.
        stamp: for each hidden row which output's cone it was last met in.
        members, ends: the cone's rows, top layer first, and where each layer's part ends.
        on: the features that are on.
        top_value, top_feature: the greatest coefficients.
        path, side: the features branched on, and which child is being looked at.
        best: the features of the best input so far.
        weight: of each support feature in each row of a cone.
        most, least: for each of those rows the greatest and least sums of so many of its free entries.
        bound: of each case.
        stop: one number for all threads; anything but 0 ends the work.
    """

    form: Array
    state: Array
    middle: Array
    up: Array
    lift: Array
    down: Array
    value: Array
    low: Array
    stamp: Array
    members: Array
    ends: Array
    on: Array
    top_value: Array
    top_feature: Array
    path: Array
    side: Array
    best: Array
    weight: Array
    most: Array
    least: Array
    bound: Array
    stop: Array
