"""The compiled loops of repair: take a counterexample, propose a change that mends it, keep the change or not.

A counterexample is an output and a feature outside it that covers too much of its channel. Both loops keep counts, so
that a change is judged by what it touches alone. They keep one that leaves more counterexamples, too, with a
probability that falls with how many more: nothing else leads out of where every single change makes it worse.
Whenever there are none, the channels are copied to `kept`, and the last neuron is taken away.

These loops search. Whether what they find is right is decided elsewhere.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from supercheck.base.matrix import Array
from supercheck.decide.kernels.arrays import compiled, entry_point

BROKEN, NEURONS, KEPT = range(3)
OWN = 1 << 13
"""Stands where an output meets its own features, so that these never count; above any number of neurons here."""

_TRIES = 64  # for a neuron that is free


class Open(NamedTuple):
    """The counterexamples that there are.

    Attributes:
        wrong: how many each output has, int64 [outputs].
        rows: the outputs that have any, in the first places.
        place: where in `rows` an output is.
        state: at BROKEN how many outputs have any, at NEURONS how many neurons are left, at KEPT how many those of
            `kept` have, or 0.
    """

    wrong: Array
    rows: Array
    place: Array
    state: Array


class Common(NamedTuple):
    """Features feed neurons, and each output owns what its two features have in common.

    Attributes:
        pairs: int64 [outputs, 2].
        starts, users: the outputs of feature f are users[starts[f] : starts[f + 1]].
        fed: 1 where a feature feeds a neuron, uint8 [neurons, features].
        missed: |T_i less A_l|, int16 [outputs, features]; 0 is a counterexample.
        kept: the latest `fed` without any.
    """

    pairs: Array
    starts: Array
    users: Array
    fed: Array
    missed: Array
    kept: Array


class Apart(NamedTuple):
    """Each output owns a list of neurons, all of one length.

    Attributes:
        pairs: int64 [outputs, 2].
        lists: int64 [outputs, size].
        owners, number: the outputs that own neuron t are owners[t, :number[t]].
        place: where in `owners[t]` output i is, or -1, int32 [neurons, outputs].
        feeds: how many of a feature's outputs own a neuron, int32 [neurons, features].
        fed: 1 where that is not 0, uint8.
        hit: |T_i and A_l|, int16 [outputs, features]; more than `most` is a counterexample.
        kept: the latest `lists` without any.
    """

    pairs: Array
    lists: Array
    owners: Array
    number: Array
    place: Array
    feeds: Array
    fed: Array
    hit: Array
    kept: Array


@compiled
def note(left: Open, i: int, more: int) -> None:
    """Output i has so many more counterexamples."""
    before = left.wrong[i]
    left.wrong[i] = before + more
    count = left.state[BROKEN]
    if before == 0 and more:
        left.rows[count], left.place[i] = i, count
        left.state[BROKEN] = count + 1
    elif before and before + more == 0:
        last = left.rows[count - 1]
        left.rows[left.place[i]], left.place[last] = last, left.place[i]
        left.state[BROKEN] = count - 1


@compiled
def keep(now: Array, kept: Array, rows: int) -> None:
    """Copy the first rows."""
    for row in range(rows):
        for column in range(now.shape[1]):
            kept[row, column] = now[row, column]


@compiled
def allowed(chance: float) -> int:
    """How many counterexamples a change may add: d or more with probability chance^d."""
    most = 0
    while np.random.random() < chance:
        most += 1
    return most


@compiled
def flipped(net: Common, f: int, t: int, limit: int) -> int:
    """How many more counterexamples there are if f feeds t where it does not, or the reverse; cut short above a limit.

    What it mends is counted before what it breaks.
    """
    more = 0
    if net.fed[t, f]:
        for j in range(len(net.pairs)):
            if net.fed[t, net.pairs[j, 0]] & net.fed[t, net.pairs[j, 1]]:
                more -= net.missed[j, f] == 0
        for p in range(net.starts[f], net.starts[f + 1]):
            j = net.users[p]
            if net.fed[t, net.pairs[j, 0] + net.pairs[j, 1] - f]:
                for other in range(net.fed.shape[1]):
                    more += (net.fed[t, other] == 0) & (net.missed[j, other] == 1)
                if more > limit:
                    break
    else:
        for p in range(net.starts[f], net.starts[f + 1]):
            j = net.users[p]
            if net.fed[t, net.pairs[j, 0] + net.pairs[j, 1] - f]:
                for other in range(net.fed.shape[1]):
                    more -= (net.fed[t, other] == 0) & (net.missed[j, other] == 0)
        for j in range(len(net.pairs)):
            if net.fed[t, net.pairs[j, 0]] & net.fed[t, net.pairs[j, 1]]:
                more += net.missed[j, f] == 1
                if more > limit:
                    break
    return more


@compiled
def give(net: Common, left: Open, j: int, t: int, by: int) -> None:
    """Neuron t joins channel j (by = 1) or leaves it (by = -1); which features feed it stays."""
    more = 0
    for other in range(net.fed.shape[1]):
        free = net.fed[t, other] == 0
        was = net.missed[j, other]
        net.missed[j, other] = was + free * by
        more += free & (was + by == 0)
        more -= free & (was == 0)
    note(left, j, more)


@compiled
def flip(net: Common, left: Open, f: int, t: int) -> None:
    """Have f feed t where it does not, or the reverse."""
    by = -1 if net.fed[t, f] else 1
    net.fed[t, f] = 1
    for p in range(net.starts[f], net.starts[f + 1]):
        j = net.users[p]
        if net.fed[t, net.pairs[j, 0] + net.pairs[j, 1] - f]:
            give(net, left, j, t, by)
    for j in range(len(net.pairs)):
        a, b = net.pairs[j, 0], net.pairs[j, 1]
        if net.fed[t, a] & net.fed[t, b] and a != f and b != f:
            was = net.missed[j, f]
            net.missed[j, f] = was - by
            note(left, j, (was - by == 0) - (was == 0))
    net.fed[t, f] = by == 1


@compiled
def lose(net: Common, left: Open) -> None:
    """Take away the last neuron."""
    t = left.state[NEURONS] - 1
    left.state[NEURONS] = t
    for j in range(len(net.pairs)):
        if net.fed[t, net.pairs[j, 0]] & net.fed[t, net.pairs[j, 1]]:
            give(net, left, j, t, -1)


@compiled
def wanting(net: Common, i: int, other: int, t: int) -> int:
    """A feature that keeps t from being in channel i and not fed by the other feature; one of several at random."""
    first = np.random.randint(3)
    for step in range(3):
        which = (first + step) % 3
        f = other if which == 2 else net.pairs[i, which]
        if net.fed[t, f] == (which == 2):
            return int(f)
    return -1  # none: no counterexample


@entry_point
def mend_common(net: Common, left: Open, least: int, moves: int, chance: float, seed: int) -> None:
    """Change which feature feeds which neuron, for so many moves or until `least` neurons are kept."""
    np.random.seed(seed)
    for _ in range(moves):
        while left.state[BROKEN] == 0:
            n = left.state[NEURONS]
            keep(net.fed, net.kept, n)
            left.state[KEPT] = n
            if n <= least:
                return
            lose(net, left)
        i = left.rows[np.random.randint(left.state[BROKEN])]
        other = np.random.randint(net.fed.shape[1])
        while net.missed[i, other]:
            other = other + 1 if other + 1 < net.fed.shape[1] else 0
        t = np.random.randint(left.state[NEURONS])
        f, limit = wanting(net, i, other, t), allowed(chance)
        if flipped(net, f, t, limit) <= limit:
            flip(net, left, f, t)


@compiled
def swapped(net: Apart, most: int, i: int, t: int, new: int, limit: int) -> int:
    """How many more counterexamples there are if output i owns `new` in place of t; cut short above a limit."""
    more = 0
    for other in range(net.fed.shape[1]):
        was = net.hit[i, other]
        more += was + net.fed[new, other] - net.fed[t, other] > most
        more -= was > most
    for q in range(2):
        f = net.pairs[i, q]
        if net.feeds[t, f] == 1:  # f no longer covers t
            for p in range(net.number[t]):
                j = net.owners[t, p]
                stays = net.place[new, j] >= 0 and net.feeds[new, f] == 0
                more -= net.hit[j, f] == most + 1 and not stays
    for q in range(2):
        f = net.pairs[i, q]
        if net.feeds[new, f] == 0:  # f now covers `new`
            for p in range(net.number[new]):
                j = net.owners[new, p]
                stays = net.place[t, j] >= 0 and net.feeds[t, f] == 1
                more += net.hit[j, f] == most and not stays
            if more > limit:
                break
    return more


@compiled
def cover(net: Apart, left: Open, most: int, j: int, f: int, by: int) -> None:
    """Feature f covers one neuron of channel j more (by = 1) or less (by = -1)."""
    was = net.hit[j, f]
    net.hit[j, f] = was + by
    note(left, j, (was + by > most) - (was > most))


@compiled
def own(net: Apart, left: Open, most: int, i: int, t: int, by: int) -> None:
    """Output i comes to own neuron t (by = 1), or gives it up (by = -1)."""
    more = 0
    for other in range(net.fed.shape[1]):
        was = net.hit[i, other]
        net.hit[i, other] = was + net.fed[t, other] * by
        more += (was + net.fed[t, other] * by > most) - (was > most)
    note(left, i, more)
    if by == 1:
        net.owners[t, net.number[t]], net.place[t, i] = i, net.number[t]
        net.number[t] += 1
    else:
        net.number[t] -= 1
        last = net.owners[t, net.number[t]]
        net.owners[t, net.place[t, i]], net.place[t, last] = last, net.place[t, i]
        net.place[t, i] = -1
    for q in range(2):
        f = net.pairs[i, q]
        net.feeds[t, f] += by
        if net.feeds[t, f] == (by == 1):
            net.fed[t, f] = by == 1
            for p in range(net.number[t]):
                cover(net, left, most, net.owners[t, p], f, by)
        net.hit[i, f] = -OWN


@compiled
def swap(net: Apart, left: Open, most: int, i: int, t: int, new: int) -> None:
    """Output i owns `new` in place of t."""
    own(net, left, most, i, t, -1)
    own(net, left, most, i, new, 1)
    q = 0
    while net.lists[i, q] != t:
        q += 1
    net.lists[i, q] = new


@compiled
def drop(net: Apart, left: Open, most: int) -> None:
    """Take away the last neuron; its owners own another instead."""
    t = left.state[NEURONS] - 1
    left.state[NEURONS] = t
    while net.number[t]:
        i, new = net.owners[t, 0], np.random.randint(t)
        while net.place[new, i] >= 0:
            new = np.random.randint(t)
        swap(net, left, most, i, t, new)


@entry_point
def mend_apart(net: Apart, left: Open, most: int, least: int, moves: int, chance: float, seed: int) -> None:
    """Swap neurons of channels, for so many moves or until `least` neurons, at least a channel's size, are kept."""
    np.random.seed(seed)
    size = net.lists.shape[1]
    for _ in range(moves):
        while left.state[BROKEN] == 0:
            keep(net.lists, net.kept, len(net.lists))
            left.state[KEPT] = left.state[NEURONS]
            if left.state[NEURONS] <= least:
                return
            drop(net, left, most)
        i = left.rows[np.random.randint(left.state[BROKEN])]
        other = np.random.randint(net.fed.shape[1])
        while net.hit[i, other] <= most:
            other = other + 1 if other + 1 < net.fed.shape[1] else 0
        q = np.random.randint(size)
        while net.fed[net.lists[i, q], other] == 0:
            q = q + 1 if q + 1 < size else 0
        t, changed = net.lists[i, q], i
        if np.random.random() < 0.5:  # the other feature's channel gives up the neuron that they share, not this one
            p = np.random.randint(net.number[t])
            while net.pairs[net.owners[t, p], 0] != other and net.pairs[net.owners[t, p], 1] != other:
                p = p + 1 if p + 1 < net.number[t] else 0
            changed = net.owners[t, p]
        for _try in range(_TRIES):
            new = np.random.randint(left.state[NEURONS])
            taken = net.place[new, i] >= 0 or net.place[new, changed] >= 0
            if not taken and (changed != i or net.fed[new, other] == 0):
                limit = allowed(chance)
                if swapped(net, most, changed, t, new, limit) <= limit:
                    swap(net, left, most, changed, t, new)
                break
