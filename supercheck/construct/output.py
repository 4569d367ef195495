"""Writing a network and the spec that it claims to meet: together or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from supercheck.base.errors import InputError
from supercheck.base.files import written_aside
from supercheck.network.formats.save import check_suffix
from supercheck.network.formats.tensors import LayerNames
from supercheck.network.layers import Affine
from supercheck.spec.spec import Source, Spec
from supercheck.spec.write import spec_text

_STATED = ("file", "encoder", "decoder", "table")


def check_output(file: Path) -> None:
    """Refuse a name whose suffix says no format that networks are written in, or that no file can have.

    Raises:
        InputError: naming the suffixes that do, or the folder that is missing.
    """
    check_suffix(file)
    try:
        folder, taken = file.parent.is_dir(), file.is_dir()
    except OSError as error:  # such as a name that is too long
        raise InputError(file=file, expected="a name that a file can have", got=error.strerror) from error
    if not folder:
        raise InputError(file=file.parent, expected="a folder for what is written", got="no such folder")
    if taken:
        raise InputError(file=file, expected="a name for a file", got="a folder")


def kind_of(file: Path) -> str:
    """Which mark a file bears that is written here, by its suffix."""
    return "spec" if file.suffix == ".toml" else "network"


def write_together(contents: Mapping[Path, bytes], *, force: bool = False) -> None:
    """Write files that belong together: none takes its name before all are written.

    Args:
        contents: networks and specs, by where they go.
        force: whether files that supercheck did not write may be replaced.

    Raises:
        InputError: if one cannot be written.
    """
    with ExitStack() as kept:
        for file, content in contents.items():
            kept.enter_context(written_aside(file, kind_of(file), force=force)).write(content)


def spec_bytes(spec: Spec, layers: Sequence[Affine], names: Mapping[str, str], notes: Iterable[str] = ()) -> bytes:
    """A spec for a network that is written beside it.

    Args:
        spec: what is claimed.
        layers: the network's own, as they were written.
        names: paths that the spec shall state, by key: `file`, maybe `encoder`, `decoder` and, in [outputs], `table`.
        notes: sentences for comments at the top.
    """
    *between, last = [layer.relu for layer in layers]
    mixed = len(set(between)) > 1  # some layers are followed by a ReLU, others are not
    file, encoder, decoder, table = (Path(names[key]) if key in names else None for key in _STATED)
    source = Source(
        file,
        tuple(
            LayerNames(f"{2 * n}.weight", f"{2 * n}.bias", relu=layer.relu) for n, layer in enumerate(layers) if mixed
        ),
        encoder,
        decoder,
        "relu" if all(between) else "none",
        "relu" if last else "none",
    )
    return spec_text(replace(spec, source=source, table=table), notes).encode()
