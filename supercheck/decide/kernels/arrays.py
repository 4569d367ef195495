"""What the compiled loops work on: flat arrays, no objects, as kernels.h has them.

Nothing in C allocates or decides on types. The rules are those of certificate/README.md; `flatten.py` says why doubles
may be trusted.
"""

from __future__ import annotations

from typing import NamedTuple

from supercheck.base.errors import FaultError
from supercheck.decide.kernels.library import Float64, Int8, Int64, Struct, UInt32, UInt64

SLOPES = 4096.0  # slopes are multiples of 2^-Q, Q = 12
PROVED, REFUTED, OPEN = 0, 1, 2
WRAP = 2.0**61  # what is this close to a goal is told apart by its lowest 64 bits


class Flat(NamedTuple):
    """A network as flat arrays. Rows are numbered through: the hidden layers', then the outputs'.

    Attributes:
        starts: the first row of each layer, the outputs' too; then the number of rows.
        indptr: where each row's entries begin.
        cols: of a first-layer row features, of the others rows of the layer below; ascending.
        vals: the integers as doubles.
        lows: the integers modulo 2^64, uint64.
        bias, bias_lows: the same of each row's bias; 0 for outputs.
        order_cols, order_vals: the entries of the first layer's rows by value, greatest first.
        slack: for each row how far a computed value may be from the exact one; 0 where doubles are exact.
        bits: for each output, |w . h| < 2^(bits - 1).
    """

    starts: Int64
    indptr: Int64
    cols: UInt32
    vals: Float64
    lows: UInt64
    bias: Float64
    bias_lows: UInt64
    order_cols: UInt32
    order_vals: Float64
    slack: Float64
    bits: Int64


class Cases(NamedTuple):
    """The cases of one shape: positions in the support that are on, and off, one case after the other.

    Attributes:
        values: the function's value in each case, 0 or 1.
        on_count: how many features are on in each.
        on_ends, off_ends: where each case's positions end.
        on_positions, off_positions: the positions.
        fixed: whether every case fixes the whole support.
    """

    values: Int64
    on_count: Int64
    on_ends: Int64
    off_ends: Int64
    on_positions: Int64
    off_positions: Int64
    fixed: bool


class Scratch(NamedTuple):
    """One thread's working memory. `form`, `middle`, `state` and `met` are zero between uses.

    Attributes:
        form: coefficient of each feature.
        state: whether each feature is free, on or off.
        middle: coefficient of each hidden row.
        up, lift, down: h <= up z + lift and h >= down z for each hidden row.
        value, low: of each hidden row, after ReLU, on one input.
        met: whether a hidden row is in the cone that is being traced.
        members, ends: the cone's rows, top layer first, and where each layer's part ends.
        on: the features that are on.
        top_value, top_feature: the greatest coefficients.
        path, side: the features branched on, and which child is being looked at.
        best: the features of the best input so far.
        weight: of each support feature in each row of a cone.
        most, least: for each of those rows the greatest and least sums of so many of its free entries.
        bound: of each case.
        stop: one number for all threads; anything but 0 ends the work.
    """

    form: Float64
    state: Int8
    middle: Float64
    up: Float64
    lift: Float64
    down: Float64
    value: Float64
    low: UInt64
    met: Int8
    members: Int64
    ends: Int64
    on: Int64
    top_value: Float64
    top_feature: Int64
    path: Int64
    side: Int8
    best: Int64
    weight: Float64
    most: Float64
    least: Float64
    bound: Float64
    stop: Int8


NETWORK = Struct(Flat, "layers")
CASES = Struct(Cases, "count")
SCRATCH = Struct(Scratch, "split", "rooms", written=set(Scratch._fields) - {"stop"})


def network_of(net: Flat) -> object:
    """The network for C.

    Raises:
        FaultError: if its arrays do not fit each other.
    """
    found = NETWORK.of(net, layers=len(net.starts) - 2)
    rows, entries = int(net.starts[-1]), int(net.indptr[-1])
    first = int(net.indptr[net.starts[1]]) if len(net.starts) > 2 else 0
    held = [len(part) for part in (net.indptr, net.cols, net.vals, net.lows, net.bias, net.bias_lows, net.slack)]
    if held != [rows + 1, entries, entries, entries, rows, rows, rows] or len(net.order_cols) < first:
        raise FaultError("the arrays of a network do not fit each other")
    return found


def scratch_of(net: Flat, own: Scratch, max_active: int) -> object:
    """A thread's memory for C.

    Raises:
        FaultError: if it is too small for the network, or for so many active features.
    """
    found, rows = SCRATCH.of(own), int(net.starts[-2])
    for part in (own.middle, own.up, own.lift, own.down, own.value, own.low, own.met, own.members):
        if len(part) < rows:
            raise FaultError("a thread's memory is too small for the network's rows")
    features, room = len(own.form), max_active + 1
    held = [len(own.state), len(own.path) - 1, len(own.side) - 1, len(own.on) - room, len(own.best) + 1]
    wanted = [features, features, features, room, room]
    if any(a < b for a, b in zip(held, wanted, strict=True)) or len(own.ends) < len(net.starts) - 2:
        raise FaultError("a thread's memory is too small for the features")
    if min(len(own.top_value), len(own.top_feature)) < max_active or own.most.shape != own.least.shape:
        raise FaultError("a thread's memory is too small for the active features")
    found.split, found.rooms = own.weight.shape[1], own.most.shape[1]
    return found
