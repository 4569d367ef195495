"""The wiring: cones, states of neurons and the graph, against brute force and networkx."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import networkx
import numpy as np
import pytest
from hypothesis import given, strategies as st
from oracle import Stored, inputs
from strategies import Question, layers, network, questions

from supercheck import InputError, KSparse, gate, parse
from supercheck.analysis.costs import wiring as rooms
from supercheck.analysis.costs.floors.networks import layer_values
from supercheck.analysis.costs.wiring import Influence, Wiring, duplicates, influence, reach, states
from supercheck.base.matrix import Rows
from supercheck.network.layers import Affine
from supercheck.network.network import Network

networks = st.integers(1, 5).flatmap(lambda m: st.integers(1, 4).flatmap(lambda n: layers(m, n))).map(network)


def unpacked(matrices: Sequence[Rows]) -> np.ndarray:
    """Which columns reach which rows, bool [rows, columns]."""
    parts = [np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little") for _, bits in reach(matrices)]
    return np.concatenate(parts, axis=1)[:, : matrices[0].width].astype(bool)


def hears(net: Network) -> np.ndarray:
    """Which outputs hear which features, by products of matrices of ones."""
    paths = np.eye(net.features, dtype=np.int64)
    for rows in net.matrices:
        paths = ((rows.dense() != 0).astype(np.int64) @ paths > 0).astype(np.int64)
    return paths > 0


@given(networks)
def test_cones_are_those_of_the_slices(net: Network) -> None:
    found = Wiring(net)
    for output in range(net.outputs):
        cone = net.cone([output])
        assert found.cones[output].tolist() == [len(part) for part in cone]
        assert [j for j in range(net.features) if hears(net)[output, j]] == cone[0].tolist()
    assert found.reached.tolist() == hears(net).sum(axis=0).tolist()
    everything = gate("or", range(net.features))
    lacking = [(i, j) for i in range(net.outputs) for j in range(net.features) if not hears(net)[i, j]]
    assert found.missing([everything] * net.outputs) == lacking


@given(networks)
def test_the_graph_has_an_edge_for_each_weight_and_the_same_paths(net: Network) -> None:
    found = Wiring(net)
    graph = found.graph
    assert graph.number_of_edges() == net.edges == found.edges
    assert graph.number_of_nodes() == net.features + net.neurons + net.outputs
    assert networkx.is_directed_acyclic_graph(graph)
    assert all(graph.nodes[b]["layer"] == graph.nodes[a]["layer"] + 1 for a, b in graph.edges)
    for output in range(net.outputs):
        heard = {name for name in networkx.ancestors(graph, f"y{output}") if name.startswith("x")}
        assert heard == {f"x{j}" for j in range(net.features) if hears(net)[output, j]}
    assert sum(map(len, found.parts)) == graph.number_of_nodes()
    assert [len(part) for part in found.parts] == sorted(map(len, found.parts), reverse=True)


def test_edges_carry_the_integer_weights() -> None:
    net = network([([[2, 0], [3, -6]], [0, 3], True), ([[1, 1]], [0], False)])  # type: ignore[list-item]
    graph = Wiring(net).graph
    assert [(a, b, data["weight"]) for a, b, data in graph.edges(data=True)] == [
        ("x0", "h1.0", 1),
        ("x0", "h1.1", 1),
        ("x1", "h1.1", -2),
        ("h1.0", "y0", 2),
        ("h1.1", "y0", 3),
    ]


def test_a_graph_of_too_many_edges_is_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    net = network([([[1, 1]], [0], False)])  # type: ignore[list-item]
    assert Wiring(net).graph.number_of_edges() == 2
    monkeypatch.setattr(rooms, "MOST_EDGES", 1)
    with pytest.raises(InputError, match="at most 1 edges for a graph, got 2"):
        _ = Wiring(net).graph


def test_reach_in_many_small_steps_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    dense = [(rng.random(shape) < 0.02).astype(np.int64) for shape in ((90, 200), (70, 90), (50, 70))]
    dense[1][3] = 0
    matrices = [Rows.from_dense(matrix) for matrix in dense]
    exact = (dense[2] @ dense[1] @ dense[0]) > 0
    assert exact.any()
    assert (unpacked(matrices) == exact).all()
    assert len(list(reach(matrices))) == 1
    monkeypatch.setattr(rooms, "_CELLS", 5)
    assert (unpacked(matrices) == exact).all()
    monkeypatch.setattr(rooms, "_HELD", 3 * 90)  # three words of four, then the last
    assert [(first, bits.shape) for first, bits in reach(matrices)] == [(0, (50, 3)), (192, (50, 1))]
    assert (unpacked(matrices) == exact).all()
    net = Network.of([Affine(rows, np.zeros(rows.height, dtype=np.int64), True) for rows in matrices])
    assert Wiring(net).reached.tolist() == exact.sum(axis=0).tolist()
    assert Wiring(net).cones[:, 0].tolist() == exact.sum(axis=1).tolist()
    missing = Wiring(net).missing([gate("or", [5, 70, 130, 199])] * 50)
    assert missing == [(i, j) for i in range(50) for j in (5, 70, 130, 199) if not exact[i, j]]


@given(questions())
def test_states_are_those_of_brute_force(question: Question) -> None:
    claims = question.claims
    found = states(claims.network, claims.cube)
    asked = [frozenset(active) for active in inputs(claims.domain.features, claims.domain.max_active)]
    values = layer_values(claims.network, asked)[1:]
    for place, (state, h) in enumerate(zip(found, values, strict=True)):
        assert (h.max(axis=1) <= state.highest).all()
        assert not h[state.dead].any()
        z = _sums(claims.network, place, asked)
        assert (z[state.linear] >= 0).all()
        if state.exact:
            assert place == 0
            assert (h.max(axis=1) == state.highest).all()
            assert (state.dead == (h.max(axis=1) == 0)).all()
            assert (state.linear == ((z.min(axis=1) >= 0) & (z.max(axis=1) > 0))).all()
        rows = claims.network.hidden[place].weight
        assert (state.passing == (state.linear & (np.diff(rows.indptr) == 1))).all()


def _sums(net: Network, place: int, asked: list[frozenset[int]]) -> np.ndarray:
    """The values of one layer before its ReLU, [neurons, inputs]."""
    layer, below = net.hidden[place], layer_values(net, asked)[place]
    columns = [layer.weight.dot(below[:, i].astype(object)) + layer.bias for i in range(below.shape[1])]
    return np.array(columns, dtype=object).T


@given(questions())
def test_values_of_layers_are_those_of_the_reference(question: Question) -> None:
    claims = question.claims
    asked = [frozenset(active) for active in inputs(claims.domain.features, claims.domain.max_active)]
    last = layer_values(claims.network, asked)[-1]
    for column, active in enumerate(asked):
        sums = claims.network.output.weight.dot(last[:, column].astype(object))
        y = [claims.value(i, int(total)) for i, total in enumerate(sums)]
        assert y == list(claims.network.run([int(j in active) for j in range(claims.domain.features)]))


@given(layers(4, 3))
def test_duplicates_compute_the_same_up_to_a_factor(stored: Stored) -> None:
    net = network(stored)
    same = {frozenset(group) for group in duplicates(net)}
    for place, layer in enumerate(net.hidden, 1):
        dense = [(*row, b) for row, b in zip(layer.weight.dense().tolist(), layer.bias.tolist(), strict=True)]
        for a, b in combinations(range(len(dense)), 2):
            together = any({(place, a), (place, b)} <= group for group in same)
            assert together == (dense[a] == dense[b])


def test_a_scaled_copy_of_a_neuron_is_a_duplicate() -> None:
    net = network([([[1, 2], [3, 6], [-1, -2]], [1, 3, -1], True), ([[1, 1, 1]], [0], False)])  # type: ignore[list-item]
    assert duplicates(net) == [[(1, 0), (1, 1)]]


@given(st.lists(st.integers(0, 40), min_size=1), st.integers(1, 500))
def test_influence_is_compared_exactly(counts: list[int], outputs: int) -> None:
    found = Influence.of(np.array(counts), outputs)
    assert found.none + found.low + found.heavy + found.super_heavy == len(counts)
    assert found.super_heavy == sum(c**2 > outputs for c in counts)
    assert found.low == sum(c > 0 and c**4 <= outputs for c in counts)


def test_influence_of_hand_made_functions() -> None:
    listed = [parse("x0 & x1"), parse("x0 & x2"), parse("x0 ^ x0 | x3")]
    assert influence(listed, 5).tolist() == [3, 1, 1, 1, 0]
    assert Influence.of(np.array([16, 4, 2, 1, 0]), 16) == Influence(none=1, low=2, heavy=1, super_heavy=1)


def test_missing_paths_are_named() -> None:
    net = network([([[1, 1, 0], [0, 0, 1]], [-1, 0], True), ([[1, 0], [1, 0]], [0, 0], False)])  # type: ignore[list-item]
    assert Wiring(net).missing([gate("and", [0, 1]), gate("and", [1, 2])]) == [(1, 2)]


def test_a_network_without_a_hidden_layer_has_cones_too() -> None:
    net = Network.of([Affine(Rows.from_dense(np.array([[1, 0, 1], [0, 0, 0]])), np.zeros(2, dtype=np.int64), False)])
    found = Wiring(net)
    assert found.cones.tolist() == [[2], [0]]
    assert states(net, KSparse(3, 1)) == []


@pytest.mark.parametrize(("held", "walks"), [(2, 1), (1, 3)])
def test_what_outputs_hear_is_found_once_where_it_fits(held: int, walks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    net = network([([[1, 1, 0], [0, 0, 1]], [-1, 0], True), ([[1, 0], [1, 0]], [0, 0], False)])  # type: ignore[list-item]
    begun = []
    monkeypatch.setattr(rooms, "_HELD", held)  # two outputs, a word each
    monkeypatch.setattr(rooms, "reach", lambda matrices: begun.append(1) or reach(matrices))
    found = Wiring(net)
    assert found.cones.tolist() == [[2, 1], [2, 1]]
    assert found.reached.tolist() == [2, 2, 0]
    assert found.missing([gate("and", [0, 1]), gate("and", [1, 2])]) == [(1, 2)]
    assert len(begun) == walks
