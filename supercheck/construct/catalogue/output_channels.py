"""The construction `output-channels`: drawn at random, repaired, or repaired with as few neurons as are found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import comb, inf

import numpy as np

from supercheck.base.errors import InputError
from supercheck.base.matrix import Array
from supercheck.base.numbers import plural
from supercheck.construct.channels import Channels, alone, least_neurons, margins, random_channels
from supercheck.construct.gates.read import gated, sparsity
from supercheck.construct.pairs import listed
from supercheck.construct.random_stream import stream
from supercheck.construct.repair.search import repair, sizes, smallest
from supercheck.construct.request import PAIRS, Built, Request

_QUICK = 20_000  # moves for each number of neurons on the way up
_HOPE = 100.0  # counterexamples to expect; what has more is not drawn
_CELLS = 1 << 27  # features or outputs, times neurons
_LARGEST = 64  # neurons that a channel drawn at random is considered with


def output_channels(wanted: Request) -> Built:
    """Each output owns a channel of neurons ReLU(sum - 1), and is on where all of them are; `gated` has other gates.

    Guarantee: none before it is verified; `channels.margins` says in closed form which outputs are right.
    Cost: n neurons; an edge for each neuron of a channel, and one for each that a feature feeds. In the source
    n = O(sqrt(m') log m'), where no feature has more than m'^(1/4) outputs and channels are random. Channels for gates
    but AND and NAND are those for k + 1; XOR and XNOR take two neurons in place of each.
    Source: Vaintrob, Mendel and Hanni, Toward a mathematical framework for computation in superposition, 2024, targeted
        superpositional AND: a random set of neurons for each pair, and a feature feeds the sets of its pairs; Adler and
        Shavit, arXiv 2409.15318, output channels. Repair and the other gates are ours.
    """
    wanted.only(*PAIRS, "gate", "neurons", "channel", "repair", "smallest")
    k = sparsity(wanted.gate, wanted.max_active)
    features, pairs = listed(wanted)
    channels = chosen(features, pairs, replace(wanted, max_active=k))
    if wanted.channel is not None and (channels.owned.sum(axis=1) != wanted.channel).any():  # one for each output
        do = "leave it out, or say how many there shall be: --neurons N"
        expected = "a size with which fewer neurons than outputs are found"
        raise InputError(place="--channel", expected=expected, got=wanted.channel, do=do)
    floor = least_neurons(len(pairs)) if k > 1 else 1
    made = {"neurons": channels.neurons, "no fewer neurons than": floor}
    return replace(gated(channels, wanted.gate, wanted.max_active), made=made)


def chosen(features: int, pairs: Array, wanted: Request) -> Channels:
    """Channels for some pairs, as a request wants them: drawn, with `repair` repaired, with `smallest` as few as found.

    Args:
        features: m.
        pairs: int64 [outputs, 2].
        wanted: its max_active, neurons, channel, seed, repair, smallest and clock are looked at.

    Returns:
        Channels that are right by the closed form, or, where `neurons` are given, maybe some that are not.

    Raises:
        InputError: if a channel is to have more neurons than there are, both n and the least n are asked for, or they
            are too many.
    """
    k, seed = wanted.max_active, wanted.seed
    if wanted.smallest:
        if wanted.neurons is not None:
            raise InputError(place="--neurons", expected="nothing beside --smallest", got=wanted.neurons)
        return smallest(features, pairs, k, size=wanted.channel, seed=seed, seconds=wanted.clock.left).channels
    most = _CELLS // max(features, len(pairs))
    if (wanted.neurons or 1) > most:
        expected = f"at most {most:,} for {features:,} features and {plural(len(pairs), 'output')}"
        raise InputError(place="--neurons", expected=expected, got=f"{wanted.neurons:,}")
    below = rising(len(pairs), min(len(pairs), most + 1), wanted.channel or 1)
    counts = below if wanted.neurons is None else [wanted.neurons]
    if wanted.repair:
        tries = _repaired(features, pairs, wanted, counts)
    else:
        hope = _HOPE if wanted.neurons is None else inf
        tries = draws(features, pairs, k, counts, size=wanted.channel, hope=hope, seed=seed)
    made = None
    for made in tries:
        if (margins(made, k) > 0).all():
            return made
        if wanted.clock.over:
            break
    return made if made and wanted.neurons else alone(features, pairs)


def rising(outputs: int, below: float = inf, least: int = 1) -> Iterator[int]:
    """Numbers of neurons worth trying, each about a sixteenth above the one before.

    Args:
        outputs: m'; no fewer than counting allows for them are tried.
        below: only smaller numbers are tried.
        least: only numbers from here on are tried.
    """
    neurons = max(least, least_neurons(outputs))
    while neurons < below:
        yield neurons
        neurons += max(1, neurons // 16)


def draws(
    features: int,
    pairs: Array,
    max_active: int,
    counts: Iterable[int],
    *,
    size: int | None = None,
    hope: float = _HOPE,
    seed: int = 0,
) -> Iterator[Channels]:
    """Random channels with so many neurons each, where there is hope that they are right.

    Args:
        features: m.
        pairs: int64 [outputs, 2].
        max_active: k.
        counts: numbers of neurons.
        size: neurons a channel; None: what leaves the fewest counterexamples to expect.
        hope: how many counterexamples may be expected, where no size is given.
        seed: of what is drawn.
    """
    rng = stream(seed)
    influence, cases = int(np.bincount(pairs.reshape(-1)).max()), len(pairs) * features
    for neurons in counts:
        if size is not None:
            yield random_channels(features, pairs, neurons, size, rng)
            continue
        considered = range(1, min(neurons, _LARGEST) + 1)
        expected = {one: cases * _hit(neurons, one, influence, max(max_active, 2)) for one in considered}
        best = min(expected, key=lambda one: expected[one])
        if expected[best] <= hope:
            yield random_channels(features, pairs, neurons, best, rng)


def _repaired(features: int, pairs: Array, wanted: Request, counts: Iterable[int]) -> Iterator[Channels]:
    k = wanted.max_active
    moves = _QUICK if wanted.neurons is None else None
    for neurons in counts:
        for size in [wanted.channel] if wanted.channel or k <= 2 else sizes(k):
            if wanted.neurons or (size or 0) < neurons:
                left = wanted.clock.left
                yield repair(
                    features, pairs, k, neurons, size=size, seed=wanted.seed, moves=moves, seconds=left
                ).channels


def _hit(neurons: int, size: int, influence: int, k: int) -> float:
    """The chance that so many random channels together hit more of another than its (k - 1)-th part may be."""
    covered = 1 - (1 - min(size / neurons, 1.0)) ** influence
    most = (size - 1) // (k - 1)
    return sum(comb(size, hit) * covered**hit * (1 - covered) ** (size - hit) for hit in range(most + 1, size + 1))
