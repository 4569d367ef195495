"""Files that are broken, or that want too much: one line, exit 2, in little time and memory."""

from __future__ import annotations

import json
import os
import pickle
import struct
import tracemalloc
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from writers import (
    W,
    header,
    npy,
    npz,
    outcome,
    refused,
    safetensors,
    sparse,
    written,
)

from supercheck.base.errors import InputError
from supercheck.network.formats.load import PICKLES, load
from supercheck.network.formats.tensors import LayerNames

# ---- bad files of every format


@pytest.mark.parametrize("suffix", [*PICKLES, ".PT"])
def test_a_pickle_is_refused_with_the_recipe_that_converts_it(tmp_path: Path, suffix: str) -> Any:
    class Trap:
        def __reduce__(self) -> Any:
            return (os.mkdir, (str(tmp_path / "sprung"),))

    path = written(tmp_path / f"model{suffix}", pickle.dumps(Trap()))
    assert f"got a {suffix.lower()} file (a pickle)" in refused(path)
    with pytest.raises(InputError) as refusal:
        load(path)
    assert len(str(refusal.value.recipe).splitlines()) == 3
    assert refusal.value.recipe is not None
    assert f'torch.load("{path.name}", weights_only=True)' in refusal.value.recipe
    assert '"model.safetensors")' in refusal.value.recipe
    compile(refusal.value.recipe, "recipe", "exec")
    for kind in (".npz", ".json", ".safetensors"):
        refused(written(tmp_path / f"model{kind}", pickle.dumps(Trap())))
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("suffix", [".npz", ".json", ".safetensors"])
def test_what_is_no_file_of_its_format_is_refused(tmp_path: Path, suffix: str) -> None:
    assert refused(written(tmp_path / f"a{suffix}", "")) == ": expected 1 to 4,294,967,296 bytes, got 0"
    (tmp_path / f"folder{suffix}").mkdir()
    assert refused(tmp_path / f"folder{suffix}").startswith(": expected a network file, got ")
    assert refused(tmp_path / f"no{suffix}") == ": expected a network file, got no such file"
    for content in (b"\0", b"\xff" * 8, b"PK\3\4", b"[]", b"null", b"{}", bytes(4000), b"\x93NUMPY" + bytes(200)):
        assert refused(written(tmp_path / f"a{suffix}", content)).startswith((": expected ", ":1: expected "))


@pytest.mark.parametrize("suffix", [".npz", ".json", ".safetensors"])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".npz":
        npz(path, {"0.weight": npy(W), "0.bias": npy([1.0])})
    elif suffix == ".json":
        written(path, '{"0.weight": [[1, 2.5], ["1/3", 4]],\n"0.bias": [1, 2]}')
    else:
        safetensors(path, {"0.weight": ("F32", [1, 2], bytes(8))})
    whole = path.read_bytes()
    for length in range(len(whole)):
        refused(written(path, whole[:length]))


def test_a_name_without_a_known_suffix_is_refused(tmp_path: Path) -> None:
    for name, got in (("a.txt", ".txt"), ("a", "no suffix")):
        found = refused(written(tmp_path / name, "{}"))
        assert found == f": expected a file ending in .safetensors, .npz, .json, .onnx, got {got}"


