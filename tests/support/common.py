"""What many tests share: where things are, how the command line is called, a readout."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from supercheck.cli import app
from supercheck.spec.readout import Readout

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "specs"
PROVED, REFUTED = SPECS / "proved" / "trained_and8.toml", SPECS / "refuted" / "trained_and8_k4.toml"

Capture = pytest.CaptureFixture[str]

EXAMPLES: int = settings.default.max_examples if settings.default else 100
"""How many random examples a property is tried on."""

HALF = Readout("threshold", Fraction(1, 2))


def run(*words: object) -> int:
    """The exit code of `supercheck` with these words."""
    return app.main([str(word) for word in words])


def savez(file: str | Path, tensors: Mapping[str, Any]) -> None:
    """Write tensors as numpy writes them."""
    np.savez(file, **tensors)


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(word) for word in listed.stdout.split()]
