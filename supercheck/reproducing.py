"""Everything that a report of a wrong verdict needs, in one file: network, spec, version, command, what came out."""

from __future__ import annotations

import os
import platform
import shlex
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from supercheck import __version__
from supercheck.errors import InputError
from supercheck.files import written_aside
from supercheck.spec import read_spec

PACKAGES = ("numba", "numpy", "onnx", "safetensors", "z3-solver")


def pack(file: Path, network: Path | None, spec: Path, command: Sequence[str], outcome: str) -> None:
    """Write a zip archive with which somebody else can repeat a run.

    Args:
        file: the archive.
        network: the network file of the command line, if there was one.
        spec: the spec file.
        command: the words after `supercheck`.
        outcome: the report, or the message of the fault.

    Raises:
        InputError: if the archive cannot be written.
    """
    found = [part.absolute() for part in _parts(network, spec) if part.is_file()]
    root = Path(os.path.commonpath([part.parent for part in found])) if found else Path()
    packages = [f"{name} {_version(name)}" for name in PACKAGES]
    words = [shlex.quote(_below(word, root)) for word in command]
    lines = [
        f"supercheck {__version__}",
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        ", ".join(packages),
        f"supercheck {' '.join(words)}",
        "",
        outcome,
    ]
    with written_aside(file) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("report.txt", "\n".join(lines) + "\n")
        for part in dict.fromkeys(found):
            archive.write(part, part.relative_to(root))


def _below(word: str, root: Path) -> str:
    """A path of the command line as it is called inside the archive."""
    path = Path(word).absolute()
    inside = len(word) < 4096 and os.path.exists(path) and path.is_relative_to(root)
    return str(path.relative_to(root)) if inside else word


def _parts(network: Path | None, spec: Path) -> Iterator[Path]:
    """The files of a question; those that its own files name only as far as they can be read."""
    yield spec
    files = [network] if network is not None else []
    with suppress(InputError):
        read = read_spec(spec)
        named = (read.source.file if network is None else None, read.source.encoder, read.source.decoder, read.table)
        files += [part for part in named if part is not None]
    for part in files:
        yield part
        if part.suffix == ".onnx":
            from supercheck.formats.onnx import external_files

            yield from external_files(part)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"
