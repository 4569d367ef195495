"""Networks in which every output owns some of the neurons: its channel. What all kinds of channels have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import count

import numpy as np

from supercheck.boolean import gate
from supercheck.construct.built import Built, claim
from supercheck.construct.counts import by_count
from supercheck.construct.layers import hidden, marked, placed, readout
from supercheck.exact import Array, Rows

_CELLS = 1 << 24  # of the overlaps that are looked at together


@dataclass(frozen=True, eq=False)
class Channels:
    """Which neurons each output owns.

    Attributes:
        features: m.
        pairs: the two features of each output, int64 [outputs, 2].
        owned: 0/1 rows [outputs, neurons]; no output without a neuron.
    """

    features: int
    pairs: Array
    owned: Rows

    @classmethod
    def of(cls, features: int, pairs: Array, places: Array, neurons: int) -> Channels:
        """Channels of one size, from the neurons of each, [outputs, c]."""
        rows = np.repeat(np.arange(len(places)), places.shape[1])
        return cls(features, pairs, marked(rows, places.reshape(-1), len(places), neurons))

    @property
    def sizes(self) -> Array:
        """How many neurons each output owns, int64 [outputs]."""
        return np.diff(self.owned.indptr)

    @property
    def heard(self) -> Rows:
        """Which features each neuron hears, 0/1 rows [neurons, features]: those of the outputs that own it."""
        rows, neurons = self.owned.row_of(), self.owned.indices.astype(np.int64)
        features = self.pairs[rows]
        return marked(np.repeat(neurons, 2), features.reshape(-1), self.owned.width, self.features)

    def crowding(self, others: int) -> Array:
        """The most that `others` other features together share with a channel: the sum of its top overlaps.

        Returns:
            int64 [outputs].
        """
        others = min(others, self.features - 2)
        total = np.zeros(len(self.pairs), dtype=np.int64)
        if others < 1:
            return total
        columns = self.heard.dense().astype(np.float32)  # small whole numbers: products of them are exact
        step = max(1, _CELLS // self.features)
        for begin in range(0, len(self.pairs), step):
            part = np.arange(begin, min(begin + step, len(self.pairs)))
            overlaps = self.owned.take(part).dense().astype(np.float32) @ columns
            overlaps[np.arange(len(part))[:, None], self.pairs[part]] = 0
            top = np.partition(overlaps, self.features - others, axis=1)[:, self.features - others :]
            total[part] = top.sum(axis=1).astype(np.int64)
        return total

    def computes(self, name: str, max_active: int) -> Array:
        """Which outputs are certainly right for a gate, bool [outputs]; for AND and NAND, which are right.

        Args:
            name: a key of `boolean.GATES`.
            max_active: k.

        Source: ours. Where a feature of the pair is on and k - 1 others, the channel's sum of ReLU(s - 1) is the sum of
        the others' overlaps with it; where neither is, it is no more. ReLU(1 - s) is 1 on what k others leave of it.
        """
        return self.crowding(others(name, max_active)) < self.sizes


def others(name: str, max_active: int) -> int:
    """How many other features may disturb a channel that is read for a gate.

    Beside one feature of the pair k - 1 others may be on; a gate that tells one on from none also has to be right with
    neither, and k others.
    """
    none, one, _ = by_count(name)
    return max(0, max_active - (none == one))


def network(channels: Channels, name: str, max_active: int, made: Mapping[str, int | str]) -> Built:
    """The network that has these channels, read for one gate.

    With s the number of features that are on of those that a neuron hears, a neuron is ReLU(s - 1) or ReLU(1 - s).
    The sum of the former over a channel is at least its size c where both of its features are on, else below it if the
    channels are good enough; the sum of the latter is 0 where one is on, else above. c times the latter and the former
    are added, or subtracted for gates that are on where one feature is. Whole numbers scale the rows so that one
    threshold reads channels of all sizes.

    Args:
        channels: whose neurons.
        name: a key of `boolean.GATES`.
        max_active: k, for the claim.
        made: what is to be told of how the channels were made.
    """
    none, one, both = by_count(name)
    scale, below = scales(channels.sizes)
    sign = 1 - 2 * one
    heard, owned = channels.heard, channels.owned
    neurons, rows = owned.width, owned.row_of()
    weight, kinds = scale[rows], []
    if both != one:
        kinds.append((1, weight))
    if none != one:
        kinds.append((-1, weight * channels.sizes[rows] if kinds else np.ones(len(rows), dtype=np.int64)))
        below = below if len(kinds) > 1 else 0
    first = [
        (heard.row_of() + neurons * part, heard.indices.astype(np.int64), kind * heard.data)
        for part, (kind, _) in enumerate(kinds)
    ]
    last = [(rows, owned.indices.astype(np.int64) + neurons * part, sign * w) for part, (_, w) in enumerate(kinds)]
    height = neurons * len(kinds)
    layers = (
        hidden(placed(first, height, channels.features), np.repeat([-kind for kind, _ in kinds], neurons)),
        readout(placed(last, len(channels.pairs), height)),
    )
    formulas = [gate(name, pair) for pair in channels.pairs.tolist()]
    at = sign * (below + Fraction(1, 2))
    return Built(layers, claim(channels.features, max_active, formulas, at), made)


def scales(sizes: Array) -> tuple[Array, int]:
    """Whole numbers by which one threshold tells full channels from those that lack one.

    Args:
        sizes: c of each channel, int64 [outputs].

    Returns:
        w int64 [outputs] and the least A with w (c - 1) <= A < w c for each.
    """
    kinds = np.unique(sizes)
    least = next(a for a in count(int(kinds[-1]) - 1) if ((a // kinds + 1) * (kinds - 1) <= a).all())
    return least // sizes + 1, least
