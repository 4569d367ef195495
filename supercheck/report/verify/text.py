"""A result for people: the verdict in a sentence, then what they need next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from supercheck.base.errors import clip, present, printable
from supercheck.base.numbers import exact_text, float_text, plural, short
from supercheck.claims.evidence import Counterexample, Point, Sparsity, Verdict
from supercheck.claims.result import Certificate, OutputResult, Result
from supercheck.network.input import Input
from supercheck.report.console import captured
from supercheck.report.wording import otherwise
from supercheck.spec.syntax import text as formula_text

MOST_ROWS = 20
_COLOURS = {Verdict.PROVED: "bold green", Verdict.REFUTED: "bold red", Verdict.UNKNOWN: "bold yellow"}


def text(result: Result) -> str:
    """The report as plain text."""
    return captured(lambda console: show(result, console), 110)


def show(result: Result, console: Console) -> None:
    """Print the report on a console, in its colours and width."""
    headline(result, console)
    if result.smallest is not None:
        console.print()
        _show_counterexample(result, result.smallest, console)
    refuted = [(output, output.counterexample) for output in result.outputs if output.counterexample is not None]
    if len(refuted) > 1:
        _table(
            console,
            f"Wrong outputs ({len(refuted)} of {len(result.outputs)})",
            ["output", "function", "wrong where these are on", "y", "expected"],
            [_wrong_row(result, *pair) for pair in sorted(refuted, key=lambda pair: (pair[1].size, pair[0].index))],
        )
    for line in otherwise(result.claims.readout, result.another):
        console.print(f"\n{line}", soft_wrap=True)
    measured = [output for output in result.outputs if output.extremes is not None]
    if measured:
        _table(
            console,
            "Exact margins, smallest first",
            ["output", "function", "largest y off", "smallest y on", "margin"]
            if result.claims.readout.tolerance is None
            else ["output", "function", "worst y off", "worst y on", "margin"],
            [_margin_row(result, output) for output in sorted(measured, key=result.margin_order)],
        )
    _show_sparsity(result, console)
    for line in wrong_inputs(result):
        console.print(f"\n{line}", soft_wrap=True)
    unknown = Counter(output.reason for output in result.outputs if output.verdict is Verdict.UNKNOWN)
    for reason, count in unknown.items():
        console.print(f"\n{_outputs(count)} undecided: {reason}.", soft_wrap=True)
    _show_vacuous(result, console)
    show_assumed(result.claims.further, console)
    for note in result.notes:
        console.print(note, soft_wrap=True)
    if result.certificate is not None:
        _show_certificate(result.certificate, console)


def headline(result: Result, console: Console) -> None:
    """Print the verdict in a sentence, and the question."""
    verdict = result.verdict
    line = Text(verdict.value.upper(), style=_COLOURS[verdict])
    if result.arithmetic != "real":
        line.append(f" {_of_float32(result)}")
    console.print(line.append(f"  {sentence(result)}", style="default"), soft_wrap=True)
    if result.arithmetic != "real":
        console.print(f"  In real arithmetic: {result.real_verdict.value.upper()}.", soft_wrap=True)
    console.print(asked(result), soft_wrap=True)
    show_assumed(result.claims.unsaid, console)


def show_assumed(notes: Sequence[str], console: Console) -> None:
    """Print what was assumed; brackets in it are no markup."""
    for note in notes:
        console.print(f"Assumed: {note}", soft_wrap=True, markup=False)


def _show_certificate(certificate: Certificate, console: Console) -> None:
    """Where the proof is, and how to check it."""
    file, beside = printable(f"{certificate.file}"), "".join(f", {printable(core.name)}" for core in certificate.cores)
    line = f"Certificate: {file}{beside}; check it: supercheck check {file} NETWORK --spec SPEC"
    console.print(line, soft_wrap=True, markup=False)


def wrong_inputs(result: Result) -> Iterator[str]:
    """On how many inputs something is wrong, in a sentence; nothing where that was not counted."""
    found, size = result.wrong_inputs, result.claims.domain.size
    if found is None or size is None:
        return
    exact = [output for output in result.outputs if output.wrong is not None and output.wrong.exact is not None]
    pairs = sum(output.wrong.at_least for output in exact if output.wrong is not None)
    said = (
        f"{found.at_least:,}" if found.exact is not None else f"at least {found.at_least:,}, at most {found.at_most:,}"
    )
    yield f"Some output is wrong on {said} of {size:,} inputs."
    if pairs and len(result.outputs) > 1 and len(exact) == len(result.outputs):
        yield f"Counted output by output: {pairs:,} pairs of an input and an output that is wrong there."


def _show_sparsity(result: Result, console: Console) -> None:
    """Up to which k the network is right, and how many outputs are up to which."""
    whole = result.sparsity
    if whole is None:
        return
    console.print(f"\nThe network is {_up_to(whole)}.", soft_wrap=True)
    counts = Counter(output.sparsity for output in result.outputs if output.sparsity is not None)
    if len(counts) > 1:
        order = sorted(counts, key=lambda one: (one.right, one.wrong or 0))
        _table(console, "By output", ["outputs", "are"], [[f"{counts[one]:,}", _up_to(one)] for one in order])


def _up_to(sparsity: Sparsity) -> str:
    right, wrong = sparsity.right, sparsity.wrong
    upward = "" if wrong is None else f", wrong with {wrong}"
    if sparsity.known:
        return "wrong with no feature on" if right < 0 else f"right with at most {plural(right, 'feature')} on{upward}"
    known = "not known to be right for any k" if right < 0 else f"right with at most {plural(right, 'feature')} on"
    gap = "beyond that" if wrong is None else f"from {right + 1} to {wrong - 1}"
    gap = f"with {right + 1}" if wrong == right + 2 else gap
    return f"{known}{upward}; {gap} it is not known"


def _of_float32(result: Result) -> str:
    """What the verdict on float32 evaluation says, and of which evaluations."""
    rounding = result.rounding
    if result.verdict is Verdict.PROVED and rounding is not None:
        known = [("margin ", rounding.margin), ("rounding at most ", rounding.most)]
        near = {value for _, value in known}
        listed = [f"{name}{short(value, beside=near - {value})}" for name, value in known if value is not None]
        figures = ", ".join(listed)
        return f"(float32, any summation order, with or without FMA; {figures})"
    if result.verdict is Verdict.REFUTED:
        which = "in the order shown; others may be right" if result.in_the_order_shown else "in every order"
        return f"(float32): {which}"
    return f"(float32): {result.reason}"


def sentence(result: Result) -> str:
    """The verdict in a sentence."""
    claims = result.claims
    name = printable(Path(result.source.network).name) if result.source.network else "the network"
    features, limit = claims.domain.features, claims.domain.max_active
    where = f"at most {limit} of {features} features on ({_counted(claims.domain.size)})"
    if not claims.domain.binary:
        where += f", {claims.domain}"
    outputs, wrong = len(claims), result.count(Verdict.REFUTED)
    if result.verdict is Verdict.PROVED:
        what = "the one output" if outputs == 1 else f"each of the {outputs} outputs"
        does = "has a threshold that parts its classes" if claims.separable else "computes its function"
        exact = " Exact: no rounding, no tolerance." if result.arithmetic == "real" else ""
        return f"{what} of {name} {does} on every input with {where}.{exact}"
    if result.verdict is Verdict.REFUTED:
        verb = "is" if wrong == 1 else "are"
        does = "inseparable" if claims.separable else "wrong on some input"
        return f"{wrong} of {_outputs(outputs)} of {name} {verb} {does} with {where}."
    done = result.count(Verdict.PROVED)
    return f"{done} of {_outputs(outputs)} of {name} proved, none refuted, {outputs - done} open, with {where}."


def asked(result: Result) -> str:
    """The functions and how outputs are read, in one line."""
    claims = result.claims
    shown = range(len(claims)) if len(claims) <= 3 else (0, 1, len(claims) - 1)
    named = [f"y{i} = {clip(formula_text(claims.formulas[i]))}" for i in shown]
    if len(claims) > 3:
        named.insert(2, "...")
    read = f"on: {claims.readout.expected(1)}, off: {claims.readout.expected(0)}"
    return f"  {', '.join(named)}; read as {read}"


def _counted(inputs: int | None) -> str:
    return "infinitely many inputs" if inputs is None else plural(inputs, "input")


def _outputs(count: int) -> str:
    return f"{count} output{'s' * (count != 1)}"


def _show_counterexample(result: Result, found: Counterexample, console: Console) -> None:
    claims = result.claims
    proof = (
        "Smallest counterexample (no input with fewer features on is wrong)"
        if found.minimal
        else "A counterexample (a smaller one may exist)"
    )
    function = clip(formula_text(claims.formulas[found.output]))
    computed = " in the order shown below" if result.in_the_order_shown else ""
    console.print(f"{proof}:", style="bold")
    rows = [
        ("on", _features(found.active) if found.input.binary else _values(found.input)),
        ("output", f"y{found.output}, which should be {function} = {found.expected}"),
    ]
    if found.against is None:
        near = claims.readout.beside(found.expected)
        rows.append(
            (
                "value",
                f"y = {_value(found.value, *near)}{computed}, but "
                f"{claims.readout.expected(found.expected)} is expected",
            )
        )
    else:
        rows.append(("value", f"y = {_value(found.value, found.against.value)}{computed}, an off input"))
        rows.append(
            (
                "against",
                f"{_features(found.against.active)}: y = {_value(found.against.value, found.value)}, an on input, "
                "not above it",
            )
        )
    for name, value in rows:
        console.print(f"  {name:<8} {value}", soft_wrap=True)


def _features(active: tuple[int, ...]) -> str:
    return " ".join(f"x{j}" for j in active) or "none (all features are off)"


def _values(x: Input) -> str:
    return " ".join(f"x{j} = {exact_text(value)}" for j, value in x.values) or "none (all features are 0)"


def _value(value: Fraction, *near: Fraction | None) -> str:
    exact, decimal = exact_text(value), float_text(value, beside=near)
    return decimal if exact == decimal else f"{decimal} (exactly {exact})" if len(exact) <= 48 else f"{decimal}..."


def _wrong_row(result: Result, output: OutputResult, found: Counterexample) -> list[str]:
    readout = result.claims.readout
    near, wanted = readout.beside(found.expected), readout.expected(found.expected)
    if found.against is not None:
        near = (found.against.value,)
        wanted = f"below {short(found.against.value, beside=[found.value])} at {_features(found.against.active)}"
    return [*_name(result, output), _features(found.active), float_text(found.value, beside=near), wanted]


def _margin_row(result: Result, output: OutputResult) -> list[str]:
    margin, extremes = result.margin(output), present(output.extremes, "extremes")
    readout, (off, on) = result.claims.readout, map(_worst, extremes.worst)
    limits = (*readout.beside(0), *readout.beside(1))
    pairs = ((off, (on, *limits)), (on, (off, *limits)))
    ends = ["never" if value is None else float_text(value, beside=near) for value, near in pairs]
    return [*_name(result, output), *ends, "" if margin is None else float_text(margin)]


def _worst(point: Point | None) -> Fraction | None:
    return None if point is None else point.value


def _name(result: Result, output: OutputResult) -> list[str]:
    return [f"y{output.index}", clip(formula_text(result.claims.formulas[output.index]))]


def _table(console: Console, title: str, heads: list[str], rows: list[list[str]]) -> None:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows[:MOST_ROWS]:
        table.add_row(*row)
    console.print()
    console.print(table)
    if len(rows) > MOST_ROWS:
        console.print(f"... and {len(rows) - MOST_ROWS} more; --format json lists them all.")


def _show_vacuous(result: Result, console: Console) -> None:
    claims = result.claims
    kinds: dict[str, list[int]] = {"on": [], "off": []}
    for i, output in enumerate(result.outputs):
        kind = None if output.verdict is Verdict.UNKNOWN else claims.vacuous(i)  # of no use, and time may be up
        if kind is not None:
            kinds[kind].append(i)
    for kind, listed in kinds.items():
        if listed:
            names = ", ".join(f"y{i}" for i in listed[:8]) + (", ..." if len(listed) > 8 else "")
            console.print(
                f"\nNote: no input with at most {plural(claims.domain.max_active, 'feature')} on turns {names} {kind}; "
                f"only the other class was there to decide.",
                soft_wrap=True,
            )
