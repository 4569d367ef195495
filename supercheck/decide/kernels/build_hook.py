"""What hatchling runs while it builds the package: it has the loops compiled and puts the library where it belongs."""

from __future__ import annotations

import runpy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags

HERE = Path(__file__).resolve().parent


class KernelsHook(BuildHookInterface[Any]):  # type: ignore[misc]
    """Into a wheel, or beside the sources where the install is editable."""

    _folder: TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, before a wheel's files are gathered, and say which machines it is for."""
        build = runpy.run_path(str(HERE / "build.py"))["build"]  # supercheck cannot be imported yet
        platforms = (tag.platform for tag in sys_tags())
        platform = next(name for name in platforms if not name.startswith(("manylinux", "musllinux")))
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"  # any Python: the library knows nothing of it
        if version == "editable":
            build(HERE)
        else:
            self._folder = TemporaryDirectory()
            made = build(Path(self._folder.name))
            build_data["force_include"][str(made)] = (HERE.relative_to(self.root) / made.name).as_posix()

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Tidy up, once the wheel is written."""
        if self._folder is not None:
            self._folder.cleanup()
