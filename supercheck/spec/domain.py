"""Input domains: which values the features of an input may have, and how many of them may be active.

What is asked of a domain is how large a linear form can get in a cell of it (`greatest`); nothing else may bound one.
A feature's gain is the most that it adds by being active, and the greatest value is what is there at rest with the
largest gains added. A newcomer adds a domain with a subclass of `Domain` here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, combinations, islice

import numpy as np

from supercheck.base.errors import InputError
from supercheck.base.matrix import Array, Rows, exact_array
from supercheck.base.numbers import whole
from supercheck.network.input import Input
from supercheck.network.layers import Affine
from supercheck.spec.values import ONES, ZEROS, Exact, Values


@dataclass(frozen=True)
class Cell:
    """A part of a domain.

    Attributes:
        active: features that are active there.
        rest: features that are at rest there.
    """

    active: Set[int] = frozenset()
    rest: Set[int] = frozenset()


class Domain(ABC):
    """The inputs that a question is about.

    Attributes:
        features: how many features an input has.
        max_active: how many of them may be active.
    """

    features: int
    max_active: int

    @property
    @abstractmethod
    def binary(self) -> bool:
        """Whether a feature is 1 where it is active and 0 at rest."""

    @property
    @abstractmethod
    def size(self) -> int | None:
        """The number of inputs; None where there are infinitely many."""

    @property
    @abstractmethod
    def largest(self) -> Exact:
        """The largest |value| that a feature can have: where bounds on overflow and rounding start."""

    @property
    @abstractmethod
    def text(self) -> str:
        """The domain as a question's digest has it, in a line."""

    @abstractmethod
    def contains(self, x: Input) -> bool:
        """Whether an input belongs to it."""

    @abstractmethod
    def greatest(self, forms: Rows, cell: Cell = Cell()) -> list[tuple[Exact, Input]] | None:
        """The greatest value of each linear form in a cell, and an input that has it.

        Args:
            forms: integer coefficients, [forms, features].
            cell: which part of the domain.

        Returns:
            One value and input a form; None where the cell is empty.
        """

    def maxima(self, forms: Rows, cell: Cell = Cell()) -> list[Exact] | None:
        """The same without the inputs."""
        found = self.greatest(forms, cell)
        return None if found is None else [value for value, _ in found]

    @abstractmethod
    def rows(self) -> list[tuple[list[int], int]]:
        """Constraints on which features are active: (coefficients, bound) for coefficients . active <= bound."""

    @abstractmethod
    def values(self, *, active: bool) -> Values:
        """What a feature may be where it is active, or at rest."""

    @abstractmethod
    def filled(self, active: Set[int], chosen: Mapping[int, Exact]) -> Input:
        """The input with these features active and these values; any other is the least that it may be."""

    @abstractmethod
    def at_most(self, max_active: int) -> Domain:
        """The same with another number of features that may be active."""

    @abstractmethod
    def restricted(self, features: int) -> Domain:
        """What its inputs look like on some of the features, when there are so many of them."""

    @abstractmethod
    def rested(self, x: Input, feature: int) -> Input:
        """The input with one of its active features at rest."""

    @abstractmethod
    def image(self) -> tuple[Affine, KSparse] | None:
        """The affine map that makes this domain of one of zeros and ones, and that one; None where there is none."""

    @abstractmethod
    def of_active(self, active: Iterable[int]) -> Input:
        """The input in which these features are active, each as an image of zeros and ones has it."""


