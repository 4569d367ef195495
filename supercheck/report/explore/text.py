"""An exploration for people: where the network stands as k grows, what breaks it, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from rich.console import Console
from rich.table import Table

from supercheck.analysis.explore.ledger import Ledger
from supercheck.analysis.explore.repairs import Change, mends
from supercheck.analysis.explore.result import Case, Count, Exploration
from supercheck.analysis.explore.sensitivity import Sensitivity, measured
from supercheck.base.errors import clip
from supercheck.base.numbers import float_text, plural, short
from supercheck.claims.evidence import Verdict
from supercheck.claims.result import Result
from supercheck.network.layers import Neuron
from supercheck.report.console import captured
from supercheck.report.verify.text import headline, show_assumed
from supercheck.spec.syntax import text as formula_text

_REAL = "The verdict is that of float32; what is explored is real arithmetic."
_FLOAT32 = "`supercheck verify` shows where float32 evaluation is wrong."
MOST_ROWS = 20
MOST_LEDGERS = 3
_MOST_NEURONS = 4  # listed of what one source goes through
_HUGE = 10**12
_UNITS = {"absolute": "", "relative": " of itself", "ulps": " float32 ulps"}


def text(found: Exploration, *, all_: bool = False) -> str:
    """The report as plain text."""
    return captured(lambda console: show(found, console, all_=all_), 110)


def show(found: Exploration, console: Console, *, all_: bool = False) -> None:
    """Print the report on a console.

    Args:
        found: the exploration.
        console: where to.
        all_: whether to print every counterexample with its ledger.
    """
    headline(found.result, console)
    for note in notes(found.result):
        console.print(f"  {note}", soft_wrap=True)
    _show_profile(found, console)
    shown = found.cases if all_ else found.smallest[:MOST_ROWS]
    if found.cases:
        _show_cases(found, shown, console)
        for case in shown if all_ else shown[:MOST_LEDGERS]:
            show_ledger(found, case, console)
        if not all_ and len(found.cases) > MOST_LEDGERS:
            console.print(
                "\n--all shows every counterexample with its ledger; --html FILE a page to explore them with."
            )
    elif found.only is not None:
        verdict = found.result.outputs[found.only].verdict.value
        console.print(f"\ny{found.only} is {verdict}: no counterexample.")
    _show_groups(found, console)
    if found.sensitivity is not None:
        _show_sensitivity(found.sensitivity, console)
    for reason in found.left_out:
        console.print(f"Left out: {reason}.", soft_wrap=True)
    show_assumed(found.claims.further, console)


def notes(result: Result) -> list[str]:
    """What a reader of an exploration has to know of its verdict, one sentence each."""
    if result.arithmetic == "real":
        return []
    return [_REAL, *([_FLOAT32] if result.verdict is Verdict.REFUTED else [])]


def _show_profile(found: Exploration, console: Console) -> None:
    outputs = len(found.claims)
    rows = []
    for row in found.profile:
        right = outputs - row.wrong_outputs.value
        rows.append(
            [
                f"{row.k}",
                _brief(Count(row.inputs)),
                "" if row.wrong_inputs is None else _brief(row.wrong_inputs),
                f"{right:,}" if row.wrong_outputs.exact else f"at most {right:,}",
                str(row.wrong_outputs),
                margin(row.margin_on),
                margin(row.margin_off),
            ]
        )
    heads = ["at most k on", "inputs", "failing", "outputs right", "wrong", "margin on", "margin off"]
    table(console, "Profile (a margin is the least distance from what would be wrong)", heads, rows, right=True)
    console.print(f"\n{largest(found)}", soft_wrap=True)


def _brief(count: Count) -> str:
    """A count, its first digits where it is huge; these are cut off, so that "at least" stays true."""
    if count.value < _HUGE:
        return str(count)
    power = len(f"{count.value}") - 1
    return f"{'~' if count.exact else 'at least '}{count.value // 10 ** (power - 2) / 100:.2f}e{power}"


def largest(found: Exploration) -> str:
    """The largest k that holds, in a sentence."""
    sparsity = found.result.sparsity
    if sparsity is None or (not sparsity.known and sparsity.right < 0):
        return "The largest k that holds is not known."
    if sparsity.right < 0:
        return "No k holds: some output is wrong with no feature on."
    if not sparsity.known:
        return f"It holds for k = {sparsity.right}; whether for more is not known."
    if sparsity.wrong is None:
        return f"It holds for every k up to {sparsity.right}."
    return f"The largest k that holds is {sparsity.right}."


def counted(found: Exploration) -> str:
    """How many counterexamples there are and how many are listed, in a sentence."""
    of = "" if found.only is None else f" of y{found.only}"
    if found.claims.separable:
        each = "each" if len(found.cases) != 1 else "it"
        listed = f"{plural(len(found.cases), 'inseparable output')}{of}"
        return f"{listed}; {each} is shown by an off input and an on input, not above it"
    kind = "inclusion-minimal " if all(case.inclusion_minimal for case in found.cases) else ""
    if found.complete and len(found.cases) == 1:
        return f"The only {kind}counterexample{of}"
    if found.complete:
        return f"All {len(found.cases):,} {kind}counterexamples{of}"
    listed = "" if found.total.value == len(found.cases) else f"; {len(found.cases):,} of them are listed"
    return f"{found.total} {kind}counterexample{'s' * (found.total.value != 1)}{of}{listed}".capitalize()


def _show_cases(found: Exploration, shown: Sequence[Case], console: Console) -> None:
    least, size = len(found.smallest), found.cases[0].size
    share = "with" if len(found.cases) == 1 else "each with" if least == len(found.cases) else f"{least:,} of them with"
    title = f"{counted(found)}; {share} {plural(size, 'feature')} on, the fewest"
    rows = []
    for case in shown:
        ledger = found.ledger(case)
        rows.append(
            [
                _features(case.active),
                f"y{case.output} = {clip(formula_text(found.claims.formulas[case.output]))}",
                value(found, case),
                wanted(found, case),
                "" if ledger.excess is None else float_text(ledger.excess, 3),
                senses(case),
            ]
        )
    table(console, title, ["on", "output", "y", "expected", "off by", "proved"], rows)
    more = len(found.smallest) - len(shown)
    if more > 0:
        console.print(f"... and {more:,} more of that size.")


def value(found: Exploration, case: Case, digits: int = 6) -> str:
    """The output's value, in digits that tell it from what it should be."""
    return float_text(case.value, digits, near(found, case))


