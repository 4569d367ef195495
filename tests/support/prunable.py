"""A network with something of everything that can be taken away."""

from __future__ import annotations

from fractions import Fraction

from oracle import Stored
from strategies import network

from supercheck import KSparse, Network, Readout, Spec, gate


def duplicated() -> tuple[Network, Spec]:
    """AND of two pairs of four features: a neuron each, one of them twice over, one dead, one unread, one constant."""
    weight = [[1, 1, 0, 0], [2, 2, 0, 0], [0, 0, 1, 1], [-1, -1, -1, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    bias = [-1, -2, -1, 0, 0, 1]
    read: list[list[Fraction | int]] = [[Fraction(1, 2), Fraction(1, 4), 0, 5, 0, 0], [0, 0, 1, 5, 0, 0]]
    stored: Stored = [
        ([[Fraction(w) for w in row] for row in weight], [Fraction(b) for b in bias], True),
        ([[Fraction(w) for w in row] for row in read], [Fraction(0), Fraction(0)], False),
    ]
    spec = Spec(KSparse(4, 4), (gate("and", [0, 1]), gate("and", [2, 3])), Readout("equality"))
    return network(stored), spec


class Late:
    """A clock that is over after so many looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks
        self.timeout = 1.0
        self.left = 1.0
        self.reason = "timeout after 1 s"

    def progress(self, _done: int, _total: int, _what: str) -> None:
        self.looks -= 1

    @property
    def over(self) -> bool:
        self.looks -= 1
        return self.looks < 0
