"""Files that would fill the memory, or take for ever: each is read by a process that may take half a gigabyte."""

from __future__ import annotations

import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from alone import Alone, Fate
from common import savez
from onnx import TensorProto, helper, numpy_helper
from writers import npy, npz, sparse, written

from supercheck.network.formats import json as json_format
from supercheck.spec.schema import LARGEST

if not Path("/proc/self/status").exists():
    pytest.skip("tells the peak of memory on Linux only", allow_module_level=True)

MILLION = 1 << 20
PEAK = 500 << 20  # bytes, the libraries' own included

Make = Callable[[Path], object]


@pytest.fixture(scope="module")
def alone() -> Iterator[Alone]:
    process = Alone()
    yield process
    process.close()


SLOW = {
    "keys.json", "rationals.json", "decimals.json", "layers.json", "names.onnx", "zeros.onnx", "product.onnx",
    "sums.onnx", "tuples", "empty tuples", "words for tuples", "words in tuples", "wide tuple", "formulas",
    "formulas on lines", "empty lines", "and", "mixed", "wide atleast", "rows", "endless row", "outputs",
}  # fmt: skip
"""Files just within the limits on size, which take seconds to refuse."""


def named(cases: Iterable[str]) -> list[object]:
    """The names of cases, the slow ones marked."""
    return [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in cases]


def refused(fate: Fate) -> None:
    """One line, in little memory, and not because the memory was at an end."""
    assert fate.kind == "InputError", fate
    assert len(fate.told.splitlines()) == 1
    assert "fits into memory" not in fate.told
    assert not fate.told.endswith("got ")  # as an exception without a message would
    assert fate.peak < PEAK


def text(make: Callable[[], str]) -> Make:
    return lambda path: path.write_text(make())


def zeros(members: int, side: int, method: int = zipfile.ZIP_DEFLATED) -> Make:
    """An NPZ file of many members of side x side zero bytes, each compressed a thousandfold."""

    def make(path: Path) -> None:
        content = npy(np.zeros((side, side), np.uint8))
        if method != zipfile.ZIP_DEFLATED:
            npz(path, {f"{i}.weight": content for i in range(members)}, method)
            return
        squeezed = zlib.compress(content, 1, -15)
        fixed = struct.pack("<HHHHHIII", 20, 0, 8, 0, 0, zlib.crc32(content), len(squeezed), len(content))
        archive(path, [(f"{i}.weight.npy".encode(), fixed, squeezed) for i in range(members)])

    return make


def archive(path: Path, members: list[tuple[bytes, bytes, bytes]], *, overlapping: bool = False) -> None:
    """A zip archive made by hand; `overlapping` members all lie where the first does."""
    local, central, start = list[bytes](), list[bytes](), 0
    for name, fixed, squeezed in members:
        central += [b"PK\1\2", struct.pack("<H", 20), fixed]
        central += [struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, 0 if overlapping else start), name]
        if not (overlapping and local):
            local.append(b"PK\3\4" + fixed + struct.pack("<HH", len(name), 0) + name + squeezed)
            start += len(local[-1])
    size, count = sum(map(len, central)), len(members) & 0xFFFF
    end = struct.pack("<HHHHIIH", 0, 0, count, count, size, start, 0)
    path.write_bytes(b"".join([*local, *central, b"PK\5\6", end]))


def overlapping(path: Path) -> None:
    content = npy(np.zeros((4096, 4096), np.uint8))
    squeezed = zlib.compress(content, 9, -15)
    fixed = struct.pack("<HHHHHIII", 20, 0, 8, 0, 0, zlib.crc32(content), len(squeezed), len(content))
    archive(path, [(f"{i % 10}.weight.npy".encode(), fixed, squeezed) for i in range(99)], overlapping=True)


def nested(path: Path) -> None:
    zeros(1, 4096)(path)
    npz(path, {"0.weight": path.read_bytes()})


