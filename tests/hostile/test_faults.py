"""What goes wrong around supercheck: signals, disks, clocks, memory, solvers; no wrong verdict, no half file."""

from __future__ import annotations

import json
import os
import resource
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import stages
import z3
from common import PROVED, REFUTED, Capture, children, run

from supercheck.base.errors import InputError
from supercheck.base.files import written_aside
from supercheck.claims.claims import pose
from supercheck.claims.evidence import Unknown
from supercheck.cli import app as cli
from supercheck.decide import smt
from supercheck.network.formats.load import load
from supercheck.spec.read import read_spec

pytestmark = pytest.mark.usefixtures("empty_folder")


def process(
    *arguments: object, before: Callable[[], object] | None = None, **streams: object
) -> subprocess.Popen[bytes]:
    """supercheck in a process of its own, `before` called in it first."""
    command = [sys.executable, "-B", "-m", "supercheck", *map(str, arguments)]  # no byte code on a full disk
    return subprocess.Popen(command, preexec_fn=before, **{"stdout": -1, "stderr": -1} | streams)  # type: ignore[call-overload, no-any-return]


# ---- every stage

STAGES = {**stages.STAGES, "prove": "supercheck.certificate.writer.claims_digest"}
"""Where each stage can be broken; test_cli.py breaks most of them with ordinary exceptions."""

FOUND = ("minimise", "prove", "report")
"""What comes after a counterexample was replayed."""


def broken(error: BaseException) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize("kind", [RuntimeError, MemoryError, OSError, KeyError, StopIteration, ValueError, SystemError])
def test_a_fault_while_proving_is_exit_4_and_leaves_no_certificate(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("supercheck.certificate.writer.certified", broken(kind("broken on purpose")))
    assert run("verify", "--spec", PROVED, "--certificate", "a.cert") == 4
    assert capsys.readouterr().out == ""
    assert os.listdir() == [cli.FAULT_FILE]


@pytest.mark.parametrize("stage", STAGES)
def test_ctrl_c_in_any_stage_is_unknown_unless_a_counterexample_was_replayed(
    stage: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(STAGES[stage], broken(KeyboardInterrupt()))
    assert run("verify", "--spec", REFUTED, "--certificate", "a.cert") == (1 if stage in FOUND else 3)
    assert "Traceback" not in capsys.readouterr().err
    assert os.listdir() == (["a.cert"] if stage in ("minimise", "report") and os.path.exists("a.cert") else [])


@pytest.mark.parametrize("stage", ["load", "decide", "report"])
def test_ctrl_c_is_never_a_proof(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(STAGES[stage], broken(KeyboardInterrupt()))
    assert run("verify", "--spec", PROVED) == 3


def test_a_fault_that_cannot_be_saved_is_still_exit_4(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """Regression: a reproducer that could not be written turned a fault into bad input."""
    monkeypatch.setattr(STAGES["decide"], broken(RuntimeError("broken on purpose")))
    assert run("verify", "--spec", PROVED, "--reproducer", "no/such/folder.zip") == 4
    told = capsys.readouterr().err
    assert "no/such/folder.zip: expected a file that can be written" in told
    assert "broken on purpose" in told


def test_a_fault_with_a_command_that_is_no_text_is_still_exit_4(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Regression: bytes of a file's name that are no UTF-8 could not be saved, and the traceback's exit code was 1."""
    monkeypatch.setattr(STAGES["read"], broken(RuntimeError("broken on purpose")))
    monkeypatch.setattr(sys, "argv", ["supercheck", "verify", "\udcff.onnx", "--spec", str(PROVED)])
    assert run("verify", "\udcff.onnx", "--spec", PROVED) == 4
    assert "udcff.onnx" in Path(cli.FAULT_FILE).read_text()


def test_a_fault_without_memory_for_a_message_is_still_exit_4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(STAGES["read"], broken(MemoryError()))
    monkeypatch.setattr(cli, "_save_fault", broken(MemoryError()))
    assert run("verify", "--spec", PROVED) == 4


# ---- signals

HARD = """
network = {file = "hard.json"}
domain = {features = 40, max_active = 20}
outputs = {gate = "and", over = [[0, 1], [2, 3]]}
readout = {mode = "epsilon", within = 20_000}
"""


@pytest.fixture
def solving(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A true claim that Z3 does not prove in minutes; ready when its solvers run."""
    numbers = [[(17 * i * i + 31 * j * j + 7 * i * j) % 2003 - 1000 for j in range(40)] for i in range(60)]
    outputs = [[(13 * i * i + 5 * j + j * j) % 199 / 1000 - 0.1 for i in range(60)] for j in range(2)]
    (tmp_path / "hard.json").write_text(json.dumps({"0.weight": numbers, "2.weight": outputs}))
    (tmp_path / "hard.toml").write_text(HARD)
    words = [
        "verify",
        "--spec",
        tmp_path / "hard.toml",
        "--engine",
        "z3",
        "--format",
        "json",
        "--certificate",
        "a.cert",
    ]
    running = process(*words)
    deadline = time.monotonic() + 60
    while running.poll() is None and time.monotonic() < deadline and not children(running.pid):
        time.sleep(0.05)
    time.sleep(0.5)
    yield running
    running.kill()
    running.communicate()


def test_to_be_told_to_end_is_unknown_with_a_partial_report(solving: subprocess.Popen[bytes]) -> None:
    solving.terminate()
    out, err = solving.communicate(timeout=60)
    assert solving.returncode == 3, err
    found = json.loads(out)
    assert (found["verdict"], found["certificate"]) == ("unknown", None)
    assert not os.path.exists("a.cert")


def test_a_killed_run_says_nothing_and_leaves_no_certificate(solving: subprocess.Popen[bytes]) -> None:
    solving.kill()
    out, _ = solving.communicate(timeout=60)
    assert (solving.returncode, out) == (-signal.SIGKILL, b"")
    assert not os.path.exists("a.cert")


WRITER = """
import os, sys
from pathlib import Path
from supercheck.base.files import written_aside
with written_aside(Path("report")) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), int(sys.argv[1]))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_writer_that_is_stopped_leaves_what_was_there(number: int) -> None:
    Path("report").write_text("whole")
    done = subprocess.run([sys.executable, "-c", WRITER, str(int(number))], capture_output=True, check=False)
    assert done.returncode != 0
    assert Path("report").read_text() == "whole"
    assert number == signal.SIGKILL or os.listdir() == ["report"]


# ---- disks


def little_disk() -> None:
    """Files of more than a kilobyte cannot be written, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))


def test_a_full_disk_leaves_no_half_written_reproducer() -> None:
    running = process("verify", "--spec", REFUTED, "--reproducer", "a.zip", before=little_disk)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (2, b"")
    assert b"a.zip: expected a file that can be written" in err
    assert os.listdir() == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_result_that_cannot_be_written_is_told_and_no_verdict() -> None:
    with open("/dev/full", "wb") as full:
        running = process("verify", "--spec", PROVED, stdout=full)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 2
    assert b"stdout: expected room for the result, got No space left" in err
    assert len(err.splitlines()) == 1


UNWRITABLE = ["no/such/folder", ".", "n" * 300, "/dev/full", "loop"]


@pytest.mark.parametrize("name", UNWRITABLE)
@pytest.mark.parametrize("option", ["--certificate", "--reproducer"])
def test_a_place_that_cannot_be_written_is_bad_input(option: str, name: str, capsys: Capture) -> None:
    os.symlink("loop", "loop")
    assert run("verify", "--spec", PROVED, option, name) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"supercheck: {name[:150]}")
    assert len(told.splitlines()) == 1
    assert os.listdir() == ["loop"]


def test_a_folder_that_is_read_only_is_bad_input(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(tempfile, "mkstemp", broken(OSError(30, "Read-only file system")))
    assert run("verify", "--spec", PROVED, "--reproducer", "a.zip") == 2
    assert "a.zip: expected a file that can be written, got Read-only file system" in capsys.readouterr().err


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), RuntimeError("broken on purpose"), KeyboardInterrupt()]
)
def test_what_fails_while_a_file_is_written_leaves_the_old_one(error: BaseException) -> None:
    Path("report").write_text("old")
    told = InputError if isinstance(error, OSError) else type(error)
    with pytest.raises(told), written_aside(Path("report")) as file:  # noqa: PT012 - what is raised must pass both
        file.write(b"new")
        raise error
    assert Path("report").read_text() == "old"
    assert os.listdir() == ["report"]


