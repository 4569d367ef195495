"""From named tensors to a stack of layers: what safetensors, NPZ and JSON files have in common."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np

from supercheck.base.errors import FaultError, InputError, clip, spelled
from supercheck.base.matrix import Array, Rows
from supercheck.network.layers import Affine

Tensors = dict[str, Array | Rows | None]
"""Every tensor of a file by name; None where nobody uses it, so that its numbers were not looked at."""
Used = Callable[[Collection[str]], Collection[str]]
"""From the names of all tensors of a file to those whose numbers are wanted."""

MOST_CELLS = 1 << 28  # of all dense tensors of a file
MOST_TENSORS = 1 << 13  # of a file
MOST_WIDTH = 10**7  # of a weight whose zeros are not stored
_MOST_LISTED = 40  # tensors that are not used
_FEW = 4  # different numbers: two weights that hold them are hardly equal by chance

UNSAID = {'activation = "relu"': "ReLU between layers", 'final = "none"': "none at the end"}
"""What is taken where neither file nor spec says what follows a layer, as a spec writes it and in few words."""

_EMBEDDING = re.compile(
    r"embed|(?<![a-z])tied|(?<![a-z])(wte|lm_head)(?![a-z])|(?<![a-z0-9])w_?[eu](?![a-z0-9])", re.IGNORECASE
)
_WEIGHT = (re.compile("weights?|kernel", re.IGNORECASE), re.compile("(?<![A-Za-z])(W|w(?![a-z]))"))
_BIAS = (re.compile("bias(es)?", re.IGNORECASE), re.compile("(?<![A-Za-z])[bB]"))


@dataclass(frozen=True)
class LayerNames:
    """Which tensors make up one layer, where a spec says so.

    Attributes:
        weight: the weight's name.
        bias: the bias's name; None where there is none; False where there is one that is not meant.
        transpose: whether the weight is stored as [inputs, outputs].
        relu: whether a ReLU follows; None where that is for the network's `activation` and `final` to say.
    """

    weight: str
    bias: str | Literal[False] | None = None
    transpose: bool = False
    relu: bool | None = None

    def __post_init__(self) -> None:
        """Refuse what names no tensor, or is neither true nor false."""
        fits = isinstance(self.weight, str) and (self.bias is False or isinstance(self.bias, str | None))
        if not (fits and isinstance(self.transpose, bool) and isinstance(self.relu, bool | None)):
            expected = "names of tensors as text, transpose and relu as True or False"
            raise InputError(place="layers", expected=expected, got=spelled(self, repr))


def check_activation(key: str, value: object) -> None:
    """Refuse what no layer can be followed by.

    Raises:
        InputError: naming the key, `activation` or `final`.
    """
    if value not in (None, "relu", "none"):
        raise InputError(place=f"network.{key}", expected="relu or none", got=value)


def brief(notes: Sequence[str]) -> str | None:
    """What was taken for granted of activations, in few words; None where nothing was."""
    said = [words for line, words in UNSAID.items() if any(note.endswith(_saying(line)) for note in notes)]
    return ", ".join(said) or None


def _saying(line: str) -> str:
    return f" is assumed (say so with {line} in [network])."


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


def floats(values: Array, file: Path) -> Array:
    """The same values as float32, else as float64, for a file that holds no others.

    Raises:
        InputError: if not even these hold them.
    """
    for kind in (np.float32, np.float64):
        with np.errstate(over="ignore"):
            rounded = values.astype(kind)
        if np.isfinite(rounded).all() and all(
            Fraction(a) == Fraction(b) for a, b in zip(rounded.ravel().tolist(), values.ravel().tolist(), strict=True)
        ):
            return rounded
    do = "write it to a .json file, which holds every number"
    raise InputError(file=file, expected="numbers that a float64 holds", got="others", do=do)


def used(path: Path, names: Collection[str], layers: Sequence[LayerNames]) -> set[str]:
    """The tensors that make up the layers; arguments as `stack` takes them."""
    return _named_by(_layers(path, names, layers))


def stack(
    path: Path, tensors: Tensors, layers: Sequence[LayerNames], activation: str | None = None, final: str | None = None
) -> tuple[list[Affine], list[str]]:
    """The layers that the tensors make up, and what was assumed.

    Args:
        path: the file, for errors.
        tensors: exact tensors by name.
        layers: which tensors to use; without it, "0.weight", "0.bias", "2.weight", ... in order of their numbers.
        activation: what follows each layer but the last, "relu" or "none"; None where nobody says it.
        final: the same of the last one.

    Raises:
        InputError: if they make up none, or what nobody says must not be taken for granted.
    """
    check_activation("activation", activation)
    check_activation("final", final)
    named = _layers(path, tensors, layers)
    stored: list[Affine] = []
    for position, layer in enumerate(named):
        weight = _matrix(path, tensors, layer.weight)
        if layer.transpose:
            weight = weight.transposed()
        bias = _bias(path, tensors, layer.bias, weight)
        default = activation != "none" if position < len(named) - 1 else final == "relu"
        relu = default if layer.relu is None else layer.relu
        if stored and stored[-1].weight.height != weight.width:
            raise InputError(
                file=path,
                place=layer.weight,
                expected=f"{stored[-1].weight.height} columns, one for each row of {stored[-1].name}",
                got=f"shape {[weight.height, weight.width]}",
                do="a weight is [outputs, inputs]; `transpose = true` in the spec's layers turns it",
            )
        stored.append(Affine(weight, bias, relu, layer.weight))
    notes = list(_unsaid(named, activation, final))
    if notes:
        _refuse_tied(path, stored, [key for key in ("activation", "final") if any(f"{key} =" in n for n in notes)])
    unused = sorted(set(tensors) - used(path, tensors, layers))
    if unused:
        more = f" and {len(unused) - _MOST_LISTED:,} more" if len(unused) > _MOST_LISTED else ""
        notes.append(f"Tensors not named in layers are not used: {', '.join(map(clip, unused[:_MOST_LISTED]))}{more}.")
    return stored, notes


def _layers(path: Path, names: Collection[str], layers: Sequence[LayerNames]) -> list[LayerNames]:
    """The layers by the names of their tensors.

    Raises:
        InputError: if a tensor would be left out that nobody said is not meant.
    """
    named = list(layers) or _numbered(path, names)
    unused = sorted(set(names) - _named_by(named))
    if unused and not layers:
        raise InputError(
            file=path,
            place=unused[0],
            expected='only tensors named "0.weight", "0.bias", "2.weight", ...',
            got=f"{len(unused)} other tensor{'s' * (len(unused) > 1)}",
            do='name the layers in the spec: [network] layers = [{weight = "...", bias = "..."}, ...]',
        )
    for layer in named:
        left = _biases(layer.weight, unused) if layer.bias is None else []
        if left:
            keys = [f"weight = {_quoted(layer.weight)}", f"bias = {_quoted(left[0])}"]
            keys += ["transpose = true"] * layer.transpose
            keys += [] if layer.relu is None else [f"relu = {str(layer.relu).lower()}"]
            raise InputError(
                file=path,
                place=layer.weight,
                expected="a layer with the bias that stands beside its weight",
                got=f"none: bias {left[0]} is not used",
                do=f"write {{{', '.join(keys)}}}; or bias = false, where it is not meant",
            )
    return named


def _biases(weight: str, names: Sequence[str]) -> list[str]:
    """Those names that a bias of the weight may have: fc1.bias of fc1.weight, b_in of W_in, sum_bias of sum."""
    stems = {f"{weight}_*", f"{weight}.*"} | {stem for sign in _WEIGHT if (stem := _stem(sign, weight))}
    return [name for name in names if any(_stem(sign, name) in stems for sign in _BIAS)]


def _stem(sign: re.Pattern[str], name: str) -> str | None:
    """The name with the last sign in it left open; None where there is none."""
    places = [match.span() for match in sign.finditer(name)]
    return f"{name[: places[-1][0]]}*{name[places[-1][1] :]}" if places else None


def _named_by(layers: Sequence[LayerNames]) -> set[str]:
    return {name for layer in layers for name in (layer.weight, layer.bias) if isinstance(name, str)}


def _quoted(name: str) -> str:
    return clip(json.dumps(name))


def _unsaid(named: Sequence[LayerNames], activation: str | None, final: str | None) -> Iterator[str]:
    """What is taken for granted of what follows the layers, one sentence each."""
    *before, last = named
    open_ = [layer.weight for layer in before if layer.relu is None]
    between, end = map(_saying, UNSAID)
    if activation is None and open_:
        where = "its layers: ReLU after each but the last"
        if len(open_) < len(before):
            where = f"{clip(', '.join(open_))}: ReLU"
        yield f"The file does not say what follows {where}{between}"
    if final is None and last.relu is None:
        yield f"The file does not say what follows its last layer: no ReLU{end}"


def _refuse_tied(path: Path, stored: Sequence[Affine], keys: Sequence[str]) -> None:
    """Refuse to take anything for granted of one weight that is used twice, or of an embedding.

    Source: the best-known such network, relu(W^T W x + b), has no ReLU between its layers, and one after the last.
    """
    named = (layer.name for layer in stored if _EMBEDDING.search(layer.name))
    twice = (b.name for a, b in combinations(stored, 2) if a.name == b.name or _tied(a.weight, b.weight))
    for kind, names in (("an embedding, by its name", named), ("a weight that is used twice", twice)):
        for name in names:
            raise InputError(
                file=path,
                place=name,
                expected=f"{' and '.join(keys)} in [network], since this is {kind}",
                got="none",
                do='relu(W^T W x + b) has activation = "none" and final = "relu"; others have "relu" and "none"',
            )


def _tied(a: Rows, b: Rows) -> bool:
    """Whether two weights hold the same numbers, as they are or turned; of a few numbers that may be chance."""
    if len(a.data) != len(b.data) or len(set(a.data.tolist())) < _FEW:
        return False
    turned = [b.transposed()] if (a.height, a.width) == (b.width, b.height) else []
    same = [b] if (a.height, a.width) == (b.height, b.width) else []
    return any(
        np.array_equal(a.indptr, c.indptr) and np.array_equal(a.indices, c.indices) and np.array_equal(a.data, c.data)
        for c in [*same, *turned]
    )


def linear(path: Path, tensors: Tensors) -> Affine:
    """The one linear layer `weight`, `bias` of an encoder or decoder file."""
    extra = sorted(set(tensors) - {"weight", "bias"})
    if extra or "weight" not in tensors:
        got = f'"{extra[0]}"' if extra else "no weight"
        raise InputError(file=path, expected='one tensor "weight", maybe "bias"', got=got)
    weight = _matrix(path, tensors, "weight")
    return Affine(weight, _bias(path, tensors, "bias" if "bias" in tensors else None, weight), False, "weight")


def _numbered(path: Path, tensors: Collection[str]) -> list[LayerNames]:
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


def _bias(path: Path, tensors: Tensors, name: str | Literal[False] | None, weight: Rows) -> Array:
    if name is None or name is False:
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
    tensor = tensors[name]
    if tensor is None:  # whatever a layer names was read
        raise FaultError(f"tensor {name} was not read, though a layer names it")
    return tensor
