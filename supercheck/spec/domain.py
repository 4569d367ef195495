"""Input domains.

An engine asks a domain for five things and knows nothing else of it: its size, its members in order, membership,
its constraints as linear rows, and exact maxima of linear forms.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from itertools import chain, combinations, islice

import numpy as np

from supercheck.base.matrix import Array, Rows
from supercheck.base.numbers import whole


@dataclass(frozen=True)
class KSparse:
    """All 0/1 inputs of `features` features with at most `max_active` of them on."""

    features: int
    max_active: int

    def __post_init__(self) -> None:
        """Whole numbers only: `True`, "3" and 3.0 are not 3."""
        for key in ("features", "max_active"):
            object.__setattr__(self, key, whole(getattr(self, key), f"domain.{key}", 0))

    @property
    def size(self) -> int:
        """The number of inputs."""
        total = exactly = 1
        for active in range(1, self.levels):
            exactly = exactly * (self.features - active + 1) // active
            total += exactly
        return total

    @property
    def levels(self) -> int:
        """The number of different counts of active features."""
        return min(self.features, self.max_active) + 1

    def __contains__(self, active: object) -> bool:
        """Whether the set of active features belongs to the domain."""
        if not isinstance(active, Set) or len(active) > self.max_active:
            return False
        return all(isinstance(j, int) and 0 <= j < self.features for j in active)

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

    def rows(self) -> list[tuple[list[int], int]]:
        """The constraints beside x in {0, 1}: (coefficients, bound) for coefficients . x <= bound."""
        return [] if self.max_active >= self.features else [([1] * self.features, self.max_active)]

    def maxima(self, forms: Rows, on: Set[int] = frozenset(), off: Set[int] = frozenset()) -> list[int] | None:
        """The exact maximum of each linear form with some features fixed.

        Args:
            forms: integer coefficients, [forms, features].
            on: features that are on.
            off: features that are off.

        Returns:
            One integer a form; None where no member has these features so.

        Source: a linear form on the k-sparse cube is largest where its largest positive coefficients are on.
        """
        room = self.max_active - len(on)
        if room < 0:
            return None
        highest = []
        for i in range(forms.height):
            base, free = 0, []
            for j, weight in zip(*(part.tolist() for part in forms.row(i)), strict=True):
                if j in on:
                    base += weight
                elif weight > 0 and j not in off:
                    free.append(weight)
            highest.append(base + sum(sorted(free, reverse=True)[:room]))
        return highest
