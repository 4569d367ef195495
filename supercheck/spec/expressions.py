"""Limits as formulas: arithmetic in m, k and outputs with sqrt and log2. Standard library only.

A formula is computed to sixty digits and rounded to forty, so that what is a whole number comes out as one.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, DecimalException, localcontext
from fractions import Fraction

from supercheck.base.errors import InputError, spelled

LONGEST = 1000  # characters
NAMES = ("m", "k", "outputs")
EXPECTED = "a number or a formula in m, k, outputs with + - * / ** sqrt log2"

_WORKING, _KEPT = Context(prec=60, Emin=-99_999, Emax=99_999), Context(prec=40)
_OPERATORS: Mapping[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: Decimal.__add__,
    ast.Sub: Decimal.__sub__,
    ast.Mult: Decimal.__mul__,
    ast.Div: Decimal.__truediv__,
    ast.Pow: Decimal.__pow__,
}
_FUNCTIONS: Mapping[str, Callable[[Decimal], Decimal]] = {
    "sqrt": Decimal.sqrt,
    "log2": lambda value: value.ln() / Decimal(2).ln(),
}


def evaluate_limit(limit: object, values: Mapping[str, int]) -> Decimal:
    """The value of a limit.

    Args:
        limit: a number, or a formula.
        values: what m, k and outputs are.

    Raises:
        InputError: if it is no such formula, or has no value.
    """
    with localcontext(_WORKING):
        try:
            if not isinstance(limit, int | Fraction | str) or isinstance(limit, bool):
                raise InputError(expected=EXPECTED, got=spelled(limit, repr))
            if not isinstance(limit, str):
                value = Decimal(limit.numerator) / Decimal(limit.denominator)
            elif len(limit) > LONGEST:
                raise InputError(expected=f"at most {LONGEST:,} characters", got=f"{len(limit):,}")
            else:
                value = _value(_parsed(limit), limit, values)
            if not value.is_finite():
                raise InputError(expected="a finite limit", got=limit)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise InputError(expected=EXPECTED, got=f'"{limit}"') from error
        except DecimalException as error:
            raise InputError(expected="a limit that has a value", got=f'"{limit}"') from error
    return _KEPT.plus(value)


def check_limits(limits: Mapping[str, object], values: Mapping[str, int]) -> None:
    """Refuse limits of which one has no value.

    Raises:
        InputError: naming the first.
    """
    for name, limit in limits.items():
        try:
            evaluate_limit(limit, values)
        except InputError as error:
            raise error.at(None, place=f"audit.{name}") from error


def _parsed(limit: str) -> ast.expr:
    """The tree of a formula; what Python would only warn of is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return ast.parse(limit.strip(), mode="eval").body


def _value(node: ast.expr, whole: str, values: Mapping[str, int]) -> Decimal:
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return Decimal(ast.get_source_segment(whole.strip(), node) or "")
        case ast.Name(id=name) if name in values:
            return Decimal(values[name])
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_value(inner, whole, values)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(left, whole, values), _value(right, whole, values))
        case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](_value(inner, whole, values))
    raise InputError(expected=EXPECTED, got=f'"{ast.unparse(node)}"')
