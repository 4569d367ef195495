"""The slot rule as C has it: what it is handed, and what comes back."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from supercheck.base.errors import FaultError
from supercheck.base.matrix import Array
from supercheck.decide.kernels.arrays import CASES, NETWORK, Cases, Flat, network_of
from supercheck.decide.kernels.library import Float64, Int8, Int32, Int64, Struct, UInt64, function
from supercheck.decide.kernels.outputs import _inside as inside

LANES = 8  # as in slots.h: rows of neurons are padded with zeros to a multiple of this
_LEVELS = 64
_NODE = 9  # whole numbers that a node takes


class Slots(NamedTuple):
    """What the slot rule needs of a network beside its flat arrays.

    Attributes:
        columns: what each feature adds to each neuron, [features, stride]; empty where outputs are gathered one by one.
        means: of each neuron's weights, [stride].
        biases: of each neuron, [stride].
        near: for each output how far apart two computed values have to be for doubles to tell them apart.
        loose: for each output, a bound counts if it is at most the best value minus this.
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
        reals: doubles for the nodes on the way down, and whole numbers in `wholes`.
        wholes: those.
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
    def of(cls, slots: Slots, width: int, neurons: int, stop: Array) -> Memory:
        """Memory for outputs of so many features and neurons."""
        size = slots.stride or -(-neurons // LANES) * LANES
        block = np.zeros(0 if slots.stride else width * size)
        reals = np.zeros(_LEVELS * (size + width) + 6 * size)
        wholes = np.zeros(_LEVELS * (_NODE + width) + width + slots.max_active, dtype=np.int64)
        return cls(block, reals, wholes, np.full(slots.features, -1, dtype=np.int64), stop, width, size)


class Asked(NamedTuple):
    """Some outputs whose functions have one shape, and where what is found out goes.

    Attributes:
        outputs: which outputs, [outputs].
        supports: the features of each one's function, [outputs, positions].
        goals: what sign * (w . h) may not exceed, [outputs, class, side], sides +1 and -1; inf: not asked; -inf: its
            greatest value is.
        goal_lows: the same modulo 2^64.
        status: receives REFUTED or OPEN for each [output, class, side]; PROVED before.
        sizes: receives how many features are on in the input found; -1 where there is none.
        witnesses: receives those features, [outputs, class, side, max_active].
        visits: receives how many rows of weights were looked at, [outputs].
        counts: receives how many inputs exceed the goals, by how many of the features that matter were added to those
            that a case has on, [outputs, cases, max_active + 1].
        outside: receives how many free features do not matter, [outputs, cases].
        nodes: that may be bounded for each output, case and side.
        optimise: whether greatest values are asked for.
        counting: whether inputs are counted; `sizes` and `witnesses` may be empty then, otherwise the last two.
    """

    outputs: Int64
    supports: Int32
    goals: Float64
    goal_lows: UInt64
    status: Int8
    sizes: Int64
    witnesses: Int32
    visits: Int64
    counts: Int64
    outside: Int64
    nodes: int
    optimise: bool
    counting: bool

    @classmethod
    def of(
        cls, outputs: Array, supports: Array, goals: tuple[Array, Array], cases: int, max_active: int, nodes: int,
        *, optimise: bool = False, counting: bool = False,
    ) -> Asked:  # fmt: skip
        """The question with room for its answers."""
        many, found, counted = len(outputs), 0 if counting else 1, 1 if counting else 0
        return cls(
            outputs, supports, *goals,
            status=np.zeros((many, 2, 2), dtype=np.int8),
            sizes=np.full((many * found, 2, 2), -1, dtype=np.int64),
            witnesses=np.zeros((many * found, 2, 2, max_active), dtype=np.int32),
            visits=np.zeros(many, dtype=np.int64),
            counts=np.zeros((many * counted, cases, max_active + 1), dtype=np.int64),
            outside=np.zeros((many * counted, cases), dtype=np.int64),
            nodes=nodes, optimise=optimise, counting=counting,
        )  # fmt: skip


SLOTS, MEMORY = Struct(Slots), Struct(Memory, written=Memory._fields[:4])
ASKED = Struct(Asked, "count", "width", written=Asked._fields[4:10])


@cache
def _search() -> Any:
    taken = (NETWORK, SLOTS, MEMORY, CASES, ASKED)
    return function("slots", None, *(struct.by_reference for struct in taken))


def search(net: Flat, slots: Slots, own: Memory, cases: Cases, asked: Asked) -> None:
    """Compare with the goals, find greatest values or count, whichever is asked.

    Args:
        net: a network with one hidden layer.
        slots: the same for the slot rule.
        own: this thread's memory.
        cases: the cases of the outputs' functions.
        asked: the outputs; receives what is found.

    Raises:
        FaultError: if an array is not what the loops take.
    """
    (count, width), split, k = asked.supports.shape, len(cases.values), slots.max_active
    found, counted = (0, count) if asked.counting else (count, 0)
    shapes = [
        (count,), (count, width), (count, 2, 2), (count, 2, 2), (count, 2, 2), (found, 2, 2),
        (found, 2, 2, k), (count,), (counted, split, k + 1), (counted, split),
    ]  # fmt: skip
    if [part.shape for part in asked[:10]] != shapes or len(net.starts) != 3:
        raise FaultError("the arrays of some outputs do not fit each other")
    inside(asked.outputs, 0, len(slots.near))
    inside(asked.supports, 0, slots.features)
    for part in (cases.on_positions, cases.off_positions):
        inside(part, 0, width)
    dense = slots.stride * slots.features
    held = [len(slots.loose), slots.columns.size, len(slots.means), len(slots.biases), len(own.place)]
    if held != [len(slots.near), dense, slots.stride, slots.stride, slots.features]:
        raise FaultError("what the slot rule needs of a network does not fit it")
    _search()(
        network_of(net), SLOTS.of(slots), MEMORY.of(own), CASES.of(cases, count=split),
        ASKED.of(asked, count=count, width=width),
    )  # fmt: skip
