"""A network file is read to the last bit, or refused in one line that says where; and it never fills the memory."""

from __future__ import annotations

import json
import random
import zipfile
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import Stored
from safetensors.numpy import save_file
from writers import (
    SIZES,
    W,
    agree,
    cells,
    fractions,
    npy,
    npz,
    refused,
    safetensors,
    sparse,
    written,
)

from supercheck.base.errors import InputError
from supercheck.network.formats.load import load, load_linear
from supercheck.network.formats.tensors import LayerNames, brief

# ---- exact values


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", SIZES)
def test_every_stored_bit_survives_in_safetensors_and_npz(tmp_path: Path, kind: Any, seed: int) -> None:
    draw = random.Random(f"{kind} {seed}")
    first, bias, last = (cells(draw, kind, n) for n in (6, 3, 6))
    f, b, g = fractions(kind, first), fractions(kind, bias), fractions(kind, last)
    stored: Stored = [([f[:2], f[2:4], f[4:]], b, True), ([g[:3], g[3:]], [Fraction(0)] * 2, False)]
    tensors = {"0.weight": (kind, [3, 2], first), "0.bias": (kind, [3], bias), "2.weight": (kind, [2, 3], last)}
    agree(load(safetensors(tmp_path / "a.safetensors", tensors, __metadata__={"format": "pt"})), stored)
    if kind != "BF16":
        numpy = {"BOOL": "?"}.get(kind, f"<{kind[0].lower()}{SIZES[kind]}")
        for order in ("<", ">"):
            kept_as = np.dtype(numpy).newbyteorder(order)
            arrays = {n: np.frombuffer(r, numpy).reshape(s).astype(kept_as) for n, (_, s, r) in tensors.items()}
            agree(load(npz(tmp_path / "a.npz", {n: npy(array) for n, array in arrays.items()})), stored)


def test_a_file_as_the_safetensors_library_writes_it_is_read(tmp_path: Path) -> None:
    save_file({"1.weight": W.astype(np.float16), "1.bias": np.array([0.1], np.float32)}, tmp_path / "a.safetensors")
    assert load(tmp_path / "a.safetensors").run([1, 1]) == (3 + Fraction(float(np.float32(0.1))),)


@pytest.mark.parametrize(
    "number", ["0.1", '"1/3"', '"-2"', "1e-300", "-1E+2", "9007199254740993", '"7/2"', "-0.0", "9" * 4000]
)
def test_a_number_in_json_is_exactly_what_is_written(tmp_path: Path, number: Any) -> None:
    path = written(tmp_path / "a.json", f'{{"0.weight": [[{number}, 1]], "0.bias": [{number}]}}')
    exact = Fraction(number.strip('"'))
    assert load(path).run([1, Fraction(1, 2)]) == (2 * exact + Fraction(1, 2),)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_memory_order_and_compression_change_nothing(tmp_path: Path, order: Any, method: Any) -> None:
    path = npz(tmp_path / "a.npz", {"0.weight": npy(np.array([[1.0, 2], [3, 4], [5, 6]], order=order))}, method)
    assert load(path).run([1, 10]) == (21, 43, 65)


