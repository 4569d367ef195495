"""Intervals of exact numbers, each end in it or not."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor


@dataclass(frozen=True)
class Interval:
    """The numbers between two ends.

    Attributes:
        low, high: the ends; None where there is none.
        low_open, high_open: whether an end itself is left out.
    """

    low: Fraction | None = None
    high: Fraction | None = None
    low_open: bool = False
    high_open: bool = False

    @classmethod
    def around(cls, middle: Fraction | int, radius: Fraction) -> Interval:
        """All numbers at most `radius` from `middle`."""
        return cls(middle - radius, middle + radius)

    def __contains__(self, value: Fraction | int) -> bool:
        """Whether a number is in it."""
        above = self.low is None or (value > self.low if self.low_open else value >= self.low)
        return above and (self.high is None or (value < self.high if self.high_open else value <= self.high))

    @property
    def empty(self) -> bool:
        """Whether it holds no number."""
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    @property
    def ends(self) -> tuple[Fraction, ...]:
        """The ends that it has, the lower one first."""
        return tuple(end for end in (self.low, self.high) if end is not None)

    def wider(self, by: Fraction) -> Interval:
        """The same with both ends moved outwards by a number; inwards where that is negative."""
        low, high = (None if end is None else end + side for end, side in ((self.low, -by), (self.high, by)))
        return Interval(low, high, self.low_open, self.high_open)

    def solved(self, bias: Fraction, scale: Fraction) -> Interval:
        """The numbers t for which bias + scale * t is in it, for a scale above 0."""
        low, high = (None if end is None else (end - bias) / scale for end in (self.low, self.high))
        return Interval(low, high, self.low_open, self.high_open)

    def meets(self, other: Interval) -> bool:
        """Whether some number is in both."""
        lows = [(one.low, one.low_open) for one in (self, other) if one.low is not None]
        highs = [(one.high, not one.high_open) for one in (self, other) if one.high is not None]
        if not lows or not highs:
            return True
        (low, low_open), (high, closed) = max(lows), min(highs)
        return not Interval(low, high, low_open, not closed).empty

    def room(self, value: Fraction) -> Fraction | None:
        """How far a number in it is from the nearer end, less than 0 outside; None without ends."""
        sides = [] if self.low is None else [value - self.low]
        sides += [] if self.high is None else [self.high - value]
        return min(sides, default=None)

    def nearest_end(self, value: Fraction) -> Fraction | None:
        """The end that is closer to a number, the lower one if both are as close; None without ends."""
        return min(self.ends, key=lambda end: abs(value - end), default=None)

    @property
    def least(self) -> int | None:
        """The least integer in it; None where there is none."""
        if self.low is None:
            return None
        return floor(self.low) + 1 if self.low_open else ceil(self.low)

    @property
    def greatest(self) -> int | None:
        """The greatest integer in it; None where there is none."""
        if self.high is None:
            return None
        return ceil(self.high) - 1 if self.high_open else floor(self.high)
