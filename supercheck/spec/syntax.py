"""Formulas as text: the parser of specs, its inverse, and the prefix form that certificates hash."""

from __future__ import annotations

import re

from supercheck.base.errors import InputError, spelled
from supercheck.spec.formula import FALSE, GATES, TRUE, AtLeast, Formula, Not, Var, Xor, extent, feature, inside

DEEPEST = 100  # levels of nesting that a formula may have
LONGEST = 1_000_000  # characters


def text(formula: Formula) -> str:
    """The formula as a spec would write it; `parse` reads it back."""
    return _text(formula, 0)


def writable(formula: Formula, known: dict[int, tuple[int, int, int]]) -> int:
    """See to it that a file could say this formula.

    Args:
        formula: the function.
        known: as `boolean.extent` has it.

    Returns:
        The greatest number of a feature in it; -1 where there is none.

    Raises:
        InputError: if it is nested too deeply, or too large.
    """
    levels, _, highest = extent(formula, known)
    if levels > DEEPEST:  # more than there are parentheses; text says how many those are
        parse(text(formula))
    return highest


_LEVELS = {"|": 1, "^": 2, "&": 3}  # how tightly an operator binds; "~" is 4


def _text(formula: Formula, tight: int) -> str:
    if isinstance(formula, Var):
        return f"x{formula.index}"
    if isinstance(formula, Not):
        return "~" + _text(formula.inside, 4)
    if isinstance(formula, AtLeast) and not formula.inside and formula in (TRUE, FALSE):
        return "1" if formula == TRUE else "0"
    parts = formula.inside
    if len(parts) >= 2:
        sign = "^" if isinstance(formula, Xor) else {len(parts): "&", 1: "|"}.get(formula.count)
        if sign is not None:
            joined = f" {sign} ".join(_text(part, _LEVELS[sign] + 1) for part in parts)
            return f"({joined})" if _LEVELS[sign] < tight else joined
    if isinstance(formula, Xor):  # of one part, or of none
        return _text(parts[0], tight) if parts else "0"
    return f"atleast({', '.join([str(formula.count), *(_text(part, 0) for part in parts)])})"


def prefix(formula: Formula) -> str:
    """The core form that certificates hash: `xj`, `!(f)`, `^(f,...)`, `n(f,...)` = at least n."""
    if isinstance(formula, Var):
        return f"x{formula.index}"
    sign = "!" if isinstance(formula, Not) else "^" if isinstance(formula, Xor) else formula.count
    return f"{sign}({','.join(map(prefix, inside(formula)))})"


_TOKEN = re.compile(r"\s*(?:(x)([0-9]+)|(atleast)\b|([0-9]+)|([~&^|(),])|(\S))")


def parse(source: str) -> Formula:
    """Read a formula: `~ & ^ |` (that order binds), parentheses, `atleast(t, ...)`, `x3`, `0`, `1`.

    Raises:
        InputError: with the column, counted from 1, of what was not expected.
    """
    return _Parser(source).whole()


class _Parser:
    """Recursive descent; `DEEPEST` bounds the recursion."""

    def __init__(self, source: str) -> None:
        if not isinstance(source, str):
            raise InputError(expected='a formula as text, such as "x0 & x1"', got=spelled(source, repr))
        if len(source) > LONGEST:
            raise InputError(expected=f"a formula of at most {LONGEST:,} characters", got=f"{len(source):,}")
        self.source, self.end, self.depth = source, 0, 0
        self.advance()

    def advance(self) -> None:
        match = _TOKEN.match(self.source, self.end)
        if match is None:
            self.kind, self.token, self.start = "end", "the end", len(self.source)
            return
        x, index, call, number, sign, other = match.groups()
        self.kind = "x" if x else "call" if call else "number" if number else sign or "other"
        self.token = index or call or number or sign or other
        self.start, self.end = match.start(match.lastindex or 0), match.end()
        if x:
            self.start -= 1

    def refuse(self, expected: str) -> InputError:
        got = f'"{"x" * (self.kind == "x")}{self.token}"' if self.kind != "end" else "the end"
        return InputError(place=f"column {self.start + 1}", expected=expected, got=got)

    def take(self, kind: str) -> str:
        if self.kind != kind:
            raise self.refuse(
                {"end": "an operator (& ^ |) or the end", "number": "a whole number"}.get(kind, f'"{kind}"')
            )
        token = self.token
        self.advance()
        return token

    def whole(self) -> Formula:
        formula = self.infix(1)
        self.take("end")
        return formula

    def infix(self, level: int) -> Formula:
        if level > 3:
            return self.unary()
        sign = next(sign for sign, binds in _LEVELS.items() if binds == level)
        parts = [self.infix(level + 1)]
        while self.kind == sign:
            self.advance()
            parts.append(self.infix(level + 1))
        if len(parts) == 1:
            return parts[0]
        return GATES[{"|": "or", "^": "xor", "&": "and"}[sign]](tuple(parts))

    def unary(self) -> Formula:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.refuse(f"at most {DEEPEST} levels of nesting")
        formula = self.atom()
        self.depth -= 1
        return formula

    def atom(self) -> Formula:
        if self.kind == "~":
            self.advance()
            return Not(self.unary())
        if self.kind == "(":
            self.advance()
            formula = self.infix(1)
            self.take(")")
            return formula
        if self.kind == "x":
            if len(self.token) > 9:
                raise self.refuse("a feature's index")
            return feature(int(self.take("x")))
        if self.kind == "number" and self.token in ("0", "1"):
            return TRUE if self.take("number") == "1" else FALSE
        if self.kind == "call":
            self.advance()
            self.take("(")
            if self.kind == "number" and len(self.token) > 9:
                raise self.refuse("a whole number below 10^9")
            count, parts = int(self.take("number")), []
            while self.kind == ",":
                self.advance()
                parts.append(self.infix(1))
            self.take(")")
            return AtLeast(count, tuple(parts))
        raise self.refuse("a feature such as x3, 0, 1, ~, ( or atleast(")
