"""ONNX files: read exactly, whatever the operators and the shapes, or refused in one line."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings, strategies as st
from models import B, V, W, model_of, nodes_of, numbers, stored
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

from supercheck.base.errors import InputError
from supercheck.base.matrix import Rows
from supercheck.network.formats.onnx.read import read
from supercheck.network.layers import Affine
from supercheck.network.network import Network

DATA = Path(__file__).parents[2] / "tests" / "data" / "onnx"
EXPORTED = sorted(DATA.glob("*.onnx"))


def refusal(model: Any, path: Path) -> str:
    """The one line with which a model is refused."""
    with pytest.raises(InputError) as caught:
        read(stored(model, path / "net.onnx"))
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.startswith(str(path / "net.onnx"))
    return message


@np.vectorize(otypes=[object])
def fractions(value: Any) -> Fraction:
    return Fraction(value.item() if hasattr(value, "item") else value)


def evaluate(model: Any, x: Any) -> Any:
    """What a model says of a whole input tensor: numpy's broadcasting over fractions, operator by operator."""
    values: dict[str, Any] = {"x": x, "": None}
    for tensor in model.graph.initializer:
        values[tensor.name] = numpy_helper.to_array(tensor)
    for step in model.graph.node:
        options = {a.name: helper.get_attribute_value(a) for a in step.attribute}
        raw = [values[name] for name in step.input]
        exact = [value if value is None or value.dtype == object else fractions(value) for value in raw]
        values[step.output[0]] = np.asarray(
            OPERATORS[step.op_type](options, *(raw[:1] if step.op_type == "Cast" else exact))
        )
    return values[model.graph.output[0].name]


def _gemm(options: dict[str, Any], a: Any, b: Any, c: Any = None) -> Any:
    product = (a.T if options.get("transA") else a) @ (b.T if options.get("transB") else b)
    product = product * Fraction(options.get("alpha", 1.0))
    return product if c is None else product + Fraction(options.get("beta", 1.0)) * c


def _integers(values: Any) -> list[int]:
    return [int(value) for value in values]


def _unsqueeze(options: dict[str, Any], x: Any, axes: Any = None) -> Any:
    return np.expand_dims(x, tuple(options["axes"] if axes is None else _integers(axes)))


def _squeeze(options: dict[str, Any], x: Any, axes: Any = None) -> Any:
    chosen = options.get("axes") if axes is None else _integers(axes)
    return np.squeeze(x, None if chosen is None else tuple(chosen))


def _reshape(options: dict[str, Any], x: Any, shape: Any = None) -> Any:
    target = options["shape"] if shape is None else _integers(shape)
    return x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(target)])


def _cast(options: dict[str, Any], x: Any) -> Any:
    return x if x.dtype == object else x.astype(helper.tensor_dtype_to_np_dtype(options["to"]))


OPERATORS: dict[str, Callable[..., Any]] = {
    "Add": lambda _, a, b: a + b,
    "Cast": _cast,
    "Constant": lambda o: numpy_helper.to_array(o["value"]) if "value" in o else np.array(next(iter(o.values()))),
    "Div": lambda _, a, b: a / b,
    "Flatten": lambda o, x: x.reshape(prod(x.shape[: o.get("axis", 1)]), -1),
    "Gemm": _gemm,
    "Identity": lambda _, x: x,
    "MatMul": lambda _, a, b: a @ b,
    "Mul": lambda _, a, b: a * b,
    "Neg": lambda _, x: -x,
    "Relu": lambda _, x: np.maximum(x, Fraction(0)),  # type: ignore[call-overload]
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Sub": lambda _, a, b: a - b,
    "Transpose": lambda o, x: x.transpose(o.get("perm")),
    "Unsqueeze": _unsqueeze,
}


def check(model: Any, path: Path, samples: int = 1) -> Network:
    """The network that is read agrees with the evaluation of the whole graph, sample by sample."""
    network = Network.of(*read(stored(model, path)))
    shape = [dim.dim_value or 1 for dim in model.graph.input[0].type.tensor_type.shape.dim]
    assert network.features == prod(shape) // samples
    source = random.Random(5)
    for _ in range(4):
        x = fractions(np.array([source.randint(-8, 8) for _ in range(prod(shape))])).reshape(shape) / 4
        y = evaluate(model, x)
        for one, out in zip(x.reshape(samples, -1), y.reshape(samples, -1), strict=True):
            assert list(network.run(list(one))) == list(out)
    return network


