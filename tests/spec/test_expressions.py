"""Limits as formulas: what they mean, and what is refused in one line."""

from __future__ import annotations

import warnings
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, strategies as st

from supercheck import InputError
from supercheck.spec.expressions import evaluate_limit

VALUES = {"m": 8, "k": 3, "outputs": 64}


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        (16, 16),
        (Fraction(1, 2), Decimal("0.5")),
        ("16", 16),
        ("3 * outputs", 192),
        ("sqrt(outputs) * log2(outputs)", 48),
        ("m ** 2 - k", 61),
        ("-m + 10", 2),
        ("(m + k) / 2", Decimal("5.5")),
        ("1 / 3 * 3", 1),
        ("sqrt(2) * sqrt(2)", 2),
        ("log2(8)", 3),
        ("0.1 + 0.2", Decimal("0.3")),
        ("1e2", 100),
    ],
)
def test_what_a_limit_means(limit: int | Fraction | str, value: int | Decimal) -> None:
    assert evaluate_limit(limit, VALUES) == value


@pytest.mark.parametrize(
    "limit",
    [
        "", "width", "m(3)", "m +", "__import__('os')", "m if k else 2", "True", "'m'", "3j", "m < k", "m.real", "[m]",
        "abs(m)", "sqrt(m, k)", "m // 2", "m % 2", "(" * 990, "1 / 0", "log2(0)", "log2(0 - 1)", "sqrt(0 - 1)",
        "9 ** 9 ** 9 ** 9", "x" * 1001, "0 ** 0", "m\x00", "1if m else 2",
    ],
)  # fmt: skip
def test_what_is_no_limit_is_an_input_error(limit: str) -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with pytest.raises(InputError) as refused:
            evaluate_limit(limit, VALUES)
    assert len(str(refused.value).splitlines()) == 1
    assert not warned


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(1, 10**6))
def test_arithmetic_is_exact_where_the_result_is_a_whole_number(m: int, k: int, outputs: int) -> None:
    values = {"m": m, "k": k, "outputs": outputs}
    assert evaluate_limit("sqrt(m ** 2) * k + outputs", values) == m * k + outputs
    assert evaluate_limit("m / outputs * outputs * 2 ** 3", values) == 8 * m
    assert evaluate_limit(f"log2(2 ** {m % 300})", values) == m % 300
