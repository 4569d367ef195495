"""Random small questions: networks of all shapes, functions, readouts. Drawn once, used by every test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise
from random import Random

import numpy as np
from hypothesis import strategies as st
from oracle import Stored, Wrong, inputs, run

from supercheck.base.matrix import Rows, exact_array
from supercheck.claims.claims import Claims, pose
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import AtLeast, Formula, Index, Lookup, Not, Var, Xor, every, some
from supercheck.spec.readout import Readout
from supercheck.spec.spec import Spec

Number = st.SearchStrategy[Fraction]

small = st.integers(-3, 3).map(Fraction)
halves = st.integers(-6, 6).map(lambda n: Fraction(n, 2))
rationals = st.builds(Fraction, st.integers(-7, 7), st.sampled_from([1, 2, 3, 6, 7]))
singles = st.floats(-2, 2, width=32).map(Fraction)
doubles = st.floats(-2, 2).map(Fraction)
wild = st.builds(lambda n, e: Fraction(n) * Fraction(2) ** e, st.integers(-9, 9), st.integers(-90, 90))
alike = st.integers(-2, 2).map(lambda n: Fraction(2**60 + n))  # one and the same number in doubles
kinds = st.sampled_from([small, alike, small, halves, rationals, singles, doubles, wild])


@st.composite
def layers(draw: st.DrawFn, features: int, outputs: int, kinds: st.SearchStrategy[Number] = kinds) -> Stored:
    """A chain of layers: up to three, zero weights and zero rows common, ReLUs anywhere; one kind a layer."""
    sizes = [features, *draw(st.lists(st.integers(1, 4), max_size=2)), outputs]
    chain: Stored = []
    for before, after in pairwise(sizes):
        number = draw(kinds) | st.just(Fraction(0))
        weight = draw(st.lists(st.lists(number, min_size=before, max_size=before), min_size=after, max_size=after))
        bias = draw(st.lists(number, min_size=after, max_size=after))
        if after > 1 and draw(st.integers(0, 3)) == 0:  # two neurons alike
            weight[1], bias[1] = list(weight[0]), bias[0]
        chain.append((weight, bias, len(chain) < len(sizes) - 2 or draw(st.integers(0, 4)) == 0))
    return chain


def formulas(features: int) -> st.SearchStrategy[Formula]:
    """Formulas over the four core nodes; pairs are common, constants and vacuous classes occur."""
    variable = st.integers(0, features - 1).map(Var)
    pair = st.lists(variable, min_size=1, max_size=3).map(tuple)
    simple = st.one_of(
        st.builds(AtLeast, st.integers(0, 4), pair), st.builds(Xor, pair), variable, tables(range(features))
    )
    return st.one_of(
        simple,
        st.recursive(
            simple,
            lambda part: st.one_of(
                part.map(Not),
                st.builds(AtLeast, st.integers(0, 3), st.lists(part, max_size=3).map(tuple)),
                st.builds(Xor, st.lists(part, max_size=3).map(tuple)),
            ),
            max_leaves=4,
        ),
    )


def tables(features: Sequence[int]) -> st.SearchStrategy[Formula]:
    """Outputs of truth tables over some of the features, some of whose rows may be missing; on at one at least."""

    def listed(named: set[int], random: Random) -> Formula:
        width = len(named)
        rows = [frozenset(on) for size in range(width + 1) for on in combinations(range(width), size)]
        rows = random.sample(rows, random.randint(1, len(rows)))
        return Lookup(tuple(sorted(named)), Index(tuple(rows)), bytes([1, *random.choices((0, 1), k=len(rows) - 1), 0]))

    sets = st.sets(st.sampled_from(features), min_size=1, max_size=min(6, len(features)))
    return st.builds(listed, sets, st.randoms(use_true_random=False))


def meaning(formula: Formula) -> Callable[[frozenset[int]], bool]:
    """A formula's truth, by recursion; independent of `boolean.evaluate`."""

    def value(node: Formula, on: frozenset[int]) -> bool:
        if isinstance(node, Var):
            return node.index in on
        if isinstance(node, Not):
            return not value(node.inside, on)
        if isinstance(node, Lookup):
            here = {position for position, feature in enumerate(node.features) if feature in on}
            return any(row == here and holds for row, holds in zip(node.table.rows, node.column, strict=False))
        count = sum(value(part, on) for part in node.inside)
        return count % 2 == 1 if isinstance(node, Xor) else count >= node.count

    return lambda on: value(formula, on)


