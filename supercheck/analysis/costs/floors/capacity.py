"""Capacity: how many bits a network of a given shape can hold, and the least shape that holds enough.

Capacities are rounded up and so floors are never too high. Standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from supercheck.analysis.costs.floors.logs import least, log2, log2_comb, log2_e, log2_factorial, rounded, surely_least

MOST = 1 << 80
"""No shape that is asked for is larger."""

CODE_SOURCE = "counting networks: C(P, E) places for E nonzeros of V values (ours)"
DENSE_SOURCE = "counting networks: P slots of V values, 0 included (ours)"
SWAPS_SOURCE = "counting one-layer networks that differ by more than the order of neurons (ours)"
BLOCKS_SOURCE = "counting n x n blocks between fixed codes; Adler and Shavit, arXiv 2409.15318, lower bounds"
ANTHONY_BARTLETT = "Anthony and Bartlett, Neural Network Learning, 1999, growth functions of piecewise linear networks"


def dense_bits(slots: int, values: int) -> float:
    """What `slots` numbers of `values` values each can hold, in bits, rounded up."""
    return rounded(slots * log2(values, up=True), up=True)


def sparse_bits(slots: int, edges: int, values: int) -> float:
    """What `edges` nonzeros of `values` values in `slots` places can hold, in bits, rounded up."""
    return rounded(log2_comb(slots, edges, up=True) + edges * log2(values, up=True), up=True)


def swap_bits(neurons: int, parameters: int, values: int, apart: int = 0) -> float:
    """What one hidden layer can hold where swapping neurons changes nothing, in bits, rounded up.

    Args:
        neurons: n.
        parameters: r, the weights and biases in and out of one neuron.
        values: V, the values that each may have.
        apart: parameters that belong to no neuron, such as output biases.

    Returns:
        log2 C(V^r + n - 1, n), and log2 V for each parameter apart.
    """
    kinds = parameters * log2(values, up=True)
    extra = apart * log2(values, up=True)
    if kinds <= 64:
        return rounded(log2_comb(values**parameters + neurons - 1, neurons, up=True) + extra, up=True)
    # C(N + n - 1, n) <= (N + n - 1)^n / n!, and log2(N + n - 1) <= log2 N + (n - 1) / N log2 e
    each = kinds + max(0, neurons - 1) * log2_e(up=True) / 2**64
    return rounded(max(Fraction(0), neurons * each - log2_factorial(neurons, up=False)) + extra, up=True)


def block_bits(width: int, layers: int, bits: int) -> int:
    """What `layers` blocks of width x width weights with their biases hold at `bits` bits a parameter."""
    return bits * layers * (width * width + width)


@dataclass(frozen=True)
class Stage:
    """A layer as the precision-free capacity sees it.

    Attributes:
        units: n_l, its neurons; the outputs count as one more layer.
        parameters: W_l, the parameters of this and all earlier layers together.
    """

    units: int
    parameters: int


def stages(features: int, widths: Sequence[int], outputs: int, decoded: int | None = None) -> list[Stage]:
    """The layers of a dense network: every weight and bias is a parameter.

    Args:
        features: what the network reads.
        widths: of its hidden layers.
        outputs: its own outputs.
        decoded: what a fixed decoder makes of them, if there is one: it adds signs to tell apart, no parameters.
    """
    total, before, found = 0, features, []
    for units in (*widths, outputs):
        total += units * (before + 1)
        found.append(Stage(units, total))
        before = units
    if decoded is not None:
        found[-1] = Stage(decoded, total)
    return found


def real_bits(layers: Sequence[Stage], inputs: int) -> float:
    """How many functions real weights of any precision can tell apart on so many inputs, in bits, rounded up.

    Args:
        layers: first to last, the outputs included.
        inputs: |X|.

    Returns:
        The sum over layers of 1 + W_l log2(2 e l |X| n_l / W_l) where W_l <= |X| n_l, and never more than the |X| n_l
        bits that say which of the layer's units are on at which input.
    """
    total = Fraction(0)
    for place, layer in enumerate(layers, 1):
        signs = inputs * layer.units
        if not 0 < layer.parameters <= signs:
            total += signs if layer.parameters else 0
            continue
        ratio = log2(2 * place * signs, up=True) - log2(layer.parameters, up=False) + log2_e(up=True)
        total += min(Fraction(signs), 1 + layer.parameters * ratio)
    return rounded(total, up=True)


def least_slots(bits: float, values: int) -> int:
    """The least number of dense slots of `values` values (at least 2) that hold `bits`."""
    return surely_least(lambda slots: dense_bits(slots, values) >= bits, MOST)


def least_edges(bits: float, slots: int, values: int) -> int | None:
    """The least number of nonzeros of `values` values in `slots` places that hold `bits`; None where none do."""
    peak = (slots + 1) * values // (values + 1)  # beyond it one nonzero more holds less
    return least(lambda edges: sparse_bits(slots, edges, values) >= bits, peak)


def least_neurons_modulo_swaps(bits: float, parameters: int, values: int, apart: int = 0) -> int:
    """The least number of neurons of one hidden layer that hold `bits`, the order of neurons not counted."""
    return surely_least(lambda neurons: swap_bits(neurons, parameters, values, apart) >= bits, MOST)


def least_block_width(bits: float, layers: int, precision: int) -> int:
    """The least width n of `layers` blocks of n x n weights and n biases that hold `bits`.

    Source: Adler and Shavit, arXiv 2409.15318: parameters <= n^2 between fixed codes; the biases ours.
    """
    return surely_least(lambda width: block_bits(width, layers, precision) >= bits, MOST)


def least_real_width(
    bits: float, features: int, outputs: int, hidden: int, inputs: int, decoded: int | None = None
) -> int | None:
    """The least width of `hidden` dense layers of real weights that tell 2^bits functions apart; None where none do."""

    def enough(width: int) -> bool:
        return real_bits(stages(features, [width] * hidden, outputs, decoded), inputs) >= bits

    return least(enough, MOST)
