"""Results for people and for machines: one file a format, one table.

A newcomer adds a format with one file here and one row in `REPORTERS`.
"""

from __future__ import annotations

from collections.abc import Callable

from supercheck.base.display import Faces
from supercheck.claims.result import Result
from supercheck.report.gate.formats import reporter
from supercheck.report.verify import json, text
from supercheck.report.wording import single

REPORTERS: dict[str, Callable[[Result], str]] = {
    "text": text.text,
    "json": json.json_text,
    "junit": lambda result: reporter("junit")(single(result)),
    "sarif": lambda result: reporter("sarif")(single(result)),
    "github": lambda result: reporter("github")(single(result)),
}
"""Format -> what turns a result into text."""

Result.faces = Faces(text.text, json.as_object)
