"""How far float32 evaluation may be from the real value: layer by layer, over a whole domain or input by input.

Source: README.md, "Layers": E_z = sum |W| E_h + e_n, where e_n is the error of a neuron's own sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from supercheck.base.binary32 import LEAST, SMALLEST_NORMAL
from supercheck.base.matrix import Array
from supercheck.decide.float32.layers import FREE, Block, Single, StoredLayers, spans
from supercheck.decide.float32.linear_bounds import Forms, Outside
from supercheck.decide.float32.rounding import LARGEST, Summands, hulp, sharp, tree_error

_CELLS = 1 << 19  # terms that are looked at together
_DIGITS = 24  # of a bound that is handed on


@dataclass(frozen=True, eq=False)
class Values:
    """What is known of a layer's values, [inputs, neurons].

    Attributes:
        low: the least real value.
        high: the greatest.
        least: the least value that is computed.
        most: the greatest.
        error: by how much a computed value may be off.
        grid: a computed value is a multiple of 2^grid.
        exact: whether the error is 0, and `low` and `high` are multiples of 2^grid.
        lost: whether a sum may be past the range of float32; then nothing else here counts.
    """

    low: Array
    high: Array
    least: Array
    most: Array
    error: Array
    grid: Array
    exact: Array
    lost: Array

    @classmethod
    def unknown(cls, shape: tuple[int, int]) -> Values:
        """Room for values that are still to be found."""
        real, grid, flag = (np.zeros(shape, dtype=kind) for kind in (np.float64, np.int64, np.bool_))
        return cls(real, real.copy(), real.copy(), real.copy(), real.copy(), grid, flag, flag.copy())

    @classmethod
    def inputs(cls, low: Array, high: Array) -> Values:
        """Of features, which are 0 or 1 and exact."""
        zero = np.zeros(low.shape)
        grid, yes = np.zeros(low.shape, dtype=np.int64), np.ones(low.shape, dtype=bool)
        return cls(low, high, low, high, zero, grid, yes, ~yes)

    @property
    def parts(self) -> tuple[Array, ...]:
        """The arrays, in order."""
        return self.low, self.high, self.least, self.most, self.error, self.grid, self.exact, self.lost

    def rectified(self) -> Values:
        """After a ReLU, which is exact and brings no two numbers farther apart."""
        most = np.maximum(self.most, 0.0)
        return replace(
            self,
            low=np.maximum(self.low, 0.0),
            high=np.maximum(self.high, 0.0),
            least=np.maximum(self.least, 0.0),
            most=most,
            error=np.minimum(self.error, most),
        )


def over_domain(chain: StoredLayers, most_active: int) -> list[Fraction | None]:
    """For every output a bound of its rounding error on all inputs with at most `most_active` features on.

    Returns:
        One an output; None where a sum may be past the range of float32.
    """
    features = len(chain.features)
    h = Values.inputs(np.zeros((1, features)), np.ones((1, features)))
    forms: Forms | None = None if chain.layers[0].weight.width > Forms.WIDEST else Forms.inputs(features, most_active)
    for depth, layer in enumerate(chain.layers):
        limit = most_active if depth == 0 else None
        z = through(layer, h, limit)
        forms = forms if forms is not None and forms.affordable(layer) else None
        if forms is not None:
            outside, forms = forms.layer(layer, nonnegative=bool((h.low >= 0).all()))
            if z.error.any():
                z = through(layer, h, limit, outside)
            if layer.relu:
                forms = forms.rectified(z.low[0], z.high[0])
        h = z.rectified() if layer.relu else z
    return [_rounded_up(error) if not lost else None for error, lost in zip(h.error[0], h.lost[0], strict=True)]


def at_inputs(chain: StoredLayers, inputs: Sequence[Sequence[int]]) -> list[Fraction | None]:
    """The same for the one output of a part of a chain, on each of the given inputs (by their active features)."""
    found: list[Fraction | None] = []
    widest = max(layer.weight.height + layer.weight.width for layer in chain.layers)
    for span in spans(len(inputs), _CELLS // widest):
        x = np.array([np.isin(chain.features, list(active)) for active in inputs[span]], dtype=np.float64)
        h = Values.inputs(x, x)
        for layer in chain.layers:
            z = through(layer, h, None)
            h = z.rectified() if layer.relu else z
        found += [_rounded_up(e) if not lost else None for e, lost in zip(h.error[:, 0], h.lost[:, 0], strict=True)]
    return found


def through(layer: Single, h: Values, most_active: int | None, outside: Outside | None = None) -> Values:
    """A layer's sums, before its ReLU.

    Args:
        layer: the layer.
        h: its inputs.
        most_active: how many of them are on at most, where they are features in a range of inputs.
        outside: bounds that were found in another way.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return _through(layer, h, most_active, outside)


