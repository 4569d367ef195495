"""Logarithms to base 2 that err in a stated direction only. Standard library only.

Everything is computed to sixty digits and returned as a fraction that is at most (`up=False`) or at least
(`up=True`) the true value, so that a floor is never too high and a capacity never too low. What is done
with the fractions afterwards is exact.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from fractions import Fraction
from functools import cache
from math import factorial, inf, nextafter

from supercheck.base.errors import FaultError

_SIXTY = Context(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN)
_ERROR = Fraction(1, 10**50)  # far more, relatively, than a dozen operations at sixty digits can lose
_EXACT = 1000  # factorials up to here are taken exactly
_PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")


@cache
def log2(value: int, *, up: bool) -> Fraction:
    """The logarithm of a positive integer, erring up or down only; exact for a power of two."""
    if value & (value - 1) == 0:
        return Fraction(value.bit_length() - 1)
    with localcontext(_SIXTY):
        return _away(+Decimal(value).ln() / Decimal(2).ln(), up=up)


@cache
def log2_factorial(n: int, *, up: bool) -> Fraction:
    """log2 of n!, erring up or down only.

    Source: Stirling's series, whose partial sums lie above and below in turn (Abramowitz and Stegun, 6.1.42).
    """
    if n <= _EXACT:
        return log2(factorial(n), up=up)
    with localcontext(_SIXTY):
        x = Decimal(n)
        series = 1 / (12 * x) - 1 / (360 * x**3) + (1 / (1260 * x**5) if up else 0)
        nats = x * x.ln() - x + (2 * _PI * x).ln() / 2 + series
        return _away(nats / Decimal(2).ln(), up=up)


def log2_perm(n: int, k: int, *, up: bool) -> Fraction:
    """log2 of n! / (n - k)!, the ordered choices of k of n, erring up or down only.

    Source: a product of k factors from n - k + 1 to n; where n is huge, the factorials cancel and lose all digits.
    """
    if not k:
        return Fraction(0)
    factorials = log2_factorial(n, up=up) - log2_factorial(n - k, up=not up)
    factors = k * log2(n if up else n - k + 1, up=up)
    return min(factorials, factors) if up else max(factorials, factors)


def log2_comb(n: int, k: int, *, up: bool) -> Fraction:
    """log2 of the number of ways to choose k of n, erring up or down only."""
    k = min(k, n - k)
    return log2_perm(n, k, up=up) - log2_factorial(k, up=not up) if k else Fraction(0)


def log2_e(*, up: bool) -> Fraction:
    """log2 of Euler's number, erring up or down only."""
    with localcontext(_SIXTY):
        return _away(1 / Decimal(2).ln(), up=up)


def rounded(value: Fraction, *, up: bool) -> float:
    """The nearest double that is not on the other side."""
    near = float(value)
    if up:
        return near if Fraction(near) >= value else nextafter(near, inf)
    return near if Fraction(near) <= value else nextafter(near, -inf)


def least(enough: Callable[[int], bool], most: int) -> int | None:
    """The least number of 0 to `most` that is enough, where every larger one is too; None where none is."""
    if enough(0):
        return 0
    high = 1
    while high < most and not enough(high):
        high *= 2
    low, high = high // 2, min(high, most)  # `low` is not enough
    if high < 1 or not enough(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def surely_least(enough: Callable[[int], bool], most: int) -> int:
    """The same where the mathematics says that some number up to `most` is enough.

    Raises:
        FaultError: if none is.
    """
    found = least(enough, most)
    if found is None:
        raise FaultError(f"no number up to {most:,} is enough for a floor")
    return found


def _away(value: Decimal, *, up: bool) -> Fraction:
    exact = Fraction(value)
    return exact + abs(exact) * _ERROR * (1 if up else -1)
