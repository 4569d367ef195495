"""Counting: blocks, bits and parameters, by hand and under rescaling."""

from __future__ import annotations

from fractions import Fraction
from math import comb, log2
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from oracle import Stored
from strategies import layers, network

from supercheck import load, read_spec
from supercheck.analysis.costs.counts import Counts, count
from supercheck.base.matrix import Rows
from supercheck.network.formats.load import load_linear
from supercheck.network.layers import Affine
from supercheck.network.network import Network

PROVED = Path(__file__).parents[2] / "specs" / "proved"


def counted(name: str) -> Counts:
    source = read_spec(PROVED / f"{name}.toml").source
    assert source.file is not None
    codes = [None if path is None else load_linear(path) for path in (source.encoder, source.decoder)]
    return count(load(source.file, source.layers), *codes)


def test_one_neuron_a_pair_by_hand() -> None:
    found = counted("one_per_pair")  # 6 features, 15 pairs
    assert (found.neurons, found.width, found.layers, found.last) == (15, 15, 1, 15)
    assert (found.edges, found.parameters, found.biases, found.largest) == (45, 30, 15, 1)
    hidden, readout = found.blocks
    assert (hidden.total("slots"), hidden.total("edges"), readout.total("edges")) == (90, 30, 15)
    assert hidden.bits == pytest.approx(log2(comb(90, 30)))
    assert readout.bits == pytest.approx(log2(comb(225, 15)))
    assert found.bits == hidden.bits + readout.bits
    assert readout.matrices[0].scaled_identity
    assert not hidden.matrices[0].scaled_identity


def test_power_sums_hide_the_function_in_the_readout() -> None:
    found = counted("power_sums")
    hidden, readout = found.blocks
    powers = {(j + 1) ** p for j in range(8) for p in (1, 2, 3, 4)}
    assert (hidden.total("edges"), hidden.most("values"), hidden.most("largest")) == (32, len(powers), 8**4)
    assert hidden.bits == pytest.approx(32 * log2(len(powers)))  # every place is taken
    assert readout.total("table_bits") > readout.most("values")
    assert readout.bits > 4 * hidden.bits


def test_fixed_codes_are_counted_apart() -> None:
    found = counted("group_testing")
    assert [(block.name, block.fixed) for block in found.blocks] == [
        ("encoder", True),
        ("hidden", False),
        ("readout", False),
        ("decoder", True),
    ]
    assert (found.features, found.outputs, found.shape) == (12, 66, (9, 9, 9))
    assert (found.edges, found.parameters) == (18, 0)  # the network's own weights are multiples of the identity
    encoder = found.block("encoder")
    assert encoder is not None
    assert encoder.bits == pytest.approx(log2(comb(108, 36)))
    assert found.block("lens") is None


def test_a_network_without_a_hidden_layer_reads_its_inputs() -> None:
    rows = Rows.from_dense(np.array([[1, 2], [0, 3], [0, 0]]))
    found = count(Network.of([Affine(rows, np.zeros(3, dtype=np.int64), False)]))
    assert (found.neurons, found.width, found.layers, found.last, found.inner) == (0, 0, 0, 2, 3)
    assert [block.name for block in found.blocks] == ["readout"]
    assert (found.edges, found.values, found.largest) == (3, 2, 2)  # the row 0, 3 is 0, 1 in normal form


def test_an_empty_matrix_has_no_bits() -> None:
    rows = Rows.from_dense(np.zeros((2, 3), dtype=np.int64))
    found = count(Network.of([Affine(rows, np.zeros(2, dtype=np.int64), False)]))
    assert (found.bits, found.edges, found.values, found.largest) == (0, 0, 0, 0)


@given(layers(3, 2), st.lists(st.sampled_from([1, 2, 3, Fraction(1, 3), Fraction(7, 4)]), min_size=4, max_size=4))
def test_rescaling_neurons_changes_no_count(stored: Stored, factors: list[Fraction]) -> None:
    """ReLU(c z) = c ReLU(z): what moves from a neuron into the next layer's column is not a cost."""
    scaled: Stored = []
    before = [Fraction(1)] * 3
    for weight, bias, relu in stored:
        own = factors[: len(weight)] if relu else [Fraction(1)] * len(weight)
        rows = [[c * w / b for w, b in zip(row, before, strict=True)] for row, c in zip(weight, own, strict=True)]
        scaled.append((rows, [c * b for b, c in zip(bias, own, strict=True)], relu))
        before = own
    assume(not stored[-1][2])  # a final ReLU has nothing after it to take the factor back
    assume(all(any(row) or b for weight, bias, _ in stored for row, b in zip(weight, bias, strict=True)))
    assert count(network(scaled)).own == count(network(stored)).own


@given(layers(3, 2))
def test_counts_are_those_of_the_dense_matrices(stored: Stored) -> None:
    net = network(stored)
    found = count(net)
    dense = [rows.dense() for rows in net.matrices]
    assert found.shape == (net.features, *(layer.neurons for layer in net.hidden), net.outputs)
    assert [matrix.slots for matrix in found.own] == [matrix.size for matrix in dense]
    assert [matrix.edges for matrix in found.own] == [int((matrix != 0).sum()) for matrix in dense]
    values = [{v for v in matrix.ravel().tolist() if v} for matrix in dense]
    assert [matrix.values for matrix in found.own] == [len(part) for part in values]
    assert found.largest == max((abs(v) for part in values for v in part), default=0)
    assert found.edges == net.edges
    assert found.neurons == net.neurons


def test_a_diagonal_readout_of_different_factors_is_no_multiple_of_the_identity() -> None:
    """The normal form moves the factors 1, 2, 3 out of the matrix; a decoder behind them can depend on them."""
    diagonals = [
        Affine(Rows.from_dense(np.diag(d)), np.zeros(3, dtype=np.int64), False) for d in ([1, 2, 3], [2, 2, 2])
    ]
    different, same = (count(Network.of([layer])).own[0] for layer in diagonals)
    assert (different.scaled_identity, different.parameters, different.bias_values) == (False, 3, 3)
    assert (same.scaled_identity, same.parameters, same.bias_values) == (True, 0, 1)
