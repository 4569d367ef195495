"""How a result is written: one file a format, one table.

A newcomer adds a format with one file here and one row in `FORMATS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from supercheck.report.formats import named

if TYPE_CHECKING:
    from supercheck.claims.result import Result

FORMATS = {
    "text": "supercheck.report.verify.text:text",
    "json": "supercheck.report.verify.json:json_text",
    "junit": "supercheck.report.verify.pipelines:junit",
    "sarif": "supercheck.report.verify.pipelines:sarif",
    "github": "supercheck.report.verify.pipelines:github",
}
"""Format -> what turns a result into text."""


def reporter(name: str) -> Callable[[Result], str]:
    """What writes a result in one of `FORMATS`."""
    return named(FORMATS[name])
