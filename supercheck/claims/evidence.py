"""What may be believed, as types: verdicts, counterexamples, results. `replay.py` is what makes counterexamples."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import NamedTuple

from supercheck.base.errors import clip
from supercheck.base.numbers import short
from supercheck.network.input import Input


class Verdict(Enum):
    """The three answers; the value is the word that reports use."""

    PROVED = "proved"
    """Every claim holds on every input of the domain."""
    REFUTED = "refuted"
    """A replayed counterexample shows that some claim does not hold, on one input; of how many it says nothing."""
    UNKNOWN = "unknown"
    """Neither was established; a reason says why."""


@dataclass(frozen=True, repr=False)
class Point:
    """An input, and the exact value of one output there."""

    input: Input
    value: Fraction

    @property
    def active(self) -> tuple[int, ...]:
        """The input's active features."""
        return self.input.active

    def __repr__(self) -> str:
        """In a line, however many digits the value has."""
        return f"<Point: y = {short(self.value)} with {clip(self.active)} on>"


@dataclass(frozen=True, repr=False)
class Counterexample:
    """An input on which an output is wrong, replayed in exact arithmetic.

    Attributes:
        input: the input.
        output: the output that is wrong.
        value: its exact value.
        expected: what its function says, 0 or 1.
        against: in mode separable an on input whose value is not larger.
        minimal: whether no counterexample of any output has fewer active features; proved, not guessed.
    """

    input: Input
    output: int
    value: Fraction
    expected: int
    against: Point | None = None
    minimal: bool = False

    @property
    def active(self) -> tuple[int, ...]:
        """The input's active features, ascending."""
        return self.input.active

    def __repr__(self) -> str:
        """In a line, however many digits the value has."""
        wrong = f"y{self.output} = {short(self.value)}, expected {self.expected}"
        return f"<Counterexample: {wrong}, with {clip(self.active)} on>"

    @property
    def size(self) -> int:
        """The number of active features; in mode separable that of the larger input."""
        return max(len(self.active), 0 if self.against is None else len(self.against.active))


@dataclass(frozen=True)
class Extremes:
    """The exact worst output of each class; None where the class is vacuous."""

    on: Point | None
    off: Point | None

    @property
    def worst(self) -> tuple[Point | None, Point | None]:
        """The same by the target: of 0, then of 1."""
        return self.off, self.on


class Proved(NamedTuple):
    """An engine shows that an output is right on every input of the domain.

    Attributes:
        output: which output.
        extremes: where they were asked for.
        proof: a proof tree as the certificate format writes it, where the engine knows one.
    """

    output: int
    extremes: Extremes | None = None
    proof: str | None = None

    @property
    def verdict(self) -> Verdict:
        """Proved."""
        return Verdict.PROVED


class Refuted(NamedTuple):
    """An engine names an input on which an output is wrong; it counts once it is replayed.

    Attributes:
        output: which output.
        witness: the input.
        against: in mode separable the on input whose value is not larger.
        minimal: whether no input with fewer active features makes this output wrong.
        extremes: where they were asked for.
    """

    output: int
    witness: Input
    against: Input | None = None
    minimal: bool = False
    extremes: Extremes | None = None

    @property
    def verdict(self) -> Verdict:
        """Refuted."""
        return Verdict.REFUTED


class Unknown(NamedTuple):
    """An engine leaves an output open.

    Attributes:
        output: which output.
        reason: why.
        lost: whether whoever was asked is gone; nobody else is asked then.
        extremes: none are known.
    """

    output: int
    reason: str
    lost: bool = False
    extremes: None = None

    @property
    def verdict(self) -> Verdict:
        """Unknown."""
        return Verdict.UNKNOWN


Decision = Proved | Refuted | Unknown
"""What an engine says of one output."""


@dataclass(frozen=True)
class WrongInputs:
    """On how many inputs of the domain an output, or any output, is wrong.

    Attributes:
        at_least: on so many.
        at_most: on no more; None where that is not known.
    """

    at_least: int
    at_most: int | None

    @property
    def exact(self) -> int | None:
        """How many there are; None where that is not known."""
        return self.at_least if self.at_least == self.at_most else None


@dataclass(frozen=True)
class Sparsity:
    """How sparse inputs have to be for an output, or a network, to be right.

    Attributes:
        right: it is right on every input with at most so many features on; -1 where not even with none.
        wrong: it is wrong on some input with so many features on; None where it is right on all inputs, or where
            that is not known.
        known: whether `right` is the largest there is.
    """

    right: int
    wrong: int | None
    known: bool

    @property
    def largest(self) -> int | None:
        """The largest k at which it is right; None where there is none, or it is not known."""
        return self.right if self.known and self.right >= 0 else None
