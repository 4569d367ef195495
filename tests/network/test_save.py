"""What is written reads back: the same numbers in every format that holds them, the same spec."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from strategies import doubles, halves, kinds, layers, singles, small

from supercheck.base.errors import InputError
from supercheck.base.matrix import Array, Rows, exact_array, integers
from supercheck.construct.output import spec_bytes
from supercheck.network.formats.load import load, load_linear
from supercheck.network.formats.save import Made, code_bytes, network_bytes
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import gate
from supercheck.spec.read import read_spec
from supercheck.spec.readout import Readout
from supercheck.spec.spec import Spec

MADE: Made = {"construction": "chance", "seed": 3, "words": 'with "quotes" and ü'}
dyadic = st.sampled_from([small, halves, singles, doubles])


def affine(weight: list[list[Fraction]], bias: list[Fraction], relu: bool) -> Affine:
    """A layer as constructions make it: whole numbers where they are that, else fractions or doubles."""
    matrix = exact_array(cell for row in weight for cell in row).reshape(len(weight), -1)
    rows = Rows.from_dense(matrix)
    if all(value.denominator == 1 for value in rows.data):
        rows = Rows(rows.indptr, rows.indices, integers(exact_array(int(value) for value in rows.data)), rows.width)
    return Affine(rows, exact_array(bias), relu)


LAST = affine([[Fraction(1)]], [Fraction(0)], False)


def read_back(chain: list[Affine], folder: Path, suffix: str) -> Network:
    """What a reader makes of a chain that was written, with the spec's `layers` where it needs them."""
    file = folder / f"net{suffix}"
    file.write_bytes(network_bytes(chain, file, MADE))
    features, outputs = chain[0].weight.width, chain[-1].weight.height
    spec = Spec(KSparse(features, 0), (gate("copy", (0,)),) * outputs, Readout("equality"))
    stated = folder / "net.toml"
    stated.write_bytes(spec_bytes(spec, chain, {"file": file.name}))
    read = read_spec(stated)
    assert read.source.file == file
    network = load(file, read.source.layers, read.source.activation, read.source.final)
    assert not network.notes
    return network


@given(st.data(), st.sampled_from([".npz", ".safetensors", ".json"]), st.integers(1, 5), st.integers(1, 3))
def test_networks_of_dyadics_read_back_from_every_format(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, suffix: str, features: int, outputs: int
) -> None:
    chain = [affine(*layer) for layer in data.draw(layers(features, outputs, dyadic))]
    found = read_back(chain, tmp_path_factory.mktemp("n"), suffix)
    assert found.digest == Network.of(chain).digest


def held(numbers: Array, suffix: str) -> bool:
    """Whether a format holds an array: as doubles, or, of NPZ, as whole numbers below 2^63."""
    values = [Fraction(number) for number in numbers]
    whole = suffix == ".npz" and all(value.denominator == 1 and abs(value) < 2**63 for value in values)
    return whole or all(Fraction(float(value)) == value for value in values)


@given(st.data(), st.integers(1, 5), st.integers(1, 3))
def test_json_holds_every_number_and_the_others_refuse_what_they_cannot_hold(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, features: int, outputs: int
) -> None:
    folder = tmp_path_factory.mktemp("n")
    chain = [affine(*layer) for layer in data.draw(layers(features, outputs, kinds))]
    assert read_back(chain, folder, ".json").digest == Network.of(chain).digest
    for suffix in (".npz", ".safetensors"):
        if all(held(layer.weight.data, suffix) and held(layer.bias, suffix) for layer in chain):
            assert read_back(chain, folder, suffix).digest == Network.of(chain).digest
        else:
            with pytest.raises(InputError, match=r"write it to a \.json file"):
                read_back(chain, folder, suffix)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@pytest.mark.parametrize("number", [Fraction(1, 3), Fraction(2**60 + 1, 2), Fraction(1, 2**1200)])
def test_a_number_that_no_double_holds_is_refused(number: Fraction, suffix: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="numbers that a float64 holds"):
        network_bytes([affine([[number]], [Fraction(0)], False)], tmp_path / f"n{suffix}", {})


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int32, np.int64, np.float32, np.float64])
def test_npz_holds_numbers_in_the_narrowest_type(kind: type, tmp_path: Path) -> None:
    whole = np.issubdtype(kind, np.integer)
    number = Fraction(int(np.iinfo(kind).max)) if whole else Fraction(float(kind(0.1)))
    file = tmp_path / "n.npz"
    file.write_bytes(network_bytes([affine([[number]], [Fraction(0)], False)], file, {}))
    with np.load(file) as read:
        assert read["0.weight"].dtype == kind


def test_sparse_layers_are_written_as_sparse_rows(tmp_path: Path) -> None:
    sparse, dense = np.eye(40, dtype=np.int64), np.ones((40, 40), dtype=np.int64)
    chain = [Affine(Rows.from_dense(part), np.zeros(40, dtype=np.int64), False) for part in (sparse, dense)]
    file = tmp_path / "n.npz"
    file.write_bytes(network_bytes(chain, file, MADE))
    with np.load(file) as read:
        assert {"0.weight.data", "0.weight.indptr", "2.weight"} <= set(read.files)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".json"])
def test_the_same_network_gives_the_same_bytes_and_says_where_it_comes_from(suffix: str, tmp_path: Path) -> None:
    chain = [affine([[Fraction(1), Fraction(0)]], [Fraction(-1, 2)], False)]
    first, second = (network_bytes(chain, tmp_path / f"n{suffix}", MADE) for _ in range(2))
    assert first == second
    if suffix != ".json":  # which has no room for it
        assert b"chance" in first


@given(st.data(), st.sampled_from([".npz", ".safetensors", ".json"]), st.booleans())
def test_codes_read_back(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, suffix: str, biased: bool
) -> None:
    file = tmp_path_factory.mktemp("n") / f"c{suffix}"
    [(weight, bias, _), *_] = data.draw(layers(3, 2, dyadic))
    code = affine(weight, bias if biased else [Fraction(0)] * len(bias), False)
    file.write_bytes(code_bytes(code, file, MADE))
    assert Network.of([load_linear(file)]).digest == Network.of([code]).digest
