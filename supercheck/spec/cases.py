"""Formulas up to the names of their features, and the cases into which a shape's inputs fall.

Fifty thousand ANDs of two features are one shape: what is found out of it once holds for all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache

from supercheck.spec.domain import Cell
from supercheck.spec.formula import FALSE, TRUE, AtLeast, Formula, Lookup, Not, Var, Xor, support, variables
from supercheck.spec.satisfying import assignments

MOST_SPLIT = 4  # features of a function that are split into all their assignments
MOST_CASES = 4096  # cases that are worth looking at one by one
MOST_WIDTH = 1 << 10  # features of a function that are split at all
MOST_POSITIONS = 1 << 20  # features fixed in all parts of a split, and on the way there
MOST_VISITS = 1 << 23  # features of a function looked at while it is split
MOST_KEPT = 128  # shapes whose cases are remembered
_DIGITS = bytes([48, 49, *range(2, 256)])  # 0 and 1 as text


@dataclass(frozen=True)
class Case:
    """Some inputs at which a function says the same.

    Attributes:
        target: what it says.
        cell: which they are, by positions in its support.
    """

    target: int
    cell: Cell

    @classmethod
    def of(cls, target: int, on: Iterable[int], off: Iterable[int]) -> Case:
        """The case with these positions active and those at rest."""
        return cls(int(target), Cell(frozenset(on), frozenset(off)))

    @property
    def on(self) -> tuple[int, ...]:
        """The positions that are active, ascending."""
        return tuple(sorted(self.cell.active))

    @property
    def off(self) -> tuple[int, ...]:
        """The positions that are at rest, ascending."""
        return tuple(sorted(self.cell.rest))


@dataclass(frozen=True)
class Shapes:
    """Many functions by their shapes.

    Attributes:
        forms: the distinct shapes.
        of: for each function the number of its shape.
        supports: for each function the feature at each position.
        reduced: the functions that lost features, or equal parts of a parity, when they were simplified; what is known
            of the shape may not be seen in them as they are written.
    """

    forms: Sequence[Formula]
    of: Sequence[int]
    supports: Sequence[tuple[int, ...]]
    reduced: Set[int] = frozenset()

    @classmethod
    def among(cls, formulas: Iterable[Formula]) -> Shapes:
        """The shapes of many functions."""
        numbers: dict[Formula, int] = {}
        flat: dict[tuple[bool, int, int], int] = {}  # the number of a gate over so many plain features
        of: list[int] = []
        supports, reduced = list[tuple[int, ...]](), set[int]()
        for formula in formulas:
            written, lost = formula, False
            features = _features(formula)
            if features is None:
                formula, lost = simplified(formula)
                features = _features(formula)
            if features is None:
                place: dict[int, int] = {}
                of.append(numbers.setdefault(_renamed(formula, place), len(numbers)))
                features = tuple(place)
            else:
                key = (type(formula) is Xor, getattr(formula, "count", 0), len(features))
                if key not in flat:
                    flat[key] = numbers.setdefault(_renamed(formula, {}), len(numbers))
                of.append(flat[key])
            if lost or (formula is not written and len(features) < len(set(variables(written)))):
                reduced.add(len(supports))
            supports.append(features)
        return cls(tuple(numbers), of, supports, reduced)


def _features(formula: Formula) -> tuple[int, ...] | None:
    """The features of a gate over plain features, each once; None for any other formula."""
    if isinstance(formula, Lookup):
        return None
    try:
        features = tuple([part.index for part in formula.inside])  # type: ignore[union-attr]
    except (AttributeError, TypeError):
        return None
    return features if features and len(set(features)) == len(features) else None


def simplified(formula: Formula) -> tuple[Formula, bool]:
    """The same function without constants, double negations and repeated parts, in linear time.

    Returns:
        The formula, and whether equal parts of a parity cancelled.
    """
    kept: dict[Hashable, Formula] = {}  # equal parts are one object, so that they are told apart by their identity
    cancelled = False

    def one(key: Hashable, node: Formula) -> Formula:
        return kept.setdefault(key, node)

    def opposite(part: Formula) -> Formula:
        if part is on or part is off:
            return off if part is on else on
        return part.inside if isinstance(part, Not) else one(("!", id(part)), Not(part))

    def gate(count: int, parts: list[Formula]) -> Formula:
        left = [part for part in parts if part is not on and part is not off]
        count -= sum(part is on for part in parts)
        if count <= 0 or count > len(left):
            return on if count <= 0 else off
        if count in (1, len(left)):
            every, left = count == len(left), list({id(part): part for part in left}.values())
            count = len(left) if every else 1
        return left[0] if len(left) == 1 else one((count, *map(id, left)), AtLeast(count, tuple(left)))

    def parity(parts: list[Formula]) -> Formula:
        nonlocal cancelled
        times = Counter(id(part) for part in parts if part is not on and part is not off)
        odd = {id(part): part for part in parts if times[id(part)] % 2}
        cancelled |= len(odd) < sum(times.values())
        left, flip = list(odd.values()), sum(part is on for part in parts) % 2
        found = off if not left else left[0] if len(left) == 1 else one(("^", *odd), Xor(tuple(left)))
        return opposite(found) if flip else found

    def of(node: Formula) -> Formula:
        if isinstance(node, Var | Lookup):
            return one(node, node)
        if isinstance(node, Not):
            return opposite(of(node.inside))
        parts = [of(part) for part in node.inside]
        return parity(parts) if isinstance(node, Xor) else gate(node.count, parts)

    on, off = one("1", TRUE), one("0", FALSE)
    return of(formula), cancelled


def _renamed(formula: Formula, place: dict[int, int]) -> Formula:
    if isinstance(formula, Var):
        return Var(place.setdefault(formula.index, len(place)))
    if isinstance(formula, Not):
        return Not(_renamed(formula.inside, place))
    if isinstance(formula, Lookup):
        named = tuple([place.setdefault(feature, len(place)) for feature in formula.features])
        return Lookup(named, formula.table, formula.column)
    parts = tuple(_renamed(part, place) for part in formula.inside)
    return Xor(parts) if isinstance(formula, Xor) else AtLeast(formula.count, parts)


@lru_cache(MOST_KEPT)
def cases(formula: Formula, limit: int) -> tuple[Case, ...] | None:
    """Cases that hold, between them, exactly the inputs with at most `limit` features of a shape on.

    Returns:
        All assignments where there are few features; otherwise the leaves of a decision tree, which ends where the
        function is known. None where there are too many. Those most often wrong come first: of the off
        ones those with most on, then the on ones, then the off one without any.
    """
    width = len(support(formula))
    found: list[Case] = []
    if width <= MOST_SPLIT:
        for value in (False, True):
            for active in assignments(formula, value, limit):
                found.append(Case.of(value, active, (j for j in range(width) if j not in active)))
    else:
        for case in _leaves(formula, limit) if width <= MOST_WIDTH else (None,):
            if case is None or len(found) == MOST_CASES:
                return None
            found.append(case)
    return tuple(sorted(found, key=lambda case: (not case.on and not case.target, case.target, -len(case.on), case.on)))


CASE = -1  # in a decision tree: here ends a branch


@lru_cache(MOST_KEPT)
def decision_tree(formula: Formula, limit: int) -> tuple[tuple[int, ...], tuple[bool, ...]] | None:
    """A decision tree over a shape's inputs with at most `limit` features on; the function is known at its ends.

    Returns:
        The tree in preorder: a position to branch on, whose on-side comes first, or `CASE`; and what the function
        says in each case, in the same order. Few features are branched on all; None where there are too many cases.
    """
    width, size = len(support(formula)), sum(1 for _ in variables(formula))
    tree: list[int] = []
    values: list[bool] = []
    stack: list[dict[int, bool]] = [{}]
    positions = visits = 0
    while stack:
        fixed = stack.pop()
        positions, visits = positions + len(fixed), visits + size
        if len(values) > MOST_CASES or positions > MOST_POSITIONS or width > MOST_WIDTH or visits > MOST_VISITS:
            return None
        full = sum(fixed.values()) == limit
        known = decided(formula, fixed, default=False if full else None)
        branch = known.index if isinstance(known, Var) else len(fixed)
        if isinstance(known, Var) or (width <= MOST_SPLIT and not full and branch < width):
            if width <= MOST_SPLIT:
                branch = len(fixed)
            tree.append(branch)
            stack += [{**fixed, branch: False}, {**fixed, branch: True}]
        else:
            tree.append(CASE)
            values.append(bool(known))
    return tuple(tree), tuple(values)


def _leaves(formula: Formula, limit: int) -> Iterator[Case | None]:
    """The leaves of a decision tree; None where it becomes too large."""
    stack: list[dict[int, bool]] = [{}]
    positions, visits, size = 0, 0, sum(1 for _ in variables(formula))
    while stack:
        fixed = stack.pop()
        positions, visits = positions + len(fixed), visits + size
        if positions > MOST_POSITIONS or visits > MOST_VISITS:
            yield None
            return
        on = tuple(sorted(j for j, value in fixed.items() if value))
        known = decided(formula, fixed, default=False if len(on) == limit else None)
        if isinstance(known, bool):
            yield Case.of(known, on, (j for j, value in fixed.items() if not value))
        else:
            stack += [{**fixed, known.index: False}, {**fixed, known.index: True}]


def decided(formula: Formula, fixed: Mapping[int, bool], default: bool | None = None) -> bool | Var:
    """The formula's value with some features fixed, or a feature that it still depends on.

    Args:
        formula: the function.
        fixed: features and whether they are on.
        default: what the others are, if that is known.
    """
    if isinstance(formula, Var):
        value = fixed.get(formula.index, default)
        return formula if value is None else value
    if isinstance(formula, Not):
        inner = decided(formula.inside, fixed, default)
        return inner if isinstance(inner, Var) else not inner
    if isinstance(formula, Lookup):
        return _looked_up(formula, fixed, default)
    parts = [decided(part, fixed, default) for part in formula.inside]
    open_ = [part for part in parts if isinstance(part, Var)]
    on = sum(part is True for part in parts)
    if isinstance(formula, Xor):
        return open_[0] if open_ else on % 2 == 1
    if on >= formula.count or on + len(open_) < formula.count:
        return on >= formula.count
    return open_[0]


def _looked_up(formula: Lookup, fixed: Mapping[int, bool], default: bool | None) -> bool | Var:
    """The same of a truth table's output: of the first row at which it may be on, a feature, those on there first."""
    named = formula.features
    if default is not None or all(j in fixed for j in named):
        return bool(formula.at(frozenset([p for p, j in enumerate(named) if fixed.get(j, default)])))
    columns, rows = formula.table.columns, int(formula.column[::-1].translate(_DIGITS), 2)
    for position, feature in enumerate(named):
        if feature in fixed:
            on = columns.get(position, 0)
            rows &= on if fixed[feature] else ~on
    if not rows:
        return False
    on_there = formula.table.rows[(rows & -rows).bit_length() - 1]
    ordered = sorted(range(len(named)), key=lambda p: (p not in on_there, p))
    return Var(next(named[p] for p in ordered if named[p] not in fixed))
