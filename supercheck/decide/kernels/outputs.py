"""The entry: what the compiled loops find out about a chunk of outputs."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from supercheck.base.errors import FaultError
from supercheck.base.matrix import Array
from supercheck.decide.kernels.arrays import CASES, NETWORK, SCRATCH, Cases, Flat, Scratch, network_of, scratch_of
from supercheck.decide.kernels.library import Bool, Float64, Int8, Int32, Int64, Struct, UInt64, function


class Chunk(NamedTuple):
    """Some outputs with functions of one shape, and where what is found out goes.

    Attributes:
        outputs: which outputs, [outputs].
        supports: the features of each one's function, [outputs, positions].
        goals: what sign * (w . h) may not exceed, [outputs, class, side], sides +1 and -1; inf: not asked. What is
            optimised is raised to what was found.
        goal_lows: the same modulo 2^64.
        status: receives PROVED, REFUTED or OPEN for each [output, class, side].
        sizes: receives how many features are on in the input found; -1 where there is none.
        witnesses: receives those features, [outputs, class, side, max_active].
        nodes: receives how many nodes were bounded.
        plain: receives whether rule b closed every case at once, [outputs].
        max_active: how many features may be on.
        cap: nodes that may be bounded for each output, case and side.
        optimise: whether to find the greatest value of each class and side that is asked.
    """

    outputs: Int64
    supports: Int32
    goals: Float64
    goal_lows: UInt64
    status: Int8
    sizes: Int64
    witnesses: Int32
    nodes: Int64
    plain: Bool
    max_active: int
    cap: int
    optimise: bool


CHUNK = Struct(Chunk, "count", "width", written=Chunk._fields[2:9])


@cache
def _answer() -> Any:
    taken = (NETWORK, SCRATCH, CASES, CHUNK)
    return function("answer", None, *(struct.by_reference for struct in taken))


def answer(net: Flat, own: Scratch, cases: Cases, chunk: Chunk) -> None:
    """Ask, for each output of a chunk, whether each class keeps to its goals.

    Args:
        net: the network.
        own: this thread's memory.
        cases: the cases of the shape of the outputs' functions.
        chunk: the outputs; receives what is found.

    Raises:
        FaultError: if an array is not what the loops take.
    """
    structs = network_of(net), scratch_of(net, own, chunk.max_active), CASES.of(cases), CHUNK.of(chunk)
    count, each, width = len(chunk.outputs), 4 * len(chunk.outputs), chunk.supports.shape[1]
    sizes = [part.size for part in chunk[:9]]
    if sizes != [count, count * width, each, each, each, each, each * chunk.max_active, each, count]:
        raise FaultError("the arrays of some outputs do not fit each other")
    _inside(chunk.outputs, 0, int(net.starts[-1] - net.starts[-2]))
    _inside(chunk.supports, 0, len(own.form))
    for part in (cases.on_positions, cases.off_positions):
        _inside(part, 0, width)
    if cases.fixed and max(width - own.weight.shape[1], len(cases.values) - len(own.bound)) > 0:
        raise FaultError("a thread's memory is too small for these cases")
    structs[2].count, structs[3].count, structs[3].width = len(cases.values), count, width
    _answer()(*structs)


def _inside(numbers: Array, least: int, end: int) -> None:
    if numbers.size and not (least <= np.min(numbers) and np.max(numbers) < end):
        raise FaultError("the compiled loops were asked about something that is not there")
