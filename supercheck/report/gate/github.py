"""A gate as GitHub's workflow commands: annotations that point at the spec's line."""

from __future__ import annotations

from supercheck.report.gate.outcome import HOW, SpecOutcome, SuiteOutcome
from supercheck.report.gate.text import WORDS


def github(gate: SuiteOutcome) -> str:
    """One command for each spec that does not pass, or whose verdict assumes something; then a line for the log."""
    lines = [_annotation(one) for one in gate.judgements if not one.passed]
    lines += [_notice(one) for one in gate.judgements if one.assumed is not None]
    passed = sum(one.passed for one in gate.judgements)
    return "\n".join([*lines, f"{passed} of {len(gate.judgements)} specs as expected, in {gate.seconds:.2f} s"])


def _annotation(one: SpecOutcome) -> str:
    title = f"supercheck: {WORDS[one.code].lower()}"
    place = f"file={_property(one.file)},line={one.line},title={_property(title)}"
    return f"::error {place}::{_data(chr(10).join(one.told))}"


def _notice(one: SpecOutcome) -> str:
    place = f"file={_property(one.file)},line=1,title={_property('supercheck: assumed')}"
    return f"::notice {place}::{_data(f'{one.verdict}, assumed: {one.assumed}; {HOW}')}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
