"""Computable bounds: one function a bound, with formula, source, domain of validity and what it may claim.

A newcomer adds a bound with one function in the file of its kind and one row in `measured.py` or `bounds.py`:
`classes` and `capacity` count a class of functions against a shape of networks; `functions` holds for every
network that computes one function; `networks` holds for one network; `representing` asks what the features
alone cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf
from typing import Literal

Kind = Literal["class", "this function", "this network"]


@dataclass(frozen=True)
class Floor:
    """One bound beside what was measured.

    Attributes:
        name: what is bounded, and by what.
        measured: the network's figure, rounded up; None where there is no network.
        floor: the bound, rounded down; None where no figure of this shape reaches it.
        unit: what is counted.
        kind: what it may claim. A floor of a class says nothing of one instance; below one of this function or this
            network, a network is wrong.
        source: where it comes from.
        binds: whether it leaves the least slack of its unit, or is the largest where there is no network; for
            networks among those that hold for this function or network.
    """

    name: str
    measured: float | None
    floor: float | None
    unit: str
    kind: Kind
    source: str
    binds: bool = False

    @property
    def slack(self) -> float | None:
        """How many times the floor was measured; 1 where nothing can be saved."""
        return self.measured / self.floor if self.measured is not None and self.floor else None

    @property
    def strength(self) -> float:
        """How strong it is among floors of its unit: what it leaves of the measured figure, or the floor alone."""
        whole = 1 if self.measured is None else self.measured
        return (self.floor or 0) / whole if whole else inf

    @property
    def missed(self) -> bool:
        """Whether the network cannot be right, because it lies below a floor that holds for it."""
        known = self.kind != "class" and self.measured is not None and self.floor is not None
        return known and float(self.measured or 0) < float(self.floor or 0)


def bound(floors: Iterable[Floor], kinds: tuple[Kind, ...]) -> tuple[Floor, ...]:
    """The floors, with the strongest of each unit among the given kinds marked as the one that binds."""
    listed = list(floors)
    strongest: dict[str, int] = {}
    for place, floor in enumerate(listed):
        if floor.kind in kinds and floor.floor:
            first = strongest.setdefault(floor.unit, place)
            if floor.strength > listed[first].strength:
                strongest[floor.unit] = place
    return tuple(replace(floor, binds=strongest.get(floor.unit) == place) for place, floor in enumerate(listed))
