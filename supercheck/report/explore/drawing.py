"""Drawings for pages, as plain shapes: what moves an output, its wiring, the profile over k, a heat map.

Shapes hold numbers and text only; the page's template writes and escapes them, its style sheet colours them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

from supercheck.analysis.explore.ledger import Cone, Ledger, cone
from supercheck.analysis.explore.result import Exploration, Row
from supercheck.base.numbers import float_text
from supercheck.network.layers import Neuron

MOST_STEPS = 8
"""Neurons shown one by one in a drawing of what moves an output."""

MOST_NODES = 28
"""Nodes shown in one column of a wiring graph."""

_WIDTH, _LEFT, _RIGHT, _STEP = 440, 112, 66, 24


@dataclass(frozen=True)
class Shape:
    """One SVG element: its tag, its attributes, its text, and the words shown when it is pointed at."""

    tag: str
    attributes: dict[str, str | int | float]
    text: str = ""
    title: str = ""


@dataclass(frozen=True)
class Drawing:
    """Some shapes, and what they show for those who cannot see them."""

    width: int
    height: int
    title: str
    shapes: list[Shape] = field(default_factory=list)

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str, width: float = 1, title: str = "") -> None:
        """Add a line."""
        ends = {"x1": _round(x1), "y1": _round(y1), "x2": _round(x2), "y2": _round(y2)}
        self.shapes.append(Shape("line", {**ends, "class": kind, "stroke-width": _round(width)}, title=title))

    def rect(self, x: float, y: float, width: float, height: float, kind: str, title: str = "") -> None:
        """Add a rectangle."""
        size = {"x": _round(x), "y": _round(y), "width": _round(width), "height": _round(height)}
        self.shapes.append(Shape("rect", {**size, "class": kind}, title=title))

    def dot(self, x: float, y: float, radius: float, kind: str, title: str = "") -> None:
        """Add a circle."""
        place = {"cx": _round(x), "cy": _round(y), "r": _round(radius)}
        self.shapes.append(Shape("circle", {**place, "class": kind}, title=title))

    def label(self, x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> None:
        """Add text."""
        place: dict[str, str | int | float] = {"x": _round(x), "y": _round(y), "text-anchor": anchor}
        self.shapes.append(Shape("text", {**place, "class": kind} if kind else place, text))


def _round(value: float) -> float:
    return round(value, 1)


def _signed(value: Fraction, beside: Iterable[Fraction] = ()) -> str:
    return f"{'+' * (value > 0)}{float_text(value, 3, beside)}".replace("-", "\u2212")


def steps(ledger: Ledger) -> tuple[str, Fraction, list[tuple[str, Fraction]]]:
    """How an output comes about: where it starts, from what value, and what then moves it, the largest first."""
    if ledger.others and ledger.moved:
        listed = [(str(neuron), by) for neuron, by in ledger.moved]
        start = " ".join(f"x{j}" for j in ledger.own) + " alone" if ledger.own else "nothing on"
        value = ledger.alone
    else:
        sources = [("biases" if j is None else f"x{j}", ledger.total(j)) for j in ledger.sources]
        listed = sorted((pair for pair in sources if pair[1]), key=lambda pair: -abs(pair[1]))
        start, value = "start", Fraction(0)
    rest = sum((by for _, by in listed[MOST_STEPS:]), Fraction(0))
    shown = listed[:MOST_STEPS]
    return start, value, shown + ([(f"{len(listed) - MOST_STEPS} smaller", rest)] if len(listed) > MOST_STEPS else [])


def breaking(ledger: Ledger) -> list[tuple[Neuron, Fraction]]:
    """The neurons that move the output most to the wrong side: at most three, none a fifth as strong as the first."""
    wrong = ledger.value - (ledger.limit if ledger.limit is not None else ledger.alone)
    up = wrong > 0 or (wrong == 0 and not ledger.expected)
    moved = ledger.moved if ledger.others else [(n, ledger.through(n)) for n in ledger.firing]
    bad = [(neuron, by) for neuron, by in moved if by and (by > 0) is up]
    first = sorted(bad, key=lambda pair: -abs(pair[1]))[:3]
    return [pair for pair in first if 5 * abs(pair[1]) >= abs(first[0][1])]


def waterfall(ledger: Ledger, output: int) -> Drawing:
    """What moves an output past its limit, one bar a neuron."""
    start, value, listed = steps(ledger)
    rows: list[tuple[str, Fraction, Fraction, str]] = [(start, Fraction(0), value, "whole")]
    for name, by in listed:
        rows.append((name, value, value + by, "up" if by > 0 else "down"))
        value += by
    rows.append((f"y{output}", Fraction(0), value, "bad"))
    ends = [end for _, a, b, _ in rows for end in (a, b)] + ([] if ledger.limit is None else [ledger.limit])
    low, high = float(min(ends)), float(max(ends))
    drawn = Drawing(_WIDTH, _STEP * len(rows) + 34, f"What moves y{output}, neuron by neuron")
    scale = (_WIDTH - _LEFT - _RIGHT) / ((high - low) or 1)

    def at(number: Fraction) -> float:
        return _LEFT + (float(number) - low) * scale

    bottom = _STEP * len(rows) + 6
    drawn.line(at(Fraction(0)), 4, at(Fraction(0)), bottom, "axis")
    if ledger.limit is not None:
        x, needs = (
            at(ledger.limit),
            "must be above" if ledger.expected and ledger.value <= ledger.limit else "must not exceed",
        )
        if not ledger.expected and ledger.value < ledger.limit:
            needs = "must not be below"
        drawn.line(x, 0, x, bottom + 6, "limit", 2)
        anchor = "end" if x > _WIDTH * 0.62 else "start" if x < _WIDTH * 0.38 else "middle"
        limit = float_text(ledger.limit, 4, [ledger.value, ledger.alone])
        drawn.label(x, bottom + 20, f"{needs} {limit}", "limit", anchor)
    for place, (name, a, b, kind) in enumerate(rows):
        y, whole = 6 + _STEP * place, kind in ("whole", "bad")
        drawn.rect(min(at(a), at(b)), y, max(1.5, abs(at(b) - at(a))), _STEP - 7, kind)
        drawn.label(_LEFT - 8, y + 13, name, "halo strong" if whole else "halo", "end")
        near = (ledger.limit, ledger.value if kind == "whole" else ledger.alone)
        shown = float_text(b, 4, near).replace("-", "\u2212") if whole else _signed(b - a, ledger.beside(b - a))
        drawn.label(max(at(a), at(b)) + 5, y + 13, shown, "halo strong" if whole else "halo")
        if place:
            drawn.line(at(a if not whole else b), y - 7, at(a if not whole else b), y, "join")
    return drawn


def wiring(found: Exploration, output: int, ledger: Ledger) -> Drawing:
    """Active features, firing neurons and the failing output, with what passes between them."""
    part, active = cone(found.claims.network, output), set(ledger.own + ledger.others)
    importance = dict(ledger.moved) or {n: ledger.through(n) for n in ledger.firing if n[0] == len(part.layers)}
    everything = range(found.claims.network.features)
    features = _column(everything if len(everything) <= MOST_NODES else active, lambda j: (j not in active, j))
    columns: list[list[int]] = [features]
    for depth, layer in enumerate(part.layers, 1):
        names = {p: Neuron(depth, p) for p in layer}
        sizes = {p: (-abs(importance.get(n, 0)), n not in ledger.firing, p) for p, n in names.items()}
        columns.append(_column(layer, sizes.__getitem__))
    outputs = _column(range(len(found.claims)), lambda i: (i != output, abs(i - output)))
    rows = max(20 * len(features), 20 * len(outputs), *(30 * len(column) for column in columns[1:]), 120)
    height = rows + 34
    drawn = Drawing(_WIDTH, height, f"Wiring from the active features through firing neurons to y{output}")
    xs = [48 + (_WIDTH - 108) * n / (len(columns)) for n in range(len(columns) + 1)]
    places = [dict(zip(column, _spread(len(column), height), strict=True)) for column in [*columns, outputs]]
    top = [neuron for neuron, _ in breaking(ledger)]
    _edges(drawn, part, output, ledger, xs, places)
    for j, y in places[0].items():
        kind = "node own" if j in ledger.own else "node other" if j in active else "node idle"
        drawn.dot(xs[0], y, 6 if j in active else 4, kind)
        drawn.label(xs[0] - 9, y + 4, f"x{j}", "strong" if j in active else "faint", "end")
    for depth in range(1, len(columns)):
        for p, y in places[depth].items():
            neuron, by = Neuron(depth, p), importance.get(Neuron(depth, p))
            fires = neuron in ledger.firing
            kind = "node key" if neuron in top else "node fires" if fires else "node idle"
            drawn.dot(xs[depth], y, 7 if neuron in top else 5 if fires else 4, kind)
            shown = f"{neuron} {_signed(by, ledger.beside(by))}" if neuron in top and by else str(neuron)
            drawn.label(
                xs[depth],
                y - 8,
                shown,
                "halo strong" if neuron in top else "halo small" if fires else "halo faint",
                "middle",
            )
    for i, y in places[-1].items():
        drawn.dot(xs[-1], y, 9 if i == output else 3, "node bad" if i == output else "node idle")
        drawn.label(xs[-1] + (13 if i == output else 8), y + 4, f"y{i}", "strong" if i == output else "faint small")
    heads = ["on: filled", *(f"layer {n}" if len(columns) > 2 else "neurons" for n in range(1, len(columns))), "output"]
    for x, head, anchor in zip(xs, heads, ["start", *["middle"] * (len(columns) - 1), "end"], strict=True):
        shift = {"start": -40, "middle": 0, "end": 50}[anchor]
        drawn.label(x + shift, 11, head, "faint small", anchor)
    return drawn


def _edges(
    drawn: Drawing, part: Cone, output: int, ledger: Ledger, xs: Sequence[float], places: Sequence[dict[int, float]]
) -> None:
    """How far each connection in use pushes the output, in the linear region of this input."""
    for level, pushes in enumerate(_pushes(part, output, ledger.own + ledger.others)):
        most = max(map(abs, pushes.values()), default=Fraction(1)) or 1
        last = level == len(places) - 2
        for (below, above), push in pushes.items():
            if push and below in places[level] and above in places[level + 1]:
                ends = f"x{below}" if level == 0 else str(Neuron(level, below))
                ends += f" through {Neuron(level + 1, above)}" if not last else ""
                kind, width = "edge up" if push > 0 else "edge down", 0.6 + 4.4 * float(abs(push) / most)
                y1, y2 = places[level][below], places[level + 1][above]
                drawn.line(xs[level], y1, xs[level + 1], y2, kind, width, f"{ends}: {_signed(push)}")


def _pushes(part: Cone, output: int, active: Sequence[int]) -> list[dict[tuple[int, int], Fraction]]:
    """For each layer of connections, what each one adds to the output: its neuron's slope times what it brings."""
    sums = part.hidden(active)
    values = [dict.fromkeys(active, 1), *({p: z for p, z in one.items() if z > 0} for one in sums)]
    slopes = {p: part.scale * w for p, w in zip(part.columns, part.weights, strict=True)}
    found = [{(p, output): slope * values[-1][p] for p, slope in slopes.items() if p in values[-1]}]
    for level in range(len(part.layers) - 1, -1, -1):
        pushes: dict[tuple[int, int], Fraction] = {}
        below: dict[int, Fraction] = defaultdict(Fraction)
        for p, (columns, weights, _) in part.layers[level].items():
            for j, w in zip(columns, weights, strict=True) if p in values[level + 1] and p in slopes else ():
                below[j] += slopes[p] * w
                if j in values[level]:
                    pushes[j, p] = slopes[p] * w * values[level][j]
        slopes, found = dict(below), [pushes, *found]
    return found


