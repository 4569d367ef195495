"""The compiled loops of repair: take a counterexample, propose a change that mends it, keep the change or not.

A counterexample is an output and a feature outside it that covers too much of its channel. Both loops keep counts, so
that a change is judged by what it touches alone. They keep one that leaves more counterexamples, too, with a
probability that falls with how many more: nothing else leads out of where every single change makes it worse.
Whenever there are none, the channels are copied to `kept`, and the last neuron is taken away.

These loops search. Whether what they find is right is decided elsewhere.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any, NamedTuple

from supercheck.base.errors import FaultError
from supercheck.decide.kernels.library import Int16, Int32, Int64, Struct, UInt8, function

BROKEN, NEURONS, KEPT = range(3)
OWN = 1 << 13
"""Stands where an output meets its own features, so that these never count; above any number of neurons here."""


class Open(NamedTuple):
    """The counterexamples that there are.

    Attributes:
        wrong: how many each output has, int64 [outputs].
        rows: the outputs that have any, in the first places.
        place: where in `rows` an output is.
        state: at BROKEN how many outputs have any, at NEURONS how many neurons are left, at KEPT how many those of
            `kept` have, or 0.
    """

    wrong: Int64
    rows: Int64
    place: Int64
    state: Int64


class Common(NamedTuple):
    """Features feed neurons, and each output owns what its two features have in common.

    Attributes:
        pairs: int64 [outputs, 2].
        starts, users: the outputs of feature f are users[starts[f] : starts[f + 1]].
        fed: 1 where a feature feeds a neuron, uint8 [neurons, features].
        missed: |T_i less A_l|, int16 [outputs, features]; 0 is a counterexample.
        kept: the latest `fed` without any.
    """

    pairs: Int64
    starts: Int64
    users: Int64
    fed: UInt8
    missed: Int16
    kept: UInt8


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

    pairs: Int64
    lists: Int64
    owners: Int32
    number: Int64
    place: Int32
    feeds: Int32
    fed: UInt8
    hit: Int16
    kept: Int64


OPEN = Struct(Open, written=Open._fields)
COMMON = Struct(Common, "outputs", "features", written=("fed", "missed", "kept"))
APART = Struct(Apart, "outputs", "features", "size", written=Apart._fields[1:])


@cache
def _mend_common() -> Any:
    numbers = (ctypes.c_int64, ctypes.c_int64, ctypes.c_double, ctypes.c_uint32)
    return function("mend_common", None, COMMON.by_reference, OPEN.by_reference, *numbers)


@cache
def _mend_apart() -> Any:
    numbers = (ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_double, ctypes.c_uint32)
    return function("mend_apart", None, APART.by_reference, OPEN.by_reference, *numbers)


def mend_common(net: Common, left: Open, least: int, moves: int, chance: float, seed: int) -> None:
    """Change which feature feeds which neuron, for so many moves or until `least` neurons are kept.

    Args:
        net: which feature feeds which neuron, and the counts that follow.
        left: the counterexamples.
        least: neurons to end with, at least 1.
        moves: how many changes may be judged.
        chance: to bear a counterexample more.
        seed: of everything random, below 2^32.

    Raises:
        FaultError: if the arrays are not what the loops take.
    """
    (neurons, features), outputs = net.fed.shape, len(net.pairs)
    shapes = [net.pairs.shape, net.missed.shape, net.kept.shape, net.starts.shape, net.users.shape]
    wanted = [(outputs, 2), (outputs, features), (neurons, features), (features + 1,), (2 * outputs,)]
    _fitting(left, shapes == wanted and least >= 1, outputs, neurons)
    struct = COMMON.of(net, outputs=outputs, features=features)
    _mend_common()(struct, OPEN.of(left), least, moves, chance, seed)


def mend_apart(net: Apart, left: Open, most: int, least: int, moves: int, chance: float, seed: int) -> None:
    """Swap neurons of channels, for so many moves or until `least` neurons are kept.

    Args:
        net: the channels, and the counts that follow.
        left: the counterexamples.
        most: how many neurons of a channel a feature outside it may hit.
        least: neurons to end with, at least a channel's size.
        moves: how many changes may be judged.
        chance: to bear a counterexample more.
        seed: of everything random, below 2^32.

    Raises:
        FaultError: if the arrays are not what the loops take.
    """
    (neurons, features), (outputs, size) = net.fed.shape, net.lists.shape
    shapes = [net.pairs.shape, net.owners.shape, net.place.shape, net.number.shape]
    shapes += [net.feeds.shape, net.hit.shape, net.kept.shape]
    wanted = [(outputs, 2), (neurons, outputs), (neurons, outputs), (neurons,)]
    wanted += [(neurons, features), (outputs, features), (outputs, size)]
    _fitting(left, shapes == wanted and max(1, size) <= least, outputs, neurons)
    struct = APART.of(net, outputs=outputs, features=features, size=size)
    _mend_apart()(struct, OPEN.of(left), most, least, moves, chance, seed)


def _fitting(left: Open, fits: bool, outputs: int, neurons: int) -> None:
    lengths = [len(part) for part in left]
    if not fits or lengths != [outputs, outputs, outputs, 3] or not 1 <= left.state[NEURONS] <= neurons:
        raise FaultError("the arrays of a repair do not fit each other")