CASES: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "Gemm": ("Gemm x V", [1, 3], {}),
    "Gemm with alpha, beta, both transposed": ("Gemm x W B alpha=0.3 beta=-1.7 transA=1 transB=1", [3, 1], {}),
    "Gemm with the constant first": ("Gemm W x c", [3, 1], {"c": numbers(4, 1)}),
    "Gemm with the turned constant first": ("Gemm V x transA=1 alpha=2.0", [3, 1], {}),
    "Gemm with a scalar as C": ("Gemm x V c", [7, 3], {"c": np.float32(0.1)}),
    "Gemm with an empty C": ("Gemm x V _", [2, 3], {}),
    "Gemm with beta 0": ("Gemm x V B beta=0.0", [1, 3], {}),
    "MatMul on a vector": ("MatMul x V", [3], {}),
    "MatMul before a vector": ("MatMul W x", [3], {}),
    "MatMul before columns": ("MatMul W x", [3, 1], {}),
    "MatMul with a vector": ("MatMul x c", [5, 3], {"c": numbers(3)}),
    "MatMul of a vector before": ("MatMul B x", [1, 4, 2], {}),
    "MatMul of two vectors": ("MatMul x B", [4], {}),
    "MatMul in three dimensions": ("MatMul x V", [6, 1, 3], {}),
    "MatMul with a stack of matrices": ("MatMul x c", [1, 2, 3], {"c": numbers(5, 3, 2)}),
    "MatMul with a stack on the left": ("MatMul c x", [2, 1, 3, 2], {"c": numbers(1, 5, 4, 3)}),
    "MatMul with one matrix for each sample": ("MatMul x c", [2, 1, 3], {"c": np.stack([V, V])}),
    "MatMul with a vector, then more": ("MatMul x c; Unsqueeze . axes=[1]; Mul . B", [5, 3], {"c": numbers(3)}),
    "MatMul on a turned tensor": ("Transpose x perm=[0,2,1]; Flatten .; MatMul . c", [2, 3, 4], {"c": numbers(12, 2)}),
    "Add on either side": ("Add B x; Add . B", [2, 4], {}),
    "Sub of a constant": ("Sub x B", [1, 4], {}),
    "Sub from a constant": ("Sub B x", [4], {}),
    "Mul on either side": ("Mul x B; Mul B .", [3, 4], {}),
    "Mul by zeros": ("Mul x c; Add . B", [4], {"c": B * np.array([0, 1, 0, 1], np.float32)}),
    "Mul past 53 bits": ("Mul x c; Mul . c; Mul . d", [3], {"c": numbers(3), "d": numbers(3, dtype="float16")}),
    "Div by numbers": ("Div x B", [1, 4], {}),
    "Div by a power of two": ("Div x c", [1, 4], {"c": np.float32(-8)}),
    "Div by the smallest float64": ("Div x c", [1, 4], {"c": np.float64(5e-324)}),
    "Mul by integers past 2^53": ("Mul x c", [2], {"c": np.array([2**53 + 1, -(2**63)])}),
    "Add of unsigned integers": ("Add x c", [2], {"c": np.array([2**64 - 1, 3], dtype=np.uint64)}),
    "a constant that makes x grow": ("Add x c", [1, 3], {"c": numbers(4, 1)}),
    "growth of a turned tensor": ("Transpose x perm=[0,2,1]; Add . c", [1, 2, 3], {"c": numbers(4, 3, 2)}),
    "growth in the middle": ("Gemm x V; Mul . c; Relu .; MatMul . W", [1, 3], {"c": numbers(2, 4)}),
    "Neg": ("Neg x; Relu .", [1, 4], {}),
    "Relu alone": ("Relu x", [1, 4], {}),
    "Relu twice": ("Relu x; Relu .", [4], {}),
    "Transpose": ("Transpose x perm=[0,2,1]", [1, 2, 3], {}),
    "Transpose of the batch": ("Transpose x; MatMul W .; Transpose .", [5, 3], {}),
    "Transpose at the end": ("MatMul x V; Relu .; Transpose . perm=[0,2,1]", [1, 2, 3], {}),
    "Flatten": ("Flatten x; MatMul . c", [2, 3, 4], {"c": numbers(12, 2)}),
    "Flatten from the end": ("Flatten x axis=-1; MatMul . V", [2, 1, 3], {}),
    "Reshape with 0 and -1": ("Reshape x s; MatMul . c", [2, 3, 4], {"s": [0, -1], "c": numbers(12, 2)}),
    "Reshape with an attribute": ("Reshape x shape=[4,1]", [1, 4], {}),
    "Squeeze and Unsqueeze": ("Squeeze x a; MatMul . V; Unsqueeze . u", [4, 1, 3], {"a": [1], "u": [0, -1]}),
    "Squeeze and Unsqueeze by attribute": (
        "Squeeze x axes=[0]; Unsqueeze . axes=[1,2]; Add . W",
        [1, 4],
        {"W": W[:3, :1]},
    ),
    "Squeeze of all": ("Squeeze x", [1, 4, 1], {}),
    "a constant node of one float": ("f = Constant value_float=0.1; Mul x f", [3], {}),
    "a constant node of floats": ("f = Constant value_floats=[0.1,0.2,0.3]; Add x f", [3], {}),
    "a constant node of one integer": ("i = Constant value_int=3; Mul x i", [3], {}),
    "a constant node of integers": ("i = Constant value_ints=[1,2,3]; Sub x i", [3], {}),
    "constants in other shapes": (
        "a = Identity W; b = Transpose a; c = Unsqueeze b z; d = Squeeze c z; "
        "e = Reshape d s; f = Flatten e; g = Neg f; MatMul x g",
        [1, 3],
        {"z": [0], "s": [3, -1]},
    ),
    "one constant used twice": ("MatMul x S; Relu .; MatMul . S", [1, 3], {"S": numbers(3, 3)}),
    "an unused constant": ("Relu x", [1, 3], {"c": np.float32(np.nan)}),
    "an unused branch": ("dead = Relu x; deader = Neg dead; MatMul x V", [1, 3], {}),
    "two linear layers in a row": ("Gemm x V B; Gemm . W", [2, 3], {}),
    "shift and scale around": (
        "Sub x m; Div . s; MatMul . V; Add . B; Mul . n; Relu .; Mul . n; MatMul . W",
        [2, 3],
        {"m": W[0], "s": W[1], "n": np.float32(-0.7)},
    ),
    "a linear layer on every pixel": ("MatMul x V; Relu .", [1, 2, 3], {}),
    "a single number": ("Squeeze x; Mul . c", [1], {"c": np.float32(0.1)}),
    "a Flatten that merges the batch": ("Flatten x axis=0", [2, 3], {}),
    "a Reshape of the batch into one": ("Reshape x s; MatMul . c", [3, 4], {"s": [1, -1], "c": numbers(12, 2)}),
    "a stack that tells the samples apart": ("MatMul x c", [2, 1, 3], {"c": numbers(2, 3, 4)}),
    "a constant that tells the samples apart": ("Add x c", [2, 3], {"c": numbers(2, 3)}),
}
WHOLE = {name for name in CASES if name.startswith("a ") and ("batch" in name or "apart" in name)}
COLUMNS = {name for name, (_, shape, _) in CASES.items() if shape == [3, 1]}


