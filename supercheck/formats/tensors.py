"""From named tensors to a stack of layers: what safetensors, NPZ and JSON files have in common."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from supercheck.errors import InputError, spelled
from supercheck.exact import Array, Rows
from supercheck.network import Affine

Tensors = dict[str, Array | Rows]

MOST_CELLS = 1 << 28  # of all dense tensors of a file
MOST_TENSORS = 1 << 13  # of a file
MOST_WIDTH = 10**7  # of a weight whose zeros are not stored


@dataclass(frozen=True)
class LayerNames:
    """Which tensors make up one layer, where a spec says so.

    Attributes:
        weight: the weight's name.
        bias: the bias's name, or None for zeros.
        transpose: whether the weight is stored as [inputs, outputs].
        relu: whether a ReLU follows; None means after each layer but the last.
    """

    weight: str
    bias: str | None = None
    transpose: bool = False
    relu: bool | None = None

    def __post_init__(self) -> None:
        """Refuse what names no tensor, or is neither true nor false."""
        fits = isinstance(self.weight, str) and isinstance(self.bias, str | None)
        if not (fits and isinstance(self.transpose, bool) and isinstance(self.relu, bool | None)):
            expected = "names of tensors as text, transpose and relu as True or False"
            raise InputError(place="layers", expected=expected, got=spelled(self, repr))


def exact(values: Array, name: str) -> Array:
    """The numbers of a stored numpy array as an exact array.

    Raises:
        InputError: for NaN, infinity, or anything that is not a real number.
    """
    if values.dtype.kind == "f" and values.dtype.itemsize <= 8:
        with np.errstate(invalid="ignore"):  # a signalling NaN; refused in a moment
            wide = values.astype(np.float64, copy=False)  # every float16, float32 and float64 is a float64
        finite = np.isfinite(wide)
        if not finite.all():
            where = tuple(int(i) for i in np.argwhere(~finite)[0])
            raise InputError(place=f"{name}{list(where)}", expected="a finite number", got=wide[where])
        return wide
    if values.dtype.kind in "iub":
        if values.dtype.kind == "u" and values.size and int(values.max()) >= 2**63:
            return values.astype(object)
        return values.astype(np.int64, copy=False)
    raise InputError(place=name, expected="floats of at most 64 bits, or integers", got=f"dtype {values.dtype}")


def stack(path: Path, tensors: Tensors, layers: Sequence[LayerNames]) -> tuple[list[Affine], list[str]]:
    """The layers that the tensors make up, and what was assumed.

    Args:
        path: the file, for errors.
        tensors: exact tensors by name.
        layers: which tensors to use; without it, "0.weight", "0.bias", "2.weight", ... in order of their numbers.
    """
    named = list(layers) or _numbered(path, tensors)
    used = {name for layer in named for name in (layer.weight, layer.bias) if name}
    unused = sorted(set(tensors) - used)
    if unused and not layers:
        raise InputError(
            file=path,
            place=unused[0],
            expected='only tensors named "0.weight", "0.bias", "2.weight", ...',
            got=f"{len(unused)} other tensor{'s' * (len(unused) > 1)}",
            do='name the layers in the spec: [network] layers = [{weight = "...", bias = "..."}, ...]',
        )
    notes = [f"Tensors not named in layers are not used: {', '.join(unused)}."] if unused else []
    stored: list[Affine] = []
    for position, layer in enumerate(named):
        weight = _matrix(path, tensors, layer.weight)
        if layer.transpose:
            weight = weight.transposed()
        bias = _bias(path, tensors, layer.bias, weight)
        relu = position < len(named) - 1 if layer.relu is None else layer.relu
        if stored and stored[-1].weight.height != weight.width:
            raise InputError(
                file=path,
                place=layer.weight,
                expected=f"{stored[-1].weight.height} columns, one for each row of {stored[-1].name}",
                got=f"shape {[weight.height, weight.width]}",
                do="a weight is [outputs, inputs]; `transpose = true` in the spec's layers turns it",
            )
        stored.append(Affine(weight, bias, relu, layer.weight))
    return stored, notes


def linear(path: Path, tensors: Tensors) -> Affine:
    """The one linear layer `weight`, `bias` of an encoder or decoder file."""
    extra = sorted(set(tensors) - {"weight", "bias"})
    if extra or "weight" not in tensors:
        got = f'"{extra[0]}"' if extra else "no weight"
        raise InputError(file=path, expected='one tensor "weight", maybe "bias"', got=got)
    weight = _matrix(path, tensors, "weight")
    return Affine(weight, _bias(path, tensors, "bias" if "bias" in tensors else None, weight), False, "weight")


def _numbered(path: Path, tensors: Tensors) -> list[LayerNames]:
    matches = [re.fullmatch(r"([0-9]{1,9})\.(weight|bias)", name) for name in tensors]
    numbers = sorted({int(match[1]) for match in matches if match})
    if not numbers:
        raise InputError(
            file=path,
            expected='tensors named "0.weight", "0.bias", "2.weight", ...',
            got=", ".join(sorted(tensors)) or "no tensors",
            do='name the layers in the spec: [network] layers = [{weight = "..."}, ...]',
        )
    return [LayerNames(f"{n}.weight", f"{n}.bias" if f"{n}.bias" in tensors else None) for n in numbers]


def _matrix(path: Path, tensors: Tensors, name: str) -> Rows:
    tensor = _named(path, tensors, name)
    if isinstance(tensor, Rows):
        return tensor
    if tensor.ndim != 2 or 0 in tensor.shape:
        raise InputError(
            file=path, place=name, expected="a weight [outputs, inputs]", got=f"shape {list(tensor.shape)}"
        )
    return Rows.from_dense(tensor)


def _bias(path: Path, tensors: Tensors, name: str | None, weight: Rows) -> Array:
    if name is None:
        return np.zeros(weight.height, dtype=np.int64)
    bias = _named(path, tensors, name)
    shape = [bias.height, bias.width] if isinstance(bias, Rows) else list(bias.shape)
    if isinstance(bias, Rows) or shape != [weight.height]:
        raise InputError(
            file=path, place=name, expected=f"shape [{weight.height}], one bias a row", got=f"shape {shape}"
        )
    return bias


def _named(path: Path, tensors: Tensors, name: str) -> Array | Rows:
    if name not in tensors:
        known = ", ".join(sorted(tensors))
        raise InputError(file=path, place=name, expected=f"a tensor of this name, one of {known[:120]}", got="none")
    return tensors[name]
