"""Claims as Z3 terms. Builds them and solves nothing; uses no bound that another engine computed.

A feature is a literal, or where it has more than one value, active or at rest, a real term. Where a cone's integers are
small, ReLU(z) is the sum over t >= 1 of [z >= t] and everything is pseudo-Boolean; otherwise hidden values are integers
or real numbers. Neurons that intervals, or the domain's own greatest values in the first layer, show to be off or
always on lose their case distinction; `stable=False` leaves out the domain's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Any

import z3

from supercheck.base.errors import FaultError
from supercheck.base.interval import Interval
from supercheck.base.matrix import Rows
from supercheck.claims.claims import Claims
from supercheck.network.input import Input
from supercheck.network.network import Network
from supercheck.spec.cases import simplified
from supercheck.spec.domain import Cell, Domain
from supercheck.spec.formula import AtLeast, Formula, Not, Var, support
from supercheck.spec.satisfying import assignments
from supercheck.spec.values import Exact, plain

MOST_CASES = 16  # assignments of a support that are worth a query each
MOST_LEVELS = 12  # values of one neuron that are worth a literal each


@dataclass(frozen=True)
class Query:
    """Some of a claim's inputs.

    Attributes:
        cell: which features are active and which at rest.
        formula: what else has to hold there, or None.
    """

    cell: Cell
    formula: Formula | None = None


def queries(claims: Claims, output: int, on: bool) -> Iterator[Query]:
    """Split the inputs of one class by the assignment of the function's own features while those are few."""
    formula, _ = simplified(claims.formulas[output])
    features = frozenset(support(formula))
    if 1 << len(features) <= MOST_CASES:
        for active in assignments(formula, on, claims.domain.max_active):
            yield Query(Cell(active, features - active))
    else:
        yield Query(Cell(), formula if on else Not(formula))


class Encoding:
    """The terms of one query: a literal for each feature that may be active, constraints, and the form w . h.

    Args:
        network: the slice of one output, features numbered as in `features`.
        domain: the inputs, on those features.
        query: which of them.
        names: for each of the slice's features its number in the whole network.
        stable: whether to simplify neurons by the domain's own greatest values.
    """

    def __init__(
        self, network: Network, domain: Domain, query: Query, names: list[int], *, stable: bool = True
    ) -> None:
        place = {name: j for j, name in enumerate(names)}
        self.names = list(names)
        self.context = z3.Context()  # of its own: what Z3 did before must not steer what it finds now
        self.literals = [z3.Bool(f"x{name}", self.context) for name in names]
        self.values: dict[int, Any] = {}  # the terms of the features that are more than their literal says
        self.constraints: list[Any] = []
        on, off = (frozenset(place[j] for j in part) for part in (query.cell.active, query.cell.rest))
        self.fixed = {**dict.fromkeys(on, True), **dict.fromkeys(off, False)}
        self.constraints += [x if self.fixed[j] else z3.Not(x) for j, x in enumerate(self.literals) if j in self.fixed]
        for coefficients, bound in domain.rows():
            free = [(x, c) for j, (x, c) in enumerate(zip(self.literals, coefficients, strict=True)) if j not in on]
            if free:
                self.constraints.append(z3.PbLe(free, bound - sum(coefficients[j] for j in on)))
        if query.formula is not None:
            self.constraints.append(self.term(query.formula, place))
        cell = Cell(on, off)
        self.empty = domain.maxima(network.matrices[0], cell) is None
        self.sum: Sum = self._network(network, domain, cell, stable) if not self.empty else self._sum(0, [])

    def input(self, model: Any, domain: Domain) -> Input:
        """The input that a model is, of the whole domain."""

        def true(j: int) -> bool:
            return bool(z3.is_true(model.eval(self.literals[j], model_completion=True)))

        active = frozenset(name for j, name in enumerate(self.names) if true(j))
        found = {j: model.eval(value, model_completion=True) for j, value in self.values.items()}
        chosen = {self.names[j]: Fraction(v.numerator_as_long(), v.denominator_as_long()) for j, v in found.items()}
        return domain.filled(active, chosen)

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

    def outside(self, right: Interval) -> Any:
        """That w . h is outside an interval."""
        below = [] if right.low is None else [z3.Not(self.sum.above(right.low, strict=right.low_open))]
        above = [] if right.high is None else [self.sum.above(right.high, strict=not right.high_open)]
        return z3.Or(*below, *above, self.context)

    def _network(self, network: Network, domain: Domain, cell: Cell, stable: bool) -> Sum:
        values = [self._feature(j, domain) for j in range(len(self.literals))]
        for depth, layer in enumerate(network.hidden):
            known = self._known(layer.weight, domain, cell) if stable and depth == 0 else None
            sums = [
                self._combine(int(layer.bias[i]), layer.weight.row(i), values, None if known is None else known[i])
                for i in range(layer.neurons)
            ]
            values = [self._relu(total, f"h{depth + 1}.{i}") for i, total in enumerate(sums)]
        return self._combine(0, network.output.weight.row(0), values, None)

    def _feature(self, j: int, domain: Domain) -> Sum:
        """A feature: a number, a number by its literal, or a term that is among its values."""
        kinds = [self.fixed[j]] if j in self.fixed else [True, False]
        only = [domain.values(active=kind).only for kind in kinds]
        first, last = only[0], only[-1]
        if first is not None and last is not None:
            return self._sum(plain(last), [(self.literals[j], plain(first - last))] if first != last else [])
        term = self.values[j] = z3.Real(f"v{self.names[j]}", self.context)
        for kind in kinds:
            literal = self.literals[j] if kind else z3.Not(self.literals[j])
            parts = domain.values(active=kind).parts
            inside = [z3.And(term >= self._real(part.ends[0]), term <= self._real(part.ends[1])) for part in parts]
            self.constraints.append(z3.Implies(literal, z3.Or(*inside, self.context)))
        ends = [end for kind in kinds for end in domain.values(active=kind).ends]
        return self._sum(0, [(term, 1)], boolean=False, bounds=(min(ends), max(ends)))

    def _real(self, number: Fraction) -> Any:
        return z3.RealVal(str(number), self.context)

    @staticmethod
    def _known(rows: Rows, domain: Domain, cell: Cell) -> list[tuple[Exact, Exact]]:
        """The exact least and greatest W x of each first-layer row in this cell."""
        highest = domain.maxima(rows, cell) or []
        lowest = domain.maxima(rows.holding(-rows.data), cell) or []
        return [(-low, high) for low, high in zip(lowest, highest, strict=True)]

    def _sum(self, base: Exact, parts: Sequence[tuple[Any, Exact]], **more: Any) -> Sum:
        return Sum(self.context, base, parts, **more)

    def _combine(self, base: int, row: tuple[Any, Any], values: list[Sum], known: tuple[Exact, Exact] | None) -> Sum:
        """Base + sum of weight times value, with the bounds of its parts or better ones that are `known` of the sum."""
        columns, weights = row[0].tolist(), row[1].tolist()
        boolean = all(values[j].boolean for j in columns)
        parts: dict[int, tuple[Any, Exact]] = {}  # by the term's identity: a literal may arrive through several neurons
        low: Exact = base
        high: Exact = base
        total: Exact = base
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
        if z.whole and z.highest <= MOST_LEVELS:
            levels = []
            for t in range(1, int(z.highest) + 1):
                level = z3.Bool(f"{name}_{t}", self.context)
                self.constraints.append(level == z.above(t, strict=False))
                levels.append((level, 1))
            return self._sum(0, levels, bounds=(0, z.highest))
        value = z.term()
        kept = z3.If(value >= 0, value, z.number(0))
        return self._sum(0, [(kept, 1)], boolean=False, bounds=(0, z.highest))