@pytest.mark.parametrize("name", CASES)
def test_every_operator_means_what_fractions_say(name: str, tmp_path: Path) -> None:
    text, shape, constants = CASES[name]
    batch = len(shape) > 1 and name not in WHOLE | COLUMNS
    check(model_of(text, shape, constants), tmp_path / "net.onnx", shape[0] if batch else 1)


@st.composite
def chains(draw: st.DrawFn) -> tuple[Any, int]:
    """A random chain of operators; with a batch, one that keeps its samples apart on axis 0."""
    batch = draw(st.sampled_from([1, 1, 3]))
    first = int(batch > 1)  # how many leading axes stay as they are
    shape = draw(st.sampled_from([[batch, 3], [batch, 1, 4], [batch, 2, 2], [batch, 4, 1]] + ([] if first else [[3]])))
    dtype, seed = draw(st.sampled_from(["float16", "float32", "float64", "int64"])), draw(st.integers(0, 10**6))
    constants: dict[str, Any] = {}
    steps: list[str] = []
    value = np.zeros(shape)

    def constant(*size: int) -> str:
        name = f"c{len(constants)}"
        constants[name] = (3 * numbers(*size, dtype="float64", seed=seed + len(constants))).astype(dtype)
        return name

    for _ in range(draw(st.integers(1, 7))):
        now, free, rank = "." if steps else "x", value.shape[first:], value.ndim
        choices = ["Add", "Mul", "Sub", "Neg", "Relu", "Relu", "Transpose", "Reshape", "Squeeze"]
        choices += ["Unsqueeze"] * (rank < 5) + ["MatMul"] * 3 * bool(free) + ["left"] * 2 * (len(free) > first)
        choice = draw(st.sampled_from(choices))
        if choice in ("Add", "Mul", "Sub"):
            size = [n if draw(st.booleans()) else 1 for n in free][draw(st.integers(0, len(free))) :]
            steps.append(draw(st.sampled_from(["{0} {1} {2}", "{0} {2} {1}"])).format(choice, now, constant(*size)))
        elif choice == "MatMul":
            steps.append(f"MatMul {now} {constant(free[-1], draw(st.integers(1, 4)))}")
        elif choice == "left":
            steps.append(f"MatMul {constant(draw(st.integers(1, 4)), value.shape[max(rank - 2, 0)])} {now}")
        elif choice == "Transpose":
            order = [*range(first), *draw(st.permutations(range(first, rank)))]
            steps.append(f"Transpose {now} perm={order}".replace(", ", ",") if order else f"Identity {now}")
        elif choice == "Reshape":
            target = [0] * first + draw(st.sampled_from([[-1], [1, -1], [-1, 1]]))
            steps.append(f"Reshape {now} shape={target}".replace(", ", ","))
        elif choice == "Unsqueeze":
            steps.append(f"Unsqueeze {now} axes=[{draw(st.integers(first, rank))}]")
        elif choice == "Squeeze":
            axes = [axis for axis in range(first, rank) if value.shape[axis] == 1 and draw(st.booleans())]
            steps.append(f"Squeeze {now} axes={axes}".replace(", ", ",") if axes else f"Identity {now}")
        else:
            steps.append(f"{choice} {now}")
        value = evaluate(model_of("; ".join(steps), shape, constants), fractions(np.zeros(shape)))
    return model_of("; ".join(steps), shape, constants), batch


