"""The baselines: a neuron or two for each gate, and a copy of the features that leaves the gates to the readout."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from supercheck.base.matrix import Array
from supercheck.construct.gates.by_count import by_count, sought
from supercheck.construct.layers import hidden, placed, readout
from supercheck.construct.pairs import listed
from supercheck.construct.request import PAIRS, Built, Request, claim
from supercheck.spec.formula import gate


def one_per_gate(wanted: Request) -> Built:
    """One neuron a pair, ReLU(x_a + x_b - 1) or ReLU(1 - x_a - x_b), and both for XOR and XNOR.

    The first says both, the second neither; a gate that has the values f_0, f_1, f_2 where none, one, both are on is
    f_1 + (f_2 - f_1) both + (f_0 - f_1) neither.

    Guarantee: right at every k, with every readout; the output is 0 or 1.
    Cost: n = m' neurons, 3 m' edges; twice as many for XOR and XNOR.
    Source: Adler and Shavit, arXiv 2409.15318, the network without superposition; the gates other than AND ours.
    """
    wanted.only(*PAIRS, "gate")
    none, one, both = by_count(wanted.gate)
    features, pairs = listed(wanted)
    count, own = len(pairs), np.arange(len(pairs))
    rows, columns = np.repeat(own, 2), pairs.reshape(-1)
    first: list[tuple[Array, Array, Array]] = []
    last: list[tuple[Array, Array, Array]] = []
    biases: list[Array] = []
    for sign, value in ((1, both - one), (-1, none - one)):
        if value:
            begin = count * len(biases)
            first.append((rows + begin, columns, np.full(2 * count, sign)))
            last.append((own, own + begin, np.full(count, value)))
            biases.append(np.full(count, -sign))
    neurons = count * len(biases)
    layers = (
        hidden(placed(first, neurons, features), np.concatenate(biases)),
        readout(placed(last, count, neurons), one),
    )
    formulas = [gate(wanted.gate, pair) for pair in pairs.tolist()]
    return Built(layers, claim(features, wanted.max_active, formulas, Fraction(1, 2)))


def copy(wanted: Request) -> Built:
    """Every neuron copies one feature, x_j = ReLU(x_j); an output is x_a + x_b or its negation, read at a threshold.

    Guarantee: right at every k, in threshold mode only, for gates that the number of features on turns on or off once:
        AND is read at 3/2, OR at 1/2, and NAND and NOR are their negations.
    Cost: n = m neurons, m + 2 m' edges; the readout does all the work.
    Source: ours; the honest baseline where a threshold reads the outputs.
    """
    wanted.only(*PAIRS, "gate")
    none, one, both = by_count(wanted.gate)
    if none == both:
        raise sought(wanted.gate, "a gate that a threshold reads from x_a + x_b")
    features, pairs = listed(wanted)
    own, count = np.arange(features), len(pairs)
    sign = both - none
    first = hidden(placed([(own, own, np.ones(features, dtype=np.int64))], features, features), 0)
    ends = (np.repeat(np.arange(count), 2), pairs.reshape(-1), np.full(2 * count, sign))
    at = sign * Fraction(1 if one == both else 3, 2)
    formulas = [gate(wanted.gate, pair) for pair in pairs.tolist()]
    return Built((first, readout(placed([ends], count, features))), claim(features, wanted.max_active, formulas, at))
