"""What a feature of an input may be: finitely many closed intervals of exact numbers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from supercheck.base.errors import InputError
from supercheck.base.interval import Interval
from supercheck.base.numbers import exact_text
from supercheck.base.validate import fraction

Exact = int | Fraction


@dataclass(frozen=True)
class Values:
    """What a feature may be: some closed intervals.

    Attributes:
        parts: the intervals, ascending and apart; a number by itself is one, too.
    """

    parts: tuple[Interval, ...]

    def __post_init__(self) -> None:
        """Refuse no values at all, and intervals that are open, empty or in each other's way."""
        ends = [end for part in self.parts for end in part.ends]
        closed = not any(part.low_open or part.high_open or part.empty for part in self.parts)
        if not ends or len(ends) != 2 * len(self.parts) or not closed:
            raise InputError(place="domain", expected="closed intervals of values", got=str(self))
        if any(a.high >= b.low for a, b in zip(self.parts, self.parts[1:], strict=False) if a.high and b.low):
            raise InputError(place="domain", expected="ascending intervals that are apart", got=str(self))

    @classmethod
    def of(cls, *numbers: Exact) -> Values:
        """Only these numbers."""
        found = sorted({fraction("domain", number) for number in numbers})
        return cls(tuple(Interval(number, number) for number in found))

    @classmethod
    def between(cls, low: Exact, high: Exact) -> Values:
        """Every number from one to another, both of them included."""
        return cls((Interval(fraction("domain", low), fraction("domain", high)),))

    def __contains__(self, value: Exact) -> bool:
        """Whether a feature may be this."""
        return any(value in part for part in self.parts)

    def __str__(self) -> str:
        """The values, as a reader writes them."""
        return " or ".join(
            exact_text(part.ends[0]) if part.low == part.high else f"[{', '.join(map(exact_text, part.ends))}]"
            for part in self.parts
        )

    @cached_property
    def ends(self) -> tuple[Exact, Exact]:
        """The least and the greatest of them; whole numbers as integers."""
        low, high = (self.parts[place].ends[place] for place in (0, -1))
        return plain(low), plain(high)

    @property
    def only(self) -> Fraction | None:
        """The one number that they are; None where there are several."""
        first = self.parts[0]
        return first.low if len(self.parts) == 1 and first.low == first.high else None

    def meet(self, others: Values) -> bool:
        """Whether some number is among both."""
        return any(part.meets(other) for part in self.parts for other in others.parts)

    def best(self, weight: Exact) -> tuple[Exact, Exact]:
        """The greatest weight * value, and the value."""
        value = self.ends[1] if weight > 0 else self.ends[0]
        return weight * value, value


def plain(number: Fraction) -> Exact:
    """The number, as an integer where it is one."""
    return number.numerator if number.denominator == 1 else number


ONES, ZEROS = Values.of(1), Values.of(0)
