"""What the peers share: one output's question taken apart into cases with bounds, a clock, exact replay.

Trusts supercheck's normal form and its goals; every bound is computed here, and every witness is replayed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from supercheck.base.matrix import Rows
from supercheck.claims.claims import pose
from supercheck.network.network import Network
from supercheck.spec.formula import holds, support
from supercheck.spec.satisfying import assignments
from supercheck.spec.spec import Spec

Verdict = Literal["right", "wrong", "timeout", "unsure"]
"""`unsure` is a witness that does not replay: the peer's arithmetic let it down."""


class UnsupportedError(Exception):
    """The peer cannot state this question."""


@dataclass(frozen=True)
class Answer:
    """What a peer says of one output, the seconds of the whole call, and those spent inside the solver."""

    verdict: Verdict
    seconds: float
    solving: float


@dataclass
class Clock:
    """The deadline of one call, and how long the solver itself ran."""

    end: float
    spent: float = 0.0
    begun: float = field(default_factory=time.perf_counter)

    @property
    def left(self) -> float:
        """Seconds left.

        Raises:
            TimeoutError: if there are none.
        """
        left = self.end - time.perf_counter()
        if left <= 0:
            raise TimeoutError
        return left

    @contextmanager
    def solving(self) -> Iterator[None]:
        """Count what happens inside as the solver's own time."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.spent += time.perf_counter() - begun

    def answer(self, verdict: Verdict) -> Answer:
        """The answer, now."""
        return Answer(verdict, time.perf_counter() - self.begun, self.spent)


Number = int | float


@dataclass(frozen=True)
class Neurons:
    """A hidden layer in one case: z = row . before + bias, and its bounds; neurons that are never on have no row."""

    rows: list[list[tuple[int, Number]]]
    bias: list[Number]
    low: list[Number]
    high: list[Number]


@dataclass(frozen=True)
class Case:
    """Some inputs of one class: are there any with `row . h >= limit`?

    Attributes:
        features: the free features' names; variable j of the case is the j-th of them.
        on: the features that are fixed on; everything else that is not free is off.
        room: how many free features may be on.
        layers: the hidden layers.
        row: the output's coefficients over the last of them, its sign turned where a low value is wrong.
        limit: what is wrong.
    """

    features: list[int]
    on: frozenset[int]
    room: int
    layers: list[Neurons]
    row: list[tuple[int, Number]]
    limit: Number

    def active(self, found: Sequence[int]) -> frozenset[int]:
        """The features that are on where the given free ones are."""
        return self.on | {self.features[j] for j in found}

    def scaled(self) -> Case:
        """The same case in doubles, the largest number of a row about 1; rows of small integers stay as they are."""
        shifts, layers = [0] * len(self.features), []
        for layer in self.layers:
            own = []
            made = Neurons([], [], [], [])
            for row, *ends in zip(layer.rows, layer.bias, layer.low, layer.high, strict=True):
                moved = [(j, math.ldexp(w, shifts[j])) for j, w in row]
                own.append(_shift([*(w for _, w in moved), ends[0]]))
                made.rows.append([(j, math.ldexp(w, -own[-1])) for j, w in moved])
                for part, value in zip((made.bias, made.low, made.high), ends, strict=True):
                    part.append(math.ldexp(value, -own[-1]))
            layers.append(made)
            shifts = own
        moved = [(j, math.ldexp(w, shifts[j])) for j, w in self.row]
        last = _shift([w for _, w in moved])
        row = [(j, math.ldexp(w, -last)) for j, w in moved]
        return Case(self.features, self.on, self.room, layers, row, math.ldexp(self.limit, -last))


def _shift(values: Sequence[Number]) -> int:
    """The power of two that brings the largest value to about 1; 0 where it is small already."""
    bits = math.frexp(max((abs(value) for value in values), default=0))[1]
    return bits if bits > 20 else 0


@dataclass(frozen=True)
class Question:
    """One output's question.

    Attributes:
        spec: the whole question.
        network: the slice of the output; its features keep their names.
        output: its number in the spec.
        cases: those where inputs are off first, with many features fixed on first: most failures are there.
    """

    spec: Spec
    network: Network
    output: int
    cases: list[Case]

    def wrong(self, active: frozenset[int]) -> bool:
        """Whether the output is wrong on this input, exactly."""
        return wrong(self.network, self.spec, 0, self.output, active)


def wrong(network: Network, spec: Spec, place: int, output: int, active: frozenset[int]) -> bool:
    """Whether the network's output number `place`, which is number `output` of the spec, is wrong, exactly."""
    assert spec.readout.at is not None
    y = network.run([int(j in active) for j in range(network.features)])[place]
    return len(active) <= spec.domain.max_active and (y > spec.readout.at) != holds(spec.formulas[output], active)


