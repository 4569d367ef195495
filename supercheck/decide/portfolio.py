"""The portfolio: which engine decides what, and what counts as decided. Read this file first.

Order: 1. Where all inputs of all outputs can be enumerated within about a second, they are. 2. Otherwise the
closed-form bound decides what it can, which is almost everything in a sparse network. 3. Branch and bound tries the
rest for about as long as an enumeration would take, so never much longer than the better of the two. 4. What is left
is enumerated, all outputs that can share a sweep at once, while that is affordable; 5. else branch and bound goes on
to its cap of nodes; 6. and the rest goes to Z3, one output at a time. Every choice compares counts (inputs times
weights, nodes), never seconds, so that the answer is the same on every machine.

Every refutation is replayed through the loaded network in exact arithmetic before it counts. Only when every output
is decided, the network's smallest counterexample is sought: the outputs that are not proved are asked for one with
fewer active features, until it is proved that there is none.

All of this is chosen here, over all outputs; where a run has a team (`workers/pool.py`), it is asked
in an engine's place, and hands batches of outputs to other processes or machines.

A newcomer adds a decision procedure with one file here and one row in `ENGINES`.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from importlib import import_module

import numpy as np

from supercheck.base.errors import FaultError, InputError
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Counterexample, Decision, Verdict
from supercheck.claims.replay import replay, shrink
from supercheck.claims.result import OutputResult, Result
from supercheck.decide import enumeration
from supercheck.decide.cross_check import cross_check, disagree
from supercheck.decide.limits import Clock, Limits, Progress, quiet
from supercheck.decide.max_k import largest
from supercheck.decide.workers.batches import NODE, Work

__all__ = ["ENGINES", "Limits", "ask", "decide", "settle", "unproved", "up_to"]


@dataclass(frozen=True)
class _Lazy:
    """An engine whose module is imported when it is first asked, for some are slow to start."""

    module: str

    def __call__(
        self, claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock
    ) -> Iterator[list[Decision]]:
        yield from import_module(f"supercheck.decide.{self.module}").decide(claims, outputs, limits, clock)


ENGINES: dict[str, Work] = {
    "bound": _Lazy("bound"),
    "enumerate": enumeration.decide,
    "branch": _Lazy("branch"),
    "z3": _Lazy("smt"),
}

CHEAP = 3 * 10**9
"""Multiplications that an enumeration may cost before anything else is tried: about 10^10 a second on two cores."""

QUICK = 1 << 10
"""Nodes of branch and bound for each case of an output where a quick look has to do."""

AFFORDABLE = 4 * 10**11
"""Multiplications that one sweep of an enumeration may cost at all: under a minute."""

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
    clock, begun = limits.clock(progress), time.perf_counter()
    outputs: dict[int, OutputResult] = {}
    interrupted = False
    try:
        with clock.alarm():
            for results in _results(claims, range(len(claims)), replace(limits, margins=False), clock):
                for found in results:
                    if outputs.setdefault(found.index, found) is not found:
                        raise FaultError(f"output {found.index} was decided twice")
                progress(len(outputs), len(claims), "outputs")
            if limits.margins and not claims.separable:  # where all are separated, their extremes are known already
                _measure(claims, outputs, limits, clock)
    except KeyboardInterrupt:
        interrupted = True
    decided, notes = time.perf_counter(), []
    for i in range(len(claims)):
        reason = clock.reason if clock.over else INTERRUPTED if interrupted else "no engine decided it"
        outputs.setdefault(i, OutputResult(i, Verdict.UNKNOWN, reason=reason))
    smallest = _least(outputs)
    if smallest is not None and not interrupted:
        try:
            with clock.alarm():
                smallest = _minimal(claims, outputs, smallest, limits, clock)
        except KeyboardInterrupt:  # the verdict stands, and `minimal` stays false
            interrupted = True
    with suppress(KeyboardInterrupt), clock.alarm():
        if limits.largest_k and not interrupted:
            for i, sparsity in largest(claims, outputs, limits, clock, _results, CHEAP).items():
                outputs[i] = outputs[i]._replace(sparsity=sparsity)
        if limits.cross_check and not interrupted:
            notes.append(cross_check(claims, outputs, limits, clock))
    seconds = {"decide": decided - begun, "minimise": time.perf_counter() - decided}
    return Result(claims, tuple(outputs[i] for i in sorted(outputs)), smallest, tuple(notes), seconds=seconds)


def settle(
    claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock, *, margins: bool = False
) -> dict[int, OutputResult]:
    """Decide some outputs, maybe with margins, and look for nothing else; what time does not allow is open."""
    plain = replace(limits, margins=margins)
    return {found.index: found for results in _results(claims, outputs, plain, clock) for found in results}


def unproved(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> OutputResult | None:
    """The first of some outputs that turns out not to be proved; None if all of them are."""
    open_ = set(outputs)
    with closing(_results(claims, outputs, replace(limits, margins=False), clock)) as stages:
        for found in (one for results in stages for one in results):
            if found.verdict is not Verdict.PROVED:
                return found
            open_.discard(found.index)
    return OutputResult(min(open_), Verdict.UNKNOWN, reason="no engine decided it") if open_ else None


def up_to(claims: Claims, results: Sequence[OutputResult], limits: Limits, clock: Clock) -> list[OutputResult]:
    """Add the largest k of each output, as far as that takes no longer than a cheap enumeration, or bounds show it."""
    cheap = enumeration.cost(claims.at_most(claims.most_active), range(len(claims))) <= CHEAP
    quick = limits if cheap else replace(limits, engine="branch", nodes=QUICK)
    known = {result.index: result for result in results}
    found = largest(claims, known, replace(quick, margins=False), clock, _results, CHEAP)
    return [result._replace(sparsity=found[result.index]) for result in results]


def ask(
    name: str, work: Work, claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock
) -> Iterator[list[Decision]]:
    """Have outputs decided by the run's team, where there is one that knows the question; else here.

    Args:
        name: of the work, for a reader.
        work: an engine, or what else decides outputs.
        claims: the question.
        outputs: which outputs.
        limits: of the run.
        clock: the deadline.
    """
    if limits.team is not None and limits.team.knows(claims):
        yield from limits.team.spread(name, work, claims, outputs, limits, clock)
    else:
        yield from work(claims, outputs, limits, clock)


def _results(
    claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock
) -> Generator[list[OutputResult], None, None]:
    """Ask one engine after another for what is still open; refutations replayed."""
    left, stages = list(outputs), [limits.engine]
    if limits.engine == "auto":
        cheap = enumeration.cost(claims, left) <= CHEAP
        stages = ["enumerate"] if cheap else ["bound", "branch", "enumerate", "branch", "z3"]
    for number, name in enumerate(stages):
        own, last = limits, number == len(stages) - 1
        share: Sequence[int] = left
        if name == "enumerate" and not last:
            share = _affordable(claims, left)
        if name == "branch" and stages[number + 1 :][:1] == ["enumerate"]:
            worth = min(limits.nodes, _worth(claims, left))
            own, share = replace(limits, nodes=max(1, worth)), left if worth > 1 else []
        passed_on = set(left) - set(share)
        for decisions in ask(name, ENGINES[name], claims, share, own, clock) if share else ():
            if not last and not clock.over:
                passed_on.update(d.output for d in decisions if d.verdict is Verdict.UNKNOWN and not d.lost)
            yield _replayed(claims, name, [d for d in decisions if d.output not in passed_on])
        left = [i for i in left if i in passed_on]
        if not left:
            return


def _worth(claims: Claims, outputs: Sequence[int]) -> int:
    """Nodes of branch and bound that cost about as much as enumerating the same outputs."""
    weights = max(1, int(claims.network.weights[np.asarray(outputs, dtype=np.int64)].sum()))
    return enumeration.cost(claims, outputs) // (NODE * weights)


def _replayed(claims: Claims, name: str, decisions: Sequence[Decision]) -> list[OutputResult]:
    refuted = [decision for decision in decisions if decision.verdict is Verdict.REFUTED]
    witnesses = {found.output: found for found in replay(claims, refuted)}
    return [
        OutputResult(
            decision.output,
            decision.verdict,
            None if decision.verdict is Verdict.UNKNOWN else name,
            decision.reason,
            witnesses.get(decision.output),
            decision.minimal,
            decision.extremes,
            proof=decision.proof,
        )
        for decision in decisions
    ]


def _affordable(claims: Claims, outputs: Sequence[int]) -> Sequence[int]:
    """The outputs to enumerate: all in one sweep if that is affordable, else those that are cheap on their own."""
    if enumeration.cost(claims, outputs) <= AFFORDABLE:
        return outputs
    prices = enumeration.costs(claims)
    return [i for i in outputs if prices[i] <= AFFORDABLE // len(claims)]


def _measure(claims: Claims, outputs: dict[int, OutputResult], limits: Limits, clock: Clock) -> None:
    """Add the extremes of every decided output; what time does not allow stays without."""
    decided = [i for i, result in outputs.items() if result.verdict is not Verdict.UNKNOWN]
    for results in _results(claims, sorted(decided), limits, clock) if decided else ():
        for measured in results:
            known = outputs[measured.index]
            if measured.verdict not in (known.verdict, Verdict.UNKNOWN):
                disagree(claims, known, f"the margin by {measured.engine}", measured.verdict, limits)
            outputs[measured.index] = known._replace(extremes=measured.extremes)


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
        [smallest] = shrink(claims, [smallest])
        if clock.over or not smallest.size:
            break
        stages = _results(claims.at_most(smallest.size - 1), open_, plain, clock)
        below = {result.index: result for results in stages for result in results}
        better = _least(below)  # of all of them: which one arrives first depends on the machine
        if better is None:
            return replace(smallest, minimal=all(r.verdict is Verdict.PROVED for r in below.values()))
        smallest = better
    return replace(smallest, minimal=not open_ or not smallest.size)