class Sum:
    """A linear form over Boolean literals, or over terms, with bounds.

    Attributes:
        base: the constant.
        parts: (term, coefficient).
        boolean: whether every term is a Boolean literal.
        whole: whether beside that every number is an integer, so that it is pseudo-Boolean.
        lowest, highest: bounds of the whole.
    """

    def __init__(
        self,
        context: Any,
        base: Exact,
        parts: Sequence[tuple[Any, Exact]],
        *,
        boolean: bool = True,
        bounds: tuple[Exact, Exact] | None = None,
    ) -> None:
        self.context, self.base, self.parts, self.boolean = context, base, parts, boolean
        integers = isinstance(base, int) and all(isinstance(c, int) for _, c in parts)
        self.whole = boolean and integers
        self.real = not integers or any(z3.is_real(term) for term, _ in parts)
        if boolean:  # literals that cancelled may leave less than their values' bounds say
            own = (base + sum(min(0, c) for _, c in parts), base + sum(max(0, c) for _, c in parts))
            bounds = own if bounds is None else (max(own[0], bounds[0]), min(own[1], bounds[1]))
        if bounds is None:
            raise FaultError("a form needs bounds")
        self.lowest, self.highest = bounds

    def above(self, bound: Exact, *, strict: bool) -> Any:
        """The form is above `bound`, or at it unless that is `strict`."""
        if not self.real:  # a form of integers is above a number from the next integer on
            bound, strict = (floor(bound) + 1 if strict else ceil(bound)), False
        if bound < self.lowest or (bound == self.lowest and not strict):
            return z3.BoolVal(True, self.context)
        if bound > self.highest or (bound == self.highest and strict):
            return z3.BoolVal(False, self.context)
        small = sum(max(c, -c) for _, c in self.parts) < 1 << 30  # z3 reads these coefficients as C integers
        if self.whole and small:
            return z3.PbGe(self.parts, bound - self.base)
        return self.term() > self.number(bound) if strict else self.term() >= self.number(bound)

    def number(self, value: Exact) -> Any:
        """A number of the form's own sort."""
        return z3.RealVal(str(value), self.context) if self.real else z3.IntVal(value, self.context)

    def term(self) -> Any:
        """The form as a term."""
        number = self.number
        terms = [z3.If(term, number(c), number(0)) if z3.is_bool(term) else term * number(c) for term, c in self.parts]
        return z3.Sum(number(self.base), *terms)
