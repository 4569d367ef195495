"""Z3 as one would first write it down: real inputs that are 0 or 1, If for ReLU, one query an output, no bounds."""

from __future__ import annotations

import time

import numpy as np
import z3

from peers.common import Answer, Clock, UnsupportedError, Verdict, wrong
from supercheck.base.matrix import Array
from supercheck.network.network import Network
from supercheck.spec.formula import AtLeast, Formula, Not, Var, support
from supercheck.spec.spec import Spec


def decide(network: Network, spec: Spec, output: int, timeout: float, *, sliced: bool = True) -> Answer:
    """Decide one output within `timeout` seconds; of the whole network, or of the output's own part of it."""
    clock, at = Clock(time.perf_counter() + timeout), spec.readout.at
    if at is None:
        raise UnsupportedError("only threshold readouts")
    place = output
    verdict: Verdict = "timeout"
    try:
        features = list(range(network.features))
        if sliced:
            features = sorted({*map(int, network.cone([output])[0]), *support(spec.formulas[output])})
            network, place = network.slice([output], np.arange(network.features)), 0
        context = z3.Context()
        solver = z3.Solver(ctx=context)
        x = {j: z3.Real(f"x{j}", context) for j in features}
        solver.add([z3.Or(value == 0, value == 1) for value in x.values()])
        solver.add(z3.Sum(list(x.values())) <= spec.domain.max_active)
        h = x
        for depth, layer in enumerate(network.hidden):
            after = {}
            for i in range(layer.neurons):
                z, value = _form(layer.weight.row(i), h, int(layer.bias[i])), z3.Real(f"h{depth}_{i}", context)
                solver.add(value == z3.If(z >= 0, z, z3.RealVal(0, context)))
                after[i] = value
            h = after
        limit = (at - network.output.bias[place]) / network.output.scale[place]
        y, bound = _form(network.output.weight.row(place), h, 0), z3.RealVal(str(limit), context)
        solver.add((y > bound) != _holds(spec.formulas[output], x))
        solver.set("timeout", max(1, int(1000 * clock.left)))
        with clock.solving():
            answer = solver.check()
        if answer == z3.sat:
            model = solver.model()
            active = frozenset(j for j, value in x.items() if model.eval(value, model_completion=True).as_long() == 1)
            verdict = "wrong" if wrong(network, spec, place, output, active) else "unsure"
        elif answer == z3.unsat:
            verdict = "right"
    except TimeoutError:
        pass
    return clock.answer(verdict)


def _form(row: tuple[Array, Array], h: dict[int, z3.ArithRef], bias: int) -> z3.ArithRef:
    return z3.Sum([int(w) * h[j] for j, w in zip(row[0].tolist(), row[1].tolist(), strict=True)]) + bias


def _holds(formula: Formula, x: dict[int, z3.ArithRef]) -> z3.BoolRef:
    if isinstance(formula, Var):
        return x[formula.index] == 1
    if isinstance(formula, Not):
        return z3.Not(_holds(formula.inside, x))
    parts = [_holds(part, x) for part in formula.inside]
    if isinstance(formula, AtLeast) and formula.count == len(parts):
        return z3.And(parts)
    if isinstance(formula, AtLeast) and formula.count == 1:
        return z3.Or(parts)
    raise UnsupportedError("only ANDs and ORs")
