"""The entry: what the compiled loops find out about a chunk of outputs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from supercheck.base.matrix import Array
from supercheck.decide.kernels.arrays import (
    FREE,
    OFF,
    ON,
    OPEN,
    PROVED,
    REFUTED,
    SOURCES,
    Cases,
    Flat,
    Scratch,
    entry_point,
)
from supercheck.decide.kernels.bounds import closed, trace
from supercheck.decide.kernels.hull import attempt, hull, weigh
from supercheck.decide.kernels.search import search


def _closed_over(sources: int) -> Callable[..., None]:
    @entry_point
    def answer(
        net: Flat,
        own: Scratch,
        outputs: Array,
        supports: Array,
        cases: Cases,
        goals: Array,
        goal_lows: Array,
        max_active: int,
        cap: int,
        optimise: bool,
        status: Array,
        sizes: Array,
        witnesses: Array,
        nodes: Array,
        plain: Array,
    ) -> None:
        """Ask, for some outputs with functions of one shape, whether each class keeps to its goals.

        Args:
            net: the network.
            own: this thread's memory.
            outputs: which outputs, [outputs].
            supports: the features of each one's function, [outputs, positions].
            cases: the cases of that shape.
            goals: what sign * (w . h) may not exceed, [outputs, class, side], sides +1 and -1; inf: not asked.
            goal_lows: the same modulo 2^64.
            max_active: how many features may be on.
            cap: nodes that may be bounded for each output, case and side.
            optimise: whether to find the greatest value of each class and side that is asked.
            status: receives PROVED, REFUTED or OPEN for each [output, class, side].
            sizes: receives how many features are on in the input found; -1 where there is none.
            witnesses: receives those features, [outputs, class, side, max_active].
            nodes: receives how many nodes were bounded.
            plain: receives whether rule b closed every case at once, [outputs].
        """
        if sources == 0:  # never; but machine code of other sources is not found
            return
        layers = len(net.starts) - 2
        for o in range(len(outputs)):
            if own.stop[0] != 0:
                return
            row = net.starts[layers] + outputs[o]
            trace(net, own, row)
            plain[o] = not optimise
            refuted, merged = False, cases.fixed and layers == 1 and not optimise
            if merged:
                weigh(net, own, row, supports[o], max_active)
            for turn in range(4):
                kind, side = turn // 2, turn % 2
                if goals[o, kind, side] == np.inf or refuted:
                    continue
                sign = 1.0 if side == 0 else -1.0
                if merged:
                    nodes[o, kind, side] = 1
                    taken = hull(net, own, row, sign, supports[o], cases, kind, max_active)
                    state, size = attempt(
                        net, own, row, sign, goals[o, kind, side], goal_lows[o, kind, side], supports[o], cases,
                        kind, max_active, taken,
                    )  # fmt: skip
                    if state != OPEN:
                        if state == REFUTED:
                            refuted = True
                            status[o, kind, side], sizes[o, kind, side] = REFUTED, size
                            for a in range(size):
                                witnesses[o, kind, side, a] = own.best[a]
                        continue
                for c in range(len(cases.values)):
                    active = cases.on_count[c]
                    if cases.values[c] != kind or active > max_active or refuted:
                        continue
                    if merged and closed(own.bound[c], goals[o, kind, side], net.slack[row]):
                        continue
                    off_begin = cases.off_ends[c - 1] if c else 0
                    for a in range(active):
                        own.on[a] = supports[o, cases.on_positions[cases.on_ends[c] - active + a]]
                        own.state[own.on[a]] = ON
                    for p in range(off_begin, cases.off_ends[c]):
                        own.state[supports[o, cases.off_positions[p]]] = OFF
                    state, size, used, by_b, goal, low = search(
                        net, own, row, sign, goals[o, kind, side], goal_lows[o, kind, side],
                        active, max_active - active, cap, optimise,
                    )  # fmt: skip
                    nodes[o, kind, side] += used
                    plain[o] = plain[o] and by_b
                    if size >= 0:
                        sizes[o, kind, side] = size
                        for a in range(size):
                            witnesses[o, kind, side, a] = own.best[a]
                        goals[o, kind, side], goal_lows[o, kind, side] = goal, low
                    if state != PROVED:
                        status[o, kind, side] = state
                    refuted = refuted or (state == REFUTED and not optimise)
                    for a in range(active):
                        own.state[supports[o, cases.on_positions[cases.on_ends[c] - active + a]]] = FREE
                    for p in range(off_begin, cases.off_ends[c]):
                        own.state[supports[o, cases.off_positions[p]]] = FREE

    return answer


answer = _closed_over(SOURCES)
