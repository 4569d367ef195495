"""How an output is read: one class a mode, and one table. Nothing else in supercheck asks which mode a readout has.

A newcomer adds a mode with a class here and a row in `READOUTS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar, Literal

from supercheck.base.binary32 import greatest_not_above, least_above, readings
from supercheck.base.errors import FaultError, InputError
from supercheck.base.interval import Interval
from supercheck.base.numbers import exact_text
from supercheck.base.validate import fraction, one_of

_EVERYTHING = Interval()
_KEYS = ("at", "margin", "within")  # the numbers that a readout may have
_ZERO = Fraction(0)


@dataclass(frozen=True)
class Readout:
    """How an output is read.

    Attributes:
        mode: threshold (on: y > at + margin, off: y <= at - margin), epsilon (|y - f| <= within),
            equality (y = f), or separable (for each output some threshold parts the classes).
        at: the threshold.
        margin: by how much both sides must keep away from it; at least 0.
        within: the tolerated error; at least 0.
    """

    mode: str
    at: Fraction | None = None
    margin: Fraction = _ZERO
    within: Fraction | None = None

    def __post_init__(self) -> None:
        """Refuse a readout that says nothing or contradicts itself; numbers become fractions, floats are refused."""
        one_of("readout.mode", self.mode, tuple(READOUTS))
        for key in _KEYS:
            value = getattr(self, key)
            if value is not None:
                object.__setattr__(self, key, fraction(f"readout.{key}", value))
        for key in ("at", "within"):
            homes = [name for name, mode in READOUTS.items() if key in mode.needs]
            if (getattr(self, key) is not None) != (key in self.rules.needs):
                expected = f"{key} in mode {' or '.join(homes)}, and only there"
                raise InputError(place=f"readout.{key}", expected=expected, got=getattr(self, key))
        if self.margin < 0 or (self.margin and "margin" not in self.rules.takes):
            raise InputError(place="readout.margin", expected="at least 0, and 0 outside threshold", got=self.margin)
        if self.within is not None and self.within < 0:
            raise InputError(place="readout.within", expected="a number of at least 0", got=self.within)

    @property
    def rules(self) -> type[Mode]:
        """What its mode says."""
        return READOUTS[self.mode]

    @property
    def given(self) -> dict[str, Fraction]:
        """Its numbers by their keys."""
        return {key: getattr(self, key) for key in _KEYS if key in self.rules.takes}

    @property
    def compares(self) -> bool:
        """Whether two inputs of an output are compared, so that no value is right or wrong by itself."""
        return self.rules.compares

    @property
    def tolerance(self) -> Fraction | None:
        """How far y may be from its target; None where that is not what is asked."""
        return self.rules.tolerance(self)

    def goal(self, target: int, error: Fraction | None = None) -> Interval:
        """The values of y that are right.

        Args:
            target: what the function says.
            error: by how much a float32 evaluation may be off; then the values of which each such evaluation is right.
        """
        return _goal(self, target, error)

    def wrong(self, value: Fraction, target: int, error: Fraction | None = None) -> bool:
        """Whether y = `value` is wrong, or with an `error` may be; not where two inputs are compared."""
        if self.compares:
            raise FaultError(f"no single value is wrong in mode {self.mode}")
        return value not in self.goal(target, error)

    def hopeless(self, value: Fraction, target: int, error: Fraction) -> bool:
        """Whether whatever is within `error` of y = `value` is wrong, by every reading of the readout's numbers.

        Source: decide/float32/README.md, "Comparison", and its converse, ours.
        """
        return value not in self.rules.possible(self, target).wider(error)

    def computed_wrong(self, value: Fraction, target: int) -> str | None:
        """What is wrong with a computed y, or None; one reading of the readout's numbers suffices."""
        right = self.rules.computed(self, target)
        return None if value in right else self.rules.complaint(value, target, right)

    def expected(self, target: int) -> str:
        """What is asked of y, in words: "y > 1/2"."""
        return _expected(self, target)

    def beside(self, target: int, *others: Fraction | None) -> tuple[Fraction | None, ...]:
        """What is shown beside an output's value: the numbers that `expected` speaks of, and others."""
        goal = self.goal(target)
        both = goal.low is not None and goal.high is not None
        return (*goal.ends[:1], *([Fraction(target)] if both else []), *goal.ends[1:], *others)

    def sides(self, target: int) -> tuple[bool, ...]:
        """Which extremes of y decide: the greatest (True), the least (False)."""
        return self.rules.sides(self, target)

    def margin_of(self, worst: Sequence[Fraction | None]) -> Fraction | None:
        """By how much the worst value of each target, in order, keeps to what is asked; None where that is open."""
        return self.rules.kept(self, worst)


