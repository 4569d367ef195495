"""The normal form says what the stored layers say, and doubles never err by more than they admit."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from itertools import pairwise, product as cartesian
from math import gcd

import numpy as np
import oracle
import pytest
from hypothesis import given, strategies as st
from oracle import Stored
from strategies import layers, network

from supercheck.base.errors import InputError
from supercheck.base.matrix import Rows, exact_array
from supercheck.base.products import product
from supercheck.decide.doubles import Doubles
from supercheck.decide.exact import Exactly
from supercheck.network.layers import Affine
from supercheck.network.network import Network

chains = st.integers(1, 5).flatmap(lambda features: layers(features, 3))


def dense(rows: Rows) -> list[list[int]]:
    found: list[list[int]] = rows.dense().tolist()
    return found


@given(chains, st.data())
def test_run_agrees_with_the_stored_layers(stored: Stored, data: st.DataObject) -> None:
    features = len(stored[0][0][0])
    number = st.integers(0, 1) | st.builds(Fraction, st.integers(-5, 5), st.integers(1, 4))
    for x in ([0] * features, [1] * features, data.draw(st.lists(number, min_size=features, max_size=features))):
        assert list(network(stored).run(x)) == oracle.run(stored, x)


@given(chains)
def test_every_row_holds_coprime_integers(stored: Stored) -> None:
    normal = network(stored)
    for layer in normal.hidden:
        for row, bias in zip(dense(layer.weight), layer.bias.tolist(), strict=True):
            assert gcd(*row, bias) in (0, 1)
    for row, scale in zip(dense(normal.output.weight), normal.output.scale, strict=True):
        divisor = gcd(*row)
        assert divisor in (0, 1)
        assert scale > 0
        assert divisor or scale == 1


@given(chains, st.data())
def test_positive_factors_between_layers_change_neither_normal_form_nor_digest(
    stored: Stored, data: st.DataObject
) -> None:
    positive = st.builds(Fraction, st.integers(1, 9), st.integers(1, 9))
    scaled = [(list(map(list, weight)), list(bias), relu) for weight, bias, relu in stored]
    for before, after in pairwise(scaled):
        live = [i for i, row in enumerate(before[0]) if any(row) or before[1][i]]  # a zero row has factor 1
        for i in live:
            factor = data.draw(positive)
            before[0][i] = [factor * w for w in before[0][i]]
            before[1][i] *= factor
            for row in after[0]:
                row[i] /= factor
    assert network(scaled).digest == network(stored).digest


@given(chains)
def test_a_network_taken_apart_makes_the_same_network(stored: Stored) -> None:
    normal = network(stored)
    assert Network.of(normal.affine()).digest == normal.digest


@given(chains, st.data())
def test_a_slice_computes_what_the_whole_computes(stored: Stored, data: st.DataObject) -> None:
    whole = network(stored)
    chosen = data.draw(st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True))
    features = whole.cone(chosen)[0]
    part = whole.slice(chosen, features)
    for x in cartesian((0, 1), repeat=whole.features):
        assert part.run([x[j] for j in features]) == tuple(whole.run(x)[i] for i in chosen)


@given(chains)
def test_peaks_bound_every_sum(stored: Stored) -> None:
    normal = network(stored)
    for x in cartesian((0, 1), repeat=normal.features):
        h = exact_array(x)
        for layer, peak in zip(normal.hidden, normal.peaks(1), strict=False):
            z = layer.weight.dot(h) + layer.bias
            assert all(abs(value) <= bound for value, bound in zip(z.tolist(), peak.tolist(), strict=True))
            h = np.maximum(z, 0)
        for value, bound in zip(normal.output.weight.dot(h).tolist(), normal.peaks(1)[-1].tolist(), strict=True):
            assert abs(value) <= bound


@given(chains)
def test_doubles_err_by_no_more_than_they_admit(stored: Stored) -> None:
    normal = network(stored)
    doubles = Doubles.of(normal, 1)
    for level in range(normal.features + 1) if doubles is not None else ():
        active = np.arange(level).reshape(1, -1)
        assert doubles is not None
        _, sums = doubles.evaluate(active)
        for i in range(normal.outputs):
            [exact] = Exactly(normal).totals(active, np.array([i]), lambda: None).tolist()
            found = Fraction(float(sums[i, 0])) * 2 ** int(doubles.shifts[i])
            assert abs(found - exact) <= Fraction(float(doubles.errors[i])) * 2 ** int(doubles.shifts[i])


def test_small_integers_are_exact_in_doubles_and_big_ones_are_not_called_so() -> None:
    one, big = Fraction(1), Fraction(2**60 + 1)
    small = Doubles.of(network([([[one, one]], [-one], True), ([[one]], [one], False)]), 1)
    large = Doubles.of(network([([[one, one]], [-one], True), ([[big]], [one], False), ([[one]], [one], False)]), 1)
    wide = Doubles.of(network([([[big, one]], [-one], True), ([[one]], [one], False)]), 1)
    assert small is not None
    assert large is not None
    assert wide is not None
    assert small.errors[0] == 0
    assert large.errors[0] == 0  # a single weight is its own factor: the row is (1)
    assert wide.errors[0] > 0


def test_the_digest_is_the_one_that_the_certificate_format_spells() -> None:
    half = Fraction(1, 2)
    stored: Stored = [
        ([[half, half, Fraction(0)], [Fraction(0)] * 3], [-half, Fraction(0)], True),
        ([[Fraction(3), Fraction(0)], [Fraction(0)] * 2], [Fraction(1, 3), Fraction(2)], False),
    ]
    text = "supercheck-network 1\nhidden\n-1 0:1 1:1\n0\noutput\n1/3 3/2 0:1\n2 1\n"
    assert network(stored).digest == hashlib.sha256(text.encode()).hexdigest()


def test_dense_and_sparse_rows_are_the_same_network() -> None:
    matrix = np.array([[0.5, 0.0, -1.25], [0.0, 0.0, 0.0]])
    rows = Rows(np.array([0, 2, 2]), np.array([0, 2], dtype=np.int32), np.array([0.5, -1.25]), 3)
    one, other = (
        Network.of([Affine(weight, np.zeros(2), True, ""), Affine(Rows.from_dense(np.eye(2)), np.zeros(2), False)])
        for weight in (Rows.from_dense(matrix), rows)
    )
    assert one.digest == other.digest
    assert one.edges == other.edges == 4  # the edge from a dead neuron counts: its weight is not zero


def test_layers_that_do_not_fit_are_refused() -> None:
    wide = Affine(Rows.from_dense(np.ones((2, 3))), np.zeros(2), True, "first")
    with pytest.raises(InputError, match="expected 2 columns, the height of first, got 3"):
        Network.of([wide, wide])
    with pytest.raises(InputError, match="1 to 1,024 layers, got 0"):
        Network.of([])


@given(st.data())
def test_products_of_matrices_are_exact(data: st.DataObject) -> None:
    a, b, c = (data.draw(st.integers(1, 4)) for _ in range(3))
    kinds = [
        st.floats(-1e9, 1e9),
        st.integers(-(2**70), 2**70),
        st.builds(Fraction, st.integers(-9, 9), st.integers(1, 9)),
    ]
    matrices = []
    for rows, columns in ((a, b), (b, c)):
        kind = data.draw(st.sampled_from(kinds))
        flat = data.draw(st.lists(kind, min_size=rows * columns, max_size=rows * columns))
        matrix = np.array(flat) if isinstance(flat[0], float) else exact_array(flat)
        matrices.append(matrix.reshape(rows, columns))
    found = product(*matrices).tolist()
    left, right = ([[Fraction(v) for v in row] for row in m.tolist()] for m in matrices)
    for i, j in cartesian(range(a), range(c)):
        assert Fraction(found[i][j]) == sum((left[i][t] * right[t][j] for t in range(b)), Fraction(0))


def test_a_slice_without_features_is_still_exact() -> None:
    """Regression: an empty input vector became an array of doubles, and constants came out as floats."""
    third: Stored = [([[Fraction(0)]], [Fraction(1)], True), ([[Fraction(1, 3)]], [Fraction(0)], False)]
    constant = network(third).slice([0], np.array([], dtype=np.int64)).run([])
    assert constant == (Fraction(1, 3),)
    assert isinstance(constant[0], Fraction)


def test_entries_that_come_often_are_spelled_as_they_are() -> None:
    signs = [[1, -1], [-1, 1], [1, 1], [-1, -1], [1, 0]]
    layer = Affine(Rows.from_dense(np.array(signs)), np.zeros(len(signs), dtype=np.int64), relu=False)
    rows = [" ".join(["0 1", *(f"{j}:{w}" for j, w in enumerate(row) if w)]) for row in signs]
    assert "".join(Network.of([layer]).text()) == "\n".join(["supercheck-network 1", "output", *rows, ""])


def test_a_network_without_hidden_layers_is_evaluated_without_a_matrix_of_its_features() -> None:
    wide = 50_000  # squared, that many numbers would be 20 GB
    rows = Rows.from_dense(np.arange(1, wide + 1).reshape(1, -1))
    evaluator = Exactly(Network.of([Affine(rows, np.zeros(1, dtype=np.int64), False)]))
    active = np.array([[0, 7], [3, -1], [-1, -1]])
    assert evaluator.totals(active, np.zeros(3, dtype=np.int64), lambda: None).tolist() == [9, 4, 0]
