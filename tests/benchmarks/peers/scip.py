"""SCIP: the same program as for HiGHS."""

from __future__ import annotations

from typing import Any

from pyscipopt import Model, quicksum

from peers.common import Answer, Case, Clock, Question, by_cases, possible
from supercheck.network.network import Network
from supercheck.spec.spec import Spec


def decide(network: Network, spec: Spec, output: int, timeout: float) -> Answer:
    """Decide one output within `timeout` seconds."""
    return by_cases(network, spec, output, timeout, _find)


def _find(case: Case, clock: Clock, _asked: Question) -> list[int] | None:
    if not possible(case):
        return None
    case = case.scaled()
    solver = Model()
    solver.hideOutput()
    free = [solver.addVar(vtype="B") for _ in case.features]
    solver.addCons(quicksum(free) <= case.room)
    before = free
    for layer in case.layers:
        values: list[Any] = []
        for row, bias, low, high in zip(layer.rows, layer.bias, layer.low, layer.high, strict=True):
            if high <= 0:
                values.append(None)
                continue
            h = solver.addVar(lb=max(0, low), ub=high)
            values.append(h)
            z = quicksum(w * before[j] for j, w in row) + bias
            if low >= 0:
                solver.addCons(h == z)
                continue
            on = solver.addVar(vtype="B")
            solver.addCons(h >= z)
            solver.addCons(h <= high * on)
            solver.addCons(h <= z - low * (1 - on))
        before = values
    solver.addCons(quicksum(w * before[j] for j, w in case.row) >= case.limit)
    solver.setParam("limits/time", clock.left)
    with clock.solving():
        solver.optimize()
    status = solver.getStatus()
    if status == "infeasible":
        return None
    if status != "optimal":
        raise TimeoutError
    return [j for j, x in enumerate(free) if solver.getVal(x) > 0.5]