@given(chains())
def test_random_chains_mean_what_fractions_say(
    tmp_path_factory: pytest.TempPathFactory, chain: tuple[Any, int]
) -> None:
    model, samples = chain
    check(model, tmp_path_factory.getbasetemp() / "chain.onnx", samples)


def read_model(folder: Path, *arguments: Any) -> tuple[list[Affine], tuple[str, ...]]:
    return read(stored(model_of(*arguments), folder / "net.onnx"))


def test_every_kind_of_float_is_kept_exactly(tmp_path: Path) -> None:
    for name in ("float16", "float32", "float64"):
        values = np.array([0.1, -3e-5, np.finfo(name).smallest_subnormal, np.finfo(name).max], dtype=name)
        typed = helper.make_tensor("c", helper.np_dtype_to_tensor_dtype(values.dtype), [4], values)
        for tensor in (values, typed):
            [layer], _ = read_model(tmp_path, "Add x c", [4], {"c": tensor})
            assert layer.bias.tolist() == values.astype(np.float64).tolist()
    bits = np.array([0x3DCD, 0x0001, 0xFF7F], dtype=np.uint16)  # bfloat16: the upper half of a float32
    raw = helper.make_tensor("c", TensorProto.BFLOAT16, [3], bits.tobytes(), raw=True)
    typed = TensorProto(name="c", data_type=TensorProto.BFLOAT16, dims=[3], int32_data=bits.tolist())
    for tensor in (raw, typed):
        [layer], _ = read_model(tmp_path, "Add x c", [3], {"c": tensor})
        assert layer.bias.tolist() == (bits.astype(np.uint32) << 16).view(np.float32).tolist()


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
def test_integers_are_kept_exactly(dtype: str, tmp_path: Path) -> None:
    values = np.array([np.iinfo(dtype).max, np.iinfo(dtype).min, 5], dtype=dtype)
    typed = helper.make_tensor("c", helper.np_dtype_to_tensor_dtype(values.dtype), [3], values.tolist())
    for tensor in (values, typed):
        network = Network.of(*read_model(tmp_path, "Add x c", [3], {"c": tensor}))
        assert network.run([0, 0, 0]) == tuple(values.tolist())


@pytest.mark.parametrize(("code", "dtype"), [(1, "float32"), (11, "float64"), (10, "float16")])
def test_the_cast_of_a_constant_rounds_and_that_of_an_activation_is_noted(
    code: int, dtype: str, tmp_path: Path
) -> None:
    values = np.array([1 / 3, 1e-9, 2049])
    layers, notes = read_model(tmp_path, f"d = Cast c to={code}; Add x d; Cast . to={code}", [3], {"c": values})
    assert layers[0].bias.tolist() == values.astype(dtype).tolist()
    assert len(notes) == 1
    assert notes[0].startswith("The cast of an activation to ")
    assert notes[0].endswith(" in node n2 (Cast) is taken as exact.")


def test_a_cast_to_bfloat16_rounds_to_eight_bits(tmp_path: Path) -> None:
    [layer], _ = read_model(tmp_path, "d = Cast c to=16; Add x d", [2], {"c": np.array([257, 1 / 3], np.float32)})
    assert layer.bias.tolist() == [256, 0.333984375]


@pytest.mark.parametrize(
    ("shape", "features", "words"),
    [
        ([3], 3, ""),
        ([1, 3], 3, ""),
        ([5, 3], 3, "Input 'x' [5, 3] is read as 5 samples of 3 features."),
        ([5, 1, 3], 3, "Input 'x' [5, 1, 3] is read as 5 samples of 1x3 features."),
        (["batch", 3], 3, "Input 'x' [batch, 3] is read as one sample, [1, 3]."),
        ([None, 1, 3], 3, "Input 'x' [?, 1, 3] is read as one sample, [1, 1, 3]."),
        ([1, 2, 3], 6, "Input 'x' [1, 2, 3] is read as 6 features, row by row."),
    ],
)
def test_the_batch_is_found_in_the_input_shape(shape: Any, features: int, words: str, tmp_path: Path) -> None:
    layers, notes = read_model(tmp_path, "MatMul x V", shape)
    assert Network.of(layers).features == features
    assert notes == ((words,) if words else ())


@pytest.mark.parametrize("shape", [[3, 1], [3, 5], [3, "batch"]])
def test_columns_are_samples_where_the_constant_stands_on_the_left(shape: Any, tmp_path: Path) -> None:
    layers, _ = read_model(tmp_path, "MatMul W x", shape)
    assert layers[0].weight.dense().tolist() == W.tolist()


def test_columns_ascend_whatever_the_order_of_the_tensor(tmp_path: Path) -> None:
    matrix = numbers(6, 2)
    turned = matrix.reshape(3, 2, 2).transpose(1, 0, 2).reshape(6, 2)
    layers = read_model(tmp_path, "Transpose x perm=[0,2,1]; Flatten .; MatMul . c", [1, 2, 3], {"c": matrix})[0]
    plain = read_model(tmp_path, "MatMul x c", [6], {"c": turned})[0]
    assert Network.of(layers).digest == Network.of(plain).digest


