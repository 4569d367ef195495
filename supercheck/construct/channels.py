"""Output channels: what each output owns, and in closed form whether that is right.

Output i, the AND of a pair of features, owns a channel T_i of neurons. A feature l feeds A_l, the channels of all its
outputs; a neuron is ReLU(sum - 1), so one feature alone lights none. Where both features of i are on, all of T_i is;
where they are not, |T_i and A_l| bounds how much a feature l outside i adds beside one of them.

Source: Vaintrob, Mendel and Hanni 2024, targeted superpositional AND; Adler and Shavit, arXiv 2409.15318, output
channels; the closed form is ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import comb, isqrt

import numpy as np

from supercheck.base.errors import InputError
from supercheck.base.matrix import Array

READ_AT = Fraction(1, 2)
"""An output is 1 where its channel is full, and at most 0 where it is not, whatever the channel's size."""

_CELLS = 1 << 24  # overlaps at a time
_TABLE = 1 << 30  # outputs times neurons, where each output has its own


@dataclass(frozen=True, eq=False)
class Channels:
    """Which neurons each output owns.

    Attributes:
        features: m.
        pairs: each output's two features, int64 [outputs, 2].
        owned: whether an output owns a neuron, bool [outputs, neurons].
    """

    features: int
    pairs: Array
    owned: Array

    @property
    def neurons(self) -> int:
        """How many neurons there are."""
        return int(self.owned.shape[1])

    @property
    def sizes(self) -> Array:
        """|T_i|, int64 [outputs]."""
        sizes: Array = self.owned.sum(axis=1, dtype=np.int64)
        return sizes

    @cached_property
    def fed(self) -> Array:
        """A_l: whether a feature feeds a neuron, bool [features, neurons]."""
        fed = np.zeros((self.features, self.neurons), dtype=bool)
        for column in self.pairs.T:
            np.logical_or.at(fed, column, self.owned)
        return fed


def owning(features: int, pairs: Array, lists: Array, neurons: int) -> Channels:
    """Channels of one size, from the neurons that each output owns, int64 [outputs, size]."""
    owned = np.zeros((len(pairs), neurons), dtype=bool)
    np.put_along_axis(owned, lists, True, axis=1)
    return Channels(features, pairs, owned)


def alone(features: int, pairs: Array) -> Channels:
    """A neuron of its own for each output; it is right at every k.

    Raises:
        InputError: if there are too many outputs for a table of what each owns.
    """
    if len(pairs) ** 2 > _TABLE:
        expected = f"at most {isqrt(_TABLE):,} where no fewer neurons than outputs are found"
        do = "build one-per-gate, or allow more time"
        raise InputError(place="--outputs", expected=expected, got=f"{len(pairs):,}", do=do)
    return Channels(features, pairs, np.eye(len(pairs), dtype=bool))


def random_channels(features: int, pairs: Array, neurons: int, size: int, rng: np.random.RandomState) -> Channels:
    """Channels of one size, each drawn at random: the construction as the source has it.

    Raises:
        InputError: if a channel is to have more neurons than there are.
    """
    if size > neurons:
        raise InputError(place="--channel", expected=f"at most {neurons:,}, the number of neurons", got=size)
    lists = np.argpartition(rng.random((len(pairs), neurons)), size - 1, axis=1)[:, :size]
    return owning(features, pairs, lists, neurons)


def in_common(features: int, pairs: Array, fed: Array) -> Channels:
    """Each output owns all neurons that both of its features feed, the most that it may.

    Args:
        features: m.
        pairs: int64 [outputs, 2].
        fed: bool [features, neurons]. A neuron that a feature shares with none of its partners it does not feed.
    """
    return Channels(features, pairs, fed[pairs[:, 0]] & fed[pairs[:, 1]])


def margins(channels: Channels, max_active: int) -> Array:
    """How far each output is from being wrong: it is right iff its figure is above 0.

    It is |T_i| less the sum of the k - 1 greatest overlaps |T_i and A_l| over features l outside i. The greatest value
    of output i where it should be off is 1 less this figure: one of its features lights as much of T_i as others cover.

    Args:
        channels: of all outputs.
        max_active: k.

    Returns:
        int64 [outputs].

    Source: ours. With one of i's features on, a neuron of T_i holds as many as there are others that feed it; with
    none, one less than that, so the sum over T_i is at most that of all but one of them.
    """
    others = min(max(max_active - 1, 0), channels.features)
    found = [channels.sizes[:0]]
    for overlap, sizes in _overlaps(channels):
        overlap.partition(min(channels.features - others, channels.features - 1), axis=1)
        found.append(sizes - overlap[:, channels.features - others :].sum(axis=1))
    return np.concatenate(found)


def thinned(channels: Channels) -> Channels:
    """Each channel without what it can spare at k = 2: no other feature feeds all of what is left.

    It costs no neurons, and spares edges.

    Source: ours; a set that meets all that it has to, less what it meets them without.
    """
    owned, fed = channels.owned.copy(), channels.fed
    step = max(1, _CELLS // max(1, channels.features))
    for start in range(0, len(owned), step):
        part = owned[start : start + step]
        missed = part.astype(np.float32) @ (~fed.T).astype(np.float32)  # |T_i less A_l|
        np.put_along_axis(missed, channels.pairs[start : start + step], np.inf, axis=1)
        for neuron in range(channels.neurons):
            needs = ~fed[:, neuron]
            spared = part[:, neuron] & (part.sum(axis=1) > 1) & (missed[:, needs] > 1).all(axis=1)
            missed[np.ix_(spared, needs)] -= 1
            part[spared, neuron] = False
    return replace(channels, owned=owned)


def least_neurons(outputs: int) -> int:
    """The least n with which any such network may be right for k >= 2: C(n, n/2) >= m'.

    Source: Sperner (1928). No channel lies in another: an output j has a feature outside i, which feeds all of T_j.
    """
    return next(n for n in range(1, outputs + 1) if comb(n, n // 2) >= outputs)


def _overlaps(channels: Channels) -> Iterator[tuple[Array, Array]]:
    """|T_i and A_l|, int64 [some outputs, features], 0 where l is one of i's own; and |T_i|. Some outputs at a time."""
    fed = channels.fed.T.astype(np.float32)  # whole numbers far below 2^24 are exact
    step = max(1, _CELLS // max(1, channels.features))
    for start in range(0, len(channels.owned), step):
        part = slice(start, start + step)
        overlap = (channels.owned[part].astype(np.float32) @ fed).astype(np.int64)
        overlap[np.arange(len(overlap))[:, None], channels.pairs[part]] = 0
        yield overlap, channels.sizes[part]
