"""The slot rule as C has it: what it is handed, and its two functions. `slots.c` says what each argument is."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from supercheck.base.matrix import Array
from supercheck.decide.kernels.arrays import Cases, Flat
from supercheck.decide.kernels.library import Float64, Int8, Int64, Struct, UInt32, UInt64, function, pointer

LANES = 8
"""Rows of neurons are padded with zeros to a multiple of this."""

LEVELS = 64  # as in slots.h
_NODE = 9  # whole numbers that a node takes


class Slots(NamedTuple):
    """What the slot rule needs of a network beside its flat arrays.

    Attributes:
        columns: what each feature adds to each neuron, [features, stride]; empty where outputs are gathered one by one.
        means, biases: of each neuron the mean of its weights, and its bias, [stride].
        near: for each output how far apart two computed values have to be for doubles to tell them apart.
        loose: for each output, a bound counts that is not above the best value minus this.
        stride: neurons, padded; 0 where there are no columns.
        features: of the network.
        max_active: how many of them may be on.
    """

    columns: Float64
    means: Float64
    biases: Float64
    near: Float64
    loose: Float64
    stride: int
    features: int
    max_active: int


class Memory(NamedTuple):
    """One thread's working memory; `stop` is shared by all.

    Attributes:
        block: the columns of one output, where they are gathered.
        reals, wholes: of the nodes on the way down.
        place: for each feature its place in the block; -1 between uses.
        stop: one number; anything but 0 ends the work.
        width: features that an output may have.
        size: neurons that it may have, padded.
    """

    block: Float64
    reals: Float64
    wholes: Int64
    place: Int64
    stop: Int8
    width: int
    size: int

    @classmethod
    def of(cls, slots: Slots, width: int, size: int, stop: Array) -> Memory:
        """Memory for outputs of so many features and neurons."""
        size = slots.stride or -(-size // LANES) * LANES
        block = np.zeros(0 if slots.stride else width * size)
        reals = np.zeros(LEVELS * (size + width) + 5 * size)
        wholes = np.zeros(LEVELS * (_NODE + width) + width + min(slots.max_active, slots.features), dtype=np.int64)
        return cls(block, reals, wholes, np.full(slots.features, -1, dtype=np.int64), stop, width, size)


class _Flat(NamedTuple):
    starts: Int64
    indptr: Int64
    cols: UInt32
    vals: Float64
    lows: UInt64
    bias: Float64
    bias_lows: UInt64
    order_cols: UInt32
    order_vals: Float64
    slack: Float64
    bits: Int64


class _Cases(NamedTuple):
    values: Int64
    on_count: Int64
    on_ends: Int64
    off_ends: Int64
    on_positions: Int64
    off_positions: Int64
    fixed: bool


_FLAT, _CASES = Struct(_Flat, "layers"), Struct(_Cases, "count")
_SLOTS, _MEMORY = Struct(Slots), Struct(Memory, written=("block", "reals", "wholes", "place"))


class Asked(NamedTuple):
    """Some outputs whose functions have one shape.

    Attributes:
        outputs: which outputs, int64 [outputs].
        supports: the features of their functions, int32 [outputs, positions].
        cases: the cases of the shape.
        goals, goal_lows: what sign * (w . h) may not exceed, as doubles and modulo 2^64, [outputs, class, side];
            inf: not asked; -inf: its greatest value is.
    """

    outputs: Array
    supports: Array
    cases: Cases
    goals: Array
    goal_lows: Array

    def _arguments(self, flat: Flat, slots: Slots, memory: Memory) -> list[Any]:
        """Those that both functions begin with."""
        many, wide = self.supports.shape
        return [
            _FLAT.of(flat, layers=1), _SLOTS.of(slots), _MEMORY.of(memory),
            _CASES.of(self.cases, count=len(self.cases.values)),
            pointer(self.outputs, np.int64, many), pointer(self.supports, np.int32), many, wide,
            pointer(self.goals, np.float64, 4 * many), pointer(self.goal_lows, np.uint64, 4 * many),
        ]  # fmt: skip


@cache
def _function(name: str, more: str) -> Any:
    """A function whose first ten arguments are those of `Asked`; `more`: p a pointer, n a number."""
    kinds = {"p": ctypes.c_void_p, "n": ctypes.c_int64}
    first = [_FLAT.by_reference, _SLOTS.by_reference, _MEMORY.by_reference, _CASES.by_reference]
    return function(name, None, *first, *(kinds[letter] for letter in "ppnnpp" + more))


def decide(
    flat: Flat, slots: Slots, memory: Memory, asked: Asked, closed: Array, nodes: int, *, optimise: bool,
    status: Array, sizes: Array, witnesses: Array, visits: Array,
) -> None:  # fmt: skip
    """Compare with the goals, or find the greatest values; writes the last four arrays."""
    many = len(asked.outputs)
    _function("slots_decide", "pnnnpppp")(
        *asked._arguments(flat, slots, memory), pointer(closed, np.int8, 2 * many * len(asked.cases.values)),
        nodes, optimise, witnesses.shape[-1], pointer(status, np.int8, 4 * many, written=True),
        pointer(sizes, np.int64, 4 * many, written=True), pointer(witnesses, np.int32, written=True),
        pointer(visits, np.int64, many, written=True),
    )  # fmt: skip


def count(
    flat: Flat, slots: Slots, memory: Memory, asked: Asked, nodes: int, *, status: Array, counts: Array, outside: Array
) -> None:
    """Count the inputs beyond the goals; writes the last three arrays."""
    many, cases = len(asked.outputs), len(asked.cases.values)
    _function("slots_count", "nppp")(
        *asked._arguments(flat, slots, memory), nodes, pointer(status, np.int8, many, written=True),
        pointer(counts, np.int64, many * cases * (slots.max_active + 1), written=True),
        pointer(outside, np.int64, many * cases, written=True),
    )  # fmt: skip
