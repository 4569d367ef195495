"""From exact layers to the bytes of a network file, so that `load` gives the same numbers back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from supercheck.base.errors import InputError
from supercheck.base.matrix import Array, Rows
from supercheck.network.formats.table import FORMATS, format_of
from supercheck.network.layers import Affine

Made = Mapping[str, int | str]
"""What a network was made from, in words."""


def network_bytes(layers: Sequence[Affine], file: Path, made: Made) -> bytes:
    """Layers as `0.weight`, `0.bias`, `2.weight`, ... in the format that the file's suffix says.

    Args:
        layers: first to last.
        file: the name that it gets, for its suffix and for errors.
        made: where the network comes from; it goes into the file, and is the mark by which supercheck knows what it
            wrote itself.

    Raises:
        InputError: for numbers that the format cannot hold.
    """
    tensors: dict[str, Array | Rows] = {}
    for number, layer in enumerate(layers):
        tensors[f"{2 * number}.weight"] = layer.weight
        tensors[f"{2 * number}.bias"] = layer.bias
    return _bytes(tensors, file, made)


def code_bytes(code: Affine, file: Path, made: Made) -> bytes:
    """A fixed encoder or decoder as `weight` and, unless it is zero, `bias`.

    Raises:
        InputError: as `network_bytes`.
    """
    tensors: dict[str, Array | Rows] = {"weight": code.weight}
    if code.bias.any():
        tensors["bias"] = code.bias
    return _bytes(tensors, file, made)


def check_suffix(file: Path) -> None:
    """Refuse a name whose suffix says no format that networks are written in.

    Raises:
        InputError: naming the suffixes that do.
    """
    if not _writes(file.suffix):
        expected = f"a name that ends in {', '.join(filter(_writes, FORMATS))}"
        raise InputError(file=file, expected=expected, got=file.suffix or "no suffix")


def holds_all(file: Path) -> bool:
    """Whether the format of a file holds every rational number."""
    return getattr(format_of(file), "HOLDS_ALL", False)


def _writes(suffix: str) -> bool:
    return suffix in FORMATS and hasattr(format_of(Path(f"net{suffix}")), "write")


def _bytes(tensors: Mapping[str, Array | Rows], file: Path, made: Made) -> bytes:
    content: bytes = format_of(file).write(tensors, file, {key: str(value) for key, value in made.items()})
    return content
