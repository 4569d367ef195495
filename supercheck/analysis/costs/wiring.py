"""The wiring of a network, read as a graph: who can hear whom, and which neurons do nothing of their own.

Cones, degrees and the states of neurons come from the sparse matrices and work at any size; the networkx
graph, for everything that follows paths, is built when it is asked for and only up to `MOST_EDGES` edges.
Nothing here is on the way to a verdict.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from supercheck.base.errors import InputError
from supercheck.base.matrix import Array, Rows
from supercheck.network.network import Network
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import Formula, support

if TYPE_CHECKING:
    import networkx

MOST_EDGES = 150_000
"""A graph of more edges is not built: it would need about a kilobyte an edge."""

MOST_WORDS = 1 << 32
"""Words of bits up to which cones are found: about twenty seconds."""

_CELLS = 1 << 21  # words gathered at a time
_HELD = 1 << 24  # words held at a time
_ONES = np.array([byte.bit_count() for byte in range(256)], dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class Wiring:
    """The wiring of a network; everything is found when it is first asked for.

    Attributes:
        network: with its fixed codes folded in, so that paths run from features to outputs.
    """

    network: Network

    @property
    def affordable(self) -> bool:
        """Whether finding every cone takes seconds: each edge moves the bits of all features, 64 a word."""
        return self.edges * _words(self.network.features) <= MOST_WORDS

    def heard(self) -> Iterator[tuple[int, Array]]:
        """Which features reach each output, some features at a time.

        Yields:
            The first of these features, a multiple of 64, and uint64 [outputs, words]: bit j of word w is for the
            feature that comes 64 w + j after it.
        """
        return reach(self.network.matrices) if self._kept is None else iter(self._kept)

    @cached_property
    def _kept(self) -> list[tuple[int, Array]] | None:
        """All that outputs hear, where it fits."""
        fits = self.network.outputs * _words(self.network.features) <= _HELD
        return list(reach(self.network.matrices)) if fits else None

    @cached_property
    def cones(self) -> Array:
        """For each output how many features, then neurons of each hidden layer, reach it: [outputs, layers + 1]."""
        matrices = self.network.matrices
        walks = (reach(matrices[start:]) if start else self.heard() for start in range(len(matrices) - 1))
        counts = [sum(_count(bits) for _, bits in walk) for walk in walks]
        return np.stack([*counts, np.diff(matrices[-1].indptr)], axis=1)

    @cached_property
    def reached(self) -> Array:
        """For each feature how many outputs it reaches."""
        total = np.zeros(64 * _words(self.network.features), dtype=np.int64)
        for first, bits in self.heard():
            for part in np.array_split(bits, max(1, bits.size // _CELLS)):
                ones = np.unpackbits(part.view(np.uint8), axis=1, bitorder="little").sum(axis=0, dtype=np.int64)
                total[first : first + len(ones)] += ones
        return total[: self.network.features]

    def missing(self, formulas: Sequence[Formula]) -> list[tuple[int, int]]:
        """The pairs (output, feature) where the function names a feature from which no path leads, in order."""
        named = {formula: support(formula) for formula in set(formulas)}
        ends = np.array([(i, j) for i, formula in enumerate(formulas) for j in named[formula]], dtype=np.int64)
        output, feature = ends.reshape(-1, 2).T
        lacking = np.zeros(len(output), dtype=bool)
        for first, bits in self.heard():
            asked = np.flatnonzero((feature >= first) & (feature < first + 64 * bits.shape[1]))
            word, bit = np.divmod(feature[asked] - first, 64)
            lacking[asked] = bits[output[asked], word] >> bit.astype(np.uint64) & np.uint64(1) == 0
        return list(zip(output[lacking].tolist(), feature[lacking].tolist(), strict=True))

    @property
    def channels(self) -> Rows:
        """For each output the neurons of the last layer that its readout reads, 0/1 [outputs, neurons]."""
        rows = self.network.output.weight
        return rows.holding(np.ones(len(rows.data), dtype=np.int64))

    @property
    def edges(self) -> int:
        """The number of edges."""
        return self.network.edges

    @cached_property
    def graph(self) -> networkx.DiGraph:
        """The layered graph: nodes "x3", "h1.5" (layer 1, neuron 5), "y2" with their `layer`; edges with `weight`.

        Raises:
            InputError: where it would have more than `MOST_EDGES` edges.
        """
        if self.edges > MOST_EDGES:
            raise InputError(expected=f"at most {MOST_EDGES:,} edges for a graph", got=f"{self.edges:,}")
        import networkx

        graph: networkx.DiGraph = networkx.DiGraph()
        layers = names(self.network)
        for layer, nodes in enumerate(layers):
            graph.add_nodes_from(nodes, layer=layer)
        for (before, after), rows in zip(pairwise(layers), self.network.matrices, strict=True):
            ends = zip(rows.indices.tolist(), rows.row_of().tolist(), rows.data.tolist(), strict=True)
            graph.add_weighted_edges_from((before[j], after[i], weight) for j, i, weight in ends)
        return graph

    @cached_property
    def parts(self) -> list[set[str]]:
        """The connected parts of the graph, largest first; a node without edges is a part."""
        import networkx

        return sorted(networkx.weakly_connected_components(self.graph), key=len, reverse=True)


def names(network: Network) -> list[list[str]]:
    """The names of the graph's nodes, layer by layer."""
    hidden = [[f"h{place}.{t}" for t in range(layer.neurons)] for place, layer in enumerate(network.hidden, 1)]
    features, outputs = (
        [f"{kind}{i}" for i in range(n)] for kind, n in (("x", network.features), ("y", network.outputs))
    )
    return [features, *hidden, outputs]


