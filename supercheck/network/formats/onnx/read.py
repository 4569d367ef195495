"""ONNX: a graph that is a stack of linear layers and ReLUs, as torch's exporters write it, read exactly.

Activations count as real numbers, constants as the numbers stored. `onnx` only parses the file: tensors are
decoded, and external data is opened, by us.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from supercheck.base.errors import InputError, clip, present
from supercheck.network.formats.onnx.activation import Activation, MixedError
from supercheck.network.formats.onnx.graph import chain, input_shape, parse, place_of
from supercheck.network.formats.onnx.tensors import FLOATS, Constant, Work, decode, reshaped, transposed
from supercheck.network.layers import Affine

_SHAPING = ("Identity", "Cast", "Flatten", "Reshape", "Squeeze", "Transpose", "Unsqueeze", "Constant", "Neg")


def read(path: Path, _: object = None) -> tuple[list[Affine], tuple[str, ...]]:
    """Read an ONNX file that is a stack of linear layers and ReLUs.

    Args:
        path: the file; its external data lies in the same folder.

    Returns:
        The stored layers, first to last, and one sentence for each assumption.

    Raises:
        InputError: if it is anything else; names file, node and operator.
    """
    try:
        graph = parse(path)
        source, nodes = chain(graph)
        return _Walk(path.parent, graph, nodes).layers(source)
    except InputError as error:
        raise error.at(path) from None


def beside(path: Path) -> list[Path]:
    """The files beside an ONNX file that hold its data; none where it cannot be read."""
    try:
        graph = parse(path)
    except (InputError, OSError):
        return []
    literals = [attribute.t for node in graph.node for attribute in node.attribute if attribute.HasField("t")]
    tensors = [*graph.initializer, *literals]
    named = {str(entry.value) for tensor in tensors for entry in tensor.external_data if entry.key == "location"}
    found = [path.parent / name for name in sorted(named) if Path(name).name == name]
    return [file for file in found if file.is_file() and not file.is_symlink()]


class _Walk:
    """One pass through the nodes, for every reading of the input's shape until one treats all samples alike."""

    def __init__(self, folder: Path, graph: Any, nodes: list[Any]) -> None:
        self._folder, self._nodes, self._work = folder, nodes, Work()
        self._stored = {tensor.name: tensor for tensor in graph.initializer}
        self._constants: dict[str, Constant] = {}
        self._notes: list[str] = []

    def layers(self, source: Any) -> tuple[list[Affine], tuple[str, ...]]:
        """The exact layers from the graph's input on, and the notes."""
        shape, batches, about = input_shape(source)
        for batch in batches:
            self._notes = [about] if about else []
            if batch is not None:
                rest = "x".join(str(n) for axis, n in enumerate(shape) if axis != batch + len(shape))
                self._note(f"Input {source.name!r} {shape} is read as {shape[batch]} samples of {rest} features.")
            elif math.prod(shape) > max(shape):
                self._note(f"Input {source.name!r} {shape} is read as {math.prod(shape)} features, row by row.")
            try:
                return self._pass(shape, batch, source), tuple(self._notes)
            except MixedError:
                continue
        raise InputError(expected="independent samples", got="a mixed batch")

    def _pass(self, shape: list[int], batch: int | None, source: Any) -> list[Affine]:
        activation, active = Activation(shape, batch, self._work), {source.name}
        if source.type.tensor_type.elem_type != TensorProto.FLOAT:
            activation.cast()
        for node in self._nodes:
            try:
                attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
                if active.isdisjoint(node.input):
                    self._constants[node.output[0]] = self._fold(node, attributes)
                    continue
                active.add(node.output[0])
                activation.label = node.name or node.output[0]
                inputs = [None if name in active or not name else self._constant(name) for name in node.input]
                self._apply(node, attributes, inputs, activation)
            except MixedError:
                raise
            except InputError as error:
                raise error.at(None, place=place_of(node)) from None
        return activation.finish()

    def _note(self, text: str) -> None:
        self._notes.append(clip(text))

    def _constant(self, name: str) -> Constant:
        if name not in self._constants:
            self._constants[name] = decode(self._stored[name], self._folder, self._work)
        return self._constants[name]

    def _fold(self, node: Any, attributes: dict[str, Any]) -> Constant:
        """A node without activations: a constant, or one in another shape or type."""
        if node.op_type not in _SHAPING:
            do = "let the exporter fold constants"
            raise InputError(expected="an activation among the inputs", got="constants alone", do=do)
        if node.op_type == "Constant":
            return self._literal(node, attributes)
        constant, *rest = [self._constant(name) for name in node.input if name]
        match node.op_type:
            case "Cast":
                self._work.spend(constant.raw.size)
                return constant.cast(_float(attributes))
            case "Transpose":
                return Constant(constant.raw.transpose(transposed(attributes, constant.raw.ndim)), constant.name)
            case "Neg" if constant.raw.dtype.kind in "iu":
                raise InputError(expected="floats", got="integers, which wrap around")
            case "Neg":
                self._work.spend(constant.raw.size)
                return Constant(-constant.raw, constant.name)
            case "Identity":
                return constant
        shape = reshaped(node.op_type, attributes, rest, constant.raw.shape)
        return Constant(constant.raw.reshape(shape), constant.name)

    def _literal(self, node: Any, attributes: dict[str, Any]) -> Constant:
        if len(attributes) != 1:
            raise InputError(expected="one value", got=f"{len(attributes)} of them")
        (kind, value), name = attributes.popitem(), node.output[0]
        if kind == "value":
            return Constant(decode(value, self._folder, self._work).raw, name)
        self._work.spend(np.size(value))
        return Constant(np.array(value, dtype=np.float32 if "float" in kind else np.int64), name)

    def _apply(self, node: Any, attributes: dict[str, Any], inputs: list[Constant | None], x: Activation) -> None:
        """Let the activation run through a node; it is the input that is None."""
        others = [constant for constant in inputs if constant is not None]
        match node.op_type:
            case "Gemm":
                _gemm(attributes, inputs, x)
            case "MatMul":
                x.matmul(others[0].exact, others[0].name, left=inputs[0] is not None)
            case "Add":
                x.add(others[0].exact)
            case "Sub":
                if inputs[0] is None:
                    x.add(others[0].exact, -1.0)
                else:
                    x.multiply(np.array(-1.0))
                    x.add(others[0].exact)
            case "Mul":
                x.multiply(others[0].exact)
            case "Div":
                if inputs[0] is not None:
                    raise InputError(expected="a constant as divisor", got="an activation")
                x.divide(others[0].exact, others[0].name)
            case "Neg":
                x.multiply(np.array(-1.0))
            case "Relu":
                x.relu()
            case "Transpose":
                x.transpose(transposed(attributes, x.index.ndim))
            case "Cast":
                kind = FLOATS[_float(attributes)]
                if _float(attributes) != TensorProto.FLOAT:
                    x.cast()
                self._note(f"The cast of an activation to {kind} in {place_of(node)} is taken as exact.")
            case "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze":
                if inputs[0] is not None:
                    raise InputError(expected="constants as shape and axes", got="an activation")
                x.reshape(reshaped(node.op_type, attributes, others, x.shape))


