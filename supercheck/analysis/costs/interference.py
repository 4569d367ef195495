"""Which outputs share neurons, and which features disturb an output most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from supercheck.analysis.costs.wiring import Wiring
from supercheck.base.matrix import Array
from supercheck.claims.evidence import Point
from supercheck.claims.result import Result
from supercheck.spec.formula import support

MOST_OUTPUTS = 4096
"""Outputs whose channels are compared with each other."""

_MOST_CELLS = 1 << 26


@dataclass(frozen=True)
class Disturbed:
    """How one output fares among the others.

    Attributes:
        output: which output.
        channel: how many neurons of the last layer it reads.
        shared: the most of them that another output reads, too.
        partner: that output; None where it shares none.
        margin: its exact margin; None where it was not found, or only one class occurs.
        side: whether the worst input is one where its function is "on" or "off".
        worst: that input and the output's value there.
        interferers: the features that are on there beside its own; at most k.
    """

    output: int
    channel: int
    shared: int
    partner: int | None
    margin: Fraction | None = None
    side: str | None = None
    worst: Point | None = None
    interferers: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Interference:
    """Overlaps of channels, and the worst input of each output.

    Attributes:
        overlaps: how many neurons of the last layer each two outputs share, [outputs, outputs]; the size of its channel
            on the diagonal.
        outputs: one entry an output.
    """

    overlaps: Array
    outputs: tuple[Disturbed, ...]


def interference(wiring: Wiring, result: Result | None) -> Interference | None:
    """The overlaps of all channels and, where margins were found, each output's worst interferers.

    Args:
        wiring: of the network; a channel is what an output reads of the last hidden layer.
        result: a verdict with margins, if there is one.

    Returns:
        None where there are too many outputs to compare.
    """
    channels = wiring.channels
    if channels.height > MOST_OUTPUTS or channels.height * channels.width > _MOST_CELLS:
        return None
    reads = channels.dense().astype(np.float32)
    overlaps = (reads @ reads.T).astype(np.int64)  # whole numbers below 2^24 are exact in a float32
    return Interference(overlaps, tuple(_disturbed(overlaps, i, result) for i in range(channels.height)))


def _disturbed(overlaps: Array, output: int, result: Result | None) -> Disturbed:
    others = overlaps[output].copy()
    channel, others[output] = int(others[output]), 0
    shared = int(others.max(initial=0))
    found = Disturbed(output, channel, shared, int(others.argmax()) if shared else None)
    decided = None if result is None else result.outputs[output]
    if result is None or decided is None or decided.extremes is None:
        return found
    sides = [(side, point) for side, point in (("on", decided.extremes.on), ("off", decided.extremes.off)) if point]
    margin = result.margin(decided)
    side, worst = min(sides, key=lambda pair: _distance(result, *pair))
    own = support(result.claims.formulas[output])
    interferers = tuple(j for j in worst.active if j not in own)
    return Disturbed(output, channel, shared, found.partner, margin, side, worst, interferers)


def _distance(result: Result, side: str, point: Point) -> tuple[Fraction, int]:
    """How far a worst value is from being wrong; in mode separable off comes first."""
    readout, on = result.claims.readout, side == "on"
    return readout.goal(on).room(point.value) or Fraction(0), on


def worst_first(outputs: Sequence[Disturbed]) -> list[Disturbed]:
    """The outputs by margin, then by how much of their channel is shared."""
    return sorted(outputs, key=lambda d: (d.margin is None, d.margin or Fraction(0), -d.shared, d.output))
