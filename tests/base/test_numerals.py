"""A number in text is exactly what it writes, or it is refused."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, strategies as st

from supercheck.base.numbers import decimal, float_text, rational, short


@given(st.integers(), st.integers(1), st.sampled_from(["", "+", "-"]))
def test_a_rational_is_its_quotient(top: Any, bottom: Any, sign: Any) -> None:
    value = Fraction(abs(top), bottom) * (-1 if sign == "-" else 1)
    assert rational(f"{sign}{abs(top)}/{bottom}") == value


@given(st.integers(-(10**30), 10**30), st.integers(0, 40), st.integers(-900, 900))
def test_a_decimal_is_its_digits_times_a_power_of_ten(digits: Any, places: Any, exponent: Any) -> None:
    whole, part = divmod(abs(digits), 10**places)
    written = f"{'-' * (digits < 0)}{whole}.{part:0{places}d}e{exponent}" if places else f"{digits}e{exponent}"
    value = Fraction(digits) * Fraction(10) ** (exponent - places)
    assert rational(written) == value
    assert Fraction(decimal(written)) == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (7, Fraction(7)),
        (Decimal("0.1"), Fraction(1, 10)),
        ("0.1", Fraction(1, 10)),
        ("-2", Fraction(-2)),
        ("+1/2", Fraction(1, 2)),
        ("2/4", Fraction(1, 2)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("1E+3", Fraction(1000)),
        ("-0.0", Fraction(0)),
        ("0e5", Fraction(0)),
        ("1e1000", Fraction(10) ** 1000),
        ("1e-1000", Fraction(1, 10**1000)),
        ("9" * 1000, Fraction(10**1000 - 1)),
    ],
)
def test_a_number_is_exactly_the_one_written(written: Any, value: Any) -> None:
    assert rational(written) == value


@pytest.mark.parametrize(
    "written",
    [
        *("", " ", ".", "e5", "-", "/", "1/", "/2", "1/0", "0/0", "1/-2", "1.5/2", "1/2.5", "1/2/3", " 1/2", "1 /2"),
        *("1/2\n", "1_000", "0x3", "nan", "NaN", "inf", "-Infinity", "1e", "1e1.5", "1,5", "\u0663", "1/\u0663", "one"),
        *("1e1001", "1e-1001", "1e999999", "-1e999999", "1e99999999999999999999", "9" * 1001, "0." + "1" * 1000),
    ],
)
def test_what_is_no_number_of_reasonable_size_is_refused(written: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        rational(written)


@pytest.mark.parametrize("literal", ["1e999999", "1e1001", "-1e-1001", "inf", "-inf", "nan", "1" * 1001])
def test_a_literal_that_is_not_finite_or_far_from_one_is_refused(literal: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        decimal(literal)


@pytest.mark.parametrize("literal", ["1e99999999999999999999", "-1e-99999999999999999999"])
def test_an_exponent_of_twenty_digits_is_refused_like_any_other(literal: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        decimal(literal)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Fraction(3), "3"),
        (Fraction(-1, 2), "-1/2"),
        (Fraction(22222, 7001), "~3.17412"),
        (Fraction(1, 3**9), "1/19683"),
        (Fraction(1, 3**20), "~2.86797e-10"),
        (Fraction(10**400), "~1e+400"),
        (Fraction(-(10**400)), "~-1e+400"),
    ],
)
def test_people_see_a_short_number_whole_and_a_long_one_rounded(value: Any, shown: Any) -> None:
    assert short(value) == shown


@given(st.fractions(-(10**9), 10**9), st.integers(1, 12))
def test_a_rounded_number_is_off_by_less_than_its_last_digit(value: Any, digits: Any) -> None:
    shown = Fraction(float_text(value, digits))
    assert abs(shown - value) <= abs(value) * Fraction(6, 10**digits) + Fraction(1, 10**300)


@pytest.mark.parametrize("value", [Fraction(10**5000), Fraction(1, 10**5000), Fraction(10**5000 + 1, 10**5000)])
def test_a_number_of_thousands_of_digits_can_be_shown(value: Any) -> None:
    assert len(short(value)) < 40
