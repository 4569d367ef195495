"""Marabou: a query a case over the k-sparse polytope with top-k boxes, triangles; inputs become 0/1 only where needed.

Without any 0/1 constraint UNSAT already means that no input is wrong. A point of the polytope is rounded and replayed;
if it is not wrong, every input gets the disjunction x <= 0 or x >= 1 and the case is asked again.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

from peers.common import Answer, Case, Clock, Number, Question, by_cases, possible
from supercheck.network.network import Network
from supercheck.spec.spec import Spec

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from maraboupy import MarabouCore
Equation = MarabouCore.Equation


def decide(network: Network, spec: Spec, output: int, timeout: float) -> Answer:
    """Decide one output within `timeout` seconds; Marabou counts whole ones."""
    return by_cases(network, spec, output, timeout, _find)


def _find(case: Case, clock: Clock, asked: Question) -> list[int] | None:
    if not possible(case):
        return None
    scaled = case.scaled()
    values = _solve(scaled, clock, whole=False)
    if values is None:
        return None
    ranked = sorted(range(len(values)), key=lambda j: -values[j])[: case.room]  # type: ignore[index]
    rounded = [j for j in ranked if values[j] > 0.5]
    for found in (rounded, [j for j in ranked if values[j] > 1e-6]):
        if asked.wrong(case.active(found)):
            return found
    values = _solve(scaled, clock, whole=True)
    return None if values is None else [j for j, value in enumerate(values) if value > 0.5]


def _solve(case: Case, clock: Clock, *, whole: bool) -> list[float] | None:
    query = MarabouCore.InputQuery()
    inputs = len(case.features)
    boxes: list[tuple[Number, Number]] = [(0, 1)] * inputs
    rows: list[tuple[list[tuple[int, Number]], Number, str]] = [([(j, 1) for j in range(inputs)], case.room, "LE")]
    relus: list[tuple[int, int]] = []
    before = list(range(inputs))
    for layer in case.layers:
        place = []
        for row, bias, low, high in zip(layer.rows, layer.bias, layer.low, layer.high, strict=True):
            place.append(-1)
            if high <= 0:
                continue
            z = len(boxes)
            boxes.append((low, high))
            rows.append(([*((before[j], w) for j, w in row), (z, -1)], -bias, "EQ"))
            if low < 0:
                relus.append((z, z + 1))
                boxes.append((0, high))
                slope = high / (high - low)  # without the triangle in the query Marabou may not come back
                rows.append(([(z + 1, 1), (z, -slope)], -slope * low, "LE"))
                rows.append(([(z, 1), (z + 1, -1)], 0, "LE"))
            place[-1] = len(boxes) - 1
        before = place
    rows.append(([(before[j], w) for j, w in case.row], case.limit, "GE"))
    query.setNumberOfVariables(len(boxes))
    for j, (low, high) in enumerate(boxes):
        query.setLowerBound(j, low)
        query.setUpperBound(j, high)
    for row, bound, kind in rows:
        query.addEquation(_equation(row, bound, kind))
    for z, h in relus:
        MarabouCore.addReluConstraint(query, z, h)
    if whole:
        for j in range(inputs):
            sides = [[_equation([(j, 1)], 0, "LE")], [_equation([(j, 1)], 1, "GE")]]
            MarabouCore.addDisjunctionConstraint(query, sides)
    options = MarabouCore.Options()
    options._verbosity, options._timeoutInSeconds = 0, math.ceil(clock.left)
    with clock.solving():
        status, values, _ = MarabouCore.solve(query, options, "")
    if status == "unsat":
        return None
    if status != "sat":
        raise TimeoutError
    return [values[j] for j in range(inputs)]


def _equation(row: list[tuple[int, Number]], bound: Number, kind: str) -> Any:
    equation = Equation(getattr(Equation, kind))
    for j, weight in row:
        equation.addAddend(weight, j)
    equation.setScalar(bound)
    return equation
