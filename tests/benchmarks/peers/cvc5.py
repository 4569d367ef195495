"""cvc5 in QF_LIA: a query a case; inputs are integers from 0 to 1, unstable neurons if-then-else, bounds from top-k."""

from __future__ import annotations

import cvc5
from cvc5 import Kind

from peers.common import Answer, Case, Clock, Number, Question, by_cases, possible
from supercheck.network.network import Network
from supercheck.spec.spec import Spec


def decide(network: Network, spec: Spec, output: int, timeout: float) -> Answer:
    """Decide one output within `timeout` seconds."""
    return by_cases(network, spec, output, timeout, _find)


def _find(case: Case, clock: Clock, asked: Question) -> list[int] | None:
    if not possible(case):
        return None
    terms = cvc5.TermManager()
    solver = cvc5.Solver(terms)
    solver.setOption("produce-models", "true")
    solver.setLogic("QF_LIA")
    whole, zero, one = terms.getIntegerSort(), terms.mkInteger(0), terms.mkInteger(1)

    def add(row: list[tuple[int, Number]], before: list[cvc5.Term], bias: Number) -> cvc5.Term:
        parts = [terms.mkTerm(Kind.MULT, terms.mkInteger(str(w)), before[j]) for j, w in row] + [
            terms.mkInteger(str(bias))
        ]
        return terms.mkTerm(Kind.ADD, *parts) if len(parts) > 1 else parts[0]

    def fact(kind: Kind, left: cvc5.Term, right: cvc5.Term) -> None:
        solver.assertFormula(terms.mkTerm(kind, left, right))

    free = [terms.mkConst(whole, f"x{j}") for j in range(len(case.features))]
    for x in free:
        fact(Kind.GEQ, x, zero)
        fact(Kind.LEQ, x, one)
    if free:
        fact(Kind.LEQ, add([(j, 1) for j in range(len(free))], free, 0), terms.mkInteger(case.room))
    before = free
    for depth, layer in enumerate(case.layers):
        values = []
        for i, (row, bias, low, high) in enumerate(zip(layer.rows, layer.bias, layer.low, layer.high, strict=True)):
            z = add(row, before, bias) if high > 0 else zero
            if high > 0 > low:
                h = terms.mkConst(whole, f"h{depth}_{i}")
                fact(Kind.EQUAL, h, terms.mkTerm(Kind.ITE, terms.mkTerm(Kind.GEQ, z, zero), z, zero))
                fact(Kind.LEQ, h, terms.mkInteger(str(high)))
                z = h
            values.append(z)
        before = values
    fact(Kind.GEQ, add(case.row, before, 0), terms.mkInteger(str(case.limit)))
    solver.setOption("tlimit-per", str(max(1, int(1000 * clock.left))))
    with clock.solving():
        answer = solver.checkSat()
    if answer.isUnsat():
        return None
    if not answer.isSat():
        raise TimeoutError
    return [j for j, x in enumerate(free) if solver.getValue(x).getIntegerValue() == 1]
