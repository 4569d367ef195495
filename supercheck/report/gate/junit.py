"""A gate as JUnit XML, in the form that Jenkins, GitLab and GitHub's reporters share.

A verdict that is not the expected one is a failure; bad input, an unknown verdict and a fault are errors. No reader of
the format takes a `skipped` test for a failed one, so nothing here is ever skipped.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from supercheck.base.errors import printable
from supercheck.base.exit_codes import FAILED, FAULT, INPUT, UNKNOWN
from supercheck.report.gate.outcome import SpecOutcome, SuiteOutcome

_TYPES = {FAILED: "verdict", INPUT: "input", UNKNOWN: "unknown", FAULT: "fault"}


def junit(gate: SuiteOutcome) -> str:
    """The document."""
    failures = gate.count(FAILED)
    errors = sum(not one.passed for one in gate.judgements) - failures
    totals = {
        "tests": str(len(gate.judgements)),
        "failures": str(failures),
        "errors": str(errors),
        "time": f"{gate.seconds:.3f}",
    }
    root = ElementTree.Element("testsuites", {"name": "supercheck", **totals})
    suite = ElementTree.SubElement(root, "testsuite", {"name": "supercheck", **totals})
    for one in gate.judgements:
        _case(suite, one)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def _case(suite: ElementTree.Element, one: SpecOutcome) -> None:
    path = Path(one.file)
    folder = ".".join(part for part in path.parent.parts if part not in (".", "..", "/")) or "specs"
    given = {"classname": printable(folder), "name": printable(path.stem or one.file), "file": printable(one.file)}
    case = ElementTree.SubElement(suite, "testcase", {**given, "time": f"{one.seconds:.3f}"})
    if not one.passed:
        kind = "failure" if one.code == FAILED else "error"
        lines = [printable(line) for line in one.told]
        element = ElementTree.SubElement(case, kind, {"message": lines[0], "type": _TYPES[one.code]})
        element.text = "\n".join(lines)
    if one.assumptions:
        lines = [printable(f"Assumed: {note}") for note in one.assumptions]
        ElementTree.SubElement(case, "system-out").text = "\n".join(lines)
