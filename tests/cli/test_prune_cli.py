"""What `prune` says and writes: it reads back, is proved, and nothing else is touched."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest
from common import SPECS
from oracle import Stored
from prunable import Late, duplicated
from strategies import network

from supercheck import (
    InputError,
    KSparse,
    Limits,
    Pruning,
    Readout,
    Result,
    Spec,
    Verdict,
    load,
    prune,
    read_spec,
    verify,
)
from supercheck.analysis.costs.counts import count
from supercheck.api import prune as pruning
from supercheck.claims.result import OutputResult
from supercheck.cli import app as cli, progress as telling
from supercheck.construct.pruning import prover as proving
from supercheck.construct.pruning.edits import Layers
from supercheck.report.prune.json import prune_object
from supercheck.spec.formula import Var, Xor


def test_fixed_codes_stay_as_they_are(tmp_path: Path) -> None:
    """The network between them shrinks; both files are named in the spec that is written."""
    spec = SPECS / "proved" / "channel_decoder.toml"
    found = prune(None, spec, output=tmp_path / "small.npz")
    assert found.pruned is not None
    assert found.pruned.after.neurons < found.pruned.before.neurons
    decoders = [counts.block("decoder") for counts in (found.pruned.before, found.pruned.after)]
    assert decoders[0] == decoders[1]
    assert verify(None, tmp_path / "small.toml").verdict is Verdict.PROVED


@pytest.mark.parametrize("name", ["truth_table", "gate_nand", "edge_code", "mean_of_fifty"])
@pytest.mark.parametrize("suffix", ["npz", "safetensors", "json"])
def test_what_is_written_is_read_again_and_proved(name: str, suffix: str, tmp_path: Path) -> None:
    spec, output = SPECS / "proved" / f"{name}.toml", tmp_path / f"small.{suffix}"
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


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_numbers_that_a_format_does_not_hold_are_refused(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"-o: expected a format that holds its numbers, got .*json"):
        prune(None, SPECS / "proved" / "channel_sixths.toml", output=tmp_path / f"small.{suffix}")
    assert not list(tmp_path.iterdir())


def test_thirds_are_written_as_thirds(tmp_path: Path) -> None:
    """The fixed decoder multiplies by 3, so that what the readout adds for an AND has to be 1/3."""
    (tmp_path / "decoder.json").write_text('{"weight": [[3]]}')
    tensors = {"0.weight": [[1, 1], [1, 1]], "0.bias": [-1, -1], "2.weight": [["1/6", "1/6"]]}
    (tmp_path / "net.json").write_text(json.dumps(tensors))
    (tmp_path / "net.toml").write_text(
        '[network]\nfile = "net.json"\ndecoder = "decoder.json"\n[domain]\nfeatures = 2\nmax_active = 2\n'
        '[outputs]\nformulas = ["x0 & x1"]\n[readout]\nmode = "equality"\n'
    )
    output = tmp_path / "small.json"
    assert prune(None, tmp_path / "net.toml", output=output).verdict is Verdict.PROVED
    assert json.loads(output.read_text())["2.weight"] == [["1/3"]]
    assert verify(None, tmp_path / "small.toml").verdict is Verdict.PROVED


def trained_to(output: Path) -> Pruning:
    """A trained network that is pruned and written, for one feature at a time: a second of work."""
    return prune(None, SPECS / "proved" / "trained_permutation.toml", output=output, max_active=1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Pruning:
    """One of them, which several tests look at."""
    return trained_to(tmp_path_factory.mktemp("pruned") / "small.npz")


def test_the_same_question_gives_the_same_bytes(trained: Pruning, tmp_path: Path) -> None:
    again = trained_to(tmp_path / "small.npz")
    for one, other in ((trained.file, again.file), (trained.spec, again.spec)):
        assert one is not None
        assert other is not None
        assert one.read_bytes() == other.read_bytes()


def test_float32_stays_proved_in_float32(tmp_path: Path) -> None:
    given, asked = duplicated()
    spec = replace(asked, arithmetic="float32")
    found = prune(given, spec, output=tmp_path / "small.safetensors")
    assert found.pruned is not None
    assert (found.pruned.before.edges, found.pruned.after.edges) == (15, 6)
    for result in (found.result, verify(None, tmp_path / "small.toml"), verify(tmp_path / "small.safetensors", spec)):
        assert result is not None
        assert (result.verdict, result.arithmetic) == (Verdict.PROVED, "float32")


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


def test_ctrl_c_keeps_what_is_proved_proves_it_once_more_and_exits_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real, calls = proving.unproved, []  # type: ignore[attr-defined]

    def interrupted(*arguments: object) -> OutputResult | None:
        calls.append(1)
        if len(calls) == 40:
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(proving, "unproved", interrupted)
    spec, output = SPECS / "proved" / "trained_permutation.toml", tmp_path / "small.npz"
    assert cli.main(["prune", "--spec", str(spec), "-o", str(output), "--format", "json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["file"]) == ("proved", str(output))
    assert told["binds"]["reason"] == "interrupted"
    assert told["after"]["edges"] < told["before"]["edges"]
    assert verify(output, spec).verdict is Verdict.PROVED


def test_time_that_is_up_keeps_what_is_proved_and_exits_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = pruning.search  # type: ignore[attr-defined]
    monkeypatch.setattr(
        pruning,
        "search",
        lambda a, b, c, _clock, *rest, **more: real(a, b, c, Late(200), *rest, **more),  # type: ignore[arg-type]
    )
    spec, output = SPECS / "proved" / "trained_permutation.toml", tmp_path / "small.npz"
    assert cli.main(["prune", "--spec", str(spec), "-o", str(output)]) == 3
    out = capsys.readouterr().out
    assert out.startswith("PROVED  ")
    assert f"wrote {output} and " in out
    assert "What binds is not known: timeout after 1 s." in out
    assert verify(output, spec).verdict is Verdict.PROVED


def test_progress_goes_forward_and_names_its_phase(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    prune(
        None, SPECS / "proved" / "trained_permutation.toml", output=tmp_path / "small.npz", max_active=1,
        progress=lambda *rest: told.append(rest),
    )  # fmt: skip
    percent = [(done, what) for done, _, what in told if what.startswith("percent")]
    assert [done for done, _ in percent] == sorted(done for done, _ in percent)
    assert percent[0][0] < 10
    assert percent[-1][0] < 100
    phases = list(dict.fromkeys(what for _, what in percent))
    assert phases[:2] == ["percent (pass 1, neurons)", "percent (pass 1, edges held)"]
    assert phases[-1].endswith(", digits)")
    stages = dict.fromkeys(what.partition(" of ")[2] or "percent" for _, _, what in told)
    assert list(stages) == ["the given network", "percent", "what is left"]


def test_a_line_of_progress_says_the_phase_and_the_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = iter([0.0, 0.0, 30.0, 31.0, 60.0])
    monkeypatch.setattr(telling, "time", SimpleNamespace(monotonic=lambda: next(now)))
    with telling.progress_bar() as progress:
        for done, phase in ((0, "neurons"), (25, "edges"), (26, "edges"), (50, "digits")):
            progress(done, 100, f"percent (pass 1, {phase})")
    assert capsys.readouterr().err.splitlines() == [
        "supercheck: 25 of 100 percent (pass 1, edges) done, about 90 s left",
        "supercheck: 50 of 100 percent (pass 1, digits) done, about 60 s left",
    ]


def test_a_prune_ends_where_floats_make_every_saving_vain(shared: Path, tmp_path: Path) -> None:
    """It had its final figures after 12 s and went on for ever: what cost less cost as much again once stored."""
    case, output = shared / "cases" / "trust" / "13-prune-that-goes-on" / "uand.toml", tmp_path / "small.npz"
    found = prune(None, case, output=output)
    assert found.pruned is not None
    assert (found.verdict, found.pruned.reason) == (Verdict.PROVED, None)
    after = found.pruned.after
    assert (found.pruned.before.edges, round(found.pruned.before.bits)) == (1_152, 10_835)
    assert (after.edges, after.bits) <= (357, 2_648.4)
    assert len(found.pruned.edges) == after.edges, "and it says what binds"
    assert found.pruned.tried < 10_000
    assert verify(None, output.with_suffix(".toml")).verdict is Verdict.PROVED


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
    real = pruning.spec_bytes  # type: ignore[attr-defined]

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
    "after", "binds", "class", "floors", "forms", "assumptions", "steps", "seconds",
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


@pytest.mark.slow
@pytest.mark.parametrize("name", ["and8", "channels"])
def test_the_corpus_holds_what_the_command_writes(name: str, tmp_path: Path) -> None:
    spec = SPECS / "proved" / {"and8": "trained_and8.toml", "channels": "channel_eighths.toml"}[name]
    prune(None, spec, output=tmp_path / f"pruned_{name}.npz")
    for file in tmp_path.iterdir():
        assert file.read_bytes() == (SPECS / "proved" / file.name).read_bytes()


STAGES = (
    "construct.pruning.search.count",
    "construct.pruning.prover.unproved",
    "api.prune.verify",
    "report.prune.text.sentence",
)


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
    assert Path("small.npz").exists() == (stage == "report.prune.text.sentence")


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
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("seconds", [0.5, 2, 4, 8])
def test_a_signal_at_any_time_leaves_a_proved_network_or_none(seconds: float, stop: int, tmp_path: Path) -> None:
    spec, output = SPECS / "proved" / "trained_and8.toml", tmp_path / "small.npz"
    command = [sys.executable, "-m", "supercheck", "prune", "--spec", str(spec), "-o", str(output)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(seconds)
        process.send_signal(stop)
        process.communicate()
    assert process.returncode in (0, 3, -stop, -signal.SIGINT)  # the last two where Python itself was still starting
    assert output.exists() or process.returncode
    if output.exists():
        assert verify(None, tmp_path / "small.toml").verdict is Verdict.PROVED
