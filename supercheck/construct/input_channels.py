"""Input channels: a heavy feature owns neurons, in which its partners are encoded."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

import numpy as np

from supercheck.construct.built import PAIRS, Built, Wanted
from supercheck.construct.codes import family
from supercheck.construct.owned import Channels, network, others
from supercheck.construct.pairs import listed
from supercheck.exact import Array, Rows


def input_channels(wanted: Wanted) -> Built:
    """Every pair is given to one of its features, which owns neurons for its partners; a pair's channel is a code word.

    A neuron is ReLU(s - 1), s the number that is on of its owner and of the partners whose word it is in; an output is
    the sum over its word. `owned.network` says how the other gates are read. Owners are taken by how many pairs are
    left, most first, until none is.

    Guarantee: right at k, for the words of k - 1 other partners never share as much with a word as it has, counted
        as often as they do; k others for the gates that tell one feature on from none.
    Cost: for d partners n = log2 d + O(log log d) neurons at k = 2, O(k^2 log^2 d) for more, as
        `codes.family` has them; below 2 n d edges. Twice as many for XOR and XNOR.
    Source: Adler and Shavit, arXiv 2409.15318, input channels; the codes and their check ours.
    """
    wanted.only(*PAIRS, "gate")
    features, pairs = listed(wanted)
    owner = owners(features, pairs)
    channels = Channels(features, pairs, encoded(owner, others(wanted.gate, wanted.max_active)))
    return network(channels, wanted.gate, wanted.max_active, {"owners": len(np.unique(owner))})


def owners(features: int, pairs: Array) -> Array:
    """For each pair one of its features, int64 [outputs]; those with most pairs get all that are left to them."""
    mine: list[list[int]] = [[] for _ in range(features)]
    for i, pair in enumerate(pairs.tolist()):
        for j in pair:
            mine[j].append(i)
    left = [len(part) for part in mine]
    owner = np.full(len(pairs), -1, dtype=np.int64)
    queue = [(-size, j) for j, size in enumerate(left)]
    heapify(queue)
    while queue:
        size, j = heappop(queue)
        if -size != left[j]:
            heappush(queue, (-left[j], j))
            continue
        for i in mine[j]:
            if owner[i] < 0:
                owner[i] = j
                for end in pairs[i].tolist():
                    left[end] -= 1
    return owner


def encoded(owner: Array, others: int) -> Rows:
    """Channels in neurons that belong to the owners, one code word for each pair.

    Args:
        owner: of each pair, int64 [outputs].
        others: how many other words there may be at once.

    Returns:
        0/1 rows [outputs, neurons].
    """
    words: list[Array] = [np.zeros(0, dtype=np.int64)] * len(owner)
    neurons = 0
    for j in np.unique(owner):
        mine = np.flatnonzero(owner == j)
        code = family(len(mine), others) + neurons
        neurons = int(code.max()) + 1
        for i, word in zip(mine.tolist(), code, strict=True):
            words[i] = np.sort(word)
    indptr = np.concatenate([[0], np.cumsum([len(word) for word in words])])
    indices = np.concatenate(words)
    return Rows(indptr, indices.astype(np.int32), np.ones(len(indices), dtype=np.int64), neurons)
