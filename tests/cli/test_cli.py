"""The command line: what it prints where, its exit codes, and what happens when things go wrong."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from common import PROVED, REFUTED, SPECS, Capture, children, run, savez
from stages import STAGES

import supercheck
from supercheck.base.errors import FaultError
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Decision, Proved, Refuted, Verdict
from supercheck.claims.result import OutputResult
from supercheck.cli import app as cli
from supercheck.decide.cross_check import disagree
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.portfolio import ENGINES
from supercheck.network.input import Input
from supercheck.report.verify.formats import reporter

ENUMERATE = ENGINES["enumerate"]

pytestmark = pytest.mark.usefixtures("empty_folder")


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "supercheck.cli.app", *map(str, arguments)]


@pytest.fixture(scope="session")
def hard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A true claim about a dense network with float weights, far too much for Z3 in seconds."""
    folder, rng = tmp_path_factory.mktemp("hard"), np.random.default_rng(0)
    shapes = {"0": (60, 40), "2": (3, 60)}
    savez(folder / "hard.npz", {f"{n}.weight": rng.normal(size=s).astype(np.float32) for n, s in shapes.items()})
    (folder / "hard.toml").write_text(
        """
        network = {file = "hard.npz"}
        domain = {features = 40, max_active = 20}
        outputs = {gate = "and", over = [[0, 1], [2, 3], [4, 5]]}
        readout = {mode = "epsilon", within = 200}
        """
    )
    return folder / "hard.toml"


