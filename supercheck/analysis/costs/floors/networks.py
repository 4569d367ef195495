"""Floors that hold for this one network: values that its layers can take, cuts, and missing paths.

What a layer or a cut cannot carry, no readout can recover; so a network below one of these floors is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, islice
from math import ceil

import numpy as np

from supercheck.analysis.costs.floors.logs import log2, rounded
from supercheck.analysis.costs.floors.patterns import vectors
from supercheck.analysis.costs.wiring import States, Wiring, names
from supercheck.base.matrix import Array, Rows
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Counterexample, Refuted
from supercheck.claims.replay import evaluate as evaluate_points, replay
from supercheck.network.input import Input
from supercheck.network.network import Network
from supercheck.spec.formula import Formula, evaluate, support

VALUES_SOURCE = "a layer of bounded integers takes at most this many values (ours)"
CUT_SOURCE = "what crosses a cut determines the outputs behind it; max-flow min-cut (ours)"
PATH_SOURCE = "without a path the output is the same for both values of the feature (ours)"

_CELLS = 1 << 22  # products held at a time
_MOST_INPUTS = 4096  # of one cut
_MOST_WORK = 1 << 25  # edges times inputs of one cut
_MOST_ASSIGNMENTS = 1 << 17  # looked at for one missing path
_MOST_MISSING = 1000  # missing paths that are looked into
_PARTS = 1 << 20  # capacities are whole numbers of this fraction of a bit
HUBS = 3


@dataclass(frozen=True)
class MissingPath:
    """An output that depends on a feature from which no path leads to it, and the input that shows it wrong."""

    output: int
    feature: int
    counterexample: Counterexample


def missing_paths(claims: Claims, wiring: Wiring) -> tuple[list[MissingPath], int]:
    """The missing paths that refute, and how many were too much to look into.

    Source: ours. Two inputs that differ in one feature, and at which the function differs, give the same output; so
    one of them is wrong. Each counterexample is replayed through the loaded network in exact arithmetic.
    """
    paths, refuted, open_ = [], list[Refuted](), 0
    for place, (output, feature) in enumerate(wiring.missing(claims.formulas)):
        pair = depends(claims.formulas[output], feature, claims.cube.max_active) if place < _MOST_MISSING else None
        if pair is None:
            open_ += 1
        elif pair:
            found = _refutation(claims, output, *pair)
            if found is not None:
                paths.append((output, feature))
                refuted.append(found)
    replayed = zip(paths, replay(claims, refuted), strict=True) if refuted else ()
    return [MissingPath(output, feature, example) for (output, feature), example in replayed], open_


def depends(
    formula: Formula, feature: int, max_active: int
) -> tuple[frozenset[int], frozenset[int]] | tuple[()] | None:
    """Two inputs of the domain that differ in one feature alone and at which the function differs.

    Returns:
        (off input, on input) with fewest features on; () where there are none; None where that was too much to
        find out.
    """
    others, left = [j for j in support(formula) if j != feature], _MOST_ASSIGNMENTS
    for size in range(min(max_active - 1, len(others)) + 1):
        sets = combinations(others, size)
        while chunk := list(islice(sets, 4096)):
            left -= len(chunk)
            if left < 0:
                return None
            ones, columns = (1 << len(chunk)) - 1, dict.fromkeys(others, 0)
            for position, active in enumerate(chunk):
                for other in active:
                    columns[other] |= 1 << position
            without, with_ = (evaluate(formula, (columns | {feature: v}).__getitem__, ones) for v in (0, ones))
            differ = without ^ with_
            if differ:
                position = (differ & -differ).bit_length() - 1
                base = frozenset(chunk[position])
                pair = (base, base | {feature})
                return pair if with_ >> position & 1 else (pair[1], pair[0])
    return ()


def _refutation(claims: Claims, output: int, off: frozenset[int], on: frozenset[int]) -> Refuted | None:
    """Which of the two is wrong, the one with fewer features on first; None where a wide tolerance allows both."""
    if claims.separable:
        return Refuted(output, Input.on(off), Input.on(on))
    pair = sorted((off, on), key=len)
    for point, holds in evaluate_points(claims, [(output, Input.on(active)) for active in pair]):
        if claims.readout.wrong(point.value, holds):
            return Refuted(output, point.input)
    return None


def value_bits(states: States) -> Fraction:
    """log2 of how many vectors of values a layer can take at most, rounded up: each neuron one of 0 to its highest."""
    return sum((log2(int(highest) + 1, up=True) for highest in states.highest), Fraction(0))


@dataclass(frozen=True)
class Cut:
    """The smallest cut between features that vary and outputs.

    Attributes:
        where: what varies, in words.
        carried: what the smallest cut can carry, in bits, rounded up.
        needed: log2 of the distinct output vectors that must come out behind it, rounded down.
    """

    where: str
    carried: float
    needed: float


def cuts(claims: Claims, wiring: Wiring, asked: Sequence[frozenset[int]]) -> list[Cut]:
    """The smallest cuts for all outputs together, and behind each of the features with most influence.

    Args:
        claims: the question.
        wiring: of its network.
        asked: inputs that ask for different output vectors.

    Source: ours. On any set of inputs, the values of the nodes of a cut determine the outputs behind it; so the
    product of how many values each takes on them is at least the number of distinct output vectors.
    """
    most = min(_MOST_INPUTS, max(2, _MOST_WORK // max(1, wiring.edges)))
    everything = sorted(sorted(asked, key=len)[:most], key=sorted)
    found = [_cut(claims, wiring, everything, range(len(claims)), "all features")] if len(everything) > 1 else []
    readers: dict[int, list[int]] = {}
    for output, formula in enumerate(claims.formulas):
        for feature in support(formula):
            readers.setdefault(feature, []).append(output)
    for hub in sorted(readers, key=lambda j: (-len(readers[j]), j))[:HUBS] if claims.cube.max_active >= 2 else []:
        partners = sorted({j for i in readers[hub] for j in support(claims.formulas[i])} - {hub})
        inputs = [frozenset({hub}), *(frozenset({hub, partner}) for partner in partners[: most - 1])]
        found.append(_cut(claims, wiring, inputs, readers[hub], f"partners of x{hub}, which is on"))
    return [cut for cut in found if cut is not None]


def _cut(
    claims: Claims, wiring: Wiring, inputs: Sequence[frozenset[int]], outputs: Sequence[int], where: str
) -> Cut | None:
    import networkx

    asked = len({row.tobytes() for row in vectors([claims.formulas[i] for i in outputs], inputs)})
    if asked < 2:
        return None
    network, layers = wiring.network, names(wiring.network)
    kinds = [_kinds(values) for values in layer_values(network, inputs)]
    capacities = {
        name: ceil(log2(int(count), up=True) * _PARTS)
        for nodes, counts in zip(layers, kinds, strict=False)
        for name, count in zip(nodes, counts, strict=True)
        if count > 1
    }
    wanted = {layers[-1][i] for i in outputs}
    part = wiring.graph.subgraph(capacities.keys() | wanted)
    flow: networkx.DiGraph = networkx.DiGraph()
    flow.add_nodes_from(("source", "sink"))
    flow.add_edges_from(("source", (name, "in")) for name in layers[0] if name in capacities)
    flow.add_edges_from(((name, "in"), "sink") for name in wanted)
    for name, capacity in capacities.items():
        flow.add_edge((name, "in"), (name, "out"), capacity=capacity)
    flow.add_edges_from(((a, "out"), (b, "in")) for a, b in part.edges)
    carried = networkx.minimum_cut_value(flow, "source", "sink")
    return Cut(where, carried / _PARTS, rounded(log2(asked, up=False), up=False))


def layer_values(network: Network, inputs: Sequence[Iterable[int]]) -> list[Array]:
    """The exact values of the features and of each hidden layer's neurons, [nodes, inputs] a layer."""
    h: Array = np.zeros((network.features, len(inputs)), dtype=np.int64 if network.fits_int64(1) else object)
    for column, active in enumerate(inputs):
        h[list(active), column] = 1
    values = [h]
    for layer in network.hidden:
        values.append(np.maximum(_product(layer.weight, values[-1]) + layer.bias[:, None], 0))
    return values


def _product(rows: Rows, h: Array) -> Array:
    """The exact product of a sparse matrix with some columns, some columns at a time."""
    total = np.zeros((rows.height, h.shape[1]), dtype=h.dtype)
    filled, step = np.flatnonzero(np.diff(rows.indptr)), max(1, _CELLS // max(1, len(rows.data)))
    for start in range(0, h.shape[1] if len(filled) else 0, step):
        products = rows.data[:, None] * h[rows.indices, start : start + step]
        total[filled, start : start + step] = np.add.reduceat(products, rows.indptr[filled], axis=0)
    return total


def _kinds(values: Array) -> list[int]:
    """How many different values each row has."""
    if values.dtype == object:
        return [len(set(row)) for row in values.tolist()]
    ordered = np.sort(values, axis=1)
    kinds: list[int] = (1 + np.count_nonzero(np.diff(ordered, axis=1), axis=1)).tolist()
    return kinds
