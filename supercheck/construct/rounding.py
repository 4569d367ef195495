"""Fewer binary digits and fewer different values: pure changes of layers, none of which says that they stay right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from supercheck.construct.trimming import Layers, number, plain
from supercheck.exact import Ratios
from supercheck.network import Network


def rounded(layers: Layers, bits: Sequence[int | None], finer: int = 0) -> Layers:
    """The layers with every weight of a row a multiple of a power of two, the largest at most 2^bits of them.

    A hidden row becomes integers, its power of two moves on into the next layer; no weight becomes 0.

    Args:
        layers: a ReLU after each but the last.
        bits: for each layer, or None to leave it.
        finer: by how many binary digits a hidden bias may be finer than its row's weights.
    """
    changed = list(layers)
    for depth, (layer, most) in enumerate(zip(layers, bits, strict=True)):
        layer = changed[depth]
        if most is None:
            continue
        last = depth == len(layers) - 1
        units = [Fraction(1)] * layer.weight.height
        values, biases = Ratios.of(layer.weight.data).fractions(), Ratios.of(layer.bias).fractions()
        ends = layer.weight.indptr.tolist()
        for row, (start, end) in enumerate(pairwise(ends)):
            if start == end:
                continue
            top = max(map(abs, values[start:end]))
            units[row] = _power(top) / 2**most
            whole = [round(value / units[row]) or (1 if value > 0 else -1) for value in values[start:end]]
            if last:
                values[start:end] = [n * units[row] for n in whole]
                continue
            bias = round(biases[row] / units[row] * 2**finer)
            common = int(np.gcd.reduce([bias, *(n << finer for n in whole)]))
            values[start:end] = [Fraction(n << finer, common) for n in whole]
            biases[row] = Fraction(bias, common)
            units[row] = units[row] * common / 2**finer
        changed[depth] = replace(layer, weight=replace(layer.weight, data=plain(values)), bias=plain(biases))
        if not last:
            after = changed[depth + 1].weight
            scaled = (
                v * units[c] for v, c in zip(Ratios.of(after.data).fractions(), after.indices.tolist(), strict=True)
            )
            changed[depth + 1] = replace(changed[depth + 1], weight=replace(after, data=plain(scaled)))
    return tuple(changed)


def respelled(layers: Layers, depth: int, was: int, becomes: int) -> Layers:
    """The layers with one value of a matrix replaced by another; values as the normal form has them."""
    weight = layers[depth].weight
    values = weight.data.astype(object)
    for place in np.flatnonzero(Network.of(layers).matrices[depth].data == was).tolist():
        values[place] = number(values[place]) / was * becomes
    changed = replace(layers[depth], weight=replace(weight, data=plain(values.tolist())))
    return (*layers[:depth], changed, *layers[depth + 1 :])


def _power(value: Fraction) -> Fraction:
    """The least power of two that is not below a positive number."""
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    while Fraction(2) ** exponent < value:
        exponent += 1
    while Fraction(2) ** (exponent - 1) >= value:
        exponent -= 1
    return Fraction(2) ** exponent
