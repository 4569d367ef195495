"""Group tests, designs and parity: closed forms, engines and brute force say the same."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from random import Random

import numpy as np
import pytest
from builds import proved, right

from supercheck.base.errors import InputError
from supercheck.base.matrix import Array
from supercheck.construct.catalogue.group_testing import design, group_testing
from supercheck.construct.catalogue.parity import parity
from supercheck.construct.designs import disjunct, field, greedy, reed_solomon, steiner
from supercheck.construct.pairs import of_edges
from supercheck.construct.request import Request
from supercheck.decide.limits import Clock

ADMISSIBLE = [v for v in range(7, 62) if v % 6 in (1, 3)]


def overlaps(matrix: Array) -> tuple[int, int]:
    """The least ones of a column, and the most that two columns share."""
    common = matrix.T @ matrix
    weights = common.diagonal().copy()
    np.fill_diagonal(common, 0)
    return int(weights.min()), int(common.max(initial=0))


def is_disjunct(matrix: Array, most: int) -> bool:
    """Whether no column lies in the union of so many others, by trying all."""
    sets = [frozenset(np.flatnonzero(column).tolist()) for column in matrix.T]
    return all(
        not one <= frozenset().union(*others)
        for i, one in enumerate(sets)
        for others in combinations(sets[:i] + sets[i + 1 :], min(most, len(sets) - 1))
    )


@pytest.mark.parametrize("points", ADMISSIBLE)
def test_every_pair_of_points_lies_in_exactly_one_triple(points: int) -> None:
    pairs = [pair for triple in steiner(points) for pair in combinations(sorted(triple), 2)]
    assert sorted(pairs) == list(combinations(range(points), 2))


@pytest.mark.parametrize("size", [2, 3, 4, 5, 7, 8, 9, 11, 16, 25, 27, 32])
def test_a_finite_field_is_one(size: int) -> None:
    add, multiply = field(size)
    for table, others in ((add, range(size)), (multiply, range(1, size))):
        assert (table == table.T).all()
        assert all(sorted(table[a].tolist()) == list(range(size)) for a in others)
    draw = Random(size)
    for a, b, c in ([draw.randrange(size) for _ in range(3)] for _ in range(500)):
        assert multiply[a, add[b, c]] == add[multiply[a, b], multiply[a, c]]
        assert multiply[a, multiply[b, c]] == multiply[multiply[a, b], c]
        assert add[a, add[b, c]] == add[add[a, b], c]


@pytest.mark.parametrize(("sets", "most", "rows"), [(25, 2, 15), (49, 3, 28), (49, 4, 35), (343, 2, 35), (343, 3, 49)])
def test_reed_solomon_has_the_rows_that_theory_says(sets: int, most: int, rows: int) -> None:
    matrix, _ = reed_solomon(sets, most)
    weight, shared = overlaps(matrix)
    assert matrix.shape == (rows, sets)
    assert most * shared < weight


@pytest.mark.parametrize(("sets", "most", "rows"), [(256, 2, 35), (256, 3, 71), (256, 4, 110), (57, 2, 19), (5, 3, 5)])
def test_the_best_matrix_is_no_worse_than_the_prototype(sets: int, most: int, rows: int) -> None:
    matrix, _ = disjunct(sets, most, Random(0), Clock.start(None))
    weight, shared = overlaps(matrix)
    assert len(matrix) <= rows
    assert most * shared < weight


@pytest.mark.parametrize("most", [1, 2, 3])
def test_greed_finds_disjunct_matrices_or_none(most: int) -> None:
    found = [greedy(12, most, 1, rows, Random(rows), Clock.start(None)) for rows in range(3, 22)]
    assert found[0] is None
    for matrix in found:
        assert matrix is None or is_disjunct(matrix, most)
    assert found[-1] is not None


@pytest.mark.parametrize(
    ("features", "most", "arity"), list(product([1, 5, 9], [0, 1, 2, 3], [(1,), (2,), (2, 3), (1, 4)]))
)
def test_group_tests_know_every_and_of_every_arity(features: int, most: int, arity: tuple[int, ...]) -> None:
    if max(arity) > features or most > features:
        with pytest.raises(InputError):
            group_testing(Request(most, features=features, arity=arity))
        return
    built = group_testing(Request(most, features=features, arity=arity))
    assert is_disjunct(-built.layers[0].weight.dense(), most)
    assert right(built)
    assert proved(built, "bound") or proved(built, "auto")


def test_a_matrix_that_is_not_disjunct_fails() -> None:
    """The closed form is no formality: one k more, and the engines refute what it no longer covers."""
    built = group_testing(Request(2, features=25))
    assert not proved(built.read_at(Fraction(0)), "enumerate")
    matrix = -built.layers[0].weight.dense()
    most = next(k for k in range(2, 9) if not is_disjunct(matrix, k))
    asked = [built.spec.at_most(k) for k in (most - 1, most)]
    verdicts = [proved(type(built)(built.layers, spec), "enumerate") for spec in asked]
    assert verdicts == [True, False]


def test_all_pairs_and_triples_of_49_features_with_35_neurons() -> None:
    built = group_testing(Request(4, features=49, arity=(2, 3)))
    assert (built.neurons, len(built.spec.formulas)) == (35, 1_176 + 18_424)
    assert proved(built, "auto")


@pytest.mark.parametrize("features", [2, 7, 8, 12, 13, 16, 17])
@pytest.mark.parametrize("most", [0, 1, 2])
def test_a_design_knows_all_pairs(features: int, most: int) -> None:
    built = design(Request(most, features=features))
    outside = built.layers[0].weight.dense()
    assert is_disjunct(1 - outside, 2)
    assert right(built)
    assert proved(built, "bound")


def test_the_triples_of_19_points_make_1596_ands_with_19_neurons() -> None:
    built = design(Request(2, features=57))
    assert (built.neurons, len(built.spec.formulas)) == (19, 1_596)
    assert built.made["design"] == "Steiner triple system on 19 points"
    assert proved(built, "bound")
    plane = design(Request(2, features=16))
    assert (plane.neurons, plane.made["design"]) == (12, "three directions of the affine plane of order 4")
    with pytest.raises(InputError, match="at most 2"):
        design(Request(3, features=16))


def test_listed_pairs_are_built_alone() -> None:
    pairs = of_edges([(0, 3), (2, 1), (4, 6)])
    for build in (design, group_testing, parity):
        built = build(Request(2, pairs=pairs))
        assert (built.spec.domain.features, len(built.spec.formulas)) == (7, 3)
        assert right(built)


@pytest.mark.parametrize("most", range(7))
@pytest.mark.parametrize("features", [1, 2, 6])
def test_parity_is_exact_with_as_many_neurons_as_may_be_on(features: int, most: int) -> None:
    if most > features:
        with pytest.raises(InputError, match="-k"):
            parity(Request(most, features=features))
        return
    built = parity(Request(most, features=features))
    assert built.neurons == max(1, most)
    assert right(built)
    assert proved(built, "auto")
    values = [built.whole.run([int(j < size) for j in range(features)])[0] for size in range(most + 1)]
    assert values == [size % 2 for size in range(most + 1)]


def test_no_code_over_a_field_as_large_as_the_identity_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Polynomials of degree 0 need as many elements as there are sets: their tables took hours at k = 64."""
    monkeypatch.setattr("supercheck.construct.designs.field", lambda size: pytest.fail(f"{size} elements"))
    matrix, name = reed_solomon(4096, 64)
    assert (name, matrix.shape) == ("each feature its own row", (4096, 4096))
    assert (reed_solomon(5, 3)[0] == np.eye(5)).all()


def test_without_time_greed_is_not_begun_again() -> None:
    _, name = disjunct(256, 4, Random(0), Clock(1e-9, 0.0))
    assert name.startswith("Reed-Solomon")
