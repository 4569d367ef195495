"""Float32 numbers, exactly: rounding, neighbours, what a threshold becomes. Standard library only."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

LEAST = -149  # the smallest positive float32 is 2^-149
SMALLEST_NORMAL = -126  # and 2^-126 the smallest that is not subnormal
GREATEST = Fraction(2**128 - 2**104)  # and this the largest


def nearest(value: Fraction, digits: int = 24, least: int = LEAST) -> Fraction:
    """The binary floating-point number nearest to `value`, ties to even; of unlimited range upward.

    Args:
        value: any number.
        digits: of the significand; 24 is float32, 53 float64.
        least: the smallest positive number is 2^least.
    """
    step = _step(value, digits, least)
    return round(value / step) * step  # Python rounds halves to even, as IEEE 754 does


def below(value: Fraction) -> Fraction:
    """The largest float32 number that is at most `value`."""
    step = _step(value)
    return value // step * step


def above(value: Fraction) -> Fraction:
    """The smallest float32 number that is greater than `value`."""
    step = _step(value)
    if value < 0 and step > Fraction(2) ** LEAST and -value == step * 2**23:
        step /= 2  # a power of two has closer neighbours towards zero
    return (value // step + 1) * step


@cache
def readings(threshold: Fraction) -> tuple[Fraction, ...]:
    """What a program may compare with that is asked to compare with `threshold`.

    It, its nearest float32 or float64 number, or the float32 number nearest to the latter: what torch makes of a
    Python number.

    Source: decide/float32/README.md, "Comparison"; the last is ours.
    """
    double = nearest(threshold, 53, -1074)
    return threshold, nearest(threshold), double, nearest(double)


@cache
def greatest_not_above(threshold: Fraction) -> Fraction:
    """The greatest float32 number that is not above every reading of a threshold."""
    return below(max(readings(threshold)))


@cache
def least_above(threshold: Fraction) -> Fraction:
    """The least float32 number that is above some reading of a threshold."""
    return above(min(readings(threshold)))


def _step(value: Fraction, digits: int = 24, least: int = LEAST) -> Fraction:
    """The distance of neighbouring floating-point numbers from |value| upward."""
    size = abs(value)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    if size < Fraction(2) ** exponent:
        exponent -= 1
    return Fraction(2) ** (max(exponent - digits + 1, least) if value else least)
