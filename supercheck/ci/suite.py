"""The gate: every spec below some paths, judged, as one answer for a pipeline."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

from supercheck.base.display import Faces
from supercheck.base.errors import FaultError, clip
from supercheck.base.exit_codes import FAULT, INPUT, UNKNOWN
from supercheck.base.store import CacheError
from supercheck.ci.baseline import Baseline
from supercheck.ci.cache import Cache
from supercheck.ci.discover import collect
from supercheck.ci.judge import INTERRUPTED, GateOptions, judge, recall
from supercheck.ci.sealed import Later
from supercheck.report.gate.json import gate_object
from supercheck.report.gate.outcome import SpecOutcome, SuiteOutcome
from supercheck.report.gate.text import text

__all__ = ["Baseline", "Cache", "GateOptions", "SpecOutcome", "SuiteOutcome", "gate", "noticed"]

SuiteOutcome.faces = Faces(text, gate_object)

_USUAL = GateOptions()

Seen = Callable[[SpecOutcome, int], None]
"""Called with each judgement as it is made, and with how many there will be."""


def gate(
    paths: Sequence[str | Path],
    *,
    terms: GateOptions = _USUAL,
    select: Sequence[str] = (),
    jobs: int = 1,
    total: float | None = None,
    fail_fast: bool = False,
    baseline: Baseline | None = None,
    seen: Seen = lambda _one, _all: None,
) -> SuiteOutcome:
    """Judge every spec below the paths.

    Args:
        paths: files and folders.
        terms: engine and seconds for each spec, and the cache.
        select: names or patterns of the specs to judge.
        jobs: how many specs at once, each in a process of its own; 1 judges them here.
        total: seconds for all of them; what is left is not run, and does not pass.
        fail_fast: whether to stop at the first that does not pass.
        baseline: earlier figures that none should fall short of; needs `measure` in the terms.
        seen: told of each judgement as it is made.

    Returns:
        One judgement a spec, in the order of their names; paths without any are judged as bad input.

    Raises:
        InputError: if no path is given, or nothing is selected.
    """
    begun = time.monotonic()
    specs, wrong = collect([Path(path) for path in paths], select)
    judged: list[SpecOutcome] = []
    terms, warnings = _usable(terms)
    later = None if terms.cache is None or jobs > 1 else Later(terms.cache.file)
    terms = replace(terms, later=later)

    def add(one: SpecOutcome) -> None:
        judged.append(one)
        seen(one, len(specs) + len(wrong))

    for error in wrong:
        add(SpecOutcome(Path(f"{error.file}").as_posix(), INPUT, reason=str(error)))
    stopped, end = "--fail-fast" if fail_fast and wrong else None, None if total is None else begun + total
    with noticed() as interrupted, closing(_judged([] if stopped else specs, terms, jobs, end)) as judgements:
        try:
            for found in judgements:
                add(found if baseline is None else baseline.compare(found))
                if interrupted.is_set():
                    stopped = INTERRUPTED
                elif fail_fast and not judged[-1].passed:
                    stopped = "--fail-fast"
                if stopped:
                    break
        except KeyboardInterrupt:
            stopped = INTERRUPTED
    if later is not None:
        later.flush()
        warnings = (*warnings, *([] if later.trouble is None else [later.trouble]))
    for file in specs[len(judged) - len(wrong) :]:
        add(SpecOutcome(file.as_posix(), UNKNOWN, reason=f"not run: {stopped}"))
    return SuiteOutcome(tuple(judged), time.monotonic() - begun, warnings)


@contextmanager
def noticed() -> Iterator[threading.Event]:
    """Notice Ctrl-C also where whoever is interrupted still has an answer to give; SIGTERM where it means the same."""
    seen, before = threading.Event(), {}

    def notice(_number: int, _frame: FrameType | None) -> None:
        seen.set()
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        wanted = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is signal.default_int_handler]
        before = {number: signal.signal(number, notice) for number in wanted}
    try:
        yield seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _judged(
    specs: Sequence[Path], terms: GateOptions, jobs: int, end: float | None
) -> Generator[SpecOutcome, None, None]:
    """The judgements in order; those that time does not allow say so."""
    if jobs == 1 or len(specs) < 2:
        for file in specs:
            found = _in_time(file, terms, end)
            yield found
            if found.warnings:  # a cache that is locked is not waited for again and again
                terms, _ = _usable(terms)
        return
    from supercheck.decide.workers.processes import Processes

    own, children = replace(terms, workers=1), Processes(min(jobs, len(specs)))
    try:
        answers = [_known(file, own, end) or children.submit(_in_time, file, own, end) for file in specs]
        for file, answer in zip(specs, answers, strict=True):
            yield answer if isinstance(answer, SpecOutcome) else _received(file, answer)
    finally:
        children.shutdown(cancel_futures=True)


def _usable(terms: GateOptions) -> tuple[GateOptions, tuple[str, ...]]:
    """The terms without a cache that cannot be used, and a warning of it."""
    try:
        if terms.cache is not None:
            terms.cache.probe()
    except CacheError as error:
        return replace(terms, cache=None), (f"no cache: {error}",)
    return terms, ()


def _known(file: Path, terms: GateOptions, end: float | None) -> SpecOutcome | None:
    """What needs no process: what the cache knows."""
    late = end is not None and time.monotonic() >= end
    return None if late or terms.cache is None or terms.measure else recall(file, terms)


def _in_time(file: Path, terms: GateOptions, end: float | None) -> SpecOutcome:
    """Judge a spec in what is left of the time for all."""
    if end is None:
        return judge(file, terms)
    left = end - time.monotonic()  # every process of a machine has the same clock
    if left <= 0:
        return SpecOutcome(file.as_posix(), UNKNOWN, reason="not run: the time for all specs is up")
    return judge(file, replace(terms, timeout=left if terms.timeout is None else min(left, terms.timeout)))


def _received(file: Path, future: Future[SpecOutcome]) -> SpecOutcome:
    """What a process says of a spec, or what became of the process."""
    from supercheck.decide.workers.processes import WorkerDiedError

    try:
        return future.result()
    except WorkerDiedError as error:
        return SpecOutcome(file.as_posix(), UNKNOWN, reason=f"its process was lost: {error}")
    except FaultError as error:
        return SpecOutcome(file.as_posix(), FAULT, reason=f"internal fault: {clip(error)}")
