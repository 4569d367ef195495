"""Fewer binary digits and fewer different values: pure changes of layers, none of which says that they stay right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import gcd

import numpy as np

from supercheck.base.matrix import Ratios, Rows
from supercheck.construct.pruning.edits import Layers
from supercheck.construct.pruning.floats import number, plain
from supercheck.network.layers import Affine
from supercheck.network.network import Network

_READ = 8  # binary digits by which biases of the readout are finer than its weights


def rounded(layers: Layers, bits: Sequence[int | None], finer: int = 0) -> Layers:
    """The layers with every weight of a row a multiple of a power of two, the largest at most 2^bits of them.

    A hidden row becomes integers, its power of two moves on into the next layer; no weight becomes 0.

    Args:
        layers: a ReLU after each but the last.
        bits: for each layer, or None to leave it.
        finer: by how many binary digits a hidden bias may be finer than its row's weights.

    Returns:
        Layers with the same edges, no sign changed.
    """
    changed = list(layers)
    for depth, most in enumerate(bits):
        if most is None:
            continue
        if depth == len(layers) - 1:
            changed[depth], units = _on_grid(changed[depth], most, _READ)
            changed[depth] = _scaled(changed[depth], units)
        else:
            changed[depth], units = _on_grid(changed[depth], most, finer)
            after = changed[depth + 1].weight
            moved = (
                value * units[column] for value, column in zip(_fractions(after), after.indices.tolist(), strict=True)
            )
            changed[depth + 1] = replace(changed[depth + 1], weight=after.holding(plain(moved)))
    return tuple(changed)


def _on_grid(layer: Affine, most: int, finer: int) -> tuple[Affine, list[Fraction]]:
    """Each row as coprime integers, and in what unit: the largest weight is at most 2^most of the grid's steps."""
    values, biases = _fractions(layer.weight), Ratios.of(layer.bias).fractions()
    units = [Fraction(1)] * layer.weight.height
    for row, (start, end) in enumerate(pairwise(layer.weight.indptr.tolist())):
        if start == end:
            continue
        step = _power(max(map(abs, values[start:end]))) / 2**most
        whole = [(round(value / step) or (1 if value > 0 else -1)) << finer for value in values[start:end]]
        bias = round(biases[row] / step * 2**finer)
        common = gcd(bias, *whole)
        values[start:end] = [Fraction(n, common) for n in whole]
        biases[row], units[row] = Fraction(bias, common), step * common / 2**finer
    return replace(layer, weight=layer.weight.holding(plain(values)), bias=plain(biases)), units


def _scaled(layer: Affine, units: Sequence[Fraction]) -> Affine:
    """A layer with each row in its unit."""
    values = (value * units[row] for value, row in zip(_fractions(layer.weight), layer.weight.row_of(), strict=True))
    biases = (bias * unit for bias, unit in zip(Ratios.of(layer.bias).fractions(), units, strict=True))
    return replace(layer, weight=layer.weight.holding(plain(values)), bias=plain(biases))


def _fractions(rows: Rows) -> list[Fraction]:
    return Ratios.of(rows.data).fractions()


@lru_cache(maxsize=2)
def integers(layers: Layers) -> tuple[Rows, ...]:
    """The matrices of the layers in normal form: integers, each row in a unit of its own."""
    return tuple(Network.of(layers).matrices)


def respelled(layers: Layers, depth: int, was: int, becomes: int) -> Layers:
    """The layers with one value of a matrix replaced by another, wherever it stands.

    Args:
        layers: a ReLU after each but the last.
        depth: which layer, from 0.
        was: a value that is not zero, as the normal form has it: an integer in the unit of its row.
        becomes: the other one, in the same units.

    Returns:
        Layers of the same shapes; each weight is in the unit that it had.
    """
    weight = layers[depth].weight
    values = weight.data.astype(object)
    for place in np.flatnonzero(integers(layers)[depth].data == was).tolist():
        values[place] = number(values[place]) / was * becomes
    changed = replace(layers[depth], weight=weight.holding(plain(values.tolist())))
    return (*layers[:depth], changed, *layers[depth + 1 :])


def _power(value: Fraction) -> Fraction:
    """The least power of two that is not below a positive number."""
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    while Fraction(2) ** exponent < value:
        exponent += 1
    while Fraction(2) ** (exponent - 1) >= value:
        exponent -= 1
    return Fraction(2) ** exponent
