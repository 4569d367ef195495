"""Batches behind one executor interface: the answer is the same whoever decides, and whatever becomes of them."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from common import run
from gates import ands, save, spec
from hypothesis import given, settings, strategies as st
from strategies import questions
from teams import FAMILIES, fail, hog, kill_self, lie, nap, sleep, told, use_up, verified

import supercheck
from supercheck import FaultError, InputError, Limits, verify
from supercheck.certificate.proofs import TREES
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Verdict
from supercheck.decide.engines import Engine
from supercheck.decide.limits import Clock
from supercheck.decide.portfolio import ENGINES, decide
from supercheck.decide.workers import batches
from supercheck.decide.workers.batches import Answer, Batch, cut, pose, posed, solved
from supercheck.decide.workers.checkpoint import BatchStore
from supercheck.decide.workers.executors import MOST, InProcess, Place
from supercheck.decide.workers.pool import WorkerPool
from supercheck.decide.workers.processes import Processes

pytestmark = pytest.mark.usefixtures("trained_elsewhere", "own_account")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of a few outputs."""
    monkeypatch.setattr(batches, "TARGET", 10**6)
    monkeypatch.setattr(batches, "OVERHEAD", 0)


_FREE = Limits()


class Counting(InProcess):
    """Knows which batches it was asked."""

    def __init__(self) -> None:
        self.asked: list[Batch] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.asked.extend(args)
        return super().submit(fn, *args, **kwargs)


def here(claims: Claims, executor: Executor | None = None, kept: BatchStore | None = None) -> WorkerPool:
    return WorkerPool(claims, executor or InProcess(), lambda batch: solved(claims, batch), kept)


def spread(team: WorkerPool, work: Any, outputs: Sequence[int], limits: Limits = _FREE, name: str = "z3") -> list[Any]:
    clock = Clock.start(limits.timeout)
    engine = work if isinstance(work, Engine) else replace(ENGINES[name], work=work)
    return [d for some in team.spread(engine, team.claims, outputs, limits, clock) for d in some]


# the same answer


@pytest.mark.parametrize(
    ("family", "executor"),
    [*((family, "in-process") for family in FAMILIES), ("B", "processes:2"), ("C", "processes:2")],
)
def test_result_and_certificate_are_the_same_wherever_batches_run(
    family: str, executor: str, tmp_path: Path, small: None
) -> None:
    made = FAMILIES[family]()
    assert verified(made, tmp_path / "a", executor=executor) == verified(made, tmp_path / "b")


@settings(max_examples=25)
@given(questions(), st.sampled_from([1, 10**4, 10**6]), st.sampled_from(["auto", "bound", "branch", "enumerate"]))
def test_any_question_has_the_same_answer_in_batches(asked: Any, target: int, engine: str) -> None:
    claims = asked.claims
    limits = Limits(engine=engine, nodes=64, margins=True, largest_k=True)
    alone = decide(claims, limits)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "TARGET", target)
        patch.setattr(batches, "OVERHEAD", 0)
        together = decide(claims, replace(limits, team=here(claims)))
    assert together.outputs == alone.outputs
    assert together.smallest == alone.smallest


def test_float32_is_decided_in_batches_too(tmp_path: Path, small: None) -> None:
    path = Path(__file__).parents[2] / "specs" / "refuted" / "mean_of_fifty_float32.toml"
    assert told(verify(None, path, executor="in-process")) == told(verify(None, path))


def test_a_question_of_another_network_is_asked_here() -> None:
    claims, other = FAMILIES["A"]().claims, FAMILIES["C"]().claims
    counting = Counting()
    found = decide(other, Limits(team=here(claims, counting)))
    assert found.verdict is Verdict.PROVED
    assert counting.asked == []


def test_a_question_travels_without_what_only_reports_need() -> None:
    claims = FAMILIES["A"]().claims
    assert len(claims.network.stored) == 2
    pose(posed(claims))
    (copy,) = batches._POSED
    assert copy.network.stored == ()
    assert copy.network.digest == claims.network.digest


# cutting