def test_nothing_becomes_a_layer_that_need_not(tmp_path: Path) -> None:
    [layer], _ = read_model(tmp_path, "Identity x; MatMul . V; Relu .; Relu .; Unsqueeze . axes=[0]", [1, 3])
    assert layer.relu
    assert np.array_equal(layer.weight.dense(), V.T)


def test_layers_are_named_after_their_weights_or_nodes(tmp_path: Path) -> None:
    text = "Mul x c; Relu .; t = Transpose net.0.weight; MatMul v1 t; Relu .; Neg ."
    layers, _ = read_model(tmp_path, text, [1, 3], {"c": np.float32(2), "net.0.weight": W})
    assert [layer.name for layer in layers] == ["n1", "net.0.weight", "n5"]


# What torch wrote.


def from_state(state: dict[str, Any], *, last: bool = False) -> list[Affine]:
    """The stack that a state_dict makes up."""
    numbers_ = sorted({int(key.split(".")[0]) for key in state})
    return [
        Affine(
            Rows.from_dense(state[f"{n}.weight"].astype(np.float64)),
            state.get(f"{n}.bias", np.zeros(len(state[f"{n}.weight"]))).astype(np.float64),
            last or n != numbers_[-1],
        )
        for n in numbers_
    ]


@pytest.mark.parametrize("path", EXPORTED, ids=lambda path: path.stem)
def test_exported_files_hold_the_weights_of_the_state_dict(path: Path) -> None:
    name = path.stem.split("-")[0]
    layers = from_state(load_file(DATA / f"{name}.safetensors"), last=name == "wrapped")
    read_, notes = read(path)
    if name == "scaled":  # (x - 1/2) / 3 before, times -2 after
        size = layers[0].weight.width
        layers.insert(0, Affine(Rows.from_dense(np.eye(size)), np.full(size, -0.5), relu=False))
        third = np.array([[Fraction(i == j, 3) for j in range(size)] for i in range(size)], dtype=object)
        layers.insert(1, Affine(Rows.from_dense(third), np.zeros(size), relu=False))
        layers.append(Affine(Rows.from_dense(-2.0 * np.eye(4)), np.zeros(4), relu=False))
    assert Network.of(read_).digest == Network.of(layers).digest
    assert len(notes) == ("batch1" not in path.stem and path.stem.split("-")[2] in ("batch5", "symbolic"))


def test_both_exporters_and_every_batch_are_among_the_files() -> None:
    names = {path.stem for path in EXPORTED}
    assert {
        f"mlp-{exporter}-{batch}" for exporter in ("dynamo", "legacy") for batch in ("batch1", "batch5", "symbolic")
    } < names
    assert (DATA / "external-dynamo-batch1.onnx.data").stat().st_size > 0


def test_the_exporters_of_this_torch_are_understood(tmp_path: Path) -> None:
    if os.environ.get("SUPERCHECK_TORCH") != "required":
        pytest.importorskip("torch")
        pytest.importorskip("onnxscript")
    import torch

    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.ReLU(), torch.nn.Linear(7, 2)).eval()
    expected = Network.of(from_state({key: value.numpy() for key, value in model.state_dict().items()}))
    for dynamo in (True, False):
        torch.onnx.export(model, (torch.zeros(3, 5),), tmp_path / "net.onnx", dynamo=dynamo, verbose=False)
        assert Network.of(*read(tmp_path / "net.onnx")).digest == expected.digest


@pytest.mark.parametrize("factor", [1, 0.5])
def test_a_dense_network_of_three_million_weights_takes_no_time(factor: float, tmp_path: Path) -> None:
    text = f"Mul x f; Gemm {'.' if factor != 1 else 'x'} A a transB=1; Relu .; MatMul . C; Add . c"
    constants = {"A": numbers(1500, 1000), "a": numbers(1500), "C": numbers(1500, 1000), "c": numbers(1000)}
    path = stored(model_of(text, ["n", 1000], constants | {"f": np.float32(factor)}), tmp_path / "net.onnx")
    begun = time.perf_counter()
    layers, _ = read(path)
    assert time.perf_counter() - begun < 4  # a quarter of a second, or a second with the factor
    assert np.array_equal(layers[0].weight.dense(), constants["A"] * factor)
    assert np.array_equal(layers[1].weight.dense(), constants["C"].T)


# What is refused, and how.


def tensor(*dims: int, data_type: int = TensorProto.FLOAT, **fields: Any) -> dict[str, Any]:
    """A constant c of one's own making."""
    return {"c": TensorProto(name="c", data_type=data_type, dims=dims, **fields)}


