"""The same question of every float32 evaluation, in any order of summation. Read this file first.

1. The question is decided in real arithmetic, as ever. 2. `bounds.py` says by how much a float32 evaluation of each
output may be off at most; with goals that much tighter the same engines decide again, and what they prove holds
however the sums are ordered. 3. What they do not prove is looked at input by input, where errors are smaller: an input
is right in every order, wrong in every order (`judging.py`), or so close that the order decides; then `orders.py`
looks for an order that goes wrong. What is left is unknown.

The model and the theorem are those of FLOAT32.md, ours; `supercheck.claims.FLOAT32` has the model in words.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain

import numpy as np

from supercheck.claims import Claims
from supercheck.decide import CHEAP, INTERRUPTED, Limits, decide, settle
from supercheck.decide.enumeration import cost
from supercheck.decide.limits import Clock, Progress, quiet
from supercheck.decide.sheet import LateError, Sheet
from supercheck.evidence import Counterexample, OutputResult, Result, Rounding, Verdict
from supercheck.float32.bounds import over_domain
from supercheck.float32.chain import Chain, UncoveredError
from supercheck.float32.judging import Fate, Judged, always, judge, shown
from supercheck.float32.pairs import parted
from supercheck.numbers import short

__all__ = ["decide_float32"]

_CLOSE = 64  # inputs of one output on which an order that goes wrong is looked for
_JUDGED = 1 << 14  # inputs of one output that are judged one by one
_OVERFLOW = "a sum may be past the range of float32"


def decide_float32(claims: Claims, limits: Limits = Limits(), progress: Progress = quiet) -> Result:
    """Decide every claim for every float32 evaluation, and in real arithmetic beside it.

    Args:
        claims: the question.
        limits: engine, time, workers.
        progress: told how many outputs are decided, and of a long sweep how many inputs are done.

    Returns:
        The float32 verdicts; `rounding` has the verdict in real arithmetic.
    """
    clock, begun = Clock.start(limits.timeout, progress), time.perf_counter()
    measured = limits.margins or cost(claims, range(len(claims))) <= CHEAP
    real = decide(claims, replace(limits, margins=measured, largest_k=False), progress)
    notes = list(real.notes)
    if limits.largest_k:
        notes.append("The largest k is not sought for float32; ask in real arithmetic.")
    base = Rounding(real.real_verdict, (None,) * len(claims), _margin(real))
    try:
        stored = Chain.of(claims.network)
        with np.errstate(over="ignore", invalid="ignore"):
            errors = over_domain(stored, min(claims.domain.max_active, claims.domain.features))
    except UncoveredError as error:
        outputs = tuple(OutputResult(i, Verdict.UNKNOWN, reason=str(error)) for i in range(len(claims)))
        found = Result(claims, outputs, None, tuple(notes), "float32", base)
    else:
        found = _Float32(real, stored, tuple(errors), replace(limits, margins=False), clock).result(base, notes)
    shown_outputs = tuple(
        one._replace(extremes=was.extremes if limits.margins or claims.separable else None)
        for one, was in zip(found.outputs, real.outputs, strict=True)
    )
    spent = time.perf_counter() - begun - real.seconds["minimise"]
    return replace(found, outputs=shown_outputs, seconds={**real.seconds, "decide": spent})


def _margin(real: Result) -> Fraction | None:
    margins = [real.margin(output) for output in real.outputs]
    known = [margin for margin in margins if margin is not None]
    one_sided = sum(output.extremes is not None for output in real.outputs)
    return min(known, default=None) if one_sided == len(margins) else None


@dataclass(frozen=True, eq=False)
class _Float32:
    """The second half of the work: what is known, and what it may cost to know more."""

    real: Result
    stored: Chain
    errors: tuple[Fraction | None, ...]
    limits: Limits
    clock: Clock

    @property
    def claims(self) -> Claims:
        """The question, in real arithmetic."""
        return self.real.claims

    def result(self, rounding: Rounding, notes: Sequence[str]) -> Result:
        """Decide every output; Ctrl-C and the deadline leave outputs unknown."""
        claims = self.claims
        found: dict[int, OutputResult] = {}
        orders: dict[int, str] = {}
        minimal = False
        try:
            for output, order in self._outputs():
                found[output.index] = output
                if order is not None:
                    orders[output.index] = order
            smallest = self._smallest(found, orders)
            if smallest is not None:
                minimal = self._is_minimal(smallest)
        except KeyboardInterrupt:
            smallest = self._smallest(found, orders)
        for i in range(len(claims)):
            found.setdefault(i, OutputResult(i, Verdict.UNKNOWN, reason=INTERRUPTED))
        refuted = [i for i, one in found.items() if one.verdict is Verdict.REFUTED]
        order = None
        if refuted:
            order = "every" if any(i not in orders for i in refuted) else "shown"
        elif all(one.verdict is Verdict.PROVED for one in found.values()):
            order = "every"
        said = [orders[smallest.output]] if smallest is not None and smallest.output in orders else []
        return Result(
            claims,
            tuple(found[i] for i in range(len(claims))),
            None if smallest is None else replace(smallest, minimal=minimal),
            (*notes, *said),
            "float32",
            replace(rounding, errors=self.errors, order=order),
        )

    def _outputs(self) -> Iterator[tuple[OutputResult, str | None]]:
        """A result for each output, and the order that refutes it where not every one does."""
        bounded = [i for i, error in enumerate(self.errors) if error is not None]
        for i, error in enumerate(self.errors):
            if error is None:
                yield OutputResult(i, Verdict.UNKNOWN, reason=_OVERFLOW), None
        if self.claims.separable:
            for i in bounded:
                yield parted(self.real, self.stored, i, self.errors[i] or Fraction(0))
            return
        tighter = self.claims.within([error or Fraction(0) for error in self.errors])
        settled, purse = settle(tighter, bounded, self.limits, self.clock), CHEAP
        for i in bounded:
            one = settled.get(i, OutputResult(i, Verdict.UNKNOWN, reason="no engine decided it"))
            if one.verdict is not Verdict.REFUTED or one.counterexample is None:
                yield one, None
                continue
            price = cost(tighter, [i])
            purse -= price
            yield self._closely(tighter, one, sweep=purse >= 0)

    def _closely(self, tighter: Claims, one: OutputResult, *, sweep: bool) -> tuple[OutputResult, str | None]:
        """Look at an output input by input."""
        i, claims = one.index, self.claims
        part, known = self.stored.part(i), [self.real.outputs[i].counterexample, one.counterexample]
        close: list[Judged] = []
        whole = False
        try:
            first = judge(claims, part, i, [example.active for example in known if example is not None])
            for seen in chain([first], self._sweep(tighter, part, i) if sweep else ()):
                close += [near for near in seen if near.fate is Fate.CLOSE]
                worst = _wrong(seen)
                if worst is not None:
                    counterexample = always(claims, worst, i)
                    return OutputResult(i, Verdict.REFUTED, "float32", counterexample=counterexample), None
                if len(close) > _JUDGED:
                    break
            else:
                whole = sweep
        except LateError:
            return OutputResult(i, Verdict.UNKNOWN, reason=self.clock.reason), None
        if whole and not close:
            return OutputResult(i, Verdict.PROVED, "enumerate"), None
        close.sort(key=lambda near: (_distance(claims, near), len(near.active), near.active))
        for judged in close[:_CLOSE]:
            found = shown(claims, self.stored, judged, i)
            if found is not None:
                return OutputResult(i, Verdict.REFUTED, "float32", counterexample=found[0]), found[1]
        return OutputResult(i, Verdict.UNKNOWN, reason=self._reason(i, close)), None

    def _sweep(self, tighter: Claims, part: Chain, i: int) -> Iterator[list[Judged]]:
        """Judge every input that is not right by the error of the whole domain, fewest active features first."""
        sheet = Sheet(tighter, (i,), self.clock)
        domain = tighter.domain.restricted(len(sheet.features))
        for level in range(domain.levels):
            for batch in sheet.batches(level):
                sheet.check_clock()
                suspects = [batch.named(number) for number in np.flatnonzero(batch.suspects[0]).tolist()]
                if suspects:
                    yield judge(self.claims, part, i, suspects)

    def _reason(self, i: int, close: Sequence[Judged]) -> str:
        """Why an output is unknown."""
        if any(one.error is None for one in close):
            return _OVERFLOW
        if not close:
            error = self.errors[i] or Fraction(0)
            return f"some margin is within the rounding bound {short(error)}; no failing order found"
        nearest = close[0]
        margin, error = _distance(self.claims, nearest), nearest.error or Fraction(0)
        return f"the margin {short(margin)} is within the rounding bound {short(error)}; no failing order found"

    def _smallest(self, found: dict[int, OutputResult], orders: dict[int, str]) -> Counterexample | None:
        """The smallest counterexample; one that is wrong in every order before one that is wrong in some."""
        wrong = [one.counterexample for one in found.values() if one.counterexample is not None]
        refuted = [one for one in wrong if found[one.output].verdict is Verdict.REFUTED]
        return min(refuted, key=lambda one: (one.output in orders, one.size, one.active, one.output), default=None)

    def _is_minimal(self, smallest: Counterexample) -> bool:
        """Whether every output is right in every order where fewer features are on."""
        if not smallest.size or self.claims.separable or any(error is None for error in self.errors):
            return not smallest.size
        errors = [error or Fraction(0) for error in self.errors]
        below = self.claims.within(errors).at_most(smallest.size - 1)
        settled = settle(below, range(len(below)), self.limits, self.clock)
        return len(settled) == len(below) and all(one.verdict is Verdict.PROVED for one in settled.values())


def _wrong(judged: Sequence[Judged]) -> Judged | None:
    return next((one for one in judged if one.fate is Fate.WRONG), None)


def _distance(claims: Claims, judged: Judged) -> Fraction:
    """How far a real value is from what would be wrong, or from what would be right."""
    readout = claims.readout
    if readout.at is None:
        return abs((readout.within or Fraction(0)) - abs(judged.value - judged.on))
    return abs(judged.value - (readout.at + readout.margin if judged.on else readout.at - readout.margin))
