"""The audit: honest on every network of the corpus, cheats exposed in one screen, its shapes and its exit codes."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from common import SPECS, savez
from strategies import network as of

import supercheck
from supercheck import InputError, KSparse, Readout, Spec, audit, gate
from supercheck.analysis.costs.floors.patterns import patterns
from supercheck.analysis.costs.interference import worst_first
from supercheck.analysis.costs.result import Audit
from supercheck.api import audit as auditing
from supercheck.base.matrix import Rows
from supercheck.claims.evidence import Verdict
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.report.audit.json import audit_object

PROVED, REFUTED = (sorted((SPECS / part).glob("*.toml")) for part in ("proved", "refuted"))


def audited(name: str, **options: Any) -> Audit:
    return audit(None, SPECS / f"{name}.toml", **options)


@pytest.mark.parametrize("file", [*PROVED, *REFUTED], ids=lambda file: file.stem)
def test_floors_hold_for_whatever_is_proved_and_no_class_floor_is_called_missed(file: Path) -> None:
    found = audit(None, file)
    assert found.verdict is not None
    assert found.verdict.value == supercheck.read_spec(file).expect
    for floor in found.floors:
        assert floor.source
        assert not (floor.kind == "class" and (floor.missed or floor.binds))
        if found.verdict is Verdict.PROVED and floor.kind != "class" and floor.floor is not None:
            assert floor.measured is not None
            assert floor.floor <= floor.measured
    least = {floor.unit: floor.slack for floor in found.binding}
    for floor in found.floors:
        if floor.kind != "class" and floor.floor:
            assert (floor.slack or 0) >= (least[floor.unit] or 0)
    text = str(found)
    assert "violat" not in text
    assert text.startswith("AUDIT  ")
    json.dumps(audit_object(found))


def test_one_neuron_a_pair_has_no_slack_in_equality_mode() -> None:
    found = audited("proved/one_per_pair")
    rank = next(floor for floor in found.floors if floor.name == "rank of the function table")
    assert (rank.measured, rank.floor, rank.slack, rank.binds) == (15, 15, 1.0, True)
    assert "slack 1.0" in str(found)
    assert any("no network that computes this function has fewer neurons" in note for note in found.notes())


def test_the_rank_of_distinct_ands_needs_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {floor.name: floor.floor for floor in audited("proved/one_per_pair").floors}
    monkeypatch.setattr(auditing, "patterns", lambda formulas, domain, over: patterns(formulas, domain, 100, over))
    part = audited("proved/one_per_pair", verify=False)
    assert any("output patterns of most" in left for left in part.left_out)
    assert next(floor.floor for floor in part.floors if floor.name.startswith("rank")) == 15
    for floor in part.floors:
        if floor.kind == "this function":
            assert (floor.floor or 0) <= (whole[floor.name] or 0)


def readout_share(found: Audit, name: str = "readout") -> float:
    block = found.counts.block(name)
    assert block is not None
    return block.bits / sum(part.bits for part in found.counts.blocks)


def test_power_sums_are_exposed() -> None:
    found = audited("proved/power_sums")
    assert found.counts.neurons == found.neurons.linear == 4
    assert readout_share(found) > 0.8
    notes = list(found.notes())
    assert notes[0] == "82% of all bits sit in the readout: look for the computation there."
    assert notes[1] == "Every neuron is linear on this domain: the ReLUs compute nothing, the readout does."
    assert found.counts.largest == 4096


def test_group_testing_with_a_free_readout_is_exposed() -> None:
    found = audited("proved/group_testing_free")
    assert (found.counts.neurons, found.neurons.linear) == (9, 0)
    assert readout_share(found) > 0.8
    assert "86% of all bits sit in the readout: look for the computation there." in str(found)
    fixed = audited("proved/group_testing")
    assert readout_share(fixed, "decoder") > 0.7
    assert fixed.counts.parameters == 0
    assert any("whatever depends on the function is in the fixed codes" in note for note in fixed.notes())
    assert fixed.representing.code is not None
    assert fixed.representing.code.coherence_squared == Fraction(1, 9)


def test_copy_is_exposed() -> None:
    found = audited("proved/copy_margin")
    assert found.counts.neurons == found.neurons.passing == 8
    copy = next(made for made in found.constructions if made.name == "copy")
    assert (copy.neurons, copy.edges) == (found.counts.neurons, found.counts.edges)
    assert "Every neuron only passes a feature on: the ReLUs compute nothing, the readout does." in found.notes()


@pytest.mark.parametrize("name", ["power_sums", "group_testing_free", "copy_margin", "one_per_pair"])
def test_the_report_fits_one_screen(name: str) -> None:
    lines = str(audited(f"proved/{name}")).splitlines()
    assert len(lines) <= 50
    assert next(i for i, line in enumerate(lines) if "!" in line) < 10  # what stands out comes first


def test_a_missing_path_refutes_without_an_engine() -> None:
    found = audited("refuted/missing_path", verify=False)
    assert (found.result, found.verdict) == (None, Verdict.REFUTED)
    assert found.counterexample is not None
    assert found.counterexample.active == (1, 4)
    assert "refuted by a missing path alone" in str(found)


def test_an_audit_says_whether_the_network_was_also_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    assert str(audited("proved/copy_margin")).splitlines()[0].endswith("; proved")
    skipped = audited("proved/copy_margin", verify=False)
    assert (skipped.verdict, skipped.result) == (None, None)
    assert "not proved (not asked)" in str(skipped).splitlines()[0]
    monkeypatch.setattr(auditing, "QUICK", 10)
    dear = audited("proved/copy_margin")
    assert dear.verdict is None
    assert "--verify decides it" in str(dear).splitlines()[0]
    assert audited("proved/copy_margin", verify=True).verdict is Verdict.PROVED


def test_interference_names_the_worst_interferers_by_the_exact_margin() -> None:
    found = audited("proved/channel_eighths")
    assert found.interference is not None
    assert found.result is not None
    reads = found.claims.network.output.weight.dense() != 0
    assert (found.interference.overlaps == reads.astype(int) @ reads.T.astype(int)).all()
    for output, disturbed in enumerate(found.interference.outputs):
        others = {i: int((reads[i] & reads[output]).sum()) for i in range(8) if i != output}
        assert disturbed.channel == 8
        assert disturbed.shared == max(others.values())
        assert others.get(disturbed.partner, 0) == disturbed.shared  # type: ignore[arg-type]
    by_margin = worst_first(found.interference.outputs)
    assert by_margin[0].margin == 0  # ties with the threshold
    assert [d.margin for d in by_margin] == sorted(d.margin or Fraction(0) for d in by_margin)
    hidden = found.claims.network.hidden[0].weight.dense() != 0  # neurons x features
    for output, disturbed in enumerate(found.interference.outputs):
        own = set(supercheck.spec.formula.support(found.claims.formulas[output]))
        assert disturbed.side == "off"
        assert not own & set(disturbed.interferers)
        # the closed form of output channels: the top k - 1 overlaps with other features' columns
        overlaps = sorted((int((hidden[:, j] & reads[output]).sum()) for j in range(12) if j not in own), reverse=True)
        others = list(overlaps[:2])  # type: ignore[assignment]
        assert disturbed.margin == Fraction(1, 2) - Fraction(sum(others), 8)
        assert disturbed.worst is not None
        assert disturbed.worst.value == Fraction(sum(others), 8)


def test_overlaps_need_no_verdict() -> None:
    found = audited("proved/channel_eighths", verify=False)
    assert found.interference is not None
    assert {d.margin for d in found.interference.outputs} == {None}
    assert "Interference" in str(found)


def sparse(height: int, width: int, degree: int, seed: int) -> Rows:
    rng = np.random.default_rng(seed)
    columns = np.sort(np.argpartition(rng.random((height, width)), degree, axis=1)[:, :degree], axis=1)
    indptr = np.arange(height + 1, dtype=np.int64) * degree
    return Rows(indptr, columns.ravel().astype(np.int32), np.ones(height * degree, dtype=np.int64), width)


def test_what_does_not_fit_is_left_out_and_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    neurons, pairs = 60, list(combinations(range(40), 2))[:300]
    layers = [
        Affine(sparse(neurons, 40, 20, 0), -np.ones(neurons, dtype=np.int64), True),
        Affine(sparse(300, neurons, 20, 1), np.zeros(300, dtype=np.int64), False),
    ]
    spec = Spec(KSparse(40, 3), tuple(gate("and", pair) for pair in pairs), Readout("threshold", at=Fraction(1, 2)))
    monkeypatch.setattr(auditing, "MOST_EDGES", 1000)
    monkeypatch.setattr("supercheck.analysis.costs.interference.MOST_OUTPUTS", 100)
    found = audit(Network.of(layers), spec, verify=False)
    assert found.parts is None
    assert found.interference is None
    assert found.cones[0].least > 0
    assert found.counts.edges == 7200
    said = str(found)
    assert "Left out: connected parts and cuts: the graph has 7,200 edges, more than 1,000." in said
    assert "Left out: overlaps of channels: there are 300 outputs." in said
    monkeypatch.setattr("supercheck.analysis.costs.wiring.MOST_WORDS", 100)
    bare = audit(Network.of(layers), spec, verify=False)
    assert (bare.cones, bare.reached, bare.counts) == ((), None, found.counts)
    assert "Left out: cones and missing paths: 7,200 edges times 40 features." in str(bare)
    assert audit_object(bare)["wiring"]["cones"] == []


def test_a_network_in_python_can_be_audited() -> None:
    net = of([([[1, 1]], [-1], True), ([[1]], [0], False)])  # type: ignore[list-item]
    found = audit(net, Spec(KSparse(2, 2), (gate("and", [0, 1]),), Readout("equality")))
    assert found.verdict is Verdict.PROVED
    assert found.kept
    assert str(found).startswith("AUDIT  the network: 1 output of 2 features")
    assert (found._repr_html_() or "").startswith("<pre")
    with pytest.raises(InputError, match="a network file here"):
        audit(None, Spec(KSparse(2, 2), (gate("and", [0, 1]),), Readout("equality")))


def test_fixed_codes_have_their_width_set_beside_the_floor_of_blocks(tmp_path: Path) -> None:
    """A linear permutation between fixed codes: the function sits in an n x n block."""
    turned = np.roll(np.eye(6), 1, axis=0)
    savez(tmp_path / "net.npz", {"0.weight": turned})
    np.savez(tmp_path / "code.npz", weight=np.eye(6))
    over = [[(i - 1) % 6] for i in range(6)]
    (tmp_path / "spec.toml").write_text(
        f"""
        network = {{file = "net.npz", encoder = "code.npz", decoder = "code.npz"}}
        domain = {{features = 6, max_active = 2}}
        outputs = {{gate = "copy", over = {over}}}
        readout = {{mode = "equality"}}
        """
    )
    found = audit(None, tmp_path / "spec.toml")
    assert found.verdict is Verdict.PROVED
    assert found.of_class is not None
    assert found.of_class.name == "permutation"
    [blocks] = [floor for floor in found.floors if floor.name.startswith("n x n")]
    assert (blocks.measured, blocks.floor) == (6, 3)  # log2 720 = 9.49 bits; 3 x 3 + 3 = 12


def test_weights_of_any_size_are_counted_and_written() -> None:
    huge = 10**6000
    net = of([([[huge, 1]], [-huge], True), ([[Fraction(1)]], [0], False)])  # type: ignore[list-item]
    spec = Spec(KSparse(2, 2), (gate("and", [0, 1]),), Readout("equality"), audit={"max_weight": "10 ** 6000"})
    found = audit(net, spec)
    assert found.verdict is Verdict.PROVED
    assert found.counts.largest == huge
    assert found.kept
    assert "largest weight ~2^19931" in str(found)
    written = json.loads(json.dumps(audit_object(found)))
    assert written["counts"]["largest_weight"] == "1" + 6000 * "0"


def test_a_code_below_the_floor_of_its_class_is_never_called_a_violation(tmp_path: Path) -> None:
    """The decoder holds the function, so the network's own weights need no bits at all."""
    pairs = [[2 * i, 2 * i + 1] for i in range(8)]
    decoder = np.zeros((8, 16))
    for row, pair in enumerate(pairs):
        decoder[row, pair] = 1
    savez(tmp_path / "net.npz", {"0.weight": np.eye(16), "1.weight": np.eye(16)})
    np.savez(tmp_path / "decoder.npz", weight=decoder)
    (tmp_path / "spec.toml").write_text(
        f"""
        network = {{file = "net.npz", decoder = "decoder.npz"}}
        domain = {{features = 16, max_active = 2}}
        outputs = {{gate = "and", over = {pairs}}}
        readout = {{mode = "threshold", at = 1}}
        """
    )
    found = audit(None, tmp_path / "spec.toml")
    assert found.verdict is Verdict.PROVED
    edges = next(floor for floor in found.floors if floor.unit == "bits")
    assert edges.kind == "class"
    assert not edges.missed
    assert "violat" not in str(found)
    assert "The network's own weights are multiples of the identity" in str(found)


