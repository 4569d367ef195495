"""Everything that a report of a wrong verdict needs, in one file: network, spec, version, command, what came out."""

from __future__ import annotations

import os
import platform
import shlex
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO

from supercheck.base.errors import InputError
from supercheck.base.files import written_aside
from supercheck.base.version import __version__
from supercheck.network.formats.load import READERS
from supercheck.spec.read import read_spec
from supercheck.spec.spec import Spec

PACKAGES = ("numpy", "onnx", "safetensors", "z3-solver")


def pack(
    file: Path, network: Path | None, spec: Path, command: Sequence[str], outcome: str, *, force: bool = False
) -> None:
    """Write a zip archive with which somebody else can repeat a run.

    Args:
        file: the archive.
        network: the network file of the command line, if there was one.
        spec: the spec file.
        command: the words after `supercheck`.
        outcome: the report, or the message of the fault.
        force: whether a file that supercheck did not write may be replaced.

    Raises:
        InputError: if the archive cannot be written.
    """
    listed = [part for part in parts(network, spec) if part.is_file()]
    found = [_absolute(part) for part in listed]
    root = Path(os.path.commonpath([part.parent for part in found])) if found else Path()
    elsewhere = [part for part in listed if part != network and not part.is_relative_to(spec.parent)]
    packages = [f"{name} {_version(name)}" for name in PACKAGES]
    inside = {part: str(part.relative_to(root)) for part in found}
    words = [shlex.quote(_below(word, inside)) for word in command]
    lines = [
        f"supercheck {__version__}",
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        ", ".join(packages),
        f"supercheck {' '.join(words)}",
        *(f"The spec names {part}: write {inside[_absolute(part)]} in its place." for part in elsewhere),
        "",
        outcome,
    ]
    with written_aside(file, "reproducer", force=force) as stream, _archive(stream) as archive:
        archive.comment = f"supercheck {__version__}".encode()
        archive.writestr("report.txt", "\n".join(lines) + "\n")
        for part, name in inside.items():
            archive.write(part, name)


def _archive(stream: IO[bytes]) -> zipfile.ZipFile:
    return zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False)  # files may be older than zip


def _absolute(path: Path) -> Path:
    """The path without `..`, which has no place in an archive."""
    return Path(os.path.abspath(path))


def _below(word: str, inside: Mapping[Path, str]) -> str:
    """A path of the command line as it is called inside the archive."""
    option, equals, path = word.partition("=") if word.startswith("--") else ("", "", word)
    return f"{option}{equals}{inside.get(_absolute(Path(path)), path)}"


def parts(network: object, spec: Spec | str | Path | None) -> Iterator[Path]:
    """The files of a question; those that its own files name only as far as they can be read.

    Args:
        network: the network, of which only a file is of interest; None: the one that the spec names.
        spec: the spec or its file; None: there is none.
    """
    files = [Path(network)] if isinstance(network, str | Path) else []
    if isinstance(spec, str | Path):
        yield Path(spec)
        try:
            spec = read_spec(spec)
        except InputError:
            spec = None
    elif spec is not None and spec.file is not None:
        yield spec.file
    if spec is not None:
        named = (spec.source.file if network is None else None, spec.source.encoder, spec.source.decoder)
        files += [part for part in named if part is not None and part.suffix.lower() in READERS]  # nothing private
        files += [spec.table] if spec.table is not None else []
    for part in files:
        yield part
        if part.suffix.lower() == ".onnx":
            from supercheck.network.formats.onnx.read import external_files

            yield from external_files(part)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"