class Mode:
    """What a mode says of its readouts.

    Attributes:
        needs: the keys that it cannot do without.
        takes: all keys that it may have.
        compares: whether two inputs of an output are compared.
        remedy: what may be said to make a refuted question right: another "threshold", or a larger "within".
        in_certificates: whether the certificate format, and so the checker, knows it.
    """

    needs: ClassVar[frozenset[str]] = frozenset()
    takes: ClassVar[frozenset[str]] = frozenset()
    compares: ClassVar[bool] = False
    remedy: ClassVar[Literal["threshold", "within"] | None] = None
    in_certificates: ClassVar[bool] = False

    @classmethod
    def goal(cls, readout: Readout, target: int, error: Fraction | None) -> Interval:
        """See `Readout.goal`."""
        raise NotImplementedError

    @classmethod
    def expected(cls, readout: Readout, target: int) -> str:
        """See `Readout.expected`."""
        raise NotImplementedError

    @classmethod
    def tolerance(cls, _readout: Readout) -> Fraction | None:
        """See `Readout.tolerance`."""
        return None

    @classmethod
    def thresholds(cls, _readout: Readout) -> tuple[Fraction, ...]:
        """The numbers that a program compares y with."""
        return ()

    @classmethod
    def possible(cls, readout: Readout, target: int) -> Interval:
        """The computed values that are right by some reading of the readout's numbers."""
        return cls.goal(readout, target, None)

    @classmethod
    def computed(cls, readout: Readout, target: int) -> Interval:
        """The computed values that are right by every reading of them."""
        return cls.goal(readout, target, None)

    @classmethod
    def complaint(cls, value: Fraction, target: int, _right: Interval) -> str:
        """What is wrong with a computed value."""
        return f"|y - {target}| is {exact_text(abs(value - target))}"

    @classmethod
    def sides(cls, readout: Readout, target: int) -> tuple[bool, ...]:
        """See `Readout.sides`."""
        goal = readout.goal(target)
        return (*([True] if goal.high is not None else []), *([False] if goal.low is not None else []))

    @classmethod
    def kept(cls, readout: Readout, worst: Sequence[Fraction | None]) -> Fraction | None:
        """See `Readout.margin_of`."""
        rooms = [readout.goal(target).room(value) for target, value in enumerate(worst) if value is not None]
        return min((room for room in rooms if room is not None), default=None)


