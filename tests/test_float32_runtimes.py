"""numpy and ONNX Runtime, in many ways: none is farther from the real value than the float32 bound says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from runtimes import NETWORKS, Evaluation, Subject, check, each_alone, subject

from supercheck.exact import Array


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
