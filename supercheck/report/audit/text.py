"""An audit, or the bounds of a class, for people: first where the computation happens, then what theory says."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import islice
from math import isqrt
from pathlib import Path

from rich.console import Console
from rich.table import Table

from supercheck.analysis.costs.floors.bounds import Bounds, Construction
from supercheck.analysis.costs.floors.floor import Floor
from supercheck.analysis.costs.interference import worst_first
from supercheck.analysis.costs.result import Audit
from supercheck.base.errors import clip, printable
from supercheck.base.numbers import float_text, short
from supercheck.claims.evidence import Verdict
from supercheck.report.console import captured
from supercheck.report.verify.text import show_assumed
from supercheck.spec.syntax import text as formula_text

MOST_ROWS = 4
"""Outputs of which the interference is shown."""


def text(audit: Audit) -> str:
    """The report as plain text."""
    return _plain(lambda console: show(audit, console))


def bounds_text(bounds: Bounds) -> str:
    """The bounds of a class as plain text."""
    return _plain(lambda console: show_bounds(bounds, console))


def _plain(print_to: Callable[[Console], None]) -> str:
    return "\n".join(line.rstrip() for line in captured(print_to, 120).split("\n"))


def show(audit: Audit, console: Console) -> None:
    """Print the report on a console, in its width."""
    console.print(_head(audit), soft_wrap=True)
    show_assumed(audit.claims.unsaid, console)
    console.print(_counts(audit), soft_wrap=True)
    _show_blocks(audit, console)
    for note in audit.notes():
        console.print(f"  ! {note}", soft_wrap=True)
    _show_floors(audit.floors, console)
    if audit.of_class is None:
        console.print("No floor of a class: these functions belong to none that is counted, or are alone in theirs.")
    _show_constructions(audit, console)
    _show_limits(audit, console)
    _show_wiring(audit, console)
    _show_interference(audit, console)
    for left in audit.left_out:
        console.print(f"Left out: {left}.", soft_wrap=True)
    show_assumed(audit.claims.further, console)


def show_bounds(bounds: Bounds, console: Console) -> None:
    """Print the bounds of a class on a console."""
    of_class = bounds.of_class
    shape = f"m = {of_class.features:,}, m' = {of_class.outputs:,}, k = {of_class.max_active}"
    wrong = f", up to {float(bounds.wrong):g} of the outputs wrong" if bounds.wrong else ""
    console.print(f"BOUNDS  {of_class.name}, {shape}, q = {of_class.reads}{wrong}", soft_wrap=True)
    table = _table("Some function of the class needs at least (* most of its unit)", ["floor", "unit", "by"], {0})
    for floor in bounds.floors:
        table.add_row(_binding(floor) + _figure(floor.floor), floor.unit, floor.name)
    _print(console, table)
    if bounds.constructions:
        table = _table("Enough for every function of the class", ["neurons", "edges", "construction"], {0, 1})
        for made in bounds.constructions:
            name = f"{made.name}: {made.source}"
            table.add_row(_approximate(made, made.neurons), _approximate(made, made.edges), name)
        _print(console, table)
    console.print("\nSources", style="bold")
    for source in dict.fromkeys(floor.source for floor in bounds.floors):
        console.print(f"  {source}", soft_wrap=True)


def _head(audit: Audit) -> str:
    claims, verdict = audit.claims, audit.verdict
    name = printable(Path(audit.source.network).name) if audit.source.network else "the network"
    features, limit = claims.domain.features, claims.domain.max_active
    if verdict is None or verdict is Verdict.UNKNOWN:
        said = f"not proved ({audit.undecided or 'unknown'})"
    else:
        said = f"{verdict.value}{' by a missing path alone' if audit.result is None else ''}"
    outputs = f"{len(claims):,} output{'s' * (len(claims) > 1)} of {features:,} features"
    return f"AUDIT  {name}: {outputs}, at most {limit} on; {said}"


def _counts(audit: Audit) -> str:
    counts = audit.counts
    layers = f"{counts.layers} hidden layer{'s' * (counts.layers != 1)}"
    return (
        f"  {counts.neurons:,} neurons in {layers}, widest {counts.width:,}; {counts.edges:,} edges, "
        f"{counts.parameters:,} of them parameters; {counts.biases:,} biases; "
        f"{_figure(counts.bits)} bits; largest weight {_figure(counts.largest)}"
    )


def _show_blocks(audit: Audit, console: Console) -> None:
    blocks, total = audit.counts.blocks, sum(block.bits for block in audit.counts.blocks)
    heads = ["block", "places", "edges", "values", "biases", "largest |w|", "bits", "share"]
    table = _table("Where the computation happens", heads, set(range(1, 8)))
    for block in blocks:
        share = f"{block.bits / total:.0%}" if total else ""
        name = f"{block.name} (fixed)" if block.fixed else block.name
        whole = [block.total("slots"), block.total("edges"), block.most("values"), block.total("biases")]
        table.add_row(name, *(f"{n:,}" for n in whole), _figure(block.most("largest")), _figure(block.bits), share)
    _print(console, table)


def _show_floors(floors: tuple[Floor, ...], console: Console) -> None:
    if not floors:
        return
    table = _table("Floors (* binds)", ["holds for", "floor", "measured", "slack", "unit", "by"], {1, 2, 3})
    for floor in floors:
        if floor.floor == 0:  # it says nothing; JSON lists it
            continue
        slack = "" if floor.slack is None else f"{floor.slack:.3g}" if floor.slack != 1 else "1.0"
        kind = "some of the class" if floor.kind == "class" else floor.kind
        measured = _figure(floor.measured)
        table.add_row(kind, _binding(floor) + _figure(floor.floor), measured, slack, floor.unit, floor.name)
    _print(console, table)


def _show_constructions(audit: Audit, console: Console) -> None:
    counts = audit.counts
    table = _table(
        "Beside constructions and representing", ["what", "neurons", "ratio", "edges", "ratio"], {1, 2, 3, 4}
    )
    for made in audit.constructions:
        if made.exact:  # the others are forms; they follow
            ratios = _ratio(counts.neurons, made.neurons), _ratio(counts.edges, made.edges)
            table.add_row(made.name, _figure(made.neurons), ratios[0], _figure(made.edges), ratios[1])
    found = audit.representing
    for word, dimension in (("enough", found.enough), ("needed", found.needed)):
        name = f"representing alone, coherence below {found.coherence}, {word}"
        table.add_row(name, f"{dimension:,}", _ratio(counts.neurons, dimension), "", "")
    _print(console, table)
    if audit.forms:
        table = _table("The paper's forms", ["bound", "form", "value", "measured", "constant"], {2, 3, 4})
        for form in audit.forms:
            table.add_row(form.name, form.form, _figure(form.value), _figure(form.measured), f"{form.constant:.3g}")
        _print(console, table)
    if audit.formless is not None:
        said = "they speak of networks with all their parameters between a fixed encoder and a fixed decoder"
        console.print(f"The paper's forms do not apply: {audit.formless}; {said}.", soft_wrap=True)
    if found.code is not None:
        cosine = float_text(_root(found.code.coherence_squared), 4, [found.coherence])
        console.print(
            f"  encoder: coherence {cosine}, margin of inner products {short(found.code.margin)}", soft_wrap=True
        )


def _show_limits(audit: Audit, console: Console) -> None:
    if not audit.limits:
        return
    table = _table("Limits", ["limit", "allowed", "measured", ""], {1, 2})
    for limit in audit.limits:
        most, measured = Fraction(limit.value), Fraction(limit.measured)
        value, figure = short(most, beside=[measured]), short(measured, beside=[most])
        if most == measured or (abs(most - measured) >= 1 and abs(most) < 10**15):
            value = _figure(float(most)) if abs(most) < 10**15 else f"~{limit.value:.3g}"
            figure = _figure(limit.measured)
        allowed = value if limit.limit == value else f"{limit.limit} = {value}"
        table.add_row(limit.name, allowed, figure, "pass" if limit.kept else "FAIL")
    _print(console, table)


def _show_wiring(audit: Audit, console: Console) -> None:
    found, cones = audit.influence, ", ".join(f"{c.least:,} to {c.most:,}" for c in audit.cones)
    kinds = f"none {found.none:,}, low {found.low:,}, heavy {found.heavy:,}, super heavy {found.super_heavy:,}"
    console.print(f"\nWiring: features by influence: {kinds}", soft_wrap=True)
    if cones:
        console.print(f"  an output hears {cones} (features, then neurons by layer)", soft_wrap=True)
    parts = "" if audit.parts is None else f"{len(audit.parts):,} connected part{'s' * (len(audit.parts) != 1)}; "
    degrees = "; ".join(
        f"{d.name} fan-in {d.fan_in.least:,} to {d.fan_in.most:,}, fan-out {d.fan_out.least:,} to {d.fan_out.most:,}"
        for d in audit.degrees
    )
    console.print(f"  {parts}{degrees}", soft_wrap=True)


def _show_interference(audit: Audit, console: Console) -> None:
    found = audit.interference
    if found is None:
        return
    heads = ["output", "function", "channel", "shared most", "margin", "worst", "interferers"]
    table = _table("Interference, worst first", heads, {2, 4})
    for row in islice(worst_first(found.outputs), MOST_ROWS):
        shared = "none" if row.partner is None else f"{row.shared:,} with y{row.partner}"
        margin = "" if row.margin is None else float_text(row.margin)
        others = " ".join(f"x{j}" for j in row.interferers)
        function = clip(formula_text(audit.claims.formulas[row.output]))[:40]
        table.add_row(f"y{row.output}", function, f"{row.channel:,}", shared, margin, row.side or "", others)
    _print(console, table)
    if len(found.outputs) > MOST_ROWS:
        console.print(f"... and {len(found.outputs) - MOST_ROWS:,} more; --format json lists them all.")


def _table(title: str, heads: list[str], right: set[int]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place in right else "left", overflow="fold")
    return table


def _print(console: Console, table: Table) -> None:
    console.print()
    console.print(table)


def _binding(floor: Floor) -> str:
    return "* " if floor.binds else ""


def _approximate(made: Construction, value: float) -> str:
    return _figure(value) if made.exact else f"~{_figure(value)}"


def _ratio(measured: float, value: float) -> str:
    return f"{measured / value:.3g}" if value else ""


def _figure(value: float | None) -> str:
    """A count with commas, a size with at most one decimal; huge ones by their power of two."""
    if value is None:
        return "none reaches it"
    if isinstance(value, int) and value.bit_length() > 50:
        return f"~2^{value.bit_length() - 1}"
    return f"{value:,}" if isinstance(value, int) else _size(value)


def _size(value: float) -> str:
    """A size with commas and at most one decimal; a positive one is never 0."""
    if 0 < value < 0.05:
        return f"{value:.2g}"
    return f"{value:,.1f}" if value != int(value) else f"{int(value):,}"


def _root(value: Fraction) -> Fraction:
    """A square root: itself where it is rational, otherwise to sixty digits."""
    above, below = isqrt(value.numerator), isqrt(value.denominator)
    if above**2 == value.numerator and below**2 == value.denominator:
        return Fraction(above, below)
    return Fraction(isqrt(value.numerator * 100**60 // value.denominator), 10**60)
