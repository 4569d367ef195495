"""The portfolio: which engine decides what, and what counts as decided. Read this file first.

Order: 1. Outputs whose inputs are few are enumerated, all that can share one sweep at once. 2. The rest goes to
Z3, one output at a time. Every refutation is replayed through the loaded network in exact arithmetic before it
counts. 3. Only when every output is decided, the network's smallest counterexample is sought: the outputs that
are not proved are asked for one with fewer active features, until it is proved that there is none.

A newcomer adds a decision procedure with one file here and one row in `ENGINES`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from supercheck.claims import Claims
from supercheck.decide import enumeration, smt
from supercheck.decide.limits import Clock, Limits, Progress, quiet
from supercheck.errors import FaultError, InputError
from supercheck.evidence import Counterexample, Decision, OutputResult, Result, Verdict, replay, shrink

__all__ = ["ENGINES", "Limits", "decide"]

Engine = Callable[[Claims, Sequence[int], Limits, Clock], Iterator[Decision]]

ENGINES: dict[str, Engine] = {enumeration.NAME: enumeration.decide, smt.NAME: smt.decide}

AFFORDABLE = 4 * 10**11
"""Multiplications that one sweep of an enumeration may cost: at about 10^10 a second on two cores, under a minute."""

INTERRUPTED = "interrupted"


def decide(claims: Claims, limits: Limits = Limits(), progress: Progress = quiet) -> Result:
    """Decide every claim, then find the smallest counterexample.

    Args:
        claims: the question.
        limits: engine, time, workers.
        progress: told how many outputs are decided, and of a long sweep how many inputs are done.

    Returns:
        One result an output. Ctrl-C and the deadline leave outputs unknown, with the reason.
    """
    if limits.engine != "auto" and limits.engine not in ENGINES:
        raise InputError(place="engine", expected=f"auto or one of {', '.join(ENGINES)}", got=limits.engine)
    clock, begun = Clock.start(limits.timeout, progress), time.perf_counter()
    outputs: dict[int, OutputResult] = {}
    interrupted = False
    try:
        for found in _results(claims, range(len(claims)), replace(limits, margins=False), clock):
            if outputs.setdefault(found.index, found) is not found:
                raise FaultError(f"output {found.index} was decided twice")
            progress(len(outputs), len(claims), "outputs")
        if limits.margins and not claims.separable:  # where every output is separated, its extremes are known already
            _measure(claims, outputs, limits, clock)
    except KeyboardInterrupt:
        interrupted = True
    decided = time.perf_counter()
    for i in range(len(claims)):
        reason = INTERRUPTED if interrupted else "no engine decided it"
        outputs.setdefault(i, OutputResult(i, Verdict.UNKNOWN, reason=reason))
    smallest = _least(outputs)
    if smallest is not None and not interrupted:
        with suppress(KeyboardInterrupt):  # the verdict stands, and `minimal` stays false
            smallest = _minimal(claims, outputs, smallest, limits, clock)
    seconds = {"decide": decided - begun, "minimise": time.perf_counter() - decided}
    return Result(claims, tuple(outputs[i] for i in sorted(outputs)), smallest, seconds=seconds)


def _results(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[OutputResult]:
    """Decisions with their refutations replayed."""
    for name, share in _plan(claims, outputs, limits):
        for decision in ENGINES[name](claims, share, limits, clock):
            refuted = decision.verdict is Verdict.REFUTED
            yield OutputResult(
                decision.output,
                decision.verdict,
                None if decision.verdict is Verdict.UNKNOWN else name,
                decision.reason,
                replay(claims, decision) if refuted else None,
                decision.minimal,
                decision.extremes,
            )


def _measure(claims: Claims, outputs: dict[int, OutputResult], limits: Limits, clock: Clock) -> None:
    """Add the extremes of every decided output; what time does not allow stays without."""
    decided = [i for i, result in outputs.items() if result.verdict is not Verdict.UNKNOWN]
    for measured in _results(claims, sorted(decided), limits, clock):
        known = outputs[measured.index]
        if measured.verdict not in (known.verdict, Verdict.UNKNOWN):
            raise FaultError(f"output {measured.index} is {known.verdict.value}, but its margin says otherwise")
        outputs[measured.index] = replace(known, extremes=measured.extremes)


def _plan(claims: Claims, outputs: Sequence[int], limits: Limits) -> Iterator[tuple[str, Sequence[int]]]:
    """Which engine gets which outputs: one shared sweep, else a sweep an output, else Z3."""
    if limits.engine != "auto":
        yield limits.engine, outputs
        return
    if enumeration.cost(claims, outputs) <= AFFORDABLE:
        yield enumeration.NAME, outputs
        return
    prices = enumeration.costs(claims)
    cheap = {i for i in outputs if prices[i] <= AFFORDABLE // len(outputs)}
    yield from ((enumeration.NAME, [i]) for i in sorted(cheap))
    rest = [i for i in outputs if i not in cheap]
    if rest:
        yield smt.NAME, rest


def _least(outputs: dict[int, OutputResult]) -> Counterexample | None:
    """The smallest counterexample found; among equals the first in lexicographic order, then the first output."""
    found = [result.counterexample for result in outputs.values() if result.counterexample is not None]
    return min(found, key=_order, default=None)


def _order(counterexample: Counterexample) -> tuple[int, tuple[int, ...], int]:
    return counterexample.size, counterexample.active, counterexample.output


def _minimal(
    claims: Claims, outputs: dict[int, OutputResult], smallest: Counterexample, limits: Limits, clock: Clock
) -> Counterexample:
    """The smallest counterexample, with `minimal` set if no output has one with fewer active features.

    Proved outputs cannot have any, and an engine that sweeps inputs by size has shown as much of the outputs it
    refuted. The others are asked for a smaller one until there is none.
    """
    unproved = [result for result in outputs.values() if result.verdict is not Verdict.PROVED]
    open_ = [r.index for r in unproved if not r.least]
    plain = replace(limits, margins=False)
    while open_ and smallest.size:
        smallest = shrink(claims, smallest)
        if clock.over or not smallest.size:
            break
        below = {r.index: r for r in _results(claims.at_most(smallest.size - 1), open_, plain, clock)}
        better = _least(below)  # of all of them: which one arrives first depends on the machine
        if better is None:
            return replace(smallest, minimal=all(r.verdict is Verdict.PROVED for r in below.values()))
        smallest = better
    return replace(smallest, minimal=not open_ or not smallest.size)