def tall(path: Path) -> None:
    """A sparse weight of 10^8 rows without entries."""
    parts = {"data": npy(np.zeros(0)), "indices": npy(np.zeros(0, int)), "shape": npy([10**8, 2])}
    parts["indptr"] = npy(np.zeros(10**8 + 1, np.uint8))
    npz(path, {f"0.weight.{name}": part for name, part in parts.items()}, zipfile.ZIP_DEFLATED)


def exponents(path: Path) -> None:
    savez(path, {"0.weight": np.where(np.arange(1 << 18) % 2, 2.0**1000, 2.0**-1000)[None]})


def growing(path: Path) -> None:
    small = {f"{i}.weight": np.diag([2.0**-1000, 1.0]) for i in range(500)}
    savez(path, small | {"500.weight": np.ones((9, 2))})


def long_numbers(side: int, layers: int) -> Make:
    """Layers each of which has about as many long integers as one may have."""
    weight = npy(np.where(np.indices((side, side)).sum(axis=0) % 2, 2.0**1000, 1.0))
    members = {f"{i}.weight": weight for i in range(layers)}
    return lambda path: npz(path, members | {f"{layers}.weight": npy(np.ones((1, side)))}, zipfile.ZIP_DEFLATED)


def denominators(*below: int) -> str:
    return ",".join(f'"1/{10**900 + 7 * i + 1}"' for i in range(*below))


def safetensors(header: bytes, hole: int) -> Make:
    def make(path: Path) -> None:
        path.write_bytes(struct.pack("<Q", len(header)) + header)
        os.truncate(path, 8 + len(header) + hole)

    return make


def listed(count: int) -> bytes:
    """The header of a safetensors file of so many tensors of 2^27 bytes."""
    tensors = {
        f"{i}.weight": {"dtype": "I8", "shape": [1 << 14, 1 << 13], "data_offsets": [i << 27, (i + 1) << 27]}
        for i in range(count)
    }
    return json.dumps(tensors).encode()


