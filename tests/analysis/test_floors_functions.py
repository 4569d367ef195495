"""Floors of one function: against exact ranks, exhaustive searches and true minimal networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from hypothesis import given, strategies as st
from oracle import inputs
from strategies import formulas, meaning

from supercheck import KSparse, gate, parse
from supercheck.analysis.costs.floors import functions, representing
from supercheck.analysis.costs.floors.patterns import Patterns, patterns
from supercheck.base.matrix import Rows
from supercheck.network.layers import Affine
from supercheck.spec.formula import Formula, support


def ands(m: int, q: int = 2) -> list[Formula]:
    return [gate("and", part) for part in combinations(range(m), q)]


def xors(m: int) -> list[Formula]:
    return [gate("xor", pair) for pair in combinations(range(m), 2)]


def table(listed: Sequence[Formula], m: int, k: int) -> set[tuple[bool, ...]]:
    """The output vectors that occur, by recursion over every input."""
    means = [meaning(formula) for formula in listed]
    return {tuple(mean(frozenset(active)) for mean in means) for active in inputs(m, k)}


questions = st.integers(1, 5).flatmap(
    lambda m: st.tuples(st.just(m), st.integers(0, m), st.lists(formulas(m), min_size=1, max_size=4))
)


@given(questions)
def test_patterns_are_the_output_vectors_that_occur(question: tuple[int, int, list[Formula]]) -> None:
    m, k, listed = question
    known, exact = patterns(listed, KSparse(m, k)), table(listed, m, k)
    assert known.complete
    assert {tuple(row) for row in known.rows.tolist()} == exact
    assert len(known) == len(exact) == len(known.inputs)
    for row, active in zip(known.rows.tolist(), known.inputs, strict=True):
        assert [meaning(formula)(active) for formula in listed] == row


@given(questions, st.integers(1, 40))
def test_part_of_the_patterns_is_part_of_them(question: tuple[int, int, list[Formula]], cells: int) -> None:
    m, k, listed = question
    part, whole = patterns(listed, KSparse(m, k), cells), patterns(listed, KSparse(m, k))
    assert {tuple(row) for row in part.rows.tolist()} <= table(listed, m, k)
    named = len(set().union(*map(support, listed)))
    assert part.complete == (KSparse(named, min(k, named)).size <= cells // len(listed))
    assert functions.rank_floor(part) <= functions.rank_floor(whole)
    assert len(functions.shattered(part)) <= len(functions.shattered(whole))
    assert functions.alone(part) <= functions.alone(whole)


def rank(rows: Sequence[Sequence[int]]) -> int:
    """The rank over the rationals, by elimination."""
    left, found = [[Fraction(v) for v in row] for row in rows], 0
    while left:
        row = left.pop()
        place = next((i for i, v in enumerate(row) if v), None)
        if place is None:
            continue
        found += 1
        left = [[a - other[place] / row[place] * b for a, b in zip(other, row, strict=True)] for other in left]
    return found


@given(questions)
def test_the_rank_floor_is_the_exact_rank(question: tuple[int, int, list[Formula]]) -> None:
    m, k, listed = question
    exact = rank([[1, *row] for row in table(listed, m, k)]) - 1
    assert functions.rank_floor(patterns(listed, KSparse(m, k))) == exact


def test_equality_needs_a_neuron_for_each_of_the_distinct_ands() -> None:
    for m, k in ((4, 2), (6, 2), (6, 3), (30, 2)):
        assert functions.rank_floor(patterns(ands(m), KSparse(m, k))) == comb(m, 2)
    assert functions.rank_floor(patterns([parse("x0"), parse("~x0"), parse("1")], KSparse(3, 2))) == 1


@given(st.integers(1, 16), st.integers(0, 2**16))
def test_elimination_finds_the_rank_of_random_tables(outputs: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    some = rng.integers(0, 2, (rng.integers(1, 30), outputs)).astype(bool)
    rows = np.unique(np.concatenate([some, some[:1] ^ some]), axis=0)
    known = Patterns(rows, tuple(frozenset[int]() for _ in rows), complete=True)
    assert functions.rank_floor(known) == rank([[1, *row] for row in rows.astype(int).tolist()]) - 1


@pytest.mark.parametrize(("within", "rank"), [("1/20", 268), ("1/10", 76), ("1/4", 13), ("2/5", 5)])
def test_the_epsilon_figures_of_theory(within: str, rank: int) -> None:
    assert functions.epsilon_floor(1024, Fraction(within)) == rank - 1


@given(st.integers(1, 300), st.integers(0, 49), st.integers(0, 49))
def test_the_epsilon_floor_falls_with_the_error_and_grows_with_outputs(count: int, a: int, b: int) -> None:
    low, high = sorted((Fraction(a, 100), Fraction(b, 100)))
    assert functions.epsilon_floor(count, high) <= functions.epsilon_floor(count, low) <= count - 1
    assert functions.epsilon_floor(count, low) <= functions.epsilon_floor(count + 1, low)


def test_no_error_leaves_the_epsilon_floor_at_the_rank() -> None:
    assert functions.epsilon_floor(50, Fraction(0)) == 49  # one less: the constant may help
    with pytest.raises(ValueError, match="1/2"):
        functions.epsilon_floor(5, Fraction(1, 2))


@given(questions)
def test_the_shattered_set_is_a_largest_one(question: tuple[int, int, list[Formula]]) -> None:
    m, k, listed = question
    exact = table(listed, m, k)
    sizes = [
        size
        for size in range(len(listed) + 1)
        for chosen in combinations(range(len(listed)), size)
        if len({tuple(row[i] for i in chosen) for row in exact}) == 2**size
    ]
    found = functions.shattered(patterns(listed, KSparse(m, k)))
    assert len({tuple(row[i] for i in found) for row in exact}) == 2 ** len(found)
    assert len(found) == max(sizes)


@given(st.integers(1, 12), st.data())
def test_the_pattern_floor_is_where_the_cells_suffice(outputs: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 2**outputs))
    n = functions.pattern_floor(count, outputs)
    assert sum(comb(outputs, j) for j in range(n + 1)) >= count
    assert n == 0 or sum(comb(outputs, j) for j in range(n)) < count


def neuron_values(m: int, k: int, weights: Sequence[int], biases: Sequence[int]) -> list[tuple[tuple[int, ...], int]]:
    """What single neurons of small weights compute on the domain, each with the fewest edges that do it."""
    every = [tuple(int(j in active) for j in range(m)) for active in inputs(m, k)]
    best: dict[tuple[int, ...], int] = {}
    for row in product(weights, repeat=m):
        for bias in biases:
            values = tuple(max(0, bias + sum(w * v for w, v in zip(row, x, strict=True))) for x in every)
            best[values] = min(best.get(values, m), sum(map(bool, row)))
    return list(best.items())


def fewest_edges(m: int, k: int, n: int, listed: Sequence[Formula]) -> int | None:
    """The fewest edges of any network of n neurons with weights -1, 0, 1 that separates every output's classes."""
    wanted = np.array([[meaning(f)(frozenset(active)) for active in inputs(m, k)] for f in listed])
    readouts = np.array(list(product((-1, 0, 1), repeat=n)))
    costs = np.count_nonzero(readouts, axis=1)
    best = None
    for chosen in combinations(neuron_values(m, k, (-1, 0, 1), (-1, 0, 1)), n):
        y = readouts @ np.array([values for values, _ in chosen])  # [readouts, inputs]
        fewest = [costs[y[:, on].min(axis=1) > y[:, ~on].max(axis=1)].min(initial=99) for on in wanted]
        edges = sum(cost for _, cost in chosen) + int(sum(fewest))
        if max(fewest) < 99 and (best is None or edges < best):
            best = edges
    return best


