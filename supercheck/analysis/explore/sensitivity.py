"""How far weights may move with the verdict still proved: one at a time exactly, all together as a lower bound.

One at a time, in a network with one hidden layer: over every input of the domain the change is computed that would
break an output, in doubles, and exactly for those that come closest. All together: the most that every neuron can move
if no weight moves by more than a step is bounded layer by layer, and the step is as large as every output's margin
allows. Only weights and biases that are not zero move: a zero is an absent edge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import frexp

import numpy as np

from supercheck.analysis.costs.wiring import states
from supercheck.analysis.explore.radii import Radius, radii
from supercheck.analysis.explore.repairs import plain, stored_scale
from supercheck.base.matrix import Array, Ratios, Rows
from supercheck.claims.claims import Claims
from supercheck.claims.result import Result

MOST_EDGES = 200_000
"""Edges up to which the bound on all weights together is computed."""

KINDS = ("absolute", "relative", "ulps")
"""How a change is measured: as it is, as a share of its weight, in units of the last place of a float32."""

_STEPS = 20  # binary digits of a bound
_UP = 1 + 2.0**-20
_FARTHEST = 2.0**64


@dataclass(frozen=True)
class Sensitivity:
    """How far weights may move with the verdict still proved.

    Attributes:
        k: with at most so many features on.
        together: for each of `KINDS` a step: with every weight and bias moved by at most that, every output is right.
            Certified lower bounds; None where any step is harmless.
        single: for each of `KINDS` the weight or bias that may move least on its own: any smaller change of it is
            harmless. Exact; empty where that was not computed, or where none can break anything.
        weights: how many weights and biases were looked at one at a time.
        left_out: what was not computed, and why.
    """

    k: int
    together: dict[str, Fraction | None]
    single: dict[str, Radius]
    weights: int = 0
    left_out: tuple[str, ...] = ()


def ulp(value: Fraction) -> Fraction:
    """The distance between the float32 numbers around a value; that of the smallest normal ones at 0."""
    exponent = max(frexp(value)[1], -125) if value else -125
    return Fraction(2) ** (exponent - 24)


def sensitivity(proved: Result) -> Sensitivity:
    """Find out how far weights may move.

    Args:
        proved: a verdict with margins that is PROVED, in real arithmetic; not in mode separable.
    """
    try:
        return _sensitivity(proved)
    except OverflowError:
        why = "how far weights may move: some numbers are past the range of doubles"
        return Sensitivity(proved.claims.cube.max_active, {}, {}, left_out=(why,))


def _sensitivity(proved: Result) -> Sensitivity:
    claims, left_out = proved.claims, list[str]()
    k = claims.cube.max_active
    if not plain(claims):
        why = "how far weights may move: a fixed code, or a ReLU after the last layer"
        return Sensitivity(k, {}, {}, left_out=(why,))
    slack = [margin for one in proved.outputs if (margin := proved.margin(one)) is not None]
    together: dict[str, Fraction | None] = {}
    if claims.network.edges <= MOST_EDGES and len(slack) == len(claims):
        together = {kind: _together(claims, slack, kind) for kind in KINDS}
    else:
        left_out.append("how far all weights may move together: the network is too large, or margins are not known")
    found = radii(claims)
    if found is None:
        why = "not one hidden layer" if len(claims.network.hidden) != 1 else "too many inputs"
        bound = ": not less than all together" if together else ""
        left_out.append(f"how far each weight may move on its own ({why}){bound}")
    single: dict[str, Radius] = {}
    for kind in KINDS if found else ():
        single[kind] = min(found or (), key=lambda one, kind=kind: one.radius / measured(kind, one.now))
    return Sensitivity(k, together, single, len(found or ()), tuple(left_out))


def _together(claims: Claims, slack: Sequence[Fraction], kind: str) -> Fraction | None:
    """The largest step found, a multiple of a power of two, that leaves every output right; None if any does."""
    bound, room = _Moved(claims, kind), np.nextafter(np.array(slack, dtype=float), -np.inf)

    def harmless(step: float) -> bool:
        return bool(np.all(bound.at(step) < room))

    if room.min() <= 0:
        return Fraction(0)
    step = 1.0
    while harmless(step):
        step *= 2
        if step > _FARTHEST:
            return None
    while not harmless(step):
        step /= 2
    unit = step
    for _ in range(_STEPS):
        unit /= 2
        if harmless(step + unit):
            step += unit
    return Fraction(step)


class _Moved:
    """How far each output can move if every weight moves by at most `step` units: upper bounds, in doubles.

    All numbers are at least 0, so a sum of n products errs by less than a relative n 2^-52, far below `_UP`.
    """

    def __init__(self, claims: Claims, kind: str) -> None:
        network = claims.network
        self.layers, below = list[tuple[Rows, Rows, Array, Array]](), np.zeros(0)
        highest = [state.highest.tolist() for state in states(network, claims.cube)]
        for depth, layer in enumerate(network.stored):
            weights, biases = (Ratios.of(part).fractions() for part in (layer.weight.data, layer.bias))
            weight = replace(layer.weight, data=_up(map(abs, weights)))
            unit = replace(weight, data=_up(_units(weights, kind)))
            self.layers.append((weight, unit, _up(_units(biases, kind)), below))
            if depth < len(highest):
                below = _up(stored_scale(network, depth, p) * int(h) for p, h in enumerate(highest[depth]))
        ends = self.layers[0][1].indptr.tolist()
        rows = [np.sort(self.layers[0][1].data[start:end])[::-1] for start, end in pairwise(ends)]
        most = claims.cube.max_active  # features that may be on
        self.first = (np.array([row[:most].sum() for row in rows]) + self.layers[0][2]) * _UP

    def at(self, step: float) -> Array:
        """The bounds for one step."""
        moved: Array = self.first * step
        for weight, unit, own, below in self.layers[1:]:
            moved = (weight.dot(moved) + step * (unit.dot(moved + below) + own)) * _UP
        return moved


def _up(values: Iterable[Fraction]) -> Array:
    """The values as doubles that are no smaller."""
    above: Array = np.nextafter(np.array([float(value) for value in values]), np.inf) * _UP
    return above


def _units(values: Sequence[Fraction], kind: str) -> Iterator[Fraction]:
    for value in values:
        yield measured(kind, value) if value else Fraction(0)


def measured(kind: str, value: Fraction) -> Fraction:
    """One unit of `KINDS` for a stored number that is not zero."""
    return {"absolute": Fraction(1), "relative": abs(value)}.get(kind) or ulp(value)
