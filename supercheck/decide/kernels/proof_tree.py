"""The proof tree of an output, as certificate/README.md has it: what branch and bound found, written down.

A tree is a row of tokens in the order in which the format writes it. Nothing here decides anything: an output is
proved before its tree is grown, and the checker bounds every leaf again in exact integers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from supercheck.base.matrix import Array
from supercheck.decide.kernels.arrays import FREE, OFF, ON, OPEN, PROVED, SOURCES, Flat, Scratch, compiled, entry_point
from supercheck.decide.kernels.bounds import bound_rows, closed, highest, trace
from supercheck.decide.kernels.search import choose

RULE_A, RULE_B, EVERY, SIDES = -1, -2, -3, -4  # tokens; a feature is its own
CASE = -1  # in a shape's tree: a case; a position to branch on is its own


@compiled
def free_features(net: Flat, own: Scratch, row: int, features: Array) -> int:
    """How many features the output or its function depends on."""
    layers, count = len(net.starts) - 2, len(features)
    for s in range(len(features)):
        own.state[features[s]] = OFF
    for clear in (False, True):
        for q in range(own.ends[layers - 2] if layers > 1 else 0, own.ends[layers - 1] if layers else 1):
            r = own.members[q] if layers else row
            for p in range(net.indptr[r], net.indptr[r + 1]):
                if clear:
                    own.state[net.cols[p]] = FREE
                elif own.state[net.cols[p]] == FREE:
                    own.state[net.cols[p]] = ON
                    count += 1
    for s in range(len(features)):
        own.state[features[s]] = FREE
    return count


@compiled
def few_inputs(free: int, room: int, few: int) -> bool:
    """Whether at most `room` of `free` features on makes no more than `few` inputs."""
    total, exactly = 1, 1
    for size in range(1, min(free, room) + 1):
        exactly = exactly * (free - size + 1) // size
        total += exactly
        if total > few:
            return False
    return True


@compiled
def grow(
    net: Flat, own: Scratch, row: int, sign: float, goal: float, active: int, room: int, free: int, base: int, cap: int,
    few: int, tokens: Array, count: int,
) -> tuple[int, int, int]:  # fmt: skip
    """Append the tree that shows sign * (w . h) <= goal on a case.

    Args:
        net: the network.
        own: this thread's memory, with the case's features marked and the active ones listed.
        row: the output's row.
        sign: 1 or -1.
        goal: an integer as a double.
        active: how many features are on.
        room: how many more may be.
        free: how many features of the cone and the support are not fixed.
        base: how much of `own.path` is taken.
        cap: nodes that the tree may have.
        few: inputs that a leaf may leave to be evaluated.
        tokens: receives the tree.
        count: how many tokens there are.

    Returns:
        (PROVED, or OPEN where it would be too large; nodes; how many tokens there are now).
    """
    depth, nodes, status = base, 0, PROVED
    layer, slack = len(net.starts) - 2, net.slack[row]
    while True:
        nodes += 1
        if nodes > cap or own.stop[0] != 0 or count + 2 > len(tokens):
            status = OPEN
            break
        shut, taken, chosen = False, 0, -1
        for turn in range(2):
            rule_b = turn == 0
            differ = bound_rows(net, own, active, room, rule_b)
            bound, taken = highest(net, own, row, layer, sign, active, room)
            if closed(bound, goal, slack):
                tokens[count] = RULE_B if rule_b else RULE_A
                shut = True
            if shut or not differ:
                break
        if not shut:
            chosen = -1 if room == 0 or few_inputs(free, room, few) else choose(net, own, row, taken)
            tokens[count] = EVERY if chosen < 0 else chosen
        count += 1
        if chosen >= 0:
            own.path[depth], own.side[depth] = chosen, ON
            own.state[chosen] = ON
            own.on[active] = chosen
            depth, active, room, free = depth + 1, active + 1, room - 1, free - 1
            continue
        while depth > base and own.side[depth - 1] == OFF:
            depth, free = depth - 1, free + 1
            own.state[own.path[depth]] = FREE
        if depth == base:
            break
        own.side[depth - 1], own.state[own.path[depth - 1]] = OFF, OFF
        active, room = active - 1, room + 1
    while depth > base:
        depth -= 1
        own.state[own.path[depth]] = FREE
    return status, nodes, count


def _closed_over(sources: int) -> Callable[..., int]:
    @entry_point
    def grow_tree(
        net: Flat,
        own: Scratch,
        output: int,
        support: Array,
        shape: Array,
        values: Array,
        goals: Array,
        max_active: int,
        cap: int,
        few: int,
        tokens: Array,
    ) -> int:
        """Grow the tree of an output.

        Args:
            net: the network.
            own: this thread's memory.
            output: which output.
            support: the features of its function, [positions].
            shape: the decision tree of its shape: positions to branch on, on-side first, and `CASE`.
            values: what the function says in each case, 0 or 1, in the tree's order.
            goals: what sign * (w . h) may not exceed, [class, side], sides +1 and -1; inf: not asked.
            max_active: how many features may be on.
            cap: nodes that each case and side may have.
            few: inputs that a leaf may leave to be evaluated.
            tokens: receives the tree.

        Returns:
            How many tokens it has; -1 where it would be too large.
        """
        if sources == 0:  # never; but machine code of other sources is not found
            return -1
        layers = len(net.starts) - 2
        row, count, case, depth, active = net.starts[layers] + output, 0, 0, 0, 0
        trace(net, own, row)
        free, status = free_features(net, own, row, support), PROVED
        for t in range(len(shape)):
            if status == OPEN or count + 4 > len(tokens):
                status = OPEN
                break
            if shape[t] != CASE:
                feature = support[shape[t]]
                tokens[count] = feature
                count += 1
                own.path[depth], own.side[depth], own.state[feature], own.on[active] = feature, ON, ON, feature
                depth, active = depth + 1, active + 1
                continue
            kind = values[case]
            case += 1
            if goals[kind, 0] != np.inf and goals[kind, 1] != np.inf:
                tokens[count] = SIDES
                count += 1
            for side in range(2):
                if goals[kind, side] != np.inf and status != OPEN:
                    status, _, count = grow(
                        net, own, row, 1.0 if side == 0 else -1.0, goals[kind, side], active, max_active - active,
                        free - depth, depth, cap, few, tokens, count,
                    )  # fmt: skip
            while depth and own.side[depth - 1] == OFF:
                depth -= 1
                own.state[own.path[depth]] = FREE
            if depth:
                own.side[depth - 1], own.state[own.path[depth - 1]] = OFF, OFF
                active -= 1
        while depth:
            depth -= 1
            own.state[own.path[depth]] = FREE
        return count if status == PROVED else -1

    return grow_tree


grow_tree = _closed_over(SOURCES)
