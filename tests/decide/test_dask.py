"""On a real cluster of two worker processes: the same answer, and nothing lost or told twice whatever goes wrong."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from pickle import dumps
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from common import run
from distributed import Client, LocalCluster
from families import one_per_pair, write
from teams import FAMILIES, fail, hog, kill_own_worker, sleep, verified

from supercheck import FaultError, InputError, Limits, verify
from supercheck.claims.evidence import Decision, Unknown, Verdict
from supercheck.decide.limits import Clock
from supercheck.decide.portfolio import ENGINES
from supercheck.decide.workers import batches, pool as team
from supercheck.decide.workers.batches import Answer, Batch, posed
from supercheck.decide.workers.dask import BatchPlugin
from supercheck.decide.workers.executors import Place
from supercheck.decide.workers.pool import gathered

HERE = os.pathsep.join(str(Path(__file__).parents[1] / folder) for folder in ("support", "benchmarks"))

SOON = 30.0  # seconds in which what has to happen happens


pytestmark = pytest.mark.usefixtures("trained_elsewhere")


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Two worker processes of one thread each."""
    options: dict[str, Any] = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "threads_per_worker": 1}
    with LocalCluster(n_workers=2, processes=True, **options) as found:
        yield found


@pytest.fixture
def word(cluster: LocalCluster) -> str:
    """The cluster as `--executor` names it."""
    with Client(cluster, set_as_default=False) as client:
        client.wait_for_workers(1, timeout=SOON)
    return str(cluster.scheduler_address).replace("tcp", "dask")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of a few outputs."""
    monkeypatch.setattr(batches, "TARGET", 4 * 10**5)
    monkeypatch.setattr(batches, "OVERHEAD", 0)


def eventually(holds: Callable[[], object]) -> None:
    end = time.monotonic() + SOON
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def workers(cluster: LocalCluster) -> list[psutil.Process]:
    return [psutil.Process(nanny.pid) for nanny in cluster.workers.values() if nanny.pid is not None]


def children(worker: psutil.Process) -> list[psutil.Process]:
    """The processes in which a worker decides batches."""
    return [one for one in worker.children() if "supercheck" in " ".join(one.cmdline())]


def on_cluster(word: str, family: str, work: Any, outputs: list[int], limits: Limits) -> list[Decision]:
    claims, clock = FAMILIES[family]().claims, Clock.start(limits.timeout)
    with gathered(Place.named(word), claims, limits) as found:
        assert found is not None
        return [
            d for some in found.spread(replace(ENGINES["z3"], work=work), claims, outputs, limits, clock) for d in some
        ]


@pytest.mark.parametrize("family", ["A", "B", "C", "mixed"])
def test_result_and_certificate_are_those_of_one_process(family: str, word: str, tmp_path: Path, small: None) -> None:
    made = FAMILIES[family]()
    assert verified(made, tmp_path / "a", executor=word) == verified(made, tmp_path / "b")


def test_a_worker_killed_in_the_middle_changes_nothing(
    cluster: LocalCluster, word: str, tmp_path: Path, small: None
) -> None:
    made, killed = FAMILIES["C"](), list[Any]()

    def progress(done: int, total: int, what: str) -> None:
        if what == "batches (bound)" and done >= 2 and total - done > 2 and not killed:
            killed.append(next(one for one in workers(cluster) if children(one)))
            killed[0].kill()

    hit = verified(made, tmp_path / "a", executor=word, progress=progress)
    assert killed
    assert hit == verified(made, tmp_path / "b")


def test_a_batch_that_is_out_of_memory_is_unknown_and_the_others_are_not(word: str) -> None:
    found = on_cluster(word, "A", hog, [0, 1, 2, 3, 7, 8], Limits())
    lost = [d for d in found if isinstance(d, Unknown)]
    assert sorted(d.output for d in found if d not in lost) == [0, 1, 2, 3]
    assert lost == [Unknown(i, "the solver ran out of memory", lost=True) for i in (7, 8)]


def test_a_fault_on_a_worker_is_a_fault_here(word: str) -> None:
    with pytest.raises(FaultError, match="on purpose"):
        on_cluster(word, "A", fail, [0], Limits())


def test_the_network_travels_once_to_each_worker_and_with_no_batch(
    cluster: LocalCluster, word: str, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims, sent = FAMILIES["C"]().claims, []
    submit = Client.submit
    monkeypatch.setattr(
        Client, "submit", lambda *told, **how: sent.append(len(dumps(told[1:]))) or submit(*told, **how)
    )
    with gathered(Place.named(word), claims, Limits()) as members, Client(cluster, set_as_default=False) as client:
        assert members is not None
        before, clock = client.run(questions), Clock.start(None)
        for name in ("bound", "branch", "bound"):
            for _ in members.spread(ENGINES[name], claims, range(1000), Limits(), clock):
                pass
        after = client.run(questions)
    assert len(sent) > 20
    assert max(sent) < len(posed(claims)) / 20
    assert before == after
    assert all(len(each) == 1 for each in after.values())


def questions(dask_worker: Any) -> list[tuple[str, int]]:
    """The questions that a worker has received and not forgotten."""
    files = Path(dask_worker.local_directory).glob("supercheck-*")
    return [(file.name, file.stat().st_mtime_ns) for file in files]


def test_the_deadline_ends_what_workers_do(cluster: LocalCluster, word: str) -> None:
    found = on_cluster(word, "A", sleep, [0, 1], Limits(timeout=2))
    assert sorted(found) == [Unknown(i, "timeout after 2 s") for i in (0, 1)]
    eventually(lambda: not any(children(one) for one in workers(cluster)))


def test_tasks_have_names_that_mean_something(cluster: LocalCluster, word: str, small: None) -> None:
    seen: set[str] = set()

    def look(_done: int, _total: int, what: str) -> None:
        if what.startswith("batches"):
            seen.update(map(str, cluster.scheduler.tasks))

    made = FAMILIES["C"]()
    verify(made.network, made.spec, executor=word, progress=look)
    assert any(re.fullmatch(r"verify-bound-[0-9a-f]{8}-outputs-\d+-\d+-[0-9a-f]{8}", name) for name in seen)


def test_workers_of_another_version_are_refused(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(team, "__version__", "9.9")
    made = FAMILIES["A"]()
    with pytest.raises(InputError, match=r"expected supercheck 9\.9 on every worker, as here, got 0"):
        verify(made.network, made.spec, executor=word)


def test_a_question_that_dask_cannot_send_is_refused(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supercheck.decide.workers.dask.MOST_BYTES", 1000)
    made = FAMILIES["A"]()
    with pytest.raises(InputError, match="expected a network and functions of at most 2 GiB for Dask, got"):
        verify(made.network, made.spec, executor=word)


def test_a_scheduler_without_workers_is_bad_input(
    apart: Callable[..., subprocess.Popen[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supercheck.decide.workers.dask.PATIENCE", 2)
    apart("scheduler", "--port", "0")
    made = FAMILIES["A"]()
    with pytest.raises(InputError, match="expected a worker within 2 s, got none"):
        verify(made.network, made.spec, executor=address(tmp_path))


def test_nobody_at_the_address_is_bad_input(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("supercheck.decide.workers.dask.PATIENCE", 0.5)
    spec = write(FAMILIES["A"](), tmp_path, "net")
    assert run("verify", "--spec", spec, "--executor", "dask://127.0.0.1:1", "--no-cache") == 2
    assert "--executor: expected a Dask scheduler that answers" in capsys.readouterr().err


def test_ctrl_c_ends_what_the_cluster_does(cluster: LocalCluster, word: str, tmp_path: Path) -> None:
    spec = write(FAMILIES["B"](), tmp_path, "net")
    command = [sys.executable, "-m", "supercheck", "verify", "--spec", str(spec), "--engine", "z3", "--executor", word]
    with subprocess.Popen([*command, "--no-cache"], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as client:
        eventually(lambda: all(child.children() for one in workers(cluster) for child in children(one) or [one]))
        client.send_signal(signal.SIGINT)
        out, _ = client.communicate(timeout=SOON)
    assert client.returncode == 3
    assert "interrupted" in out
    eventually(lambda: not cluster.scheduler.tasks)
    eventually(lambda: not any(children(one) for one in workers(cluster)))


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts schedulers and workers as somebody else would, and ends them."""
    started = []

    def start(*words: str, **environment: str) -> subprocess.Popen[str]:
        common = ["--scheduler-file", str(tmp_path / "cluster.json"), "--dashboard-address", "127.0.0.1:0"]
        command = [sys.executable, "-m", "dask", *words, *common, "--host", "127.0.0.1"]
        started.append(
            subprocess.Popen(command, cwd=tmp_path, text=True, env={**os.environ, "PYTHONPATH": HERE, **environment})
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
    for process in started:
        process.wait(timeout=SOON)


def address(folder: Path) -> str:
    file = folder / "cluster.json"
    eventually(file.exists)
    return str(json.loads(file.read_text())["address"])


def test_a_lost_scheduler_leaves_outputs_unknown_with_the_reason(
    apart: Callable[..., subprocess.Popen[str]], tmp_path: Path, small: None
) -> None:
    scheduler = apart("scheduler", "--port", "0")
    where = address(tmp_path)
    apart("worker", "--no-nanny", "--nthreads", "1")
    made = one_per_pair(30, 100, 3, seed=4)

    def progress(done: int, _total: int, what: str) -> None:
        if what == "batches (enumerate)" and done:
            scheduler.kill()
            scheduler.wait()

    found = verify(made.network, made.spec, executor=where, progress=progress)
    alone = verify(made.network, made.spec)
    assert found.verdict is Verdict.UNKNOWN
    assert found.reason == "the connection to Dask's scheduler was lost"
    assert 0 < found.count(Verdict.PROVED) < len(found.outputs)
    pairs = zip(found.outputs, alone.outputs, strict=True)
    assert all(one == two for one, two in pairs if one.verdict is not Verdict.UNKNOWN)


def test_a_batch_that_takes_its_workers_along_is_unknown_with_the_reason(
    apart: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    apart("scheduler", "--port", "0", DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0")
    where = address(tmp_path)
    apart("worker", "--no-nanny", "--nthreads", "1")
    found = on_cluster(where, "A", kill_own_worker, [0, 1], Limits())
    assert [d.output for d in found] == [0, 1]
    assert all(isinstance(d, Unknown) and d.lost and "its worker was lost" in d.reason for d in found)


def test_a_worker_with_another_supercheck_is_refused_before_anything_is_sent(
    apart: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    metadata = tmp_path / "old" / "supercheck-0.0.9.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Metadata-Version: 2.1\nName: supercheck\nVersion: 0.0.9\n")
    apart("scheduler", "--port", "0")
    where = address(tmp_path)
    apart("worker", "--no-nanny", "--nthreads", "1", PYTHONPATH=str(tmp_path / "old"))
    made = FAMILIES["A"]()
    refused = pytest.raises(InputError, match=r"expected supercheck 0\.1\.0 on the whole cluster, got 0\.0\.9 on tcp")
    with refused, pytest.warns(UserWarning, match="Mismatched versions found"):
        verify(made.network, made.spec, executor=where)


# a worker's desk, with children that answer at once


class Child:
    """Stands for the process of a worker's thread; asked after its end, the real one would be waited for in vain."""

    def __init__(self, *_: object) -> None:
        self.ended = False

    def submit(self, fn: Callable[[Batch], Answer], batch: Batch) -> Child:
        assert not self.ended
        self.call = lambda: fn(batch)
        return self

    def result(self, _seconds: float | None) -> Answer:
        return self.call()

    def shutdown(self, **_: object) -> None:
        self.ended = True


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BatchPlugin:
    monkeypatch.setattr("supercheck.decide.workers.dask.Processes", Child)
    found = BatchPlugin(b"", None)
    share: Any = SimpleNamespace(local_directory=tmp_path, memory_manager=SimpleNamespace(memory_limit=None))
    found.setup(share)
    return found


ASKED = Batch("", replace(ENGINES["z3"], work=sleep), (0,), 1, None, Limits(), None)
ANSWER = Answer([], complete=True)


def test_a_child_that_another_thread_has_meanwhile_is_not_ended(desk: BatchPlugin) -> None:
    class Snatched(list[Any]):
        """Another thread takes whatever is put here at once."""

        def append(self, child: Any) -> None:
            assert desk.busy == {}
            taken.append(child)

    taken: list[Any] = []
    desk.idle = Snatched()
    assert desk.work("key", lambda _: ANSWER, ASKED) is ANSWER
    assert [child.ended for child in taken] == [False]


def test_the_child_of_a_batch_that_nobody_waits_for_gets_no_other(desk: BatchPlugin) -> None:
    def cancelled(_: Batch) -> Answer:
        children.extend(desk.busy.values())  # type: ignore[attr-defined]
        desk.transition("key", "executing", "released")
        return ANSWER

    children: list[Any] = []
    desk.work("key", cancelled, ASKED)
    assert [child.ended for child in children] == [True]
    assert desk.idle == []
    desk.transition("key", "executing", "released")  # its thread was faster: there is nothing to end


def test_a_worker_of_two_threads_asks_no_child_that_it_has_ended(desk: BatchPlugin) -> None:
    class Slow(list[Any]):
        """Lets other threads run before it says that something was put here."""

        def append(self, child: Any) -> None:
            super().append(child)
            time.sleep(1e-4)

    def decided(_: Batch) -> Answer:
        time.sleep(3e-4)
        return ANSWER

    def thread(name: str) -> bool:
        return all(desk.work(f"{name}{turn}", decided, ASKED) is ANSWER for turn in range(100))

    desk.idle = Slow()
    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(thread, ("a", "b")))
    assert desk.busy == {}
    assert not any(child.ended for child in desk.idle)