LONG = "; ".join(["Mul x c"] + ["Mul . c"] * 60)
REFUSED: dict[str, tuple[Any, list[str]]] = {
    "an unknown operator": (("Sigmoid x", [1, 3]), ["node n0 (Sigmoid)", "got Sigmoid"]),
    "another domain": (("Relu x domain='com.evil'", [1, 3]), ["node n0 (Relu)", "got com.evil.Relu"]),
    "a skip edge": (("Relu x; Add x .", [1, 3]), ["node n1 (Add)", "'x' and 'v0' (a skip edge"]),
    "a product of activations": (("Mul x x", [1, 3]), ["node n0 (Mul)", "'x' and 'x'"]),
    "an activation as divisor": (("Div B x", [4]), ["node n0 (Div)", "a constant as divisor"]),
    "division by zero": (
        ("Div x c", [3], {"c": np.array([1, 0, 2], np.float32)}),
        ["n0 (Div), c[1]: expected a divisor"],
    ),
    "an activation as C": (("Gemm V W x", [1, 3]), ["node n0 (Gemm)", "one as C"]),
    "an activation as shape": (("Reshape W x", [1]), ["node n0 (Reshape)", "got an activation"]),
    "arithmetic on constants": (("c = Add V V; MatMul x c", [3]), ["node n0 (Add)", "constants alone"]),
    "the Neg of integers": (("c = Neg s; Add x c", [1], {"s": [-(2**63)]}), ["node n0 (Neg)", "integers"]),
    "a NaN": (
        ("MatMul x c", [2], {"c": np.array([[1, 2], [3, np.nan]], np.float32)}),
        ["c[1, 1]: expected a finite", "nan"],
    ),
    "an infinity": (("Add x c", [3], {"c": np.float16(-np.inf)}), ["c[]", "-inf"]),
    "a cast that overflows": (("c = Cast s to=10; Add x c", [1], {"s": np.array([1e6], np.float32)}), ["s[0]", "inf"]),
    "an infinite alpha": (("Gemm x V alpha=1e999", [1, 3]), ["alpha", "inf"]),
    "a cast to integers": (("Cast x to=7", [3]), ["node n0 (Cast)", "INT64"]),
    "a cast to nothing": (("Cast x", [3]), ["node n0 (Cast)", "UNDEFINED"]),
    "an integer input": (("Relu x", [3], {}, TensorProto.INT64), ["input x", "INT64"]),
    "an unknown number of features": (("Relu x", ["n"]), ["input x", "[n]"]),
    "no shape": (("Relu x", None), ["input x", "number of features"]),
    "an input without elements": (("Relu x", [1, 0]), ["input x", "[1, ?]"]),
    "a negative dimension": (("Relu x", [1, -3]), ["input x", "-3"]),
    "a gigantic input": (("Relu x", [1, 2**62]), ["at most 268,435,456 steps"]),
    "a wrong width": (("MatMul x V", [1, 5]), ["node n0 (MatMul)", "5 inputs", "3 (V)"]),
    "shapes that do not broadcast": (("Add x B", [1, 3]), ["node n0 (Add)", "[1, 3]", "[4]"]),
    "a C that is too large": (("Gemm x V c", [1, 3], {"c": numbers(2, 4)}), ["node n0 (Gemm)", "[1, 4]", "[2, 4]"]),
    "Gemm on three dimensions": (("Gemm x V", [1, 1, 3]), ["two dimensions", "[1, 1, 3]"]),
    "MatMul on a scalar": (("Squeeze x; MatMul . V", [1]), ["n1 (MatMul)", "at least one dimension"]),
    "a Reshape that loses elements": (("Reshape x s", [6], {"s": [4, -1]}), ["n0 (Reshape)", "6 elements"]),
    "a Reshape by floats": (("Reshape x s", [6], {"s": np.array([2, 3], np.float32)}), ["list of integers"]),
    "a Reshape to zero": (("Reshape x s allowzero=1", [6], {"s": [0, -1]}), ["6 elements"]),
    "a Reshape to nowhere": (("Reshape x", [6]), ["list of integers"]),
    "a Squeeze of a long axis": (("Squeeze x axes=[1]", [1, 6]), ["axes of length 1"]),
    "an axis out of range": (("Flatten x axis=7", [1, 6]), ["node n0 (Flatten)", "[7]"]),
    "a Transpose that repeats": (("Transpose x perm=[0,0]", [1, 6]), ["permutation", "[0, 0]"]),
    "an unknown attribute": (("Add x B broadcast=1", [4]), ["node n0 (Add)", "broadcast"]),
    "an attribute of another type": (("Transpose x perm=0.5", [1, 6]), ["perm of type INTS"]),
    "too few inputs": (("Gemm x", [1, 6]), ["node n0 (Gemm)", "2 to 3 inputs, got 1"]),
    "a string": (("c = Constant value_string='a'; Add x c", [1]), ["n0 (Constant)", "value_string"]),
    "a constant without a value": (("c = Constant; Add x c", [1]), ["n0 (Constant)", "one value"]),
    "a name out of nowhere": (("Add x ghost", [1]), ["n0 (Add)", "undefined input 'ghost'"]),
    "nodes out of order": (("Relu late; late = Neg x; Neg v0", [1]), ["n0 (Relu)", "'late' before it is computed"]),
    "a cycle": (("Add x z; z = Neg .", [1]), ["n0 (Add)", "without cycles"]),
    "a node that feeds itself": (("y = Relu y", [1]), ["n0 (Relu)", "before it is computed"]),
    "a name given twice": (("y = Neg x; y = Relu x", [1]), ["n1 (Relu)", "a second 'y'"]),
    "the input computed": (("x = Neg x", [1]), ["n0 (Neg)", "a second 'x'"]),
    "an output that is constant": (("Relu x; y = Identity B", [1]), ["output", "constant or undefined 'y'"]),
    "a segment": (("Add x c", [1], tensor(1, segment={"begin": 0, "end": 1})), ["tensor c", "a segment"]),
    "a gigantic tensor": (("Add x c", [1], tensor(2**40, 2**40)), ["n0 (Add), tensor c", "268,435,456"]),
    "a negative size": (("Add x c", [1], tensor(-1, -4, raw_data=bytes(16))), ["tensor c", "none negative"]),
    "a tensor that is too short": (("Add x c", [1], tensor(3, raw_data=bytes(8))), ["tensor c", "12 bytes", "got 8"]),
    "a typed tensor that is too short": (("Add x c", [1], tensor(3, float_data=[1])), ["3 numbers, got 1"]),
    "two contents": (("Add x c", [1], tensor(1, raw_data=bytes(4), float_data=[1])), ["tensor c", "one place"]),
    "a number outside its type": (("Add x c", [1], tensor(1, data_type=3, int32_data=[300])), ["fit int8, got 300"]),
    "a tensor of strings": (("Add x c", [1], tensor(1, data_type=8)), ["tensor c", "STRING"]),
    "a tensor of an unknown type": (("Add x c", [1], tensor(1, data_type=99)), ["tensor c", "got 99"]),
    "an empty tensor": (("Add x c", [1], tensor(0)), ["a constant with elements"]),
    "numbers without end": ((LONG, [1], {"c": np.array([5e-324], np.float64)}), ["at most 4096 bits"]),
    "work without end": (("MatMul x c", [1, 12000, 1], {"c": numbers(1, 12000)}), ["n0 (MatMul)", "268,435,456"]),
    "growth without end": (
        ("Add x c; Add . d", [1], {"c": numbers(12000, 1), "d": numbers(12000)}),
        ["n1 (Add)", "268,435,456"],
    ),
    "too many dimensions": (("Add x c", [1] * 10, {"c": numbers(*[1] * 17)}), ["at most 16 dimensions"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_stack_of_layers_is_refused_in_one_helpful_line(name: str, tmp_path: Path) -> None:
    arguments, words = REFUSED[name]
    message = refusal(model_of(*arguments), tmp_path)
    assert all(word in message for word in words), message


@pytest.mark.parametrize("content", [b"not a model", model_of("MatMul x V", [1, 3]).SerializeToString()[:60], b""])
def test_what_is_no_onnx_file_is_refused(content: bytes, tmp_path: Path) -> None:
    assert "expected an ONNX model" in refusal(content, tmp_path)


def test_a_message_is_one_line_whatever_the_names(tmp_path: Path) -> None:
    model = model_of("Sigmoid x", [1, 3])
    model.graph.node[0].name = "a\nb\x1b" + "c" * 1000
    assert "node a\\nb\\x1bccc" in refusal(model, tmp_path)


def test_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    content = model_of("MatMul x weight; Relu .", [1, 3], {"weight": V}).SerializeToString()
    assert "names in UTF-8" in refusal(content.replace(b"weight", b"weigh\xff"), tmp_path)
    content = external("w-t").SerializeToString()
    assert "node n0 (MatMul), tensor c" in refusal(content.replace(b"w-t", b"w\xfft"), tmp_path)


def test_sub_graphs_are_refused(tmp_path: Path) -> None:
    model = model_of("Relu x", [1])
    inner = model_of("Relu x", [1]).graph
    model.graph.node[0].CopyFrom(helper.make_node("If", ["x"], ["v0"], "n0", then_branch=inner, else_branch=inner))
    assert "node n0 (If)" in refusal(model, tmp_path)


def test_a_graph_has_one_input_and_one_output(tmp_path: Path) -> None:
    model = model_of("y = Relu x", [1, 3])
    model.graph.input.append(helper.make_tensor_value_info("other", 1, [1]))
    assert "exactly one input that is not an initialiser, got 2 (x, other)" in refusal(model, tmp_path)
    del model.graph.input[:]
    assert "exactly one input" in refusal(model, tmp_path)
    model = model_of("y = Relu x", [1, 3])
    model.graph.output.append(helper.make_tensor_value_info("x", 1, [1]))
    assert "exactly one output, got 2 (y, x)" in refusal(model, tmp_path)


def test_initialisers_may_be_listed_as_inputs_but_not_twice(tmp_path: Path) -> None:
    model = model_of("Add x B", [4])
    model.graph.input.insert(0, helper.make_tensor_value_info("B", 1, [4]))
    network = Network.of(*read(stored(model, tmp_path / "net.onnx")))
    assert network.run([0] * 4) == tuple(map(Fraction, B.tolist()))
    model.graph.initializer.append(model.graph.initializer[0])
    assert "repeated name" in refusal(model, tmp_path)


def test_functions_and_sparse_initialisers_are_refused(tmp_path: Path) -> None:
    model = model_of("Relu x", [1, 3])
    model.functions.append(helper.make_function("own", "Twice", ["a"], ["b"], nodes_of("b = Relu a"), []))
    assert "without functions" in refusal(model, tmp_path)
    model = model_of("Relu x", [1, 3])
    model.graph.sparse_initializer.add().dims.append(3)
    assert "without sparse initialisers" in refusal(model, tmp_path)


def test_too_many_nodes_are_refused(tmp_path: Path) -> None:
    model = model_of("Relu x", [1])
    model.graph.node.extend(nodes_of("Relu x") * 70_000)
    assert "at most 65536 nodes" in refusal(model, tmp_path)


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.onnx"):
        with pytest.raises(InputError, match=r"expected a (readable )?file"):
            read(path)


@settings(max_examples=600)
@given(
    st.sampled_from(EXPORTED[::4]),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=4),
    st.data(),
)
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, path: Path, changes: list[tuple[int, int]], data: st.DataObject
) -> None:
    content = bytearray(path.read_bytes())
    for where, value in changes:
        content[where % len(content)] = value
    content = content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content
    damaged = tmp_path_factory.getbasetemp() / "damaged.onnx"
    damaged.write_bytes(content)
    message = ""
    try:
        network = Network.of(*read(damaged))
    except InputError as error:
        message = str(error)
    assert len(message.splitlines()) == 1 if message else network.outputs > 0


# External data.


def external(location: str, **entries: str) -> Any:
    """A model whose weight lies in another file."""
    constants = tensor(3, 4, data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **entries}.items():
        constants["c"].external_data.add(key=key, value=value)
    return model_of("MatMul x c", [1, 3], constants)


def test_external_data_beside_the_model_is_read_at_its_offset(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"before!!" + V.tobytes() + b"after")
    model = external("weights.bin", offset="8", length="48", checksum="unused")
    [layer], _ = read(stored(model, tmp_path / "net.onnx"))
    assert np.array_equal(layer.weight.dense(), V.T)
    (tmp_path / "weights.bin").write_bytes(V.tobytes())
    [layer], _ = read(stored(external("weights.bin"), tmp_path / "net.onnx"))
    assert np.array_equal(layer.weight.dense(), V.T)


@pytest.mark.parametrize("location", ["../w", "sub/w", "./w", "..", ".", "", "sub\\w", "C:w", "w\0", "/ABSOLUTE"])
def test_external_data_elsewhere_is_refused(location: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "sub").mkdir(parents=True)
    for path in (tmp_path / "w", home / "sub" / "w", home / "w"):
        path.write_bytes(V.tobytes())
    message = refusal(external(location.replace("/ABSOLUTE", str(home / "w"))), home)
    assert "node n0 (MatMul), tensor c: expected external data in a file directly beside the model" in message


def test_external_data_behind_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(V.tobytes())
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert "not a link, got link" in refusal(external("link"), tmp_path)


def test_external_data_in_something_that_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert "regular file" in refusal(external("folder"), tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        assert "regular file" in refusal(external("pipe"), tmp_path)
    assert "No such file" in refusal(external("missing"), tmp_path)
    assert len(refusal(external("two\nlines"), tmp_path).splitlines()) == 1


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"offset": "1"}, "up to byte 49, got 48 bytes"),
        ({"offset": "999999999999999999"}, "up to byte"),
        ({"offset": "-8"}, "as offset"),
        ({"offset": "9" * 5000}, "as offset"),
        ({"offset": "٣"}, "as offset"),
        ({"length": "52"}, "48 bytes of external data, got 52"),
        ({"length": "0"}, "48 bytes of external data, got 0"),
        ({"length": "all"}, "as length"),
    ],
)
def test_external_data_outside_its_file_is_refused(entries: dict[str, str], words: str, tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(V.tobytes())
    assert words in refusal(external("w", **entries), tmp_path)


def test_external_data_beside_data_in_the_file_is_refused(tmp_path: Path) -> None:
    model = external("w")
    model.graph.initializer[-1].raw_data = V.tobytes()
    assert "data in one place" in refusal(model, tmp_path)


def test_external_data_that_nothing_uses_is_not_opened(tmp_path: Path) -> None:
    model = external("../../secret")
    model.graph.node[0].CopyFrom(nodes_of("Relu x")[0])
    assert Network.of(*read(stored(model, tmp_path / "net.onnx"))).features == 3


def test_the_onnx_library_agrees_that_the_files_are_models() -> None:
    for path in EXPORTED:
        onnx.checker.check_model(path)