def _through(layer: Single, h: Values, most_active: int | None, outside: Outside | None) -> Values:
    """The same, a batch of rows and inputs at a time."""
    shape = (len(h.low), layer.weight.height)
    z = Values.unknown(shape)
    for block in layer.blocks:
        width = max(1, block.columns.shape[1])
        for rows in spans(len(block.rows), max(1, _CELLS // width)):
            part = Block(block.rows[rows], block.columns[rows], block.weights[rows], block.grids[rows])
            for inputs in spans(shape[0], _CELLS // (width * len(part.rows))):
                found = _sums(layer, part, Values(*(each[inputs] for each in h.parts)), most_active, outside)
                for whole, own in zip(z.parts, found.parts, strict=True):
                    whole[inputs, part.rows] = own
    return z


def _sums(layer: Single, block: Block, h: Values, most_active: int | None, outside: Outside | None) -> Values:
    """The sums of some rows for some inputs, [inputs, rows]; terms are [inputs, rows, terms]."""
    weights, bias = block.weights, layer.bias[block.rows]
    low, high, least, most, error, grid, exact, lost = (part[:, block.columns] for part in h.parts)
    up = 1 + (weights.shape[1] + 9) * 2.0**-50
    live = (weights != 0) & ((least != 0) | (most != 0) | lost)
    grids = np.where(live, block.grids + grid, FREE)  # of the products
    ends = weights * least, weights * most
    fine = (exact & sharp(np.maximum(np.abs(ends[0]), np.abs(ends[1])), grids)) | ~live
    positive, negative = np.maximum(np.maximum(*ends), 0.0), np.maximum(-np.minimum(*ends), 0.0)
    positive, negative = (np.where(fine, part, part * up) for part in (positive, negative))
    leaf = hulp(np.maximum(positive, negative), grids).sum(axis=-1) * up
    count = live.sum(axis=-1)
    if most_active is not None:
        positive, negative = (_largest(part, most_active) for part in (positive, negative))
        count = np.minimum(count, most_active)
    positive, negative = (_with(part, np.maximum(side, 0.0)) for part, side in ((positive, bias), (negative, -bias)))
    count = count + (bias != 0)
    whole = np.minimum(grids.min(axis=-1, initial=FREE), layer.bias_grids[block.rows])
    heights = positive.sum(axis=-1), negative.sum(axis=-1)
    fine_sum = fine.all(axis=-1) & sharp(heights[0] + heights[1], whole)
    heights = tuple(np.where(fine_sum, part, part * up) for part in heights)
    bottom, top = _range(block, bias, low, high, most_active, heights, fine_sum)
    spread = (np.abs(weights) * np.where(live, error, 0.0)).sum(axis=-1) * up

    keep = fine_sum & (spread == 0) & (hulp(np.maximum(*heights), whole) == 0) & (leaf == 0)
    if outside is not None:
        caps = [cap[block.rows] for cap in (outside.positives, outside.negatives)]
        heights = tuple(
            np.where(keep, part, np.minimum(part, (cap + side + spread) * up))
            for part, cap, side in zip(heights, caps, (np.maximum(bias, 0), np.maximum(-bias, 0)), strict=True)
        )
        bottom = np.where(keep, bottom, np.maximum(bottom, outside.low[block.rows]))
        top = np.where(keep, top, np.minimum(top, outside.high[block.rows]))
    total = np.maximum(np.abs(bottom), np.abs(top)) + spread
    total = np.where(keep, total, total * up)
    leaf = leaf + _flushed(layer, block, live, most, least, grid, grids, most_active, heights)
    own = tree_error(Summands(positive, negative, count, leaf, whole, total, *heights, fine_sum & (spread == 0)))
    error_z = (spread + own) * up
    exact_z = fine_sum & (error_z == 0) & (keep | (outside is None))

    past = ~((heights[0] + heights[1] + error_z) * up <= LARGEST) | (live & lost).any(axis=-1)
    least_z, most_z = bottom - error_z, top + error_z
    slack = np.where(error_z > 0, (np.maximum(np.abs(bottom), np.abs(top)) + error_z) * 2.0**-50, 0.0)
    grid_z = np.where(whole == FREE, 0, np.maximum(whole, LEAST))
    bottom, top, least_z, most_z, error_z = (
        np.where(past, 0.0, part) for part in (bottom, top, least_z - slack, most_z + slack, error_z)
    )
    return Values(bottom, top, least_z, most_z, error_z, np.where(past, 0, grid_z), exact_z & ~past, past)


def _range(
    block: Block, bias: Array, low: Array, high: Array, most_active: int | None, heights: tuple[Array, ...], fine: Array
) -> tuple[Array, Array]:
    """The least and the greatest real value of each sum."""
    ends = block.weights * low, block.weights * high
    bottom, top = np.minimum(*ends), np.maximum(*ends)
    if most_active is not None:
        bottom, top = -_largest(np.maximum(-bottom, 0.0), most_active), _largest(np.maximum(top, 0.0), most_active)
    slack = (np.abs(bottom).sum(axis=-1) + np.abs(top).sum(axis=-1) + np.abs(bias) + heights[0] + heights[1]) * (
        (block.weights.shape[1] + 9) * 2.0**-50
    )
    slack = np.where(fine, 0.0, slack)
    return bottom.sum(axis=-1) + bias - slack, top.sum(axis=-1) + bias + slack


def _flushed(
    layer: Single, block: Block, live: Array, most: Array, least: Array, grid: Array, grids: Array,
    most_active: int | None, heights: tuple[Array, ...],
) -> Array:  # fmt: skip
    """What subnormal numbers may cost that are taken for zero; counted before any sum, whose rounding it moves.

    Source: README.md, "Subnormal numbers".
    """
    lowest = np.minimum(np.minimum(np.where(live, grid, FREE), grids), np.where(live, block.grids, FREE))
    below = np.minimum(lowest.min(axis=-1, initial=FREE), layer.bias_grids[block.rows]) < SMALLEST_NORMAL
    if not below.any():
        return np.zeros(below.shape)
    each = np.where(live, np.abs(block.weights) + np.maximum(np.abs(most), np.abs(least)), 0.0)
    size = each.sum(axis=-1) if most_active is None else heights[0] + heights[1] + most_active
    count = live.sum(axis=-1) + 1
    return np.where(below, 2.0**SMALLEST_NORMAL * (4.0 * count + 4.0 + size) * (1 + 2.0**-20), 0.0)


def _largest(values: Array, count: int) -> Array:
    """The `count` largest of each row of values that are at least 0."""
    rest = values.shape[-1] - count
    if rest <= 0 or count == 0:
        return values[..., :count]
    return np.partition(values, rest, axis=-1)[..., rest:]


def _with(terms: Array, bias: Array) -> Array:
    """The terms and the bias."""
    return np.concatenate([terms, np.broadcast_to(bias[:, None], (*terms.shape[:-1], 1))], axis=-1)


def _rounded_up(error: float) -> Fraction:
    """The least number of few digits that is not smaller: short to print, and the same wherever it is computed."""
    fraction, exponent = np.frexp(error)
    return Fraction(int(np.ceil(np.ldexp(fraction, _DIGITS)))) * Fraction(2) ** int(exponent - _DIGITS)