@pytest.mark.parametrize("engine", [*ENGINES.values(), TREES], ids=lambda engine: engine.name)
@pytest.mark.parametrize("target", [1, 10**6, 10**10, 10**20])
def test_every_output_is_in_exactly_one_batch(engine: Engine, target: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "TARGET", target)
    claims = FAMILIES["A"]().claims
    outputs = [*range(3, 50, 2), *range(51, 100)]
    cuts = list(cut(engine, claims, outputs, Limits()))
    assert [i for part in cuts for i in part] == outputs
    assert all(cuts)
    if target == 1:
        assert len(cuts) > 1
    if target == 10**20 and not engine.outside:
        assert len(cuts) == 1


def test_a_shared_sweep_is_not_cut_so_fine_that_its_shared_part_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "TARGET", 1)
    claims = FAMILIES["B"]().claims
    parts = list(cut(ENGINES["enumerate"], claims, range(len(claims)), Limits()))
    assert len(parts) == 1
    monkeypatch.setattr(batches, "OVERHEAD", 0)
    assert len(list(cut(ENGINES["enumerate"], claims, range(len(claims)), Limits()))) == len(claims)


# what goes wrong


@pytest.mark.parametrize(("work", "why"), [(kill_self, "signal 9"), (hog, "out of memory")])
def test_what_a_lost_process_does_not_deliver_is_unknown_with_the_reason(work: Any, why: str) -> None:
    claims = FAMILIES["A"]().claims
    with Processes(2, pose, (posed(claims),)) as executor:
        found = spread(WorkerPool(claims, executor), work, [0, 1, 2, 3, 4, 5])
    assert [d.output for d in sorted(found)] == [0, 1, 2, 3, 4, 5]
    lost = [d for d in found if d.output in (4, 5)]
    assert all(d.verdict is Verdict.UNKNOWN and d.lost and why in d.reason for d in lost)


def test_what_is_lost_is_asked_of_no_other_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = FAMILIES["A"]().claims
    monkeypatch.setitem(ENGINES, "bound", replace(ENGINES["bound"], work=kill_self))
    with Processes(1, pose, (posed(claims),)) as executor:
        found = decide(claims, Limits(team=WorkerPool(claims, executor)))
    assert found.verdict is Verdict.UNKNOWN
    assert {output.reason for output in found.outputs} == {"the solver's process ended with signal 9"}


def test_an_answer_about_other_outputs_is_a_fault() -> None:
    claims = FAMILIES["A"]().claims
    with pytest.raises(FaultError, match="other outputs"):
        spread(here(claims), lie, [0, 1, 2])


def test_a_fault_in_a_process_is_a_fault_here() -> None:
    claims = FAMILIES["A"]().claims
    with Processes(1, pose, (posed(claims),)) as executor, pytest.raises(FaultError, match="on purpose"):
        spread(WorkerPool(claims, executor), fail, [0, 1])


def test_a_batch_that_looks_at_no_clock_is_left_at_the_deadline() -> None:
    claims = FAMILIES["A"]().claims
    executor = Processes(1, pose, (posed(claims),))
    try:
        found = spread(WorkerPool(claims, executor), sleep, [0, 1, 2, 3, 4], Limits(timeout=0.5))
    finally:
        executor.shutdown(cancel_futures=True)
    assert [(d.output, d.verdict, d.reason) for d in found] == [
        (i, Verdict.UNKNOWN, "timeout after 0.5 s") for i in range(5)
    ]


def test_the_deadline_holds_where_batches_are_decided_at_once() -> None:
    claims, counting = FAMILIES["A"]().claims, Counting()
    found = spread(here(claims, counting), use_up, range(40), Limits(timeout=0.5))
    asked = [i for batch in counting.asked for i in batch.outputs]
    assert len(counting.asked) <= 1
    assert [d.output for d in found if d.verdict is Verdict.PROVED] == asked
    late = [(d.output, d.verdict, d.reason) for d in found if d.output not in asked]
    assert late == [(i, Verdict.UNKNOWN, "timeout after 0.5 s") for i in range(len(asked), 40)]


