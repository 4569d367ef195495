"""The rules of an ONNX file that supercheck reads: one input, one output, known operators, in order.

A trust boundary: whatever passes here names only what exists, computes it once, and forms a chain.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import AttributeProto, ModelProto, TensorProto

from supercheck.base.errors import InputError, clip, unquoted
from supercheck.base.reading import content_of
from supercheck.network.formats.onnx.tensors import FLOATS, MOST_AXES
from supercheck.network.formats.onnx.wire import check

_LARGEST = 1 << 27  # bytes of a model without its external data
_MOST_NODES = 2**16

_OPERATORS: dict[str, tuple[int, int, tuple[str, ...]]] = {
    "Add": (2, 2, ()),
    "Cast": (1, 1, ("to", "saturate", "round_mode")),
    "Constant": (0, 0, ("value", "value_float", "value_floats", "value_int", "value_ints")),
    "Div": (2, 2, ()),
    "Flatten": (1, 1, ("axis",)),
    "Gemm": (2, 3, ("alpha", "beta", "transA", "transB")),
    "Identity": (1, 1, ()),
    "MatMul": (2, 2, ()),
    "Mul": (2, 2, ()),
    "Neg": (1, 1, ()),
    "Relu": (1, 1, ()),
    "Reshape": (1, 2, ("shape", "allowzero")),
    "Squeeze": (1, 2, ("axes",)),
    "Sub": (2, 2, ()),
    "Transpose": (1, 1, ("perm",)),
    "Unsqueeze": (1, 2, ("axes",)),
}
"""Operator -> the least and the largest number of inputs, and its attributes in any version of ONNX."""

_INTS = ("perm", "axes", "shape", "value_ints")
_KINDS = {
    "alpha": "FLOAT",
    "beta": "FLOAT",
    "value_float": "FLOAT",
    "value_floats": "FLOATS",
    "value": "TENSOR",
}
_KINDS |= dict.fromkeys(_INTS, "INTS") | {"round_mode": "STRING"}  # the others are INT


def parse(path: Path) -> Any:
    """The graph of a model file."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
            got = f"{status.st_size:,} bytes or no file"
            do = "save large weights as external data, or as safetensors"
            raise InputError(expected=f"a file of at most {_LARGEST:,} bytes", got=got, do=do)
        if not status.st_size:
            raise InputError(expected="an ONNX model", got="an empty file")
        content = content_of(path, _LARGEST)
        check(content, ModelProto.DESCRIPTOR)
        model = ModelProto.FromString(content)
    except OSError as error:
        raise InputError(expected="a readable file", got=error.strerror or error) from None
    except (DecodeError, UnicodeDecodeError) as error:
        raise InputError(expected="an ONNX model", got=unquoted(error)) from None
    if not model.HasField("graph"):
        raise InputError(expected="an ONNX model", got="no graph in it")
    sparse = model.graph.sparse_initializer
    for what, found in (("functions", model.functions), ("sparse initialisers", sparse)):
        if found:
            raise InputError(expected=f"a graph without {what}", got=len(found), do="inline them when exporting")
    most = max(len(model.graph.node), len(model.graph.initializer))
    if most > _MOST_NODES:
        raise InputError(expected=f"at most {_MOST_NODES} nodes and initialisers", got=most)
    named = [*model.graph.node, *model.graph.initializer, *model.graph.input, *model.graph.output]
    wired = [name for node in model.graph.node for name in (*node.input, *node.output)]
    for name in (*(thing.name for thing in named), *wired):
        if not isinstance(name, str):  # protobuf gives bytes
            raise InputError(expected="names in UTF-8", got=name)
    return model.graph