@pytest.mark.parametrize("seed", range(10))
def test_a_sparse_weight_is_the_dense_one(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    kind = draw.choice([float, np.float32, np.int64, np.uint64])
    dense = np.array([[draw.choice([0, 0, 5, 2**40 + 1]) for _ in range(6)] for _ in range(4)], kind)
    rows = [draw.sample(range(6), 6) for _ in range(4)]  # unsorted, and with zeros stored
    kept = [[j for j in row if dense[i, j] or draw.random() < 0.5] for i, row in enumerate(rows)]
    data = np.array([dense[i, j] for i, row in enumerate(kept) for j in row], kind)
    ends = np.cumsum([0, *map(len, kept)])
    network = load(sparse(tmp_path / "s.npz", data=data, indices=[*chain(*kept)], indptr=ends, shape=[4, 6]))
    assert network.digest == load(npz(tmp_path / "d.npz", {"0.weight": npy(dense)})).digest
    assert network.edges == np.count_nonzero(dense)
    agree(network, [([[Fraction(float(w)) for w in row] for row in dense], [Fraction(0)] * 4, False)])


# ---- names and layers


def test_layers_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    tensors = {"10.weight": [[5]], "2.weight": [[1, 2, 3]], "2.bias": [-1], "0.weight": [[1], [2], [3]]}
    stored = [([[1], [2], [3]], [0] * 3, True), ([[1, 2, 3]], [-1], True), ([[5]], [0], False)]
    path = written(tmp_path / "a.json", json.dumps(tensors))
    agree(load(path), [([[Fraction(w) for w in r] for r in m], list(map(Fraction, b)), relu) for m, b, relu in stored])


def test_a_missing_bias_is_zero(tmp_path: Path) -> None:
    zeros = '{"0.weight": [[1, -2]], "0.bias": [0], "2.weight": [[3]], "2.bias": [0]}'
    without = load(written(tmp_path / "a.json", '{"0.weight": [[1, -2]], "2.weight": [[3]]}'))
    assert without.digest == load(written(tmp_path / "b.json", zeros)).digest
    assert without.run([0, 0]) == (0,)


A, B, C, D = [[1, -2, 3], [-4, 5, 6]], [-1, 2, -3], [[1, 2, -3], [4, -5, 6]], [7, -8]


@pytest.mark.parametrize(
    ("layers", "stored"),
    [
        ([LayerNames("A", "B", True), LayerNames("C", "D")], [("At", B, True), (C, D, False)]),
        ([LayerNames("A", "B", True), LayerNames("C")], [("At", B, True), (C, [0, 0], False)]),
        ([LayerNames("A", "B", True, False), LayerNames("C", "D", False, False)], [("At", B, False), (C, D, False)]),
        ([LayerNames("A", "B", True, True), LayerNames("C", "D", relu=True)], [("At", B, True), (C, D, True)]),
        ([LayerNames("C", "D", relu=True)], [(C, D, True)]),
        ([LayerNames("C", "D")], [(C, D, False)]),
        ([LayerNames("C", relu=True), LayerNames("C", "B", True, False)], [(C, [0, 0], True), ("Ct", B, False)]),
    ],
)  # fmt: skip
def test_layers_named_in_the_spec_are_the_layers(tmp_path: Path, layers: Any, stored: Any) -> None:
    path = written(tmp_path / "a.json", json.dumps({"A": A, "B": B, "C": C, "D": D}))
    turned = {"At": list(zip(*A, strict=True)), "Ct": list(zip(*C, strict=True))}
    rows = [(turned[w] if isinstance(w, str) else w, b, relu) for w, b, relu in stored]
    network = load(path, layers)
    agree(network, [([[Fraction(w) for w in r] for r in m], list(map(Fraction, b)), relu) for m, b, relu in rows])
    unused = sorted({"A", "B", "C", "D"} - {n for layer in layers for n in (layer.weight, layer.bias)})
    told = [note for note in network.notes if brief([note]) is None]
    assert bool(unused) == bool(told)
    assert all(f"{', '.join(unused)}." in note for note in told)


def test_a_linear_code_is_one_weight_and_maybe_a_bias(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", '{"weight": [[1, "1/2"]], "bias": [3]}')
    code = load_linear(path)
    assert (code.weight.dense().tolist(), code.bias.tolist(), code.relu) == ([[1, Fraction(1, 2)]], [3], False)
    with pytest.raises(InputError, match=r'one tensor "weight", maybe "bias", got "0\.weight"'):
        load_linear(written(path, '{"0.weight": [[1]]}'))


def test_a_code_may_begin_with_a_number_of_many_digits(tmp_path: Path) -> None:
    """Regression: what supercheck had written itself was refused as "an object without any" tensors."""
    path = written(tmp_path / "a.json", json.dumps({"supercheck": {}, "weight": [[f"1/{3**99}"]]}))
    assert load_linear(path).weight.dense().tolist() == [[Fraction(1, 3**99)]]


FIRST = LayerNames("0.weight")


@pytest.mark.parametrize(
    ("tensors", "layers", "message"),
    [
        ({"0.weight": [[1, 2]], "z": [1]}, (), ': z: expected only tensors named "0.weight", "0.bias"'),
        ({"0.weight": [[1, 2]], "00.bias": [1]}, (), ": 00.bias: expected only tensors named "),
        ({"0.weight": [[1, 2]], "\u0663.weight": [[1]]}, (), ": \u0663.weight: expected only tensors named "),
        ({"W": [[1, 2]]}, (), ': expected tensors named "0.weight", "0.bias", "2.weight", ..., got W; name the layers'),
        ({}, (), ': expected tensors named "0.weight", "0.bias", "2.weight", ..., got no tensors'),
        ({"0.bias": [1]}, (), ": 0.weight: expected a tensor of this name, one of 0.bias, got none"),
        ({"0.weight": [[1, 2]], "2.weight": [[1, 2]]}, (), ": 2.weight: expected 1 columns, one for each row of 0."),
        ({"0.weight": [[1, 2]], "0.bias": [1, 2]}, (), ": 0.bias: expected shape [1], one bias a row, got shape [2]"),
        ({"0.weight": [[1, 2]], "0.bias": [[1]]}, (), ": 0.bias: expected shape [1], one bias a row, got shape [1, 1]"),
        ({"0.weight": [1, 2]}, (), ": 0.weight: expected a weight [outputs, inputs], got shape [2]"),
        ({"0.weight": [[1]]}, (FIRST, LayerNames("V")), ": V: expected a tensor of this name, one"),
        ({"0.weight": [[1, 2]]}, (LayerNames("0.weight", "V"),), ": V: expected a tensor of this name"),
        ({"a\nb": [[1, 2]]}, (FIRST,), ": 0.weight: expected a tensor of this name, one of a"),
    ],
)  # fmt: skip
def test_tensors_that_make_no_network_are_told_by_name(tmp_path: Path, tensors: Any, layers: Any, message: str) -> None:
    assert refused(written(tmp_path / "a.json", json.dumps(tensors)), layers).startswith(message)