class Threshold(Mode):
    """On outputs are above a threshold, off ones at or below it; both by a margin."""

    needs = frozenset({"at"})
    takes = frozenset({"at", "margin"})
    remedy = "threshold"
    in_certificates = True

    @classmethod
    def thresholds(cls, readout: Readout) -> tuple[Fraction, ...]:
        """The thresholds of on and off."""
        return cls._at(readout, 1), cls._at(readout, 0)

    @classmethod
    def _at(cls, readout: Readout, target: int) -> Fraction:
        at = readout.given["at"]
        return at + readout.margin if target else at - readout.margin

    @classmethod
    def goal(cls, readout: Readout, target: int, error: Fraction | None) -> Interval:
        """In float32: above every reading of the threshold, wherever rounding moves y, or above none."""
        at = cls._at(readout, target)
        if error is None:
            return Interval(low=at, low_open=True) if target else Interval(high=at)
        if target:
            return Interval(low=greatest_not_above(at) + error, low_open=True)
        return Interval(high=least_above(at) - error, high_open=True)

    @classmethod
    def possible(cls, readout: Readout, target: int) -> Interval:
        """On: from the least float32 number above some reading; off: up to the greatest that is not above every one."""
        at = cls._at(readout, target)
        return Interval(low=least_above(at)) if target else Interval(high=greatest_not_above(at))

    @classmethod
    def computed(cls, readout: Readout, target: int) -> Interval:
        """Above every reading, or above none."""
        read = readings(cls._at(readout, target))
        return Interval(low=max(read), low_open=True) if target else Interval(high=min(read))

    @classmethod
    def complaint(cls, _value: Fraction, target: int, right: Interval) -> str:
        """On which side of the threshold y is."""
        return f"y is {'not ' if target else ''}above {exact_text(right.ends[0])}"

    @classmethod
    def expected(cls, readout: Readout, target: int) -> str:
        """The threshold, with its margin in it."""
        return f"y {'>' if target else '<='} {exact_text(cls._at(readout, target))}"


class Epsilon(Mode):
    """Outputs are at most so far from what the function says."""

    needs = frozenset({"within"})
    takes = frozenset({"within"})
    remedy = "within"
    in_certificates = True

    @classmethod
    def tolerance(cls, readout: Readout) -> Fraction | None:
        """What was given."""
        return readout.within or _ZERO

    @classmethod
    def goal(cls, readout: Readout, target: int, error: Fraction | None) -> Interval:
        """As much closer as rounding may move y."""
        return Interval.around(target, (readout.tolerance or _ZERO) - (error or 0))

    @classmethod
    def expected(cls, readout: Readout, target: int) -> str:
        """A distance, or where there is none a value."""
        return f"|y - {target}| <= {exact_text(readout.tolerance or _ZERO)}" if readout.tolerance else f"y = {target}"


class Equality(Epsilon):
    """Outputs are what the function says: epsilon with 0."""

    needs = frozenset()
    takes = frozenset()


class Separable(Mode):
    """For each output some threshold parts its classes: every on value is above every off value."""

    compares = True
    in_certificates = True

    @classmethod
    def goal(cls, _readout: Readout, _target: int, _error: Fraction | None) -> Interval:
        """No value is wrong by itself."""
        return _EVERYTHING

    @classmethod
    def sides(cls, _readout: Readout, target: int) -> tuple[bool, ...]:
        """The greatest off and the least on."""
        return (not target,)

    @classmethod
    def kept(cls, _readout: Readout, worst: Sequence[Fraction | None]) -> Fraction | None:
        """The distance of the classes."""
        off, on = worst
        return None if on is None or off is None else on - off

    @classmethod
    def expected(cls, _readout: Readout, target: int) -> str:
        """The other class."""
        return "y above every off value" if target else "y below every on value"


READOUTS: dict[str, type[Mode]] = {
    "threshold": Threshold,
    "epsilon": Epsilon,
    "equality": Equality,
    "separable": Separable,
}
"""What each mode says."""


@lru_cache(1 << 12)
def _goal(readout: Readout, target: int, error: Fraction | None) -> Interval:
    return readout.rules.goal(readout, target, error)


@lru_cache(1 << 12)
def _expected(readout: Readout, target: int) -> str:
    return readout.rules.expected(readout, target)


@dataclass(frozen=True)
class Goal:
    """Bounds on the integer w . h, both included; None where there is none."""

    lowest: int | None = None
    highest: int | None = None

    def met(self, total: int) -> bool:
        """Whether w . h = `total` keeps to the bounds."""
        return (self.lowest is None or total >= self.lowest) and (self.highest is None or total <= self.highest)


def toml_lines(readout: Readout) -> list[str]:
    """The lines below `[readout]` in a spec file."""
    said = [f'{key} = "{exact_text(value)}"' for key, value in readout.given.items() if value or key != "margin"]
    return [f'mode = "{readout.mode}"', *said]