@pytest.mark.parametrize(
    ("m", "k", "n", "listed"),
    [
        (3, 2, 2, ands(3)),
        (3, 2, 3, ands(3)),
        (3, 2, 2, ands(3)[:2]),
        (3, 3, 2, ands(3)),
        (4, 2, 2, ands(4)[:3]),
        (3, 2, 2, ands(3, 1)),
        (3, 1, 2, ands(3, 1)),
        (3, 2, 3, ands(3, 1)),
        (4, 4, 2, [ands(4)[0], ands(4)[5]]),
    ],
)
def test_the_edge_floor_is_never_above_the_fewest_edges_of_small_networks(
    m: int, k: int, n: int, listed: list[Formula]
) -> None:
    floor, found = functions.edge_floor(listed, k, n), fewest_edges(m, k, n, listed)
    assert floor is not None
    assert found is None or floor <= found
    if (m, k, n) in ((3, 2, 3), (4, 4, 2)):
        assert found is not None


def test_the_edge_floor_speaks_of_one_arity_alone() -> None:
    """Nested ANDs can share a neuron: ReLU(3 x0 + 3 x1 + x2 - 5) read at 1/2 and 3/2 has five edges."""
    nested = [parse("x0 & x1"), parse("x0 & x1 & x2")]
    assert functions.edge_floor(nested, 3, 1) is None
    assert functions.edge_floor(ands(4), 1, 3) is None  # q > k
    assert functions.edge_floor([parse("x0 & x1")] * 2, 3, 1) is None
    assert functions.edge_floor(ands(8), 3, 8) == 8 + 56 - 16
    assert functions.edge_floor(ands(8), 4, 8) == 8 + 56 - 8


