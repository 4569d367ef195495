"""Work in child processes that can be killed: a solver's own timeout is only polled.

A child runs one generator function on one batch and streams what it yields. Whatever happens to it (killed
at the deadline, out of memory, crashed) costs only what it had not yet sent; the caller is told why.
"""

from __future__ import annotations

import os
import pickle
import queue
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import IO, Any

from supercheck.decide.limits import Clock

_HEAD = struct.Struct(">Q")
_GRACE = 0.2  # seconds between polls of the clock


@dataclass(frozen=True)
class Job:
    """One batch: `module.function(*arguments)` yields its results."""

    module: str
    function: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Ended:
    """A child is done with job `job`; `reason` says why it may have left something undone."""

    job: int
    reason: str | None


def stream(jobs: Sequence[Job], workers: int, clock: Clock) -> Iterator[tuple[int, Any] | Ended]:
    """Run jobs in child processes, at most `workers` at once.

    Yields:
        (job, result) for every result, in the order in which they arrive; one `Ended` a job.
    """
    arrived: queue.Queue[tuple[int, Any] | Ended] = queue.Queue()
    waiting = list(enumerate(jobs))
    running: dict[int, subprocess.Popen[bytes]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < max(1, workers) and not clock.over:
                number, job = waiting.pop(0)
                running[number] = _start(number, job, arrived)
            if clock.over:
                _kill(running.values())
                while waiting:
                    yield Ended(waiting.pop(0)[0], clock.reason)
            try:
                event = arrived.get(timeout=min(_GRACE, clock.left + 0.01))
            except queue.Empty:
                continue
            if isinstance(event, Ended):
                code = running.pop(event.job).wait()
                late = clock.over and code != 0
                reason = clock.reason if late else None if code == 0 else f"the solver's process ended with {_name(code)}"
                event = Ended(event.job, reason)
            yield event
    finally:
        _kill(running.values())
        for process in running.values():
            process.wait()


def _start(number: int, job: Job, arrived: queue.Queue[Any]) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "supercheck.decide.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        start_new_session=True,  # Ctrl-C is the parent's affair
    )
    threading.Thread(target=_talk, args=(number, job, process, arrived), daemon=True).start()
    return process


def _talk(number: int, job: Job, process: subprocess.Popen[bytes], arrived: queue.Queue[Any]) -> None:
    """Send a child its job and pass on what it says, until it says no more."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        _send(process.stdin, job)
        while (result := _receive(process.stdout)) is not None:
            arrived.put((number, result[0]))
    except (OSError, pickle.UnpicklingError, EOFError):
        pass  # the child died in the middle of a word; its exit code says how
    finally:
        arrived.put(Ended(number, None))


def _kill(processes: Any) -> None:
    for process in processes:
        process.kill()


def _name(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _send(stream: IO[bytes], value: Any) -> None:
    data = pickle.dumps(value)
    stream.write(_HEAD.pack(len(data)) + data)
    stream.flush()


def _receive(stream: IO[bytes]) -> tuple[Any] | None:
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    return (pickle.loads(stream.read(_HEAD.unpack(head)[0])),)  # from our own child only


def _exit_with_parent() -> None:
    """Leave as soon as the parent is gone: its end of the pipe closes."""
    sys.stdin.buffer.read(1)
    os._exit(1)


def main() -> None:
    """Run the one job that arrives on standard input."""
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not mix with the results
    received = _receive(sys.stdin.buffer)
    if received is None:
        return
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    job: Job = received[0]
    for result in getattr(import_module(job.module), job.function)(*job.arguments):
        _send(results, result)


if __name__ == "__main__":
    main()
