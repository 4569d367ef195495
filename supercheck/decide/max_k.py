"""The largest k at which each output is right. Failure is monotone in k: more inputs can only break more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Sparsity, Verdict
from supercheck.claims.replay import shrink
from supercheck.claims.result import OutputResult
from supercheck.decide.engines import AUTO, BOUND, ENGINES, cheapest
from supercheck.decide.limits import Clock, Limits

Ask = Callable[[Claims, Sequence[int], Limits, Clock], Iterator[list[OutputResult]]]


def largest(
    claims: Claims, results: Mapping[int, OutputResult], limits: Limits, clock: Clock, ask: Ask
) -> dict[int, Sparsity]:
    """Find for every output the largest k at which it is right.

    Where all inputs can be enumerated cheaply, one sweep tells. Otherwise the closed-form bound alone brings the two
    ends together by bisection, and what is between them is asked one k after the other, upwards.

    Args:
        claims: the question; its own k is only where the search begins.
        results: what is known at that k.
        limits: engine, workers.
        clock: the deadline; what it leaves is not known.
        ask: decides outputs.
    """
    ends = {i: _Ends(claims.most_active) for i in results}
    _learn(claims, list(results.values()), ends, limits)
    everything, auto = list(results), limits.engine == AUTO
    cheap = cheapest(claims.at_most(claims.most_active), everything, limits) if auto else None
    if cheap is not None:
        _ask_at(claims.most_active, everything, claims, replace(limits, engine=cheap.name), clock, ask, ends)
    elif auto or ENGINES[limits.engine].capped:
        _bisect(claims, replace(limits, engine=BOUND.name), clock, ask, ends)
    while not clock.over:
        probes: dict[int, list[int]] = {}
        for i, end in ends.items():
            if end.open and end.right + 1 < end.unclear:
                probes.setdefault(end.right + 1, []).append(i)
        if not probes:
            break
        for probe, group in sorted(probes.items()):
            _ask_at(probe, group, claims, limits, clock, ask, ends)
    return {i: end.sparsity for i, end in ends.items()}


def _bisect(claims: Claims, limits: Limits, clock: Clock, ask: Ask, ends: Mapping[int, _Ends]) -> None:
    """Move both ends as far as the closed-form bound alone can; where it leaves a k open, larger ones are not asked."""
    before = {i: end.unclear for i, end in ends.items()}
    while not clock.over:
        probes: dict[int, list[int]] = {}
        for i, end in ends.items():
            high = min(end.most if end.wrong is None else end.wrong - 1, end.unclear - 1)
            if end.right < high:
                doubled = min(high, 2 * max(end.right, 1))  # a witness has as many features as it may: start low
                middle = (end.right + high + 1) // 2
                probes.setdefault(doubled if end.wrong is None else middle, []).append(i)
        if not probes:
            break
        for probe, group in probes.items():
            _ask_at(probe, group, claims, limits, clock, ask, ends)
    for i, end in ends.items():
        end.unclear = before[i]


def _ask_at(
    k: int, outputs: list[int], claims: Claims, limits: Limits, clock: Clock, ask: Ask, ends: Mapping[int, _Ends]
) -> None:
    at, plain = claims.at_most(k), replace(limits, margins=False)
    for results in ask(at, outputs, plain, clock):
        _learn(at, results, ends, limits)


def _learn(claims: Claims, results: Sequence[OutputResult], ends: Mapping[int, _Ends], limits: Limits) -> None:
    """Take results at some k into account.

    Raises:
        FaultError: if one says that an output is wrong where another said that it is right.
    """
    loose = [r.counterexample for r in results if r.counterexample is not None and not r.least]
    sizes = {example.output: example.size for example in shrink(claims, loose)}
    for result in results:
        end = ends[result.index]
        if result.verdict is Verdict.PROVED:
            if claims.domain.max_active >= end.right:
                end.right, end.proof = min(claims.domain.max_active, end.most), (claims, result)
        elif result.counterexample is not None:
            size = sizes.get(result.index, result.counterexample.size)
            end.wrong = size if end.wrong is None else min(end.wrong, size)
            if result.least:
                end.right = max(end.right, size - 1)
        else:
            end.unclear = min(end.unclear, claims.domain.max_active)
        if end.wrong is not None and end.proof is not None and end.wrong <= end.proof[0].domain.max_active:
            from supercheck.decide.cross_check import disagree

            disagree(*end.proof, f"a witness by {result.engine}", Verdict.REFUTED, limits)


class _Ends:
    """What is known of one output: right up to `right`, wrong from `wrong` on, left open at `unclear`."""

    def __init__(self, most: int) -> None:
        self.most, self.right, self.unclear = most, -1, most + 1
        self.wrong: int | None = None
        self.proof: tuple[Claims, OutputResult] | None = None  # of the largest k at which it was proved

    @property
    def open(self) -> bool:
        """Whether there is a k between the ends."""
        return self.right < (self.most if self.wrong is None else self.wrong - 1)

    @property
    def sparsity(self) -> Sparsity:
        """The same for a report."""
        return Sparsity(self.right, self.wrong, not self.open)