@pytest.fixture
def solving(hard: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A solve that takes too long, in a process that obeys Ctrl-C even where the tests run in the background."""
    process = subprocess.Popen(
        command("verify", "--spec", hard, "--engine", "z3", "--format", "json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    yield process
    process.kill()
    process.wait()


def test_a_proof_exits_with_0_and_says_so_first(capsys: Capture) -> None:
    assert run("verify", "--spec", PROVED) == 0
    out, err = capsys.readouterr()
    assert out.startswith("PROVED")
    assert err == ""


def test_a_refutation_exits_with_1_and_shows_a_smallest_counterexample(capsys: Capture) -> None:
    assert run("verify", "--spec", REFUTED) == 1
    out = capsys.readouterr().out
    assert out.startswith("REFUTED")
    assert "Smallest counterexample (no input with fewer features on is wrong)" in out


def test_json_has_the_keys_of_the_design_in_their_order(capsys: Capture) -> None:
    assert run("verify", "--spec", REFUTED, "--format", "json", "--margins") == 1
    found = json.loads(capsys.readouterr().out)
    assert list(found) == [
        "supercheck", "network", "spec", "domain", "verdict", "reason", "arithmetic", "outputs", "largest_k",
        "wrong_inputs", "counterexample", "another_threshold", "least_within", "certificate", "assumptions", "seconds",
    ]  # fmt: skip
    assert list(found["network"]) == ["file", "sha256", "file_sha256", "layers", "features", "neurons", "edges"]
    assert list(found["outputs"][0]) == [
        "index", "formula", "verdict", "engine", "vacuous", "margin", "interval", "worst", "largest_k", "wrong",
        "reason",
    ]  # fmt: skip
    assert list(found["counterexample"]) == ["active", "output", "value", "expected", "minimal", "against"]
    assert list(found["seconds"]) == ["load", "decide", "minimise", "total"]
    assert found["supercheck"] == supercheck.__version__
    assert found["domain"] == {"features": 8, "max_active": 4, "inputs": 163}
    assert (found["verdict"], found["reason"], found["counterexample"]["minimal"]) == ("refuted", None, True)


@pytest.mark.parametrize("engine", ["enumerate", "z3"])
def test_json_is_the_same_for_any_number_of_workers(engine: str) -> None:
    texts = set()
    for workers in (1, 2, 3):
        result = supercheck.verify(None, REFUTED, limits=Limits(engine=engine, workers=workers))
        texts.add(reporter("json")(result).split('"seconds"')[0])
    assert len(texts) == 1


def test_the_command_line_wins_over_the_spec(capsys: Capture) -> None:
    assert run("verify", "--spec", REFUTED, "-k", 2) == 0
    network = shutil.copy(SPECS / "refuted" / "trained_and8_k4.safetensors", "another.safetensors")
    assert run("verify", network, "--spec", REFUTED, "-k", 2) == 0
    assert "another.safetensors" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["verify"], "--spec"),
        (["verify", "--spec", "absent.toml"], "absent.toml: expected a spec file, got no such file"),
        (["verify", "absent.onnx", "--spec", PROVED], "absent.onnx: expected a network file, got no such file"),
        (["verify", "--spec", PROVED, "-k", "9"], "-k: expected 0 to 8, the number of features, got 9"),
        (["verify", "--spec", PROVED, "-k", "-1"], "-k: expected 0 to 8"),
        (["verify", "--spec", PROVED, "-k", "two"], "'-k'"),
        (["verify", "--spec", PROVED, "--timeout", "0"], "--timeout: expected seconds above 0"),
        (["verify", "--spec", PROVED, "--timeout", "nan"], "--timeout: expected seconds above 0"),
        (["verify", "--spec", PROVED, "--engine", "magic"], "magic"),
        (["verify", "--spec", PROVED, "--format", "xml"], "xml"),
        (["verify", "--spec", PROVED, "--nonsense"], "--nonsense"),
        (["verify", "--spec", SPECS], "expected a spec file, got a folder"),
        (["verify", SPECS, "--spec", PROVED], "expected"),
        (["prove"], "prove"),
    ],
)
def test_bad_usage_is_one_line_on_stderr_and_exit_2(arguments: list[object], words: str, capsys: Capture) -> None:
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert err.startswith("supercheck: ")
    assert len(err.splitlines()) == 1


def test_without_a_verb_it_explains_itself_and_exits_with_2(capsys: Capture) -> None:
    assert run() == 2
    assert "verify" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["verify", "--help"], ["--version"]])
def test_help_and_version_exit_with_0(arguments: list[str], capsys: Capture) -> None:
    assert run(*arguments) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("kind", [RuntimeError, MemoryError, RecursionError, OSError, AssertionError, EOFError])
@pytest.mark.parametrize("stage", STAGES)
def test_a_fault_in_any_stage_is_exit_4_and_no_verdict(
    stage: str, kind: type[Exception], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise kind("broken on purpose")

    monkeypatch.setattr(STAGES[stage], fail)
    assert run("verify", "--spec", REFUTED) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert "internal fault, no verdict" in err
    assert "broken on purpose" in Path(cli.FAULT_FILE).read_text()


def test_a_fault_inside_a_solver_process_is_exit_4(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr("supercheck.decide.smt._answer", len)  # takes one argument, and not an integer
    assert run("verify", "--spec", PROVED, "--engine", "z3") == 4
    assert capsys.readouterr().out == ""


def lies(verdicts: dict[int, Decision]) -> Any:
    def engine(_claims: object, outputs: list[int], *_: object) -> Iterator[list[Decision]]:
        yield [verdicts.get(i, Proved(i)) for i in outputs]

    return engine


@pytest.mark.parametrize(
    "lie",
    [
        Refuted(0, Input.on((0, 1))),
        Refuted(0, Input.on(range(8))),
        Refuted(0, Input.on((99,))),
        Proved(1),
    ],
    ids=["not wrong", "too many active", "no such feature", "decided twice"],
)
def test_an_engine_that_lies_is_exit_4(lie: Decision, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setitem(ENGINES, "enumerate", replace(ENUMERATE, work=lies({0: lie})))
    assert run("verify", "--spec", PROVED) == 4
    assert capsys.readouterr().out == ""


def only_the_first(*_: object) -> Iterator[list[Decision]]:
    yield [Proved(0)]


def test_an_output_that_no_engine_decides_is_unknown(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setitem(ENGINES, "enumerate", replace(ENUMERATE, work=only_the_first))
    assert run("verify", "--spec", PROVED) == 3
    assert "27 outputs undecided: no engine decided it" in capsys.readouterr().out


def test_a_timeout_is_hard_and_never_a_verdict(hard: Path, capsys: Capture) -> None:
    begun = time.monotonic()
    assert run("verify", "--spec", hard, "--engine", "z3", "--timeout", "2", "--format", "json") == 3
    assert time.monotonic() - begun < 30
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "unknown"
    assert {output["reason"] for output in found["outputs"] if output["verdict"] == "unknown"} == {"timeout after 2 s"}


def test_ctrl_c_leaves_a_partial_report(solving: subprocess.Popen[bytes]) -> None:
    wait_for_children(solving.pid)
    solving.send_signal(signal.SIGINT)
    out, err = solving.communicate(timeout=60)
    assert solving.returncode == 3, err
    found = json.loads(out)
    assert (found["verdict"], found["reason"]) == ("unknown", "interrupted")
    assert b"Traceback" not in err


def test_a_killed_solver_is_unknown_with_that_reason(solving: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while solving.poll() is None and time.monotonic() < deadline:
        for child in children(solving.pid):
            os.kill(child, signal.SIGKILL)
        time.sleep(0.2)
    out, err = solving.communicate(timeout=60)
    assert solving.returncode == 3, err
    assert {output["reason"] for output in json.loads(out)["outputs"]} == {"the solver's process ended with signal 9"}


def test_solver_processes_leave_with_their_parent(solving: subprocess.Popen[bytes]) -> None:
    found = wait_for_children(solving.pid)
    solving.kill()
    solving.communicate()
    deadline = time.monotonic() + 30
    while any(alive(child) for child in found) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(alive(child) for child in found)


def test_a_reader_that_has_seen_enough_does_not_change_the_exit_code() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        command("verify", "--spec", REFUTED), stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def wait_for_children(pid: int) -> list[int]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := children(pid):
            time.sleep(0.5)
            return found
        time.sleep(0.05)
    pytest.fail("no solver process was started")


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().split()[2] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("at", ["deciding", "minimising"])
def test_ctrl_c_after_a_counterexample_exits_with_1_and_does_not_call_it_minimal(
    at: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def engine(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[list[Decision]]:
        found = list(ENUMERATE.decide(claims, outputs, limits, clock))
        yield [next(d for decisions in found for d in decisions if isinstance(d, Refuted))]
        raise KeyboardInterrupt

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    if at == "deciding":
        monkeypatch.setitem(ENGINES, "enumerate", replace(ENUMERATE, work=engine))
    else:
        monkeypatch.setattr("supercheck.decide.portfolio._minimal", interrupt)
    assert run("verify", "--spec", REFUTED, "--format", "json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["counterexample"]["minimal"] is False
    assert [output["reason"] for output in found["outputs"]].count("interrupted") == (27 if at == "deciding" else 0)


@pytest.mark.parametrize(
    ("verb", "options"),
    [
        ("verify", ["--html", "a.npz"]),
        ("verify", ["--certificate", "a.npz"]),
        ("verify", ["--certificate", "./sub/../a.toml"]),
        ("verify", ["--reproducer", "a.toml"]),
        ("verify", ["--certificate", "same", "--html", "same"]),
        ("explore", ["--html", "a.npz"]),
        ("audit", ["--html", "a.toml"]),
        ("gate", ["--report", "junit:a.toml"]),
        ("gate", ["--report", "junit:same", "--report", "sarif:same"]),
    ],
)
def test_what_is_written_never_takes_the_place_of_what_is_read(
    verb: str, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    before = {}
    for source in (SPECS / "proved" / "one_per_pair.toml", SPECS / "proved" / "one_per_pair.npz"):
        file = tmp_path / f"a{source.suffix}"
        before[file] = source.read_bytes().replace(b"one_per_pair.npz", b"a.npz")
        file.write_bytes(before[file])
    assert run(verb, *(["a.toml"] if verb == "gate" else ["--spec", "a.toml"]), *options) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "expected a file of its own" in err
    assert {file: file.read_bytes() for file in before} == before
    assert not (tmp_path / "same").exists()


def test_a_deadline_never_hides_that_engines_disagree(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("supercheck.decide.cross_check.reproduce", late)
    known = OutputResult(0, Verdict.PROVED, "bound")
    with pytest.raises(FaultError, match=r"engines disagree.*not saved"):
        disagree(None, known, "z3", Verdict.REFUTED, Limits())  # type: ignore[arg-type]
