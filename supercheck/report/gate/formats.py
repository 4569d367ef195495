"""How a gate is written: one file a format, one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from supercheck.report.formats import named

if TYPE_CHECKING:
    from supercheck.report.gate.outcome import SuiteOutcome

FORMATS = {
    "text": "supercheck.report.gate.text:text",
    "json": "supercheck.report.gate.json:json_text",
    "json-lines": "supercheck.report.gate.json:json_lines",
    "junit": "supercheck.report.gate.junit:junit",
    "sarif": "supercheck.report.gate.sarif:sarif",
    "github": "supercheck.report.gate.github:github",
}
"""Format -> what turns a gate into text."""


def reporter(name: str) -> Callable[[SuiteOutcome], str]:
    """What writes a gate in one of `FORMATS`."""
    return named(FORMATS[name])
