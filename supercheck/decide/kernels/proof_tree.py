"""The proof tree of an output, as certificate/README.md has it: what branch and bound found, written down."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any, NamedTuple

from supercheck.base.errors import FaultError
from supercheck.decide.kernels.arrays import NETWORK, SCRATCH, Flat, Scratch, network_of, scratch_of
from supercheck.decide.kernels.library import Float64, Int32, Int64, Struct, function

RULE_A, RULE_B, EVERY, SIDES = -1, -2, -3, -4  # tokens; a feature is its own


class Growth(NamedTuple):
    """What a tree is grown of.

    Attributes:
        support: the features of the output's function, [positions].
        shape: the decision tree of its shape: positions to branch on, on-side first, and `CASE` of spec/cases.py.
        values: what the function says in each case, 0 or 1, in the tree's order.
        goals: what sign * (w . h) may not exceed, [class, side], sides +1 and -1; inf: not asked.
        tokens: receives the tree.
        output: which output.
        max_active: how many features may be on.
        cap: nodes that each case and side may have.
        few: inputs that a leaf may leave to be evaluated.
    """

    support: Int64
    shape: Int64
    values: Int64
    goals: Float64
    tokens: Int32
    output: int
    max_active: int
    cap: int
    few: int


GROWTH = Struct(Growth, "width", "steps", "room", written=("tokens",))


@cache
def _grow_tree() -> Any:
    return function("grow_tree", ctypes.c_int64, *(struct.by_reference for struct in (NETWORK, SCRATCH, GROWTH)))


def grow_tree(net: Flat, own: Scratch, growth: Growth) -> int:
    """Grow the tree of an output.

    Args:
        net: the network.
        own: this thread's memory.
        growth: what it is grown of.

    Returns:
        How many tokens it has; -1 where it would be too large.

    Raises:
        FaultError: if an array is not what the loops take.
    """
    structs = network_of(net), scratch_of(net, own, growth.max_active), GROWTH.of(growth)
    if growth.goals.shape != (2, 2) or not 0 <= growth.output < net.starts[-1] - net.starts[-2]:
        raise FaultError("a tree was asked for of an output that is not there")
    structs[2].width, structs[2].steps = len(growth.support), len(growth.shape)
    structs[2].room = len(growth.tokens)
    return int(_grow_tree()(*structs))
