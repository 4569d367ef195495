"""From the extreme values of an output's classes to a decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Extremes, Point, Proved, Refuted
from supercheck.network.input import Input

End = tuple[int | Fraction, Input]
"""An extreme w . h and an input that attains it."""


def asked(claims: Claims) -> tuple[tuple[bool, bool], ...]:
    """The extremes that decide, as (class, whether the greatest): greatest off and least on; for a value all four."""
    return tuple((on, greatest) for on in (False, True) for greatest in claims.readout.sides(on))


def extremes(claims: Claims, output: int, ends: Mapping[bool, Sequence[End]]) -> Extremes:
    """The worst of each class: for a threshold the closest to it, for a value the farthest from it."""
    worst: dict[bool, Point | None] = {}
    for on in (False, True):
        points = [Point(x, claims.value(output, total)) for total, x in ends.get(on, ())]
        worst[on] = max(points, key=lambda point: abs(point.value - on), default=None)
    return Extremes(worst[True], worst[False])


def concluded(claims: Claims, output: int, ends: Mapping[bool, Sequence[End]]) -> Proved | Refuted:
    """The decision that follows from all the extremes that `asked` names; a class without any has no inputs."""
    worst = extremes(claims, output, ends)
    if claims.separable:
        off, on = worst.off, worst.on
        if off is not None and on is not None and off.value >= on.value:
            return Refuted(output, off.input, on.input, extremes=worst)
        return Proved(output, worst)
    for kind, found in ends.items():
        right = claims.right(output, kind)
        for total, x in found:
            if total not in right:
                return Refuted(output, x, extremes=worst)
    return Proved(output, worst)