def question(network: Network, spec: Spec, output: int) -> Question:
    """Take one output's question apart; threshold mode only.

    The formula's own features are fixed in every way. The first hidden layer's bounds are top-k sums, those of later
    ones follow from the bounds before them.
    """
    if spec.readout.mode != "threshold" or not network.hidden:
        raise UnsupportedError("threshold readouts of networks with a hidden layer only")
    formula, most = spec.formulas[output], spec.domain.max_active
    part = network.slice([output], np.arange(network.features))
    claims = pose(part, replace(spec, formulas=(formula,)))
    named = support(formula)
    free = sorted({*map(int, part.hidden[0].weight.indices)} - {*named})
    hidden = [(_listed(layer.weight), [int(b) for b in layer.bias]) for layer in part.hidden]
    readout = _listed(part.output.weight)[0]
    cases: list[tuple[bool, int, Case]] = []
    for on in (False, True):
        goal = claims.goal(0, on)
        sign, limit = (-1, 1 - goal.lowest) if goal.lowest is not None else (1, (goal.highest or 0) + 1)
        for active in assignments(formula, on, most):
            room = min(most - len(active), len(free))
            layers = [_first(*hidden[0], active, free, room)]
            for rows, bias in hidden[1:]:
                layers.append(_later(rows, bias, layers[-1]))
            row: list[tuple[int, Number]] = [(j, sign * w) for j, w in readout if layers[-1].high[j] > 0]
            cases.append((on, -len(active), Case(free, active, room, layers, row, limit)))
    cases.sort(key=lambda case: case[:2])
    return Question(spec, part, output, [case for _, _, case in cases])


def _listed(rows: Rows) -> list[list[tuple[int, int]]]:
    ends = rows.indptr.tolist()
    both = list(zip(rows.indices.tolist(), rows.data.tolist(), strict=True))
    return [both[start:end] for start, end in pairwise(ends)]


def _first(
    rows: list[list[tuple[int, int]]], bias: list[int], active: frozenset[int], free: list[int], room: int
) -> Neurons:
    """The first hidden layer with the given features on; bounds are sums of the `room` largest coefficients."""
    place = {feature: j for j, feature in enumerate(free)}
    made = Neurons([], [], [], [])
    for row, b in zip(rows, bias, strict=True):
        base = b + sum(w for j, w in row if j in active)
        kept: list[tuple[int, Number]] = [(place[j], w) for j, w in row if j in place]
        weights = sorted(w for _, w in kept)
        low = base + sum(w for w in weights[:room] if w < 0)
        high = base + sum(w for w in weights[len(weights) - min(room, len(weights)) :] if w > 0)
        _add(made, kept if room else [], base, low, high)
    return made


def _later(rows: list[list[tuple[int, int]]], bias: list[int], before: Neurons) -> Neurons:
    """A later hidden layer; neurons that are never on are left out of its rows."""
    made = Neurons([], [], [], [])
    for row, b in zip(rows, bias, strict=True):
        kept: list[tuple[int, Number]] = [(j, w) for j, w in row if before.high[j] > 0]
        ends = [sorted((w * max(0, before.low[j]), w * before.high[j])) for j, w in kept]
        _add(made, kept, b, b + sum(low for low, _ in ends), b + sum(high for _, high in ends))
    return made


def _add(made: Neurons, row: list[tuple[int, Number]], bias: Number, low: Number, high: Number) -> None:
    dead = high <= 0
    made.rows.append([] if dead else row)
    for part, value in ((made.bias, bias), (made.low, low), (made.high, high)):
        part.append(0 if dead else value)


def by_cases(
    network: Network,
    spec: Spec,
    output: int,
    timeout: float,
    find: Callable[[Case, Clock, Question], list[int] | None],
) -> Answer:
    """Ask a solver case by case.

    Args:
        network: the whole network.
        spec: the whole question.
        output: which output.
        timeout: seconds for the call.
        find: the free features that are on in an input of the case that is wrong, or None where there is none; raises
            TimeoutError.
    """
    clock = Clock(time.perf_counter() + timeout)
    verdict: Verdict = "right"
    try:
        asked = question(network, spec, output)
        for case in asked.cases:
            found = find(case, clock, asked)
            if found is not None:
                verdict = "wrong" if asked.wrong(case.active(found)) else "unsure"
                break
    except TimeoutError:
        verdict = "timeout"
    return clock.answer(verdict)


def possible(case: Case) -> bool:
    """Whether a wrong input can exist at all by the neurons' bounds alone."""
    last = case.layers[-1]
    return sum(w * (last.high[j] if w > 0 else max(0, last.low[j])) for j, w in case.row) >= case.limit
