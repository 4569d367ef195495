"""All cases of one class bounded at once: what makes large sparse networks cheap."""

from __future__ import annotations

import numpy as np

from supercheck.base.matrix import Array
from supercheck.decide.kernels.arrays import FREE, ON, OPEN, PROVED, REFUTED, Cases, Flat, Scratch, compiled
from supercheck.decide.kernels.bounds import above, closed, collect, entry, relax, run, signed


@compiled
def weigh(net: Flat, own: Scratch, row: int, features: Array, room: int) -> None:
    """What each support feature weighs in each row of the cone, and sums of the row's greatest others."""
    for s in range(len(features)):
        own.state[features[s]] = ON
    first = net.indptr[row]
    for t in range(net.indptr[row + 1] - first):
        r = net.cols[first + t]
        for s in range(len(features)):
            p = entry(net.indptr, net.cols, r, features[s])
            own.weight[t, s] = net.vals[p] if p >= 0 else 0.0
        begin, end = net.indptr[r], net.indptr[r + 1]
        total, p = 0.0, begin
        own.most[t, 0] = 0.0
        for taken in range(room):
            while p < end and net.order_vals[p] > 0.0 and own.state[net.order_cols[p]] != FREE:
                p += 1
            if p < end and net.order_vals[p] > 0.0:
                total += net.order_vals[p]
                p += 1
            own.most[t, taken + 1] = total
        total, p = 0.0, end - 1
        own.least[t, 0] = 0.0
        for taken in range(room):
            while p >= begin and net.order_vals[p] < 0.0 and own.state[net.order_cols[p]] != FREE:
                p -= 1
            if p >= begin and net.order_vals[p] < 0.0:
                total += net.order_vals[p]
                p -= 1
            own.least[t, taken + 1] = total
    for s in range(len(features)):
        own.state[features[s]] = FREE


@compiled
def hull(
    net: Flat, own: Scratch, row: int, sign: float, features: Array, cases: Cases, kind: int, max_active: int
) -> int:
    """Bound all cases of one class at once: one form over the free features that is above each case's own.

    For one hidden layer and cases that fix every feature of the support, after `weigh`. Coefficient by coefficient
    the form is at least that of any case, so each bound in `own.bound` is at least the case's own: what this closes,
    rule 5 closes.

    Returns:
        How many coefficients stand in `own.top_feature`.
    """
    count, room, pushed = len(cases.values), 0, False
    for c in range(count):
        own.bound[c] = 0.0
        if cases.values[c] == kind:
            room = max(room, max_active - cases.on_count[c])
    first, end = net.indptr[row], net.indptr[row + 1]
    for t in range(end - first):
        r, coefficient = net.cols[first + t], sign * net.vals[first + t]
        slack, least, most = net.slack[r], np.inf, -np.inf
        for c in range(count):
            left = max_active - cases.on_count[c]
            if cases.values[c] != kind or left < 0:
                continue
            base = net.bias[r]
            for p in range(cases.on_ends[c] - cases.on_count[c], cases.on_ends[c]):
                base += own.weight[t, cases.on_positions[p]]
            up, lift, down = relax(base + own.least[t, left] - slack, base + own.most[t, left] + slack, base > 0.0)
            slope = coefficient * (up if coefficient > 0.0 else down)
            own.bound[c] += slope * base + (coefficient * lift if coefficient > 0.0 else 0.0)
            least, most = min(least, slope), max(most, slope)
        if room and ((most > 0.0 and own.most[t, 1] > 0.0) or (least < 0.0 and own.least[t, 1] < 0.0)):
            pushed = True
            for p in range(net.indptr[r], net.indptr[r + 1]):
                weight = net.vals[p]
                own.form[net.cols[p]] += weight * (most if weight > 0.0 else least)
    taken = 0
    if pushed:
        for s in range(len(features)):
            own.state[features[s]] = ON
        for q in range(first, end):
            taken = collect(net, own, net.cols[q], room, taken)
        for s in range(len(features)):
            own.state[features[s]] = FREE
    for c in range(count):
        for q in range(min(taken, max_active - cases.on_count[c])):
            own.bound[c] += own.top_value[q]
    return taken


@compiled
def attempt(
    net: Flat, own: Scratch, row: int, sign: float, goal: float, goal_low: np.uint64, features: Array, cases: Cases,
    kind: int, max_active: int, taken: int,
) -> tuple[int, int]:  # fmt: skip
    """Decide a class by the bounds of `hull`, or refute it by the input that the loosest of them points to.

    Returns:
        (PROVED, REFUTED or OPEN; size of the input in `own.best` or -1).
    """
    slack, worst = net.slack[row], -1
    for c in range(len(cases.values)):
        asked = cases.values[c] == kind and cases.on_count[c] <= max_active
        if asked and not closed(own.bound[c], goal, slack) and (worst < 0 or own.bound[c] > own.bound[worst]):
            worst = c
    if worst < 0:
        return PROVED, -1
    active = cases.on_count[worst]
    for a in range(active):
        own.best[a] = features[cases.on_positions[cases.on_ends[worst] - active + a]]
    for q in range(min(taken, max_active - active)):
        own.best[active] = own.top_feature[q]
        active += 1
    for a in range(active):
        own.on[a] = own.best[a]
    value, low, trusted = run(net, own, row, active)
    better, certain = above(sign * value, signed(sign, low), goal, goal_low, slack)
    return (REFUTED, active) if better and trusted and certain else (OPEN, -1)
