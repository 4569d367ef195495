"""Output channels: each output owns neurons that its features feed, and that no few others feed together."""

from __future__ import annotations

from supercheck.construct.built import PAIRS, Built, Wanted
from supercheck.construct.owned import Channels, network, others
from supercheck.construct.pairs import listed
from supercheck.construct.swaps import fewest
from supercheck.errors import InputError


def output_channels(wanted: Wanted) -> Built:
    """Every output owns about log2 m' neurons ReLU(s - 1), s the number that is on of the features of all its owners.

    An output is the sum over its channel, above c - 1/2 where both of its features are on. Other gates are read from
    the same channels: ReLU(1 - s), summed, is 0 where a feature of the pair is on, and XOR and XNOR take both kinds.

    Guarantee: right at k, for channels are changed until no k - 1 other features share as much with one as it has, and
        are not built else; k others for the gates that tell one feature on from none (all but AND and NAND).
    Cost: O(sqrt(m') log m') neurons where influences are low, of which `swaps.fewest` finds the constant, at k + 1 for
        the gates with k others, twice as many for XOR and XNOR; about 3 m' log2 m' edges for each kind of neuron.
    Source: Adler and Shavit, arXiv 2409.15318, output channels; the changing of channels and the other gates ours.
    """
    wanted.only(*PAIRS, "gate", "neurons", "channel")
    features, pairs = listed(wanted)
    disturbing = others(wanted.gate, wanted.max_active)
    most = wanted.neurons or len(pairs) * (wanted.channel or 1)
    if (wanted.channel or 1) > most:
        raise InputError(place="--channel", expected=f"at most {most:,}, the number of neurons", got=wanted.channel)
    owned = fewest(pairs, disturbing, wanted.seed, wanted.neurons, wanted.channel, wanted.seconds)
    if owned is None:
        expected = "neurons enough that no channel is crowded"
        do = "take more, another --seed or --channel, or leave it out"
        raise InputError(place="--neurons", expected=expected, got=wanted.neurons, do=do)
    made = {"channel": len(owned.indices) // owned.height}
    return network(Channels(features, pairs, owned), wanted.gate, wanted.max_active, made)
