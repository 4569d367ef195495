"""Gates: every outcome, one exit code, the same in every format; what is asked for on the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest
from common import Capture, run
from gates import CATEGORIES, ands, corpus, said_by, save, sealed_rows, spec

from supercheck.base.errors import FaultError
from supercheck.base.exit_codes import GRAVITY
from supercheck.ci import cache as caching, judge as judging, suite as gating
from supercheck.ci.judge import GateOptions
from supercheck.ci.suite import gate
from supercheck.decide.workers.processes import WorkerDiedError
from supercheck.report.gate.formats import FORMATS, reporter
from supercheck.report.gate.outcome import SpecOutcome, SuiteOutcome


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    for folder in (Path("specs"), Path()):
        assert not list(folder.glob("supercheck-fault*"))


@pytest.fixture
def good() -> Path:
    save(Path("specs/good.npz"), ands(4))
    return spec(Path("specs/good.toml"), "good.npz", 4)


@pytest.fixture
def wrong() -> Path:
    save(Path("specs/wrong.npz"), ands(4, 0.75))
    return spec(Path("specs/wrong.toml"), "wrong.npz", 4)


def test_a_hundred_specs_end_as_they_must_and_every_format_says_so(capsys: Capture) -> None:
    truth = corpus(Path("specs"), 100)
    assert set(truth.values()) == {0, 1, 2, 3}
    reports = [part for name in FORMATS for part in ("--report", f"{name}:out/{name}.txt")]
    assert run("gate", "specs", "--engine", "bound", "-v", *reports) == 2
    printed = said_by("text", capsys.readouterr().out)
    wanted = {file: CATEGORIES[code] for file, code in truth.items()}
    assert printed == wanted
    failing = {file: category for file, category in wanted.items() if category != "passed"}
    for name in FORMATS:
        said = said_by(name, Path(f"out/{name}.txt").read_text())
        assert said == (wanted if name in ("json", "json-lines", "junit") else failing), name
    found = json.loads(Path("out/json.txt").read_text())
    assert found["pass"] is False
    assert list(found) == ["supercheck", "specs", "pass", "seconds"]
    assert list(found["specs"][0]) == [
        "file",
        "expected",
        "verdict",
        "pass",
        "cached",
        "seconds",
        "reason",
        "assumptions",
    ]


def test_several_processes_find_the_same() -> None:
    truth = corpus(Path("specs"), 20)
    found = gate(["specs"], terms=GateOptions(engine="bound"), jobs=2)
    assert {one.file: one.code for one in found.judgements} == truth
    assert [one.file for one in found.judgements] == sorted(truth)


def test_the_gravest_outcome_is_the_exit_code() -> None:
    for worst, code in enumerate(GRAVITY):
        below = GRAVITY[worst:]
        assert SuiteOutcome(tuple(SpecOutcome("x", one, reason="y") for one in below), 0.0).code == code


def test_as_expected_is_zero(good: Path, capsys: Capture) -> None:
    assert run("gate", "specs") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "1 of 1 specs as expected" in printed.out


def test_a_refutation_is_told_line_by_line(good: Path, wrong: Path, capsys: Capture) -> None:
    assert run("gate", "specs") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "FAILED  specs/wrong.toml: refuted, but [expect] says proved"
    assert [line.split(":")[0].strip() for line in lines[1:4]] == ["on", "output", "value"]


def test_exit_zero_forgives_a_refutation_and_nothing_else(good: Path, wrong: Path) -> None:
    assert run("gate", "specs", "--exit-zero") == 0
    assert run("gate", "specs", "absent.toml", "--exit-zero") == 2
    assert SuiteOutcome((SpecOutcome("a", 1), SpecOutcome("b", 3)), 0.0).lenient == 3
    assert SuiteOutcome((SpecOutcome("a", 1), SpecOutcome("b", 4)), 0.0).lenient == 4
    save(Path("specs/yard.npz"), ands(4))
    spec(Path("specs/yard.toml"), "yard.npz", 4)
    assert run("gate", "specs", "--exit-zero", "--fail-fast") == 3, "a spec that was skipped never passes"


def test_fail_fast_stops_and_says_what_was_not_run(good: Path, wrong: Path, capsys: Capture) -> None:
    save(Path("specs/zebra.npz"), ands(4))
    spec(Path("specs/zebra.toml"), "zebra.npz", 4)
    assert run("gate", "specs", "-x", "--format", "json") == 1
    specs = json.loads(capsys.readouterr().out)["specs"]
    assert [one["reason"] for one in specs][::2] == [None, "not run: --fail-fast"]
    assert [one["pass"] for one in specs] == [True, False, False]


@pytest.mark.parametrize("jobs", [1, 2])
def test_time_for_all_that_is_up_never_passes(good: Path, wrong: Path, jobs: int) -> None:
    found = gate(["specs"], total=1e-9, jobs=jobs)
    assert found.code == 3
    assert {one.reason for one in found.judgements} == {"not run: the time for all specs is up"}


def test_a_timeout_never_passes(tmp_path: Path, capsys: Capture) -> None:
    truth = corpus(Path("specs"), 10)
    slow = next(file for file, code in truth.items() if code == 3)
    assert run("gate", slow, "--timeout", "1e-9") == 3
    assert "UNKNOWN" in capsys.readouterr().out


@pytest.mark.parametrize("word", ["good", "specs/g*", "g??d"])
def test_select_by_name(good: Path, wrong: Path, word: str, capsys: Capture) -> None:
    assert run("gate", "specs", "--select", word) == 0
    assert "1 of 1 specs" in capsys.readouterr().out


def test_selecting_nothing_is_bad_usage(good: Path, capsys: Capture) -> None:
    assert run("gate", "specs", "--select", "nothing") == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_path_without_specs_is_bad_input_and_the_others_are_judged(good: Path, wrong: Path, capsys: Capture) -> None:
    Path("empty/.hidden").mkdir(parents=True)
    spec(Path("empty/.hidden/x.toml"), "x.npz", 4)
    Path("empty/pyproject.toml").write_text("")
    assert run("gate", "empty", "specs", "--exit-zero") == 2
    told = capsys.readouterr().out
    assert "INPUT ERROR  empty: expected at least one spec (*.toml) below it, got none" in told
    assert "FAILED  specs/wrong.toml" in told


def test_a_spec_below_two_paths_is_judged_once(good: Path) -> None:
    os.symlink("specs", "again")
    assert len(gate(["specs", "again", good]).judgements) == 1


def test_circles_of_links_end(good: Path) -> None:
    os.symlink("../specs", "specs/loop")
    os.symlink("self.toml", "specs/self.toml")
    Path("a").mkdir()
    for link in range(5):  # each way into one folder leads to all others
        os.symlink("..", f"a/up{link}")
    found = {one.file: one.code for one in gate(["a"]).judgements}
    assert sorted(found.values()) == [0, 2], "the good one once, however long the way; the link to itself is unreadable"


def test_quiet_and_verbose(good: Path, wrong: Path, capsys: Capture) -> None:
    run("gate", "specs", "-q")
    quiet = capsys.readouterr().out
    assert said_by("text", quiet) == {"specs/wrong.toml": "failed"}
    assert "as expected" not in quiet
    run("gate", "specs/good.toml", "-q")
    assert capsys.readouterr().out == ""
    run("gate", "specs", "-v")
    assert set(said_by("text", capsys.readouterr().out).values()) == {"passed", "failed"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["gate"],
        ["gate", "specs", "--report", "junit"],
        ["gate", "specs", "--report", "junit:"],
        ["gate", "specs", "--report", "xml:x"],
        ["gate", "specs", "--format", "xml"],
        ["gate", "specs", "--timeout", "0"],
        ["gate", "specs", "--total-timeout", "nan"],
        ["gate", "specs", "--jobs", "0"],
        ["gate", "specs", "-q", "-v"],
        ["gate", "specs", "--cache", "x", "--no-cache"],
        ["gate", "specs", "--update-baseline"],
        ["gate", "specs", "--fail-on-regression"],
        ["gate", "specs", "--baseline", "b.json", "--fail-on-regression"],
        ["gate", "specs", "--baseline", "specs"],
    ],
    ids=" ".join,
)
def test_bad_usage_is_one_line_and_two(good: Path, arguments: list[str], capsys: Capture) -> None:
    assert run(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("supercheck: ")
    assert printed.err.count("\n") == 1


def test_a_fault_in_one_spec_is_four_and_the_others_are_judged(
    good: Path, wrong: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(network: object, file: Path, k: object) -> object:
        if file.stem == "good":
            raise RuntimeError("bug")
        return asked(network, file, k)  # type: ignore[arg-type]

    asked = judging.question  # type: ignore[attr-defined]
    monkeypatch.setattr(judging, "question", broken)
    found = gate(["specs"])
    assert [one.code for one in found.judgements] == [4, 1]
    for name in FORMATS:
        assert "internal fault: RuntimeError: bug" in reporter(name)(found)


@pytest.mark.parametrize("verb", [["gate"], ["verify", "--spec"]])
def test_a_full_disk_for_stdout_is_two(good: Path, verb: list[str]) -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "supercheck", *verb, str(good)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "supercheck: stdout: expected room for the result, got No space left on device\n"


def test_a_report_that_cannot_be_written_is_two_and_the_others_are_written(wrong: Path, capsys: Capture) -> None:
    Path("folder").mkdir()
    bad = ["/dev/full", "folder", "specs/wrong.toml/x.xml"]
    reports = [part for file in bad for part in ("--report", f"junit:{file}")]
    assert run("gate", "specs", *reports, "--report", "junit:new/deep/good.xml", "--exit-zero") == 2
    printed = capsys.readouterr()
    assert [line.split(":")[1].strip() for line in printed.err.splitlines()] == [
        "/dev/full",
        "folder",
        "specs/wrong.toml/x.xml",
    ]
    assert "0 of 1 specs as expected" in printed.out
    assert said_by("junit", Path("new/deep/good.xml").read_text()) == {"specs/wrong.toml": "failed"}


def test_a_report_on_a_stream_does_not_replace_its_file(good: Path) -> None:
    command = [sys.executable, "-m", "supercheck", "gate", "specs", "-q", "--report", "json-lines:/dev/stdout"]
    with open("out.txt", "a") as out:
        out.write("before\n")
        out.flush()
        assert subprocess.run(command, stdout=out, check=False).returncode == 0
        out.write("after\n")
    before, report, *_ = Path("out.txt").read_text().splitlines()
    assert (before, json.loads(report)["pass"]) == ("before", True)


def test_names_that_are_no_unicode_can_be_told(good: Path, capsys: Capture) -> None:
    os.rename(good, os.fsdecode(b"specs/b\xffd.toml"))
    Path("specs/good.npz").unlink()
    reports = [part for name in FORMATS for part in ("--report", f"{name}:out/{name}.txt")]
    assert run("gate", "specs", *reports) == 2
    assert all("b\\udcffd" in path.read_text() or "b%FFd" in path.read_text() for path in Path("out").iterdir())


STAGES = [
    "claims.question.load", "ci.judge.read_spec", "claims.question.pose", "decide.enumeration.price",
    "decide.portfolio.replay",
    "ci.suite.collect", "ci.cache._key", "ci.judge.find_sealed", "certificate.writer.write", "report.gate.text.text",
]  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
def test_a_fault_in_any_stage_is_four(good: Path, wrong: Path, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("broken on purpose")

    monkeypatch.setattr(f"supercheck.{stage}", fail)
    for name, value in {"SMALL": -1, "WORTH": 0.0, "RATE": 1 << 60}.items():  # small questions have certificates, too
        monkeypatch.setattr(caching, name, value)
    if stage == "certificate.writer.write":  # a file that cannot be written, as far as the cache can tell
        assert run("gate", "specs") == 1
    else:
        assert run("gate", "specs", "--exit-zero") == 4
    Path("supercheck-fault.txt").unlink(missing_ok=True)


HARD = """
network = {file = "hard.npz"}
domain = {features = 40, max_active = 20}
outputs = {gate = "and", over = [[0, 1], [2, 3], [4, 5]]}
readout = {mode = "epsilon", within = 200}
"""


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_keeps_what_was_found(wrong: Path, stop: int, jobs: int) -> None:
    draw, shapes = np.random.default_rng(0), {"0.weight": (60, 40), "2.weight": (3, 60)}
    save(Path("specs/hard.npz"), {name: draw.normal(size=s).astype(np.float32) for name, s in shapes.items()})
    Path("specs/hard.toml").write_text(HARD)  # longer than anyone waits
    wrong.rename("specs/awry.toml")
    words = ["gate", "specs", "--format", "json", "--engine", "z3", "--jobs", jobs]
    command = [sys.executable, "-m", "supercheck", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not sealed_rows(Path(".supercheck/cache.sqlite")):  # the first is decided
            time.sleep(0.05)
            assert process.poll() is None
        time.sleep(1)
        process.send_signal(stop)
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    awry, hard = json.loads(out)["specs"]
    assert (awry["verdict"], awry["pass"], hard["pass"]) == ("refuted", False, False)
    assert hard["reason"] in ("interrupted", "not run: interrupted")
    assert (process.returncode, err) == (1, "")


def test_a_process_that_is_lost_is_unknown_and_one_that_is_broken_a_fault() -> None:
    codes = {}
    for error in (WorkerDiedError("the solver's process ended with signal 9"), FaultError("it contradicts itself")):
        future: Future[SpecOutcome] = Future()
        future.set_exception(error)
        codes[type(error)] = gating._received(Path("a.toml"), future)
    assert {kind: one.code for kind, one in codes.items()} == {WorkerDiedError: 3, FaultError: 4}
    assert "signal 9" in str(codes[WorkerDiedError].reason)
