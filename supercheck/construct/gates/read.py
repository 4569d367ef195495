"""Gates of pairs other than AND, read from the same channels."""

from __future__ import annotations

import numpy as np

from supercheck.base.matrix import Array
from supercheck.construct.channels import READ_AT, Channels
from supercheck.construct.gates.by_count import by_count
from supercheck.construct.layers import hidden, placed, readout
from supercheck.construct.request import Built, claim
from supercheck.spec.formula import gate


def sparsity(name: str, max_active: int) -> int:
    """The k at which channels have to be right for AND, so that a gate read from them is right at `max_active`.

    Beside one feature of the pair k - 1 others may be on. A gate that tells one on from none (all but AND and NAND) has
    to be right with neither, too, and k others.
    """
    none, one, _ = by_count(name)
    return max_active + (none != one)


def gated(channels: Channels, name: str, max_active: int) -> Built:
    """The network that computes a gate of each pair, and that claim.

    With s the number that is on of the features that feed a neuron, it is ReLU(s - 1) or ReLU(1 - s). Summed over a
    channel of size c, the former says that both features of its output are on, by c and more; the latter, by 1 and
    more, that neither is, for it is 0 where one is on. A gate that is on for both, for neither, or for both of these
    adds the former and c times the latter; the negation of one subtracts them.

    Args:
        channels: right for AND at `sparsity(name, max_active)`.
        name: a key of `boolean.GATES`.
        max_active: k, for the claim.

    Returns:
        The network; it has twice as many neurons as the channels for XOR and XNOR.

    Source: ours. ReLU(1 - s) is 1 on what is left of a channel by k others; if they share less with it than it has,
    counted as often as they do, something is left.
    """
    none, one, both = by_count(name)
    sign, size, neurons = 1 - 2 * one, channels.sizes, channels.neurons
    features, fed = np.nonzero(channels.fed)
    outputs, owned = np.nonzero(channels.owned)
    first: list[tuple[Array, Array, Array]] = []
    last: list[tuple[Array, Array, Array]] = []
    kinds = [kind for kind, used in ((1, both != one), (-1, none != one)) if used]
    for number, kind in enumerate(kinds):
        times = size[outputs] if kind < 0 and len(kinds) > 1 else np.ones(len(outputs), dtype=np.int64)
        first.append((fed + number * neurons, features, np.full(len(fed), kind)))
        last.append((outputs, owned + number * neurons, sign * times))
    full = size if 1 in kinds else np.ones_like(size)  # what the sum is at least, where the gate is not `one`
    height = neurons * len(kinds)
    layers = (
        hidden(placed(first, height, channels.features), -np.repeat(kinds, neurons)),
        readout(placed(last, len(size), height), full if one else 1 - full),
    )
    formulas = [gate(name, pair) for pair in channels.pairs.tolist()]
    return Built(layers, claim(channels.features, max_active, formulas, READ_AT))
