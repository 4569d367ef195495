"""The floors of one audited network: every bound whose domain of validity it lies in, beside its own figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil

from supercheck.analysis.costs.counts import Counts
from supercheck.analysis.costs.floors import capacity, classes, functions, networks
from supercheck.analysis.costs.floors.classes import FunctionClass
from supercheck.analysis.costs.floors.floor import Floor, bound
from supercheck.analysis.costs.floors.logs import log2, rounded
from supercheck.analysis.costs.floors.patterns import Patterns
from supercheck.analysis.costs.wiring import States
from supercheck.claims.claims import Claims

NEURONS_LAST = "neurons of the last layer"


def floors(
    claims: Claims,
    counts: Counts,
    of_class: FunctionClass | None,
    known: Patterns,
    layers: Sequence[States],
    cuts: Sequence[networks.Cut],
) -> tuple[Floor, ...]:
    """Every floor that applies; none where one value is right for both classes.

    Args:
        claims: the question.
        counts: what the network costs.
        of_class: the class that its functions belong to.
        known: output vectors that occur.
        layers: what its neurons do.
        cuts: smallest cuts.
    """
    if tolerates_all(claims):
        return ()
    listed = [
        *(class_floors(of_class, counts, claims.cube.size) if of_class is not None else ()),
        *function_floors(claims, counts, known),
        *edge_floors(claims, counts),
        *network_floors(known, layers, cuts),
    ]
    return bound(listed, ("this function", "this network"))


def tolerates_all(claims: Claims) -> bool:
    """Whether one value is right for both classes, so that nothing has to be told apart."""
    off, on = (claims.readout.goal(target) for target in (0, 1))
    return not claims.separable and off.meets(on)


def counted_class(claims: Claims) -> FunctionClass | None:
    """The class of the functions, where a network cannot be right for two functions of it."""
    found = classes.class_of(claims.formulas, claims.cube.features, claims.cube.max_active)
    nested = found is not None and found.name == "gate2" and claims.separable  # thresholds tell an AND from an OR
    return None if nested or tolerates_all(claims) else found


def class_floors(of_class: FunctionClass, counts: Counts, inputs: int) -> Iterator[Floor]:
    """Bits of the class against the capacity of this shape, and the least figures of each shape that hold them."""
    bits, values = of_class.bits(), max(1, counts.values)
    slots = sum(matrix.slots for matrix in counts.own)
    edges = capacity.least_edges(bits, slots, values)
    per_slot = max([values + 1, *(matrix.bias_values for matrix in counts.own)])
    yield Floor("code, biases given", counts.bits, bits, "bits", "class", classes.SOURCE)
    name = f"nonzeros of {values:,} values, biases given"
    yield Floor(name, counts.edges, edges, "edges", "class", capacity.CODE_SOURCE)
    dense = capacity.least_slots(bits, values + 1)
    name = f"slots of {values + 1:,} values, biases given"
    yield Floor(name, slots, dense, "slots", "class", capacity.DENSE_SOURCE)
    if counts.layers == 1:
        each = counts.shape[0] + 1 + counts.shape[-1]
        apart = counts.shape[-1] if counts.own[-1].bias_values > 1 else 0
        least = capacity.least_neurons_modulo_swaps(bits, each, per_slot, apart)
        name = f"modulo swaps, {per_slot:,} values"
        yield Floor(name, counts.neurons, least, "neurons", "class", capacity.SWAPS_SOURCE)
    if {block.name for block in counts.blocks if block.fixed} == {"encoder", "decoder"}:
        precision = max(1, ceil(log2(per_slot, up=True)))
        width = capacity.least_block_width(bits, len(counts.own), precision)
        name = f"n x n blocks, {precision} bits a parameter"
        yield Floor(name, counts.inner, width, "width", "class", capacity.BLOCKS_SOURCE)
    if counts.layers:
        read, own = counts.shape[0], counts.shape[-1]
        real = capacity.least_real_width(bits, read, own, counts.layers, inputs, counts.outputs)
        yield Floor("width at any precision", counts.width, real, "width", "class", capacity.ANTHONY_BARTLETT)


def function_floors(claims: Claims, counts: Counts, known: Patterns) -> Iterator[Floor]:
    """What every network that computes this function keeps to."""
    within = claims.readout.tolerance
    unit = NEURONS_LAST if counts.layers else "inputs of the readout"
    arity = classes.and_arity(claims.formulas)
    apart = arity is not None and arity <= claims.cube.max_active  # each AND is the only one on at its own features
    if within == 0:
        least = len(claims) if apart else functions.rank_floor(known)
        name = "rank of the function table"
        yield Floor(name, counts.last, least, unit, "this function", functions.RANK_SOURCE)
    elif within is not None:
        least = functions.epsilon_floor(len(claims) if apart else functions.alone(known), within)
        name = f"rank within {within}"
        yield Floor(name, counts.last, least, unit, "this function", functions.EPSILON_SOURCE)
    name, least = "shattered outputs", len(functions.shattered(known))
    yield Floor(name, counts.last, least, unit, "this function", functions.SHATTER_SOURCE)
    least = functions.pattern_floor(len(known), known.outputs)
    yield Floor("output patterns", counts.last, least, unit, "this function", functions.PATTERN_SOURCE)


def edge_floors(claims: Claims, counts: Counts) -> Iterator[Floor]:
    """What every network of so many neurons that computes these ANDs keeps to."""
    if counts.layers == 1 and not any(block.fixed for block in counts.blocks):
        least = functions.edge_floor(claims.formulas, claims.cube.max_active, counts.neurons)
        if least is not None:
            name = f"one hidden layer of {counts.neurons:,} neurons"
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
