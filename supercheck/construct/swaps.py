"""Channels that are drawn at random, then changed neuron by neuron until no few other features crowd one."""

from __future__ import annotations

import time
from math import log2, sqrt

import numpy as np

from supercheck.construct.chance import stream
from supercheck.construct.owned import Channels
from supercheck.exact import Array, Rows

_PATIENCE = 12  # sweeps without fewer crowded channels than ever before, then it is given up
_DRAWS = 2  # for each number of neurons


def fewest(
    pairs: Array,
    others: int,
    seed: int,
    neurons: int | None = None,
    channel: int | None = None,
    seconds: float | None = None,
) -> Rows | None:
    """Channels of one size on few neurons such that `others` other features never share as much with one as it has.

    It begins with about sqrt(m') log2(m') / 4 neurons for each other feature, takes more until channels settle, then
    fewer until they do not; a neuron for each output, which always does, is the last resort.

    Args:
        pairs: int64 [outputs, 2].
        others: how many other features.
        seed: where chance comes from; every number of neurons has its own.
        neurons: n, where it is given.
        channel: c, where it is given; else about log2(m').
        seconds: after how many no further number of neurons is tried.

    Returns:
        0/1 rows [outputs, neurons]; None if n is given and does not do.
    """
    begun, count = time.monotonic(), len(pairs)
    names, inverse = np.unique(pairs, return_inverse=True)
    named = inverse.reshape(pairs.shape)
    size = channel or max(1, round(log2(count)))

    def attempt(n: int) -> Rows | None:
        if channel is None and n >= count:
            return Rows(np.arange(count + 1), np.arange(count, dtype=np.int32), np.ones(count, dtype=np.int64), n)
        draws = (settled(len(names), named, others, n, min(size, n), stream(seed, n, draw)) for draw in range(_DRAWS))
        return next((found.owned for found in draws if found is not None), None)

    if neurons is not None:
        return attempt(neurons)
    n, least, climbing = round(max(1, others) * sqrt(count) * log2(count) / 4), None, False
    n = max(1, min(count, max(size, n)))
    while True:
        found = attempt(n)
        if found is None and least is not None:
            return least
        if found is None:
            climbing, n = True, n * 5 // 4 + 1
            n = n if channel else min(n, count)
        else:
            least = found
            if climbing or n == 1 or (seconds is not None and time.monotonic() - begun > seconds):
                return least
            n = n * 7 // 8


def settled(
    features: int, pairs: Array, others: int, neurons: int, channel: int, random: np.random.RandomState
) -> Channels | None:
    """Channels of one size such that `others` other features never share as much with one as it has.

    As long as some channel is crowded, each crowded one exchanges the neuron that those which crowd it feed most for
    one that they feed least; of such, for one that its own two features feed already, which crowds nobody.

    Args:
        features: m.
        pairs: int64 [outputs, 2].
        others: how many other features.
        neurons: n.
        channel: c, how many neurons an output owns.
        random: where chance comes from.

    Returns:
        The channels; None if it came to an end with some still crowded.

    Source: ours.
    """
    others = min(others, features - 2)
    count = len(pairs)
    places = np.argsort(random.random_sample((count, neurons)), axis=1)[:, :channel]
    owned = np.zeros((count, neurons), dtype=bool)
    owned[np.arange(count)[:, None], places] = True
    uses = np.zeros((neurons, features), dtype=np.int64)  # for how many of its outputs a feature feeds a neuron
    for end in pairs.T:
        np.add.at(uses.T, end, owned)
    fewest, waited = count + 1, 0
    while waited < _PATIENCE:
        channels = Channels(features, pairs, Rows.from_dense(owned.astype(np.int64)))
        crowded = np.flatnonzero(channels.crowding(others) >= channel)
        if not len(crowded):
            return channels
        waited = 0 if len(crowded) < fewest else waited + 1
        fewest = min(fewest, len(crowded))
        for i in random.permutation(crowded).tolist():
            _swap(owned[i], uses, pairs[i], others, random)
    return None


def _swap(mine: Array, uses: Array, pair: Array, others: int, random: np.random.RandomState) -> None:
    """Exchange one neuron of a channel, if it is still crowded."""
    own = np.flatnonzero(mine)
    overlaps = np.count_nonzero(uses[own], axis=0)
    overlaps[pair] = 0
    top = np.argpartition(overlaps, len(overlaps) - others)[len(overlaps) - others :]
    if overlaps[top].sum() < len(own) or len(own) == len(mine):
        return
    if others == 1:
        heard, new, chance = uses[:, top[0]] > 0, 0.3, 0.25
    else:
        heard, new, chance = (uses > 0) @ np.exp2(overlaps - overlaps[top].max()), 0.05, 0.05
    heard = heard / heard.max()
    drawn = chance * random.random_sample(len(mine))
    away = own[np.argmax((heard + drawn)[own])]
    cost = heard + new * np.count_nonzero(uses[:, pair] == 0, axis=1) + drawn
    cost[own] = np.inf
    taken = int(np.argmin(cost))
    mine[away], mine[taken] = False, True
    uses[away, pair] -= 1
    uses[taken, pair] += 1
