"""Results for people and for machines: one file a format, one table.

A newcomer adds a format with one file here and one row in `REPORTERS`.
"""

from __future__ import annotations

from collections.abc import Callable

from supercheck.evidence import Result
from supercheck.report import json, text

REPORTERS: dict[str, Callable[[Result], str]] = {"text": text.text, "json": json.json_text}
"""Format -> what turns a result into text."""
