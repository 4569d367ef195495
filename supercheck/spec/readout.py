"""How an output is read: the four modes, and what each asks of a value."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import ceil, floor
from typing import Literal, get_args

from supercheck.base.binary32 import greatest_not_above, least_above
from supercheck.base.errors import FaultError, InputError
from supercheck.base.numbers import exact_text
from supercheck.base.validate import fraction, one_of

Mode = Literal["threshold", "epsilon", "equality", "separable"]


@dataclass(frozen=True)
class Readout:
    """How an output is read as a Boolean.

    Attributes:
        mode: threshold (on: y > at + margin, off: y <= at - margin), epsilon (|y - f| <= within),
            equality (y = f), or separable (for each output some threshold parts the classes).
        at: the threshold.
        margin: by how much both sides must keep away from it; at least 0.
        within: the tolerated error; at least 0.
    """

    mode: Mode
    at: Fraction | None = None
    margin: Fraction = Fraction(0)
    within: Fraction | None = None

    def __post_init__(self) -> None:
        """Refuse a readout that says nothing or contradicts itself; numbers become fractions, floats are refused."""
        one_of("readout.mode", self.mode, get_args(Mode))
        for key in ("at", "margin", "within"):
            value = getattr(self, key)
            if value is not None:
                object.__setattr__(self, key, fraction(f"readout.{key}", value))
        if (self.at is not None) != (self.mode == "threshold"):
            raise InputError(place="readout.at", expected="at in mode threshold, and only there", got=self.at)
        if (self.within is not None) != (self.mode == "epsilon"):
            raise InputError(place="readout.within", expected="within in mode epsilon, and only there", got=self.within)
        if self.margin < 0 or (self.margin and self.mode != "threshold"):
            raise InputError(place="readout.margin", expected="at least 0, and 0 outside threshold", got=self.margin)
        if self.within is not None and self.within < 0:
            raise InputError(place="readout.within", expected="a number of at least 0", got=self.within)


@dataclass(frozen=True)
class Goal:
    """Bounds on the integer w . h, both included; None where there is none."""

    lowest: int | None = None
    highest: int | None = None

    def met(self, total: int) -> bool:
        """Whether w . h = `total` keeps to the bounds."""
        return (self.lowest is None or total >= self.lowest) and (self.highest is None or total <= self.highest)


def _goal(readout: Readout, bias: Fraction, scale: Fraction, on: bool, error: Fraction | None) -> Goal:
    if readout.mode == "separable":
        return Goal()
    if readout.at is None:  # equality is epsilon with 0
        within = (readout.within or Fraction(0)) - (error or 0)
        return Goal(ceil((on - within - bias) / scale), floor((on + within - bias) / scale))
    threshold = readout.at + readout.margin if on else readout.at - readout.margin
    if error is None:  # on: y > at + margin; off: y <= at - margin
        highest = floor((threshold - bias) / scale)
        return Goal(lowest=highest + 1) if on else Goal(highest=highest)
    if on:  # above every reading of the threshold, wherever rounding moves y
        return Goal(lowest=floor((greatest_not_above(threshold) + error - bias) / scale) + 1)
    return Goal(highest=ceil((least_above(threshold) - error - bias) / scale) - 1)  # above none


@cache
def expected(readout: Readout, on: bool) -> str:
    """What the readout asks of y in this class, in words: "y > 1/2"."""
    if readout.mode == "separable":
        return "y above every off value" if on else "y below every on value"
    if readout.at is None:
        return f"y = {int(on)}" if not readout.within else f"|y - {int(on)}| <= {exact_text(readout.within)}"
    return f"y > {exact_text(readout.at + readout.margin)}" if on else f"y <= {exact_text(readout.at - readout.margin)}"


def beside(readout: Readout, on: bool, *others: Fraction | None) -> tuple[Fraction | None, ...]:
    """What is shown beside an output's value: the numbers that `expected` speaks of, and others."""
    if readout.mode == "separable":
        return others
    if readout.at is not None:
        return (readout.at + readout.margin if on else readout.at - readout.margin, *others)
    within = readout.within or Fraction(0)
    return (on - within, Fraction(on), on + within, *others)


def wrong(readout: Readout, value: Fraction, on: bool, error: Fraction | None = None) -> bool:
    """Whether y = `value` is wrong for this class, by the readout's own words; not for mode separable.

    With an `error`: whether it may be wrong in float32, off by at most that much.
    """
    if error is not None and readout.mode == "threshold" and readout.at is not None:
        if on:
            return not value - error > greatest_not_above(readout.at + readout.margin)
        return not value + error < least_above(readout.at - readout.margin)
    if error is not None:
        return abs(value - on) + error > (readout.within or 0)
    if readout.mode == "threshold" and readout.at is not None:
        return not value > readout.at + readout.margin if on else not value <= readout.at - readout.margin
    if readout.mode == "epsilon" and readout.within is not None:
        return abs(value - on) > readout.within
    if readout.mode == "equality":
        return value != on
    raise FaultError(f"no single value is wrong in mode {readout.mode}")


def toml_lines(readout: Readout) -> list[str]:
    """The lines below `[readout]` in a spec file."""
    numbers = {"at": readout.at, "margin": readout.margin or None, "within": readout.within}
    said = [f'{key} = "{exact_text(value)}"' for key, value in numbers.items() if value is not None]
    return [f'mode = "{readout.mode}"', *said]
