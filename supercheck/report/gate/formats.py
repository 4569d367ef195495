"""How a gate is written: one table, from a format's name to what makes its text."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from supercheck.report.gate.outcome import Gate

FORMATS = ("text", "json", "json-lines", "junit", "sarif", "github")

_HOMES = {
    "text": ("text", "text"),
    "json": ("json", "json_text"),
    "json-lines": ("json", "json_lines"),
    "junit": ("junit", "junit"),
    "sarif": ("sarif", "sarif"),
    "github": ("github", "github"),
}


def reporter(name: str) -> Callable[[Gate], str]:
    """What writes a gate in one of `FORMATS`; imported when it is asked for."""
    module, function = _HOMES[name]
    found: Callable[[Gate], str] = getattr(import_module(f"supercheck.report.gate.{module}"), function)
    return found
