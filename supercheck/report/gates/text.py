"""A gate for people: what did not pass and why, then one table of all."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table
from rich.text import Text

from supercheck.judgement import FAILED, FAULT, INPUT, OPEN, PASSED, Gate, Judgement

WORDS = {PASSED: "passed", FAILED: "FAILED", INPUT: "INPUT ERROR", OPEN: "UNKNOWN", FAULT: "FAULT"}
_COLOURS = {PASSED: "green", FAILED: "bold red", INPUT: "bold red", OPEN: "bold yellow", FAULT: "bold magenta"}


def text(gate: Gate) -> str:
    """The report as plain text."""
    stream = io.StringIO()
    show(gate, Console(file=stream, width=110, no_color=True, highlight=False))
    return stream.getvalue().rstrip("\n")


def show(gate: Gate, console: Console, *, verbose: bool = False) -> None:
    """Print the report on a console; specs that passed only if `verbose`."""
    for one in gate.judgements:
        if verbose or not one.passed:
            _show_one(one, console)
    if any(verbose or not one.passed for one in gate.judgements):
        console.print()
    _show_table(gate, console)
    passed, total = gate.count(PASSED), len(gate.judgements)
    line = Text("PASSED" if gate.passed else "FAILED", style=_COLOURS[PASSED] if gate.passed else _COLOURS[FAILED])
    console.print(line.append(f"  {passed} of {total} specs as expected, in {gate.seconds:.2f} s", style="default"))


def _show_one(one: Judgement, console: Console) -> None:
    line = Text(WORDS[one.code], style=_COLOURS[one.code]).append(f"  {one.file}", style="default")
    if one.passed:
        line.append(f": {one.verdict}{', cached' if one.cached else ''}, {one.seconds:.2f} s", style="default")
    elif one.reason is not None:
        told = one.reason.removeprefix(f"{one.file}:").strip()
        line.append(f": {told}", style="default")
    console.print(line, soft_wrap=True)
    for fact in (*one.facts, *one.failed):
        console.print(Text(f"    {fact}"), soft_wrap=True)


def _show_table(gate: Gate, console: Console) -> None:
    verdicts = [one.verdict for one in gate.judgements]
    rows = {
        "proved": verdicts.count("proved"),
        "refuted": verdicts.count("refuted"),
        "unknown": verdicts.count("unknown") + sum(one.code == OPEN and one.verdict is None for one in gate.judgements),
        "input errors": gate.count(INPUT),
        "faults": gate.count(FAULT),
        "limits exceeded": sum(len(one.failed) for one in gate.judgements),
        "cached": sum(one.cached for one in gate.judgements),
    }
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("specs", *rows, "seconds"):
        table.add_column(name, justify="right")
    table.add_row(str(len(gate.judgements)), *map(str, rows.values()), f"{gate.seconds:.2f}")
    console.print(table)