def chain(graph: Any) -> tuple[Any, list[Any]]:
    """Check the rules of a graph.

    Args:
        graph: the GraphProto.

    Returns:
        The one input, and the nodes that the output depends on, in order; at most one input of each is an activation.

    Raises:
        InputError: where a rule is broken; names the node.
    """
    known = {tensor.name for tensor in graph.initializer}
    if len(known) < len(graph.initializer) or "" in known:
        raise InputError(expected="initialisers with names of their own", got="a missing or repeated name")
    sources = [value for value in graph.input if value.name not in known]
    for what, values in (("input that is not an initialiser", sources), ("output", graph.output)):
        if len(values) != 1:
            names = ", ".join(value.name for value in values[:9])
            raise InputError(expected=f"exactly one {what}", got=f"{len(values)} ({names})")
    known.add(sources[0].name)
    made = {name for node in graph.node for name in node.output}
    for node in graph.node:
        _check_operator(node)
        for name in filter(None, node.input):
            if name not in known:
                got = f"input {name!r} before it is computed" if name in made else f"undefined input {name!r}"
                raise InputError(place=place_of(node), expected="a graph in topological order, without cycles", got=got)
        if node.output[0] in known:
            raise InputError(place=place_of(node), expected="a name of its own", got=f"a second {node.output[0]!r}")
        known.add(node.output[0])
    needed, live = {graph.output[0].name}, []
    for node in reversed(graph.node):
        if node.output[0] in needed:
            needed.update(node.input)
            live.append(node)
    live.reverse()
    active = {sources[0].name}
    for node in live:
        inputs = [name for name in node.input if name in active]
        if len(inputs) > 1:
            got = f"{' and '.join(map(repr, inputs))} (a skip edge or a product)"
            raise InputError(place=place_of(node), expected="one activation and constants", got=got)
        active.update(node.output if inputs else ())
    if graph.output[0].name not in active:
        got = f"constant or undefined {graph.output[0].name!r}"
        raise InputError(place="output", expected="an output that depends on the input", got=got)
    return sources[0], live


def _check_operator(node: Any) -> None:
    if node.domain not in ("", "ai.onnx") or node.op_type not in _OPERATORS:
        got = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
        do = "export a stack of Linear and ReLU layers in eval mode"
        raise InputError(place=place_of(node), expected=f"one of {', '.join(_OPERATORS)}", got=got, do=do)
    least, most, attributes = _OPERATORS[node.op_type]
    if not least <= len(node.input) <= most or not all(node.input[:least]):
        got = sum(map(bool, node.input))
        raise InputError(place=place_of(node), expected=f"{least} to {most} inputs", got=got)
    if len(node.output) != 1 or not node.output[0]:
        raise InputError(place=place_of(node), expected="one named output", got=len(node.output))
    if len({attribute.name for attribute in node.attribute}) < len(node.attribute):
        raise InputError(place=place_of(node), expected="attributes with names of their own", got="one twice")
    for attribute in node.attribute:
        kind = _KINDS.get(attribute.name, "INT")
        if attribute.name not in attributes:
            expected = f"no attribute but {', '.join(attributes)}" if attributes else "no attribute"
            raise InputError(place=place_of(node), expected=expected, got=attribute.name)
        if attribute.type != AttributeProto.AttributeType.Value(kind) or attribute.ref_attr_name:
            raise InputError(place=place_of(node), expected=f"{attribute.name} of type {kind}", got="another type")


def place_of(node: Any) -> str:
    """A node's name and operator, for messages."""
    return f"node {node.name or (node.output[0] if node.output else '')} ({node.op_type})"


def input_shape(value: Any) -> tuple[list[int], list[int | None], str]:
    """Read the declared shape of the input.

    Args:
        value: its ValueInfoProto.

    Returns:
        The shape of one sample where the batch is symbolic, else the whole; which axes may be the batch, from
        the end (None: there is none), the likeliest first; and a note, maybe empty.

    Raises:
        InputError: if the number of features is not known, or they are no floats.
    """
    place, tensor = f"input {value.name}", value.type.tensor_type
    if tensor.elem_type not in FLOATS:
        known = tensor.elem_type in TensorProto.DataType.values()
        got = TensorProto.DataType.Name(tensor.elem_type) if known else tensor.elem_type
        raise InputError(place=place, expected=f"a tensor of type {', '.join(FLOATS.values())}", got=got)
    sizes = [dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim]
    written = f"[{', '.join(str(dim.dim_value or dim.dim_param or '?') for dim in tensor.shape.dim)}]"
    known_sizes = [size for size in sizes if size is not None]
    if not known_sizes or min(known_sizes) < 1 or len(sizes) > MOST_AXES:
        raise InputError(place=place, expected="a shape with a known number of features", got=written)
    shape = [1 if size is None else size for size in sizes]
    if None in sizes:
        return shape, [None], clip(f"Input {value.name!r} {written} is read as one sample, {shape}.")
    batches: list[int | None] = [None]
    if len(shape) > 1 and shape[0] > 1:
        batches = [-len(shape), *([-1] if shape[-1] > 1 else []), None]
    return shape, batches, ""
