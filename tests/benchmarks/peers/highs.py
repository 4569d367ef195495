"""HiGHS: a mixed-integer program a case, big-M from top-k bounds; always-on neurons are linear."""

from __future__ import annotations

import highspy
import numpy as np

from peers.common import Answer, Case, Clock, Number, Question, by_cases, possible
from supercheck.network.network import Network
from supercheck.spec.spec import Spec


def decide(network: Network, spec: Spec, output: int, timeout: float) -> Answer:
    """Decide one output within `timeout` seconds."""
    return by_cases(network, spec, output, timeout, _find)


def _find(case: Case, clock: Clock, _asked: Question) -> list[int] | None:
    if not possible(case):
        return None
    solver, free = model(case)
    solver.setOptionValue("time_limit", clock.left)
    with clock.solving():
        solver.run()
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        return None
    if status == highspy.HighsModelStatus.kTimeLimit:
        raise TimeoutError
    values = solver.getSolution().col_value
    return [j for j in range(free) if values[j] > 0.5]


def model(case: Case, *, relaxed: bool = False) -> tuple[highspy.Highs, int]:
    """The program that is feasible iff the case has a wrong input; its first columns are the free features.

    Args:
        case: the case.
        relaxed: without integrality: every unstable ReLU becomes its triangle, the inputs the k-sparse polytope.
    """
    case = case.scaled()
    lower, upper, whole = [0.0] * len(case.features), [1.0] * len(case.features), [True] * len(case.features)
    rows: list[tuple[list[tuple[int, Number]], float, float]] = []
    inf = highspy.kHighsInf
    rows.append(([(j, 1) for j in range(len(case.features))], -inf, case.room))
    before = list(range(len(case.features)))
    for layer in case.layers:
        place = [-1] * len(layer.rows)
        for i, row in enumerate(layer.rows):
            low, high, bias = layer.low[i], layer.high[i], layer.bias[i]
            if high <= 0:
                continue
            place[i] = h = len(lower)
            lower, upper, whole = [*lower, max(0.0, low)], [*upper, high], [*whole, False]
            z = [(before[j], -w) for j, w in row]
            if low >= 0:
                rows.append(([(h, 1), *z], bias, bias))
                continue
            on = len(lower)
            lower, upper, whole = [*lower, 0.0], [*upper, 1.0], [*whole, True]
            rows.append(([(h, 1), *z], bias, inf))
            rows.append(([(h, 1), (on, -high)], -inf, 0))
            rows.append(([(h, 1), *z, (on, -low)], -inf, bias - low))
        before = place
    rows.append(([(before[j], w) for j, w in case.row], case.limit, inf))
    return _solver(rows, lower, upper, [] if relaxed else whole), len(case.features)


def _solver(
    rows: list[tuple[list[tuple[int, Number]], float, float]],
    lower: list[float],
    upper: list[float],
    whole: list[bool],
) -> highspy.Highs:
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = len(lower), len(rows)
    program.col_cost_ = np.zeros(len(lower))
    program.col_lower_, program.col_upper_ = np.array(lower), np.array(upper, dtype=float)
    program.row_lower_ = np.array([low for _, low, _ in rows], dtype=float)
    program.row_upper_ = np.array([high for _, _, high in rows], dtype=float)
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = np.cumsum([0, *(len(row) for row, _, _ in rows)])
    program.a_matrix_.index_ = np.array([j for row, _, _ in rows for j, _ in row])
    program.a_matrix_.value_ = np.array([w for row, _, _ in rows for _, w in row], dtype=float)
    if whole:
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        program.integrality_ = [kinds[each] for each in whole]
    solver = highspy.Highs()
    for option, value in (("output_flag", False), ("threads", 1), ("mip_feasibility_tolerance", 1e-9)):
        solver.setOptionValue(option, value)
    solver.passModel(program)
    return solver
