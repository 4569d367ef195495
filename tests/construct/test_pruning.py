"""Pruned networks against brute force: right, no larger, and nothing more can go."""

from __future__ import annotations

import copy
from fractions import Fraction
from pathlib import Path

import pytest
from brute import SOME
from common import HALF, SPECS
from hypothesis import given, settings, strategies as st
from oracle import Stored, Wrong, inputs, run
from prunable import Late, duplicated
from strategies import Question, meaning, network, questions, right_questions
from trained import question

from supercheck import KSparse, Pruning, Spec, Verdict, gate, load, prune
from supercheck.api import prune as pruning
from supercheck.base.matrix import Ratios
from supercheck.claims.result import OutputResult
from supercheck.construct.pruning import edits as trimming, prover as proving, ranking, rounding
from supercheck.construct.pruning.edits import Layers
from supercheck.network.formats.tensors import LayerNames
from supercheck.network.layers import Neuron
from supercheck.report.prune.json import prune_object


def plainly(layers: Layers) -> Stored:
    """Layers in the oracle's language."""
    found: Stored = []
    for layer in layers:
        flat = iter(Ratios.of(layer.weight.data).fractions())
        weight = [[Fraction(0)] * layer.weight.width for _ in range(layer.weight.height)]
        for row, column in zip(layer.weight.row_of().tolist(), layer.weight.indices.tolist(), strict=True):
            weight[row][column] = next(flat)
        found.append((weight, Ratios.of(layer.bias).fractions(), layer.relu))
    return found


def right(layers: Stored, spec: Spec, wrong: Wrong | None) -> bool:
    """Whether every output is right on every input, by evaluating them all."""
    high, low = dict[int, Fraction](), dict[int, Fraction]()
    functions = [meaning(formula) for formula in spec.formulas]
    for active in inputs(spec.domain.features, spec.domain.max_active):
        y = run(layers, [int(j in active) for j in range(spec.domain.features)])
        for i, function in enumerate(functions):
            on = function(frozenset(active))
            if wrong is not None and wrong(y[i], on):
                return False
            if on:
                low[i] = min(low.get(i, y[i]), y[i])
            else:
                high[i] = max(high.get(i, y[i]), y[i])
    return wrong is not None or all(high[i] < low[i] for i in high.keys() & low.keys())


def edges(layers: Stored) -> list[tuple[int, int, int]]:
    return [
        (depth, row, column)
        for depth, (weight, _, _) in enumerate(layers)
        for row, values in enumerate(weight)
        for column, value in enumerate(values)
        if value
    ]


def check_pruned(asked: Question) -> Pruning:
    """What is left is right, costs no more, and is wrong without any single edge."""
    found = prune(network(asked.stored), asked.spec)
    if not right(asked.stored, asked.spec, asked.wrong):
        assert (found.verdict, found.pruned, found.network) == (Verdict.REFUTED, None, None)
        return found
    assert found.verdict is Verdict.PROVED
    assert found.pruned is not None
    before, after, left = found.pruned.before, found.pruned.after, plainly(found.pruned.layers)
    assert right(left, asked.spec, asked.wrong)
    assert (after.edges, after.neurons) <= (before.edges, before.neurons)
    assert after.edges == len(edges(left)) == len(found.pruned.edges)
    assert after.neurons == len(found.pruned.neurons) == sum(len(bias) for _, bias, _ in left[:-1])
    for depth, row, column in edges(left):
        less = copy.deepcopy(left)
        less[depth][0][row][column] = Fraction(0)
        assert not right(less, asked.spec, asked.wrong)
        why = found.pruned.edges[depth, row, column].counterexample
        assert why is not None
        y = run(less, [int(j in why.active) for j in range(asked.spec.domain.features)])
        assert y[why.output] == why.value
    return found


@given(right_questions(3))
@settings(max_examples=SOME)
def test_what_is_left_is_right_and_no_edge_of_it_can_go(asked: Question) -> None:
    check_pruned(asked)


