"""Child processes: the standard library's executor interface, hard limits, and Z3 as a second opinion."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import wait
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from common import SPECS

from supercheck import verify
from supercheck.base.errors import FaultError
from supercheck.base.matrix import Rows
from supercheck.claims.claims import Claims, pose
from supercheck.claims.evidence import Decision, Proved, Unknown, Verdict
from supercheck.cli import app as cli
from supercheck.decide import smt
from supercheck.decide.cross_check import reproduce
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.portfolio import ENGINES
from supercheck.decide.workers.processes import Processes, WorkerDiedError
from supercheck.network.formats.load import load
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import Var
from supercheck.spec.read import read_spec
from supercheck.spec.readout import Readout

STATE: list[int] = []


def claims(name: str) -> Claims:
    spec = read_spec(SPECS / name)
    assert spec.source.file is not None
    return pose(load(spec.source.file, spec.source.layers), spec)


def remember(value: int) -> None:
    STATE.append(value)


def recall() -> list[int]:
    return STATE


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fill() -> int:
    return len(bytearray(1 << 40))


def nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def fail() -> None:
    raise ValueError("on purpose")


def test_calls_are_answered_by_processes_that_were_told_once() -> None:
    with Processes(2, remember, (7,)) as executor:
        assert [executor.submit(recall).result() for _ in range(5)] == [[7]] * 5
    assert STATE == []


def test_a_process_that_dies_loses_its_own_call_alone() -> None:
    with Processes(1) as executor:
        lost, kept = executor.submit(die), executor.submit(nap, 0.0)
        with pytest.raises(WorkerDiedError, match="signal 9"):
            lost.result()
        assert kept.result() == 0.0


def test_memory_is_limited_and_said_to_be() -> None:
    with Processes(1, memory=2 << 30) as executor, pytest.raises(WorkerDiedError, match="out of memory"):
        executor.submit(fill).result()


def test_what_raises_in_a_process_is_a_fault_with_its_traceback() -> None:
    with Processes(1) as executor, pytest.raises(FaultError, match="on purpose"):
        executor.submit(fail).result()


def test_cancelling_ends_what_runs_and_what_waits() -> None:
    begun = time.monotonic()
    with Processes(1) as executor:
        futures = [executor.submit(nap, 300.0) for _ in range(3)]
        wait(futures, timeout=1.0)
        executor.shutdown(cancel_futures=True)
    assert time.monotonic() - begun < 60
    assert isinstance(futures[0].exception(), WorkerDiedError)
    assert all(future.cancelled() for future in futures[1:])


def test_an_output_whose_process_is_lost_is_tried_class_by_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smt, "_answer", answer_by_class)
    posed = claims("proved/trained_and8.toml")
    [[decision]] = smt.decide(posed, [3], Limits(workers=1), Clock.start(None))
    assert decision.verdict is Verdict.PROVED
    monkeypatch.setattr(smt, "_answer", always_die)
    [[decision]] = smt.decide(posed, [3], Limits(workers=1), Clock.start(None))
    assert isinstance(decision, Unknown)
    assert "signal 9" in decision.reason


def answer_by_class(output: int, optimise: bool, aided: bool, classes: tuple[bool, ...] = (True, False)) -> Decision:
    if len(classes) > 1:
        die()
    return smt.solve(smt._POSED[-1], output, optimise, aided, classes)


def always_die(*_: object) -> None:
    die()


@pytest.mark.parametrize("name", ["proved/trained_and8.toml", "refuted/trained_and8_k4.toml"])
def test_a_cross_check_confirms_what_other_engines_said(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["verify", "--spec", str(SPECS / name), "--cross-check"])
    assert code == (0 if name.startswith("proved") else 1)
    assert "confirmed 20 of 20 verdicts" in capsys.readouterr().out


REFUTED = sorted(f.stem for f in (SPECS / "refuted").glob("*.toml") if read_spec(f).arithmetic == "real")


@pytest.mark.parametrize("name", REFUTED)
def test_engines_that_disagree_are_exit_4_and_the_reproducer_reproduces(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An engine that calls a right output wrong is caught by replay; one that calls a wrong output right, by Z3."""
    spec, saved = SPECS / "refuted" / f"{name}.toml", tmp_path / "supercheck-disagreement.toml"
    monkeypatch.chdir(tmp_path)
    honest = ENGINES["enumerate"]
    monkeypatch.setitem(ENGINES, "enumerate", replace(honest, work=says_proved))
    assert cli.main(["verify", "--spec", str(spec), "--cross-check", "--reproducer", "saved.zip"]) == 4
    assert "engines disagree" in zipfile.ZipFile("saved.zip").read("report.txt").decode()
    out, err = capsys.readouterr()
    assert out == ""
    assert "engines disagree: enumerate says proved, z3 says refuted" in err
    monkeypatch.setitem(ENGINES, "enumerate", honest)
    assert cli.main(["verify", "--spec", str(saved)]) == 1  # as the honest engine says
    assert "1 of 1 output" in capsys.readouterr().out


def says_proved(_claims: object, outputs: Sequence[int], *_: object) -> Iterator[list[Decision]]:
    yield [Proved(i) for i in outputs]


def test_a_reproducer_overwrites_nothing_and_a_dead_output_can_be_read_back(tmp_path: Path) -> None:
    """Regression: a cone without neurons was written as a layer that the reader refuses."""
    weights = np.array([[1.0, 1.0], [1.0, -1.0]])
    layers = [
        Affine(Rows.from_dense(weights), np.array([-1.0, 0.0]), relu=True),
        Affine(Rows.from_dense(np.array([[1.0, 0.0], [0.0, 0.0]])), np.array([0.0, 1.0]), relu=False),
    ]
    network = Network.of(layers)
    posed = Claims(network, network, KSparse(2, 2), [Var(1), Var(0)], Readout("threshold", Fraction(1, 2)))
    first = reproduce(posed, 1, tmp_path / "saved.toml", "a comment")
    second = reproduce(posed, 1, tmp_path / "saved.toml", "a comment")
    assert first != second
    for saved in (first, second):
        assert verify(None, saved).counterexample.active == ()


def test_an_address_space_limited_from_outside_is_kept() -> None:
    """Regression: a limit above the machine's own ended in a fault."""
    code = "import resource; resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))\n"
    code += "from supercheck.decide.workers.processes import Processes\n"
    code += "with Processes(1, memory=9 << 30) as executor: print(executor.submit(abs, -3).result())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "3\n"
