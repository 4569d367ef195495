"""Fixtures and settings that the tests share."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

signal.signal(
    signal.SIGINT, signal.default_int_handler
)  # ignored, and so by every child, where a shell ran CI with `&`

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"

_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
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


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real networks beside the checkout; where it is absent, its tests skip unless it is required."""
    if not SHARED.is_dir():
        message = f"the real networks in {SHARED} are not on this machine"
        if os.environ.get("SUPERCHECK_SHARED") == "required":
            pytest.fail(message)
        pytest.skip(message)
    return SHARED
