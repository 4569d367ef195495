"""What it costs merely to represent the features, to set beside what it costs to compute with them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import log

from supercheck.analysis.costs.floors.functions import epsilon_floor
from supercheck.base.products import product
from supercheck.network.layers import Affine
from supercheck.spec.domain import KSparse

LINDENSTRAUSS_SOURCE = "Johnson and Lindenstrauss 1984: random signs, Hoeffding's inequality and a union bound"
WELCH_SOURCE = "rank of Hadamard powers of the Gram matrix (Welch 1974, Alon 2003)"

MOST_FEATURES = 2000
"""Features of an encoder whose Gram matrix is taken."""


def coherence_allowed(max_active: int) -> Fraction:
    """The coherence below which k active unit codes are told apart by inner products: 1 / (2k - 1), 1 for k = 0.

    Source: ours. An active code answers at least 1 - (k - 1) c, an inactive one at most k c.
    """
    return Fraction(1, max(1, 2 * max_active - 1))


def dimension_enough(domain: KSparse) -> int:
    """A dimension in which m codes can have a coherence below 1 / (2k - 1).

    Returns:
        The least d > 4 ln(m) (2k - 1)^2, or m, where each feature has an axis of its own.

    Source: two random sign vectors exceed coherence c with probability at most 2 exp(-d c^2 / 2); there are fewer
    than m^2 / 2 pairs.
    """
    if domain.max_active < 1:
        return 0
    needed = int(4 * log(domain.features) / float(coherence_allowed(domain.max_active)) ** 2 * (1 + 1e-12)) + 1
    return min(domain.features, needed)


def dimension_needed(domain: KSparse) -> int:
    """The least dimension in which m codes can have a coherence below 1 / (2k - 1), rounded down.

    Codes of a larger coherence may still be told apart, in fewer dimensions.

    Source: the Gram matrix is an m x m matrix near the identity; see `functions.epsilon_floor`.
    """
    if domain.max_active < 1:
        return 0
    if domain.max_active == 1:
        return min(2, domain.features)  # no two on one line
    ratio = coherence_allowed(domain.max_active)
    return epsilon_floor(domain.features, ratio / (1 + ratio)) + 1  # e' = e / (1 - e) is the coherence


@dataclass(frozen=True)
class Code:
    """How well a fixed encoder keeps features apart.

    Attributes:
        coherence_squared: the largest squared cosine of the angle between two columns, exactly.
        margin: the least over features of (inner product with its own column where it is on, least, minus that where
            it is off, largest), in squared lengths of that column; exactly. Above 0, a threshold reads every feature.
    """

    coherence_squared: Fraction
    margin: Fraction


def code(encoder: Affine, domain: KSparse) -> Code | None:
    """How well a fixed encoder keeps the features apart; None where it is too large or has a zero column.

    Args:
        encoder: weight [network inputs, features].
        domain: the inputs.
    """
    if not 2 <= encoder.weight.width <= MOST_FEATURES or domain.max_active < 1:
        return None
    dense = encoder.weight.dense()
    gram = product(dense.T, dense)
    rows: list[list[Fraction]] = [[Fraction(value) for value in row] for row in gram.tolist()]
    lengths = [rows[i][i] for i in range(len(rows))]
    if not all(lengths):
        return None
    coherence = max(rows[i][j] ** 2 / (lengths[i] * lengths[j]) for i in range(len(rows)) for j in range(i))
    most = domain.max_active
    margins = []
    for i, row in enumerate(rows):
        others = sorted(value for j, value in enumerate(row) if j != i)
        least_on = row[i] + sum((value for value in others[: most - 1] if value < 0), Fraction(0))
        largest_off = sum((value for value in others[::-1][:most] if value > 0), Fraction(0))
        margins.append((least_on - largest_off) / row[i])
    return Code(coherence, min(margins))
