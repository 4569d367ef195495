"""One table of examples a seam: what parser, printer, engines, replay and checker are all run on."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from supercheck.spec.domain import KSparse, Sparse
from supercheck.spec.readout import Readout
from supercheck.spec.values import Values

F = Fraction
Function = Callable[[set[int]], bool]
"""What a formula says where these features are on, in plain Python."""

FORMULAS: dict[str, Function] = {
    "0": lambda on: False,
    "1": lambda on: True,
    "x2": lambda on: 2 in on,
    "~x0": lambda on: 0 not in on,
    "x0 & x1": lambda on: {0, 1} <= on,
    "x0 | x1 | x3": lambda on: bool(on & {0, 1, 3}),
    "x0 ^ x1": lambda on: len(on & {0, 1}) == 1,
    "x0 ^ x1 ^ x2": lambda on: len(on & {0, 1, 2}) % 2 == 1,
    "x0 & ~x1": lambda on: 0 in on and 1 not in on,
    "atleast(2, x0, x1, x2)": lambda on: len(on & {0, 1, 2}) >= 2,
    "atleast(2, x0, x1, x2, x3)": lambda on: len(on) >= 2,
    "~atleast(1, x1, x2)": lambda on: not on & {1, 2},
    "x0 & x1 | x2 & x3": lambda on: {0, 1} <= on or {2, 3} <= on,
    "x0 & (x1 ^ x2)": lambda on: 0 in on and len(on & {1, 2}) == 1,
    "x0 | x1 & 0": lambda on: 0 in on,
}
"""Formulas of four features, and what they mean."""

READOUTS: list[tuple[Readout, Callable[[Fraction, bool], bool] | None]] = [
    (Readout("threshold", at=F(1, 2)), lambda y, on: y > F(1, 2) if on else y <= F(1, 2)),
    (Readout("threshold", at=F(1)), lambda y, on: y > 1 if on else y <= 1),
    (Readout("threshold", at=F(1, 2), margin=F(1, 2)), lambda y, on: y > 1 if on else y <= 0),
    (Readout("epsilon", within=F(1, 3)), lambda y, on: abs(y - on) <= F(1, 3)),
    (Readout("epsilon", within=F(1)), lambda y, on: abs(y - on) <= 1),
    (Readout("equality"), lambda y, on: y == on),
    (Readout("separable"), None),
]
"""Readouts, and which values of y are right where the function is on or off; None: every on is above every off."""

DOMAINS: list[Sparse] = [
    *(KSparse(4, k) for k in range(5)),
    Sparse(4, 2),
    Sparse(4, 2, Values.of(2)),
    Sparse(4, 4, Values.of(1), Values.of(-1)),
    Sparse(4, 3, Values.of(F(1, 2)), Values.of(F(1, 3))),
    Sparse(4, 2, Values.of(1, 2)),
    Sparse(4, 1, Values.of(1), Values.of(0, F(1, 10))),
]
"""Domains of finitely many values."""
