"""Which specs a gate judges: every `*.toml` below the paths, but for `pyproject.toml` and hidden folders."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from supercheck.base.errors import InputError


def collect(paths: Sequence[Path], select: Sequence[str] = ()) -> tuple[list[Path], list[InputError]]:
    """Find the specs.

    Args:
        paths: files and folders; a file that is named is a spec, whatever it is called.
        select: parts of names, or patterns such as `xor_*`; a spec is taken if its path holds one, or matches it.

    Returns:
        The specs, each once, sorted; and what went wrong on the way, such as a path without any spec.

    Raises:
        InputError: if nothing at all was named, or nothing was selected.
    """
    found: dict[str, Path] = {}
    wrong: list[InputError] = []
    for path in paths:
        below = list(_below(path, wrong)) if os.path.isdir(path) else [path]
        if not below:
            wrong.append(InputError(file=path, expected="at least one spec (*.toml) below it", got="none"))
        for file in below:
            found.setdefault(os.path.realpath(file), file)
    chosen = [file for file in found.values() if not select or any(_matches(file, word) for word in select)]
    if not paths:
        raise InputError(place="PATH", expected="at least one spec, or a folder of specs", got="none")
    if found and not chosen:
        raise InputError(place="--select", expected="a name that some spec has", got=" ".join(select))
    return sorted(chosen), wrong


def is_spec(path: Path) -> bool:
    """Whether a file that was not named itself is a spec, by its name."""
    return path.suffix == ".toml" and path.name != "pyproject.toml"


def _below(top: Path, wrong: list[InputError]) -> Iterator[Path]:
    """The specs of a folder; links are followed, but no folder is entered twice."""
    seen = {os.path.realpath(top)}

    def failed(error: OSError) -> None:
        wrong.append(InputError(file=error.filename, expected="a readable folder", got=error.strerror))

    def is_new(folder: str) -> bool:
        place = os.path.realpath(folder)
        return place not in seen and not seen.add(place)  # type: ignore[func-returns-value]

    for here, folders, files in os.walk(top, onerror=failed, followlinks=True):
        visible = sorted(name for name in folders if not name.startswith("."))
        folders[:] = [name for name in visible if is_new(os.path.join(here, name))]
        yield from (Path(here, name) for name in sorted(files) if is_spec(Path(name)))


def _matches(file: Path, word: str) -> bool:
    return word in file.as_posix() or fnmatch(file.as_posix(), word) or fnmatch(file.stem, word)