def _column(nodes: Iterable[int], key: Callable[[int], Any]) -> list[int]:
    """The most important nodes of a column, in order."""
    return sorted(sorted(nodes, key=key)[:MOST_NODES])


def _spread(count: int, height: int) -> list[float]:
    step = (height - 40) / max(1, count)
    return [30 + step * (n + 0.5) for n in range(count)]


def profile(rows: Sequence[Row]) -> list[Drawing]:
    """Worst margins and wrong outputs over k."""
    drawings, last = [], max(1, rows[-1].k)

    def x(k: float) -> float:
        return 52 + (_WIDTH - 72) * (k + 0.5) / (last + 1)

    margins = [value for row in rows for value in (row.margin_on, row.margin_off) if value is not None]
    if margins:
        low, high = min(0.0, float(min(margins))), max(0.0, float(max(margins)))
        drawn = Drawing(_WIDTH, 220, "Worst margin of each class over k; below zero is wrong")

        def y(value: float) -> float:
            return 20 + (high - value) * 150 / ((high - low) or 1)

        drawn.rect(46, y(0), _WIDTH - 56, 176 - y(0), "wrong-zone")
        drawn.line(46, y(0), _WIDTH - 10, y(0), "axis", 1.5)
        drawn.label(42, y(0) + 4, "0", "small", "end")
        for value in {low, high} - {0.0}:
            drawn.label(42, y(value) + 4, f"{value:.2g}".replace("-", "\u2212"), "small faint", "end")
        for kind, values in (("on", [row.margin_on for row in rows]), ("off", [row.margin_off for row in rows])):
            points = [(x(row.k), y(float(v)), v) for row, v in zip(rows, values, strict=True) if v is not None]
            for (x1, y1, _), (x2, y2, _) in pairwise(points):
                drawn.line(x1, y1, x2, y2, f"trace {kind}", 2.5)
            for px, py, v in points:
                drawn.dot(px, py, 4, f"point {kind}", f"{kind}: {float_text(v, 4)}")
        drawn.dot(60, 208, 4, "point on")
        drawn.label(68, 212, "should be on", "small")
        drawn.dot(160, 208, 4, "point off")
        drawn.label(168, 212, "should be off", "small")
        _ks(drawn, rows, x)
        drawings.append(drawn)
    most = max(1, *(row.wrong_outputs.value for row in rows))
    drawn = Drawing(_WIDTH, 220, "Wrong outputs over k")
    drawn.line(46, 170, _WIDTH - 10, 170, "axis", 1.5)
    width = min(44.0, (_WIDTH - 90) / (last + 1) * 0.6)
    for row in rows:
        height = 130 * row.wrong_outputs.value / most
        drawn.rect(x(row.k) - width / 2, 170 - height, width, height, "bad")
        shown = f"{row.wrong_outputs.value:,}" + ("" if row.wrong_outputs.exact else "+")
        kind = "strong" if row.wrong_outputs.value else "faint"
        drawn.label(x(row.k), 164 - height, shown, kind + " small" * (len(rows) > 7), "middle")
    drawn.label(60, 212, "outputs that are wrong on some input", "small")
    _ks(drawn, rows, x)
    return [*drawings, drawn]


