"""Writes every network of this corpus that was not trained: `python specs/build.py`.

Needs numpy, safetensors and onnx. Running it again gives byte-identical files. It writes networks
only, no specs, truth tables or counterexamples.
"""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, count, product
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

HERE = Path(__file__).parent
PROVED, REFUTED, MALFORMED = HERE / "proved", HERE / "refuted", HERE / "malformed"

Array = npt.NDArray[np.float64]
Tensors = dict[str, Array]
Constants = dict[str, npt.NDArray[np.float32] | npt.NDArray[np.int64]]
Rows = Sequence[Sequence[int | float | Fraction]]


# ---- writers, one a format -----------------------------------------------------------------------


def member(array: npt.NDArray[np.generic]) -> bytes:
    """One array as the bytes of an `.npy` file."""
    out = io.BytesIO()
    np.lib.format.write_array(out, array, allow_pickle=array.dtype == object)
    return out.getvalue()


def write_zip(path: Path, members: dict[str, bytes]) -> None:
    """A zip file without time stamps, so that the same members give the same bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)


def write_npz(path: Path, tensors: dict[str, npt.NDArray[np.generic]] | Tensors) -> None:
    """An NPZ file of dense arrays, as `numpy.savez` writes it."""
    write_zip(path, {f"{name}.npy": member(array) for name, array in tensors.items()})


def write_safetensors(path: Path, tensors: Tensors, dtype: npt.DTypeLike = np.float32) -> None:
    """A safetensors file in which every tensor has the given type."""
    save_file({name: np.ascontiguousarray(array.astype(dtype)) for name, array in tensors.items()}, path)


def write_json(path: Path, tensors: dict[str, Rows | Sequence[int | float | Fraction]]) -> None:
    """A JSON network, one matrix row a line; a Fraction becomes a string, any other number stays one."""

    def text(value: object) -> str:
        if isinstance(value, Sequence):
            rows = [text(part) for part in value]
            nested = bool(value) and isinstance(value[0], Sequence)
            return "[" + (",\n    " if nested else ", ").join(rows) + "]"
        return json.dumps(str(value) if isinstance(value, Fraction) else value)

    lines = [f"  {json.dumps(name)}: {text(value)}" for name, value in tensors.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def compressed_rows(name: str, weight: Array) -> dict[str, npt.NDArray[np.generic]]:
    """The four arrays of one sparse matrix in compressed rows."""
    rows, columns = np.nonzero(weight)
    starts = np.searchsorted(rows, np.arange(len(weight) + 1))
    return {
        f"{name}.data": weight[rows, columns],
        f"{name}.indices": columns.astype(np.int64),
        f"{name}.indptr": starts.astype(np.int64),
        f"{name}.shape": np.array(weight.shape, dtype=np.int64),
    }


# ---- constructions -------------------------------------------------------------------------------


def incidence(tuples: Sequence[Sequence[int]], features: int) -> Array:
    """0/1 matrix [tuples, features]: row i has ones at the members of tuple i."""
    weight = np.zeros((len(tuples), features))
    for row, members in enumerate(tuples):
        weight[row, list(members)] = 1
    return weight


def one_per_pair(features: int) -> Tensors:
    """ReLU(x_a + x_b - 1) for each pair: one neuron a pair, exact on every input."""
    pairs = list(combinations(range(features), 2))
    ones = np.ones(len(pairs))
    return {"0.weight": incidence(pairs, features), "0.bias": -ones, "2.weight": np.diag(ones)}


def power_sums(features: int) -> tuple[list[list[int]], list[list[int]], list[int]]:
    """All ANDs of two features with four neurons, where at most two are on.

    Feature j stands for the integer t = j + 1, the neurons for the sums of t, t^2, t^3, t^4 over
    the active features. Output (a, b) is the sum of q(t) = (ab)^2 - ((t - a)(t - b))^2, which has
    no constant term: 2 (ab)^2 on the pair, less by a square >= 1 wherever else two are on.

    Source: the edges of a cyclic polytope; Halman, Onn and Rothblum, The convex dimension of a graph, 2007;
    Martinez-Sandoval and Padrol, arXiv 1909.01189, for more than two.

    Returns:
        Hidden weight [4, features], output weight [pairs, 4], and the value (ab)^2 of each pair.
    """
    hidden = [[(j + 1) ** power for j in range(features)] for power in (1, 2, 3, 4)]
    output, peaks = [], []
    for a, b in combinations(range(1, features + 1), 2):
        s, p = a + b, a * b  # (t^2 - s t + p)^2, signs turned, without its constant
        output.append([2 * s * p, -(s * s + 2 * p), 2 * s, -1])
        peaks.append(p * p)
    return hidden, output, peaks


def channels(features: int, pairs: int, neurons: int, size: int, active: int) -> tuple[Array, Array]:
    """An output-channel network whose worst off input ties with the threshold 1/2 exactly.

    Output i reads `size` random neurons; an input's column is the union of its outputs' channels;
    a neuron is ReLU(sum - 1), an output the mean of its channel. An output (a, b) is at most
    (top `active` - 1 overlaps of its channel with other inputs' columns) / size where it is off.
    Seeds are tried in order until the largest of these over the outputs is 1/2.

    Returns:
        Hidden weight [neurons, features]; membership [pairs, neurons], 1 where a neuron is read.
    """
    tuples = list(combinations(range(features), 2))
    for seed in count():
        draw = Random(seed)
        chosen = sorted(draw.sample(tuples, pairs))
        reads = incidence([draw.sample(range(neurons), size) for _ in chosen], neurons)
        hidden = np.minimum(reads.T @ incidence(chosen, features), 1)
        overlaps = reads @ hidden
        for row, (a, b) in enumerate(chosen):
            overlaps[row, [a, b]] = 0
        worst = np.sort(overlaps, axis=1)[:, 1 - active :].sum(axis=1).max()
        if 2 * worst == size:
            print(f"channels of {size}: seed {seed}, pairs {[list(pair) for pair in chosen]}")
            return hidden, reads
    raise AssertionError("count() never ends")


def affine_plane() -> list[list[int]]:
    """The 12 lines of the affine plane of order 3 on its 9 points: any two meet in at most one."""
    slants = product(range(3), repeat=2)
    through = [[(x, (slope * x + shift) % 3) for x in range(3)] for slope, shift in slants]
    upright = [[(x, y) for y in range(3)] for x in range(3)]
    return [[3 * x + y for x, y in line] for line in through + upright]


def circuit() -> Tensors:
    """Six formulas of six features through two hidden layers, exact on every input."""
    first = np.zeros((7, 6))
    first[0, [0, 1]] = 1  # x0 & x1
    first[1, [2, 3]] = 1, -1  # x2 & ~x3
    first[2:4, [0, 1, 5]] = 1  # x0 + x1 + x5 - 1, - 2
    first[4:7, [2, 3, 4]] = 1  # x2 + x3 + x4 - 0, - 1, - 2
    second = np.zeros((3, 7))
    second[0, [0, 1]] = -1  # neither of the first two
    second[1, [2, 3]] = 1, -1  # at least two of x0, x1, x5
    second[2, [4, 5, 6]] = 1, -2, 2  # parity of x2, x3, x4
    third = np.zeros((6, 3))
    third[0, 0], third[1, 1], third[4, 2], third[5, 0] = -1, 1, 1, 1
    return {
        "0.weight": first,
        "0.bias": np.array([-1.0, 0, -1, -2, 0, -1, -2]),
        "2.weight": second,
        "2.bias": np.array([1.0, 0, 0]),
        "4.weight": third,
        "4.bias": np.array([1.0, 0, 1, 0, 0, 0]),
    }


def gates() -> Tensors:
    """Several networks over the pairs 01 12 23 34 in one file; each spec names its own layers.

    The shared hidden layer `W_in` is stored [inputs, outputs]: first the pairs' ANDs, then copies.
    """
    pairs = incidence([(j, j + 1) for j in range(4)], 5)
    both, ones = np.eye(4), np.ones(4)
    return {
        "W_in": np.concatenate([pairs, np.eye(5)]).T,
        "b_in": np.array([-1.0] * 4 + [0] * 5),
        "or_weight": np.concatenate([-both, pairs], axis=1),
        "nand_weight": np.concatenate([-both, 0 * pairs], axis=1),
        "xnor_weight": np.concatenate([2 * both, -pairs], axis=1),
        "one": ones,
        "nor_weight": -pairs,
    }


def operators() -> onnx.ModelProto:
    """The ANDs of all pairs of four features plus 1/8, said with many ONNX operators."""
    pairs = incidence(list(combinations(range(4), 2)), 4).astype(np.float32)
    constants: Constants = {
        "pairs": pairs.T,
        "one": np.array(1, np.float32),
        "four": np.full((1, 6), 4, np.float32),
        "read": 2 * np.eye(6, dtype=np.float32),
        "shift": np.full(6, 0.25, np.float32),
        "row": np.array([1, 6], np.int64),
        "axis": np.array([0], np.int64),
    }
    steps = [
        helper.make_node("Flatten", ["x"], ["flat"], "flatten"),
        helper.make_node("MatMul", ["flat", "pairs"], ["sums"], "count"),
        helper.make_node("Sub", ["sums", "one"], ["above"], "less_one"),
        helper.make_node("Unsqueeze", ["above", "axis"], ["deep"], "unsqueeze"),
        helper.make_node("Relu", ["deep"], ["both"], "relu"),
        helper.make_node("Squeeze", ["both", "axis"], ["level"], "squeeze"),
        helper.make_node("Mul", ["four", "level"], ["large"], "four_times"),
        helper.make_node("Neg", ["large"], ["below"], "negate"),
        helper.make_node("Reshape", ["below", "row"], ["same"], "reshape"),
        helper.make_node("Gemm", ["same", "read", "shift"], ["mixed"], "mix", alpha=-0.5, beta=2.0, transB=1),
        helper.make_node("Div", ["mixed", "four"], ["scaled"], "quarter"),
        helper.make_node("Identity", ["scaled"], ["kept"], "identity"),
        helper.make_node("Cast", ["kept"], ["y"], "widen", to=TensorProto.DOUBLE),
    ]
    return onnx_model(steps, constants, 4, 6, TensorProto.DOUBLE)


def onnx_model(
    steps: Sequence[onnx.NodeProto],
    constants: Constants,
    inputs: int,
    outputs: int,
    kind: int = TensorProto.FLOAT,
) -> onnx.ModelProto:
    """A model with input `x` [1, inputs] and output `y` [1, outputs]."""
    graph = helper.make_graph(
        steps,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, inputs])],
        [helper.make_tensor_value_info("y", kind, [1, outputs])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def gemm_stack(hidden: str = "Relu") -> onnx.ModelProto:
    """One neuron a pair of three features as two Gemms, with the given operator between them."""
    tensors = {name: array.astype(np.float32) for name, array in one_per_pair(3).items()}
    steps = [
        helper.make_node("Gemm", ["x", "0.weight", "0.bias"], ["z"], "first", transB=1),
        helper.make_node(hidden, ["z"], ["h"], "between"),
        helper.make_node("Gemm", ["h", "2.weight"], ["y"], "second", transB=1),
    ]
    return onnx_model(steps, dict(tensors), 3, 3)


# ---- the corpus ----------------------------------------------------------------------------------


def build_proved_and_refuted() -> None:
    """The networks beside the specs in `proved/` and `refuted/`."""
    write_npz(PROVED / "one_per_pair.npz", one_per_pair(6))
    mutant = one_per_pair(6)
    mutant["0.weight"][7, 5] = -0.5  # a weight of the pair 1, 4 on a feature that it must not hear
    write_npz(REFUTED / "one_weight_mutant.npz", mutant)

    deaf = one_per_pair(6)
    deaf["0.weight"][7, 4] = 0  # the pair 1, 4 does not hear feature 4
    write_npz(REFUTED / "missing_path.npz", deaf)

    pairs = incidence(list(combinations(range(8), 2)), 8)
    copied = compressed_rows("0.weight", np.eye(8)) | compressed_rows("1.weight", pairs)
    write_npz(PROVED / "copy_margin.npz", copied)
    write_npz(REFUTED / "copy_margin_tie.npz", copied)

    hidden, output, peaks = power_sums(8)
    means = [[Fraction(w, 2 * peak) for w in row] for row, peak in zip(output, peaks, strict=True)]
    write_json(PROVED / "power_sums.json", {"0.weight": hidden, "1.weight": means})
    write_json(REFUTED / "power_sums_k3.json", {"0.weight": hidden, "1.weight": means})
    write_json(PROVED / "power_sums_separable.json", {"0.weight": hidden, "1.weight": output})

    hidden_8, reads_8 = channels(features=12, pairs=8, neurons=80, size=8, active=3)
    write_safetensors(
        PROVED / "channel_eighths.safetensors",
        {"0.weight": hidden_8, "0.bias": -np.ones(80), "2.weight": reads_8 / 8},
    )
    write_safetensors(PROVED / "channel_decoder.safetensors", {"weight": reads_8 / 8})
    hidden_6, reads_6 = channels(features=10, pairs=8, neurons=30, size=6, active=2)
    sixths = {"0.weight": hidden_6, "0.bias": -np.ones(30), "2.weight": reads_6 / 6}
    write_safetensors(REFUTED / "channel_float_sixths.safetensors", sixths)
    exact: dict[str, Rows | Sequence[int | float | Fraction]] = {
        "0.weight": [[int(w) for w in row] for row in hidden_6],
        "0.bias": [-1] * 30,
        "2.weight": [[Fraction(int(w), 6) if w else 0 for w in row] for row in reads_6],
    }
    write_json(PROVED / "channel_sixths.json", exact)

    both = {"0.weight": np.eye(2)[[0, 1] * 25], "0.bias": np.zeros(50), "2.weight": np.full((1, 50), 1 / 50)}
    for folder in (PROVED, REFUTED):
        write_safetensors(folder / "mean_of_fifty.safetensors", both)

    write_npz(PROVED / "circuit_formulas.npz", circuit())

    triples = incidence([(0, 1, 2), (1, 3, 4), (0, 2, 4)], 5)
    majority = {
        "0.weight": np.concatenate([triples, triples]),
        "0.bias": np.array([-1.0] * 3 + [-2] * 3),
        "2.weight": np.concatenate([np.eye(3), -np.eye(3)], axis=1),
        "2.bias": np.array([0.1, -0.1, 0]),
    }
    write_json(PROVED / "majority_epsilon.json", {name: array.tolist() for name, array in majority.items()})
    write_safetensors(REFUTED / "majority_float_tenth.safetensors", majority)

    at_once = {"0.weight": incidence([(0, 1, 2), (1, 2, 3), (0, 3, 4)], 5), "0.bias": np.full(3, -2.0)}
    write_npz(PROVED / "vacuous_and.npz", at_once)
    write_npz(REFUTED / "vacuous_and_low.npz", at_once)

    table = np.zeros((3, 6))
    table[0, [0, 5]] = 1
    table[1, [0, 5]] = 1
    table[2, [0, 3, 5]] = 0.75, -1.5, 0.75
    tabled = {
        "0.weight": table,
        "0.bias": np.array([0.0, -1, 0]),
        "2.weight": np.array([[1.0, -2, 0], [0, 0, 1]]),
    }
    write_safetensors(PROVED / "truth_table.safetensors", tabled, np.float16)
    write_safetensors(REFUTED / "truth_table_wrong.safetensors", tabled, np.float16)

    write_safetensors(PROVED / "gates.safetensors", gates(), np.float64)
    write_safetensors(REFUTED / "gates.safetensors", gates(), np.float64)

    code = incidence(affine_plane(), 9)
    both = np.array([np.maximum(code[a], code[b]) for a, b in combinations(range(12), 2)])
    for folder in (PROVED, REFUTED):
        write_npz(folder / "group_testing.npz", {"tests": -np.eye(9), "pass": np.ones(9)})
        write_npz(folder / "group_testing_encoder.npz", {"weight": code.T})
        decoder = {"weight": -both, "bias": np.ones(66)}
        write_safetensors(folder / "group_testing_decoder.safetensors", decoder)

    free = {"0.weight": -code.T, "0.bias": np.ones(9), "1.weight": -both, "1.bias": np.ones(66)}
    write_npz(PROVED / "group_testing_free.npz", free)

    edges = incidence(list(combinations(range(4), 2)), 4)
    ints = [[int(w) for w in row] for row in edges]
    for folder in (PROVED, REFUTED):
        write_json(
            folder / "edge_code_encoder.json",
            {"weight": [list(column) for column in zip(*ints, strict=True)]},
        )
        write_json(
            folder / "edge_code.json",
            {"0.weight": ints, "0.bias": [-1] * 6, "1.weight": np.eye(6, dtype=int).tolist()},
        )

    write_npz(
        REFUTED / "linear_xor.npz",
        {
            "sum": incidence([(0, 1), (1, 2), (2, 3)], 4),
            "turn": np.array([[0.0, 0, 1], [0, 1, 0], [1, 0, 0]]),
        },
    )
    onnx.save(operators(), PROVED / "onnx_operators.onnx")


def build_malformed() -> None:
    """The networks of `malformed/`: good ones that bad specs share, and bad ones."""
    good = one_per_pair(3)
    write_json(
        MALFORMED / "good.json",
        {
            "0.weight": [[1, 1, 0], [1, 0, 1], [0, 1, 1]],
            "0.bias": [-1] * 3,
            "1.weight": np.eye(3, dtype=int).tolist(),
        },
    )
    write_npz(MALFORMED / "good.npz", good)
    write_npz(MALFORMED / "narrow_encoder.npz", {"weight": np.ones((2, 3))})
    write_npz(MALFORMED / "narrow_decoder.npz", {"weight": np.ones((3, 2))})

    state = {"0.weight": [[1.0, 1.0, 0.0]], "0.bias": [-1.0]}
    write_zip(MALFORMED / "pickle.pt", {"archive/data.pkl": pickle.dumps(state, protocol=2)})
    (MALFORMED / "pickle_as_npz.npz").write_bytes(pickle.dumps(state, protocol=2))
    write_npz(MALFORMED / "object_array.npz", good | {"0.weight": good["0.weight"].astype(object)})

    write_safetensors(MALFORMED / "nan_weight.safetensors", good | {"0.weight": np.full((3, 3), np.nan)})
    write_npz(MALFORMED / "infinite_bias.npz", good | {"0.bias": np.array([-1, np.inf, -1])})
    write_npz(MALFORMED / "complex_weight.npz", good | {"0.weight": good["0.weight"].astype(np.complex128)})
    write_npz(MALFORMED / "unjoined_layers.npz", good | {"2.weight": np.ones((3, 4))})
    write_npz(MALFORMED / "long_bias.npz", good | {"0.bias": -np.ones(4)})
    write_npz(MALFORMED / "cube_weight.npz", good | {"2.weight": np.ones((3, 3, 1))})
    write_npz(MALFORMED / "unused_tensor.npz", good | {"temperature": np.ones(1)})
    write_npz(MALFORMED / "no_tensors.npz", {})
    wider = np.concatenate([good["0.weight"], np.zeros((3, 1))], axis=1)
    write_npz(MALFORMED / "other_features.npz", good | {"0.weight": wider})
    rows = compressed_rows("0.weight", good["0.weight"])
    rest: dict[str, npt.NDArray[np.generic]] = {"0.bias": good["0.bias"], "2.weight": good["2.weight"]}
    outside, backward = np.array([0, 1, 0, 3, 1, 2]), np.array([0, 4, 2, 6])
    write_npz(MALFORMED / "sparse_index.npz", rest | rows | {"0.weight.indices": outside})
    write_npz(MALFORMED / "sparse_starts.npz", rest | rows | {"0.weight.indptr": backward})

    whole = {f"{name}.npy": member(array) for name, array in good.items()}
    cut = whole["2.weight.npy"]
    write_zip(MALFORMED / "truncated_member.npz", whole | {"2.weight.npy": cut[: len(cut) - 20]})
    huge = cut.replace(b"(3, 3), }" + b" " * 18, b"(3000000000, 3000000000), }")
    write_zip(MALFORMED / "huge_shape.npz", whole | {"2.weight.npy": huge})
    (MALFORMED / "empty_file.npz").write_bytes(b"")
    (MALFORMED / "not_a_network.npz").write_text("a network, honestly\n", encoding="utf-8")
    saved = (PROVED / "channel_decoder.safetensors").read_bytes()
    (MALFORMED / "cut_short.safetensors").write_bytes(saved[:300])

    text = (MALFORMED / "good.json").read_text(encoding="utf-8")
    (MALFORMED / "good.weights").write_text(text, encoding="utf-8")
    for name, old, new in (
        ("duplicate_tensor", '"0.bias"', '"0.bias": [-2, -2, -2],\n  "0.bias"'),
        ("zero_denominator", "[-1, -1, -1]", '[-1, "1/0", -1]'),
        ("nan_in_json", "[-1, -1, -1]", "[-1, NaN, -1]"),
        ("true_in_json", "[-1, -1, -1]", "[-1, true, -1]"),
        ("ragged_rows", "[1, 0, 1]", "[1, 0]"),
        ("json_syntax", "[-1, -1, -1]", "[-1, -1, -1"),
    ):
        (MALFORMED / f"{name}.json").write_text(text.replace(old, new, 1), encoding="utf-8")

    onnx.save(gemm_stack("Sigmoid"), MALFORMED / "sigmoid.onnx")
    cyclic = gemm_stack()
    cyclic.graph.node[1].input[0] = "nowhere"
    onnx.save(cyclic, MALFORMED / "undefined_value.onnx")
    escaping = gemm_stack()
    tensor = escaping.graph.initializer[0]
    (MALFORMED / "outside.bin").write_bytes(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../outside.bin")
    (MALFORMED / "external").mkdir(exist_ok=True)
    (MALFORMED / "external" / "escape.onnx").write_bytes(escaping.SerializeToString(deterministic=True))


if __name__ == "__main__":
    build_proved_and_refuted()
    build_malformed()
