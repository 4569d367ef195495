"""Pruned networks against brute force: right, no larger, and nothing more can go; what the command says and writes."""

from __future__ import annotations

import copy
import json
import re
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings, strategies as st
from oracle import Stored, Wrong, inputs, run
from strategies import Question, meaning, network, questions, right_questions
from test_shared import HALF, question

from supercheck import (
    InputError,
    KSparse,
    Limits,
    Network,
    Pruning,
    Readout,
    Result,
    Spec,
    Verdict,
    cli,
    gate,
    load,
    prune,
    pruning,
    read_spec,
    verify,
)
from supercheck.boolean import Var, Xor
from supercheck.construct import proving, rounding, trimming
from supercheck.construct.trimming import Layers
from supercheck.counting import count
from supercheck.evidence import OutputResult
from supercheck.exact import Ratios
from supercheck.formats.tensors import LayerNames
from supercheck.report.prune_json import prune_object

SPECS = Path(__file__).parent.parent / "specs"
SOME = settings.default.max_examples // 2


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
    edge = data.draw(st.sampled_from(trimming.edges(layers) or [(0, 0, 0)]))
    less = plainly(layers)
    less[edge[0]][0][edge[1]][edge[2]] = Fraction(0)
    held = data.draw(st.sampled_from(trimming.neurons(layers) or [(len(layers) - 1, 0)]))
    for active in inputs(features, features):
        x = [int(j in active) for j in range(features)]
        assert run(plainly(trimming.without(layers, [edge])), x) == run(less, x)
        assert run(plainly(trimming.stood_still(layers, [held])), x) == frozen(asked.stored, held, x)


def frozen(layers: Stored, held: tuple[int, int], x: list[int]) -> list[Fraction]:
    """The outputs with one neuron as it is where nothing is on."""
    depth, neuron = held
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
    assert trimming.edges(trimming.layered(network(stored))) == [(0, 0, 1), (0, 0, 0), (1, 0, 0)]