def _ks(drawn: Drawing, rows: Sequence[Row], x: Callable[[float], float]) -> None:
    every = max(1, len(rows) // 10)
    for row in rows[::every]:
        drawn.label(x(row.k), 190, f"k={row.k}" if len(rows) < 8 else f"{row.k}", "small", "middle")


@dataclass(frozen=True)
class Effects:
    """What one more feature does to an output: [outputs, features], beside which features are the output's own."""

    outputs: list[int]
    features: list[int]
    values: list[list[Fraction]]
    own: list[set[int]]


def heat_map(found: Effects) -> Drawing:
    """Effects as coloured cells; an output's own features are framed."""
    cell = max(9.0, min(26.0, 760 / max(1, len(found.features))))
    row = max(11.0, min(22.0, cell))
    width, height = int(58 + cell * len(found.features)), int(26 + row * len(found.outputs))
    drawn = Drawing(max(width, 200), height, "What one more feature does to each output whose own features are on")
    most = max((abs(v) for line in found.values for v in line), default=Fraction(1)) or 1
    every = 1 if cell >= 18 else 5
    for column, j in enumerate(found.features):
        if column % every == 0:
            drawn.label(54 + cell * (column + 0.5), 14, f"x{j}", "small", "middle")
    for line, i in enumerate(found.outputs):
        y = 20 + row * line
        drawn.label(48, y + row * 0.75, f"y{i}", "small", "end")
        for column, j in enumerate(found.features):
            value, mine = found.values[line][column], j in found.own[line]
            level = min(6, round(6 * float(abs(value) / most) ** 0.7)) if value else 0
            kind = f"{'up' if value > 0 else 'down'}{level}" + (" mine" if mine else "")
            says = f"x{j} {'(its own) ' if mine else ''}moves y{i} by {_signed(value)}"
            drawn.rect(54 + cell * column, y, cell - 1.5, row - 1.5, f"cell {kind}", says)
    return drawn
