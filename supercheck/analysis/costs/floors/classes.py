"""Class floors: how many bits it takes to tell the functions of a class apart. Standard library only.

A class floor speaks of a class: some function of it needs as much, and nearly all do. It says nothing of
one instance, which may be simple.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb

from supercheck.analysis.costs.floors.logs import log2, log2_comb, log2_factorial, log2_perm, rounded
from supercheck.base.errors import InputError
from supercheck.spec.formula import AtLeast, Formula, Var, evaluate, support

CLASSES = ("permutation", "2-and", "2-and-unlabelled", "q-and", "gate2")
GATE_TYPES = 10
"""The Boolean functions of two features that depend on both."""

SOURCE = "counting the functions of the class (ours)"


@dataclass(frozen=True)
class FunctionClass:
    """Functions of `features` features with `outputs` outputs, on inputs with at most `max_active` on.

    Attributes:
        name: permutation (each output copies a feature of its own), 2-and (a list of distinct pairs),
            2-and-unlabelled (a set of pairs), q-and (a list of distinct tuples of `arity` features), gate2 (a list of
            gates, each of ten types on a pair).
        features: m.
        outputs: m'.
        max_active: k.
        arity: q, the features of one AND.
    """

    name: str
    features: int
    outputs: int
    max_active: int
    arity: int = 2

    def __post_init__(self) -> None:
        """Refuse a class that does not exist, or whose functions do not differ on the domain."""
        if self.name not in CLASSES:
            raise InputError(place="CLASS", expected=f"one of {', '.join(CLASSES)}", got=self.name)
        needed = {"permutation": 1, "q-and": self.arity}.get(self.name, 2)
        for place, value in (("--features", self.features), ("--outputs", self.outputs), ("--arity", self.arity)):
            if value < 1:
                raise InputError(place=place, expected="at least 1", got=value)
        if self.name != "q-and" and self.arity != 2:
            raise InputError(place="--arity", expected="class q-and where it is given", got=self.name)
        if self.max_active < needed:
            expected = f"at least {needed}, or functions of the class agree on every input"
            raise InputError(place="-k", expected=expected, got=self.max_active)
        if self.name == "permutation" and self.outputs != self.features:
            expected = f"{self.features}, as many as features: a permutation"
            raise InputError(place="--outputs", expected=expected, got=self.outputs)
        if self.features < needed:
            raise InputError(place="--features", expected=f"at least {needed}", got=self.features)
        if self.name != "gate2" and self.outputs > self.choices:
            expected = f"at most {self.choices:,}, the different functions of one output"
            raise InputError(place="--outputs", expected=expected, got=f"{self.outputs:,}")

    @property
    def reads(self) -> int:
        """How many features one output depends on."""
        return {"permutation": 1, "q-and": self.arity}.get(self.name, 2)

    @property
    def choices(self) -> int:
        """How many functions one output may have."""
        pairs = comb(self.features, self.reads)
        return GATE_TYPES * pairs if self.name == "gate2" else pairs

    @property
    def formula(self) -> str:
        """The number of functions, in words."""
        return {
            "permutation": "log2 m!",
            "2-and": "log2 of C(m,2)! / (C(m,2) - m')!",
            "2-and-unlabelled": "log2 C(C(m,2), m')",
            "q-and": "log2 of C(m,q)! / (C(m,q) - m')!",
            "gate2": "m' log2(10 C(m,2))",
        }[self.name]

    def bits(self, wrong: Fraction = Fraction(0)) -> float:
        """The bits B that tell the functions apart, rounded down.

        Args:
            wrong: the fraction of outputs that may be wrong, 0 to 1/2.

        Returns:
            log2 of the number of functions, less the functions that agree with one but for that many outputs; at
            least 0.

        Source: ours. A network that may miss w outputs serves at most C(m', w) choices^w functions.
        """
        if not 0 <= wrong <= Fraction(1, 2):
            raise InputError(place="--wrong", expected="a fraction from 0 to 1/2", got=wrong)
        count, missed = self.outputs, int(wrong * self.outputs)
        if self.name == "permutation":
            total = log2_factorial(self.features, up=False)
        elif self.name == "2-and-unlabelled":
            total = log2_comb(self.choices, count, up=False)
        elif self.name == "gate2":
            total = count * log2(self.choices, up=False)
        else:
            total = log2_perm(self.choices, count, up=False)
        served = log2_comb(count, missed, up=True) + missed * log2(self.choices, up=True)
        return max(0.0, rounded(total - served, up=False))


def class_of(formulas: Sequence[Formula], features: int, max_active: int) -> FunctionClass | None:
    """The class that a list of functions belongs to; None where it is of none, or the only member of its own.

    All C(m,q) ANDs together are one function up to the order of outputs, so they have no class.
    """
    count, arity = len(formulas), and_arity(formulas)
    if arity is None:
        gates = max_active >= 2 and all(map(_is_gate, formulas))
        return FunctionClass("gate2", features, count, max_active) if gates else None
    if max_active < arity or (arity > 1 and count == comb(features, arity)):
        return None
    if arity == 1:
        return FunctionClass("permutation", features, count, max_active) if count == features else None
    return FunctionClass("2-and" if arity == 2 else "q-and", features, count, max_active, arity)


def and_arity(formulas: Sequence[Formula]) -> int | None:
    """The arity q where the functions are distinct ANDs of q features each (a copy is an AND of one)."""
    arities = {_arity(formula) for formula in formulas}
    distinct = len(set(map(support, formulas))) == len(formulas)
    return arities.pop() if len(arities) == 1 and distinct else None


def _arity(formula: Formula) -> int | None:
    """The number of features of an AND."""
    if isinstance(formula, Var):
        return 1
    if not isinstance(formula, AtLeast) or formula.count != len(formula.inside) or not formula.inside:
        return None
    variables = [part for part in formula.inside if isinstance(part, Var)]
    return len(variables) if len(variables) == len(formula.inside) == len(set(variables)) else None


def _is_gate(formula: Formula) -> bool:
    """Whether the formula depends on exactly two features."""
    features = support(formula)
    if len(features) != 2:
        return False
    values = {features[0]: 0b1010, features[1]: 0b1100}
    table = evaluate(formula, values.__getitem__, 0b1111)
    return (table >> 1 & 0b0101) != (table & 0b0101) and (table >> 2 & 0b0011) != (table & 0b0011)