def near(found: Exploration, case: Case) -> tuple[Fraction | None, ...]:
    """What is shown beside a case's value."""
    other = None if case.against is None else case.against.value
    return found.claims.readout.beside(case.expected, other)


def wanted(found: Exploration, case: Case) -> str:
    """What the output should be; in mode separable in comparison with the on input."""
    if case.against is None:
        return found.claims.readout.expected(case.expected)
    return f"below {short(case.against.value, beside=[case.value])} at {_features(case.against.active)}"


def _features(active: Sequence[int]) -> str:
    return " ".join(f"x{j}" for j in active) or "nothing"


def senses(case: Case) -> str:
    """In which senses a counterexample is minimal, in short."""
    if case.minimum:
        return "minimum"
    if case.inclusion_minimal:
        return "inclusion-minimal"
    return "each removal mends it" if case.flip_stable else ""


def show_ledger(found: Exploration, case: Case, console: Console) -> None:
    """Print why one case is wrong."""
    ledger = found.ledger(case)
    rows = []
    for source in ledger.sources:
        total = ledger.total(source)
        if source is not None or total or not case.active:
            rows.append([_source(ledger, source), signed(total, 4, ledger.beside(total)), _through(ledger, source)])
    table(console, f"Why y{case.output} is wrong with {_features(case.active)} on", ["from", "adds", "through"], rows)
    for line in reasons(found, case):
        console.print(f"  {line}", soft_wrap=True)


def reasons(found: Exploration, case: Case) -> list[str]:
    """What a ledger comes to, one sentence each."""
    ledger, name = found.ledger(case), f"y{case.output}"
    lines = [f"Together {name} = {value(found, case)}; expected is {wanted(found, case)}."]
    if case.against is not None:
        there = f"with {_features(case.against.active)} on"
        lines[0] = (
            f"Together {name} = {value(found, case)}, which should be off; that is not below {name} = "
            f"{short(case.against.value, beside=[case.value])} {there}, which should be on."
        )
    if ledger.others:
        own = " ".join(f"x{j}" for j in ledger.own)
        alone = f"With {own} alone" if own else "With nothing on"
        through = ", ".join(
            f"{neurons([neuron])} {signed(by, 3, ledger.beside(by))}" for neuron, by in ledger.moved[:_MOST_NEURONS]
        )
        rest = len(ledger.moved) - _MOST_NEURONS
        through += f" and {rest} smaller" if rest > 0 else ""
        before, by = float_text(ledger.alone, beside=[case.value, *near(found, case)]), case.value - ledger.alone
        lines.append(
            f"{alone} {name} = {before}; the others move it by {signed(by, 4, ledger.beside(by))}"
            + (f": through {through}." if through else ".")
        )
    if ledger.fired:
        lines.append(f"They make fire {neurons(ledger.fired)}.")
    if ledger.silenced:
        lines.append(f"They silence {neurons(ledger.silenced)}.")
    listed = mends(found.claims, case.output, case.active, ledger)
    if listed:
        lines.append("The smallest single change that mends it: " + ", or ".join(map(mended, listed)) + ".")
    return lines


