"""Counterexample-guided repair of output channels, and the search for the least number of neurons.

The search works on the closed form of `channels.margins`, one counterexample at a time. It is a heuristic: that it
finds nothing smaller says nothing about what there is, and what it finds is verified like any other network.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import ceil, isqrt, log
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from supercheck.base.matrix import Array
from supercheck.construct.channels import (
    Channels,
    alone,
    in_common,
    least_neurons,
    margins,
    owning,
    random_channels,
    thinned,
)
from supercheck.construct.random_stream import stream

if TYPE_CHECKING:
    from supercheck.construct.repair.kernels import Open

_FED = 2 / 3  # of the neurons, by each feature at first: the chance that a neuron serves is then greatest, 4/27
_BY_FEATURES, _BY_CHANNELS = 0.13, 0.02  # the chance to bear a counterexample more; measured on m' = 16 to 16,384
_CHUNK = 5_000  # moves between two looks at the clock
_BUDGETS = {True: (4_000_000, 3_000_000_000), False: (12_000_000, 8_000_000_000)}
"""At most so many moves, and moves times outputs: below a minute; by whether features change or channels."""
_EACH = 100_000  # moves for each output, at most
_SIZES = 4  # channel sizes that are tried where k > 2


@dataclass(frozen=True, eq=False)
class Searched:
    """What a search found.

    Attributes:
        channels: those with the fewest neurons that were found right, else the last that were tried.
        right: whether they are, by the closed form.
        moves: how many changes were judged.
    """

    channels: Channels
    right: bool
    moves: int


def repair(
    features: int,
    pairs: Array,
    max_active: int,
    neurons: int,
    *,
    least: int | None = None,
    size: int | None = None,
    seed: int = 0,
    moves: int | None = None,
    seconds: float | None = None,
) -> Searched:
    """Draw channels at random, and change them at their counterexamples until there are none.

    For k <= 2, unless a size is asked for, it is changed which feature feeds which neuron, and an output owns all that
    its two features have in common. Else every channel has one size, and the channel that is hit swaps a neuron for
    one that is not, or the channel that hits it does.

    Args:
        features: m.
        pairs: int64 [outputs, 2].
        max_active: k.
        neurons: n, to begin with.
        least: whenever there is no counterexample, go on with a neuron less, down to so many; None: stop at n.
        size: neurons a channel; None: whatever serves.
        seed: of everything random.
        moves: how many changes may be judged; None: as many as take well below a minute.
        seconds: how long it may take; what is found then depends on the machine, and else on the seed alone.

    Returns:
        What was found.

    Raises:
        InputError: if a channel is to have more neurons than there are.

    Source: ours. A random walk on counterexamples, as Papadimitriou's (1991) on clauses, with the acceptance rule of
    Metropolis et al. (1953). At k = 2 an output may as well own all that its features have in common: every feature
    feeds what it did, and a larger channel lies in fewer sets.
    """
    k = max(max_active, 2)
    size = sizes(k)[0] if size is None and k > 2 else size
    rng = stream(seed)
    least = neurons if least is None else max(least, size or 1)
    search = (
        _in_common(features, pairs, neurons, rng) if size is None else _apart(features, pairs, neurons, size, k, rng)
    )
    moves = _budget(len(pairs), size is None) if moves is None else moves
    end = None if seconds is None else time.monotonic() + seconds
    made = 0
    while made < moves and not 0 < search.kept() <= least and (end is None or time.monotonic() < end):
        part = min(_CHUNK, moves - made)
        search.run(least, part, (seed * 1_000_003 + made) % 2**32)
        made += part
    found = search.found()
    return Searched(found, bool((margins(found, max_active) > 0).all()), made)


def smallest(
    features: int,
    pairs: Array,
    max_active: int,
    *,
    size: int | None = None,
    seed: int = 0,
    moves: int | None = None,
    seconds: float | None = None,
) -> Searched:
    """Search the least number of neurons: repair, take a neuron away, repair again, until the moves are spent.

    It begins where random channels need no repair or little, and never goes below Sperner's floor. For k > 2 several
    sizes of channels get a part of the moves each, and the best of them the rest.

    Args:
        features: m.
        pairs: int64 [outputs, 2].
        max_active: k.
        size: neurons a channel; None: whatever serves.
        seed: as in `repair`.
        moves: as in `repair`.
        seconds: as in `repair`.

    Returns:
        Channels that are right; a neuron of its own for each output where nothing smaller is found.
    """
    if max_active < 2:  # no AND is ever on: all may own the same neuron
        return Searched(random_channels(features, pairs, 1, 1, stream(seed)), True, 0)
    outputs, k = len(pairs), max_active
    by_features = size is None and k == 2
    moves = _budget(outputs, by_features) if moves is None else moves
    search = partial(repair, features, pairs, max_active, least=least_neurons(outputs), seed=seed)
    if by_features:
        found = [search(_begin(features, outputs), moves=moves, seconds=seconds)]
    else:
        neurons = min(outputs, 16 * (k - 1) * isqrt(outputs))
        tried = [one for one in (sizes(k) if size is None else [size]) if one < neurons]
        half = None if seconds is None else seconds / 2
        part = half and half / max(1, len(tried))
        found = [search(neurons, size=one, moves=moves // 2 // len(tried), seconds=part) for one in tried]
        if best := _least(found):
            found.append(search(neurons, size=int(best.sizes[0]), moves=moves // 2, seconds=half))
    best = _least(found) or alone(features, pairs)
    return Searched(thinned(best) if k == 2 else best, True, sum(one.moves for one in found))


def _least(found: list[Searched]) -> Channels | None:
    """The right channels with the fewest neurons, None where none are right."""
    return min((one.channels for one in found if one.right), key=lambda one: one.neurons, default=None)


def _budget(outputs: int, by_features: bool) -> int:
    most, work = _BUDGETS[by_features]
    return min(most, work // outputs, _EACH * outputs)


def sizes(k: int) -> list[int]:
    """Sizes of channels worth trying: one more than k - 1 features may hit of them, each the same number."""
    return [1 + most * (k - 1) for most in range(1, _SIZES + 1)]


def _begin(features: int, outputs: int) -> int:
    """So many neurons, fed at random, leave less than one counterexample, on average."""
    return max(least_neurons(outputs), ceil(-log(outputs * features) / log(1 - _FED**2 * (1 - _FED))))


class _Search(NamedTuple):
    """A search under way.

    Attributes:
        run: goes on; takes `least`, moves, and a seed.
        kept: how many neurons the channels have that were right, 0 where none were.
        found: the channels that were right, else those that are being changed.
    """

    run: Callable[[int, int, int], None]
    kept: Callable[[], int]
    found: Callable[[], Channels]


def _in_common(features: int, pairs: Array, neurons: int, rng: np.random.RandomState) -> _Search:
    """What is changed is which feature feeds which neuron."""
    from supercheck.construct.repair.kernels import KEPT, OWN, Common, mend_common

    order = np.argsort(pairs.reshape(-1), kind="stable")
    degree = np.bincount(pairs.reshape(-1), minlength=features)
    fed = (rng.random((neurons, features)) < _FED) & (degree > 0)
    owned = in_common(features, pairs, fed.T).owned
    missed = (owned.astype(np.float32) @ (~fed).astype(np.float32)).astype(np.int16)
    np.put_along_axis(missed, pairs, OWN, axis=1)
    starts = np.concatenate([[0], np.cumsum(degree)])
    net = Common(pairs, starts, order // 2, fed.astype(np.uint8), missed, np.zeros((neurons, features), dtype=np.uint8))
    left = _open((missed == 0).sum(axis=1), neurons)

    def run(least: int, moves: int, seed: int) -> None:
        mend_common(net, left, least, moves, _BY_FEATURES, seed)

    def found() -> Channels:
        n = int(left.state[KEPT])
        return in_common(features, pairs, (net.kept[:n] if n else net.fed).T.astype(bool))

    return _Search(run, lambda: int(left.state[KEPT]), found)


def _apart(features: int, pairs: Array, neurons: int, size: int, k: int, rng: np.random.RandomState) -> _Search:
    """What is changed is which neurons each output owns."""
    from supercheck.construct.repair.kernels import KEPT, OWN, Apart, mend_apart

    begun, most, outputs = random_channels(features, pairs, neurons, size, rng), (size - 1) // (k - 1), len(pairs)
    lists = np.ascontiguousarray(np.nonzero(begun.owned)[1]).reshape(outputs, size)
    owners, place = np.zeros((neurons, outputs), dtype=np.int32), np.full((neurons, outputs), -1, dtype=np.int32)
    feeds = np.zeros((neurons, features), dtype=np.int32)
    for column in pairs.T:
        np.add.at(feeds.T, column, begun.owned.astype(np.int32))
    number = begun.owned.sum(axis=0, dtype=np.int64)
    for neuron, of_all in enumerate(begun.owned.T):
        own = np.nonzero(of_all)[0]
        owners[neuron, : len(own)], place[neuron, own] = own, np.arange(len(own))
    hit = (begun.owned.astype(np.float32) @ (feeds > 0).astype(np.float32)).astype(np.int16)
    np.put_along_axis(hit, pairs, -OWN, axis=1)
    fed = (feeds > 0).astype(np.uint8)
    net = Apart(pairs, lists, owners, number, place, feeds, fed, hit, np.zeros_like(lists))
    left = _open((hit > most).sum(axis=1), neurons)

    def run(least: int, moves: int, seed: int) -> None:
        mend_apart(net, left, most, least, moves, _BY_CHANNELS, seed)

    def found() -> Channels:
        n = int(left.state[KEPT])
        return owning(features, pairs, net.kept, n) if n else owning(features, pairs, net.lists, neurons)

    return _Search(run, lambda: int(left.state[KEPT]), found)


def _open(wrong: Array, neurons: int) -> Open:
    """The list of counterexamples, from how many each output has."""
    from supercheck.construct.repair.kernels import BROKEN, NEURONS, Open

    rows, place, state = np.zeros_like(wrong), np.zeros_like(wrong), np.zeros(3, dtype=np.int64)
    any_wrong = np.nonzero(wrong)[0]
    rows[: len(any_wrong)], place[any_wrong] = any_wrong, np.arange(len(any_wrong))
    state[BROKEN], state[NEURONS] = len(any_wrong), neurons
    return Open(wrong, rows, place, state)
