"""Specs as tests: `pytest --supercheck specs/`, or the ini key `supercheck` with the folders that hold specs.

pytest loads this module in every run, so it imports nothing but pytest; the rest of supercheck is imported when the
first spec is run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from supercheck.ci.cache import Cache
    from supercheck.report.gate.outcome import SpecOutcome


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch, the time limit and the ini key."""
    group = parser.getgroup("supercheck")
    group.addoption("--supercheck", action="store_true", help="run every spec (*.toml) below the paths as a test")
    group.addoption(
        "--supercheck-timeout", type=float, metavar="S", help="seconds for deciding each spec; then it fails"
    )
    parser.addini("supercheck", "files and folders whose specs (*.toml) are tests", type="paths", default=[])


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SpecFile | None:
    """Take a file that is a spec, where that was asked for."""
    config = parent.config
    places: list[Path] = config.getini("supercheck")
    if not config.getoption("supercheck") and not any(file_path.is_relative_to(place) for place in places):
        return None
    from supercheck.ci.discover import is_spec

    return SpecFile.from_parent(parent, path=file_path) if is_spec(file_path) else None


class SpecFile(pytest.File):
    """A spec file; it holds one test."""

    def collect(self) -> Iterator[SpecItem]:
        """The one test, named like the file."""
        yield SpecItem.from_parent(self, name=_printable(self.path.stem))


class NotAsExpectedError(Exception):
    """A spec that does not pass; its text is the report."""


class SpecItem(pytest.Item):
    """A spec as a test: it passes if the verdict is the expected one and every limit is kept."""

    line = 1

    def runtest(self) -> None:
        """Judge the spec as a gate would."""
        from supercheck.ci.judge import GateOptions, judge
        from supercheck.ci.suite import noticed
        from supercheck.report.gate.outcome import HOW

        timeout = self.config.getoption("supercheck_timeout")
        with noticed() as interrupted:
            judgement = judge(self.path, GateOptions(timeout=timeout, cache=self._cache()))
        if interrupted.is_set():  # pytest wants to stop, too
            raise KeyboardInterrupt
        self.line = judgement.line
        assumed = [] if judgement.assumed is None else [f"{self.path}: assumed: {judgement.assumed}; {HOW}"]
        for warning in [*judgement.warnings, *assumed]:
            self.warn(pytest.PytestWarning(f"supercheck: {_printable(warning)}"))
        if not judgement.passed:
            raise NotAsExpectedError(_told(judgement))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The report alone, without a traceback through this file."""
        if isinstance(excinfo.value, NotAsExpectedError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """File, line counted from 0, and name."""
        return self.path, self.line - 1, self.name

    def _cache(self) -> Cache | None:
        """Earlier verdicts, in pytest's own cache folder, so that its options hold for them."""
        if not self.config.pluginmanager.hasplugin("cacheprovider"):
            return None
        from supercheck.ci.cache import Cache

        try:
            folder = self.config.cache.mkdir("supercheck")
        except OSError:  # pytest itself warns of a folder that it cannot write
            return None
        for part in (folder, *list(folder.parents)[:2]):
            if part.is_symlink():  # it may have come with somebody's repository
                self.warn(pytest.PytestWarning(f"supercheck: no cache: {part} is a link, which is not followed"))
                return None
        return Cache(folder / "cache.sqlite")


def _printable(text: str) -> str:
    from supercheck.base.errors import printable

    return printable(text)


def _told(judgement: SpecOutcome) -> str:
    first, *rest = judgement.told
    rest += [f"assumed: {note}" for note in judgement.assumptions]
    return "\n".join([f"{_printable(judgement.file)}:{judgement.line}: {first}", *(f"    {line}" for line in rest)])