NETWORKS: dict[str, Make] = {
    "integers.json": text(lambda: '{"0.weight":[[' + "0," * (15 * MILLION) + "0]]}"),
    "lists.json": text(lambda: '{"0.weight":[' + "[]," * (9 * MILLION) + "[]]}"),
    "objects.json": text(lambda: '{"0.weight":[' + "{}," * (9 * MILLION) + "{}]}"),
    "brackets.json": text(lambda: '{"0.weight":' + "[" * (30 * MILLION)),
    "keys.json": text(lambda: "{" + ",".join(f'"{i:x}":1' for i in range(MILLION - 9)) + "}"),
    "rationals.json": text(lambda: '{"0.weight":[[' + '"1/3",' * (MILLION - 9) + '"1/0"]]}'),
    "decimals.json": text(lambda: '{"0.weight":[[' + ",".join(f"{i}.5" for i in range(MILLION - 9)) + ",1e9999]]}"),
    "layers.json": text(lambda: "{" + ",".join(f'"{i}.weight":[[3]]' for i in range(90_000)) + "}"),
    "long.json": text(
        lambda: "{" + ",".join(f'"{i}.weight":[[{"7" * 4000}]]' for i in range(1000)) + ',"1000.weight":[[1]]}'
    ),
    "common.json": text(lambda: '{"0.weight":[[' + '"1",' * 500_000 + denominators(20) + "]]}"),
    "carried.json": text(
        lambda: '{"0.weight":[[' + denominators(20) + ']],"1.weight":[' + '["1/7"],' * 400_000 + '["1"]]}'
    ),
    "key.json": text(lambda: '{"' + "\U0001f600" * (7 * MILLION) + '":1}'),
    "few.npz": zeros(4, 8192),
    "many.npz": zeros(27, 8192),
    "more.npz": zeros(40, 8192),
    "bzip2.npz": zeros(1, 8192, zipfile.ZIP_BZIP2),
    "lzma.npz": zeros(1, 8192, zipfile.ZIP_LZMA),
    "overlapping.npz": overlapping,
    "nested.npz": nested,
    "members.npz": lambda path: archive(path, [(b"", bytes(26), b"")] * MILLION, overlapping=True),
    "layers.npz": lambda path: npz(path, {f"{i}.weight": npy([[3.0]]) for i in range(1100)}),
    "wide.npz": lambda path: sparse(path, shape=[2, 2**31 - 1]),
    "tall.npz": tall,
    "exponents.npz": exponents,
    "growing.npz": growing,
    "tensors.safetensors": safetensors(listed(31), 31 << 27),
    "header.safetensors": safetensors(b'{"__metadata__":{' + b'"a":"b",' * MILLION, 0),
    "length.safetensors": lambda path: path.write_bytes(b"\xff" * 8 + b"{}"),
    "deep.safetensors": safetensors(b'{"__metadata__":' + b"[" * (3 * MILLION), 0),
    "nodes.onnx": lambda path: path.write_bytes(field(7, b"\x0a\x00" * (20 * MILLION))),
    "attributes.onnx": lambda path: path.write_bytes(field(7, field(1, b"\x2a\x00" * (20 * MILLION)))),
    "names.onnx": lambda path: path.write_bytes(field(7, field(1, b"\x0a\x00" * (20 * MILLION)))),
    "dims.onnx": lambda path: path.write_bytes(field(7, field(5, field(1, b"\x01" * (50 * MILLION))))),
    "unknown.onnx": lambda path: path.write_bytes(field(7, field(99, bytes(90 * MILLION)))),
    "nested.onnx": lambda path: path.write_bytes(field(7, field(1, graphs(2000)))),
    "zeros.onnx": lambda path: (path.write_bytes(b"\0"), os.truncate(path, (1 << 27) - 1)),
    "input.onnx": lambda path: model(path, [1, 2**24], helper.make_node("Relu", ["x"], ["y"])),
    "inputs.onnx": lambda path: model(path, [1, 2**40], helper.make_node("Relu", ["x"], ["y"])),
    "product.onnx": lambda path: chain(path, 60_000, "Mul", [1, 2], np.array([3.3], np.float32)),
    "broadcast.onnx": lambda path: chain(path, 1, "Add", [1, 8000], np.zeros((2000, 1), np.float32)),
    "sums.onnx": lambda path: chain(path, 99, "Add", [1, 100_000], np.full((1, 100_000), 3.3, np.float32)),
    "matrices.onnx": lambda path: chain(path, 1100, "MatMul", [1, 2], np.array([[3.3, 1], [1, 2]], np.float32)),
}  # fmt: skip


def number(value: int) -> bytes:
    digits = []
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes([*digits, value])


def field(key: int, content: bytes) -> bytes:
    """A field of protobuf with a length."""
    return number(key << 3 | 2) + number(len(content)) + content


def graphs(depth: int) -> bytes:
    """Nodes with an attribute that is a graph, one in another."""
    content = b""
    for _ in range(depth):
        content = field(5, field(6, field(1, content)))
    return content


def model(path: Path, shape: list[int], *nodes: object, stored: object = None) -> None:
    source = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    target = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "g", [source], [target], [stored] if stored is not None else [])
    path.write_bytes(helper.make_model(graph).SerializeToString())


def chain(path: Path, length: int, operator: str, shape: list[int], constant: object) -> None:
    names = ["x", *(f"h{i}" for i in range(length - 1)), "y"]
    nodes = [helper.make_node(operator, [names[i], "c"], [names[i + 1]]) for i in range(length)]
    model(path, shape, *nodes, stored=numpy_helper.from_array(constant, "c"))


