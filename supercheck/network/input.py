"""An input of a network: what is active in it, and every feature's value that is not 0."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from supercheck.base.errors import clip

ONE = Fraction(1)


@dataclass(frozen=True, repr=False)
class Input:
    """A sparse input; `Input.on` makes one of zeros and ones.

    Attributes:
        active: the features that are not at rest, ascending; what a Boolean function speaks of.
        values: every feature that is not 0, ascending, with its value.
    """

    active: tuple[int, ...]
    values: tuple[tuple[int, Fraction], ...]

    @classmethod
    def on(cls, features: Iterable[int]) -> Input:
        """The input in which these features are 1 and all others 0."""
        active = tuple(sorted(features))
        return cls(active, tuple([(j, ONE) for j in active]))

    @property
    def binary(self) -> bool:
        """Whether its active features are 1 and all others 0."""
        return len(self.values) == len(self.active) and all(
            value == 1 and j == feature for (j, value), feature in zip(self.values, self.active, strict=True)
        )

    def dense(self, features: int) -> list[Fraction]:
        """The value of each of so many features."""
        x = [Fraction(0)] * features
        for j, value in self.values:
            x[j] = value
        return x

    def __len__(self) -> int:
        """How many features are active."""
        return len(self.active)

    def __repr__(self) -> str:
        """What is active, in a line."""
        return f"<Input: {clip(self.active)} on>"
