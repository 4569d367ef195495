"""A peer in a process of its own, because not every solver keeps to its limit of time."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

from families import Instance, one_per_pair

from peers import PEERS
from peers.common import Answer, UnsupportedError

GRACE = 1.0  # seconds beyond the limit until the process is killed


def importable(peer: str) -> bool:
    """Whether the peer's solver is installed; tried in a process of its own, which prints nothing."""
    with _Process(peer, None) as process:
        return process.ready


class Worker:
    """One peer with one instance loaded; started again after it had to be killed.

    Args:
        peer: a key of `PEERS`.
        made: the instance.
        timeout: seconds a call.
    """

    def __init__(self, peer: str, made: Instance, timeout: float) -> None:
        self.peer, self.made, self.timeout = peer, made, timeout
        self.process: _Process | None = None

    def __enter__(self) -> Worker:
        """Nothing runs yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the process."""
        self._stop()

    def ask(self, output: int) -> Answer | str:
        """The peer's answer about one output, or in words why it has none."""
        if self.process is None:
            self.process = _Process(self.peer, self.made)
        if not self.process.ready:
            return "not installed"
        self.process.pipe.send((output, self.timeout))
        if self.process.pipe.poll(self.timeout + GRACE):
            try:
                answer: Answer | str = self.process.pipe.recv()
                return answer
            except EOFError:
                self._stop()
                return "the process ended"
        self._stop()
        return Answer("timeout", self.timeout, self.timeout)

    def _stop(self) -> None:
        if self.process is not None:
            self.process.stop()
            self.process = None


class _Process:
    """The child: it imports the solver, warms it up, then answers."""

    def __init__(self, peer: str, made: Instance | None) -> None:
        context = multiprocessing.get_context("fork")  # so that a large instance need not travel
        self.pipe, there = context.Pipe()
        self.child = context.Process(target=_serve, args=(peer, made, there), daemon=True)
        self.child.start()
        there.close()
        try:
            started = self.pipe.recv() if self.pipe.poll(120) else f"{peer} did not start within 120 s"
        except EOFError:
            started = f"{peer} ended while it started"
        self.ready = started is True
        if started not in (True, False):
            self.stop()
            raise RuntimeError(started)

    def __enter__(self) -> _Process:
        """The process, running."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def stop(self) -> None:
        """Kill it, whatever it does."""
        self.child.kill()
        self.child.join()
        self.pipe.close()


def _serve(peer: str, made: Instance | None, pipe: Connection) -> None:
    with _silence():
        name, options, _ = PEERS[peer]
        try:
            decide: Any = import_module(f"peers.{name}").decide
        except ImportError as missing:
            ours = (missing.name or "").partition(".")[0] in ("supercheck", "peers", "families")
            pipe.send(f"{peer}: {missing}" if ours else False)
            return
        if made is not None:
            network, spec = one_per_pair(4, 2, 3)
            decide(network, spec, 0, 10, **options)
        pipe.send(True)
        while made is not None:
            output, timeout = pipe.recv()
            try:
                pipe.send(decide(made.network, made.spec, output, timeout, **options))
            except UnsupportedError as reason:
                pipe.send(str(reason))


@contextmanager
def _silence() -> Iterator[None]:
    """Solvers written in C print past Python."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    yield
