"""The exploration from end to end: load, read, pose, decide, look for all that breaks. The face of `explore`."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from supercheck.analysis.explore.result import Exploration
from supercheck.analysis.explore.search import LIMIT, ExploreOptions, examine, unexamined
from supercheck.base.display import Faces
from supercheck.base.errors import InputError
from supercheck.claims.evidence import Verdict
from supercheck.claims.question import question
from supercheck.claims.result import Result
from supercheck.decide.float32.portfolio import decide_in
from supercheck.decide.limits import Clock, Limits, Overdue, Progress, quiet
from supercheck.decide.other_readouts import another
from supercheck.report.explore.html import framed
from supercheck.report.explore.json import explore_object
from supercheck.report.explore.text import text
from supercheck.spec.spec import Spec

Exploration.faces = Faces(text, explore_object, framed)


def explore(
    network: object,
    spec: Spec | str | Path,
    *,
    up_to: int | None = None,
    only: int | None = None,
    limit: int | None = LIMIT,
    all: bool = False,
    timeout: float | None = None,
    progress: Progress = quiet,
) -> Exploration:
    """Find what breaks a network: its smallest counterexamples, each explained, and where it stands as k grows.

    Args:
        network: a `Network`, the path of a network file, a `torch.nn.Sequential`, or None for the file that
            the spec names.
        spec: a `Spec`, or the path of a spec file.
        up_to: how many features may be on, in place of the spec's number.
        only: the one output whose counterexamples are wanted.
        limit: how many counterexamples to keep; None: all.
        all: whether to look for every inclusion-minimal one where inputs are too many to enumerate together.
        timeout: seconds for everything.
        progress: called with how many are done, of how many, and of what ("outputs" or "inputs").

    Raises:
        InputError: if network or spec cannot be read, or do not fit each other, or an argument is out of range.
        OverdueError: if the time is up before they are read.
        FaultError: if supercheck contradicts itself.
    """
    begun = time.perf_counter()
    for place, number in (("--up-to", up_to), ("--only", only), ("--limit", limit)):
        if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
            raise InputError(place=place, expected="a whole number", got=repr(number))
    limits = Limits(timeout=timeout).begin()
    clock = limits.clock(progress)
    with clock.reading():
        claims, spec, source = question(network, spec, up_to)
    if only is not None and not 0 <= only < len(claims):
        raise InputError(place="--only", expected=f"an output from 0 to {len(claims) - 1}", got=only)
    if limit is not None and limit < 1:
        raise InputError(place="--limit", expected="a number of at least 1", got=limit)
    ready = time.perf_counter()
    result = replace(decide_in(spec.arithmetic, claims, limits, progress), source=source)
    with suppress(KeyboardInterrupt):  # the verdict stands
        if result.verdict is Verdict.REFUTED and result.arithmetic == "real" and not clock.over:
            result = replace(result, another=another(claims, result.outputs, limits, clock))
    decided = time.perf_counter()
    found = replace(explored(result, clock, ExploreOptions(only, limit, all)), source=source)
    done = time.perf_counter()
    seconds = {"load": ready - begun, "decide": decided - ready, "explore": done - decided, "total": done - begun}
    return replace(found, seconds=seconds)


def explored(result: Result, clock: Clock | None = None, wanted: ExploreOptions = ExploreOptions()) -> Exploration:
    """Explore what has been decided, as `verify --html` does.

    Args:
        result: the verdict.
        clock: the deadline, after which the verdict and its own counterexamples are all there is; None: none.
        wanted: what to look for.
    """
    clock = Clock.start(None) if clock is None else clock
    try:
        with clock.alarm():
            found = examine(result, wanted, Limits(), clock)
    except Overdue:
        found = unexamined(result, wanted, clock)
    return replace(found, source=result.source)
