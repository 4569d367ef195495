"""A gate as SARIF 2.1.0, for code scanning: a result for each spec that does not pass, and for each limit not kept."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from supercheck.base.exit_codes import FAILED, FAULT, INPUT, UNKNOWN
from supercheck.base.version import __version__
from supercheck.report.gate.outcome import HOW, SpecOutcome, SuiteOutcome

MOST_RESULTS = 25_000
"""GitHub takes no more from one run."""

RULES = {
    "verdict": "The verdict is not the one that the spec expects.",
    "limit": "A limit of the spec's [audit], or a figure of the baseline, is not kept.",
    "unknown": "Whether the network computes its functions is not known.",
    "input": "The spec or its network cannot be read.",
    "fault": "supercheck is at fault; there is no verdict.",
    "assumed": "Neither network nor spec says what follows a layer; the verdict takes it for granted.",
}

_RULES_OF = {FAILED: "verdict", INPUT: "input", UNKNOWN: "unknown", FAULT: "fault"}


def sarif(gate: SuiteOutcome) -> str:
    """The log file, two spaces an indent."""
    results = [result for one in gate.judgements for result in _results(one)]
    rules = [{"id": name, "shortDescription": {"text": text}} for name, text in RULES.items()]
    driver = {"name": "supercheck", "version": __version__, "rules": rules}
    run: dict[str, Any] = {"tool": {"driver": driver}, "results": results[:MOST_RESULTS]}
    if len(results) > MOST_RESULTS:
        run["properties"] = {"leftOut": len(results) - MOST_RESULTS}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2)


def _results(one: SpecOutcome) -> Iterator[dict[str, Any]]:
    if one.assumed is not None:
        yield _result(one, "assumed", f"Assumed: {one.assumed}. {HOW}.")
    if one.passed:
        return
    rule = _RULES_OF[one.code]
    if one.reason not in one.failed:
        yield _result(one, rule, "\n".join([one.reason or rule, *one.facts]))
    for limit in one.failed:
        yield _result(one, "limit", limit)


def _result(one: SpecOutcome, rule: str, message: str) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": _uri(one.file)}, "region": {"startLine": one.line}}
    level = {"unknown": "warning", "assumed": "note"}.get(rule, "error")
    return {
        "ruleId": rule,
        "level": level,
        "message": {"text": message},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"spec/v1": f"{Path(one.file).as_posix()}:{rule}"},
    }


def _uri(file: str) -> str:
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(os.fsencode(path.as_posix()))
