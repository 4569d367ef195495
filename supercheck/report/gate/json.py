"""A gate as one JSON object, or as one line of JSON a spec."""

from __future__ import annotations

import json
from typing import Any

from supercheck.base.version import __version__
from supercheck.report.gate.outcome import Gate, Judgement


def json_text(gate: Gate) -> str:
    """The object as text, two spaces an indent."""
    return json.dumps(gate_object(gate), indent=2)


def gate_object(gate: Gate) -> dict[str, Any]:
    """The object of report/README.md, "What all have in common"."""
    specs = [_object(one) for one in gate.judgements]
    return {"supercheck": __version__, "specs": specs, "pass": gate.passed, "seconds": round(gate.seconds, 6)}


def json_lines(gate: Gate) -> str:
    """One object a line and spec."""
    lines = []
    for one in gate.judgements:
        found = {"supercheck": __version__, **_object(one)}
        seconds = found.pop("seconds")
        lines.append(json.dumps({**found, "seconds": seconds}))
    return "\n".join(lines)


def _object(one: Judgement) -> dict[str, Any]:
    return {
        "file": one.file,
        "expected": one.expected,
        "verdict": one.verdict,
        "pass": one.passed,
        "cached": one.cached,
        "seconds": round(one.seconds, 6),
        "reason": "; ".join(one.told) or None,
        "assumptions": list(one.assumptions),
    }
