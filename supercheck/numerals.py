"""Exact numbers in text: what a decimal or a rational says is what it means. Standard library only."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

_LONGEST = 1_000  # characters of one number
_FARTHEST = 1_000  # of an exponent: 1e1000000 would fill the memory
_SHORT = 10_000  # bits: str(int) stops at 4,300 digits
_RATIONAL = re.compile(r"[+-]?[0-9]+(/[0-9]+)?")


def decimal(literal: str) -> Decimal:
    """A decimal literal as the number it writes.

    Raises:
        ValueError: if it is not finite, or too long or too far from 1 to be meant.
    """
    if len(literal) > _LONGEST:
        raise ValueError(f"a number of {len(literal):,} characters")
    try:
        value = Decimal(literal)
    except ArithmeticError:
        raise ValueError(f"{literal} is not a number") from None
    if not value.is_finite() or abs(value.adjusted()) > _FARTHEST:
        raise ValueError(f"{literal} is not a number of reasonable size")
    return value


def rational(written: int | Decimal | str) -> Fraction:
    """A number as it stands in a text file: an integer, a decimal, or a string such as "1/3".

    Raises:
        ValueError: if the string is neither, the denominator is 0, or the number is not finite.
    """
    if not isinstance(written, str):
        return Fraction(written)
    if len(written) > _LONGEST:
        raise ValueError(f"a number of {len(written):,} characters")
    if _RATIONAL.fullmatch(written):
        try:
            return Fraction(written)
        except ZeroDivisionError:
            raise ValueError(f"{written} divides by zero") from None
    if re.fullmatch(r"[+-]?[0-9]*\.?[0-9]*([eE][+-]?[0-9]+)?", written) and re.search("[0-9]", written):
        return Fraction(decimal(written))
    raise ValueError(f"{written} is not a rational")


def plural(count: int, noun: str) -> str:
    """So many things, for people: "1 input", "1,024 inputs"."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def short(value: Fraction, digits: int = 6) -> str:
    """A rational for people: itself where it is short, otherwise a decimal of `digits` digits after `~`."""
    whole = exact_text(value)
    return whole if len(whole) <= digits + 2 else f"~{float_text(value, digits)}"


def float_text(value: Fraction, digits: int = 6) -> str:
    """A decimal of `digits` significant digits, for display only."""
    try:
        return f"{float(value):.{digits}g}"
    except OverflowError:
        return f"{'-' * (value < 0)}10^{len(exact_text(abs(value // 1))) - 1}"


def exact_text(value: Fraction | int) -> str:
    """A rational as `Fraction` prints it, however many digits it has."""
    if max(value.numerator.bit_length(), value.denominator.bit_length()) < _SHORT:
        return str(value)
    above, below = Decimal(value.numerator), Decimal(value.denominator)
    return f"{above:f}" if below == 1 else f"{above:f}/{below:f}"


class Unreadable(str):
    """A literal in a text file that is no number of reasonable size; whoever reads its key refuses it by name."""

    __slots__ = ()
