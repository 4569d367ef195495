"""OR-Tools CP-SAT: Boolean inputs, integer neurons, one worker; everything has to stay below 2^62."""

from __future__ import annotations

from typing import Any

from ortools.sat.python import cp_model

from peers.common import Answer, Case, Clock, Question, UnsupportedError, by_cases, possible
from supercheck.network.network import Network
from supercheck.spec.spec import Spec

MOST = 2**62


def decide(network: Network, spec: Spec, output: int, timeout: float) -> Answer:
    """Decide one output within `timeout` seconds."""
    return by_cases(network, spec, output, timeout, _find)


def _find(case: Case, clock: Clock, _asked: Question) -> list[int] | None:
    if not possible(case):
        return None
    model = cp_model.CpModel()
    free = [model.new_bool_var("") for _ in case.features]
    model.add(sum(free) <= case.room)
    before, peaks = free, [1] * len(free)
    for layer in case.layers:
        values: list[Any] = []
        for row, bias, low, high in zip(layer.rows, layer.bias, layer.low, layer.high, strict=True):
            _check(sum(abs(w) * peaks[j] for j, w in row) + abs(bias))
            if high <= 0:
                values.append(None)
                continue
            h = model.new_int_var(max(0, low), high, "")
            values.append(h)
            z = cp_model.LinearExpr.weighted_sum([before[j] for j, _ in row], [w for _, w in row]) + bias
            if low >= 0:
                model.add(h == z)
            else:
                on = model.new_bool_var("")
                model.add(h >= z)
                model.add(h <= high * on)
                model.add(h <= z - low * (1 - on))
        before, peaks = values, layer.high  # type: ignore[assignment]
    _check(sum(abs(w) * peaks[j] for j, w in case.row) + abs(case.limit))
    total = cp_model.LinearExpr.weighted_sum([before[j] for j, _ in case.row], [w for _, w in case.row])
    model.add(total >= case.limit)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_time_in_seconds = clock.left
    with clock.solving():
        status = solver.solve(model)
    if status == cp_model.INFEASIBLE:
        return None
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        raise TimeoutError
    return [j for j, x in enumerate(free) if solver.boolean_value(x)]


def _check(size: float) -> None:
    if size >= MOST:
        raise UnsupportedError("exceeds 2^62")
