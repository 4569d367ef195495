"""The construction `output-channels`: drawn at random, repaired, or repaired with as few neurons as are found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import comb

import numpy as np

from supercheck.construct.built import PAIRS, Built, Wanted
from supercheck.construct.channels import Channels, alone, least_neurons, margins, random_channels
from supercheck.construct.gated import gated, sparsity
from supercheck.construct.pairs import listed
from supercheck.construct.repairing import repair, sizes, smallest
from supercheck.errors import InputError
from supercheck.exact import Array

_QUICK = 20_000  # moves for each number of neurons on the way up
_HOPELESS = 100.0  # counterexamples to expect; what has more is not drawn
_LARGEST = 64  # neurons that a channel drawn at random is considered with


def output_channels(wanted: Wanted) -> Built:
    """Each output owns a channel of neurons ReLU(sum - 1), and is on where all of them are; `gated` has other gates.

    Guarantee: none before it is verified; `channels.margins` says in closed form which outputs are right.
    Cost: n neurons; an edge for each neuron of a channel, and one for each that a feature feeds. In the source
    n = O(sqrt(m') log m'), where no feature has more than m'^(1/4) outputs and channels are random. Channels for gates
    but AND and NAND are those for k + 1; XOR and XNOR take two neurons in place of each.
    Source: Adler and Shavit, arXiv 2409.15318, output channels; repair and the other gates are ours.
    """
    wanted.only(*PAIRS, "gate", "neurons", "channel", "repair", "smallest")
    k = sparsity(wanted.gate, wanted.max_active)
    features, pairs = listed(wanted)
    channels = chosen(features, pairs, replace(wanted, max_active=k))
    floor = least_neurons(len(pairs)) if k > 1 else 1
    made = {"neurons": channels.neurons, "no fewer neurons than": floor}
    return replace(gated(channels, wanted.gate, wanted.max_active), made=made)


def chosen(features: int, pairs: Array, wanted: Wanted) -> Channels:
    """Channels for some pairs, as a request wants them: drawn, with `repair` repaired, with `smallest` as few as found.

    Args:
        features: m.
        pairs: int64 [outputs, 2].
        wanted: its max_active, neurons, channel, seed, repair, smallest and seconds are looked at.

    Returns:
        Channels that are right by the closed form, or, where `neurons` are given, maybe some that are not.

    Raises:
        InputError: if a channel is to have more neurons than there are, or both n and the least n are asked for.
    """
    k, seed = wanted.max_active, wanted.seed
    if wanted.smallest:
        if wanted.neurons is not None:
            raise InputError(place="--neurons", expected="nothing beside --smallest", got=wanted.neurons)
        return smallest(features, pairs, k, size=wanted.channel, seed=seed, seconds=wanted.seconds).channels
    counts = _rising(len(pairs)) if wanted.neurons is None else [wanted.neurons]
    tries = _repaired(features, pairs, wanted, counts) if wanted.repair else _drawn(features, pairs, wanted, counts)
    made = alone(features, pairs)
    for made in tries:
        if (margins(made, k) > 0).all():
            return made
    return made if wanted.neurons else alone(features, pairs)


def _rising(outputs: int) -> Iterator[int]:
    """Numbers of neurons worth trying, each about a tenth above the one before, below a neuron an output."""
    neurons = least_neurons(outputs)
    while neurons < outputs:
        yield neurons
        neurons += max(1, neurons // 10)


def _repaired(features: int, pairs: Array, wanted: Wanted, counts: Iterable[int]) -> Iterator[Channels]:
    k = wanted.max_active
    moves = _QUICK if wanted.neurons is None else None
    for neurons in counts:
        for size in [wanted.channel] if wanted.channel or k <= 2 else sizes(k):
            if wanted.neurons or (size or 0) < neurons:
                yield repair(
                    features, pairs, k, neurons, size=size, seed=wanted.seed, moves=moves, seconds=wanted.seconds
                ).channels


def _drawn(features: int, pairs: Array, wanted: Wanted, counts: Iterable[int]) -> Iterator[Channels]:
    rng = np.random.default_rng(wanted.seed)
    influence, cases = int(np.bincount(pairs.reshape(-1)).max()), len(pairs) * features
    for neurons in counts:
        considered = [wanted.channel] if wanted.channel else range(1, min(neurons, _LARGEST) + 1)
        expected = {size: cases * _hit(neurons, size, influence, max(wanted.max_active, 2)) for size in considered}
        size = min(expected, key=lambda one: expected[one])
        if wanted.neurons or expected[size] <= _HOPELESS:
            yield random_channels(features, pairs, neurons, size, rng)


def _hit(neurons: int, size: int, influence: int, k: int) -> float:
    """The chance that so many random channels together hit more of another than its (k - 1)-th part may be."""
    covered = 1 - (1 - min(size / neurons, 1.0)) ** influence
    most = (size - 1) // (k - 1)
    return sum(comb(size, hit) * covered**hit * (1 - covered) ** (size - hit) for hit in range(most + 1, size + 1))
