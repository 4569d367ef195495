"""Claims as Z3 terms. Builds them and solves nothing; uses no bound that another engine computed.

Inputs are Booleans. Where a cone's integers are small, ReLU(z) is the sum over t >= 1 of [z >= t] and
everything is pseudo-Boolean; otherwise hidden values are integers. Neurons that intervals, or the closed-form
top-k bound of the first layer, show to be off or always on lose their case distinction; `stable=False` leaves
out the top-k bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import z3

from supercheck.base.errors import FaultError
from supercheck.base.matrix import Rows
from supercheck.claims.claims import Claims
from supercheck.network.network import Network
from supercheck.spec.cases import simplified
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import AtLeast, Formula, Not, Var, support
from supercheck.spec.satisfying import assignments

MOST_CASES = 16  # assignments of a support that are worth a query each
MOST_LEVELS = 12  # values of one neuron that are worth a literal each


@dataclass(frozen=True)
class Case:
    """One query: some of the claim's inputs.

    Attributes:
        on: features that are on.
        off: features that are off.
        formula: what else has to hold there, or None.
    """

    on: frozenset[int]
    off: frozenset[int]
    formula: Formula | None = None


def cases(claims: Claims, output: int, on: bool) -> Iterator[Case]:
    """Split the inputs of one class by the assignment of the function's own features while those are few."""
    formula, _ = simplified(claims.formulas[output])
    features = frozenset(support(formula))
    if 1 << len(features) <= MOST_CASES:
        for active in assignments(formula, on, claims.domain.max_active):
            yield Case(active, features - active)
    else:
        yield Case(frozenset(), frozenset(), formula if on else Not(formula))


class Encoding:
    """The terms of one case: input literals, constraints, and the integer w . h.

    Args:
        network: the slice of one output, features numbered as in `features`.
        domain: the inputs, on those features.
        case: which of them.
        names: for each of the slice's features its number in the whole network.
        stable: whether to simplify neurons by the domain's own top-k bound.
    """

    def __init__(self, network: Network, domain: KSparse, case: Case, names: list[int], *, stable: bool = True) -> None:
        place = {name: j for j, name in enumerate(names)}
        self.names = names
        self.context = z3.Context()  # of its own: what Z3 did before must not steer what it finds now
        self.literals = [z3.Bool(f"x{name}", self.context) for name in names]
        self.constraints: list[Any] = []
        on, off = (frozenset(place[j] for j in part) for part in (case.on, case.off))
        self.fixed = {**dict.fromkeys(on, True), **dict.fromkeys(off, False)}
        self.constraints += [x if self.fixed[j] else z3.Not(x) for j, x in enumerate(self.literals) if j in self.fixed]
        for coefficients, bound in domain.rows():
            free = [(x, c) for j, (x, c) in enumerate(zip(self.literals, coefficients, strict=True)) if j not in on]
            if free:
                self.constraints.append(z3.PbLe(free, bound - sum(coefficients[j] for j in on)))
        if case.formula is not None:
            self.constraints.append(self.term(case.formula, place))
        self.empty = domain.maxima(network.matrices[0], on, off) is None
        self.sum: Sum = self._network(network, domain, on, off, stable) if not self.empty else self._sum(0, [])

    def term(self, formula: Formula, place: dict[int, int]) -> Any:
        """A Boolean function as a term."""
        if isinstance(formula, Var):
            return self.literals[place[formula.index]]
        if isinstance(formula, Not):
            return z3.Not(self.term(formula.inside, place))
        parts = [self.term(part, place) for part in formula.inside]
        if isinstance(formula, AtLeast):
            if formula.count <= 0 or formula.count > len(parts):
                return z3.BoolVal(formula.count <= 0, self.context)
            return z3.PbGe([(part, 1) for part in parts], formula.count)
        odd = z3.BoolVal(False, self.context)
        for part in parts:
            odd = z3.Xor(odd, part)
        return odd

    def outside(self, lowest: int | None, highest: int | None) -> Any:
        """That w . h is below `lowest` or above `highest`."""
        below = [] if lowest is None else [self.sum.at_most(lowest - 1)]
        above = [] if highest is None else [self.sum.at_least(highest + 1)]
        return z3.Or(*below, *above, self.context)

    def _network(self, network: Network, domain: KSparse, on: frozenset[int], off: frozenset[int], stable: bool) -> Sum:
        inputs: list[Sum] = []
        for j, x in enumerate(self.literals):
            inputs.append(self._sum(int(self.fixed[j]), []) if j in self.fixed else self._sum(0, [(x, 1)]))
        values = inputs
        for depth, layer in enumerate(network.hidden):
            known = self._known(layer.weight, domain, on, off) if stable and depth == 0 else None
            sums = [
                self._combine(int(layer.bias[i]), layer.weight.row(i), values, None if known is None else known[i])
                for i in range(layer.neurons)
            ]
            values = [self._relu(total, f"h{depth}_{i}") for i, total in enumerate(sums)]
        return self._combine(0, network.output.weight.row(0), values, None)

    @staticmethod
    def _known(rows: Rows, domain: KSparse, on: frozenset[int], off: frozenset[int]) -> list[tuple[int, int]]:
        """The exact least and greatest W x of each first-layer row in this case."""
        highest = domain.maxima(rows, on, off) or []
        lowest = domain.maxima(rows.holding(-rows.data), on, off) or []
        return [(-low, high) for low, high in zip(lowest, highest, strict=True)]

    def _sum(self, base: int, parts: list[tuple[Any, int]], **more: Any) -> Sum:
        return Sum(self.context, base, parts, **more)

    def _combine(self, base: int, row: tuple[Any, Any], values: list[Sum], known: tuple[int, int] | None) -> Sum:
        """Base + sum of weight times value, with the bounds of its parts or better ones that are `known` of the sum."""
        columns, weights = row[0].tolist(), row[1].tolist()
        boolean = all(values[j].boolean for j in columns)
        parts: dict[int, tuple[Any, int]] = {}  # by the term's identity: a literal may arrive through several neurons
        low = high = total = base
        for j, weight in zip(columns, weights, strict=True):
            value = values[j]
            total += weight * value.base
            for term, c in value.parts:
                key = term.get_id()
                parts[key] = (term, weight * c + (parts[key][1] if key in parts else 0))
            ends = (weight * value.lowest, weight * value.highest)
            low, high = low + min(ends), high + max(ends)
        if known is not None:
            low, high = max(low, base + known[0]), min(high, base + known[1])
        return self._sum(total, [part for part in parts.values() if part[1]], boolean=boolean, bounds=(low, high))

    def _relu(self, z: Sum, name: str) -> Sum:
        if z.highest <= 0:
            return self._sum(0, [])
        if z.lowest >= 0:
            return z
        if z.boolean and z.highest <= MOST_LEVELS:
            levels = []
            for t in range(1, z.highest + 1):
                level = z3.Bool(f"{name}_{t}", self.context)
                self.constraints.append(level == z.at_least(t))
                levels.append((level, 1))
            return self._sum(0, levels, bounds=(0, z.highest))
        value = z.integer()
        kept = z3.If(value >= 0, value, z3.IntVal(0, self.context))
        return self._sum(0, [(kept, 1)], boolean=False, bounds=(0, z.highest))


