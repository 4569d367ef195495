"""The same question of every float32 evaluation, in any order of summation. Read this file first.

1. The question is decided in real arithmetic, as ever. 2. `error_bounds.py` says by how much a float32 evaluation of
each output may be off at most. An output whose margin or counterexample has room for that is decided; for the others
the same engines decide again, with goals that much tighter, and what they prove holds however the sums are ordered.
3. What they do not prove is looked at input by input, where errors are smaller: an input is right in every order, wrong
in every order (`per_input.py`), or so close that the order may decide; then `summation_trees.py` goes through all
trees, if they are few, and `summation_orders.py` looks for an order that goes wrong.
What is left is unknown. In mode separable, `separable.py` compares the extreme values of both classes.

The model and the theorem are those of README.md beside it, ours; `supercheck.claims.claims.FLOAT32` has the model in
words.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from supercheck.base.errors import present
from supercheck.base.numbers import short
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Counterexample, Verdict
from supercheck.claims.result import OutputResult, Result, Rounding
from supercheck.decide.engines import ENUMERATE
from supercheck.decide.enumeration import cost
from supercheck.decide.float32.error_bounds import over_domain
from supercheck.decide.float32.layers import StoredLayers, UncoveredError
from supercheck.decide.float32.per_input import (
    Fate,
    Judged,
    always,
    ensure_covered,
    judge,
    right_in_every_tree,
    shown,
)
from supercheck.decide.float32.separable import apart, parted
from supercheck.decide.limits import Clock, DeadlineError, Limits, Progress, quiet
from supercheck.decide.portfolio import INTERRUPTED, decide, settle
from supercheck.decide.sweep import Sheet
from supercheck.network.input import Input

__all__ = ["decide_float32", "decide_in"]

_CLOSE = 16  # inputs of one output on which an order that goes wrong is looked for
_TREES = 64  # inputs of one output for which all trees are gone through, where there are few
_JUDGED = 1 << 14  # inputs of one output that are judged one by one
_CHEAP = 3 * 10**9  # multiplications that evaluating outputs input by input may cost
_OVERFLOW = "a sum may be past the range of float32"
_NONE = Fraction(0)


def decide_in(arithmetic: str, claims: Claims, limits: Limits = Limits(), progress: Progress = quiet) -> Result:
    """Decide every claim in the arithmetic of its spec.

    Args:
        arithmetic: "real" or "float32".
        claims: the question.
        limits: engine, time, workers.
        progress: told how many outputs are decided.
    """
    solve = decide_float32 if arithmetic == "float32" else decide
    return solve(claims, limits, progress)


def decide_float32(claims: Claims, limits: Limits = Limits(), progress: Progress = quiet) -> Result:
    """Decide every claim for every float32 evaluation, and in real arithmetic beside it.

    Args:
        claims: the question.
        limits: engine, time, workers.
        progress: told how many outputs are decided, and of a long sweep how many inputs are done.

    Returns:
        The float32 verdicts; `rounding` has the verdict in real arithmetic.
    """
    clock, begun = limits.clock(progress), time.perf_counter()
    measured = limits.margins or cost(claims, range(len(claims))) <= _CHEAP
    real = decide(claims, replace(limits, margins=measured, largest_k=False, count=False), progress)
    notes = real.notes
    if limits.count:
        notes = (*notes, "Wrong inputs were not counted: that is done in real arithmetic alone.")
    if limits.largest_k:
        notes = (*notes, "The largest k is not sought for float32; ask in real arithmetic.")
    if limits.cross_check:
        notes = (*notes, "The cross-check is of the verdicts in real arithmetic.")
    base = replace(real, notes=notes, arithmetic="float32", rounding=Rounding(real.real_verdict, margin=_margin(real)))
    try:
        ensure_covered(claims.readout)
        stored = StoredLayers.of(claims.network)
        errors = over_domain(stored, min(claims.cube.max_active, claims.cube.features))
    except UncoveredError as error:
        found = _undecided(base, str(error))
    else:
        late = any(output.reason == INTERRUPTED for output in real.outputs)
        work = _Float32(base, stored, errors, replace(limits, margins=False), clock)
        found = _undecided(base, INTERRUPTED) if late else work.result()
    kept = limits.margins or claims.separable
    outputs = [
        one._replace(extremes=was.extremes if kept else None)
        for one, was in zip(found.outputs, real.outputs, strict=True)
    ]
    spent = time.perf_counter() - begun - real.seconds["minimise"]
    return replace(found, outputs=tuple(outputs), seconds={**real.seconds, "decide": spent})


def _undecided(base: Result, reason: str) -> Result:
    """Nothing but the verdict in real arithmetic is known."""
    outputs = (OutputResult(i, Verdict.UNKNOWN, reason=reason) for i in range(len(base.outputs)))
    return replace(base, outputs=tuple(outputs), smallest=None)


def _margin(real: Result) -> Fraction | None:
    """The least margin of all outputs; None where one of them was not measured."""
    if any(output.extremes is None for output in real.outputs):
        return None
    margins = [real.margin(output) for output in real.outputs]
    return min((margin for margin in margins if margin is not None), default=None)


@dataclass(frozen=True, eq=False)
class _Float32:
    """The second half of the work: what is known, and what it may cost to know more.

    Attributes:
        real: the result in real arithmetic.
        stored: the layers.
        errors: for each output by how much it may be off; None where that is not bounded.
        limits: engine, time, workers.
        clock: the deadline.
    """

    real: Result
    stored: StoredLayers
    errors: Sequence[Fraction | None]
    limits: Limits
    clock: Clock

    @property
    def claims(self) -> Claims:
        """The question, in real arithmetic."""
        return self.real.claims

    @cached_property
    def tighter(self) -> Claims:
        """The question with goals that leave room for rounding; of no use for outputs whose error is not bounded."""
        return self.claims.within([error or _NONE for error in self.errors])

    def result(self) -> Result:
        """Decide every output; Ctrl-C and the deadline leave outputs unknown."""
        found: dict[int, OutputResult] = {}
        orders: dict[int, str] = {}
        smallest, minimal = None, False
        try:
            with self.clock.alarm():
                for output, order in self._outputs():
                    found[output.index] = output
                    if order is not None:
                        orders[output.index] = order
                smallest = self._smallest(found, orders)
                minimal = smallest is not None and self._is_minimal(smallest)
        except KeyboardInterrupt:
            smallest = self._smallest(found, orders)
        why = self.clock.reason if self.clock.over else INTERRUPTED
        for i in range(len(self.claims)):
            found.setdefault(i, OutputResult(i, Verdict.UNKNOWN, reason=why))
        notes, order = self.real.notes, None
        if smallest is not None:
            smallest = replace(smallest, minimal=minimal)
            order = "shown" if smallest.output in orders else "every"
            notes = (*notes, *(orders[i] for i in [smallest.output] if i in orders))
        elif all(one.verdict is Verdict.PROVED for one in found.values()):
            order = "every"
        return replace(
            self.real,
            outputs=tuple(found[i] for i in range(len(self.claims))),
            smallest=smallest,
            notes=notes,
            rounding=replace(present(self.real.rounding, "rounding"), errors=tuple(self.errors), order=order),
        )

    def _outputs(self) -> Iterator[tuple[OutputResult, str | None]]:
        """A result for each output, and the order that refutes it where not every one does."""
        open_ = []
        for i, error in enumerate(self.errors):
            if error is None:
                yield OutputResult(i, Verdict.UNKNOWN, reason=_OVERFLOW), None
            elif self.claims.separable:
                yield parted(self.real.outputs[i], self.stored, error)
            else:
                known = self._known(i, error)
                if known is None:
                    open_.append(i)
                else:
                    yield known, None
        settled, purse = settle(self.tighter, open_, self.limits, self.clock) if open_ else {}, _CHEAP
        for i in open_:
            one = settled.get(i, OutputResult(i, Verdict.UNKNOWN, reason="no engine decided it"))
            if one.verdict is Verdict.PROVED:
                yield one, None
                continue
            price = cost(self.tighter, [i])
            sweep = one.verdict is Verdict.REFUTED and price <= purse
            purse -= price if sweep else 0
            yield self._closely(one, sweep=sweep)

    def _known(self, i: int, error: Fraction) -> OutputResult | None:
        """What follows for an output from real arithmetic, where rounding is too small to matter."""
        was, readout = self.real.outputs[i], self.claims.readout
        found = was.counterexample
        if found is not None:
            surely = readout.hopeless(found.value, found.expected, error)
            return OutputResult(i, Verdict.REFUTED, was.engine, counterexample=found) if surely else None
        if was.verdict is not Verdict.PROVED:
            return None
        if was.extremes is not None:
            points = (was.extremes.off, False), (was.extremes.on, True)
            roomy = not any(point and readout.wrong(point.value, on, error) for point, on in points)
        else:
            roomy = self._same[int(self.tighter.kinds[i])]
        return OutputResult(i, Verdict.PROVED, was.engine) if roomy else None

    @cached_property
    def _same(self) -> dict[int, bool]:
        """For each kind of output whether its goals are those of real arithmetic."""
        kinds, firsts = np.unique(self.tighter.kinds, return_index=True)
        return {
            kind: all(self.tighter.goal(i, on) == self.claims.goal(i, on) for on in (False, True))
            for kind, i in zip(kinds.tolist(), firsts.tolist(), strict=True)
        }

    def _closely(self, one: OutputResult, *, sweep: bool) -> tuple[OutputResult, str | None]:
        """Look at an output that the engines did not prove, input by input; at all that matter in a `sweep`."""
        i, part = one.index, self.stored.part(one.index)
        known = (self.real.outputs[i].counterexample, one.counterexample, self.real.smallest)
        first = [found.input for found in known if found is not None and found.output == i]
        close: list[Judged] = []
        judged, whole = 0, False
        try:
            for inputs in itertools.chain([first] if first else [], self._suspects(i) if sweep else []):
                found = judge(self.claims, part, i, inputs)
                worst = next((near for near in found if near.fate is Fate.WRONG), None)
                if worst is not None:
                    return OutputResult(i, Verdict.REFUTED, "float32", counterexample=always(worst, i)), None
                close += [near for near in found if near.fate is Fate.CLOSE]
                judged += len(found)
                if judged > _JUDGED:
                    break
            else:
                whole = sweep
        except DeadlineError:
            return OutputResult(i, Verdict.UNKNOWN, reason=self.clock.reason), None
        if len(close) <= _TREES:
            readout = self.claims.readout
            close = [near for near in close if self.clock.over or not right_in_every_tree(readout, part, near)]
        if whole and not close:
            return OutputResult(i, Verdict.PROVED, ENUMERATE.name), None
        close.sort(key=lambda near: (near.distance(self.claims.readout), len(near.active), near.active))
        for near in close[:_CLOSE]:
            refuted = shown(self.claims, self.stored, near, i)
            if refuted is not None:
                return OutputResult(i, Verdict.REFUTED, "float32", counterexample=refuted[0]), refuted[1]
            if self.clock.over:
                break
        reason = self._reason(i, close) if one.verdict is Verdict.REFUTED else one.reason
        return OutputResult(i, Verdict.UNKNOWN, reason=reason), None

    def _suspects(self, i: int) -> Iterator[list[Input]]:
        """The inputs that are not right by the error of the whole domain, fewest active features first."""
        sheet = Sheet(self.tighter, (i,), self.clock)
        domain = self.claims.cube.restricted(len(sheet.features))
        for level in range(domain.levels):
            for batch in sheet.batches(level):
                sheet.check_clock()
                suspects = [Input.on(batch.named(number)) for number in np.flatnonzero(batch.suspects[0]).tolist()]
                if suspects:
                    yield suspects

    def _reason(self, i: int, close: Sequence[Judged]) -> str:
        """Why an output is unknown."""
        if any(near.error is None for near in close):
            return _OVERFLOW
        margin, error, gap = "some margin", self.errors[i] or _NONE, None
        if close:
            gap, error = close[0].distance(self.claims.readout), close[0].error or _NONE
            margin = f"the margin {short(gap, beside=[error])}"
        return f"{margin} is within the rounding bound {short(error, beside=[gap])}; no failing order found"

    def _smallest(self, found: dict[int, OutputResult], orders: dict[int, str]) -> Counterexample | None:
        """The smallest counterexample; one that is wrong in every order before one that is wrong in some."""
        wrong = [one.counterexample for one in found.values() if one.counterexample is not None]
        return min(wrong, key=lambda one: (one.output in orders, one.size, one.active, one.output), default=None)

    def _is_minimal(self, smallest: Counterexample) -> bool:
        """Whether every output is right in every order where fewer features are on."""
        if not smallest.size or None in self.errors:
            return not smallest.size
        below = self.tighter.at_most(smallest.size - 1)
        settled = settle(below, range(len(below)), self.limits, self.clock)
        if self.claims.separable:
            right = [apart(one.extremes, self.errors[i] or _NONE) for i, one in settled.items()]
        else:
            right = [one.verdict is Verdict.PROVED for one in settled.values()]
        return len(right) == len(below) and all(right)
