"""Boolean feature functions: a core of four nodes, sugar over it, exact evaluation.

Trusts and imports nothing but the standard library. `evaluate` is the reference meaning of a
formula; it works on many inputs at once, one bit of a Python integer each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache

from supercheck.base.errors import InputError, spelled
from supercheck.base.numbers import whole

LARGEST = 10**9 - 1  # a feature's number, or a count, that a formula in text can have


@dataclass(frozen=True, slots=True)
class Var:
    """Feature `index` is on."""

    index: int

    def __post_init__(self) -> None:
        """Refuse what is no feature's number; numpy's integers, which wrap, become Python's."""
        if type(self.index) is not int or not 0 <= self.index <= LARGEST:
            object.__setattr__(self, "index", whole(self.index, "Var", 0, LARGEST))


@dataclass(frozen=True, slots=True)
class Not:
    """`inside` does not hold."""

    inside: Formula

    def __post_init__(self) -> None:
        """Refuse what is no formula."""
        if type(self.inside) not in _NODES:
            raise _no_formula("Not", self.inside)


@dataclass(frozen=True, slots=True)
class AtLeast:
    """At least `count` of `inside` hold; `AtLeast(0, ())` is 1 and `AtLeast(1, ())` is 0."""

    count: int
    inside: tuple[Formula, ...]

    def __post_init__(self) -> None:
        """Refuse a count below 0, which would hold for nothing's sake, and what is no formula."""
        if type(self.count) is not int or not 0 <= self.count <= LARGEST:
            object.__setattr__(self, "count", whole(self.count, "AtLeast", 0, LARGEST))
        _check_parts(self, "AtLeast")


@dataclass(frozen=True, slots=True)
class Xor:
    """An odd number of `inside` hold."""

    inside: tuple[Formula, ...]

    def __post_init__(self) -> None:
        """Refuse what is no formula."""
        _check_parts(self, "Xor")