def duplicated() -> tuple[Network, Spec]:
    """AND of two pairs of four features: a neuron each, one of them twice over, one dead, one unread, one constant."""
    weight = [[1, 1, 0, 0], [2, 2, 0, 0], [0, 0, 1, 1], [-1, -1, -1, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    bias = [-1, -2, -1, 0, 0, 1]
    read = [[Fraction(1, 2), Fraction(1, 4), 0, 5, 0, 0], [0, 0, 1, 5, 0, 0]]
    stored: Stored = [
        ([[Fraction(w) for w in row] for row in weight], [Fraction(b) for b in bias], True),
        ([[Fraction(w) for w in row] for row in read], [Fraction(0), Fraction(0)], False),
    ]
    spec = Spec(KSparse(4, 4), (gate("and", [0, 1]), gate("and", [2, 3])), Readout("equality"))
    return network(stored), spec


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


def test_fixed_codes_stay_as_they_are(tmp_path: Path) -> None:
    """The network between them shrinks; both files are named in the spec that is written."""
    spec = SPECS / "proved" / "channel_decoder.toml"
    found = prune(None, spec, output=tmp_path / "small.npz")
    assert found.pruned is not None
    assert found.pruned.after.neurons < found.pruned.before.neurons
    decoders = [counts.block("decoder") for counts in (found.pruned.before, found.pruned.after)]
    assert decoders[0] == decoders[1]
    assert verify(None, tmp_path / "small.toml").verdict is Verdict.PROVED


@pytest.mark.parametrize("name", ["channel_sixths", "truth_table", "gate_nand", "edge_code", "mean_of_fifty"])
@pytest.mark.parametrize("suffix", ["npz", "safetensors", "json"])
def test_what_is_written_is_read_again_and_proved(name: str, suffix: str, tmp_path: Path) -> None:
    spec, output = SPECS / "proved" / f"{name}.toml", tmp_path / f"small.{suffix}"
    if name == "channel_sixths" and suffix != "json":
        with pytest.raises(InputError, match=r"-o: expected a format that holds its numbers, got .*json"):
            prune(None, spec, output=output)
        assert not list(tmp_path.iterdir())
        return
    found = prune(None, spec, output=output)
    assert (found.file, found.spec) == (output, output.with_suffix(".toml"))
    assert found.result is not None
    assert found.result.source == verify(None, output.with_suffix(".toml")).source
    assert sorted(tmp_path.iterdir()) == sorted([output, output.with_suffix(".toml")])
    assert verify(None, output.with_suffix(".toml")).verdict is Verdict.PROVED
    if not read_spec(spec).source.layers:  # names of tensors that are no longer there
        assert verify(output, spec).verdict is Verdict.PROVED
    assert found.pruned is not None
    assert count(load(output)).edges == found.pruned.after.edges <= found.pruned.before.edges


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Pruning:
    """A trained network that was pruned and written, a second or so of work."""
    output = tmp_path_factory.mktemp("pruned") / "small.npz"
    return prune(None, SPECS / "proved" / "trained_permutation.toml", output=output)


def test_the_same_question_gives_the_same_bytes(trained: Pruning, tmp_path: Path) -> None:
    again = prune(None, SPECS / "proved" / "trained_permutation.toml", output=tmp_path / "small.npz")
    for one, other in ((trained.file, again.file), (trained.spec, again.spec)):
        assert one is not None
        assert other is not None
        assert one.read_bytes() == other.read_bytes()


def test_float32_stays_proved_in_float32(tmp_path: Path) -> None:
    spec = SPECS / "proved" / "channel_eighths_float32.toml"
    found = prune(None, spec, output=tmp_path / "small.safetensors", timeout=3)
    assert found.result is not None
    assert (found.result.verdict, found.result.arithmetic) == (Verdict.PROVED, "float32")
    assert verify(tmp_path / "small.safetensors", spec).verdict is Verdict.PROVED


def test_a_refuted_network_is_told_so_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = str(SPECS / "refuted" / "one_weight_mutant.toml")
    assert cli.main(["prune", "--spec", spec, "-o", str(tmp_path / "small.npz")]) == 1
    out = capsys.readouterr().out
    assert out.startswith("REFUTED  ")
    assert "Nothing was pruned: the network has to be proved first.\n  on: x" in out
    assert not list(tmp_path.iterdir())


def test_a_network_that_is_not_proved_in_time_is_not_pruned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = str(SPECS / "proved" / "trained_and8.toml")
    arguments = ["prune", "--spec", spec, "-o", str(tmp_path / "small.npz"), "--timeout", "1e-9"]
    assert cli.main(arguments) == 3
    assert "timeout after 1e-09 s" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


class Late:
    """A clock that is over after so many looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks
        self.timeout = 1.0
        self.left = 1.0
        self.reason = "timeout after 1 s"

    def progress(self, _done: int, _total: int, _what: str) -> None:
        self.looks -= 1

    @property
    def over(self) -> bool:
        self.looks -= 1
        return self.looks < 0


@pytest.mark.parametrize("looks", [1, 30, 200])
def test_what_is_proved_when_time_is_up_is_kept(looks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "Clock", SimpleNamespace(start=lambda *rest: Late(looks)))
    spec = SPECS / "proved" / "trained_permutation.toml"
    found = prune(None, spec)
    whole = found.pruned
    assert whole is not None
    assert (found.verdict, whole.reason) == (Verdict.PROVED, "timeout after 1 s")
    assert whole.after.edges <= whole.before.edges
    assert (whole.edges, whole.neurons) == ({}, {})
    assert "What binds is not known: timeout after 1 s." in str(found)
    assert prune_object(found)["binds"]["complete"] is False


def test_ctrl_c_keeps_what_is_proved_and_proves_it_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real, calls = proving.unproved, []

    def interrupted(*arguments: object) -> OutputResult | None:
        calls.append(1)
        if len(calls) == 40:
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(proving, "unproved", interrupted)
    spec, output = SPECS / "proved" / "trained_permutation.toml", tmp_path / "small.npz"
    assert cli.main(["prune", "--spec", str(spec), "-o", str(output), "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["binds"]["reason"] == "interrupted"
    assert told["after"]["edges"] < told["before"]["edges"]
    assert verify(output, spec).verdict is Verdict.PROVED


def test_what_is_not_proved_once_more_says_so_in_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def hurried(given: object, spec: Spec, **_: object) -> Result:
        return verify(given, spec, limits=Limits(timeout=1e-9))

    monkeypatch.setattr(pruning, "verify", hurried)
    spec = str(SPECS / "proved" / "edge_code.toml")
    assert cli.main(["prune", "--spec", spec, "-o", str(tmp_path / "small.npz")]) == 3
    assert capsys.readouterr().out.startswith("UNKNOWN  ")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["small.unproved.npz", "small.unproved.toml"]
    assert "not proved" in (tmp_path / "small.unproved.toml").read_text().splitlines()[0]


def test_codes_that_the_written_spec_names_wrongly_are_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was verified had the codes of the spec that was asked: a wrong path in the one written went unnoticed."""
    encoder = json.loads((SPECS / "proved" / "edge_code_encoder.json").read_text())
    rows = [[str(2 * Fraction(value)) for value in row] for row in encoder["weight"]]
    (tmp_path / "other.json").write_text(json.dumps({"weight": rows}))
    real = pruning.spec_bytes

    def lost(spec: Spec, layers: Layers, names: dict[str, str], notes: list[str]) -> bytes:
        return real(spec, layers, names | {"encoder": "other.json"}, notes)

    monkeypatch.setattr(pruning, "spec_bytes", lost)
    spec = str(SPECS / "proved" / "edge_code.toml")
    assert cli.main(["prune", "--spec", spec, "-o", str(tmp_path / "small.npz")]) == 4
    assert "does not read back as what was pruned" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["other.json"]


def test_what_another_command_left_unproved_stays(tmp_path: Path) -> None:
    """It was written over, and then deleted, since what is not yet proved had its name."""
    for suffix in ("npz", "toml"):
        (tmp_path / f"small.unproved.{suffix}").write_text("of `build`")
    assert prune(None, SPECS / "proved" / "edge_code.toml", output=tmp_path / "small.npz").verdict is Verdict.PROVED
    names = ["small.npz", "small.toml", "small.unproved.npz", "small.unproved.toml"]
    assert sorted(file.name for file in tmp_path.iterdir()) == names
    assert {(tmp_path / name).read_text() for name in names[2:]} == {"of `build`"}


def test_a_formula_of_one_part_is_written_as_that_part(tmp_path: Path) -> None:
    """Found by random questions: it reads back as another tree of the same meaning, which was called a fault."""
    stored: Stored = [([[Fraction(1), Fraction(0)]], [Fraction(0)], False)]
    spec = Spec(KSparse(2, 2), (Xor((Var(0),)),), Readout("equality"))
    assert prune(network(stored), spec, output=tmp_path / "small.npz").verdict is Verdict.PROVED
    assert verify(None, tmp_path / "small.toml").verdict is Verdict.PROVED


def test_nothing_that_is_read_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layers = {"0.weight": [[1, 1]], "0.bias": [-1], "2.weight": [[1]]}
    for name in ("net.json", "net.unproved.json"):
        (tmp_path / name).write_text(json.dumps(layers))
    for name in ("net.toml", "other.toml"):
        (tmp_path / name).write_text(
            '[network]\nfile = "net.json"\n[domain]\nfeatures = 2\nmax_active = 2\n[outputs]\nformulas = ["x0 & x1"]\n'
            '[readout]\nmode = "equality"\n'
        )
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    for given_, spec, output in (
        ("net.json", "other.toml", "net.json"),
        ("net.json", "net.toml", "net.npz"),
        ("net.unproved.json", "other.toml", "net.json"),
        ("net.json", "other.toml", "net.onnx"),
        ("net.json", "other.toml", "absent/small.npz"),
    ):
        arguments = ["prune", str(tmp_path / given_), "--spec", str(tmp_path / spec), "-o", str(tmp_path / output)]
        assert cli.main(arguments) == 2, output
        assert capsys.readouterr().err.count("\n") == 1
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    "arguments", [["-o", "x.npz"], ["--spec", "s.toml"], ["--spec", "absent.toml", "-o", "x.npz", "--timeout", "0"]]
)
def test_a_bad_request_is_one_line(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["prune", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1


KEYS = [
    "supercheck", "network", "spec", "domain", "verdict", "reason", "counterexample", "file", "written", "before",
    "after", "binds", "class", "floors", "forms", "steps", "seconds",
]  # fmt: skip


def test_json_has_its_keys_in_order_and_says_what_text_says(trained: Pruning) -> None:
    told = prune_object(trained)
    assert list(told) == KEYS
    assert (told["verdict"], told["class"]) == ("proved", "permutation")
    assert told["binds"]["edges"]["refuted"] == told["binds"]["edges"]["left"] == told["after"]["edges"]
    assert sum(layer["edges"] for layer in told["after"]["layers"]) == told["after"]["edges"]
    for floor in told["floors"]:
        assert floor["kind"] in ("class", "this function")
    text = str(trained)
    assert f"{told['before']['edges']} -> {told['after']['edges']}" in text
    assert "of one function a floor of its class says nothing" in text
    assert not re.search("violat", text)
    assert f"wrote {trained.file} and {trained.spec}" in text


def test_an_edge_in_the_report_is_one_of_the_network_that_was_written(tmp_path: Path) -> None:
    """The example names a weight of the file, and its counterexample refutes the file without it."""
    spec, output = SPECS / "proved" / "circuit_formulas.toml", tmp_path / "small.json"
    told = prune_object(prune(None, spec, output=output))["binds"]["edges"]["example"]
    tensors = json.loads(output.read_text())
    layer, row, column = place(told["without"])
    assert tensors[f"{2 * layer}.weight"][row][column]
    tensors[f"{2 * layer}.weight"][row][column] = 0
    output.write_text(json.dumps(tensors))
    found = told["counterexample"]
    network_ = load(output)
    x = [int(j in found["active"]) for j in range(network_.features)]
    assert f"{network_.run(x)[found['output']]}" == found["value"]
    assert verify(output, spec).verdict is Verdict.REFUTED


def place(name: str) -> tuple[int, int, int]:
    """Layer, row and column of an edge by its name."""
    found = re.fullmatch(r"(?:x|h(\d+)\.)(\d+) -> (?:y|h\d+\.)(\d+) \(weight .*\)", name)
    assert found
    return int(found[1] or 0), int(found[3]), int(found[2])


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


@pytest.mark.slow
@pytest.mark.parametrize("name", ["and8", "channels"])
def test_the_corpus_holds_what_the_command_writes(name: str, tmp_path: Path) -> None:
    spec = SPECS / "proved" / {"and8": "trained_and8.toml", "channels": "channel_eighths.toml"}[name]
    prune(None, spec, output=tmp_path / f"pruned_{name}.npz")
    for file in tmp_path.iterdir():
        assert file.read_bytes() == (SPECS / "proved" / file.name).read_bytes()


STAGES = ("construct.pruning.count", "construct.proving.unproved", "pruning.verify", "report.prune.sentence")


@pytest.mark.parametrize("stage", STAGES)
def test_a_fault_in_any_stage_is_exit_4_and_no_verdict(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(f"supercheck.{stage}", broken)
    spec = str(SPECS / "proved" / "gate_nor.toml")
    assert cli.main(["prune", "--spec", spec, "-o", "small.npz"]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert "internal fault, no verdict" in err
    assert Path("small.npz").exists() == (stage == "report.prune.sentence")


def test_engines_that_lie_are_caught_by_verifying_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everything goes if every step is called proved; the file that is written is refuted, and that is a fault."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(proving, "unproved", lambda *_: None)
    spec = str(SPECS / "proved" / "gate_nor.toml")
    assert cli.main(["prune", "--spec", spec, "-o", "small.npz"]) == 4
    assert capsys.readouterr().out == ""
    assert not Path("small.npz").exists()
    assert Path("small.unproved.npz").exists()


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.5, 2, 4, 8])
def test_a_signal_at_any_time_leaves_a_proved_network_or_none(seconds: float, tmp_path: Path) -> None:
    spec, output = SPECS / "proved" / "trained_and8.toml", tmp_path / "small.npz"
    command = [sys.executable, "-m", "supercheck", "prune", "--spec", str(spec), "-o", str(output)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode in (0, 3, -signal.SIGINT)  # the last where Python itself was still starting
    assert output.exists() == (process.returncode == 0)
    if output.exists():
        assert verify(None, tmp_path / "small.toml").verdict is Verdict.PROVED
