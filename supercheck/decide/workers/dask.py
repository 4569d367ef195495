"""Batches on Dask: its scheduler, its retries, its cancelling, its versions; imported only where Dask is asked for.

The question travels once to each worker, in a plugin that Dask also gives to workers that come later. What a worker is
asked runs in a child process of its own, with a hard limit of memory and of time, which ends as soon as nobody waits
for it any more: when a batch is cancelled, its client is gone, or the worker closes.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Lock
from typing import Any

from distributed import Client, KilledWorker, LocalCluster, Worker, WorkerPlugin, get_worker
from distributed.comm import CommClosedError
from distributed.utils import silence_logging_cmgr

from supercheck.base.errors import FaultError, InputError
from supercheck.claims.claims import Claims
from supercheck.decide.limits import Limits
from supercheck.decide.workers.batches import Answer, Batch, pose, posed
from supercheck.decide.workers.processes import Processes, WorkerDiedError

PATIENCE = 30
"""Seconds for a scheduler to answer, and to have a worker."""

RETRIES = 2
"""How often Dask redoes a batch that ended without an answer; how many workers a batch may take with it is Dask's
own setting, `distributed.scheduler.allowed-failures`."""

MOST_BYTES = (1 << 31) - (1 << 20)
"""Bytes of a question: what Dask sends in one piece."""

_DEAF = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
"""Run by workers of this terminal: Ctrl-C is the client's affair."""

_GONE = "the connection to Dask's scheduler was lost"


@contextmanager
def dask(address: str | None, workers: int | None, claims: Claims, limits: Limits) -> Iterator[Executor]:
    """An executor of batches of one question on a Dask cluster.

    Args:
        address: of a scheduler; None starts a cluster on this machine.
        workers: of the cluster to start.
        claims: the question.
        limits: the memory of each child process.

    Raises:
        InputError: if no scheduler answers, no worker is there, or one has another version of supercheck.
    """
    with ExitStack() as stack:
        stack.enter_context(silence_logging_cmgr(logging.CRITICAL))  # what matters of it is told with the result
        if address is None:
            local: dict[str, Any] = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "preload": [_DEAF]}
            where: Any = stack.enter_context(
                LocalCluster(workers, threads_per_worker=1, processes=True, silence_logs=logging.CRITICAL, **local)
            )
        else:
            where = address
        client = stack.enter_context(_connected(where))
        _same_version(client)
        question = posed(claims)
        if len(question) > MOST_BYTES:
            expected, got = "a network and functions of at most 2 GiB for Dask", f"{len(question):,} bytes"
            do = "ask about fewer outputs at a time, with the part of the network that they depend on"
            raise InputError(place="--executor", expected=expected, got=got, do=do)
        plugin = BatchPlugin(question, limits.memory)
        name = f"supercheck-{plugin.digest[:16]}-{client.id}"
        client.register_plugin(plugin, name=name)
        stack.callback(_dismissed, client, name)
        yield OnDask(client, name)


@contextmanager
def _connected(where: Any) -> Iterator[Client]:
    """A client of a scheduler that has a worker."""
    try:
        client = Client(where, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        expected = f"a Dask scheduler that answers within {PATIENCE} s"
        raise InputError(place="--executor", expected=expected, got=f"{type(error).__name__}: {error}") from error
    try:
        _wait_for_a_worker(client)
        yield client
    finally:
        with suppress(OSError, TimeoutError):
            client.close(timeout=5)


def _wait_for_a_worker(client: Client) -> None:
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError as error:
        expected = f"a worker within {PATIENCE} s"
        raise InputError(place="--executor", expected=expected, got="none", do="start `dask worker`s") from error


def _same_version(client: Client) -> None:
    """Refuse a cluster whose supercheck is not the client's; Dask itself warns of other differences that may matter."""
    found = client.get_versions(check=True, packages=["supercheck"])
    own = found["client"]["packages"]["supercheck"]
    for address, one in {"the scheduler": found["scheduler"], **found["workers"]}.items():  # which reads tasks, too
        other = one["packages"]["supercheck"]
        if other != own:
            got = f"{other or 'none'} on {address}"
            do = "install the same everywhere"
            raise InputError(place="--executor", expected=f"supercheck {own} on the whole cluster", got=got, do=do)


def _dismissed(client: Client, name: str) -> None:
    """End what the workers still do for this question, and have them forget it."""
    if client.status == "running":
        with suppress(OSError, TimeoutError, KeyError, ValueError):
            client.unregister_worker_plugin(name)


class OnDask(Executor):
    """Dask's futures as those of the standard library, with names that mean something, and losses in plain words.

    Its own `Client.get_executor` never tells of a result that was lost with the scheduler while it was fetched.

    Args:
        client: of a cluster whose workers have the question.
        plugin: by which name they have it.
    """

    def __init__(self, client: Client, plugin: str) -> None:
        self._client, self._plugin = client, plugin

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_kwargs: Any) -> Future[Any]:
        """Have a worker decide a batch.

        Raises:
            WorkerDiedError: if there is no scheduler any more.
        """
        if self._client.status != "running":
            raise WorkerDiedError(_GONE)
        (batch,) = args
        unique = hashlib.sha256(f"{self._plugin} {batch.meaning}".encode()).hexdigest()[:8]
        key = f"{batch.name}-{unique}"
        told = self._client.submit(_at_a_desk, self._plugin, fn, batch, key=key, pure=False, retries=RETRIES)
        answer: Future[Any] = Future()
        told.add_done_callback(lambda told: _pass_on(told, answer))
        answer.add_done_callback(lambda answer: told.release() if answer.cancelled() else None)
        return answer


