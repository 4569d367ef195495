"""Class floors and capacities: against exhaustive counts where small, hand-computed figures where large."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import combinations, combinations_with_replacement, permutations, product
from math import comb, factorial, inf, log2, perm

import pytest
from hypothesis import given, strategies as st

from supercheck import InputError, gate, parse
from supercheck.analysis.costs.floors import capacity, logs
from supercheck.analysis.costs.floors.bounds import bounds, constructions, curves, forms
from supercheck.analysis.costs.floors.classes import FunctionClass, class_of
from supercheck.analysis.costs.floors.floor import Floor, bound

Table = tuple[tuple[int, ...], ...]


def domain(m: int, k: int) -> list[tuple[int, ...]]:
    return [x for x in product((0, 1), repeat=m) if sum(x) <= k]


def count(name: str, m: int, outputs: int, k: int, q: int = 2) -> int:
    """How many different function tables a class has, by listing them."""
    inputs = domain(m, k)
    if name == "gate2":
        tables = [t for t in product((0, 1), repeat=4) if depends(t)]
        one = [tuple(t[2 * x[a] + x[b]] for x in inputs) for a, b in combinations(range(m), 2) for t in tables]
        return len(set(product(one, repeat=outputs)))
    size = 1 if name == "permutation" else q
    columns = [tuple(int(all(x[j] for j in part)) for x in inputs) for part in combinations(range(m), size)]
    choose = combinations if name == "2-and-unlabelled" else permutations
    return len(set(choose(columns, outputs)))


def depends(t: tuple[int, ...]) -> bool:
    return (t[0], t[1]) != (t[2], t[3]) and (t[0], t[2]) != (t[1], t[3])


CASES = [
    ("permutation", 4, 4, 1, 2),
    ("permutation", 5, 5, 3, 2),
    ("2-and", 4, 3, 2, 2),
    ("2-and", 5, 2, 3, 2),
    ("2-and-unlabelled", 5, 3, 2, 2),
    ("2-and-unlabelled", 4, 6, 2, 2),
    ("q-and", 5, 2, 3, 3),
    ("q-and", 4, 4, 1, 1),
    ("gate2", 3, 2, 2, 2),
    ("gate2", 4, 1, 2, 2),
]


@pytest.mark.parametrize(("name", "m", "outputs", "k", "q"), CASES)
def test_bits_are_the_logarithm_of_an_exhaustive_count(name: str, m: int, outputs: int, k: int, q: int) -> None:
    exact = log2(count(name, m, outputs, k, q))
    bits = FunctionClass(name, m, outputs, k, q).bits()
    assert bits == pytest.approx(exact, abs=1e-12)
    assert 2**bits <= count(name, m, outputs, k, q) * (1 + 1e-15)


@pytest.mark.parametrize("name", ["permutation", "2-and", "gate2"])
def test_functions_of_the_class_agree_below_the_sparsity_that_is_asked_for(name: str) -> None:
    k = 0 if name == "permutation" else 1
    exact = factorial(3) if name == "permutation" else perm(3, 3) if name == "2-and" else 30**3
    assert count(name, 3, 3, k) < exact
    with pytest.raises(InputError, match="-k"):
        FunctionClass(name, 3, 3, k)


def served(columns: list[tuple[int, ...]], table: Table, missed: int) -> int:
    """How many lists of distinct columns differ from a table in at most so many outputs."""
    lists = permutations(columns, len(table))
    return sum(sum(a != b for a, b in zip(other, table, strict=True)) <= missed for other in lists)


@pytest.mark.parametrize("missed", [0, 1, 2])
def test_with_wrong_outputs_the_class_still_needs_no_more_than_a_cover(missed: int) -> None:
    inputs, outputs = domain(4, 2), 4
    columns = [tuple(x[a] & x[b] for x in inputs) for a, b in combinations(range(4), 2)]
    most = max(served(columns, tuple(columns[i] for i in chosen), missed) for chosen in permutations(range(6), outputs))
    exact = log2(perm(6, outputs) / most)  # no smaller number of networks serves the class
    bits = FunctionClass("2-and", 4, outputs, 2).bits(Fraction(missed, outputs))
    assert bits <= exact + 1e-12
    if not missed:
        assert bits == pytest.approx(exact)


@pytest.mark.parametrize(
    ("outputs", "bits", "widths"),
    [(256, 3_837, (62, 22, 11)), (1_024, 19_453, (139, 49, 25)), (16_384, 442_365, (665, 235, 118))],
)
def test_the_figures_of_theory(outputs: int, bits: int, widths: tuple[int, ...]) -> None:
    found = FunctionClass("2-and", outputs, outputs, 3).bits()
    assert int(found) == bits
    assert tuple(capacity.least_block_width(found, 1, precision) for precision in (1, 8, 32)) == widths


@given(st.integers(2, 40), st.integers(1, 40), st.integers(2, 5), st.sampled_from([0, 8, 4, 2]))
def test_bits_grow_with_features_and_outputs_and_fall_with_errors(m: int, outputs: int, k: int, part: int) -> None:
    k, outputs = min(k, m), min(outputs, comb(m, 2))
    wrong = Fraction(1, part) if part else Fraction(0)
    here = FunctionClass("2-and", m, outputs, k)
    assert here.bits(wrong) <= here.bits()
    assert here.bits() <= FunctionClass("2-and", m + 1, outputs, k).bits()
    assert FunctionClass("2-and-unlabelled", m, outputs, k).bits() <= here.bits()
    assert here.bits() <= FunctionClass("gate2", m, outputs, k).bits()
    if outputs < comb(m, 2):
        assert here.bits() <= FunctionClass("2-and", m, outputs + 1, k).bits()


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_logarithms_lie_on_the_side_that_they_are_asked_for(n: int, k: int) -> None:
    n, k = max(n, k), min(n, k)
    for exact, find in (
        (comb(n, k), lambda up: logs.log2_comb(n, k, up=up)),
        (perm(n, k), lambda up: logs.log2_perm(n, k, up=up)),
        (max(1, n), lambda up: logs.log2(max(1, n), up=up)),
    ):
        low, high = find(False), find(True)
        assert low <= high <= low + Fraction(1, 10**12)
        near = logs.log2(exact, up=False)
        assert low <= near + Fraction(1, 10**12)
        assert low <= logs.log2(exact, up=True)
        assert high >= near


@given(st.fractions())
def test_doubles_are_rounded_to_the_side_that_is_asked_for(value: Fraction) -> None:
    low, high = logs.rounded(value, up=False), logs.rounded(value, up=True)
    assert Fraction(low) <= value <= Fraction(high)


@given(st.integers(0, 500), st.integers(0, 500))
def test_least_is_the_first_that_is_enough(first: int, most: int) -> None:
    assert logs.least(lambda n: n >= first, most) == (first if first <= most else None)


@pytest.mark.parametrize(("slots", "edges", "values"), [(4, 2, 3), (5, 0, 2), (3, 3, 2), (6, 2, 1)])
def test_sparse_bits_count_matrices(slots: int, edges: int, values: int) -> None:
    cells = [row for row in product(range(values + 1), repeat=slots) if sum(map(bool, row)) == edges]
    assert capacity.sparse_bits(slots, edges, values) == pytest.approx(log2(len(cells)))
    assert 2 ** capacity.sparse_bits(slots, edges, values) >= len(cells) * (1 - 1e-12)


@pytest.mark.parametrize(("neurons", "parameters", "values"), [(1, 2, 3), (2, 2, 2), (3, 2, 2), (2, 1, 5)])
def test_swap_bits_count_networks_up_to_the_order_of_neurons(neurons: int, parameters: int, values: int) -> None:
    kinds = list(product(range(values), repeat=parameters))
    networks = sum(1 for _ in combinations_with_replacement(kinds, neurons))
    assert capacity.swap_bits(neurons, parameters, values) == pytest.approx(log2(networks))


def test_swap_bits_stay_above_the_exact_count_where_it_is_not_taken() -> None:
    for neurons in (1, 2, 5, 40):
        exact = log2(comb(2**70 + neurons - 1, neurons))
        assert exact - 1e-9 <= capacity.swap_bits(neurons, 35, 4) <= exact + 1e-9


def test_real_bits_by_hand() -> None:
    # one hidden layer of 2 on 3 features, 1 output, 7 inputs: W = 8, 11 <= 14, but not 11 <= 7
    first = 1 + 8 * log2(2 * 2.718281828459045 * 1 * 7 * 2 / 8)
    assert capacity.real_bits(capacity.stages(3, [2], 1), 7) == pytest.approx(min(first, 14) + 7)
    long = capacity.real_bits(capacity.stages(3, [2], 1), 10_000)
    wanted = (1 + 8 * log2(2 * 2.718281828459045 * 10_000 * 2 / 8)) + (
        1 + 11 * log2(2 * 2.718281828459045 * 2 * 10_000 / 11)
    )
    assert long == pytest.approx(wanted)


def test_real_bits_are_never_below_the_functions_that_small_networks_compute() -> None:
    """Every function of two features that ReLU(ax + by + c) > 0 computes, over a grid that meets all of them."""
    inputs = domain(2, 2)
    grid = [Fraction(n, 2) for n in range(-3, 4)]
    functions = {
        tuple(v * max(a * x + b * y + c, Fraction(0)) > t for x, y in inputs)
        for a, b, c in product(grid, repeat=3)
        for v, t in product((-1, 1), (Fraction(-1, 2), Fraction(0)))
    }
    assert len(functions) == 14
    assert capacity.real_bits(capacity.stages(2, [1], 1), len(inputs)) >= log2(len(functions))


LEAST: list[tuple[Callable[[float], int | None], Callable[[int], float]]] = [
    (lambda b: capacity.least_slots(b, 3), lambda n: capacity.dense_bits(n, 3)),
    (lambda b: capacity.least_edges(b, 4000, 3), lambda n: capacity.sparse_bits(4000, n, 3)),
    (lambda b: capacity.least_block_width(b, 2, 8), lambda n: capacity.block_bits(n, 2, 8)),
    (lambda b: capacity.least_neurons_modulo_swaps(b, 9, 256), lambda n: capacity.swap_bits(n, 9, 256)),
    (
        lambda b: capacity.least_real_width(b, 30, 20, 2, 10**6),
        lambda n: capacity.real_bits(capacity.stages(30, [n] * 2, 20), 10**6),
    ),
]


@pytest.mark.parametrize("which", range(len(LEAST)))
def test_a_least_shape_is_enough_and_one_less_is_not(which: int) -> None:
    least, bits_of = LEAST[which]
    found = [least(bits) for bits in (0.5, 3, 100, 1234.5, 5000)]
    assert None not in found
    assert found == sorted(found)  # type: ignore[type-var]
    for bits, shape in zip((0.5, 3, 100, 1234.5, 5000), found, strict=True):
        assert shape is not None
        assert bits_of(shape) >= bits
        assert shape == 0 or bits_of(shape - 1) < bits


def test_no_number_of_edges_may_be_enough() -> None:
    assert capacity.least_edges(9, 8, 1) is None
    assert capacity.least_edges(log2(comb(8, 4)), 8, 1) == 4


@pytest.mark.parametrize(
    ("formulas", "m", "k", "name"),
    [
        (["x0 & x1", "x1 & x2"], 4, 2, "2-and"),
        (["x0 & x1", "x0 & x1"], 4, 2, "gate2"),
        (["x0 & x1", "x0 & x2", "x1 & x2"], 3, 2, None),  # all of them: one function
        (["x0 & x1", "x1 & x2"], 4, 1, None),  # never on
        (["x0 & x1 & x2", "x1 & x2 & x3"], 5, 3, "q-and"),
        (["x1", "x0"], 2, 1, "permutation"),
        (["x1", "x0"], 3, 1, None),
        (["x0 & ~x1", "x1 ^ x2"], 4, 2, "gate2"),
        (["x0 & x1", "x0 & x1 & x2"], 4, 3, None),
        (["x0 | (x1 & ~x1)"], 4, 3, None),  # names two features, depends on one
        (["x0 | x1 | x2"], 4, 3, None),
    ],
)
def test_the_class_of_functions(formulas: list[str], m: int, k: int, name: str | None) -> None:
    found = class_of([parse(formula) for formula in formulas], m, k)
    assert (None if found is None else found.name) == name


def test_all_pairs_are_one_function_and_have_no_class() -> None:
    assert class_of([gate("and", pair) for pair in combinations(range(6), 2)], 6, 3) is None
    assert FunctionClass("2-and-unlabelled", 6, 15, 3).bits() == 0


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (("3-and", 4, 3, 2), "CLASS"),
        (("2-and", 4, 7, 2), "--outputs"),
        (("permutation", 4, 3, 2), "--outputs"),
        (("2-and", 0, 1, 2), "--features"),
        (("2-and", 1, 1, 2), "--features"),
        (("gate2", 4, 0, 2), "--outputs"),
        (("2-and", 10**13, 1, 2), "--features"),
    ],
)
def test_a_class_that_does_not_exist_is_an_input_error(arguments: tuple[str, int, int, int], place: str) -> None:
    with pytest.raises(InputError, match=place):
        bounds(*arguments)


def test_tolerated_errors_and_precision_have_their_ranges() -> None:
    with pytest.raises(InputError, match="--wrong"):
        bounds("2-and", 8, 8, 2, wrong=Fraction(3, 5))
    with pytest.raises(InputError, match="--bits"):
        bounds("2-and", 8, 8, 2, precision=0)


def test_bounds_list_every_capacity_and_mark_the_strongest_of_each_unit() -> None:
    found = bounds("2-and", 256, 256, 3, precision=8)
    by_name = {floor.name.split(",")[0]: floor for floor in found.floors}
    assert by_name["n x n block between fixed codes"].floor == 22
    assert by_name["n x n block between fixed codes"].binds
    assert by_name["8 bits a parameter"].floor == 480
    assert {floor.kind for floor in found.floors} == {"class"}
    assert all(floor.source and floor.measured is None for floor in found.floors)
    assert [floor.unit for floor in found.floors if floor.binds] == ["bits", "parameters", "edges", "neurons"]


def halving(m: int) -> Iterator[tuple[float, float]]:
    bits = FunctionClass("2-and", m, m, 3).bits()
    for precision in (1, 2, 4, 8, 16, 32):
        yield capacity.least_block_width(bits, 1, precision), capacity.least_slots(bits, 2**precision)


def test_floors_fall_with_precision_and_with_errors() -> None:
    for floors in zip(*halving(300), strict=True):
        assert list(floors) == sorted(floors, reverse=True)
    widths = [
        floor.floor
        for part in (0, 16, 8, 4, 2)
        for floor in bounds("2-and", 64, 64, 3, wrong=Fraction(1, part) if part else Fraction(0)).floors
        if floor.name.startswith("n x n")
    ]
    assert widths == sorted(widths, key=lambda width: -(width or 0))
    assert widths[0] != widths[-1]


def test_what_constructions_cost() -> None:
    pair, copy, form = constructions(2, 20, 100)
    assert (pair.neurons, pair.edges, copy.neurons, copy.edges) == (100, 300, 20, 220)
    assert form.neurons == pytest.approx(10 * log2(100))
    assert not form.exact
    assert [made.name for made in constructions(2, 20, 100, linear=False)] == [pair.name, form.name]
    assert next(constructions(1, 9, 9)).edges == 18


def test_forms_show_their_constants() -> None:
    found = {form.name: form for form in forms(256, 32, 4096)}
    assert found["parameters, lower"].constant == pytest.approx(4096 / (256 * 8))
    assert found["neurons, lower"].constant == pytest.approx(32 / (256 * 8) ** 0.5)
    assert found["neurons, upper"].constant == pytest.approx(32 / (16 * 8))
    assert found["outputs of n neurons, upper"].constant == pytest.approx(256 / (1024 / 5))
    assert not list(forms(1, 3, 3))


@pytest.mark.parametrize("name", ["permutation", "2-and", "gate2"])
def test_curves_rise_and_pass_through_the_bounds(name: str) -> None:
    of_class = FunctionClass(name, 64, 64, 3)
    drawn = {curve.name: dict(curve.points) for curve in curves(of_class)}
    for points in drawn.values():
        values = [points[count] for count in sorted(points)]
        assert values == sorted(values)
        assert inf not in values
    lower = drawn["n x n blocks between fixed codes, 8 bits"]
    assert lower[64] == capacity.least_block_width(of_class.bits(), 1, 8)


@pytest.mark.parametrize("slots", range(1, 8))
@pytest.mark.parametrize("values", [1, 2, 5])
def test_the_least_edges_are_those_of_a_search_up_to_a_full_matrix(slots: int, values: int) -> None:
    held = [comb(slots, edges) * values**edges for edges in range(slots + 1)]
    for count in {*held, max(held) + 1}:
        bits = log2(count) * (1 - 1e-12)
        found = next((edges for edges, other in enumerate(held) if other >= count), None)
        assert capacity.least_edges(bits if count <= max(held) else log2(count), slots, values) == found


def test_a_fixed_decoder_adds_signs_to_tell_apart() -> None:
    """Of two network outputs a fixed decoder makes three: each has signs of its own, none has parameters."""
    own, decoded = capacity.stages(3, [2], 2), capacity.stages(3, [2], 2, 3)
    assert decoded == [own[0], capacity.Stage(3, own[1].parameters)]
    assert capacity.real_bits(decoded, 1000) > capacity.real_bits(own, 1000)
    few, many = (capacity.least_real_width(60, 8, 4, 1, 37, decoded) for decoded in (None, 400))
    assert few is not None
    assert many is not None
    assert many < few


@pytest.mark.parametrize(("m", "q", "outputs"), [(10**6, 10, 1000), (10**12, 5, 100), (10**9, 40, 30)])
def test_ands_of_many_features_keep_their_bits(m: int, q: int, outputs: int) -> None:
    choices = comb(m, q)
    exact = sum(log2(choices - i) for i in range(outputs))
    assert FunctionClass("q-and", m, outputs, q, q).bits() == pytest.approx(exact)


@pytest.mark.parametrize(
    ("arguments", "options", "place"),
    [(("permutation", 10**9, 10**9, 10**6), {}, "-k"), (("2-and", 8, 8, 3), {"arity": 3}, "--arity")],
)
def test_what_bounds_would_not_finish_or_not_heed_is_an_input_error(
    arguments: tuple[str, int, int, int], options: dict[str, int], place: str
) -> None:
    with pytest.raises(InputError, match=place):
        bounds(*arguments, **options)  # type: ignore[arg-type]


def test_the_floor_that_leaves_the_least_slack_binds() -> None:
    wide = Floor("wide", 12, 4, "bits through a cut", "this network", "")
    narrow = Floor("narrow", 2, 1.5, "bits through a cut", "this network", "")
    empty = Floor("empty", 0, 1, "bits in layer 1", "this network", "")
    assert [floor.binds for floor in bound([wide, narrow, empty], ("this network",))] == [False, True, True]
    assert empty.missed