def test_a_written_file_has_the_rights_that_any_file_has() -> None:
    Path("plain").write_text("")
    with written_aside(Path("report")) as file:
        file.write(b"whole")
    assert stat.S_IMODE(os.stat("report").st_mode) == stat.S_IMODE(os.stat("plain").st_mode)


# ---- clocks, memory, solvers, streams


@pytest.mark.parametrize("step", [-1e9, 1e9])
def test_a_clock_that_jumps_changes_nothing(step: float, monkeypatch: pytest.MonkeyPatch) -> None:
    jumps = iter(range(10**9))
    monkeypatch.setattr(time, "time", lambda: 1e9 + step * next(jumps))
    assert run("verify", "--spec", PROVED, "--timeout", "60") == 0
    assert run("verify", "--spec", REFUTED, "--timeout", "60") == 1


@pytest.mark.parametrize("megabytes", [50, 200, 400])  # between, OpenBLAS itself ends the process, with 1 and no word
def test_too_little_memory_is_never_a_verdict(megabytes: int) -> None:
    limit = megabytes << 20
    running = process(
        "verify", "--spec", REFUTED, before=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    )
    out, _ = running.communicate(timeout=120)
    assert (running.returncode == 1) == out.startswith(b"REFUTED")
    assert running.returncode != 0


def test_a_solver_that_gives_up_is_unknown_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = read_spec(PROVED)
    assert spec.source.file is not None
    monkeypatch.setattr(z3.Solver, "check", lambda *_: z3.unknown)
    monkeypatch.setattr(z3.Solver, "reason_unknown", lambda *_: "it was too hard")
    decision = smt.solve(pose(load(spec.source.file), spec), 0)
    assert decision == Unknown(0, "Z3: it was too hard")


@pytest.mark.parametrize("spec", [PROVED, REFUTED])
@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1, 2)])
def test_closed_streams_change_no_exit_code(spec: Path, closed: tuple[int, ...]) -> None:
    running = process("verify", "--spec", spec, before=lambda: [os.close(number) for number in closed])
    running.communicate(timeout=60)
    assert running.returncode == (0 if spec == PROVED else 1)
