"""A gate as one JSON object, or as one line of JSON a spec."""

from __future__ import annotations

import json
from typing import Any

from supercheck.report.envelope import enveloped, indented
from supercheck.report.gate.outcome import SpecOutcome, SuiteOutcome


def json_text(gate: SuiteOutcome) -> str:
    """The object as text, two spaces an indent."""
    return indented(gate_object(gate))


def gate_object(gate: SuiteOutcome) -> dict[str, Any]:
    """The object of report/README.md, "What all have in common"."""
    specs = [_object(one) for one in gate.judgements]
    return enveloped({"specs": specs, "pass": gate.passed}, gate.seconds)


def json_lines(gate: SuiteOutcome) -> str:
    """One object a line and spec."""
    objects = ({name: value for name, value in _object(one).items() if name != "seconds"} for one in gate.judgements)
    whole = (enveloped(held, one.seconds) for held, one in zip(objects, gate.judgements, strict=True))
    return "\n".join(map(json.dumps, whole))


def _object(one: SpecOutcome) -> dict[str, Any]:
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
