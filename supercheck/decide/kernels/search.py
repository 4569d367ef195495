"""Depth-first branch and bound over one case of one output."""

from __future__ import annotations

import numpy as np

from supercheck.decide.kernels.arrays import FREE, OFF, ON, OPEN, PROVED, REFUTED, Flat, Scratch, compiled
from supercheck.decide.kernels.bounds import above, bound_rows, closed, highest, run, signed


@compiled
def choose(net: Flat, own: Scratch, row: int, taken: int) -> int:
    """The feature to branch on: the greatest coefficient, else the heaviest in an unstable row, else any; or -1."""
    if taken:
        return int(own.top_feature[0])
    layers = len(net.starts) - 2
    if not layers:
        for p in range(net.indptr[row], net.indptr[row + 1]):
            if own.state[net.cols[p]] == FREE:
                return int(net.cols[p])
        return -1
    chosen, heaviest = -1, 0.0
    for only_unstable in (True, False):
        for q in range(own.ends[layers - 2] if layers > 1 else 0, own.ends[layers - 1]):
            r = own.members[q]
            if only_unstable and (own.up[r] == 0.0 or own.lift[r] == 0.0):
                continue
            for p in range(net.indptr[r], net.indptr[r + 1]):
                if own.state[net.cols[p]] == FREE and abs(net.vals[p]) > heaviest:
                    chosen, heaviest = net.cols[p], abs(net.vals[p])
        if chosen >= 0:
            break
    return chosen


@compiled
def search(
    net: Flat, own: Scratch, row: int, sign: float, goal: float, goal_low: np.uint64, active: int, room: int, cap: int,
    optimise: bool,
) -> tuple[int, int, int, bool, float, np.uint64]:  # fmt: skip
    """Look for an input with sign * (w . h) above a goal, depth first, the greatest coefficient's feature first.

    Args:
        net: the network.
        own: this thread's memory, with the case's features marked and the active ones listed.
        row: the output's row.
        sign: 1 or -1.
        goal: an integer as a double.
        goal_low: the same modulo 2^64.
        active: how many features are on.
        room: how many more may be.
        cap: how many nodes may be bounded.
        optimise: whether to raise the goal to what is found, and go on.

    Returns:
        (PROVED if there is none, REFUTED or OPEN; size of the input in `own.best` or -1; nodes; whether rule b closed
        all of them at once; goal, goal_low).
    """
    depth, nodes, found, sure, by_b = 0, 0, -1, True, False
    layer, slack = len(net.starts) - 2, net.slack[row]
    while True:
        nodes += 1
        if nodes > cap or own.stop[0] != 0:
            status = OPEN
            break
        shut = False
        for turn in range(2):
            rule_b = turn == 0
            differ = bound_rows(net, own, active, room, rule_b)
            bound, taken = highest(net, own, row, layer, sign, active, room)
            shut = closed(bound, goal, slack)
            if shut or not differ:
                by_b = shut and rule_b and nodes == 1
                break
        if not shut:
            for q in range(taken):
                own.on[active + q] = own.top_feature[q]
            value, low, trusted = run(net, own, row, active + taken)
            better, certain = above(sign * value, signed(sign, low), goal, goal_low, slack)
            sure = sure and trusted and certain
            if better and trusted and certain:
                found = active + taken
                for q in range(found):
                    own.best[q] = own.on[q]
                if not optimise:
                    status = REFUTED
                    break
                goal, goal_low = sign * value, signed(sign, low)
                shut = closed(bound, goal, slack)
        chosen = -1 if shut or room == 0 else choose(net, own, row, taken)
        if chosen >= 0:
            own.path[depth], own.side[depth] = chosen, ON
            own.state[chosen] = ON
            own.on[active] = chosen
            depth, active, room = depth + 1, active + 1, room - 1
            continue
        while depth and own.side[depth - 1] == OFF:
            depth -= 1
            own.state[own.path[depth]] = FREE
        if not depth:
            status = PROVED if sure else OPEN
            break
        own.side[depth - 1], own.state[own.path[depth - 1]] = OFF, OFF
        active, room = active - 1, room + 1
    while depth:
        depth -= 1
        own.state[own.path[depth]] = FREE
    return status, found, min(nodes, cap), by_b, goal, goal_low
