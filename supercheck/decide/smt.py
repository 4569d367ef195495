"""Decide with Z3, one output at a time, in child processes that can be killed.

`encode.py` builds the terms; this module asks Z3 for a model of what would be wrong. Nothing found anywhere
else goes into a query, so that Z3 is a second opinion on every other engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from supercheck.boolean import holds
from supercheck.claims import Claims
from supercheck.decide.child import Ended, Job, stream
from supercheck.decide.extremes import End, asked, concluded
from supercheck.decide.limits import Clock, Limits
from supercheck.errors import FaultError
from supercheck.evidence import Decision, Verdict

if TYPE_CHECKING:
    from supercheck.decide.encode import Encoding

NAME = "z3"

_BATCHES = 8  # jobs a worker, so that a slow batch does not leave the others idle
Witness = tuple[int, ...]


def decide(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[list[Decision]]:
    """Decide the given outputs, in `limits.workers` processes.

    Yields:
        One decision an output, as they are reached; unknown, with the reason, where a process did not finish.
    """
    size = max(1, len(outputs) // (limits.workers * _BATCHES))
    batches = [tuple(outputs[start : start + size]) for start in range(0, len(outputs), size)]
    jobs = [Job(__name__, "solve", (claims, batch, limits.margins)) for batch in batches]
    left = {number: list(batch) for number, batch in enumerate(batches)}
    for event in stream(jobs, limits.workers, clock):
        if isinstance(event, Ended):
            reason = event.reason or "the solver's process ended early"
            yield [Decision(i, Verdict.UNKNOWN, reason) for i in left.pop(event.job)]
        else:
            number, decision = event
            left[number].remove(decision.output)
            yield [decision]


def solve(claims: Claims, outputs: Sequence[int], margins: bool = False) -> Iterator[Decision]:
    """Decide outputs in this process; without any limit of time.

    Args:
        claims: the question.
        outputs: which outputs.
        margins: whether to find the exact worst of each class as well.
    """
    for i in outputs:
        try:
            query = _Query(claims, i)
            if claims.separable or margins:
                yield query.optimised()
            else:
                yield query.decided()
        except _UnknownError as unknown:
            yield Decision(i, Verdict.UNKNOWN, f"Z3: {unknown}")


class _UnknownError(Exception):
    """Z3 gave up."""


class _Query:
    """Everything asked about one output."""

    def __init__(self, claims: Claims, output: int) -> None:
        self.claims, self.output = claims, output
        features = claims.features([output])
        self.names = [int(j) for j in features]
        self.network = claims.network.slice([output], features)
        self.domain = claims.domain.restricted(len(self.names))

    def decided(self) -> Decision:
        """Proved, or refuted by an input outside a goal."""
        for on in (True, False):
            goal = self.claims.goal(self.output, on)
            witness = self.search(on, goal.lowest, goal.highest)
            if witness is not None:
                return Decision(self.output, Verdict.REFUTED, active=witness)
        return Decision(self.output, Verdict.PROVED)

    def optimised(self) -> Decision:
        """The exact extremes of each class, and the decision that follows from them."""
        ends: dict[bool, list[End]] = {False: [], True: []}
        for on, greatest in asked(self.claims):
            end = self.extreme(on, highest=greatest)
            if end is not None:
                ends[on].append(end)
        return concluded(self.claims, self.output, ends)

    def extreme(self, on: bool, *, highest: bool) -> tuple[int, Witness] | None:
        """The greatest or the least w . h of a class, by asking for a better one until there is none."""
        witness = self.search(on, None, None, anything=True)
        best = None
        while witness is not None:
            best = (self._total(witness), witness)
            witness = self.search(on, None, best[0]) if highest else self.search(on, best[0], None)
        return best

    def _total(self, active: Witness) -> int:
        x = [int(j in active) for j in self.names]
        output = self.network.output
        return int((self.network.run(x)[0] - output.bias[0]) / output.scale[0])

    def search(self, on: bool, lowest: int | None, highest: int | None, *, anything: bool = False) -> Witness | None:
        """An input of the class with w . h outside the bounds; with `anything`, any input of the class."""
        if lowest is None and highest is None and not anything:
            return None
        from supercheck.decide.encode import Encoding, cases

        for case in cases(self.claims, self.output, on):
            encoding = Encoding(self.network, self.domain, case, self.names)
            if encoding.empty:
                continue
            wanted = [] if anything else [encoding.outside(lowest, highest)]
            active = _ask([*encoding.constraints, *wanted], encoding)
            if active is not None:
                if holds(self.claims.formulas[self.output], frozenset(active)) != on:
                    raise FaultError(f"output {self.output}: Z3's model is not of the class that was asked for")
                return active
        return None


def _ask(constraints: list[Any], encoding: Encoding) -> Witness | None:
    """A model's active features, or None where Z3 proves that there is no model."""
    import z3

    solver = z3.Solver(ctx=encoding.context)
    solver.add(*constraints)
    answer = solver.check()
    if answer == z3.unsat:
        return None
    if answer != z3.sat:
        raise _UnknownError(solver.reason_unknown())
    model = solver.model()
    return tuple(
        name
        for name, literal in zip(encoding.names, encoding.literals, strict=True)
        if z3.is_true(model.eval(literal, model_completion=True))
    )
