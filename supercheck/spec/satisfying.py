"""Which inputs satisfy a formula: its assignments, how few active features they need, whether there is one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations, islice
from math import comb, inf

from supercheck.spec.formula import Formula, Lookup, Not, Var, Xor, evaluate, inside, support, variables

TRIED = 1 << 17  # assignments that settling one function may take


def assignments(formula: Formula, on: bool, limit: int) -> Iterator[frozenset[int]]:
    """The assignments of a formula's own features with at most `limit` on at which it is `on`.

    Yields:
        Each one's active features; fewest first, then in lexicographic order.
    """
    features = support(formula)
    for size in range(min(limit, len(features)) + 1):
        members = combinations(features, size)
        while chunk := list(islice(members, 4096)):
            ones = (1 << len(chunk)) - 1
            columns = dict.fromkeys(features, 0)
            for position, active in enumerate(chunk):
                for feature in active:
                    columns[feature] |= 1 << position
            true = evaluate(formula, columns.__getitem__, ones)
            yield from (frozenset(a) for p, a in enumerate(chunk) if bool(true >> p & 1) == on)


def least_active(formula: Formula) -> tuple[float, float] | None:
    """How few active features make a read-once formula false, and how few make it true.

    Returns:
        (fewest for 0, fewest for 1), `inf` where nothing does; None where a feature occurs twice.

    Source: ours. Parts of a read-once formula share no feature, so their costs add; of `AtLeast`
    the `count` parts that are cheapest to turn on are on, and any other whose being on is cheaper.
    """
    seen = list(variables(formula))
    return _least(formula) if len(seen) == len(set(seen)) else None


def _least(formula: Formula) -> tuple[float, float]:
    if isinstance(formula, Var):
        return 0, 1
    if isinstance(formula, Lookup):
        sizes = Counter(len(on) for on, holds in zip(formula.table.rows, formula.column, strict=False) if holds)
        width = len(formula.features)
        least = next((size for size in range(width + 1) if sizes[size] < comb(width, size)), inf)
        return least, min(sizes, default=inf)
    parts = [_least(part) for part in inside(formula)]
    if isinstance(formula, Not):
        return parts[0][1], parts[0][0]
    if isinstance(formula, Xor):
        even, odd = 0.0, inf
        for off, on in parts:
            even, odd = min(even + off, odd + on), min(even + on, odd + off)
        return even, odd
    # some parts can only be on, some only off; the others, by what turning them on adds
    base = sum(min(part) if inf in part else part[0] for part in parts)
    forced = sum(off == inf for off, _ in parts)
    extra = sorted(on - off for off, on in parts if inf not in (off, on))
    gain, needed = sum(d < 0 for d in extra), formula.count - forced  # turning on the first `gain` saves features

    def cost(count: int) -> float:
        return base + sum(extra[:count])

    least_on = inf if needed > len(extra) else cost(max(needed, gain, 0))
    least_off = inf if needed <= 0 else cost(min(needed - 1, gain))
    return least_off, least_on


def reaches(formula: Formula, on: bool, limit: int, budget: int = TRIED) -> bool | None:
    """Whether some input with at most `limit` features on makes the formula `on`.

    Returns:
        True or False, both exact; None where `budget` assignments did not settle it.
    """
    least = least_active(formula)
    if least is not None:
        return least[on] <= limit
    if not evaluate(formula, lambda _: 0):  # the all-zero input always belongs to the domain
        if not on:
            return True
    elif on:
        return True
    features, total, count = len(support(formula)), 1, 1
    for size in range(1, min(limit, features) + 1):
        count = count * (features - size + 1) // size
        total += count
        if total > budget:
            return True if next(assignments(formula, on, size - 1), None) is not None else None
    return next(assignments(formula, on, limit), None) is not None