@pytest.mark.parametrize("name", named(NETWORKS))
def test_a_hostile_network_is_refused_in_little_memory(alone: Alone, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    NETWORKS[name](path)
    refused(alone.read("network", path))


@pytest.mark.parametrize("layers", [70, 115])
def test_long_integers_are_bounded_over_all_layers_together(alone: Alone, tmp_path: Path, layers: int) -> None:
    long_numbers(240 if layers == 70 else 376, layers)(tmp_path / "a.npz")
    fate = alone.read("network", tmp_path / "a.npz")
    refused(fate)
    assert fate.peak < 300 << 20


def test_layers_that_are_multiplied_are_refused_before_they_fill_the_memory(alone: Alone, tmp_path: Path) -> None:
    weight = npy(np.where(np.indices((1000, 1000)).sum(axis=0) % 2, 2.0**1000, 1.0))
    npz(tmp_path / "a.npz", {"0.weight": weight, "1.weight": weight}, zipfile.ZIP_DEFLATED)
    spec = (
        'domain = {features = 1000, max_active = 1}\noutputs = {formulas = ["1"]}\nreadout = {mode = "equality"}\n'
        '[network]\nfile = "a.npz"\nlayers = [{weight = "0.weight", relu = false}, {weight = "1.weight"}]\n'
    )
    fate = alone.read("question", written(tmp_path / "a.toml", spec))
    refused(fate)
    assert "bits too many" in fate.told


def test_layers_that_are_huge_by_their_shapes_alone_are_not_multiplied(alone: Alone, tmp_path: Path) -> None:
    wide, high = {"shape": [2, 10**7]}, {"shape": [10**6, 2], "indptr": [0, 2, *[3] * (10**6 - 1)]}
    parts = {"data": [1.0, 2.0, 3.0], "indices": [0, 1, 1], "indptr": [0, 2, 3]}
    members = {
        f"{place}.weight.{name}": npy(part)
        for place, given in ((0, wide), (1, high))
        for name, part in (parts | given).items()
    }
    spec = (
        'domain = {features = 10_000_000, max_active = 1}\noutputs = {gate = "copy", over = [[0]]}\n'
        'readout = {mode = "equality"}\n[network]\nfile = "a.npz"\n'
        'layers = [{weight = "0.weight", relu = false}, {weight = "1.weight"}]\n'
    )
    npz(tmp_path / "a.npz", members, zipfile.ZIP_DEFLATED)
    fate = alone.read("question", written(tmp_path / "a.toml", spec))
    refused(fate)
    assert "layers without ReLU small enough to be multiplied" in fate.told


@pytest.mark.slow
def test_a_json_network_as_large_as_may_be_is_read(alone: Alone, tmp_path: Path) -> None:
    side = int(json_format._MOST_VALUES**0.5) - 1
    row = "[" + ",".join(["0.5"] * (side - 1) + ['"1/3"']) + "]"
    fate = alone.read("network", written(tmp_path / "a.json", '{"0.weight":[' + ",".join([row] * side) + "]}"))
    assert fate.kind == "read"
    assert fate.peak < PEAK


# ---- specs, formulas and tables


def spec(outputs: str, features: int = 9) -> Make:
    lines = f'[domain]\nfeatures = {features}\nmax_active = 2\n[readout]\nmode = "equality"\n[outputs]\n{outputs}\n'
    return lambda path: path.write_text(lines)


def repeated(head: str, item: str, tail: str) -> str:
    """As many items as a spec has room for."""
    return head + item * ((LARGEST - len(head) - len(tail) - 200) // len(item)) + tail


def lines(make: Callable[[int], str], count: int) -> Make:
    return lambda path: path.write_text("\n".join(map(make, range(count)))[: LARGEST - 1])


SPECS: dict[str, Make] = {
    "all pairs": spec('gate = "and"\nover = "all-pairs"', 4400),
    "tuples": spec(repeated('gate = "and"\nover = [', "[0,1],", "[0,77]]")),
    "empty tuples": spec(repeated('gate = "and"\nover = [', "[],", "]")),
    "words for tuples": spec(repeated('gate = "and"\nover = [', "true,", "]")),
    "words in tuples": spec(repeated('gate = "and"\nover = [', "[0,''],", "]")),
    "formulas": spec(repeated("formulas = [", '"1",', '"x77"]')),
    "formulas on lines": spec(repeated("formulas = [", '\n"x0",', '\n"x77"]')),
    "wide tuple": spec(repeated('gate = "and"\nover = [[', "1,", "]]")),
    "headers": lines("[a{}]".format, 400_000),
    "headers of digits": lines("[{}]".format, 400_000),
    "lists of tables": lines(lambda _: "[[a]]", 600_000),
    "keys": lines("a{}=1".format, 400_000),
    "dotted keys": lines(lambda i: f"a{i}" + ".b" * 199 + "=1", 9_000),
    "dotted headers": lines(lambda i: f"[a{i}" + ".b" * 199 + "]", 9_000),
    "quoted keys": lines(lambda i: f"a{i}" + ".'b'" * 199 + "=1", 4_000),
    "dots behind a string": lambda path: path.write_text('a = ["""\n""", {b' + ".b" * 2_000_000 + '=1}] # "'),
    "nested lists": lambda path: path.write_text("a=" + "[" * 4_000_000),
    "nested tables": lambda path: path.write_text("a=" + "{a=" * 1_000_000),
    "inline tables": lambda path: path.write_text("a=[" + "{}," * 1_300_000 + "]"),
    "escapes": lambda path: path.write_text('a="' + "\\u0041" * 600_000 + '"'),
    "escaped quotes": lambda path: path.write_text("a=" + '\\"' * 2_000_000),
    "quotes": lambda path: path.write_text("a=" + "'" * 4_000_000),
    "empty lines": lambda path: path.write_text("\n" * (LARGEST - 9) + "b"),
    "digits": lambda path: path.write_text("a=" + "9" * 4_000_000),
    "hexadecimal digits": spec("over = [[0x" + "f" * 4_000_000 + ']]\ngate = "and"'),
    "long numbers": spec(repeated('gate = "and"\nover = [[', "0x" + "f" * 9990 + ",", "]]")),
    "too large": lambda path: (path.write_text("#"), os.truncate(path, 1 << 40)),
}


@pytest.mark.parametrize("name", named(SPECS))
def test_a_hostile_spec_is_refused_in_little_memory(alone: Alone, tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.toml"
    SPECS[name](path)
    refused(alone.read("spec", path))


FORMULAS = {
    "not": "~" * 999_998 + "x0",
    "parentheses": "(" * 999_999,
    "and": "x0&" * 333_333,
    "mixed": "x0&x1^x2|" * 111_111,
    "atleast": "atleast(1,x0," * 76_000,
    "wide atleast": "atleast(1" + ",0" * 499_000,
    "spaces": " " * 999_999 + "y",
    "digits": "x" + "9" * 999_999,
    "count": "atleast(" + "9" * 999_000 + ", x0)",
}


@pytest.mark.parametrize("name", named(FORMULAS))
def test_a_hostile_formula_is_refused_in_little_memory(alone: Alone, tmp_path: Path, name: str) -> None:
    refused(alone.read("formula", written(tmp_path / "a.txt", FORMULAS[name])))


HEADER = ",".join([*(f"x{i}" for i in range(400)), *(f"y{i}" for i in range(19_000))])
TABLES: dict[str, Make] = {
    "columns": lambda path: path.write_text("x0," * MILLION + "y0\n"),
    "short columns": lambda path: path.write_text("," * (MILLION - 1)),
    "endless line": lambda path: path.write_text("1" * (15 * MILLION)),
    "endless string": lambda path: path.write_text('"' + "a\n" * (7 * MILLION)),
    "endless row": lambda path: path.write_text('"\n",' * (3 * MILLION)),
    "empty lines": lambda path: path.write_text("\n" * (16 * MILLION)),
    "outputs": lambda path: path.write_text(
        "\n".join([HEADER, *(",".join("1" if i == j else "0" for i in range(400)) + ",1" * 19_000 for j in range(400))])
    ),
    "rows": lambda path: path.write_text(
        ",".join(f"x{i}" for i in range(22)) + ",y0\n" + "\n".join(",".join(f"{j:022b}0") for j in range(350_000))
    ),
    "too large": lambda path: (path.write_text("x0"), os.truncate(path, 1 << 40)),
}


@pytest.mark.parametrize("name", named(TABLES))
def test_a_hostile_table_is_refused_in_little_memory(alone: Alone, tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.csv"
    TABLES[name](path)
    refused(alone.read("table", path))
