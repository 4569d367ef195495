"""All channels combined, by influence: heavy features own neurons for their partners, other outputs their own."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np

from supercheck.construct.built import PAIRS, Built, Wanted
from supercheck.construct.input_channels import encoded, owners
from supercheck.construct.layers import marked
from supercheck.construct.owned import Channels, network, others
from supercheck.construct.pairs import listed
from supercheck.construct.swaps import fewest
from supercheck.exact import Array, Rows

_CUTS = (1 / 4, 3 / 8, 1 / 2)  # powers of m': the source's border of low influence, of super heavy, and between


def combined(wanted: Wanted) -> Built:
    """Pairs with a heavy feature by input channels, the rest by output channels in neurons of their own.

    A feature is heavy if it has an influence on at least as many outputs as the cut says. Without one the cuts
    m'^(1/2), m'^(3/8) and m'^(1/4) are tried, each as far as its input channels alone leave hope of fewer neurons.

    Guarantee: right at k, for channels are changed until no k - 1 other features share as much with one as it has, and
        are not built else; k others for the gates that tell one feature on from none.
    Cost: O(sqrt(m') log m') neurons and O(m' log^2 m') edges as the source has it; those of `input_channels` for the
        heavy ones, and what `swaps.fewest` finds for the rest.
    Source: Adler and Shavit, arXiv 2409.15318, by influence; the changing of channels ours.
    """
    wanted.only(*PAIRS, "gate", "cut")
    features, pairs = listed(wanted)
    influence = np.bincount(pairs.reshape(-1), minlength=features)
    disturbing = others(wanted.gate, wanted.max_active)
    cuts = {ceil(len(pairs) ** power) for power in _CUTS} if wanted.cut is None else {wanted.cut}
    found: tuple[int, Rows] | None = None
    for cut in sorted(cuts, reverse=True):
        heavy = influence >= cut
        by_input = heavy[pairs].any(axis=1)
        inputs, outputs = np.flatnonzero(by_input), np.flatnonzero(~by_input)
        parts = []
        if len(inputs):
            parts.append((inputs, encoded(owners(features, pairs[inputs], heavy), disturbing)))
            if found is not None and parts[0][1].width >= found[1].width:
                continue
        if len(outputs):
            rows = fewest(pairs[outputs], disturbing, wanted.seed, seconds=wanted.seconds)
            assert rows is not None, "where the number of neurons is free, it is found"
            parts.append((outputs, rows))
        both = _side_by_side(parts, len(pairs))
        if found is None or both.width < found[1].width:
            found = cut, both
    assert found is not None, "there is a cut"
    cut, owned = found
    made = {"cut": cut, "heavy": int(np.sum(influence >= cut))}
    return network(Channels(features, pairs, owned), wanted.gate, wanted.max_active, made)


def _side_by_side(parts: Sequence[tuple[Array, Rows]], outputs: int) -> Rows:
    """Channels of the outputs that are listed in each part, each part in neurons of its own."""
    places, columns, neurons = [], [], 0
    for which, rows in parts:
        places.append(which[rows.row_of()])
        columns.append(rows.indices.astype(np.int64) + neurons)
        neurons += rows.width
    return marked(np.concatenate(places), np.concatenate(columns), outputs, neurons)