def _gemm(attributes: dict[str, Any], inputs: list[Constant | None], x: Activation) -> None:
    """Apply alpha A' B' + beta C."""
    (a, b), c = inputs[:2], inputs[2] if len(inputs) > 2 else None
    if (a is None) == (b is None):
        raise InputError(expected="an activation as A or B", got="one as C")
    matrix = present(a or b, "matrix")
    if x.index.ndim != 2 or matrix.raw.ndim != 2:
        got = f"shapes {list(x.shape)} and {list(matrix.raw.shape)}"
        raise InputError(expected="matrices of two dimensions", got=got)
    turned = [bool(attributes.get(name, 0)) for name in ("transA", "transB")]
    if turned[a is not None]:
        x.transpose([1, 0])
    values = matrix.exact.T if turned[a is None] else matrix.exact
    x.matmul(values, matrix.name, left=a is not None)
    alpha, beta = (_finite(attributes, name) for name in ("alpha", "beta"))
    if alpha != 1:
        x.multiply(np.array(alpha))
    if c is not None:
        shape = x.shape
        x.add(c.exact, beta)
        if x.shape != shape:
            raise InputError(expected=f"C that broadcasts to {list(shape)}", got=list(c.raw.shape))


def _finite(attributes: dict[str, Any], name: str) -> float:
    value = float(attributes.get(name, 1.0))
    if not math.isfinite(value):
        raise InputError(place=name, expected="a finite number", got=value)
    return value


def _float(attributes: dict[str, Any]) -> int:
    """The float type that a Cast names."""
    code = int(attributes.get("to", TensorProto.UNDEFINED))
    if code not in FLOATS:
        got = TensorProto.DataType.Name(code) if code in TensorProto.DataType.values() else code
        raise InputError(expected=f"a cast to {', '.join(FLOATS.values())}", got=got)
    return code
