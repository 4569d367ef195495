"""The compiled bound is that of certificate/README.md, rule by rule, and what it may leave out it leaves out."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations, pairwise

import numpy as np
from hypothesis import assume, given, settings, strategies as st
from strategies import meaning

from supercheck.base.matrix import Rows
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Verdict
from supercheck.claims.replay import evaluate as evaluate_points
from supercheck.decide import bound, branch
from supercheck.decide.flatten import lay_out
from supercheck.decide.kernels.arrays import OPEN, PROVED
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.relaxation import ask
from supercheck.network.evaluate import totals
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.spec.cases import Shapes, cases, decided
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import AtLeast, Formula, Not, Var, Xor, support
from supercheck.spec.readout import Goal, Readout

Matrix = list[list[int]]
Q = 12


def stated(
    layers: list[tuple[Matrix, list[int]]], row: list[int], on: set[int], off: set[int], room: int, rule: str
) -> int:
    """The rules of certificate/README.md in Python integers: an upper bound of row . h, one rule after the other."""
    features = len(layers[0][0][0]) if layers else len(row)
    free = [j for j in range(features) if j not in on | off]

    def top(form: list[int]) -> int:
        return sum(form[j] for j in on) + sum(sorted((form[j] for j in free if form[j] > 0), reverse=True)[:room])

    ranges: list[list[tuple[int, int, bool]]] = []  # L, U, and whether rule b takes the slope 1

    def substituted(form: list[int], depth: int) -> int:
        """(v >> shift) of a form on the neurons of the first `depth` layers."""
        constant = shift = 0
        for layer in reversed(range(depth)):
            weight, bias = layers[layer]
            below = [0] * len(weight[0])
            constant <<= Q
            for r, c in enumerate(form):
                low, high, likely = ranges[layer][r]
                if not c or high <= 0:
                    continue
                if low >= 0:
                    slope, lift = 1 << Q, 0
                elif c > 0:
                    slope = ((high << Q) + (high - low) // 2) // (high - low)
                    lift = max(-slope * low, ((1 << Q) - slope) * high)
                else:
                    slope, lift = (likely if rule == "b" else high > -low) << Q, 0
                constant += c * lift + c * slope * bias[r]
                below = [total + c * slope * w for total, w in zip(below, weight[r], strict=True)]
            form, shift = below, shift + Q
        return (constant + top(form)) >> shift

    for depth, (weight, bias) in enumerate(layers):
        found = []
        for r, entries in enumerate(weight):
            high = bias[r] + substituted(entries, depth)
            low = bias[r] - substituted([-w for w in entries], depth)
            base = bias[r] + sum(entries[j] for j in on) if depth == 0 else low + high
            found.append((low, high, base > 0))
        ranges.append(found)
    return substituted(row, len(layers))


class Asked(Claims):
    """Claims with one goal of our own: the off class stays at or below it."""

    highest = 0

    def goal(self, output: int, on: bool) -> Goal:
        return Goal() if on else Goal(highest=self.highest)


@st.composite
def chains(draw: st.DrawFn) -> tuple[list[tuple[Matrix, list[int]]], list[int]]:
    """Up to three hidden layers of small integers and an output row."""
    widths = [draw(st.integers(1, 6)), *draw(st.lists(st.integers(1, 4), max_size=3))]
    weight = st.integers(-9, 9) | st.just(0)
    layers = [
        (
            draw(st.lists(st.lists(weight, min_size=a, max_size=a), min_size=b, max_size=b)),
            draw(st.lists(st.integers(-9, 9), min_size=b, max_size=b)),
        )
        for a, b in pairwise(widths)
    ]
    return layers, draw(st.lists(weight, min_size=widths[-1], max_size=widths[-1]))


@settings(max_examples=settings.default.max_examples * 3)
@given(chains(), st.data())
def test_the_bound_closes_exactly_what_the_stated_rules_close(
    chain: tuple[list[tuple[Matrix, list[int]]], list[int]], data: st.DataObject
) -> None:
    stored, stored_row = chain
    affine = [Affine(Rows.from_dense(np.array(w)), np.array(b), relu=True) for w, b in stored]
    last = Affine(Rows.from_dense(np.array([stored_row])), np.array([0]), relu=False)
    network = Network.of([*affine, last])
    layers = [(layer.weight.dense().tolist(), layer.bias.tolist()) for layer in network.hidden]
    row = network.output.weight.dense()[0].tolist()
    features = network.features
    pair = tuple(data.draw(st.permutations(range(features)))[: data.draw(st.integers(1, 2))])
    formula = AtLeast(len(pair), tuple(map(Var, pair)))
    k = data.draw(st.integers(0, features))
    off_cases = [set(on) for size in range(len(pair)) for on in combinations(pair, size) if size <= k]
    bounds = [min(stated(layers, row, on, set(pair) - on, k - len(on), rule) for rule in "ab") for on in off_cases]
    claims = Asked(network, network, KSparse(features, k), [formula], Readout("threshold", Fraction(0)))
    for gap in (0, -1):  # at the bound itself, and one below it
        object.__setattr__(claims, "highest", max(bounds) + gap)
        [answers] = ask(claims, [0], 1, 1, Clock.start(None), optimise=False)
        assert (answers.status[0] == PROVED).all() == (gap == 0)


def test_a_bound_that_is_not_tight_leaves_the_output_open_and_branching_decides_it() -> None:
    """ReLU(7 x0 - 3 x1) + ReLU(7 x1 - 3 x0) is at most 8; relaxed, it looks like 9 at k = 2."""
    weight = np.array([[7, -3, 0, 0], [-3, 7, 0, 0]])
    network = Network.of(
        [
            Affine(Rows.from_dense(weight), np.zeros(2), True),
            Affine(Rows.from_dense(np.ones((1, 2))), np.zeros(1), False),
        ]
    )
    claims = Asked(network, network, KSparse(4, 2), [AtLeast(1, (AtLeast(2, (Var(2), Var(3))),))], Readout("separable"))
    object.__setattr__(claims, "highest", 8)
    [answers] = ask(claims, [0], 1, 1, Clock.start(None), optimise=False)
    assert OPEN in answers.status[0]
    [answers] = ask(claims, [0], 100, 1, Clock.start(None), optimise=False)
    assert (answers.status[0] == PROVED).all()


def test_what_is_too_far_apart_for_doubles_is_said_to_be() -> None:
    wide = Network.of(
        [
            Affine(Rows.from_dense(np.array([[1, 2**1000]], dtype=object)), np.zeros(1), True),
            Affine(Rows.from_dense(np.ones((1, 1))), np.zeros(1), False),
        ]
    )
    assert lay_out(wide) is None
    claims = Claims(wide, wide, KSparse(2, 1), [Var(0)], Readout("threshold", Fraction(1, 2)))
    for engine in (bound, branch):
        [[decision]] = engine.decide(claims, [0], Limits(), Clock.start(None))
        assert (decision.verdict, decision.reason) == (Verdict.UNKNOWN, "its integers are too far apart for doubles")


formulas = st.recursive(
    st.integers(0, 6).map(Var),
    lambda part: st.one_of(
        part.map(Not),
        st.builds(AtLeast, st.integers(0, 4), st.lists(part, max_size=5).map(tuple)),
        st.builds(Xor, st.lists(part, max_size=5).map(tuple)),
    ),
    max_leaves=8,
)


@given(formulas, st.integers(0, 7))
def test_cases_cover_every_input_with_the_functions_own_value(formula: Formula, limit: int) -> None:
    shapes = Shapes.among([formula])
    [form], [features] = shapes.forms, shapes.supports
    split = cases(form, limit)
    assert split is not None
    for size in range(min(limit, len(features)) + 1):
        for active in combinations(range(len(features)), size):
            met = [c for c in split if set(c.on) <= set(active) and not set(c.off) & set(active)]
            assert met
            assert {case.value for case in met} == {meaning(form)(frozenset(active))}
            named = frozenset(features[position] for position in active)
            assert meaning(form)(frozenset(active)) == meaning(formula)(named)


@given(formulas, st.dictionaries(st.integers(0, 6), st.booleans()))
def test_a_value_is_called_decided_exactly_if_no_completion_changes_it_or_one_feature_is_named(
    formula: Formula, fixed: dict[int, bool]
) -> None:
    found = decided(formula, fixed)
    if isinstance(found, Var):
        assert found.index in set(support(formula)) - set(fixed)
        return
    rest = sorted(set(support(formula)) - set(fixed))
    for size in range(len(rest) + 1):
        for on in combinations(rest, size):
            assert meaning(formula)(frozenset(on) | {j for j, value in fixed.items() if value}) == found


def test_fifty_thousand_ands_are_one_shape() -> None:
    ands = [AtLeast(2, (Var(i), Var(i + 1))) for i in range(500)]
    shapes = Shapes.among([*ands, Not(Var(3)), Xor((Var(1), Not(Var(1))))])
    assert len(shapes.forms) == 3
    assert shapes.supports[7] == (7, 8)


def test_a_function_of_too_many_cases_is_left_to_others() -> None:
    majority = AtLeast(11, tuple(map(Var, range(21))))
    assert cases(majority, 21) is None
    assert cases(AtLeast(1, tuple(map(Var, range(40)))), 4) is not None
    assert len(cases(AtLeast(1000, tuple(map(Var, range(1000)))), 1000) or ()) == 1001
    assert cases(AtLeast(3000, tuple(map(Var, range(6000)))), 6000) is None  # at once: the split would take gigabytes


@given(chains(), st.data())
def test_many_outputs_on_inputs_of_their_own_are_evaluated_as_one_by_one(
    chain: tuple[list[tuple[Matrix, list[int]]], list[int]], data: st.DataObject
) -> None:
    stored, row = chain
    rows = np.array([row, [2 * w for w in row], [0] * len(row)])
    affine = [Affine(Rows.from_dense(np.array(w)), np.array(b), relu=True) for w, b in stored]
    network = Network.of([*affine, Affine(Rows.from_dense(rows), np.zeros(3), relu=False)])
    assume(network.features)
    subset = st.sets(st.integers(0, network.features - 1))
    questions = data.draw(st.lists(st.tuples(st.integers(0, 2), subset), min_size=1, max_size=6))
    found = totals(network, [i for i, _ in questions], [active for _, active in questions])
    for (i, active), total in zip(questions, found, strict=True):
        y = network.run([int(j in active) for j in range(network.features)])[i]
        assert network.output.bias[i] + network.output.scale[i] * total == y
    claims = Claims(network, network, KSparse(network.features, network.features), [Var(0)] * 3, Readout("separable"))
    points = evaluate_points(claims, [(i, active) for i, active in questions])
    assert [point.active for point, _ in points] == [tuple(sorted(active)) for _, active in questions]


def test_the_answer_does_not_depend_on_the_number_of_threads() -> None:
    rng = np.random.default_rng(0)
    hidden = Affine(Rows.from_dense((rng.random((60, 40)) < 0.2).astype(float)), -np.ones(60), True)
    last = Affine(Rows.from_dense((rng.random((200, 60)) < 0.1).astype(float)), np.zeros(200), False)
    network = Network.of([hidden, last])
    pairs = [AtLeast(2, tuple(map(Var, rng.choice(40, 2, replace=False).tolist()))) for _ in range(200)]
    claims = Claims(network, network, KSparse(40, 3), pairs, Readout("threshold", Fraction(2)))
    for engine, limits in ((bound, Limits()), (branch, Limits(margins=True))):
        runs = [
            [list(part) for part in engine.decide(claims, range(200), replace(limits, workers=n), Clock.start(None))]
            for n in (1, 2, 3)
        ]
        flat = [
            sorted(decision for part in run for decision in part)
            for run in [
                [[(d.output, d.verdict.value, d.active, d.extremes is None) for d in part] for part in run]
                for run in runs
            ]
        ]
        assert flat[0] == flat[1] == flat[2]