def test_a_batch_is_given_the_time_that_is_left_and_its_end_is_told() -> None:
    claims, counting = FAMILIES["A"]().claims, Counting()
    seen: list[tuple[int, int, str]] = []
    clock = Clock.start(60.0, lambda *one: seen.append(one))
    list(
        here(claims, counting).spread(replace(ENGINES["z3"], work=nap), claims, range(12), Limits(timeout=60.0), clock)
    )
    given = [batch.seconds or 0.0 for batch in counting.asked]
    assert 60 > given[0] > given[1] > given[2] > 0
    assert seen == [(1, 3, "batches (z3)"), (2, 3, "batches (z3)"), (3, 3, "batches (z3)")]


def test_another_version_is_refused() -> None:
    claims = FAMILIES["A"]().claims
    old = WorkerPool(claims, InProcess(), lambda batch: Answer([], True, "0.0.9"))
    with pytest.raises(InputError, match=r"--executor: expected supercheck .*, got 0\.0\.9"):
        spread(old, fail, [0])


@pytest.mark.parametrize(
    "word", ["", "dask", "dask://", "dask://host", "dask://:1", "processes:0", "dask-local:", "dask-local:-1", "spark"]
)
def test_a_word_that_means_no_executor_is_bad_input(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="--executor: expected processes"):
        Place.named(word)


@pytest.mark.parametrize("word", ["dask-local:60000", "processes:60000", f"processes:{MOST + 1}"])
def test_more_processes_than_a_machine_runs_are_bad_input(word: str, question: Path, capsys: Any) -> None:
    assert run("verify", "--spec", question, "--executor", word) == 2
    told = capsys.readouterr().err
    assert f"--executor: expected at most {MOST} processes here, got {word.partition(':')[2]}" in told
    assert told.count("\n") == 1
    assert Place.named(f"processes:{MOST}").workers == MOST


def test_without_dask_it_is_said_how_to_get_it(question: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "supercheck.decide.workers.dask", raising=False)
    assert run("verify", "--spec", question, "--executor", "dask-local:2", "--no-cache") == 2
    assert "run `pip install 'supercheck[dask]'`" in capsys.readouterr().err


def test_all_executors_have_names() -> None:
    assert Place.named("processes").default
    assert Place.named("processes:3") == Place("processes", 3)
    assert Place.named("in-process") == Place("in-process")
    assert Place.named("dask-local:2") == Place("dask-local", 2)
    assert Place.named("dask://box:8786") == Place("dask", address="tcp://box:8786")
    assert Place.named("tls://box:8786") == Place("dask", address="tls://box:8786")


# going on where it was


def interrupted_after(count: int) -> Any:
    def progress(done: int, _total: int, what: str) -> None:
        if what == "outputs" and done >= count:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("family", ["A, wrong", "B", "mixed"])
def test_an_interrupted_run_goes_on_where_it_was(family: str, tmp_path: Path, small: None) -> None:
    claims, kept = FAMILIES[family]().claims, BatchStore(tmp_path / "cache.sqlite")
    whole = decide(claims, Limits(margins=True))
    first, second, third = Counting(), Counting(), Counting()
    limits = Limits(margins=True)
    part = decide(claims, replace(limits, team=here(claims, first, kept)), interrupted_after(20))
    assert part.count(Verdict.UNKNOWN)
    rest = decide(claims, replace(limits, team=here(claims, second, kept)))
    again = decide(claims, replace(limits, team=here(claims, third, kept)))
    assert rest.outputs == again.outputs == whole.outputs
    assert rest.smallest == again.smallest == whole.smallest
    assert first.asked
    assert third.asked == []
    assert not {batch.meaning for batch in second.asked} & {batch.meaning for batch in first.asked}


