"""The portfolio: which engine decides what, and what counts as decided. Read this file first.

Order: 1. Where an engine is known to decide everything cheaply, as an enumeration of few inputs does, it decides.
2. Otherwise the engines are asked in the order of their table: the closed-form bound, which decides almost everything
in a sparse network; 3. what spends a number of nodes, for about as long as a complete engine would take, so that both
together never take much longer than the better of the two; 4. the complete engine, where it is affordable, all outputs
that can share a sweep at once; 5. then what is capped, to its cap; 6. and a solver gets the rest, one output at a time.
Every choice compares prices (multiplications), never seconds, so that the answer is the same on every machine.

Every refutation is replayed through the loaded network in exact arithmetic before it counts. Only when every output
is decided, the network's smallest counterexample is sought: the outputs that are not proved are asked for one with
fewer active features, until it is proved that there is none.

All of this is chosen here, over all outputs; where a run has a team (`workers/pool.py`), it is asked
in an engine's place, and hands batches of outputs to other processes or machines.

A newcomer adds a decision procedure with one file and one row in `engines.py`.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from typing import NamedTuple

from supercheck.base.errors import FaultError, InputError
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Counterexample, Decision, Proved, Refuted, Unknown, Verdict
from supercheck.claims.replay import replay, shrink
from supercheck.claims.result import OutputResult, Result
from supercheck.decide.engines import AUTO, ENGINES, Engine, cheapest, searcher
from supercheck.decide.limits import Clock, Limits, Progress, quiet
from supercheck.decide.max_k import largest

__all__ = ["ENGINES", "Limits", "ask", "decide", "settle", "unproved", "up_to"]

QUICK = 1 << 10
"""Nodes of branch and bound for each case of an output where a quick look has to do."""

AFFORDABLE = 4 * 10**11
"""Multiplications that one sweep of an enumeration may cost at all: under a minute."""

SAMPLE, MANY = 8, 80
"""Outputs on which an engine is tried first, where there are so many that this costs at most a tenth."""

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
    if limits.engine != AUTO and limits.engine not in ENGINES:
        raise InputError(place="engine", expected=f"{AUTO} or one of {', '.join(ENGINES)}", got=limits.engine)
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
            for i, sparsity in largest(claims, outputs, limits, clock, _results).items():
                outputs[i] = outputs[i]._replace(sparsity=sparsity)
        if limits.count and not interrupted:
            from supercheck.decide.counting import counted

            wrong = counted(claims, outputs, limits, clock)
            outputs = {i: found._replace(wrong=wrong.get(i)) for i, found in outputs.items()}
            if not wrong:
                notes.append("Wrong inputs were not counted: in mode separable no single input is wrong by itself.")
        if limits.cross_check and not interrupted:
            from supercheck.decide.cross_check import cross_check

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
    cheap = cheapest(claims.at_most(claims.most_active), range(len(claims)), limits) is not None
    quick = limits if cheap else replace(limits, engine=searcher(claims).name, nodes=QUICK)
    known = {result.index: result for result in results}
    found = largest(claims, known, replace(quick, margins=False), clock, _results)
    return [result._replace(sparsity=found[result.index]) for result in results]


def ask(
    engine: Engine, claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock
) -> Iterator[list[Decision]]:
    """Have outputs decided by the run's team, where there is one that knows the question; else here.

    Args:
        engine: an engine, or what else decides outputs.
        claims: the question.
        outputs: which outputs.
        limits: of the run.
        clock: the deadline.
    """
    if limits.team is not None and limits.team.knows(claims):
        yield from limits.team.spread(engine, claims, outputs, limits, clock)
    else:
        yield from engine.decide(claims, outputs, limits, clock)


class _Stage(NamedTuple):
    """An engine to ask; for as many nodes as a complete engine costs, where that one comes next."""

    engine: Engine
    before: Engine | None = None


def _stages(claims: Claims, outputs: Sequence[int], limits: Limits) -> list[_Stage]:
    """Which engines to ask, one after another, of what is still open."""
    if limits.engine in ENGINES:
        return [_Stage(ENGINES[limits.engine])]
    cheap = cheapest(claims, outputs, limits)
    if cheap is not None:
        return [_Stage(cheap)]
    able = [engine for engine in ENGINES.values() if engine.supports(claims) is None]
    capped, stages = [engine for engine in able if engine.capped], list[_Stage]()
    for engine in able:
        if engine.complete:
            stages += [_Stage(quick, engine) for quick in capped]
        stages.append(_Stage(engine))
    return stages


def _results(
    claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock
) -> Generator[list[OutputResult], None, None]:
    """Ask one engine after another for what is still open; refutations replayed."""
    left, stages = list(outputs), _stages(claims, outputs, limits)
    for number, (engine, before) in enumerate(stages):
        own, last = limits, number == len(stages) - 1
        share: Sequence[int] = left
        if engine.complete and not last:
            share = _affordable(engine, claims, left, limits)
        if before is not None:
            worth = min(limits.nodes, _worth(engine, before, claims, left, limits))
            own, share = replace(limits, nodes=max(1, worth)), left if worth > 1 else []
        passed_on = set(left) - set(share)
        for part in _parts(share, whole=last or engine.complete):
            known = 0
            for decisions in ask(engine, claims, part, own, clock):
                if not last and not clock.over:
                    passed_on.update(d.output for d in decisions if isinstance(d, Unknown) and not d.lost)
                decided = [d for d in decisions if d.output not in passed_on]
                known += len(decided)
                yield _replayed(claims, engine, decided)
            if not known and len(part) < len(share):  # of no use here: the next one is asked
                passed_on.update(share)
                break
        left = [i for i in left if i in passed_on]
        if not left:
            return


def _parts(outputs: Sequence[int], *, whole: bool) -> Iterator[Sequence[int]]:
    """All outputs, or first a few that are spread over them, on which it shows whether an engine is of any use."""
    sample = [] if whole or len(outputs) < MANY else outputs[:: len(outputs) // SAMPLE][:SAMPLE]
    if sample:
        yield sample
    tried = set(sample)
    if outputs:
        yield [i for i in outputs if i not in tried] if tried else outputs


def _worth(engine: Engine, complete: Engine, claims: Claims, outputs: Sequence[int], limits: Limits) -> int:
    """Nodes of a capped engine that cost about as much as deciding the same outputs with a complete one."""
    node = engine.price(claims, outputs, replace(limits, nodes=1)).total
    return int(complete.price(claims, outputs, limits).total // max(1.0, node))


def _replayed(claims: Claims, engine: Engine, decisions: Sequence[Decision]) -> list[OutputResult]:
    refuted = [decision for decision in decisions if isinstance(decision, Refuted)]
    witnesses = {found.output: found for found in replay(claims, refuted)}
    return [_result(engine, decision, witnesses) for decision in decisions]


def _result(engine: Engine, decision: Decision, witnesses: Mapping[int, Counterexample]) -> OutputResult:
    if isinstance(decision, Unknown):
        return OutputResult(decision.output, Verdict.UNKNOWN, reason=decision.reason)
    if isinstance(decision, Proved):
        return OutputResult(
            decision.output, Verdict.PROVED, engine.name, extremes=decision.extremes, proof=decision.proof
        )
    return OutputResult(
        decision.output,
        Verdict.REFUTED,
        engine.name,
        counterexample=witnesses[decision.output],
        least=decision.minimal,
        extremes=decision.extremes,
    )


def _affordable(engine: Engine, claims: Claims, outputs: Sequence[int], limits: Limits) -> Sequence[int]:
    """The outputs to ask a complete engine about: all together if that is affordable, else those cheap on their own."""
    price = engine.price(claims, outputs, limits)
    if price.total <= AFFORDABLE:
        return outputs
    alone = zip(outputs, price.alone or price.each, strict=True)
    return [i for i, each in alone if each <= AFFORDABLE // len(claims)]


def _measure(claims: Claims, outputs: dict[int, OutputResult], limits: Limits, clock: Clock) -> None:
    """Add the extremes of every decided output; what time does not allow stays without."""
    decided = [i for i, result in outputs.items() if result.verdict is not Verdict.UNKNOWN]
    for results in _results(claims, sorted(decided), limits, clock) if decided else ():
        for measured in results:
            known = outputs[measured.index]
            if measured.verdict not in (known.verdict, Verdict.UNKNOWN):
                from supercheck.decide.cross_check import disagree

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
