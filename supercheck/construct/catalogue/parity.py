"""Parity of a sparse input: a zigzag of as many neurons as features may be on."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from supercheck.base.errors import InputError
from supercheck.construct.layers import MOST_EDGES, hidden, marked, placed, readout
from supercheck.construct.pairs import listed
from supercheck.construct.request import PAIRS, Built, Request, claim
from supercheck.spec.formula import gate


def parity(wanted: Request) -> Built:
    """Each output is s - 2 ReLU(s - 1) + 2 ReLU(s - 2) - ... for a sum s: of all features, or of a pair asked for.

    A chain has no edges past a layer, so the linear part s is a neuron, ReLU(s), that is linear on every input.

    Guarantee: right at k, with every readout; the output is 0 or 1.
    Cost: r neurons a set, r the least of k and its size, one of them linear; r edges a feature of a set, and r an
    output.
    Source: ours; k - 1 kinks are needed where k values alternate.
    """
    wanted.only(*PAIRS)
    if wanted.pairs is None and wanted.outputs is None:
        wanted.only("features")
        if wanted.features is None:
            raise InputError(place="--features", expected="how many features, or the pairs", got="none")
        features, sets = wanted.features, np.arange(wanted.features)[None]
    else:
        features, sets = listed(wanted)
    count, size = sets.shape
    kinks = max(1, min(wanted.max_active, size))
    if count * kinks * size > MOST_EDGES:
        got = f"{count * kinks * size:,}: {kinks:,} for each feature of a set"
        raise InputError(place="-k", expected=f"at most {MOST_EDGES:,} edges", got=got)
    neurons = np.arange(count * kinks)
    owner, kink = neurons // kinks, neurons % kinks
    first = marked(np.repeat(neurons, size), sets[owner].reshape(-1), len(neurons), features)
    slopes = np.where(kink == 0, 1, 2 * (-1) ** kink)
    formulas = [gate("xor", part) for part in sets.tolist()]
    return Built(
        (hidden(first, -kink), readout(placed([(owner, neurons, slopes)], count, len(neurons)))),
        claim(features, wanted.max_active, formulas, Fraction(1, 2)),
        {"kinks": kinks - 1},
    )