def reach(matrices: Sequence[Rows]) -> Iterator[tuple[int, Array]]:
    """Which columns of the first matrix reach each row of the last, as many columns at a time as fit.

    Yields:
        The first of these columns, a multiple of 64, and uint64 [rows, words] with a bit for each.
    """
    first, words = matrices[0], _words(matrices[0].width)
    step = max(1, min(words, _HELD // max(1, *(rows.height for rows in matrices))))
    for start in range(0, words, step):
        here = np.flatnonzero((first.indices >= 64 * start) & (first.indices < 64 * (start + step)))
        column = first.indices[here].astype(np.int64) - 64 * start
        bits = np.zeros((first.height, min(step, words - start)), dtype=np.uint64)
        ones = np.left_shift(np.uint64(1), (column % 64).astype(np.uint64))
        np.bitwise_or.at(bits, (first.row_of()[here], column // 64), ones)
        for rows in matrices[1:]:
            bits = _united(rows, bits)
        yield 64 * start, bits


def _words(columns: int) -> int:
    return (columns + 63) // 64


def _united(rows: Rows, bits: Array) -> Array:
    """For each row the OR of the bits of its columns, some rows at a time."""
    united = np.zeros((rows.height, bits.shape[1]), dtype=np.uint64)
    filled = np.flatnonzero(np.diff(rows.indptr))
    starts, ends = rows.indptr[filled], rows.indptr[filled + 1]
    most, done = max(1, _CELLS // bits.shape[1]), 0
    while done < len(filled):
        until = max(done + 1, int(np.searchsorted(ends, starts[done] + most, side="right")))
        gathered = bits[rows.indices[starts[done] : ends[until - 1]]]
        united[filled[done:until]] = np.bitwise_or.reduceat(gathered, starts[done:until] - starts[done], axis=0)
        done = until
    return united


def _count(bits: Array) -> Array:
    """The number of ones in each row."""
    counts: Array = _ONES[bits.view(np.uint8)].sum(axis=1, dtype=np.int64)
    return counts


def influence(formulas: Sequence[Formula], features: int) -> Array:
    """For each feature the number of outputs whose function names it, [features]."""
    counts = np.zeros(features, dtype=np.int64)
    for formula in formulas:
        counts[list(support(formula))] += 1
    return counts


@dataclass(frozen=True)
class Influence:
    """How many features are read by no output, by at most m'^(1/4), by more, and by more than m'^(1/2)."""

    none: int
    low: int
    heavy: int
    super_heavy: int

    @classmethod
    def of(cls, counts: Array, outputs: int) -> Influence:
        """Sort features by influence; the powers are compared exactly.

        Source: Adler and Shavit, arXiv 2409.15318, feature influence.
        """
        values = counts.tolist()
        none, super_heavy = values.count(0), sum(v * v > outputs for v in values)
        low = sum(v > 0 and v**4 <= outputs for v in values)
        return cls(none, low, len(values) - none - low - super_heavy, super_heavy)


def computation(
    network: Network, output: int, active: Sequence[int], named: Sequence[int], most: int
) -> networkx.DiGraph | None:
    """What happens to one output on one input, as a graph without names.

    Args:
        network: in normal form.
        output: which output.
        active: the features that are on; the others do nothing.
        named: the features that the output's function names.
        most: edges from which on there is no graph.

    Returns:
        Nodes and, between them, edges as nodes; the label of each holds all that matters but its name.
    """
    import networkx

    cones = [np.array(active, dtype=np.int64), *network.cone([output])[1:], np.array([output])]
    labels: list[list[Hashable]] = [[j in named for j in active]]
    labels += [[layer.bias[p] for p in part] for layer, part in zip(network.hidden, cones[1:], strict=False)]
    labels.append([(network.output.bias[output], network.output.scale[output])])
    graph: networkx.DiGraph = networkx.DiGraph()
    for depth, (part, own) in enumerate(zip(cones, labels, strict=True)):
        for node, label in zip(part.tolist(), own, strict=True):
            graph.add_node((depth, node), label=(depth, label))
    for depth, rows in enumerate(network.matrices):
        for node in cones[depth + 1].tolist():
            for column, weight in zip(*(entry.tolist() for entry in rows.row(node)), strict=True):
                if (depth, column) in graph:
                    edge = (depth, column, node)
                    graph.add_node(edge, label=("edge", weight))
                    graph.add_edges_from([((depth, column), edge), (edge, (depth + 1, node))])
        if graph.number_of_edges() > 2 * most:
            return None
    return graph


def alike(first: networkx.DiGraph, second: networkx.DiGraph) -> bool:
    """Whether two labelled graphs differ in names alone."""
    import networkx

    if Counter(label for _, label in first.nodes("label")) != Counter(label for _, label in second.nodes("label")):
        return False
    return bool(networkx.vf2pp_is_isomorphic(first, second, node_label="label"))


def duplicates(network: Network) -> list[list[tuple[int, int]]]:
    """Groups of neurons of one layer that compute the same, up to a positive factor, as (layer from 1, neuron)."""
    groups: dict[Hashable, list[tuple[int, int]]] = defaultdict(list)
    for place, layer in enumerate(network.hidden, 1):
        rows, ends = layer.weight, layer.weight.indptr.tolist()
        indices = rows.indices.astype(np.int32, copy=False)
        small = rows.data.dtype != object
        for neuron, ((start, end), bias) in enumerate(zip(pairwise(ends), layer.bias.tolist(), strict=True)):
            data = rows.data[start:end]
            weights = data.tobytes() if small else tuple(data.tolist())
            groups[place, bias, indices[start:end].tobytes(), weights].append((place, neuron))
    return [group for group in groups.values() if len(group) > 1]


@dataclass(frozen=True, eq=False)
class States:
    """What each neuron of one layer does on the domain.

    Attributes:
        highest: an upper bound of its value, [neurons]; its largest value where `exact`.
        dead: whether it is 0 on every input.
        linear: whether its ReLU never cuts anything off, so that it is a linear form.
        passing: linear, with one input: it passes that on.
        exact: whether dead and linear neurons are all known; otherwise there may be more.
    """

    highest: Array
    dead: Array
    linear: Array
    passing: Array
    exact: bool


def states(network: Network, domain: KSparse) -> list[States]:
    """What the neurons of each layer do on the domain: exact in the first layer, certain but incomplete beyond.

    Source: ours. A linear form is largest where its largest coefficients are on; deeper layers by interval bounds.
    """
    found: list[States] = []
    for layer in network.hidden:
        bias = layer.bias.astype(object)
        if not found:
            minus = layer.weight.holding(-layer.weight.data)
            high = _column(domain.maxima(layer.weight)) + bias
            low = bias - _column(domain.maxima(minus))
        else:
            below = found[-1].highest
            positive = layer.weight.holding(np.maximum(layer.weight.data, 0).astype(object))
            negative = layer.weight.holding(np.minimum(layer.weight.data, 0).astype(object))
            high, low = positive.dot(below) + bias, negative.dot(below) + bias
        dead, linear = high <= 0, (low >= 0) & (high > 0)
        single = np.diff(layer.weight.indptr) == 1
        found.append(States(np.maximum(high, 0), dead, linear, linear & single, exact=not found))
    return found


def _column(values: Sequence[int | Fraction] | None) -> Array:
    column = np.empty(len(values or ()), dtype=object)
    column[:] = values
    return column
