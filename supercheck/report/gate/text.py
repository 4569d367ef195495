"""A gate for people: what did not pass and why, then one table of all."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from supercheck.base.errors import clip, printable
from supercheck.base.exit_codes import FAILED, FAULT, INPUT, PASSED, UNKNOWN
from supercheck.base.numbers import plural
from supercheck.report.gate.outcome import HOW, SpecOutcome, SuiteOutcome

if TYPE_CHECKING:
    from rich.console import Console

WORDS = {PASSED: "passed", FAILED: "FAILED", INPUT: "INPUT ERROR", UNKNOWN: "UNKNOWN", FAULT: "FAULT"}
_COLOURS = {PASSED: "green", FAILED: "bold red", INPUT: "bold red", UNKNOWN: "bold yellow", FAULT: "bold magenta"}


def text(gate: SuiteOutcome, verbosity: int = 0) -> str:
    """The report as plain text, without a line break at its end.

    Args:
        gate: what became of all specs.
        verbosity: above 0 shows specs that passed, too; below 0 leaves out the table, not what was assumed.
    """
    parts = []
    for one in gate.judgements:
        if verbosity > 0 or not one.passed:
            parts.append("\n".join([_head(one), *(f"    {line}" for line in one.told[1:])]))
    parts += _assumed(gate)
    if verbosity >= 0:
        parts.append(("\n" if parts else "") + "\n".join([*_table(gate), _last(gate)]))
    return "\n".join(parts)


def show(gate: SuiteOutcome, console: Console, verbosity: int = 0) -> None:
    """Print the same on a terminal, its words in colours."""
    from rich.text import Text

    for line in text(gate, verbosity).splitlines():
        shown = Text(line)
        for code, word in WORDS.items():
            if line.startswith(f"{word}  ") or (line.startswith("PASSED  ") and code == PASSED):
                shown.stylize(_COLOURS[code], 0, len(word))
        console.print(shown, soft_wrap=True)


def _head(one: SpecOutcome) -> str:
    assumed = "" if one.assumed is None else f" (assumed: {one.assumed})"
    file = printable(one.file)
    if one.passed:
        told = f"{one.verdict}{assumed}{', cached' if one.cached else ''}, {one.seconds:.2f} s"
        return f"{WORDS[one.code]}  {file}: {told}"
    told = one.reason or ""
    place = "" if told.startswith(clip(one.file)) else f"{file}: "
    return f"{WORDS[one.code]}  {place}{told}{assumed}"


def _assumed(gate: SuiteOutcome) -> list[str]:
    """How many verdicts take what for granted, in a line for each such thing."""
    counts = Counter(one.assumed for one in gate.judgements if one.assumed is not None)
    of = f"of {plural(len(gate.judgements), 'spec')}"
    return [f"ASSUMED  {words}, in {count:,} {of}; {HOW}" for words, count in counts.items()]


def _table(gate: SuiteOutcome) -> list[str]:
    """One row of figures under their names."""
    verdicts = [one.verdict for one in gate.judgements]
    row = {
        "specs": str(len(gate.judgements)),
        "proved": str(verdicts.count("proved")),
        "refuted": str(verdicts.count("refuted")),
        "unknown": str(gate.count(UNKNOWN)),
        "input errors": str(gate.count(INPUT)),
        "faults": str(gate.count(FAULT)),
        "limits exceeded": str(sum(len(one.failed) for one in gate.judgements)),
        "cached": str(sum(one.cached for one in gate.judgements)),
        "seconds": f"{gate.seconds:.2f}",
    }
    widths = [max(len(name), len(value)) for name, value in row.items()]
    return [
        "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)) for cells in (row, row.values())
    ]


def _last(gate: SuiteOutcome) -> str:
    word = "PASSED" if gate.passed else "FAILED"
    return f"{word}  {gate.count(PASSED)} of {len(gate.judgements)} specs as expected, in {gate.seconds:.2f} s"
