"""Random questions of networks with one hidden layer, all inputs evaluated plainly, by the thousand.

Numpy draws and Python's integers evaluate: nothing of supercheck is asked for an answer. Ties are common: thresholds
are values that are attained.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import lcm
from typing import Any

import numpy as np
from strategies import meaning

from supercheck.base.matrix import Array, Rows
from supercheck.claims.claims import Claims
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import AtLeast, Formula, Not, Var, Xor
from supercheck.spec.readout import Readout

KINDS = ("tiny", "small", "single", "powers", "alike", "large", "tenths")


@dataclass(frozen=True)
class Drawn:
    """A question and what plain evaluation says.

    Attributes:
        claims: the question.
        off: for each output the values at the inputs where its function is off.
        on: the same where it is on.
    """

    claims: Claims
    off: list[list[Fraction]]
    on: list[list[Fraction]]

    def wrong(self, value: Fraction, on: bool) -> bool:
        """Whether a value is wrong, in the words of the README; not in mode separable."""
        readout = self.claims.readout
        if readout.mode == "threshold":
            assert readout.at is not None
            return not value > readout.at + readout.margin if on else not value <= readout.at - readout.margin
        return abs(value - on) > (readout.within or 0)

    def failures(self, output: int) -> int:
        """On how many inputs the output is wrong."""
        return sum(self.wrong(v, False) for v in self.off[output]) + sum(self.wrong(v, True) for v in self.on[output])

    def refuted(self, output: int) -> bool:
        """Whether it is wrong at all."""
        off, on = self.off[output], self.on[output]
        if self.claims.separable:
            return bool(off and on) and max(off) >= min(on)
        return self.failures(output) > 0

    def worst(self, output: int) -> tuple[Fraction | None, Fraction | None]:
        """The worst off and on values: the closest to the other class, or in other modes the largest errors."""
        off, on = self.off[output], self.on[output]
        if self.claims.readout.mode in ("threshold", "separable"):
            return max(off, default=None), min(on, default=None)
        return max(map(abs, off), default=None), max((abs(v - 1) for v in on), default=None)


def drawn(seed: int, features: int = 7, neurons: int = 6, outputs: int = 12) -> Drawn | None:
    """The question of a seed, of at most these sizes; None where its network has no hidden layer left."""
    dice, rng = random.Random(seed), np.random.default_rng(seed)
    m, n, count = dice.randint(1, features), dice.randint(1, neurons), dice.randint(1, outputs)
    below = dice.choice(KINDS)
    above = dice.choice([below, "tiny", "small", "single"])
    weight, bias = _numbers(rng, below, (n, m)), _numbers(rng, below, (n,))
    readout, shift = _numbers(rng, above, (count, n)), _numbers(rng, above, (count,))
    if n > 1 and dice.random() < 0.2:
        weight[1], bias[1] = weight[0], bias[0]
    layers = [Affine(Rows.from_dense(weight), bias, True), Affine(Rows.from_dense(readout), shift, False)]
    network = Network.of(layers)
    if len(network.hidden) != 1:
        return None
    formulas = tuple(_formula(dice, m) for _ in range(count))
    k = dice.randint(0, m)
    inputs = [active for size in range(k + 1) for active in combinations(range(m), size)]
    values = _values([weight, bias, readout, shift], inputs)
    off: list[list[Fraction]] = []
    on: list[list[Fraction]] = []
    for i, formula in enumerate(formulas):
        holds = [meaning(formula)(frozenset(active)) for active in inputs]
        off.append([row[i] for row, one in zip(values, holds, strict=True) if not one])
        on.append([row[i] for row, one in zip(values, holds, strict=True) if one])
    met = dice.choice(dice.choice(values)) if dice.random() < 0.7 else Fraction(dice.randint(-4, 4), 2)
    read = {
        "threshold": lambda: Readout("threshold", met, dice.choice([Fraction(0), Fraction(0), Fraction(1, 3)])),
        "epsilon": lambda: Readout("epsilon", within=abs(met - dice.randint(0, 1))),
        "equality": lambda: Readout("equality"),
        "separable": lambda: Readout("separable"),
    }[dice.choice(["threshold", "threshold", "epsilon", "equality", "separable"])]()
    return Drawn(Claims(network, network, KSparse(m, k), formulas, read), off, on)


def _formula(dice: random.Random, m: int, depth: int = 0) -> Formula:
    kind = dice.randrange(6 if depth < 2 else 2)
    if kind < 2:
        return Var(dice.randrange(m))
    if kind == 2:
        return Not(_formula(dice, m, depth + 1))
    parts = tuple(_formula(dice, m, depth + 1) for _ in range(dice.randint(1, 3)))
    return Xor(parts) if kind == 3 else AtLeast(dice.randint(0, 3), parts)


def _numbers(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> Array:
    """Numbers that are exact as they are; a quarter of them zero."""
    sources: dict[str, Callable[[], Any]] = {
        "tiny": lambda: rng.integers(-2, 3, shape),
        "small": lambda: rng.integers(-9, 10, shape),
        "single": lambda: rng.normal(size=shape).astype(np.float32).astype(np.float64),
        "powers": lambda: rng.integers(-3, 4, shape) * 2.0 ** rng.integers(-60, 61, shape),
        "alike": lambda: 2**60 + rng.integers(-2, 3, shape),  # one and the same number in doubles
        "large": lambda: rng.integers(-(2**62), 2**62, shape),
        "tenths": lambda: (rng.integers(-3, 4, shape) * 0.1).astype(np.float32).astype(np.float64),
    }
    return np.where(rng.random(shape) < 0.25, 0, sources[kind]())


def _values(parts: list[Array], inputs: list[tuple[int, ...]]) -> list[list[Fraction]]:
    """The outputs at all inputs, [inputs][outputs]: everything as integers over a common denominator."""
    exact = [[Fraction(value) for value in part.ravel().tolist()] for part in parts]
    below, above = (lcm(*(value.denominator for part in pair for value in part)) for pair in (exact[:2], exact[2:]))
    whole = [
        np.array([int(value * scale) for value in part] + [None], dtype=object)[:-1].reshape(shape.shape)
        for part, shape, scale in zip(exact, parts, (below, below, above, above * below), strict=True)
    ]
    x = np.zeros((len(inputs), parts[0].shape[1]), dtype=object)
    for place, active in enumerate(inputs):
        x[place, list(active)] = 1
    hidden = np.maximum(x @ whole[0].T + whole[1], 0)
    y = hidden @ whole[2].T + whole[3]
    return [[Fraction(int(value), below * above) for value in row] for row in y.tolist()]
