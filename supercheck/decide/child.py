"""Work in child processes that can be killed: a solver's own timeout is only polled.

A child runs generator functions on one batch after another and streams what they yield. Whatever happens to it
(killed at the deadline, out of memory, crashed) costs only what it had not yet sent; the caller is told why.
"""

from __future__ import annotations

import os
import pickle
import queue
import struct
import subprocess
import sys
import threading
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import IO, Any

from supercheck.decide.limits import Clock
from supercheck.errors import FaultError

_HEAD = struct.Struct(">Q")
_OUT_OF_MEMORY = 77  # exit code
_POLL = 0.2  # seconds between looks at the clock
_START = "from supercheck.decide.child import main; main()"


@dataclass(frozen=True)
class Job:
    """One batch: `module.function(*arguments)` yields its results."""

    module: str
    function: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Ended:
    """Job number `job` is over; `reason` says why it may have left something undone."""

    job: int
    reason: str | None


def stream(jobs: Sequence[Job], workers: int, clock: Clock) -> Iterator[tuple[int, Any] | Ended]:
    """Run jobs in child processes, at most `workers` at once.

    A child sends (result,) for each result, None after a job's last one, and text if the job raised.

    Yields:
        (job, result) for every result, in the order in which they arrive; one `Ended` a job.

    Raises:
        FaultError: with the child's traceback.
    """
    waiting = deque(enumerate(jobs))
    arrived: queue.Queue[tuple[_Child, Any]] = queue.Queue()
    children = [_Child(arrived) for _ in range(min(max(1, workers), len(jobs)))]
    try:
        for child in list(children):
            child.take(waiting)
        while any(child.job is not None for child in children):
            if clock.over:
                for child in children:
                    child.kill()
            try:
                child, event = arrived.get(timeout=min(_POLL, clock.left + 0.01))
            except queue.Empty:
                continue
            number = child.job
            if number is None:
                continue
            if isinstance(event, tuple):
                yield number, event[0]
                continue
            if isinstance(event, str):
                raise FaultError(event)
            reason = None
            if isinstance(event, _Gone):  # this job is lost; the next one gets a new process
                reason = clock.reason if clock.over else child.epitaph()
                child.kill()
                children.remove(child)
                children.append(child := _Child(arrived))
            child.job = None
            yield Ended(number, reason)
            if not clock.over:
                child.take(waiting)
        yield from (Ended(number, clock.reason) for number, _ in waiting)
    finally:
        for child in children:
            child.kill()


class _Gone:
    """A child's pipe has closed."""


class _Child:
    """A process, started with its first job, and the thread that listens to it."""

    def __init__(self, arrived: queue.Queue[tuple[_Child, Any]]) -> None:
        self.arrived, self.job = arrived, None  # type: queue.Queue[tuple[_Child, Any]], int | None
        self.process: subprocess.Popen[bytes] | None = None

    def take(self, waiting: deque[tuple[int, Job]]) -> None:
        """Start on the next job, if there is one."""
        if not waiting:
            return
        self.job, job = waiting.popleft()
        if self.process is None:
            self.process = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-P", "-c", _START],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(str(part) or os.getcwd() for part in sys.path)},
                start_new_session=True,  # Ctrl-C is the parent's affair
            )
            threading.Thread(target=self._listen, args=(self.process.stdout,), daemon=True).start()
        with suppress(OSError):  # where it is dead already, _listen says so
            _send(self.process.stdin, job)

    def _listen(self, results: IO[bytes]) -> None:
        try:
            with results, suppress(OSError, EOFError, pickle.UnpicklingError):  # it may die in the middle of a word
                while (event := _receive(results)) is not None:
                    self.arrived.put((self, event[0]))
        finally:
            self.arrived.put((self, _Gone()))

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            if self.process.stdin is not None:
                with suppress(OSError):
                    self.process.stdin.close()

    def epitaph(self) -> str:
        """How the process ended, for a reader."""
        code = 0 if self.process is None else self.process.wait()
        if code == _OUT_OF_MEMORY:
            return "the solver ran out of memory"
        return f"the solver's process ended with {f'signal {-code}' if code < 0 else f'exit code {code}'}"


def _send(stream: IO[bytes] | None, value: Any) -> None:
    data = pickle.dumps(value)
    if stream is not None:
        stream.write(_HEAD.pack(len(data)) + data)
        stream.flush()


def _receive(stream: IO[bytes]) -> tuple[Any] | None:
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    return (pickle.loads(stream.read(_HEAD.unpack(head)[0])),)  # noqa: S301 - between our own processes only


def main() -> None:
    """Run the jobs that arrive on standard input, until it closes."""
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not mix with the results
    jobs: queue.Queue[Job] = queue.Queue()

    def listen() -> None:
        try:
            while (received := _receive(sys.stdin.buffer)) is not None:
                jobs.put(received[0])
        except Exception:  # noqa: BLE001 - a job that cannot be read is a fault of the whole run
            _send(results, traceback.format_exc())
        os._exit(0)  # the parent is gone or has no more work: leave, even in the middle of a solve

    threading.Thread(target=listen, daemon=True).start()
    while True:
        job = jobs.get()
        try:
            for result in getattr(import_module(job.module), job.function)(*job.arguments):
                _send(results, (result,))
            _send(results, None)
        except MemoryError:
            os._exit(_OUT_OF_MEMORY)
        except Exception:  # noqa: BLE001 - a fault here is a fault of the whole run; the parent raises it
            _send(results, traceback.format_exc())
