"""All channels combined, by influence: heavy features own neurons for their partners, other outputs their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

import numpy as np

from supercheck.base.errors import FaultError
from supercheck.base.matrix import Array
from supercheck.construct.catalogue.input_channels import encoded, owners
from supercheck.construct.catalogue.output_channels import chosen
from supercheck.construct.channels import Channels
from supercheck.construct.gates.read import gated, sparsity
from supercheck.construct.pairs import listed
from supercheck.construct.request import PAIRS, Built, Request

_CUTS = (1 / 4, 3 / 8, 1 / 2)  # powers of m': the source's border of low influence, of super heavy, and between


def combined(wanted: Request) -> Built:
    """Pairs with a heavy feature by input channels, the rest by output channels in neurons of their own.

    A feature is heavy if it has an influence on at least as many outputs as the cut says. Without one the cuts
    m'^(1/2), m'^(3/8) and m'^(1/4) are tried, each as far as its input channels alone leave hope of fewer neurons.

    Guarantee: right at k, for `channels.margins` are above 0: output channels are repaired until they are.
    Cost: O(sqrt(m') log m') neurons and O(m' log^2 m') edges as the source has it; those of `input_channels` for the
        heavy ones, and what repair finds for the rest, with `smallest` after a longer search.
    Source: Adler and Shavit, arXiv 2409.15318, by influence; repair is ours.
    """
    wanted.only(*PAIRS, "gate", "cut", "smallest")
    features, pairs = listed(wanted)
    influence = np.bincount(pairs.reshape(-1), minlength=features)
    k = sparsity(wanted.gate, wanted.max_active)
    low = replace(wanted, max_active=k, repair=True)
    cuts = {ceil(len(pairs) ** power) for power in _CUTS} if wanted.cut is None else {wanted.cut}
    found: tuple[int, Array] | None = None
    for cut in sorted(cuts, reverse=True):
        if found is not None and wanted.clock.over:
            break
        heavy = influence >= cut
        by_input: Array = np.any(heavy[pairs], axis=1)
        parts: list[tuple[Array, Array]] = []
        if by_input.any():
            parts.append((by_input, encoded(owners(features, pairs[by_input], heavy), k)))
            if found is not None and parts[0][1].shape[1] >= found[1].shape[1]:
                continue
        if not by_input.all():
            parts.append((~by_input, chosen(features, pairs[~by_input], low).owned))
        owned = _side_by_side(parts, len(pairs))
        if found is None or owned.shape[1] < found[1].shape[1]:
            found = cut, owned
    if found is None:
        raise FaultError("channels were combined at no cut")
    cut, owned = found
    built = gated(Channels(features, pairs, owned), wanted.gate, wanted.max_active)
    return replace(built, made={"cut": cut, "heavy": int(np.sum(influence >= cut))})


def _side_by_side(parts: Sequence[tuple[Array, Array]], outputs: int) -> Array:
    """The channels of some outputs, bool [outputs], and of the others, each part in neurons of its own."""
    blocks = []
    for which, owned in parts:
        block = np.zeros((outputs, owned.shape[1]), dtype=bool)
        block[which] = owned
        blocks.append(block)
    return np.concatenate(blocks, axis=1)