@pytest.mark.parametrize(
    ("listed", "m", "k", "least"),
    [
        (ands(3), 3, 2, 2), (ands(4), 4, 2, 2), (ands(7), 7, 2, 3), (ands(8), 8, 2, 4), (ands(3), 3, 3, 2),
        (ands(4), 4, 3, 3), (ands(5), 5, 3, 4), (ands(6), 6, 3, 5), (ands(3, 1), 3, 2, 2), (ands(4, 1), 4, 2, 3),
        (ands(3, 1), 3, 3, 3), (ands(4, 1), 4, 3, 3), (ands(5, 1), 5, 3, 4),
        (xors(3), 3, 2, 3), (xors(4), 4, 2, 4),
    ],
)  # fmt: skip
def test_threshold_floors_are_never_above_the_least_networks_known(
    listed: list[Formula], m: int, k: int, least: int
) -> None:
    known = patterns(listed, KSparse(m, k))
    floors = [len(functions.shattered(known)), functions.pattern_floor(len(known), known.outputs)]
    assert max(floors) <= least
    if (len(listed), k) == (3, 3) and listed == ands(3, 1):
        assert max(floors) == 3  # three copied features take all eight values: proved minimal by the floor


def encoder(columns: Sequence[Sequence[int]]) -> Affine:
    weight = np.array(columns, dtype=np.int64).T
    return Affine(Rows.from_dense(weight), np.zeros(len(weight), dtype=np.int64), False)


def test_the_quality_of_an_encoder_by_hand() -> None:
    found = representing.code(encoder([[1, 0], [0, 1], [1, 1]]), KSparse(3, 1))
    assert found is not None
    assert found.coherence_squared == Fraction(1, 2)
    assert found.margin == 0  # the third column answers 1 to the first, which answers 1 to itself
    plain = representing.code(encoder([[2, 0], [0, 3]]), KSparse(2, 2))
    assert plain == representing.Code(Fraction(0), Fraction(1))
    assert representing.code(encoder([[0, 0], [0, 3]]), KSparse(2, 2)) is None


@given(st.integers(2, 5), st.integers(1, 5), st.integers(0, 2**16))
def test_the_margin_of_an_encoder_is_that_of_brute_force(m: int, k: int, seed: int) -> None:
    k, columns = min(k, m), np.random.default_rng(seed).integers(-2, 3, (m, 3)).tolist()
    found = representing.code(encoder(columns), KSparse(m, k))
    if found is None:
        assert any(not any(column) for column in columns)
        return

    def answers(i: int, on: bool) -> list[Fraction]:
        listed = (a for a in inputs(m, k) if (i in a) == on)
        own = columns[i]
        return [Fraction(sum(dot(own, columns[j]) for j in a), dot(own, own)) for a in listed]

    assert found.margin == min(min(answers(i, True)) - max(answers(i, False)) for i in range(m))


def dot(a: Sequence[int], b: Sequence[int]) -> int:
    return sum(x * y for x, y in zip(a, b, strict=True))


def test_dimensions_that_represent() -> None:
    enough: Callable[[int, int], int] = lambda m, k: representing.dimension_enough(KSparse(m, k))  # noqa: E731
    assert enough(50, 3) == 50  # an axis each is less than 4 ln(50) 25
    assert enough(10**6, 2) == int(4 * np.log(10**6) * 9) + 1
    assert enough(10**6, 2) <= enough(10**7, 2) <= enough(10**7, 3)
    for m in (1, 2, 10, 1000):
        for k in (1, 2, 3):
            domain = KSparse(m, min(k, m))
            assert representing.dimension_needed(domain) <= representing.dimension_enough(domain)


def test_random_signs_of_enough_dimensions_do_represent() -> None:
    m, k = 400, 1
    d = representing.dimension_enough(KSparse(m, k))
    assert d < 30
    signs = np.random.default_rng(0).choice((-1, 1), (m, d)).tolist()
    found = representing.code(encoder(signs), KSparse(m, k))
    assert found is not None
    assert found.coherence_squared < 1
    assert found.margin > 0


def test_the_epsilon_floor_of_a_million_outputs_is_found_at_once() -> None:
    """One more neuron than the floor may do, one less may not; a search neuron by neuron took minutes."""
    floor = functions.epsilon_floor(10**6, Fraction(1, 2000))
    ratio = Fraction(1, 1999)
    assert (floor + 1) * (1 + (10**6 - 1) * ratio**2) >= 10**6 > floor * (1 + (10**6 - 1) * ratio**2)


def test_features_that_no_function_names_are_left_off() -> None:
    known = patterns([parse("x3 & x399")], KSparse(400, 3))  # 10,666,801 inputs
    assert known.complete
    assert sorted(known.inputs, key=len) == [frozenset(), frozenset({3, 399})]
    assert patterns([parse("1")], KSparse(400, 3)).rows.tolist() == [[True]]


def test_codes_of_no_active_feature_need_no_dimension() -> None:
    assert representing.coherence_allowed(3) == Fraction(1, 5)
    assert representing.coherence_allowed(0) == 1
    assert (representing.dimension_enough(KSparse(9, 0)), representing.dimension_needed(KSparse(9, 0))) == (0, 0)
