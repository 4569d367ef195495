"""What tests of executors share: questions, results as text without seconds, and work that misbehaves."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from families import Instance, channels, one_per_pair
from mixed import mixed
from training import trained

from supercheck import Result, verify
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Decision, Proved
from supercheck.decide import smt
from supercheck.decide.limits import Clock, Limits
from supercheck.report.verify.formats import reporter

FAMILIES: dict[str, Callable[[], Instance]] = {
    "A": lambda: channels(200, 100, 200, 10, 3, seed=1),
    "A, wrong": lambda: channels(60, 200, 100, 8, 4, seed=2),
    "B": lambda: trained(14, 28, 4, 91, seed=3),
    "C": lambda: one_per_pair(300, 1000, 4, seed=4),
    "mixed": lambda: mixed(24, 40, 100, 4, seed=5),
}
"""A, B and C of the measurements, and one whose right outputs need branching."""


def told(result: Result) -> dict[str, object]:
    """A result as JSON has it, but for seconds and for where the certificate lies."""
    report = json.loads(reporter("json")(result))
    del report["seconds"]
    if report["certificate"] is not None:
        del report["certificate"]["file"]
    return dict(report)


def verified(made: Instance, folder: Path, **options: object) -> tuple[dict[str, object], bytes]:
    """The result of a question, and its certificate."""
    folder.mkdir(exist_ok=True)
    file = folder / "proof.cert"
    result = verify(made.network, made.spec, certificate=file, **options)  # type: ignore[arg-type]
    return told(result), file.read_bytes()


def kill_own_worker(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[list[Decision]]:
    """Take the process along that asked."""
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)
    yield []


def kill_self(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[list[Decision]]:
    os.kill(os.getpid(), signal.SIGKILL)
    yield []


def hog(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[list[Decision]]:
    """Ask for more memory than there is where output 0 is not among those wanted."""
    if 0 not in outputs:
        bytearray(1 << 45)
    yield [Proved(i) for i in outputs]


def sleep(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[list[Decision]]:
    """Hear nothing and look at no clock."""
    time.sleep(3600)
    yield []


def nap(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[list[Decision]]:
    """Take a little time."""
    time.sleep(0.01)
    yield [Proved(i) for i in outputs]


def use_up(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[list[Decision]]:
    """Take all the time there is."""
    time.sleep(clock.left)
    yield [Proved(i) for i in outputs]


def lie(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[list[Decision]]:
    """Decide the first output twice and the last one not at all."""
    yield [Proved(i) for i in (outputs[0], *outputs[:-1])]


def fail(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[list[Decision]]:
    raise ValueError("on purpose")


for work in (kill_own_worker, kill_self, hog, sleep, nap, use_up, lie, fail):
    vars(work)["price"] = smt.price  # a batch of a few outputs