def test_a_path_that_the_system_refuses_is_an_input_error(tmp_path: Path) -> None:
    assert refused(tmp_path / ("n" * 300 + ".json"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is unreadable for root")
def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", '{"0.weight": [[1]]}')
    path.chmod(0)
    assert refused(path).startswith(": expected a readable file, got ")


NOT_FINITE = {"nan": 0x7FC0, "inf": 0x7F80, "-inf": 0xFF80}


@pytest.mark.parametrize("word", NOT_FINITE)
def test_what_is_not_finite_is_told_by_tensor_and_index(tmp_path: Path, word: Any) -> None:
    raw = bytes(6) + struct.pack("<H", NOT_FINITE[word])
    found = refused(safetensors(tmp_path / "a.safetensors", {"0.weight": ("BF16", [2, 2], raw)}))
    assert found == f": 0.weight[1, 1]: expected a finite number, got {word}"
    for kind in (np.float16, np.float32, np.float64):
        path = npz(tmp_path / "a.npz", {"0.weight": npy(W), "0.bias": npy([float(word)], kind)})
        assert refused(path) == f": 0.bias[0]: expected a finite number, got {word}"
    assert ": 0.weight.data[2]: expected a finite number" in refused(
        sparse(tmp_path / "s.npz", data=[1.0, 2, float(word)])
    )


def test_a_signalling_nan_is_refused_without_a_warning(tmp_path: Path) -> None:
    path = safetensors(tmp_path / "a.safetensors", {"0.weight": ("F32", [1, 1], struct.pack("<I", 0x7F800001))})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert refused(path) == ": 0.weight[0, 0]: expected a finite number, got nan"


@pytest.mark.parametrize("cell", ["NaN", "Infinity", "-Infinity", "1e999999", "-1e-999999", "1e99999999999999999999"])
def test_a_number_in_json_that_is_not_finite_is_told_by_tensor(tmp_path: Path, cell: Any) -> None:
    path = written(tmp_path / "a.json", f'{{"0.weight": [[1, 2]],\n"0.bias": [{cell}]}}')
    assert "0.bias" in refused(path)


def test_an_integer_of_thousands_of_digits_has_a_digest(tmp_path: Path) -> None:
    big = 10**3000
    tensors = {"0.weight": [[big, 1]], "1.weight": [[big]], "2.weight": [[big]]}
    network = load(written(tmp_path / "a.json", json.dumps(tensors)))
    assert network.run([1, 0]) == (10**9000,)
    assert len(network.digest) == 64


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"0.weight": [[1, 2]], "0.weight": [[1, 2]]}', ": 0.weight: expected each key once, got a key twice"),
        ('{"0.weight": [[1, 2], [3]]}', ": 0.weight: expected a list of numbers or of rows of equal length, got "),
        ('{"0.weight": [[1, 2], 3]}', ": 0.weight: expected a number or a rational "),
        ('{"0.weight": [[[1]]]}', ": 0.weight: expected a number or a rational "),
        ('{"0.weight": [[1, true]]}', ": 0.weight: expected a number or a rational "),
        ('{"0.weight": [[1, null]]}', ": 0.weight: expected a number or a rational "),
        ('{"0.weight": [[1, "1/0"]]}', ': 0.weight: expected a number or a rational such as "1/3", got 1/0'),
        ('{"0.weight": [[1, "nan"]]}', ": 0.weight: expected a number or a rational "),
        ('{"0.weight": [[1, "1e999999"]]}', ": 0.weight: expected a number or a rational "),
        ('{"0.weight": [[1, "\\ud800"]]}', ": 0.weight: expected a number or a rational "),
        ('{"0.weight": []}', ": 0.weight: expected a list of numbers or of rows of equal length, got []"),
        ('{"0.weight": 3}', ": 0.weight: expected a list of numbers or of rows of equal length, got 3"),
        ('{"0.weight": [[], []]}', ": 0.weight: expected a weight [outputs, inputs], got shape [2, 0]"),
        ('{"0.weight":\n[[1, 2]\n,\n}', ":4: expected JSON, got "),
        ('{"0.weight": [[1, 2]]} x', ":1: expected JSON, got Extra data"),
        ('{"0.weight": [[1, 01]]}', ":1: expected JSON, got "),
        ('{"0.weight": ' + "[" * 100_000, ": expected JSON, got "),
        ('{"a": ' * 100_000, ": expected JSON, got "),
        ('{"0.weight": [[' + "9" * 5000 + "]]}", ": 0.weight: expected a number or a rational "),
        ('{"0.weight": [["' + "9" * 5000 + '"]]}', ": 0.weight: expected a number or a rational "),
        ('{"' + "n\\n" * 5000 + '": [[1, 2]]}', ": expected tensors named "),
        (b'{"0.weight": [["\xff"]]}', ": expected JSON, got "),
    ],
)  # fmt: skip
def test_a_bad_json_file_is_told_where(tmp_path: Path, text: str, message: str) -> None:
    assert refused(written(tmp_path / "a.json", text)).startswith(message)


