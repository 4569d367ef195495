"""Exact numbers in text: what a decimal or a rational says is what it means. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from operator import index

from supercheck.base.errors import InputError, spelled

_LONGEST = 1_000  # characters of one number
LONGEST = 8_602  # characters of a rational: Python writes and reads 4,300 digits above and below
_FARTHEST = 1_000  # of an exponent: 1e1000000 would fill the memory
_MOST_DIGITS = 40  # of a decimal that is shown
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


def rational(written: int | Decimal | str, longest: int = _LONGEST) -> Fraction:
    """A number as it stands in a text file: an integer, a decimal, or a string such as "1/3".

    Args:
        written: the number.
        longest: how many characters a rational may have.

    Raises:
        ValueError: if the string is neither, the denominator is 0, or the number is not finite.
    """
    if isinstance(written, Decimal):
        written = str(written)
    if not isinstance(written, str):
        return Fraction(written)
    if len(written) > longest:
        raise ValueError(f"a number of {len(written):,} characters")
    if _RATIONAL.fullmatch(written):
        try:
            return Fraction(written)
        except ZeroDivisionError:
            raise ValueError(f"{written} divides by zero") from None
    if re.fullmatch(r"[+-]?[0-9]*\.?[0-9]*([eE][+-]?[0-9]+)?", written) and re.search("[0-9]", written):
        return Fraction(decimal(written))
    raise ValueError(f"{written} is not a rational")


def whole(value: object, place: str, least: int, most: int | None = None) -> int:
    """A whole number that a caller gave, as a Python integer: numpy's wrap.

    Raises:
        InputError: if it is none (`True`, "3" and 3.0 are not), or not from `least` to `most`.
    """
    with suppress(TypeError):
        number = index(value)  # type: ignore[arg-type]
        if not isinstance(value, bool) and least <= number and (most is None or number <= most):
            return int(number)
    bounds = f"of at least {least:,}" if most is None else f"from {least:,} to {most:,}"
    raise InputError(place=place, expected=f"a whole number {bounds}", got=spelled(value, repr))


def plural(count: int, noun: str) -> str:
    """So many things, for people: "1 input", "1,024 inputs"."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def short(value: Fraction, digits: int = 6, beside: Iterable[Fraction | None] = ()) -> str:
    """A rational for people: itself where it is short, otherwise a decimal after `~`; the rest is as `float_text`."""
    whole = exact_text(value)
    if len(whole) <= digits + 2:
        return whole
    shown = float_text(value, digits, beside)
    return shown if shown == whole else f"~{shown}"


def float_text(value: Fraction, digits: int = 6, beside: Iterable[Fraction | None] = ()) -> str:
    """A number for display: a decimal that is never taken for another number beside it.

    Args:
        value: the number.
        digits: how many significant digits are enough where nothing is near.
        beside: what is shown beside it, exactly or by this function with the same numbers beside it. What is shown
            differs from all that the value differs from, and is on its side of each; where one is equal, it is exact.

    Source: ours. Of several numbers beside each other all get as many digits as the closest two need.
    """
    listed = {other for other in beside if other is not None}
    others = listed - {value}
    for size in range(digits, max(digits, _MOST_DIGITS) + 1):
        near = _rounded(value, size)
        exact = Fraction(near)
        if (exact == value or value not in listed) and all(_apart(value, exact, other, size) for other in others):
            return _plain(near, size)
    if value in listed:
        return exact_text(value)
    close = [other for other in others if not _apart(value, exact, other, size)]
    origin = min(close or others, key=lambda other: len(exact_text(other)))  # nobody counts so many digits alike
    distance = float_text(abs(value - origin), digits, [abs(other - origin) for other in others - {origin}])
    return f"{exact_text(origin)} {'+' if value > origin else '-'} {distance}"


def _rounded(value: Fraction, digits: int) -> Decimal:
    """The nearest decimal of so many significant digits, of any size."""
    context = Context(prec=digits, rounding=ROUND_HALF_EVEN, Emin=MIN_EMIN, Emax=MAX_EMAX)
    return context.divide(Decimal(value.numerator), Decimal(value.denominator))


def _apart(value: Fraction, near: Fraction, other: Fraction, digits: int) -> bool:
    """Whether two numbers keep their order with either or both of them rounded to so many digits."""
    far = Fraction(_rounded(other, digits))
    return all(a > b if value > other else a < b for a, b in ((near, far), (near, other), (value, far)))


def _plain(value: Decimal, digits: int) -> str:
    """A decimal as "%g" writes one, of any size."""
    power = value.adjusted()
    if not value:
        return "0"
    if -4 <= power < digits:
        written = f"{value:f}"
        return written.rstrip("0").rstrip(".") if "." in written else written
    sign, figures, _ = value.as_tuple()
    mantissa = "".join(map(str, figures)).rstrip("0")
    return f"{'-' * sign}{mantissa[0]}{'.' * (len(mantissa) > 1)}{mantissa[1:]}e{power:+03d}"


def exact_text(value: Fraction | int) -> str:
    """A rational as `Fraction` prints it, however many digits it has."""
    if max(value.numerator.bit_length(), value.denominator.bit_length()) < _SHORT:
        return str(value)
    above, below = Decimal(value.numerator), Decimal(value.denominator)
    return f"{above:f}" if below == 1 else f"{above:f}/{below:f}"


class Unreadable(str):
    """A literal in a text file that is no number of reasonable size; whoever reads its key refuses it by name."""

    __slots__ = ()
