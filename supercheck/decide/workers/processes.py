"""Work in child processes that can be killed, behind the standard library's executor interface.

A solver's own timeout is only polled and its memory is not bounded, so each process has hard limits of both. Whatever
happens to it (killed at the deadline, out of memory, crashed) costs only the call that it was busy with.
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
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from types import TracebackType
from typing import IO, Any

from supercheck.base.errors import FaultError, present
from supercheck.base.system import detached, limit_memory, machine_memory

_HEAD = struct.Struct(">Q")
_OUT_OF_MEMORY = 77  # exit code
_LEAST_MEMORY = 2 << 30  # bytes of address space below which Python with numpy does not run well
_START = "from supercheck.decide.workers.processes import main; main()"

Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class WorkerDiedError(Exception):
    """A process ended before it had answered; says why."""


class Processes(Executor):
    """Child processes that answer one call at a time.

    Args:
        workers: how many processes.
        initializer: called once in each process, before anything else.
        initargs: its arguments; sent once to each process.
        memory: bytes of address space for each; None shares out three quarters of the machine's memory.

    A call's future raises `WorkerDiedError` if its process ends first, and `FaultError` with the process's traceback
    if the call raises.
    """

    def __init__(
        self,
        workers: int,
        initializer: Callable[..., None] | None = None,
        initargs: tuple[Any, ...] = (),
        memory: int | None = None,
    ) -> None:
        memory = memory or max(_LEAST_MEMORY, machine_memory() * 3 // 4 // workers)
        self._start = pickle.dumps((memory, initializer, initargs))
        self._calls: queue.SimpleQueue[tuple[Future[Any], Call] | None] = queue.SimpleQueue()
        self._children: set[_Child] = set()
        self._ended = False
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a process call a function that it can import."""
        future: Future[Any] = Future()
        self._calls.put((future, (fn, args, kwargs)))
        idle = next((thread for thread in self._threads if thread.ident is None), None)
        if idle is not None:  # no more processes than calls
            idle.start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes: once all calls are answered or, to cancel them, at once."""
        if cancel_futures:
            self._ended = True
            with suppress(queue.Empty):
                while (waiting := self._calls.get_nowait()) is not None:
                    waiting[0].cancel()
            for child in list(self._children):
                child.kill()
        started = [thread for thread in self._threads if thread.ident is not None]
        for _ in started:
            self._calls.put(None)
        for thread in started if wait else ():
            thread.join()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes; at once after an exception."""
        self.shutdown(cancel_futures=kind is not None)

    def _work(self) -> None:
        """Answer calls with one process after another, until there are no more."""
        child: _Child | None = None
        while (waiting := self._calls.get()) is not None:
            future, call = waiting
            if not future.set_running_or_notify_cancel():
                continue
            if child is None:
                child = _Child(self._start)
                self._children.add(child)
                if self._ended:
                    child.kill()
            answer = child.call(call)
            if answer is None:
                future.set_exception(WorkerDiedError(child.exit_reason()))
                self._children.discard(child)
                child = None
            elif answer[0]:
                future.set_result(answer[1])
            else:
                future.set_exception(FaultError(answer[1]))
        if child is not None:
            child.kill()


class _Child:
    """One process."""

    def __init__(self, start: bytes) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-P", "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(str(part) or os.getcwd() for part in sys.path)},
            **detached(),
        )
        self.stdin, self.stdout = (present(end, "pipe") for end in (self.process.stdin, self.process.stdout))
        with suppress(OSError):  # where it is dead already, `call` finds out
            _send(self.stdin, start)

    def call(self, call: Call) -> tuple[bool, Any] | None:
        """(whether it returned, what it returned or the traceback); None if the process ended instead."""
        with suppress(OSError, ValueError, EOFError, pickle.UnpicklingError):  # it may die in the middle of a word
            _send(self.stdin, pickle.dumps(call))
            answer = _receive(self.stdout)
            return None if answer is None else pickle.loads(answer)  # noqa: S301 - from our own process
        return None

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        self.process.wait()

    def exit_reason(self) -> str:
        """How the process ended, for a reader."""
        code = self.process.wait()
        if code == _OUT_OF_MEMORY:
            return "the solver ran out of memory"
        return f"the solver's process ended with {f'signal {-code}' if code < 0 else f'exit code {code}'}"


def _send(stream: IO[bytes], data: bytes) -> None:
    stream.write(_HEAD.pack(len(data)) + data)
    stream.flush()


def _receive(stream: IO[bytes]) -> bytes | None:
    head = stream.read(_HEAD.size)
    return stream.read(_HEAD.unpack(head)[0]) if len(head) == _HEAD.size else None


def main() -> None:
    """Answer the calls that arrive on standard input, until it closes."""
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not mix with the results
    calls: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def listen() -> None:
        while (received := _receive(sys.stdin.buffer)) is not None:
            calls.put(received)
        os._exit(0)  # the parent is gone or has no more work: leave, even in the middle of a solve

    threading.Thread(target=listen, daemon=True).start()
    broken: str | None = None
    try:
        memory, initializer, initargs = pickle.loads(calls.get())  # noqa: S301 - from our own parent
        if not limit_memory(memory, lambda: os._exit(_OUT_OF_MEMORY)):
            sys.stderr.write("supercheck: this system limits the memory of no process: the solver may use all of it\n")
        if initializer is not None:
            initializer(*initargs)
    except Exception:  # noqa: BLE001 - told to whoever calls
        broken = traceback.format_exc()
    while True:
        data = calls.get()
        try:
            if broken is None:
                function, arguments, keywords = pickle.loads(data)  # noqa: S301 - from our own parent
                answer: tuple[bool, Any] = (True, function(*arguments, **keywords))
            else:
                answer = (False, broken)
        except MemoryError:
            os._exit(_OUT_OF_MEMORY)
        except Exception:  # noqa: BLE001 - a fault here is a fault of the whole run; the parent raises it
            answer = (False, traceback.format_exc())
        _send(results, pickle.dumps(answer))