def mended(change: Change) -> str:
    """A change in words."""
    verb = "raise" if change.by > 0 else "lower" if change.by < 0 else "move"
    name = " ".join(part for part in (change.what, change.place) if part)
    more = "more than " if change.past else ""
    return f"{verb} the {name} ({float_text(change.now)}) by {more}{float_text(abs(change.by), 4)}"


def neurons(listed: Sequence[Neuron]) -> str:
    """Neurons by name, not too many."""
    names = [*map(str, listed)]
    return " ".join(names[:MOST_ROWS]) + (f" and {len(names) - MOST_ROWS} more" if len(names) > MOST_ROWS else "")


def signed(value: Fraction, digits: int = 4, beside: Iterable[Fraction] = ()) -> str:
    """A decimal with its sign, for display."""
    return f"{'+' * (value > 0)}{float_text(value, digits, beside)}"


def margin(value: Fraction | None) -> str:
    """A margin as a short decimal."""
    return "" if value is None else float_text(value, 4)


def _source(ledger: Ledger, source: int | None) -> str:
    if source is None:
        return "biases"
    return f"x{source} (its own)" if source in ledger.own else f"x{source}"


def _through(ledger: Ledger, source: int | None) -> str:
    entries = [entry for entry in ledger.entries if entry.feature == source]
    largest_first = sorted(entries, key=lambda entry: -abs(entry.value))
    parts = [
        f"{'directly' if entry.neuron is None else neurons([entry.neuron])} "
        f"{signed(entry.value, 3, ledger.beside(entry.value))}"
        for entry in largest_first[:_MOST_NEURONS]
    ]
    rest = sum((entry.value for entry in largest_first[_MOST_NEURONS:]), Fraction(0))
    if len(entries) > _MOST_NEURONS:
        parts.append(f"{len(entries) - _MOST_NEURONS} more {signed(rest, 3, ledger.beside(rest))}")
    return ", ".join(parts)


def _show_groups(found: Exploration, console: Console) -> None:
    for kind, title in (("output", "By output"), ("cause", "By cause"), ("symmetry", "By symmetry")):
        groups = [group for group in found.groups if group.by == kind]
        if groups:
            rows = [[f"{len(group.places):,}", group.name] for group in groups]
            table(console, title, ["counterexamples", "in common"], rows[:5])
            if len(rows) > 5:
                console.print(f"... and {plural(len(rows) - 5, 'more group')}.")


def _show_sensitivity(found: Sensitivity, console: Console) -> None:
    if not sensitive(found):
        return
    console.print(f"\n{sensitive(found)[0]}", style="bold")
    for line in sensitive(found)[1:]:
        console.print(f"  {line}", soft_wrap=True)


def sensitive(found: Sensitivity) -> list[str]:
    """How far weights may move, a heading and then one sentence each; nothing where nothing is known."""
    lines = [f"How far weights may move with at most {plural(found.k, 'feature')} on still proved"]
    if found.together:
        steps = [
            f"{'any step' if step is None else float_text(step, 3)}{_UNITS[kind]}"
            for kind, step in found.together.items()
        ]
        lines.append(f"All together, certified lower bounds: {', or '.join(steps)}.")
    for kind, one in found.single.items():
        ratio = one.radius / measured(kind, one.now)
        on = _features(one.active)
        lines.append(
            f"One at a time, exactly, {found.weights:,} weights and biases: least {kind} is {float_text(ratio, 3)}"
            f"{_UNITS[kind]} for {one.place} ({float_text(one.now)}); then y{one.output} is wrong with {on} on."
        )
    if found.weights and not found.single:
        lines.append("One at a time, no weight can break anything.")
    return lines if lines[1:] else []


def table(
    console: Console, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: bool = False
) -> None:
    """Print a table after an empty line."""
    made = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for head in heads:
        made.add_column(head, overflow="fold", justify="right" if right else "left")
    for row in rows:
        made.add_row(*row)
    console.print(f"\n{title}", style="bold", soft_wrap=True)
    console.print(made)
