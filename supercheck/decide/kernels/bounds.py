"""Bounds of a network's rows and outputs over a case of inputs, by certificate/README.md; the value of one input."""

from __future__ import annotations

import numpy as np

from supercheck.base.matrix import Array
from supercheck.decide.kernels.arrays import FREE, HALF, SLOPES, WRAP, Flat, Scratch, compiled, inlined


@compiled
def trace(net: Flat, own: Scratch, row: int) -> None:
    """Find the cone of an output: the hidden rows that it depends on."""
    layers = len(net.starts) - 2
    count, begin = 0, 0
    for p in range(net.indptr[row], net.indptr[row + 1]):
        if layers:
            own.members[count] = net.cols[p]
            count += 1
    for depth in range(layers):
        own.ends[depth] = count
        if depth + 1 < layers:
            for q in range(begin, count):
                r = own.members[q]
                for p in range(net.indptr[r], net.indptr[r + 1]):
                    below = net.cols[p]
                    if own.stamp[below] != row:
                        own.stamp[below] = row
                        own.members[count] = below
                        count += 1
            begin = own.ends[depth]


@compiled
def entry(indptr: Array, cols: Array, row: int, feature: int) -> int:
    """Where a feature stands in a row; -1 where it does not."""
    low, high = indptr[row], indptr[row + 1]
    while low < high:
        middle = (low + high) >> 1
        if cols[middle] < feature:
            low = middle + 1
        else:
            high = middle
    return low if low < indptr[row + 1] and cols[low] == feature else -1


@compiled
def relax(low: float, high: float, likely: bool) -> tuple[float, float, float]:
    """Lines above and below ReLU on [low, high]: ReLU(z) <= up z + lift and ReLU(z) >= down z (rule 4).

    Returns:
        (up, lift, down); lift is 0 exactly where the row is stable.
    """
    if high <= 0.0:
        return 0.0, 0.0, 0.0
    if low >= 0.0:
        return 1.0, 0.0, 1.0
    above, width = high * SLOPES + np.floor((high - low) / 2.0), high - low
    steps = np.floor(above / width)
    if steps * width > above:  # the quotient was rounded up to an integer
        steps -= 1.0
    slope = min(max(steps / SLOPES, 0.0), 1.0)
    return slope, max(-slope * low, (1.0 - slope) * high), 1.0 if likely else 0.0


@inlined
def bound_first(net: Flat, own: Scratch, row: int, active: int, room: int, rule_b: bool) -> bool:
    """Relax a row of the first layer by the exact ends of its range: top-k sums (rule 1).

    Returns:
        Whether rules a and b relax it differently.
    """
    base = net.bias[row]
    for a in range(active):
        p = entry(net.indptr, net.cols, row, own.on[a])
        if p >= 0:
            base += net.vals[p]
    begin, end = net.indptr[row], net.indptr[row + 1]
    high, taken, p = base, 0, begin
    while p < end and taken < room and net.order_vals[p] > 0.0:
        if own.state[net.order_cols[p]] == FREE:
            high += net.order_vals[p]
            taken += 1
        p += 1
    low, taken, p = base, 0, end - 1
    while p >= begin and taken < room and net.order_vals[p] < 0.0:
        if own.state[net.order_cols[p]] == FREE:
            low += net.order_vals[p]
            taken += 1
        p -= 1
    low, high = low - net.slack[row], high + net.slack[row]
    by_a, by_b = high > -low, base > 0.0
    own.up[row], own.lift[row], own.down[row] = relax(low, high, by_b if rule_b else by_a)
    return bool(own.lift[row] > 0.0 and by_a != by_b)


@inlined
def collect(net: Flat, own: Scratch, row: int, room: int, taken: int) -> int:
    """Move a row's features out of `form` into the `room` greatest coefficients; returns how many there are."""
    least = own.top_value[taken - 1] if room and taken == room else 0.0
    for p in range(net.indptr[row], net.indptr[row + 1]):
        j = net.cols[p]
        coefficient = own.form[j]
        if coefficient != 0.0:
            own.form[j] = 0.0
            if coefficient > least and room and own.state[j] == FREE:
                q = taken if taken < room else taken - 1
                while q > 0 and own.top_value[q - 1] < coefficient:
                    own.top_value[q], own.top_feature[q] = own.top_value[q - 1], own.top_feature[q - 1]
                    q -= 1
                own.top_value[q], own.top_feature[q] = coefficient, j
                taken += taken < room
                least = own.top_value[taken - 1] if taken == room else 0.0
    return taken


@inlined
def push(net: Flat, own: Scratch, row: int, coefficient: float, first: bool) -> float:
    """Replace a coefficient on ReLU(row) by one on the row (rule 4) and that by the row's entries."""
    slope = coefficient * (own.up[row] if coefficient > 0.0 else own.down[row])
    constant = slope * net.bias[row]
    if coefficient > 0.0:
        constant += coefficient * own.lift[row]
    if slope != 0.0:
        target = own.form if first else own.middle
        for p in range(net.indptr[row], net.indptr[row + 1]):
            target[net.cols[p]] += slope * net.vals[p]
    return float(constant)


