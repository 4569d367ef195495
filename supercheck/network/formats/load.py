"""From a network file to exact layers, by the table of formats; a pickle is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from supercheck.base.errors import InputError, printable
from supercheck.network.formats.table import FORMATS, format_of
from supercheck.network.formats.tensors import LayerNames, Tensors, Used, linear, stack, used
from supercheck.network.layers import Affine
from supercheck.network.network import Network

LARGEST = 4 << 30  # bytes of a network file

PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".joblib", ".npy")
RECIPE = """\
import torch; from safetensors.torch import save_file
state = torch.load("{name}", weights_only=True)  # only if you trust where it came from
save_file({{key: value.contiguous() for key, value in state.items()}}, "{stem}.safetensors")"""

Result = TypeVar("Result")
Read = tuple[Sequence[Affine], Sequence[str]]


def load(
    path: str | Path, layers: Sequence[LayerNames] = (), activation: str | None = None, final: str | None = None
) -> Network:
    """Read a saved network and bring it into normal form.

    Args:
        path: an ONNX, safetensors, NPZ or JSON file.
        layers: which tensors are the layers, where the file does not name them "0.weight", "0.bias", ...
        activation: "relu" or "none" after each layer but the last, which safetensors, NPZ and JSON do not say; None:
            ReLU, and the network's notes say that it was assumed.
        final: the same of the last layer; None: none.

    Raises:
        InputError: if the file is not such a network, or its weights are tied and nobody says what follows them.
    """
    path = Path(path)
    content = _read(path, lambda names: used(path, names, layers))
    stored: Sequence[Affine]
    notes: Sequence[str]
    if isinstance(content, dict):
        stored, notes = stack(path, content, layers, activation, final)
    elif activation is not None or final is not None:
        key, value = ("activation", activation) if activation is not None else ("final", final)
        do = "the file says it itself; leave the key out"
        raise InputError(
            file=path, place=f"network.{key}", expected=f"no {key} for such a file", got=f'"{value}"', do=do
        )
    elif layers:
        raise InputError(
            file=path, place="network.layers", expected="no layers for a format that connects them itself", got="layers"
        )
    else:
        stored, notes = content
    return _within(path, lambda: Network.of(stored, notes))


def load_linear(path: str | Path) -> Affine:
    """Read a fixed linear code: one tensor `weight` [outputs, inputs], maybe `bias`, or an ONNX file without ReLU."""
    path = Path(path)
    content = _read(path, lambda names: {"weight", "bias"}.intersection(names))
    if isinstance(content, dict):
        return linear(path, content)
    network = _within(path, lambda: Network.of(*content))
    if network.hidden:
        raise InputError(file=path, expected="a linear code without ReLU", got=f"{len(network.hidden)} ReLU layers")
    [*others, last] = network.stored
    return last if not others else replace(network.affine()[0], plain=False)


def _read(path: Path, used: Used) -> Tensors | Read:
    suffix = path.suffix.lower()
    if suffix in PICKLES:
        recipe = RECIPE.format(name=printable(path.name), stem=printable(path.stem))
        raise InputError(
            file=path,
            expected="a format that cannot run code",
            got=f"a {suffix} file (a pickle)",
            do="convert it to safetensors:",
            recipe=recipe,
        )
    if suffix not in FORMATS:
        raise InputError(file=path, expected=f"a file ending in {', '.join(FORMATS)}", got=suffix or "no suffix")
    size = _within(path, lambda: _size(path))
    if not 0 < size <= LARGEST:
        raise InputError(file=path, expected=f"1 to {LARGEST:,} bytes", got=f"{size:,}")
    content: Tensors | Read = _within(path, lambda: format_of(path).read(path, used))
    return content


def _size(path: Path) -> int:
    if not path.is_file():
        raise InputError(expected="a network file", got="something else" if path.exists() else "no such file")
    return path.stat().st_size


def _within(path: Path, action: Callable[[], Result]) -> Result:
    """Run `action` so that its errors name the file."""
    try:
        return action()
    except OSError as error:
        raise InputError(file=path, expected="a readable file", got=error.strerror or error) from error
    except InputError as error:
        raise error.at(path) from error
    except MemoryError as error:
        raise InputError(file=path, expected="a network that fits into memory", got="a larger one") from error
