"""Input channels: a heavy feature owns neurons, in which its partners are encoded."""

from __future__ import annotations

from dataclasses import replace
from heapq import heapify, heappop, heappush
from itertools import combinations, count, islice
from math import comb

import numpy as np

from supercheck.base.matrix import Array
from supercheck.construct.channels import Channels
from supercheck.construct.designs import systematic
from supercheck.construct.gates.read import gated, sparsity
from supercheck.construct.pairs import listed
from supercheck.construct.request import PAIRS, Built, Request


def input_channels(wanted: Request) -> Built:
    """Every pair is given to one of its features, which owns neurons for its partners; a pair's channel is a code word.

    A neuron is ReLU(s - 1), s the number that is on of its owner and of the partners whose word it is in; an output is
    the sum over its word. `gated` has the other gates. Owners are taken by how many pairs are
    left, most first, until none is.

    Guarantee: right at k, for the words of k - 1 other partners never share as much with a word as it has, counted
        as often as they do; k others for the gates that tell one feature on from none.
    Cost: for d partners n = log2 d + O(log log d) neurons at k = 2, O(k^2 log^2 d) for more, as
        `family` has them; below 2 n d edges. Twice as many for XOR and XNOR.
    Source: Adler and Shavit, arXiv 2409.15318, input channels; the codes and their check ours.
    """
    wanted.only(*PAIRS, "gate")
    features, pairs = listed(wanted)
    owner = owners(features, pairs)
    channels = Channels(features, pairs, encoded(owner, sparsity(wanted.gate, wanted.max_active)))
    return replace(gated(channels, wanted.gate, wanted.max_active), made={"owners": len(np.unique(owner))})


def owners(features: int, pairs: Array, able: Array | None = None) -> Array:
    """For each pair one of its features, int64 [outputs]; those with most pairs get all that are left to them.

    Args:
        features: m.
        pairs: int64 [outputs, 2].
        able: which features may own any, bool [features], at least one of every pair; None for all.
    """
    mine: list[list[int]] = [[] for _ in range(features)]
    for i, pair in enumerate(pairs.tolist()):
        for j in pair:
            mine[j].append(i)
    left = [len(part) for part in mine]
    owner = np.full(len(pairs), -1, dtype=np.int64)
    queue = [(-size, j) for j, size in enumerate(left) if able is None or able[j]]
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


def encoded(owner: Array, max_active: int) -> Array:
    """Channels in neurons that belong to the owners, one code word for each pair.

    Args:
        owner: of each pair, int64 [outputs].
        max_active: k, for AND.

    Returns:
        Whether an output owns a neuron, bool [outputs, neurons].
    """
    parts = [np.flatnonzero(owner == j) for j in np.unique(owner)]
    codes = [family(len(part), max(0, max_active - 1)) for part in parts]
    ends = np.cumsum([int(code.max()) + 1 for code in codes])
    owned = np.zeros((len(owner), int(ends[-1])), dtype=bool)
    for part, code, end in zip(parts, codes, ends.tolist(), strict=True):
        owned[part[:, None], code + (end - int(code.max()) - 1)] = True
    return owned


def family(sets: int, others: int) -> Array:
    """Sets of equal size such that a set shares fewer points than it has with `others` others together.

    Args:
        sets: d, how many.
        others: how many other sets there may be at once.

    Returns:
        Points int64 [d, c], numbered from 0 without a gap; on as few points as is known here.

    Source: one other: Sperner, Mathematische Zeitschrift 27 (1928); no family has fewer points. More: the columns of
    `designs.systematic`, of more than o times `others` ones each, two of which share at most o.
    """
    if others < 1:
        return np.zeros((sets, 1), dtype=np.int64)
    if others == 1:
        points = next(n for n in count(1) if comb(n, n // 2) >= sets)
        size = next(c for c in count(1) if comb(points, c) >= sets)
        return np.array(list(islice(combinations(range(points), size), sets)), dtype=np.int64)
    best = min((matrix for matrix, _ in systematic(sets, others)), key=len)
    return np.nonzero(best.T)[1].reshape(sets, -1).astype(np.int64)