class Sum:
    """An integer linear form over Boolean literals, or over integer terms, with bounds.

    Attributes:
        base: the constant.
        parts: (term, coefficient).
        boolean: whether every term is a Boolean literal.
        lowest, highest: bounds of the whole.
    """

    def __init__(
        self,
        context: Any,
        base: int,
        parts: list[tuple[Any, int]],
        *,
        boolean: bool = True,
        bounds: tuple[int, int] | None = None,
    ) -> None:
        self.context, self.base, self.parts, self.boolean = context, base, parts, boolean
        if boolean:  # literals that cancelled may leave less than their values' bounds say
            own = (base + sum(min(0, c) for _, c in parts), base + sum(max(0, c) for _, c in parts))
            bounds = own if bounds is None else (max(own[0], bounds[0]), min(own[1], bounds[1]))
        if bounds is None:
            raise FaultError("an integer form needs bounds")
        self.lowest, self.highest = bounds

    def at_least(self, bound: int) -> Any:
        """The form is at least `bound`."""
        if bound <= self.lowest or bound > self.highest:
            return z3.BoolVal(bound <= self.lowest, self.context)
        small = sum(abs(c) for _, c in self.parts) < 1 << 30  # z3 reads pseudo-Boolean coefficients as C integers
        if self.boolean and small:
            return z3.PbGe(self.parts, bound - self.base)
        return self.integer() >= bound

    def at_most(self, bound: int) -> Any:
        """The form is at most `bound`."""
        return z3.Not(self.at_least(bound + 1))

    def integer(self) -> Any:
        """The form as an integer term."""

        def number(value: int) -> Any:
            return z3.IntVal(value, self.context)

        terms = [z3.If(term, number(c), number(0)) if z3.is_bool(term) else term * number(c) for term, c in self.parts]
        return z3.Sum(number(self.base), *terms)