@dataclass(frozen=True, eq=False)
class Index:
    """The rows of a truth table, for all its outputs.

    Attributes:
        rows: for each row the positions, among the table's features, that are on there.
    """

    rows: tuple[frozenset[int], ...]

    @cached_property
    def numbers(self) -> Mapping[frozenset[int], int]:
        """The number of each row, counted from 0."""
        return {on: number for number, on in enumerate(self.rows)}

    @cached_property
    def columns(self) -> Mapping[int, int]:
        """For each position the rows at which it is on, a bit each."""
        found: dict[int, bytearray] = {}
        for number, on in enumerate(self.rows):
            for position in on:
                found.setdefault(position, bytearray(len(self.rows) // 8 + 1))[number >> 3] |= 1 << (number & 7)
        return {position: int.from_bytes(bits, "little") for position, bits in found.items()}


class Lookup(AtLeast):
    """A truth table's output: the OR of the rows at which it is on, which is looked up and never gone through.

    Attributes:
        features: those of the table, one a position.
        table: the table's rows.
        column: what the output is, a byte a row, 0 or 1; and a last byte 0, for what is in no row.
    """

    __slots__ = ("column", "features", "table")
    features: tuple[int, ...]
    table: Index
    column: bytes

    def __init__(self, features: tuple[int, ...], table: Index, column: bytes) -> None:
        for name, value in (("count", 1), ("features", features), ("table", table), ("column", column)):
            object.__setattr__(self, name, value)

    @property
    def inside(self) -> tuple[Formula, ...]:
        """The rows at which it is on, made anew."""
        here = [Var(j) for j in self.features]
        off = [Not(part) for part in here]
        return tuple(
            every([*(here[p] for p in sorted(on)), *(part for p, part in enumerate(off) if p not in on)])
            for on, holds in zip(self.table.rows, self.column, strict=False)
            if holds
        )

    def at(self, on: frozenset[int]) -> int:
        """What it is where exactly these positions are on."""
        return self.column[self.table.numbers.get(on, -1)]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Lookup) or (self.features, self.column) != (other.features, other.column):
            return False
        return self.table is other.table or self.table.rows == other.table.rows

    def __hash__(self) -> int:
        return hash((self.features, self.column))

    def __reduce__(self) -> tuple[object, ...]:
        return Lookup, (self.features, self.table, self.column)


Formula = Var | Not | AtLeast | Xor
_NODES = frozenset({Var, Not, AtLeast, Xor, Lookup})


def _check_parts(node: AtLeast | Xor, place: str) -> None:
    """See to it that a node's parts are a tuple of formulas."""
    parts: object = node.inside
    if type(parts) is not tuple:
        parts = listed(parts, place)
        object.__setattr__(node, "inside", parts)
    if not _NODES.issuperset(map(type, parts)):
        raise _no_formula(place, next(part for part in parts if type(part) not in _NODES))


def listed(parts: object, place: str) -> tuple[object, ...]:
    """What a caller gives as a sequence.

    Raises:
        InputError: for text, whose characters are no parts, and for what cannot be gone through.
    """
    if not isinstance(parts, str | bytes):
        with suppress(TypeError):
            return tuple(parts)  # type: ignore[arg-type]
    raise InputError(place=place, expected="a sequence of formulas or features", got=spelled(parts, repr), do=_DO)


def _no_formula(place: str, got: object) -> InputError:
    return InputError(place=place, expected="a formula", got=spelled(got, repr), do=_DO)


_DO = 'supercheck.parse("x0 & x1") makes one of text'
MOST_LEVELS = 301  # `syntax.DEEPEST` levels of parentheses, each with an OR of XORs of ANDs
MOST_NODES = 1 << 24  # more than the largest truth table has
feature = lru_cache(1 << 16)(Var)  # for Python integers alone, of which 1.0 and True would not differ
TRUE, FALSE = AtLeast(0, ()), AtLeast(1, ())


def every(inside: Sequence[Formula]) -> Formula:
    """The AND of `inside`."""
    return AtLeast(len(inside), tuple(inside))


def some(inside: Sequence[Formula]) -> Formula:
    """The OR of `inside`."""
    return AtLeast(1, tuple(inside))


GATES: Mapping[str, Callable[[tuple[Formula, ...]], Formula]] = {
    "and": every,
    "or": some,
    "xor": Xor,
    "nand": lambda inside: Not(every(inside)),
    "nor": lambda inside: Not(some(inside)),
    "xnor": lambda inside: Not(Xor(inside)),
    "majority": lambda inside: AtLeast(len(inside) // 2 + 1, inside),
    "copy": lambda inside: inside[0],
}
"""Sugar: a gate over a tuple of formulas, by the name that specs use."""


def gate(name: str, features: Sequence[int]) -> Formula:
    """The gate called `name` (a key of `GATES`) over the given features.

    Raises:
        InputError: for an unknown gate, no features, or a repeated one.
    """
    if not isinstance(name, str) or name not in GATES:
        raise InputError(place="gate", expected=f"one of {', '.join(GATES)}", got=name)
    parts = tuple(Var(j) for j in listed(features, f"gate {name}"))  # type: ignore[arg-type]
    if not parts or len({part.index for part in parts}) < len(parts) or (name == "copy" and len(parts) != 1):
        expected = "exactly one feature" if name == "copy" else "at least one feature, each once"
        raise InputError(place=f"gate {name}", expected=expected, got=features)
    return GATES[name](parts)


def inside(formula: Formula) -> tuple[Formula, ...]:
    """The direct parts of a formula."""
    if isinstance(formula, Var):
        return ()
    return (formula.inside,) if isinstance(formula, Not) else formula.inside


def variables(formula: Formula) -> Iterator[int]:
    """Every occurrence of a feature, from left to right; what is looked up has each of its features once."""
    stack = [formula]
    while stack:
        node = stack.pop()
        if isinstance(node, Var):
            yield node.index
        elif isinstance(node, Lookup):
            yield from node.features
        else:
            stack.extend(reversed(inside(node)))


def extent(formula: Formula, known: dict[int, tuple[int, int, int]], room: int = MOST_LEVELS) -> tuple[int, int, int]:
    """How large a formula is when it is written out: a part that is shared counts each time.

    Args:
        formula: the function.
        known: the same of its parts by their identity, filled in; they have to live as long as it is used.
        room: how many levels there may be.

    Returns:
        Its levels, its nodes, and the greatest number of a feature (-1 where there is none).

    Raises:
        InputError: if it is larger than any file could say.
    """
    if isinstance(formula, Var):
        return 1, 1, formula.index
    found = known.get(id(formula))
    if found is None:
        if room <= 1:
            raise InputError(expected=f"a formula of at most {MOST_LEVELS} levels", got="more")
        levels, nodes, highest = 1, 1, -1
        if isinstance(formula, Lookup):  # its parts are made anew each time, and live for no longer
            width, sizes = len(formula.features), [len(on) for on in formula.table.rows]
            held = [size for size, holds in zip(sizes, formula.column, strict=False) if holds]
            levels, highest = 4 if width and held else 3, max(formula.features, default=-1)
            nodes += sum(1 + size + 2 * (width - size) for size in held)
        for part in () if isinstance(formula, Lookup) else inside(formula):
            height, size, named = (1, 1, part.index) if type(part) is Var else extent(part, known, room - 1)
            levels, nodes, highest = max(levels, height + 1), nodes + size, max(highest, named)
        found = known[id(formula)] = levels, nodes, highest
    if found[0] > room:
        raise InputError(expected=f"a formula of at most {MOST_LEVELS} levels", got="more")
    if found[1] > MOST_NODES:
        raise InputError(expected=f"a formula of at most {MOST_NODES:,} nodes", got="more")
    return found


def support(formula: Formula) -> tuple[int, ...]:
    """The features that occur in a formula, ascending."""
    return tuple(sorted(set(variables(formula))))


def evaluate(formula: Formula, value: Callable[[int], int], ones: int = 1) -> int:
    """Evaluate on many inputs at once.

    Args:
        formula: the function.
        value: for feature j an integer whose bit b says whether j is on in input b.
        ones: an integer with a 1 for every input; `1` for a single one.

    Returns:
        An integer whose bit b says whether the formula holds on input b.
    """
    if isinstance(formula, Var):
        return value(formula.index)
    if isinstance(formula, Lookup):
        return _looked_up(formula, value, ones)
    parts = [evaluate(part, value, ones) for part in inside(formula)]
    if isinstance(formula, Not):
        return ones & ~parts[0]
    if isinstance(formula, Xor):
        odd = 0
        for part in parts:
            odd ^= part
        return odd
    if formula.count > len(parts):
        return 0
    if formula.count == len(parts):
        everywhere = ones
        for part in parts:
            everywhere &= part
        return everywhere
    # count in binary, one bitset a digit; start high enough that the last digit overflows from `count` on
    digits = len(parts).bit_length() + 1
    start = (1 << (digits - 1)) - formula.count
    total = [ones if start >> d & 1 else 0 for d in range(digits)]
    for carry in parts:
        d = 0
        while carry:
            total[d], carry = total[d] ^ carry, total[d] & carry
            d += 1
    return total[digits - 1]


def _looked_up(formula: Lookup, value: Callable[[int], int], ones: int) -> int:
    active: list[set[int]] = [set() for _ in range(ones.bit_length())]
    for position, feature in enumerate(formula.features):
        bits = bin(value(feature) & ones)[:1:-1]  # the first input first
        place = bits.find("1")
        while place >= 0:
            active[place].add(position)
            place = bits.find("1", place + 1)
    return ones & int("".join(["01"[formula.at(frozenset(on))] for on in reversed(active)]) or "0", 2)


def holds(formula: Formula, active: frozenset[int]) -> bool:
    """Whether the formula holds where exactly the features in `active` are on."""
    return evaluate(formula, lambda j: int(j in active)) == 1
