"""Which specs a gate judges: every `*.toml` below the paths, but for `pyproject.toml` and hidden folders."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from supercheck.errors import InputError


def collect(paths: Sequence[Path], select: Sequence[str] = ()) -> tuple[list[Path], list[InputError]]:
    """Find the specs.

    Args:
        paths: files and folders; a file that is named is a spec, whatever it is called.
        select: names or patterns; a spec is taken if its path holds one of them, or matches it.

    Returns:
        The specs, each once, sorted; and what went wrong on the way, such as a path without any spec.
    """
    found: dict[Path, Path] = {}
    wrong: list[InputError] = []
    for path in paths:
        below = [path] if not path.is_dir() else sorted(_below(path, wrong))
        if not below:
            wrong.append(InputError(file=path, expected="at least one spec (*.toml) below it", got="none"))
        for file in below:
            found.setdefault(Path(os.path.realpath(file)), file)
    chosen = [file for file in found.values() if not select or any(_matches(file, word) for word in select)]
    if found and not chosen:
        wrong.append(InputError(place="--select", expected="a name that some spec has", got=" ".join(select)))
    return sorted(chosen), wrong


def _below(folder: Path, wrong: list[InputError]) -> Iterator[Path]:
    """The specs of a folder; links are followed, but no folder is entered twice."""
    seen: set[str] = set()

    def failed(error: OSError) -> None:
        wrong.append(InputError(file=error.filename, expected="a readable folder", got=error.strerror))

    for here, folders, files in os.walk(folder, onerror=failed, followlinks=True):
        seen.add(os.path.realpath(here))
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and os.path.realpath(os.path.join(here, name)) not in seen
        )
        for name in files:
            if name.endswith(".toml") and name != "pyproject.toml":
                yield Path(here, name)


def _matches(file: Path, word: str) -> bool:
    return word in file.as_posix() or fnmatch(file.as_posix(), word) or fnmatch(file.stem, word)
