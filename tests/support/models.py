"""ONNX models, made of a few words."""

from __future__ import annotations

from ast import literal_eval
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper


def numbers(*shape: int, dtype: str = "float32", seed: int = 0) -> Any:
    """Numbers without a short binary expansion."""
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


W, V, B = numbers(4, 3), numbers(3, 4, seed=1), numbers(4, seed=2)


def nodes_of(text: str) -> list[Any]:
    """Nodes from "Gemm x W B alpha=0.5; name = Relu ." where "." is the output before and "_" is no input."""
    nodes: list[Any] = []
    for count, step in enumerate(text.split("; ")):
        output, _, call = step.rpartition(" = ")
        operator, *words = call.split()
        before = nodes[-1].output[0] if nodes else ""
        inputs = [{".": before, "_": ""}.get(word, word) for word in words if "=" not in word]
        options = dict(word.split("=") for word in words if "=" in word)
        attributes = {key: literal_eval(value) for key, value in options.items()}
        nodes.append(helper.make_node(operator, inputs, [output or f"v{count}"], f"n{count}", **attributes))
    return nodes


def model_of(text: str, shape: Any, constants: dict[str, Any] | None = None, kind: int = TensorProto.FLOAT) -> Any:
    """A model from x of some shape to the last node's output; W [4, 3], V [3, 4] and B [4] are always there."""
    nodes = nodes_of(text)
    tensors = [
        value if isinstance(value, TensorProto) else numpy_helper.from_array(np.asarray(value), name)
        for name, value in ({"W": W, "V": V, "B": B} | (constants or {})).items()
    ]
    x = helper.make_tensor_value_info("x", kind, shape)
    y = helper.make_tensor_value_info(nodes[-1].output[0], kind, None)
    return helper.make_model(helper.make_graph(nodes, "g", [x], [y], tensors))


def stored(model: Any, path: Path) -> Path:
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    return path