@dataclass(frozen=True)
class Question:
    """A question in both languages: the oracle's and the tool's."""

    stored: Stored
    spec: Spec

    @property
    def claims(self) -> Claims:
        """The question as the engines see it."""
        return pose(network(self.stored), self.spec)

    @property
    def wrong(self) -> Wrong | None:
        """The readout in plain words."""
        readout = self.spec.readout
        if readout.mode == "separable":
            return None
        if readout.mode == "threshold":
            at, margin = readout.at or Fraction(0), readout.margin
            return lambda y, on: y <= at + margin if on else y > at - margin
        within = readout.within or Fraction(0)
        return lambda y, on: abs(y - on) > within


def network(stored: Stored) -> Network:
    """The oracle's layers as a network."""
    chain = []
    for weight, bias, relu in stored:
        flat = exact_array(value for row in weight for value in row).reshape(len(weight), -1)
        chain.append(Affine(Rows.from_dense(flat), exact_array(bias), relu))
    return Network.of(chain)


def readouts() -> st.SearchStrategy[Readout]:
    """All four modes; thresholds that small networks hit exactly."""
    number = st.sampled_from([Fraction(n, d) for n in range(-2, 4) for d in (1, 2, 3)])
    positive = st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(1, 2), Fraction(1), Fraction(5, 2)])
    return st.one_of(
        st.builds(Readout, st.just("threshold"), number, positive | st.just(Fraction(0))),
        st.builds(lambda within: Readout("epsilon", within=within), positive),
        st.just(Readout("equality")),
        st.just(Readout("separable")),
    )


@st.composite
def questions(draw: st.DrawFn, kinds: st.SearchStrategy[Number] = kinds, separable: bool = True) -> Question:
    """A network, functions, a readout and a sparsity."""
    features, outputs = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    stored = draw(layers(features, outputs, kinds))
    functions = tuple(draw(formulas(features)) for _ in range(outputs))
    k = draw(st.integers(0, features))
    readout = draw(readouts() if separable else readouts().filter(lambda readout: readout.mode != "separable"))
    return Question(stored, Spec(KSparse(features, k), functions, readout))


def exactly(active: frozenset[int], features: int) -> Formula:
    """The function that holds on one input alone."""
    return every([Var(j) if j in active else Not(Var(j)) for j in range(features)])


@st.composite
def right_questions(draw: st.DrawFn, most_layers: int) -> Question:
    """A plain network that is right, for its functions are what it computes: read at some threshold."""
    sizes = [draw(st.integers(1, 4)) for _ in range(draw(st.integers(1, most_layers)) + 1)]
    sizes.append(draw(st.integers(1, 2)))
    stored: Stored = []
    for before, after in pairwise(sizes):
        number = draw(kinds) | st.just(Fraction(0))
        weight = draw(st.lists(st.lists(number, min_size=before, max_size=before), min_size=after, max_size=after))
        bias = draw(st.lists(number, min_size=after, max_size=after))
        stored.append((weight, bias, len(stored) < len(sizes) - 2))
    features, at = sizes[0], draw(st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1)]))
    everything = [frozenset(active) for active in inputs(features, features)]
    y = {active: run(stored, [int(j in active) for j in range(features)]) for active in everything}
    functions = tuple(
        some([exactly(active, features) for active in everything if y[active][i] > at]) for i in range(sizes[-1])
    )
    k = draw(st.integers(0, features))
    return Question(stored, Spec(KSparse(features, k), functions, Readout("threshold", at)))


def bits(values: np.ndarray) -> int:
    """How many bits the largest integer has."""
    return max((abs(int(v)).bit_length() for v in values.flat), default=0)
