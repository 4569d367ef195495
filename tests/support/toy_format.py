"""A network format that nobody has heard of: a tensor a line, its name, its shape and its numbers, all rationals."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from supercheck.base.matrix import Array, Rows, exact_array
from supercheck.network.formats.tensors import Tensors, Used

HOLDS_ALL = True


def read(path: Path, used: Used) -> Tensors:
    """The tensors by name; None for those that are not used."""
    rows = dict(line.split(" ", 1) for line in path.read_text().splitlines() if not line.startswith("#"))
    wanted = used(rows)
    return {name: _tensor(rest) if name in wanted else None for name, rest in rows.items()}


def _tensor(text: str) -> Array:
    shape, *numbers = text.split()
    return exact_array(map(Fraction, numbers)).reshape([int(size) for size in shape.split("x")])


def write(tensors: Mapping[str, Array | Rows], file: Path, made: Mapping[str, str]) -> bytes:
    """A file that `read` reads."""
    lines = [f"# {file.name}: {dict(made)}"]
    for name, tensor in tensors.items():
        dense = tensor.dense() if isinstance(tensor, Rows) else tensor
        shape = "x".join(map(str, dense.shape))
        lines.append(" ".join([name, shape, *(str(Fraction(value)) for value in dense.ravel().tolist())]))
    return "\n".join(lines).encode()
