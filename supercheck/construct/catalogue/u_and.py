"""U-AND: all ANDs of two features through one random sparse layer, which knows nothing of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from supercheck.base.errors import InputError
from supercheck.base.matrix import Array
from supercheck.construct.catalogue.output_channels import rising
from supercheck.construct.channels import Channels, alone, in_common, margins
from supercheck.construct.gates.read import gated, sparsity
from supercheck.construct.pairs import all_pairs
from supercheck.construct.random_stream import stream
from supercheck.construct.request import Built, Request, domain_of

_DRAWS = 4  # for each number of neurons
_SPARED = 2  # times the pairs: so many neurons are drawn, for some of them are left out
_MOST, _WIDEST = 512, 8192  # features and neurons: what all their pairs own and share is kept in memory


def u_and(wanted: Request) -> Built:
    """Each feature feeds each neuron ReLU(s - 1) with the same chance; an output reads all that both its features feed.

    More neurons are drawn until `channels.margins` says that every output is right; then those that it does not need
    are left out. Where that is not found with up to 8,192 neurons and twice as many as there are pairs, nor in time, or
    no fewer than one for each pair are left, each output has a neuron of its own. `gated` has other gates.

    Guarantee: right at k by the closed form; where `neurons` are given, only if a draw is.
    Cost: a feature feeds a neuron with chance p = 2/(3(k - 1)); n = O(k^3 log m) by the union bound, at k = 2 less than
        3 ln m / -ln(1 - p^2 (1 - p)) = 18.7 ln m before any is left out. Edges: p n m, and p^2 n m' at the readout.
    Source: Vaintrob, Mendel and Hanni, Toward a mathematical framework for computation in superposition, 2024, section
        1.2: polylog(m) neurons where features are inputs, right within epsilon, which is more than a threshold asks.
        Hanni, Mendel, Vaintrob and Chan, arXiv 2408.05451: O~(m^(2/3)) neurons with features in superposition. The
        closed form and leaving neurons out are ours.
    """
    wanted.only("features", "gate", "neurons", "seed")
    if wanted.features is None:
        raise InputError(place="--features", expected="how many features there are", got="none")
    for place, most, got in (("--features", _MOST, wanted.features), ("--neurons", _WIDEST, wanted.neurons or 1)):
        if got > most:
            raise InputError(place=place, expected=f"at most {most:,}", got=f"{got:,}")
    domain_of(wanted.features, wanted.max_active)
    k = sparsity(wanted.gate, wanted.max_active)
    pairs = all_pairs(wanted.features)
    channels = _sought(wanted.features, pairs, k, wanted)
    return replace(gated(channels, wanted.gate, wanted.max_active), made={"neurons": channels.neurons})


def _sought(features: int, pairs: Array, max_active: int, wanted: Request) -> Channels:
    """Channels that are right with as few neurons as are found; the last that were drawn where `neurons` are given."""
    below = rising(len(pairs), min(_SPARED * len(pairs), _WIDEST) + 1)
    counts = below if wanted.neurons is None else [wanted.neurons]
    for neurons, draw in ((neurons, draw) for neurons in counts for draw in range(_DRAWS)):
        drawn = _drawn(features, pairs, max_active, neurons, stream(wanted.seed, neurons, draw))
        right = (margins(drawn, max_active) > 0).all()
        if right:
            channels = drawn if wanted.neurons else needed(drawn, max_active)
            if wanted.neurons or channels.neurons < len(pairs):
                return channels
            break
        if wanted.clock.over:
            break
    return drawn if wanted.neurons else alone(features, pairs)


def needed(channels: Channels, max_active: int) -> Channels:
    """Channels without the neurons that no output needs: each in turn is left out unless that makes one wrong.

    Args:
        channels: right at k.
        max_active: k.
    """
    owned, fed = channels.owned, channels.fed
    others = min(max(max_active - 1, 0), channels.features - 2)
    sizes = channels.sizes
    overlaps = (owned.astype(np.float32) @ fed.T.astype(np.float32)).astype(np.int64)
    np.put_along_axis(overlaps, channels.pairs, 0, axis=1)
    kept = np.ones(channels.neurons, dtype=bool)
    for neuron in range(channels.neurons):
        mine = np.flatnonzero(owned[:, neuron])
        fewer = overlaps[mine] - fed[:, neuron]
        np.put_along_axis(fewer, channels.pairs[mine], 0, axis=1)
        top = np.sort(fewer, axis=1)[:, fewer.shape[1] - others :].sum(axis=1)
        if (top < sizes[mine] - 1).all():
            kept[neuron] = False
            sizes[mine] -= 1
            overlaps[mine] = fewer
    return Channels(channels.features, channels.pairs, owned[:, kept])


def _drawn(features: int, pairs: Array, max_active: int, neurons: int, random: np.random.RandomState) -> Channels:
    """Every feature feeds every neuron with the chance at which others hit two thirds of a channel, on average."""
    chance = 2 / (3 * max(1, max_active - 1))
    return in_common(features, pairs, random.random_sample((features, neurons)) < chance)
