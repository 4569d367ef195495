"""numpy and ONNX Runtime, in many ways: none is farther from the real value than the float32 bound says."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from models import model_of, stored
from onnx import TensorProto, helper, numpy_helper
from oracle import inputs
from runtimes import NETWORKS, Evaluation, Subject, check, each_alone, subject

from supercheck.base.matrix import Array
from supercheck.decide.float32.error_bounds import at_inputs
from supercheck.decide.float32.layers import StoredLayers, UncoveredError
from supercheck.network.formats.load import load


def in_numpy(of: Subject) -> Iterator[tuple[str, Evaluation]]:
    """Products and sums as numpy orders them."""

    def chain(product: Any) -> Evaluation:
        def evaluate(x: Array) -> Array:
            for weight, bias, relu in of.layers:
                z = product(x, weight, bias)
                assert z.dtype == np.float32
                x = np.maximum(z, 0) if relu else z
            return x

        return evaluate

    def terms(x: Array, weight: Array, bias: Array) -> Array:
        return np.concatenate([x[:, None] * weight, np.broadcast_to(bias[:, None], (len(x), *bias.shape, 1))], axis=2)

    def in_order(order: Any) -> Any:
        def product(x: Array, weight: Array, bias: Array) -> Array:
            parts = terms(x, weight, bias)
            return np.add.accumulate(np.take_along_axis(parts, order(parts), axis=2), axis=2)[..., -1]

        return product

    yield "matmul", chain(lambda x, w, b: x @ w.T + b)
    yield "matmul, one at a time", each_alone(chain(lambda x, w, b: x @ w.T + b))
    yield "transposed", chain(lambda x, w, b: (np.ascontiguousarray(w) @ np.ascontiguousarray(x.T)).T + b)
    yield "einsum", chain(lambda x, w, b: np.einsum("ij,kj->ik", x, w) + b)
    yield "pairwise", chain(lambda x, w, b: terms(x, w, b).sum(axis=2))
    yield "in double", chain(lambda x, w, b: np.float32(x.astype(float) @ w.T.astype(float) + b))
    yield "bias first", chain(in_order(lambda p: np.broadcast_to(np.roll(np.arange(p.shape[2]), 1), p.shape)))
    yield "backwards", chain(in_order(lambda p: np.broadcast_to(np.arange(p.shape[2])[::-1], p.shape)))
    yield "ascending", chain(in_order(lambda p: np.argsort(p, axis=2)))
    yield "descending", chain(in_order(lambda p: np.argsort(-p, axis=2)))
    yield "by size", chain(in_order(lambda p: np.argsort(np.abs(p), axis=2)))
    for seed in range(4):
        rng = np.random.default_rng(seed)
        yield f"shuffled {seed}", chain(in_order(lambda p, rng=rng: rng.permuted(np.indices(p.shape)[2], axis=2)))


def model(of: Subject, kind: str, folder: Path) -> Path:
    """The same network as Gemm, as Gemm with transposed weights, or as MatMul and Add."""
    nodes, stored, last = [], [], "x"
    for number, (weight, bias, relu) in enumerate(of.layers):
        w, b, z = f"w{number}", f"b{number}", f"z{number}"
        stored += [numpy_helper.from_array(weight if kind == "transB" else np.ascontiguousarray(weight.T), w)]
        stored += [numpy_helper.from_array(bias, b)]
        if kind == "MatMul":
            nodes += [helper.make_node("MatMul", [last, w], [f"p{number}"])]
            nodes += [helper.make_node("Add", [f"p{number}", b], [z])]
        else:
            nodes += [helper.make_node("Gemm", [last, w, b], [z], transB=int(kind == "transB"))]
        last = z
        if relu:
            nodes += [helper.make_node("Relu", [z], [f"h{number}"])]
            last = f"h{number}"
    shapes = of.x.shape[1], len(of.layers[-1][1])
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size])
        for name, size in zip(("x", last), shapes, strict=True)
    ]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], stored)
    file = folder / f"{kind}.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), file)
    return file


def in_onnx_runtime(of: Subject, folder: Path) -> Iterator[tuple[str, Evaluation]]:
    """One, two or four threads, with and without fused operators."""
    levels = onnxruntime.GraphOptimizationLevel
    for kind in ("Gemm", "transB", "MatMul"):
        file = model(of, kind, folder)
        for threads in (1, 2, 4):
            for level in (levels.ORT_DISABLE_ALL, levels.ORT_ENABLE_ALL):
                options = onnxruntime.SessionOptions()
                options.intra_op_num_threads, options.graph_optimization_level = threads, level
                session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
                name = f"{kind}, {threads} threads, {level}"

                def evaluate(x: Array, session: Any = session) -> Any:
                    return session.run(None, {"x": x})[0]

                yield name, evaluate
                yield f"{name}, one at a time", each_alone(evaluate)


@pytest.mark.parametrize("scale", [1.0, 30.0])
@pytest.mark.parametrize("name", NETWORKS)
def test_numpy_keeps_to_the_bound(name: str, scale: float) -> None:
    of = subject(name, scale)
    check(of, in_numpy(of))


@pytest.mark.parametrize("scale", [1.0, 30.0])
@pytest.mark.parametrize("name", NETWORKS)
def test_onnx_runtime_keeps_to_the_bound(name: str, scale: float, tmp_path: Path) -> None:
    of = subject(name, scale)
    check(of, [*in_onnx_runtime(of, tmp_path), *in_numpy(of)])


def test_arithmetic_that_is_not_covered_errs_by_far_more() -> None:
    of = subject("trained_and8.onnx", 1.0)
    x = of.x
    for weight, bias, relu in of.layers:  # every number cut to the 8 digits of bfloat16
        z = x @ (weight.view(np.uint32) & 0xFFFF0000).view(np.float32).T + bias
        x = np.maximum(z, 0) if relu else z
    with pytest.raises(AssertionError, match="above E"):
        of.worst(x)


UNCOVERED = {
    "alpha": ("Gemm x V B alpha=2.0", [1, 3]),
    "beta": ("Gemm x V B beta=0.5", [1, 3]),
    "two numbers added": ("MatMul x V; Add . B; Add . B", [1, 3]),
    "a sum before the product": ("Add x c; MatMul . V", [1, 3]),
    "a factor": ("MatMul x V; Mul . B", [1, 3]),
    "a factor before the product": ("Mul x c; MatMul . V", [1, 3]),
    "a divisor": ("MatMul x V; Div . f", [1, 3]),
    "a cast": ("MatMul x V; Relu .; Cast . to=10; Cast . to=1; MatMul . W", [1, 3]),
    "a cast of the result": ("MatMul x V; Relu .; Cast . to=10", [1, 3]),
}
COVERED = {
    "Gemm": ("Gemm x V B; Relu .; Gemm . W", [1, 3]),
    "Gemm transposed": ("Gemm x W transB=1; Relu .; Gemm . V transB=1", [1, 3]),
    "MatMul, Add": ("MatMul x V; Add B .; Relu .; MatMul . W", [1, 3]),
    "Sub": ("MatMul x V; Sub . B; Relu .", [1, 3]),
    "Sub from": ("MatMul x V; Sub B .; Relu .; Gemm . W", [1, 3]),
    "Neg": ("MatMul x V; Neg .; Add . B; Relu .; Neg .; MatMul . W", [1, 3]),
    "two linear layers": ("Gemm x V B; Gemm . W c", [1, 3]),
    "a layer of additions": ("Add x c; Relu .; MatMul . V; Relu .; Add . B", [1, 3]),
    "transposed": ("Transpose x; MatMul W .; Relu .; Transpose .; Add . B", [1, 3]),
}
EXTRA = {"c": np.array([0.1, -0.7, 1 / 3], np.float32), "f": np.float32(3)}


@pytest.mark.parametrize("name", UNCOVERED)
def test_a_graph_that_rounds_elsewhere_is_not_covered(name: str, tmp_path: Path) -> None:
    file = stored(model_of(*UNCOVERED[name], EXTRA), tmp_path / "net.onnx")
    with pytest.raises(UncoveredError, match="not one sum of products and a bias"):
        StoredLayers.of(load(file))


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.DOUBLE])
def test_a_graph_in_another_type_is_not_covered(kind: int, tmp_path: Path) -> None:
    file = stored(model_of("MatMul x V; Relu .; MatMul . W", [1, 3], {}, kind), tmp_path / "net.onnx")
    with pytest.raises(UncoveredError, match="not one sum of products and a bias"):
        StoredLayers.of(load(file))


@pytest.mark.parametrize("name", COVERED)
def test_a_graph_that_is_covered_keeps_to_the_bound_in_onnx_runtime(name: str, tmp_path: Path) -> None:
    made = model_of(*COVERED[name], EXTRA)
    made.ir_version = 9
    del made.opset_import[:]
    made.opset_import.append(helper.make_opsetid("", 20))
    network = load(stored(made, tmp_path / "net.onnx"))
    chain = StoredLayers.of(network)
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx", providers=["CPUExecutionProvider"])
    for active in inputs(3, 3):
        x = np.isin(np.arange(3), active)
        y = session.run(None, {"x": np.float32(x)[None]})[0].ravel().tolist()  # type: ignore[index]
        for i, (value, real) in enumerate(zip(y, network.run(x.astype(int).tolist()), strict=True)):
            [bound] = at_inputs(chain.part(i), [active])
            assert bound is not None
            assert abs(Fraction(value) - real) <= bound