SPARSE = [
    ({"data": None}, ".data: expected this part of a sparse weight, got none"),
    ({"indices": None}, ".indices: expected this part of a sparse weight, got none"),
    ({"indptr": None}, ".indptr: expected this part of a sparse weight, got none"),
    ({"shape": None}, ".shape: expected this part of a sparse weight, got none"),
    ({"indices": [0, 3, 2]}, ".indices: expected columns from 0 to 2, got 0 to 3"),
    ({"indices": [0, -1, 2]}, ".indices: expected columns from 0 to 2, got -1 to 2"),
    ({"indices": np.array([0, 2**64 - 1, 2], np.uint64)}, ".indices: expected columns from 0 to 2"),
    ({"indices": [2, 2, 2]}, ".indices: expected each column once a row, got a column twice"),
    ({"indices": [0.0, 2.0, 2.0]}, ".indices: expected a vector of integers, got dtype float64, shape [3]"),
    ({"indptr": [0, 3]}, ".indptr: expected 3 ascending offsets from 0 to 3, got 2 offsets"),
    ({"indptr": [0, 4, 3]}, ".indptr: expected 3 ascending offsets from 0 to 3"),
    ({"indptr": [0, -1, 3]}, ".indptr: expected 3 ascending offsets from 0 to 3"),
    ({"indptr": [1, 2, 3]}, ".indptr: expected 3 ascending offsets from 0 to 3"),
    ({"indptr": [0, 2, 2]}, ".indptr: expected 3 ascending offsets from 0 to 3"),
    ({"indptr": np.array([0, 2**63, 3], np.uint64)}, ".indptr: expected 3 ascending offsets from 0 to 3"),
    ({"indptr": np.array([], int)}, ".indptr: expected 3 ascending offsets from 0 to 3, got 0 offsets"),
    ({"data": [1.0, 2.0]}, ".data: expected 3 numbers, one for each index, got shape [2]"),
    ({"data": [[1.0, 2.0, 3.0]]}, ".data: expected 3 numbers, one for each index, got shape [1, 3]"),
    ({"shape": [2, 3, 1]}, ".shape: expected two sizes from 1 to 10,000,000, got [2, 3, 1]"),
    ({"shape": [0, 3]}, ".shape: expected two sizes from 1 to 10,000,000, got [0, 3]"),
    ({"shape": [2, 2**31]}, ".shape: expected two sizes from 1 to 10,000,000, got [2, 2147483648]"),
    ({"shape": [10**7, 3]}, ".indptr: expected 10000001 ascending offsets from 0 to 3, got 3 offsets"),
    ({"shape": [[2, 3]]}, ".shape: expected a vector of integers, got dtype int64, shape [1, 2]"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "message"), SPARSE)
def test_a_bad_part_of_a_sparse_weight_is_told(tmp_path: Path, parts: Any, message: str) -> None:
    assert refused(sparse(tmp_path / "a.npz", **parts)).startswith(": 0.weight" + message)


def test_a_weight_that_is_both_dense_and_sparse_is_refused(tmp_path: Path) -> None:
    path = sparse(tmp_path / "a.npz")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("0.weight.npy", npy([[9.0, 9, 9]]))
    assert "0.weight" in refused(path)


