"""Decide with Z3, one output at a time, in child processes that can be killed.

`encode.py` builds the terms; this module asks Z3 for a model of what would be wrong. Nothing found anywhere
else goes into a query, so that Z3 is a second opinion on every other engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED as FIRST, Future, wait
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from supercheck.base.errors import FaultError
from supercheck.base.interval import Interval
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Decision, Proved, Refuted, Unknown
from supercheck.decide.engines import Z3, Price
from supercheck.decide.extremes import End, asked, concluded
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.workers.processes import Processes, WorkerDiedError
from supercheck.network.evaluate import totals
from supercheck.network.input import Input
from supercheck.spec.domain import Domain
from supercheck.spec.formula import holds

if TYPE_CHECKING:
    from supercheck.decide.encode import Encoding

NAME = Z3.name

PRICE = 10**10 / 4
"""Multiplications that an output is said to cost, so that a batch has four of them: nobody knows."""

_POSED: list[Claims] = []  # in a solver's process: the question


def price(_claims: Claims, outputs: Sequence[int], _limits: Limits) -> Price:
    """The same for every output, for want of better."""
    return Price([PRICE] * len(outputs))


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
                if isinstance(lost, WorkerDiedError) and i not in parts and not optimise:
                    parts[i] = [executor.submit(_answer, i, optimise, aided, (on,)) for on in (True, False)]
                    running.update(dict.fromkeys(parts[i], i))
                    continue
                if i in parts and not all(part.done() for part in parts[i]):
                    continue
                del left[i]
                yield [_merged(i, parts.get(i, [future]))]
    if left:
        yield [Unknown(i, clock.reason) for i in left]


def _merged(output: int, parts: Sequence[Future[Decision]]) -> Decision:
    """One decision from those of the classes: refuted wins, then unknown."""
    found = [
        Unknown(output, str(lost)) if isinstance(lost := part.exception(), WorkerDiedError) else part.result()
        for part in parts
    ]
    order = (Refuted, Unknown, Proved)
    return min(found, key=lambda decision: order.index(type(decision)))


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
        return Unknown(output, f"Z3: {unknown}")


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
            witness = self.search(on, self.claims.right(self.output, on))
            if witness is not None:
                return Refuted(self.output, witness)
        return Proved(self.output)

    def optimised(self) -> Decision:
        """The exact extremes of each class, and the decision that follows from them."""
        ends: dict[bool, list[End]] = {False: [], True: []}
        for on, greatest in asked(self.claims):
            end = self.extreme(on, highest=greatest)
            if end is not None:
                ends[on].append(end)
        return concluded(self.claims, self.output, ends)

    def extreme(self, on: bool, *, highest: bool) -> End | None:
        """The greatest or the least w . h of a class, by asking for a better one until there is none."""
        witness = self.search(on, None)
        best = None
        while witness is not None:
            [total] = totals(self.claims.network, [self.output], [witness])
            best = (total, witness)
            worse = Interval(high=Fraction(total)) if highest else Interval(low=Fraction(total))
            witness = self.search(on, worse)
        return best

    def search(self, on: bool, right: Interval | None) -> Input | None:
        """An input of the class with w . h outside an interval; any input of the class where there is none."""
        if right is not None and not right.ends:
            return None
        from supercheck.decide.encode import Encoding, queries

        for query in queries(self.claims, self.output, on):
            encoding = Encoding(self.network, self.domain, query, self.names, stable=self.aided)
            if encoding.empty:
                continue
            wanted = [] if right is None else [encoding.outside(right)]
            found = _ask([*encoding.constraints, *wanted], encoding, self.claims.domain)
            if found is not None:
                if holds(self.claims.formulas[self.output], frozenset(found.active)) != on:
                    raise FaultError(f"output {self.output}: Z3's model is not of the class that was asked for")
                return found
        return None


def _ask(constraints: list[Any], encoding: Encoding, domain: Domain) -> Input | None:
    """A model's input, or None where Z3 proves that there is no model."""
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
    return encoding.input(solver.model(), domain)