@given(questions())
@settings(max_examples=SOME)
def test_in_every_mode_a_right_network_is_pruned_and_a_wrong_one_is_not(asked: Question) -> None:
    check_pruned(asked)


@given(right_questions(3), st.data())
@settings(max_examples=SOME)
def test_changes_that_claim_to_keep_the_function_do(asked: Question, data: st.DataObject) -> None:
    layers = trimming.layered(network(asked.stored))
    same = [trimming.cleared(layers), trimming.merged(layers), trimming.compact(trimming.cleared(layers))]
    features = asked.spec.domain.features
    for changed in same:
        for active in inputs(features, features):
            x = [int(j in active) for j in range(features)]
            assert run(plainly(changed), x) == run(asked.stored, x)
    edge = data.draw(st.sampled_from(ranking.edges(layers) or [(0, 0, 0)]))
    less = plainly(layers)
    less[edge[0]][0][edge[1]][edge[2]] = Fraction(0)
    held = data.draw(st.sampled_from(ranking.neurons(layers) or [Neuron(len(layers), 0)]))
    for active in inputs(features, features):
        x = [int(j in active) for j in range(features)]
        assert run(plainly(trimming.without(layers, [edge])), x) == run(less, x)
        assert run(plainly(trimming.stood_still(layers, [held])), x) == frozen(asked.stored, held, x)


def frozen(layers: Stored, held: Neuron, x: list[int]) -> list[Fraction]:
    """The outputs with one neuron as it is where nothing is on."""
    depth, neuron = held.layer - 1, held.row
    if depth == len(layers) - 1:  # there is none
        return run(layers, x)
    rest = run(layers[: depth + 1], [0] * len(x))[neuron]
    here = run(layers[: depth + 1], x)
    here[neuron] = rest
    h = here
    for weight, bias, relu in layers[depth + 1 :]:
        z = [
            b + sum((w * v for w, v in zip(row, h, strict=True)), Fraction(0))
            for row, b in zip(weight, bias, strict=True)
        ]
        h = [max(value, Fraction(0)) for value in z] if relu else z
    return h


@given(right_questions(3), st.integers(0, 5), st.sampled_from([0, 3]))
@settings(max_examples=SOME)
def test_rounded_weights_are_few_multiples_of_a_power_of_two(asked: Question, digits: int, finer: int) -> None:
    layers = trimming.layered(network(asked.stored))
    found = rounding.rounded(layers, [digits] * len(layers), finer)
    assert edges(plainly(found)) == edges(plainly(layers))
    for (weight, _, _), (was, _, relu) in zip(plainly(found), plainly(layers), strict=True):
        for row, old in zip(weight, was, strict=True):
            sizes = [abs(value) for value in row if value]
            assert not relu or all(size.denominator == 1 for size in sizes)
            if sizes:
                unit = min(Fraction(size.numerator & -size.numerator, size.denominator) for size in sizes)
                assert max(sizes) / unit <= 2**digits or finer
            assert [value > 0 for value in row if value] == [value > 0 for value in old if value]


def test_edges_have_an_exact_order() -> None:
    """It was by doubles that were rounded to 24 digits: at a boundary a machine's last digit still told two apart."""
    one, more = Fraction(1), 1 + Fraction(1, 2**40)
    stored: Stored = [([[more, one]], [Fraction(0)], True), ([[one]], [Fraction(0)], False)]
    assert ranking.edges(trimming.layered(network(stored))) == [(0, 0, 1), (0, 0, 0), (1, 0, 0)]


def test_dead_unread_constant_and_duplicate_neurons_go() -> None:
    found = prune(*duplicated())
    assert found.pruned is not None
    assert (found.pruned.before.neurons, found.pruned.after.neurons) == (6, 2)
    assert edges(plainly(found.pruned.layers)) == [(0, 0, 0), (0, 0, 1), (0, 1, 2), (0, 1, 3), (1, 0, 0), (1, 1, 1)]
    assert found.verdict is Verdict.PROVED


