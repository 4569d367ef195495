"""Decide with Z3, one output at a time, in child processes that can be killed.

`encode.py` builds the terms; this module asks Z3 for a model of what would be wrong. Nothing found anywhere
else goes into a query, so that Z3 is a second opinion on every other engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED as FIRST, Future, wait
from typing import TYPE_CHECKING, Any

from supercheck.base.errors import FaultError
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Decision, Verdict
from supercheck.decide.extremes import End, asked, concluded
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.workers.processes import LostError, Processes
from supercheck.spec.formula import holds

if TYPE_CHECKING:
    from supercheck.decide.encode import Encoding

NAME = "z3"

Witness = tuple[int, ...]
_POSED: list[Claims] = []  # in a solver's process: the question


def decide(
    claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock, *, aided: bool = True
) -> Iterator[list[Decision]]:
    """Decide the given outputs, in `limits.workers` processes.

    Args:
        claims: the question.
        outputs: which outputs.
        limits: workers, their memory, and whether margins are wanted.
        clock: the deadline.
        aided: whether queries may be simplified by the domain's closed-form bounds.

    Yields:
        One decision an output, as they are reached; unknown, with the reason, where a process did not finish. An
        output whose process is lost is tried once more, one class at a time.
    """
    optimise, left = limits.margins or claims.separable, dict.fromkeys(outputs)
    with Processes(min(limits.workers, max(1, len(outputs))), _pose, (claims,), limits.memory) as executor:
        running = {executor.submit(_answer, i, optimise, aided): i for i in outputs}
        parts: dict[int, list[Future[Decision]]] = {}
        while running:
            done, _ = wait(running, timeout=clock.left if clock.timeout is not None else None, return_when=FIRST)
            if not done:
                executor.shutdown(cancel_futures=True)
                break
            for future in done:
                i, lost = running.pop(future), future.exception()
                if isinstance(lost, LostError) and i not in parts and not optimise:
                    parts[i] = [executor.submit(_answer, i, optimise, aided, (on,)) for on in (True, False)]
                    running.update(dict.fromkeys(parts[i], i))
                    continue
                if i in parts and not all(part.done() for part in parts[i]):
                    continue
                del left[i]
                yield [_merged(i, parts.get(i, [future]))]
    if left:
        yield [Decision(i, Verdict.UNKNOWN, clock.reason) for i in left]


def _merged(output: int, parts: Sequence[Future[Decision]]) -> Decision:
    """One decision from those of the classes: refuted wins, then unknown."""
    found = [
        Decision(output, Verdict.UNKNOWN, str(lost))
        if isinstance(lost := part.exception(), LostError)
        else part.result()
        for part in parts
    ]
    order = [Verdict.REFUTED, Verdict.UNKNOWN, Verdict.PROVED]
    return min(found, key=lambda decision: order.index(decision.verdict))


def _pose(claims: Claims) -> None:
    _POSED.append(claims)


def _answer(output: int, optimise: bool, aided: bool, classes: tuple[bool, ...] = (True, False)) -> Decision:
    return solve(_POSED[-1], output, optimise, aided, classes)


def solve(
    claims: Claims,
    output: int,
    optimise: bool = False,
    aided: bool = True,
    classes: tuple[bool, ...] = (True, False),
) -> Decision:
    """Decide one output in this process; without any limit.

    Args:
        claims: the question.
        output: which output.
        optimise: whether to find the exact worst of each class as well; always done in mode separable.
        aided: whether queries may be simplified by the domain's closed-form bounds.
        classes: the classes to decide; all of them for extremes.
    """
    query = _Query(claims, output, aided)
    try:
        return query.optimised() if optimise or claims.separable else query.decided(classes)
    except _UnknownError as unknown:
        return Decision(output, Verdict.UNKNOWN, f"Z3: {unknown}")


class _UnknownError(Exception):
    """Z3 gave up."""


class _Query:
    """Everything asked about one output."""

    def __init__(self, claims: Claims, output: int, aided: bool) -> None:
        self.claims, self.output, self.aided = claims, output, aided
        features = claims.features([output])
        self.names = [int(j) for j in features]
        self.network = claims.network.slice([output], features)
        self.domain = claims.domain.restricted(len(self.names))

    def decided(self, classes: Sequence[bool]) -> Decision:
        """Proved, or refuted by an input outside a goal."""
        for on in classes:
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
            encoding = Encoding(self.network, self.domain, case, self.names, stable=self.aided)
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
    try:
        answer = solver.check()
    except z3.Z3Exception as error:
        if "memory" in str(error):  # the process is not to be trusted any more
            raise MemoryError from error
        raise
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