@pytest.mark.parametrize(
    "member",
    [
        npy(np.array([[1, 2]], object)), header("(1, 2)", "'|O'"), header("(1, 2)", "[('a', '|O')]"), npy([[1j]]),
        npy([["1"]]), npy(np.zeros((1, 2), "M8[s]")), npy([[1]], np.longdouble), npy(np.zeros((1, 1), [("a", "f4")])),
        npy(W)[:-4], npy(W)[:40], npy(W)[:4], b"", b"no array at all", pickle.dumps([1, 2]), npy(np.zeros((0, 2))),
        npy(3.0), header("(-1, 2)"), header("(-1, -2)"), header("(1, 3)"), header(f"({2**40}, {2**40})"),
        header(f"({10**400}, 2)"), header("1"), header("print(1)"), header("(1, 2)", "'zzz'"), header("(1, 2)", "None"),
        header("(1, 2)", "'(1000000000,)f8'"),
    ],
)  # fmt: skip
def test_a_member_that_is_no_array_of_numbers_is_told_by_name(tmp_path: Path, member: Any) -> None:
    path = npz(tmp_path / "a.npz", {"1.bias": npy([1.0]), "0.weight": member})
    assert refused(path).startswith(": 0.weight: expected ")


@pytest.mark.parametrize(
    "shape", [f"(0, {10**30})", "(True, 2)", "(" * 9000, "-" * 9000 + "1"], ids=["0 x huge", "True", "((((", "----"]
)
def test_an_odd_header_of_a_member_is_an_input_error(tmp_path: Path, shape: Any) -> None:
    assert refused(npz(tmp_path / "a.npz", {"0.weight": header(shape)})).startswith(": 0.weight: expected ")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damaged_member_is_refused_or_read_unharmed(tmp_path: Path, method: Any) -> None:
    path = npz(tmp_path / "a.npz", {"0.weight": npy(W)}, method)
    whole = path.read_bytes()
    for position in range(len(whole)):
        damaged = whole[:position] + bytes([whole[position] ^ 0x41]) + whole[position + 1 :]
        found = outcome(written(path, damaged))
        assert found == (3,) or (isinstance(found, str) and found.isprintable())


@pytest.mark.parametrize(
    "names", [["0.weight.npy", "0.weight.npy"], ["0.weight.npy", "readme.txt"], ["0.weight"], ["0.weight.npy", "a/"]]
)
def test_a_zip_of_other_things_is_refused(tmp_path: Path, names: Any) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            archive.writestr(name, npy(W))
    assert "expected one .npy member a name, got " in refused(tmp_path / "a.npz")


WEIGHT = {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    "header",
    [
        {"0.weight": WEIGHT | {"data_offsets": [4, 12]}},
        {"0.weight": WEIGHT, "0.bias": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}},
        {"0.weight": WEIGHT | {"shape": [2**40, 2**40]}},
        {"0.weight": WEIGHT | {"shape": [2**63, 2**63]}},
        {"0.weight": WEIGHT | {"shape": [-1, -2]}},
        {"0.weight": WEIGHT | {"shape": [1, 3]}},
        {"0.weight": WEIGHT | {"shape": [2]}},
        {"0.weight": WEIGHT | {"dtype": "C64", "shape": [1, 1]}},
        {"0.weight": WEIGHT | {"dtype": "F8_E4M3", "shape": [2, 4]}},
        {"0.weight": WEIGHT | {"dtype": "F128"}},
        {"n\n" * 5000: WEIGHT},
        [],
    ],
)
def test_a_bad_safetensors_header_is_refused(tmp_path: Path, header: Any) -> None:
    text = json.dumps(header).encode()
    path = written(tmp_path / "a.safetensors", struct.pack("<Q", len(text)) + text + bytes(8))
    assert ": expected " in refused(path)


@pytest.mark.parametrize("shape", [[0, 2**62], [0, 2**63], [2**62, 0, 2**62], [0] * 80])
def test_an_empty_tensor_of_absurd_shape_is_an_input_error(tmp_path: Path, shape: Any) -> None:
    assert "0.weight" in refused(safetensors(tmp_path / "a.safetensors", {"0.weight": ("F32", shape, b"")}))


def test_turning_a_sparse_weight_does_not_make_it_dense(tmp_path: Path) -> None:
    path = sparse(tmp_path / "a.npz", shape=[4000, 4000], indptr=[0, 2, *[3] * 3999])
    tracemalloc.start()
    try:
        network = load(path, [LayerNames("0.weight", transpose=True)])
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    assert network.edges == 3
