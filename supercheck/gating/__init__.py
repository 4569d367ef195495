"""The gate: every spec below some paths, judged, as one answer for a pipeline."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from supercheck.decide.processes import LostError, Processes
from supercheck.errors import FaultError, clip
from supercheck.gating.baseline import Baseline, compare
from supercheck.gating.collecting import collect
from supercheck.gating.judging import INTERRUPTED, Terms, judge
from supercheck.judgement import FAULT, INPUT, OPEN, Gate, Judgement

Seen = Callable[[Judgement], None]
"""Called with each judgement as it is made."""


def gate(
    paths: Sequence[str | Path],
    *,
    terms: Terms = Terms(),
    select: Sequence[str] = (),
    jobs: int = 1,
    total: float | None = None,
    fail_fast: bool = False,
    baseline: Baseline | None = None,
    seen: Seen = lambda _: None,
) -> Gate:
    """Judge every spec below the paths.

    Args:
        paths: files and folders.
        terms: limits for each spec, and the cache.
        select: names or patterns of the specs to judge.
        jobs: how many specs at once, each in a process of its own; 1 judges them here.
        total: seconds for all of them; what is left is not run, and does not pass.
        fail_fast: whether to stop at the first that does not pass.
        baseline: earlier figures that none may fall short of.
        seen: told of each judgement as it is made.

    Returns:
        One judgement a spec, in the order of their names; paths without any are judged as bad input.
    """
    begun = time.monotonic()
    specs, wrong = collect([Path(path) for path in paths], select)
    judged: list[Judgement] = []
    stopped: str | None = None

    def add(one: Judgement) -> None:
        nonlocal stopped
        judged.append(one)
        seen(one)
        if one.reason == INTERRUPTED:
            stopped = INTERRUPTED
        elif fail_fast and not one.passed:
            stopped = "--fail-fast"

    for error in wrong:
        add(Judgement(str(error.file or error.place), INPUT, reason=str(error)))
    left = deque(specs)
    with closing(_judged(specs, terms, jobs, None if total is None else begun + total)) as judgements:
        while left and not stopped:
            found = next(judgements)
            left.popleft()
            add(found if baseline is None else compare(found, baseline))
    for file in left:
        judged.append(Judgement(str(file), OPEN, reason=f"not run: {stopped}"))
        seen(judged[-1])
    return Gate(tuple(judged), time.monotonic() - begun)


def _judged(specs: Sequence[Path], terms: Terms, jobs: int, end: float | None) -> Generator[Judgement, None, None]:
    """The judgements in order; those that time does not allow say so."""
    if jobs == 1 or len(specs) < 2:
        for file in specs:
            yield _in_time(file, terms, end)
        return
    own = replace(terms, limits=replace(terms.limits, workers=1))
    children = Processes(min(jobs, len(specs)))
    try:
        futures = [(file, children.submit(_in_time, file, own, end)) for file in specs]
        for file, future in futures:
            yield _answer(file, future)
    finally:
        children.shutdown(cancel_futures=True)


def _in_time(file: Path, terms: Terms, end: float | None) -> Judgement:
    """Judge a spec in what is left of the time for all."""
    if end is None:
        return judge(file, terms)
    left, own = end - time.monotonic(), terms.limits.timeout  # every process of a machine has the same clock
    if left <= 0:
        return Judgement(str(file), OPEN, reason="not run: the time for all specs is up")
    limits = replace(terms.limits, timeout=left if own is None else min(left, own))
    return judge(file, replace(terms, limits=limits))


def _answer(file: Path, future: Future[Judgement]) -> Judgement:
    try:
        return future.result()
    except LostError as error:
        return Judgement(str(file), OPEN, reason=str(error))
    except FaultError as error:
        return Judgement(str(file), FAULT, reason=f"internal fault: {clip(error)}")
    except KeyboardInterrupt:
        return Judgement(str(file), OPEN, reason=INTERRUPTED)