def _pass_on(told: Any, answer: Future[Any]) -> None:
    """Give a future the outcome of Dask's; called in a thread of Dask's."""
    if not answer.set_running_or_notify_cancel():
        return
    try:
        answer.set_result(told.result())
    except (CancelledError, asyncio.CancelledError, CommClosedError):
        answer.set_exception(WorkerDiedError(_GONE))
    except KilledWorker as error:
        answer.set_exception(WorkerDiedError(f"its worker was lost, and so were those that tried again: {_why(error)}"))
    except Exception as error:  # noqa: BLE001 - whoever asks for the result gets it
        answer.set_exception(error)


def _why(error: Exception) -> str:
    return f"{error}".strip().splitlines()[0] if f"{error}".strip() else type(error).__name__


def _at_a_desk(plugin: str, fn: Callable[[Batch], Answer], batch: Batch) -> Answer:
    """What Dask runs: find the worker's desk, and have a child process there do the work."""
    worker = get_worker()
    try:
        desk = worker.plugins[plugin]
    except KeyError:
        raise WorkerDiedError(f"{worker.address} does not have the question") from None
    answer: Answer = desk.work(worker.get_current_task(), fn, batch)
    return answer


class BatchPlugin(WorkerPlugin):  # type: ignore[misc]
    """What a worker needs to decide batches of one question.

    Args:
        question: as `posed` wrote it.
        memory: bytes for each child process; None: three quarters of the worker's share.
    """

    def __init__(self, question: bytes, memory: int | None) -> None:
        self.question, self.memory = question, memory
        self.digest = hashlib.sha256(question).hexdigest()
        self.file: Path | None = None
        self.idle: list[Processes] = []
        self.busy: dict[str, Processes] = {}
        self.lock: Lock

    def setup(self, worker: Worker) -> None:
        """Put the question where child processes find it, and forget it."""
        self.lock = Lock()  # here, for a lock does not travel
        if hashlib.sha256(self.question).hexdigest() != self.digest:
            raise FaultError("the question is not the one that was sent")
        with NamedTemporaryFile(dir=worker.local_directory, prefix="supercheck-", delete=False) as stream:
            stream.write(self.question)
        self.file, self.question = Path(stream.name), b""
        share = worker.memory_manager.memory_limit
        if self.memory is None and share:
            self.memory = max(1 << 31, share * 3 // 4 // worker.state.nthreads)

    def work(self, key: str, fn: Callable[[Batch], Answer], batch: Batch) -> Answer:
        """Have a child process decide a batch.

        Raises:
            WorkerDiedError: if the process ended first.
            FaultError: if supercheck contradicts itself there.
        """
        with self.lock:  # so that nobody ends a child before it has been asked
            child = self.idle.pop() if self.idle else Processes(1, _pose_file, (self.file,), self.memory)
            told = child.submit(fn, batch)
            self.busy[key] = child
        answered = False
        try:
            answer: Answer = told.result(None if batch.seconds is None else batch.seconds + 1)
            answered = True
        except TimeoutError:  # its own clock should have ended it
            raise WorkerDiedError(f"it took longer than the {batch.seconds:.1f} s that were left") from None
        finally:
            with self.lock:
                fine = self.busy.pop(key, None) is child and answered
                if fine:
                    self.idle.append(child)  # last, for from here on it is another thread's
            if not fine:
                child.shutdown(wait=False, cancel_futures=True)
        return answer

    def transition(self, key: Any, start: str, finish: str, **_kwargs: Any) -> None:
        """End the process of a batch that nobody waits for any more."""
        if start == "executing" and finish == "released":
            with self.lock:
                child = self.busy.pop(key, None)  # or its own thread was faster
            if child is not None:
                child.shutdown(wait=False, cancel_futures=True)

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002 - Dask's signature
        """End all processes, and forget the question."""
        with self.lock:
            children = [*self.idle, *self.busy.values()]
            self.idle.clear()
            self.busy.clear()
        for child in children:
            child.shutdown(wait=False, cancel_futures=True)
        if self.file is not None:
            with suppress(OSError):
                os.unlink(self.file)


def _pose_file(file: Path) -> None:
    pose(file.read_bytes())
