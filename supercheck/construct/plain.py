"""The baselines: a neuron or two for each gate, and a copy of the features that leaves the gates to the readout."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from supercheck.boolean import gate
from supercheck.construct.built import PAIRS, Built, Wanted, claim
from supercheck.construct.layers import hidden, marked, placed, readout
from supercheck.construct.pairs import listed

_HALF = Fraction(1, 2)


def one_per_gate(wanted: Wanted) -> Built:
    """One neuron a pair, ReLU(x_a + x_b - 1), read directly.

    Guarantee: right at every k, with every readout; the output is 0 or 1.
    Cost: n = m' neurons, 3 m' edges.
    Source: Adler and Shavit, arXiv 2409.15318, the network without superposition.
    """
    wanted.only(*PAIRS)
    features, pairs = listed(wanted)
    count = len(pairs)
    own = np.arange(count)
    first = hidden(marked(np.repeat(own, 2), pairs.reshape(-1), count, features), -1)
    last = readout(placed([(own, own, np.ones(count, dtype=np.int64))], count, count))
    formulas = [gate("and", pair) for pair in pairs.tolist()]
    return Built((first, last), claim(features, wanted.max_active, formulas, _HALF))


def copy(wanted: Wanted) -> Built:
    """Every neuron copies one feature, x_j = ReLU(x_j); an output is x_a + x_b, read at 3/2.

    Guarantee: right at every k, in threshold mode only.
    Cost: n = m neurons, m + 2 m' edges; the readout does all the work.
    Source: ours; the honest baseline where a threshold reads the outputs.
    """
    wanted.only(*PAIRS)
    features, pairs = listed(wanted)
    own, count = np.arange(features), len(pairs)
    first = hidden(placed([(own, own, np.ones(features, dtype=np.int64))], features, features), 0)
    last = readout(marked(np.repeat(np.arange(count), 2), pairs.reshape(-1), count, features))
    formulas = [gate("and", pair) for pair in pairs.tolist()]
    return Built((first, last), claim(features, wanted.max_active, formulas, Fraction(3, 2)))