def small(readout: Readout, *functions: str) -> Audit:
    """y = x0 + x1 for each function: as an AND with one threshold, as an OR with another."""
    listed = tuple(map(supercheck.parse, functions))
    net = of([([[1, 1]] * len(listed), [0] * len(listed), False)])  # type: ignore[list-item]
    return audit(net, Spec(KSparse(2, 2), listed, readout))


def test_gates_that_one_output_can_be_have_no_class_floor() -> None:
    both = small(Readout("separable"), "x0 & x1", "x0 | x1")
    assert both.verdict is Verdict.PROVED
    assert both.of_class is None
    assert {floor.kind for floor in both.floors} <= {"this function", "this network"}
    fixed = small(Readout("threshold", at=Fraction(1)), "x0 & x1", "x0 | x1")
    assert fixed.of_class is not None
    assert fixed.of_class.name == "gate2"


def test_a_tolerance_that_allows_one_value_for_all_leaves_no_floor() -> None:
    wide = small(Readout("epsilon", within=Fraction(1)), "x0 & x1", "x0 | x1")
    assert wide.verdict is Verdict.PROVED
    assert (wide.floors, wide.of_class) == ((), None)


def test_a_missing_path_alone_does_not_refute_float32(tmp_path: Path) -> None:
    spec = (SPECS / "refuted" / "missing_path.toml").read_text()
    file = json.dumps(str(SPECS / "refuted" / "missing_path.npz"))
    (tmp_path / "spec.toml").write_text(spec.replace('"missing_path.npz"', file) + '\n[arithmetic]\nof = "float32"\n')
    found = audit(None, tmp_path / "spec.toml", verify=False)
    assert found.missing
    assert found.verdict is None
    assert "not proved" in str(found).splitlines()[0]
    assert audit(None, tmp_path / "spec.toml", verify=True).verdict is Verdict.REFUTED