@compiled
def highest(net: Flat, own: Scratch, row: int, layer: int, sign: float, active: int, room: int) -> tuple[float, int]:
    """The greatest value of the relaxed sign * (row . h), without the row's bias, and how many features attain it."""
    constant = 0.0
    layers = len(net.starts) - 2
    if layer == 0:
        for p in range(net.indptr[row], net.indptr[row + 1]):
            own.form[net.cols[p]] = sign * net.vals[p]
    else:
        for p in range(net.indptr[row], net.indptr[row + 1]):
            constant += push(net, own, net.cols[p], sign * net.vals[p], layer == 1)
        for below in range(layer - 2, -1, -1):
            depth = layers - 1 - below
            for q in range(own.ends[depth - 1], own.ends[depth]):
                r = own.members[q]
                coefficient = own.middle[r]
                if coefficient != 0.0:
                    own.middle[r] = 0.0
                    constant += push(net, own, r, coefficient, below == 0)
    for a in range(active):
        constant += own.form[own.on[a]]
    taken = 0
    if layer == 0:
        taken = collect(net, own, row, room, taken)
    elif layer == 1:
        for p in range(net.indptr[row], net.indptr[row + 1]):
            taken = collect(net, own, net.cols[p], room, taken)
    else:
        for q in range(own.ends[layers - 2], own.ends[layers - 1]):
            taken = collect(net, own, own.members[q], room, taken)
    for q in range(taken):
        constant += own.top_value[q]
    return constant, taken


@compiled
def bound_rows(net: Flat, own: Scratch, active: int, room: int, rule_b: bool) -> bool:
    """Relax every row of the cone, first layer first; returns whether rules a and b do so differently."""
    layers, differ = len(net.starts) - 2, False
    for depth in range(layers - 1, -1, -1):
        layer = layers - 1 - depth
        for q in range(own.ends[depth - 1] if depth else 0, own.ends[depth]):
            r = own.members[q]
            if layer == 0:
                if bound_first(net, own, r, active, room, rule_b):
                    differ = True
            else:  # back substitution of the row and of its negative (rule 2); z is an integer
                high, _ = highest(net, own, r, layer, 1.0, active, room)
                low, _ = highest(net, own, r, layer, -1.0, active, room)
                high = np.floor(net.bias[r] + high + net.slack[r])
                low = np.ceil(net.bias[r] - low - net.slack[r])
                own.up[r], own.lift[r], own.down[r] = relax(low, high, high > -low)
    return differ


@compiled
def run(net: Flat, own: Scratch, row: int, active: int) -> tuple[float, np.uint64, bool]:
    """The output's w . h where exactly the first `active` features of `own.on` are on.

    Returns:
        (value, value modulo 2^64, whether both may be trusted).
    """
    layers, sure = len(net.starts) - 2, True
    value, low = 0.0, np.uint64(0)
    for depth in range(layers - 1, -1, -1):
        for q in range(own.ends[depth - 1] if depth else 0, own.ends[depth]):
            r = own.members[q]
            z, wrapped = net.bias[r], net.bias_lows[r]
            if depth == layers - 1:
                for a in range(active):
                    p = entry(net.indptr, net.cols, r, own.on[a])
                    if p >= 0:
                        z += net.vals[p]
                        wrapped += net.lows[p]
            else:
                for p in range(net.indptr[r], net.indptr[r + 1]):
                    z += net.vals[p] * own.value[net.cols[p]]
                    wrapped += net.lows[p] * own.low[net.cols[p]]
            if abs(z) <= net.slack[r]:  # its sign is in the lowest 64 bits
                sure = sure and net.slack[r] < WRAP
                z = float(np.int64(wrapped))
            own.value[r] = z if z > 0.0 else 0.0
            own.low[r] = wrapped if z > 0.0 else np.uint64(0)
    if layers:
        for p in range(net.indptr[row], net.indptr[row + 1]):
            value += net.vals[p] * own.value[net.cols[p]]
            low += net.lows[p] * own.low[net.cols[p]]
    else:
        for a in range(active):
            p = entry(net.indptr, net.cols, row, own.on[a])
            if p >= 0:
                value += net.vals[p]
                low += net.lows[p]
    return value, low, sure


@compiled
def closed(bound: float, goal: float, slack: float) -> bool:
    """Whether a bound shows that an integer cannot exceed its goal (rule 5)."""
    return bool(bound + slack < goal + 1.0 - slack)


@compiled
def signed(sign: float, low: np.uint64) -> np.uint64:
    """The number or its negative, modulo 2^64."""
    return low if sign > 0.0 else np.uint64(0) - low


@compiled
def above(value: float, low: np.uint64, goal: float, goal_low: np.uint64, slack: float) -> tuple[bool, bool]:
    """(whether value > goal, whether that is sure): by the doubles, or by the lowest 64 bits where those are close."""
    gap = value - goal
    if slack == 0.0 or abs(gap) > slack:
        return bool(gap > 0.0), True
    over = low - goal_low  # unsigned: signed arithmetic is compiled as if it never wrapped
    return bool(over != 0 and over < HALF), slack < WRAP
