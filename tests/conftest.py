"""Fixtures and settings that the tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

signal.signal(
    signal.SIGINT, signal.default_int_handler
)  # ignored, and so by every child, where a shell ran CI with `&`

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"

_COMMON: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}
settings.register_profile("quick", max_examples=150, derandomize=True, **_COMMON)
settings.register_profile("nightly", max_examples=20_000, **_COMMON)
settings.load_profile(os.environ.get("SUPERCHECK_EXAMPLES", "quick"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch that rewrites golden files."""
    parser.addoption("--overwrite", action="store_true", help="write the golden files anew instead of comparing")


@pytest.fixture
def overwrite(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be rewritten."""
    return bool(request.config.getoption("--overwrite"))


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with nothing in it, in which the test runs; where fault files may be written."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def own_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account of the test's own, with a key that nobody else has."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="module")
def trained_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is trained for a test is kept in a folder of the tests, and by no later run."""
    from training import CACHE

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE, str(tmp_path_factory.mktemp("trained")))
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real networks beside the checkout; where it is absent, its tests skip unless it is required."""
    if not SHARED.is_dir():
        message = f"the real networks in {SHARED} are not on this machine"
        if os.environ.get("SUPERCHECK_SHARED") == "required":
            pytest.fail(message)
        pytest.skip(message)
    return SHARED