def test_a_readout_of_a_little_more_than_half_the_bits_is_no_news() -> None:
    found = audited("proved/gate_or", verify=False)
    assert 0.5 < readout_share(found) < 0.75
    assert not any("look for the computation there" in note for note in found.notes())


def test_a_code_below_its_class_says_what_is_given_beforehand() -> None:
    whole = audited("proved/channel_eighths", verify=False)
    floor = next(floor for floor in whole.floors if floor.unit == "bits")
    short = replace(whole.counts, blocks=())
    cheap = replace(whole, counts=short, floors=(replace(floor, measured=0.0),))
    [note] = [note for note in cheap.notes() if "below the floor of the class" in note]
    assert "given beforehand" in note
    assert f"2^-{int(floor.floor or 0)} of the class" in note


def test_the_forms_show_all_constants_between_a_declared_encoder_and_decoder() -> None:
    found = audited("proved/group_testing", verify=False)
    for form in ("m' log2 m'", "m' (log2 m')^2", "sqrt(m' log2 m')", "sqrt(m') log2 m'", "n^2 / log2 n"):
        assert form in str(found)
    assert found.formless is None
    assert len(found.to_dict()["forms"]) == 5


@pytest.mark.parametrize(
    ("spec", "lacks"),
    [("channel_eighths", "no encoder and no decoder"), ("channel_decoder", "no encoder"), ("edge_code", "no decoder")],
)
def test_without_codes_the_forms_do_not_apply_and_the_audit_says_why(spec: str, lacks: str) -> None:
    found = audited(f"proved/{spec}", verify=False)
    assert f"The paper's forms do not apply: the spec declares {lacks}; they speak of" in str(found)
    assert "n^2 / log2 n" not in str(found)
    told = found.to_dict()
    assert (told["forms"], told["formless"]) == ([], f"the spec declares {lacks}")


def test_a_network_without_a_hidden_layer_is_measured_by_what_its_readout_reads() -> None:
    linear = small(Readout("threshold", at=Fraction(1)), "x0 & x1", "x0 & x1")
    assert "neurons of the last layer" not in {floor.unit for floor in linear.floors}
    assert "inputs of the readout" in {floor.unit for floor in linear.floors}
