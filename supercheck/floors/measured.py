"""The floors of one audited network: every bound whose domain of validity it lies in, beside its own figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil

from supercheck.claims import Claims
from supercheck.counting import Counts
from supercheck.floors import Floor, bound, capacity, classes, functions, networks
from supercheck.floors.classes import FunctionClass
from supercheck.floors.logs import log2, rounded
from supercheck.floors.patterns import Patterns
from supercheck.wiring import States

NEURONS_LAST = "neurons of the last layer"


def floors(
    claims: Claims,
    counts: Counts,
    of_class: FunctionClass | None,
    known: Patterns | None,
    layers: Sequence[States],
    cuts: Sequence[networks.Cut],
) -> tuple[Floor, ...]:
    """Every floor that applies.

    Args:
        claims: the question.
        counts: what the network costs.
        of_class: the class that its functions belong to.
        known: output vectors that occur; None where that was too much.
        layers: what its neurons do.
        cuts: smallest cuts.
    """
    readout = claims.readout
    if readout.mode == "epsilon" and readout.within is not None and readout.within >= Fraction(1, 2):
        known = None  # one value is right for both classes, so nothing has to be told apart
    listed = [
        *(class_floors(of_class, counts, claims.domain.size) if of_class is not None else ()),
        *(function_floors(claims, counts, known) if known is not None else ()),
        *(edge_floors(claims, counts) if known is not None else ()),
        *(network_floors(known, layers, cuts) if known is not None else ()),
    ]
    return bound(listed, ("this function", "this network"))


def class_floors(of_class: FunctionClass, counts: Counts, inputs: int) -> Iterator[Floor]:
    """Bits of the class against the capacity of this shape, and the least figures of each shape that hold them."""
    bits, values = of_class.bits(), max(1, counts.values)
    slots = sum(matrix.slots for matrix in counts.own)
    edges = capacity.least_edges(bits, slots, values)
    per_slot = max([values + 1, *(matrix.bias_values for matrix in counts.own)])
    yield Floor("bits of the code", counts.bits, bits, "bits", "class", classes.SOURCE)
    yield Floor(f"nonzeros of {values:,} values", counts.edges, edges, "edges", "class", capacity.CODE_SOURCE)
    dense = capacity.least_slots(bits, values + 1)
    yield Floor(f"slots of {values + 1:,} values", slots, dense, "slots", "class", capacity.DENSE_SOURCE)
    if counts.layers == 1:
        each, apart = counts.shape[0] + 1 + counts.shape[-1], counts.own[-1].biases
        least = capacity.least_neurons_modulo_swaps(bits, each, per_slot, apart)
        name = f"neurons modulo swaps, {per_slot:,} values"
        yield Floor(name, counts.neurons, least, "neurons", "class", capacity.SWAPS_SOURCE)
    if {block.name for block in counts.blocks if block.fixed} == {"encoder", "decoder"}:
        precision = max(1, ceil(log2(per_slot, up=True)))
        width = capacity.least_block_width(bits, len(counts.own), precision)
        name = f"n x n blocks, {precision} bits a parameter"
        yield Floor(name, counts.inner, width, "width", "class", capacity.BLOCKS_SOURCE)
    if counts.layers:
        real = capacity.least_real_width(bits, counts.shape[0], counts.shape[-1], counts.layers, inputs)
        yield Floor("width at any precision", counts.width, real, "width", "class", capacity.ANTHONY_BARTLETT)


def function_floors(claims: Claims, counts: Counts, known: Patterns) -> Iterator[Floor]:
    """What every network that computes this function keeps to."""
    mode, within = claims.readout.mode, claims.readout.within
    arity = classes.and_arity(claims.formulas)
    apart = arity is not None and arity <= claims.domain.max_active  # each AND is the only one on at its own features
    if mode == "equality" or (mode == "epsilon" and within == 0):
        least = len(claims) if apart else functions.rank_floor(known)
        name = "rank of the function table"
        yield Floor(name, counts.last, least, NEURONS_LAST, "this function", functions.RANK_SOURCE)
    elif mode == "epsilon" and within is not None:
        least = functions.epsilon_floor(len(claims) if apart else functions.alone(known), within)
        name = f"rank within {within}"
        yield Floor(name, counts.last, least, NEURONS_LAST, "this function", functions.EPSILON_SOURCE)
    name, least = "shattered outputs", len(functions.shattered(known))
    yield Floor(name, counts.last, least, NEURONS_LAST, "this function", functions.SHATTER_SOURCE)
    least = functions.pattern_floor(len(known), known.outputs)
    yield Floor("output patterns", counts.last, least, NEURONS_LAST, "this function", functions.PATTERN_SOURCE)


def edge_floors(claims: Claims, counts: Counts) -> Iterator[Floor]:
    """What every network of so many neurons that computes these ANDs keeps to."""
    if counts.layers == 1 and not any(block.fixed for block in counts.blocks):
        least = functions.edge_floor(claims.formulas, claims.domain.max_active, counts.neurons)
        if least is not None:
            name = f"edges with {counts.neurons:,} neurons"
            yield Floor(name, counts.edges, least, "edges", "this function", functions.EDGE_SOURCE)


def network_floors(known: Patterns, layers: Sequence[States], cuts: Sequence[networks.Cut]) -> Iterator[Floor]:
    """What this network's layers and cuts must carry."""
    needed = rounded(log2(max(1, len(known)), up=False), up=False)
    for place, layer in enumerate(layers, 1):
        carried = rounded(networks.value_bits(layer), up=True)
        name = f"values of hidden layer {place}"
        yield Floor(name, carried, needed, f"bits in layer {place}", "this network", networks.VALUES_SOURCE)
    for cut in [*cuts[:1], *sorted(cuts[1:], key=lambda cut: cut.carried / cut.needed)[:1]]:
        name = f"smallest cut, {cut.where}"
        yield Floor(name, cut.carried, cut.needed, "bits through a cut", "this network", networks.CUT_SOURCE)