@dataclass(frozen=True)
class Sparse(Domain):
    """All inputs of `features` features at most `max_active` of which are active, the others at rest."""

    features: int
    max_active: int
    active: Values = ONES
    rest: Values = ZEROS

    def __post_init__(self) -> None:
        """Whole numbers only: `True`, "3" and 3.0 are not 3; and what is active must not look like what rests."""
        for key in ("features", "max_active"):
            object.__setattr__(self, key, whole(getattr(self, key), f"domain.{key}", 0))
        if self.active.meet(self.rest):
            expected = f"active values apart from those at rest, {self.rest}"
            raise InputError(place="domain.active", expected=expected, got=str(self.active))

    def __str__(self) -> str:
        """The values, for a reader."""
        return f"{self.active} where active, {self.rest} at rest"

    @property
    def binary(self) -> bool:
        """Whether a feature is 1 where it is active and 0 at rest."""
        return self.active.only == 1 and self.rest.only == 0

    @property
    def size(self) -> int | None:
        """The number of inputs; None where there are infinitely many."""
        counts = [len(v.parts) if all(p.low == p.high for p in v.parts) else None for v in (self.active, self.rest)]
        active, rest = counts
        return None if active is None or rest is None else _counted(self.features, self.levels, active, rest)

    @property
    def largest(self) -> Exact:
        """The largest |value| that a feature can have."""
        return max(max(values.ends[1], -values.ends[0]) for values in (self.active, self.rest))

    @property
    def text(self) -> str:
        """How many features, how many active, and where they are not 1 and 0 their values."""
        return f"{self.features} {self.max_active}" + ("" if self.binary else f" {self.active}; {self.rest}")

    @property
    def levels(self) -> int:
        """The number of different counts of active features."""
        return min(self.features, self.max_active) + 1

    def contains(self, x: Input) -> bool:
        """Whether an input belongs to it."""
        active, found = set(x.active), dict(x.values)
        if len(active) > self.max_active or any(not 0 <= j < self.features for j in {*active, *found}):
            return False
        if self.rest.only == 0:
            return found.keys() <= active and all(found.get(j, 0) in self.active for j in active)
        return all(found.get(j, 0) in (self.active if j in active else self.rest) for j in range(self.features))

    def greatest(self, forms: Rows, cell: Cell = Cell()) -> list[tuple[Exact, Input]] | None:
        """See `Domain.greatest`.

        Source: a linear form on the k-sparse cube is largest where its largest positive coefficients are on; ours is
        the same with each feature's own gain.
        """
        room = self.max_active - len(cell.active)
        if room < 0:
            return None
        found = (self._greatest(*forms.row(i), cell, room) for i in range(forms.height))
        return [(value, self.filled(active, chosen)) for value, active, chosen in found]

    def maxima(self, forms: Rows, cell: Cell = Cell()) -> list[Exact] | None:
        """The same without the inputs."""
        room = self.max_active - len(cell.active)
        return None if room < 0 else [self._greatest(*forms.row(i), cell, room)[0] for i in range(forms.height)]

    def _greatest(
        self, columns: Array, weights: Array, cell: Cell, room: int
    ) -> tuple[Exact, Set[int], dict[int, Exact]]:
        """The greatest value of a form, which features are active there, and the values of those that it names."""
        base: Exact = 0
        chosen, gains = dict[int, Exact](), list[tuple[Exact, int, Exact]]()
        for j, weight in zip(columns.tolist(), weights.tolist(), strict=True):
            (active, there), (resting, here) = self.active.best(weight), self.rest.best(weight)
            if j in cell.active:
                base, chosen[j] = base + active, there
                continue
            base, chosen[j] = base + resting, here
            if j not in cell.rest and active > resting:
                gains.append((active - resting, -j, there))
        gains.sort(reverse=True)
        for gain, place, value in gains[:room]:
            base, chosen[-place] = base + gain, value
        return base, {*cell.active, *(-place for _, place, _ in gains[:room])}, chosen

    def values(self, *, active: bool) -> Values:
        """What a feature may be where it is active, or at rest."""
        return self.active if active else self.rest

    def filled(self, active: Set[int], chosen: Mapping[int, Exact]) -> Input:
        """The input with these features active and these values; any other is the least that it may be."""
        values: dict[int, Exact] = dict.fromkeys(active, self.active.ends[0])
        if self.rest.ends[0]:
            values = {**dict.fromkeys(range(self.features), self.rest.ends[0]), **values}
        values.update(chosen)
        pairs = tuple((j, Fraction(value)) for j, value in sorted(values.items()) if value)
        return Input(tuple(sorted(active)), pairs)

    def rows(self) -> list[tuple[list[int], int]]:
        """The constraints on which features are active: (coefficients, bound) for coefficients . active <= bound."""
        return [] if self.max_active >= self.features else [([1] * self.features, self.max_active)]

    def at_most(self, max_active: int) -> Sparse:
        """The same with another number of features that may be active."""
        return Sparse(self.features, max_active, self.active, self.rest)

    def restricted(self, features: int) -> Sparse:
        """What its inputs look like on some of the features, when there are so many of them."""
        return Sparse(features, min(self.max_active, features), self.active, self.rest)

    def rested(self, x: Input, feature: int) -> Input:
        """The input with one of its active features at rest, where it may be at several values at the least of them."""
        pairs = {**dict(x.values), feature: Fraction(self.rest.ends[0])}
        values = tuple((j, value) for j, value in sorted(pairs.items()) if value)
        return Input(tuple(j for j in x.active if j != feature), values)

    def image(self) -> tuple[Affine, KSparse] | None:
        """Where there is one value at rest and one that is active: x = rest + (active - rest) b."""
        active, rest = self.active.only, self.rest.only
        if active is None or rest is None:
            return None
        places = np.arange(self.features, dtype=np.int32)
        weight = Rows(np.arange(self.features + 1), places, exact_array([active - rest] * self.features), self.features)
        code = Affine(weight, exact_array([rest] * self.features), False, "domain")
        return code, KSparse(self.features, self.max_active)

    def of_active(self, active: Iterable[int]) -> Input:
        """The input in which these features are active, each as an image of zeros and ones has it."""
        return self.filled(frozenset(active), {})


def _counted(features: int, levels: int, active: int = 1, rest: int = 1) -> int:
    """How many inputs have fewer than so many `levels` features active, each with so many values there and at rest."""
    total = exactly = int(rest**features)
    for on in range(1, levels):
        exactly = exactly * (features - on + 1) * active // (on * rest)
        total += exactly
    return total


class KSparse(Sparse):
    """All 0/1 inputs of `features` features with at most `max_active` of them on."""

    def __init__(self, features: int, max_active: int) -> None:
        super().__init__(features, max_active)

    def __repr__(self) -> str:
        """As it is made."""
        return f"KSparse(features={self.features}, max_active={self.max_active})"

    @property
    def size(self) -> int:
        """The number of inputs."""
        return _counted(self.features, self.levels)

    def members(self, level: int, batch: int) -> Iterator[Array]:
        """The inputs with exactly `level` active features in lexicographic order.

        Yields:
            The active features, int32 [at most `batch`, level], ascending in each row.
        """
        every = combinations(range(self.features), level)
        if level == 0:
            yield np.zeros((1, 0), dtype=np.int32)
            return
        while True:
            flat = np.fromiter(chain.from_iterable(islice(every, batch)), dtype=np.int32)
            if not flat.size:
                return
            yield flat.reshape(-1, level)

    def at_most(self, max_active: int) -> KSparse:
        """The domain of the inputs with at most `max_active` of the same features on."""
        return KSparse(self.features, max_active)

    def restricted(self, features: int) -> KSparse:
        """What the members look like on `features` of the features."""
        return KSparse(features, min(self.max_active, features))

    def of_active(self, active: Iterable[int]) -> Input:
        """The input in which these features are on."""
        return Input.on(active)