def test_batches_of_other_limits_questions_or_versions_are_not_mistaken(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims, kept = FAMILIES["A"]().claims, BatchStore(tmp_path / "cache.sqlite")
    decide(claims, Limits(team=here(claims, None, kept)))
    for other, limits in (
        (claims.at_most(2), Limits()),
        (FAMILIES["C"]().claims, Limits()),
        (claims, Limits(engine="branch", nodes=5)),
        (claims, Limits(margins=True)),
    ):
        counting = Counting()
        decide(other, replace(limits, team=here(other, counting, kept)))
        assert counting.asked
    monkeypatch.setattr(batches, "__version__", "9.9")
    counting = Counting()
    decide(claims, Limits(team=here(claims, counting, kept)))
    assert counting.asked


def test_a_kept_batch_without_the_owners_seal_is_decided_anew(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims, file = FAMILIES["A, wrong"]().claims, tmp_path / "cache.sqlite"
    honest = decide(claims, Limits(team=here(claims, None, BatchStore(file))))
    assert honest.verdict is Verdict.REFUTED
    with sqlite3.connect(file) as database:  # every verdict is proved now
        for key, content in database.execute("SELECT key, content FROM batches").fetchall():
            rows = [[row[0], "proved", *[None] * 3, False, None, None, False] for row in json.loads(content)]
            database.execute("UPDATE batches SET content = ? WHERE key = ?", (json.dumps(rows), key))
    forged = decide(claims, Limits(team=here(claims, None, BatchStore(file))))
    assert forged.outputs == honest.outputs
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "somebody else's"))
    counting = Counting()
    assert decide(claims, Limits(team=here(claims, counting, BatchStore(file)))).outputs == honest.outputs
    assert counting.asked


def test_what_other_code_decided_is_decided_anew(tmp_path: Path) -> None:
    """An engine says proved to everything, its batches are kept, and it is mended."""
    copy = tmp_path / "supercheck"
    shutil.copytree(Path(supercheck.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    save(tmp_path / "net.npz", ands(4, nudge=1.0))
    spec(tmp_path / "net.toml", "net.npz", 4)
    command = [sys.executable, "-m", "supercheck", "verify", "--spec", "net.toml", "--executor", "in-process"]

    def code() -> int:
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True).returncode

    engine = copy / "decide" / "enumeration.py"
    right = engine.read_text()
    wrong = "def decide(claims, outputs, *_):\n    yield [Proved(i) for i in outputs]\n"
    engine.write_text(f"{right}\n\n{wrong}")
    assert code() == 0
    with sqlite3.connect(tmp_path / ".supercheck" / "cache.sqlite") as database:
        assert database.execute("SELECT count(*) FROM batches").fetchone()[0] == 1
    engine.write_text(right)
    assert code() == 1


def test_what_a_deadline_or_a_lost_solver_left_open_is_not_kept(tmp_path: Path) -> None:
    claims = FAMILIES["A"]().claims
    kept = BatchStore(tmp_path / "cache.sqlite")
    late = Batch("", ENGINES["bound"], (0, 1), 3, None, Limits(timeout=1e-6), 0.0)
    assert not solved(claims, late).complete
    executor = InProcess()
    team = WorkerPool(claims, executor, lambda batch: solved(claims, replace(batch, seconds=0.0)), kept)
    spread(team, ENGINES["bound"], [0, 1], Limits(timeout=60), "bound")
    counting = Counting()
    spread(here(claims, counting, kept), ENGINES["bound"], [0, 1], Limits(), "bound")
    assert counting.asked


# at the command line


@pytest.fixture
def question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save(Path("net.npz"), ands(4))
    spec(Path("net.toml"), "net.npz", 4)
    return Path("net.toml")


def test_finished_batches_are_kept_unless_told_otherwise(question: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", "--spec", question) == 0
    assert run("verify", "--spec", question, "--executor", "in-process", "--no-cache") == 0
    assert not Path(".supercheck").exists()
    assert run("verify", "--spec", question, "--executor", "in-process") == 0
    with sqlite3.connect(".supercheck/cache.sqlite") as database:
        assert database.execute("SELECT count(*) FROM batches").fetchone()[0] > 0


def test_where_batches_cannot_be_kept_one_line_says_so(question: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path(".supercheck").write_text("a file where a folder should be")
    assert run("verify", "--spec", question, "--executor", "in-process") == 0
    told = capsys.readouterr().err
    assert told.startswith("supercheck: finished batches are not kept: ")
    assert told.count("\n") == 1


def test_without_a_key_nothing_is_kept_under_optimisation_either(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    command = [
        sys.executable,
        "-O",
        "-c",
        "from supercheck.decide.workers.checkpoint import BatchStore; BatchStore().probe()",
    ]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert told.stderr.splitlines()[-1].startswith("supercheck.base.store.CacheError: no key to seal with")


def test_a_wrong_word_is_said_before_anything_is_read(question: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", "nowhere.npz", "--spec", question, "--executor", "spark") == 2
    assert "--executor" in capsys.readouterr().err
