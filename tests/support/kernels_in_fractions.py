"""The search of supercheck/decide/kernels in Python's integers and fractions: the same decisions, node for node.

Written from certificate/README.md and the kernels' README, on dense lists of numbers. Where doubles are exact, whatever
C finds has to be what this finds: states, inputs, counts of nodes, tokens of trees.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import comb, floor
from typing import NamedTuple

Q = 1 << 12
PROVED, REFUTED, OPEN = 0, 1, 2
INFINITE = float("inf")
Row = Sequence[int]


class Lines(NamedTuple):
    up: Fraction | int
    lift: Fraction | int
    down: int


class Bounded(NamedTuple):
    """A node's bound, the free features that attain it, the lines of its rows, whether rules a and b differ."""

    bound: Fraction
    top: list[int]
    lines: dict[tuple[int, int], Lines]
    differ: bool


def relaxed(low: int, high: int, likely: bool) -> Lines:
    if high <= 0:
        return Lines(0, 0, 0)
    if low >= 0:
        return Lines(1, 0, 1)
    slope = min(max(Fraction((high * Q + (high - low) // 2) // (high - low), Q), Fraction(0)), Fraction(1))
    return Lines(slope, max(-slope * low, (1 - slope) * high), int(likely))


@dataclass
class Search:
    """One output of a network.

    Attributes:
        layers: weights and biases of the hidden layers.
        row: the output's.
        features: m.
    """

    layers: list[tuple[list[list[int]], list[int]]]
    row: Row
    features: int
    cone: list[list[int]] = field(init=False)

    def __post_init__(self) -> None:
        rows = [r for r, w in enumerate(self.row) if w]
        self.cone = [rows]  # by layer; each row where it is met first
        for weight, _ in reversed(self.layers[1:]):
            rows = list(dict.fromkeys(c for r in rows for c, w in enumerate(weight[r]) if w))
            self.cone.insert(0, rows)

    def value(self, active: Sequence[int]) -> int:
        """w . h where exactly these features are on."""
        below = [int(j in active) for j in range(self.features)]
        for weight, bias in self.layers:
            sums = [sum(w * x for w, x in zip(r, below, strict=True)) for r in weight]
            below = [max(0, b + z) for b, z in zip(bias, sums, strict=True)]
        return sum(w * x for w, x in zip(self.row, below, strict=True))

    def coming(self, layer: int, row: Row) -> Iterator[int]:
        """The features of a form, in the order in which ties are broken."""
        if layer == 0:
            yield from (j for j, w in enumerate(row) if w)
        else:
            rows = [r for r, w in enumerate(row) if w] if layer == 1 else self.cone[0]
            yield from (j for r in rows for j, w in enumerate(self.layers[0][0][r]) if w)

    def highest(
        self, row: Row, layer: int, sign: int, on: Sequence[int], off: set[int], room: int,
        lines: dict[tuple[int, int], Lines],
    ) -> tuple[Fraction, list[int]]:  # fmt: skip
        form = [Fraction(sign * w) for w in row]
        constant = Fraction(0)
        for below in reversed(range(layer)):
            weight, bias = self.layers[below]
            used = {r: (c, lines[below, r]) for r, c in enumerate(form) if c}
            slopes = {r: c * (line.up if c > 0 else line.down) for r, (c, line) in used.items()}
            constant += sum(slope * bias[r] for r, slope in slopes.items())
            constant += sum(c * line.lift for c, line in used.values() if c > 0)
            width = len(weight[0])
            form = [sum((s * weight[r][j] for r, s in slopes.items()), Fraction(0)) for j in range(width)]
        free = [j for j in dict.fromkeys(self.coming(layer, row)) if form[j] > 0 and j not in on and j not in off]
        top = sorted(free, key=lambda j: -form[j])[:room]
        return constant + sum(form[j] for j in [*on, *top]), top

    def bounded(self, sign: int, on: Sequence[int], off: set[int], room: int, rule: str) -> Bounded:
        lines: dict[tuple[int, int], Lines] = {}
        differ = False
        for layer, (weight, bias) in enumerate(self.layers):
            for r in self.cone[layer]:
                if layer == 0:
                    free = [w for j, w in enumerate(weight[r]) if j not in on and j not in off]
                    base = bias[r] + sum(weight[r][j] for j in on)
                    high = base + sum(sorted((w for w in free if w > 0), reverse=True)[:room])
                    low = base + sum(sorted(w for w in free if w < 0)[:room])
                    lines[0, r] = relaxed(low, high, base > 0 if rule == "b" else high > -low)
                    differ |= lines[0, r].lift > 0 and (base > 0) != (high > -low)
                else:
                    high = floor(bias[r] + self.highest(weight[r], layer, 1, on, off, room, lines)[0])
                    low = -floor(-bias[r] + self.highest(weight[r], layer, -1, on, off, room, lines)[0])
                    lines[layer, r] = relaxed(low, high, high > -low)
        bound, top = self.highest(self.row, len(self.layers), sign, on, off, room, lines)
        return Bounded(bound, top, lines, differ)

    def choice(self, found: Bounded, on: Sequence[int], off: set[int]) -> int | None:
        """The feature to branch on."""
        if found.top:
            return found.top[0]
        free = [j for j in range(self.features) if j not in on and j not in off]
        if not self.layers:
            return next((j for j in free if self.row[j]), None)
        weight = self.layers[0][0]
        unstable = [r for r in self.cone[0] if found.lines[0, r].up and found.lines[0, r].lift]
        for rows in (unstable, self.cone[0]):
            entries = [(abs(weight[r][j]), j) for r in rows for j in free if weight[r][j]]
            if entries:
                return max(entries, key=lambda pair: pair[0])[1]  # the first of them
        return None

    def node(self, sign: int, goal: float, on: list[int], off: set[int], room: int) -> tuple[Bounded, str | None]:
        """A node's bound, and the rule that closes it."""
        found = self.bounded(sign, on, off, room, "b")
        if found.bound < goal + 1:
            return found, "b"
        if found.differ:
            found = self.bounded(sign, on, off, room, "a")
            if found.bound < goal + 1:
                return found, "a"
        return found, None

    def search(
        self, sign: int, goal: float, on: list[int], off: set[int], room: int, cap: int, optimise: bool
    ) -> tuple[int, list[int] | None, int, bool, float]:
        """(state, input, nodes, whether rule b closed all at once, goal)."""
        best: list[int] | None = None
        nodes, by_b = 0, False
        stack = [(on, off, room)]
        while stack:
            on, off, room = stack.pop()
            nodes += 1
            if nodes > cap:
                return OPEN, best, cap, by_b, goal
            found, rule = self.node(sign, goal, on, off, room)
            by_b = rule == "b" and nodes == 1
            if rule is None:
                value = sign * self.value([*on, *found.top])
                if value > goal:
                    best = [*on, *found.top]
                    if not optimise:
                        return REFUTED, best, nodes, by_b, goal
                    goal = value
            if found.bound < goal + 1 or not room:
                continue
            chosen = self.choice(found, on, off)
            if chosen is not None:
                stack += [(on, off | {chosen}, room), ([*on, chosen], off, room - 1)]
        return PROVED, best, nodes, by_b, goal

    def tree(
        self, sign: int, goal: float, on: list[int], off: set[int], room: int, few: int, support: set[int]
    ) -> list[str]:
        """The tree of a case, as the certificate writes it."""
        found, rule = self.node(sign, goal, on, off, room)
        if rule is not None:
            return [rule]
        rows = [self.layers[0][0][r] for r in self.cone[0]] if self.layers else [self.row]
        free = len((support | {j for row in rows for j, w in enumerate(row) if w}) - set(on) - off)
        left = sum(comb(free, size) for size in range(room + 1))
        chosen = None if room == 0 or left <= few else self.choice(found, on, off)
        if chosen is None:
            return ["e"]
        with_it = self.tree(sign, goal, [*on, chosen], off, room - 1, few, support)
        return [str(chosen), *with_it, *self.tree(sign, goal, on, off | {chosen}, room, few, support)]

    def hull(self, sign: int, goal: float, parts: list[Part], k: int) -> tuple[int, list[int] | None, list[Fraction]]:
        """All cases of a class at once, of one hidden layer: (state, input, each case's bound)."""
        weight, bias = self.layers[0]
        support = {j for on, off in parts for j in (*on, *off)}
        room = max((k - len(on) for on, _ in parts), default=0)
        bounds, form, pushed = [Fraction(0)] * len(parts), [Fraction(0)] * self.features, False
        for r in self.cone[0]:
            c, slopes = sign * self.row[r], []
            free = sorted(w for j, w in enumerate(weight[r]) if j not in support)
            for number, (on, _) in enumerate(parts):
                left = k - len(on)
                base = bias[r] + sum(weight[r][j] for j in on)
                high = base + sum([w for w in reversed(free) if w > 0][:left])
                low = base + sum([w for w in free if w < 0][:left])
                line = relaxed(low, high, base > 0)
                slopes.append(c * (line.up if c > 0 else line.down))
                bounds[number] += slopes[-1] * base + (c * line.lift if c > 0 else 0)
            if room and free and ((max(slopes) > 0 and free[-1] > 0) or (min(slopes) < 0 and free[0] < 0)):
                pushed = True
                slope = {True: max(slopes), False: min(slopes)}
                form = [f + w * slope[w > 0] for f, w in zip(form, weight[r], strict=True)]
        met = dict.fromkeys(self.coming(1, self.row)) if pushed else ()
        top = sorted((j for j in met if form[j] > 0 and j not in support), key=lambda j: -form[j])[:room]
        bounds = [b + sum(form[j] for j in top[: k - len(on)]) for b, (on, _) in zip(bounds, parts, strict=True)]
        loosest = max((b for b in bounds if not b < goal + 1), default=None)
        if loosest is None:
            return PROVED, None, bounds
        on = parts[bounds.index(loosest)][0]
        tried = [*on, *top[: k - len(on)]]
        return (REFUTED, tried, bounds) if sign * self.value(tried) > goal else (OPEN, None, bounds)


Part = tuple[list[int], set[int]]
"""A case: the features that are on, and those that are off."""


class Answer(NamedTuple):
    """What is found of one output, by (class, side)."""

    states: dict[tuple[int, int], int]
    inputs: dict[tuple[int, int], list[int] | None]
    nodes: dict[tuple[int, int], int]
    goals: dict[tuple[int, int], float]
    plain: bool


def answer(
    asked: Search, classes: dict[int, list[Part]], goals: dict[tuple[int, int], float], k: int, cap: int,
    optimise: bool, merged: bool,
) -> Answer:  # fmt: skip
    """Whether an output keeps to its goals in each class and on each side.

    Args:
        asked: the output.
        classes: the cases of class 0 and of class 1.
        goals: what each (class, side) may not exceed; absent where nothing is asked.
        k: how many features may be on.
        cap: nodes of each case and side.
        optimise: whether goals are raised to the greatest value.
        merged: whether cases fix all of the function's features, so that a class may be bounded at once.
    """
    found = Answer(
        dict.fromkeys(goals, PROVED), dict.fromkeys(goals), dict.fromkeys(goals, 0), dict(goals), not optimise
    )
    at_once, plain = merged and len(asked.layers) == 1 and not optimise, not optimise
    for place in sorted(goals):
        parts, sign = [part for part in classes[place[0]] if len(part[0]) <= k], 1 - 2 * place[1]
        bounds = [Fraction(0)] * len(parts)
        if at_once:
            found.nodes[place] = 1
            state, tried, bounds = asked.hull(sign, found.goals[place], parts, k)
            if state != OPEN:
                found.states[place], found.inputs[place] = state, tried
                if state == REFUTED:
                    break
                continue
        for (on, off), bound in zip(parts, bounds, strict=True):
            if at_once and bound < found.goals[place] + 1:
                continue
            state, tried, used, by_b, goal = asked.search(
                sign, found.goals[place], on, off, k - len(on), cap, optimise
            )  # fmt: skip
            found.nodes[place] += used
            plain = plain and by_b
            if tried is not None:
                found.inputs[place], found.goals[place] = tried, goal
            if state != PROVED:
                found.states[place] = state
            if state == REFUTED:
                return found._replace(plain=plain)
    return found._replace(plain=plain)
