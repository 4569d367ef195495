"""Gates of a pair as functions of how many of the two are on."""

from __future__ import annotations

from supercheck.base.errors import InputError
from supercheck.spec.formula import gate, holds


def by_count(name: str) -> tuple[int, int, int]:
    """What a gate of a pair says where none, one and both of its features are on.

    Raises:
        InputError: if it is no gate of a pair.
    """
    if name == "copy":
        raise sought(name, "a gate of two features")
    formula = gate(name, (0, 1))
    none, one, both = (int(holds(formula, frozenset(range(count)))) for count in range(3))
    return none, one, both


def sought(name: str, expected: str) -> InputError:
    """What is said of a gate that a construction cannot build."""
    return InputError(place="--gate", expected=expected, got=name)