def test_a_hidden_layer_that_is_linear_goes_where_that_adds_no_edge() -> None:
    """A neuron a feature, whose readout does the AND; four neurons for 28 ANDs would cost more edges without."""
    copied = prune(None, SPECS / "proved" / "copy_margin.toml")
    assert copied.pruned is not None
    assert (copied.pruned.after.layers, copied.pruned.after.edges) == (0, 56)
    powers = prune(None, SPECS / "proved" / "power_sums.toml")
    assert powers.pruned is not None
    assert (powers.pruned.after.neurons, powers.pruned.after.edges) == (4, 144)


def test_a_constant_output_needs_nothing() -> None:
    found = prune(None, SPECS / "proved" / "vacuous_and.toml")
    assert found.pruned is not None
    assert (found.pruned.after.edges, found.pruned.after.neurons, found.verdict) == (0, 0, Verdict.PROVED)


@pytest.mark.parametrize("looks", [1, 30, 200])
def test_what_is_proved_when_time_is_up_is_kept(looks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real = pruning.search  # type: ignore[attr-defined]
    monkeypatch.setattr(
        pruning,
        "search",
        lambda a, b, c, _clock, *rest, **more: real(a, b, c, Late(looks), *rest, **more),  # type: ignore[arg-type]
    )
    spec = SPECS / "proved" / "trained_permutation.toml"
    found = prune(None, spec)
    whole = found.pruned
    assert whole is not None
    assert (found.verdict, whole.reason) == (Verdict.PROVED, "timeout after 1 s")
    assert whole.after.edges <= whole.before.edges
    assert (whole.edges, whole.neurons) == ({}, {})
    assert "What binds is not known: timeout after 1 s." in str(found)
    assert prune_object(found)["binds"]["complete"] is False


TRAINED = {"uand_m8_n16_k3": (3, 13, 207), "and24_m16_n20": (2, 19, 170), "xor12_m10_n20": (2, 20, 111)}
"""k, and how many neurons and edges were left."""


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_trained_networks_shrink_as_they_did(shared: Path, name: str) -> None:
    k, neurons, most = TRAINED[name]
    known = question(shared, name)
    formulas = tuple(gate(known["kind"], part) for part in known["defs"])
    found = prune(shared / "networks" / f"{name}.safetensors", Spec(KSparse(known["features"], k), formulas, HALF))
    assert found.pruned is not None
    before, after = found.pruned.before, found.pruned.after
    assert (after.neurons, after.edges) <= (neurons, most)
    assert 3 * after.bits < before.bits


@pytest.mark.slow
def test_a_published_network_holds_triples_that_share_at_most_one_neuron(shared: Path) -> None:
    """Of 10,000 weights 600 are left, all alike: three neurons a feature, which its output reads."""
    file = shared / "third-party" / "codeword_100f_50n_L4_100000steps.safetensors"
    given = load(file, [LayerNames("W_in"), LayerNames("W_out")])
    found = prune(given, Spec(KSparse(100, 2), tuple(gate("copy", [i]) for i in range(100)), HALF)).network
    assert found is not None
    assert found.edges <= 600
    owned = found.hidden[0].weight.dense()
    assert set(owned.sum(axis=0)) == {3}
    assert (found.output.weight.dense() == owned.T).all()
    shared_by = owned.T @ owned
    assert {shared_by[i, j] for i in range(100) for j in range(i)} == {0, 1}


def test_an_edge_that_cannot_be_decided_stays_and_is_counted_as_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown is not allowed: what no engine decides is kept, and the report says so."""
    monkeypatch.setattr(
        proving,
        "unproved",
        lambda claims, outputs, *rest: OutputResult(min(outputs), Verdict.UNKNOWN, reason="tired"),
    )
    found = prune(None, SPECS / "proved" / "edge_code.toml")
    assert found.pruned is not None
    assert found.pruned.before == found.pruned.after
    assert {why.reason for why in found.pruned.edges.values()} == {"tired"}
    assert "not proved to be of no use, so kept. For instance" in str(found)
    binds = prune_object(found)["binds"]
    assert (binds["edges"]["open"], binds["edges"]["example"]) == (binds["edges"]["left"], None)
