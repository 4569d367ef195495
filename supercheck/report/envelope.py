"""The envelope of every JSON report: the version first, the seconds last, two spaces an indent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from supercheck.base.version import __version__

_DIGITS = 6  # of a second


def enveloped(held: Mapping[str, Any], seconds: float | Mapping[str, float]) -> dict[str, Any]:
    """A report as a JSON object.

    Args:
        held: what it says, in the order of its keys.
        seconds: how long that took, or each part of it by its name; all that differs from run to run.
    """
    whole = round(seconds, _DIGITS) if isinstance(seconds, float) else _rounded(seconds)
    return {"supercheck": __version__, **held, "seconds": whole}


def _rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, _DIGITS) for name, value in seconds.items()}


def indented(found: Mapping[str, Any]) -> str:
    """A report's object as text."""
    return json.dumps(found, indent=2)
