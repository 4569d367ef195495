"""What was pruned, for people: before and after, what binds, and what theory says of what is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from supercheck.analysis.costs.counts import Counts, Matrix
from supercheck.analysis.costs.floors.floor import Floor
from supercheck.base.errors import clip, present, printable
from supercheck.base.numbers import plural, short
from supercheck.construct.pruning.edits import Edge, entry
from supercheck.construct.pruning.prover import Refusal
from supercheck.construct.pruning.search import Pruned
from supercheck.report.verify.text import sentence
from supercheck.report.wording import facts
from supercheck.spec.syntax import text as formula_text

if TYPE_CHECKING:
    from supercheck.construct.pruning.result import Pruning

NO_CLASS = "No floor of a class: these functions belong to none that is counted, or are alone in theirs."
"""What is said where no class floor applies."""

OF_CLASS = (
    "Some function of the class, and nearly every one, needs as much, whatever network it is pruned from; of one "
    "function a floor of its class says nothing."
)
"""What a class floor may claim."""


def text(found: Pruning) -> str:
    """The report as plain text."""
    return "\n".join(_lines(found))


def _lines(found: Pruning) -> Iterator[str]:
    result = found.result or found.given
    yield f"{result.verdict.value.upper()}  {sentence(result)}"
    yield from (f"Assumed: {note}" for note in found.claims.assumptions)
    if found.pruned is None:
        yield "Nothing was pruned: the network has to be proved first."
        yield from (f"  {line}" for line in facts(found.claims, found.given.smallest))
        yield from ([] if result.reason is None else [f"  {result.reason}"])
        return
    if found.file is not None:
        yield printable(f"  wrote {found.file} and {found.spec}")
    yield ""
    yield from _aligned(_sizes(found.pruned))
    yield ""
    yield from _binding(found, found.pruned)
    yield ""
    yield from _theory(found)


def _sizes(pruned: Pruned) -> list[list[str]]:
    """The table of before and after."""
    before, after = pruned.before, pruned.after
    was, now = layers(before), layers(after)
    rows = [["Before -> after", "neurons", "edges", "values", "bits"]]
    for name in dict.fromkeys([*was, *now]):
        a, b = was.get(name), now.get(name)
        rows.append([name, *(_change(x, y) for x, y in zip(_figures(a), _figures(b), strict=True))])
    total = [
        _change(f"{x:,}", f"{y:,}") for x, y in ((before.neurons, after.neurons), (before.edges, after.edges))
    ]  # fmt: skip
    rows.append(["all", *total, "", _change(f"{before.bits:,.0f}", f"{after.bits:,.0f}")])
    return rows


def layers(counts: Counts) -> dict[str, tuple[int | None, Matrix]]:
    """For each of the network's own layers, by name, its neurons, if it has any, and its weights."""
    sizes: list[int | None] = [*counts.shape[1:-1], None]
    names = [*(f"hidden {place}" for place in range(1, counts.layers + 1)), "readout"]
    return dict(zip(names, zip(sizes, counts.own, strict=True), strict=True))


def _figures(layer: tuple[int | None, Matrix] | None) -> list[str]:
    if layer is None:
        return ["none"] * 4
    neurons, matrix = layer
    return ["" if neurons is None else f"{neurons:,}", f"{matrix.edges:,}", f"{matrix.values:,}", f"{matrix.bits:,.0f}"]


def _change(before: str, after: str) -> str:
    return before if before == after else f"{before} -> {after}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _binding(found: Pruning, pruned: Pruned) -> Iterator[str]:
    """Why nothing more went."""
    if pruned.reason is not None:
        yield f"What binds is not known: {pruned.reason}. More time may take more away."
        return
    yield "What binds: of what is left, each was tried by itself."
    without = "without it, some output is wrong"
    held = "held at the value that it has where all inputs are 0, some output is wrong"
    neurons, edges = binding(found, pruned)
    yield from _kept(found, "neuron", neurons, held)
    yield from _kept(found, "edge", edges, without)


class Binding(NamedTuple):
    """Why what is left has to stay, by name."""

    refuted: Mapping[str, Refusal]
    """A counterexample shows what goes wrong without it."""
    open: Mapping[str, Refusal]
    """It is not known that nothing does."""


def binding(found: Pruning, pruned: Pruned) -> tuple[Binding, Binding]:
    """What binds, of the neurons and of the edges; nothing where not each was tried."""
    neurons = {str(neuron): why for neuron, why in pruned.neurons.items()}
    return _parted(neurons), _parted({edge_name(found, edge): why for edge, why in pruned.edges.items()})


def _parted(kept: Mapping[str, Refusal]) -> Binding:
    open_ = {name: why for name, why in kept.items() if why.counterexample is None}
    return Binding({name: why for name, why in kept.items() if name not in open_}, open_)


def _kept(found: Pruning, noun: str, kept: Binding, said: str) -> Iterator[str]:
    if kept.refuted:
        example = _example(found, *next(iter(kept.refuted.items())))
        yield f"  {plural(len(kept.refuted), noun)}: {said}. For instance {example}"
    if kept.open:
        name, why = next(iter(kept.open.items()))
        number = plural(len(kept.open), noun)
        yield f"  {number}: not proved to be of no use, so kept. For instance {name}: {why.reason}"


def _example(found: Pruning, name: str, why: Refusal) -> str:
    """What goes wrong without something, in a sentence."""
    example, claims = present(why.counterexample, "counterexample"), found.claims
    on = " ".join(f"x{j}" for j in example.active) or "nothing"
    formula = clip(formula_text(claims.formulas[example.output]))
    other = None if example.against is None else example.against.value
    near = claims.readout.beside(example.expected, other)
    value = f"y{example.output} = {formula} is {short(example.value, beside=near)} where {on} is on"
    if example.against is not None:
        against = " ".join(f"x{j}" for j in example.against.active) or "nothing"
        least = short(example.against.value, beside=[example.value])
        return f"without {name}: {value}, not below {least} where {against} is on"
    return f"without {name}: {value}; {claims.readout.expected(example.expected)} is expected"


def edge_name(found: Pruning, edge: Edge) -> str:
    """An edge in words: "x3 -> h1.4 (weight 5)"."""
    depth, row, column = edge
    pruned = present(found.pruned, "pruned network")
    fixed = {block.name for block in pruned.after.blocks if block.fixed}
    source = f"h{depth}.{column}" if depth else f"input {column}" if "encoder" in fixed else f"x{column}"
    last = depth == len(pruned.layers) - 1
    target = f"h{depth + 1}.{row}" if not last else f"output {row}" if "decoder" in fixed else f"y{row}"
    return f"{source} -> {target} (weight {short(entry(pruned.layers, edge))})"


def _theory(found: Pruning) -> Iterator[str]:
    """What is left beside the class floor, in the words that it may be said in."""
    if found.of_class is not None:
        of = found.of_class
        size = f"m = {of.features:,}, m' = {of.outputs:,}, k = {of.max_active}, q = {of.reads}"
        yield f"Beside the class {of.name} ({size}; {of.bits():,.1f} bits tell its functions apart)"
    shown = [floor for floor in found.floors if floor.floor]
    if shown:
        rows = [["left", "floor", "ratio", "unit", "holds for", "by"]]
        rows += [[*_floor(floor), floor.unit, _holds(floor), floor.name] for floor in shown]
        yield from (f"  {line}" for line in _aligned(rows))
    yield OF_CLASS if found.of_class is not None else NO_CLASS
    for form in found.forms if found.of_class is not None else ():
        if form.name == "parameters, lower":
            said = "the paper: some function of the class needs Omega of that many; of this one it says nothing"
            yield f"Parameters left: {form.measured:,} = {form.constant:.3g} x {form.form} ({said})."


def _floor(floor: Floor) -> list[str]:
    measured, least, ratio = floor.measured, floor.floor, floor.slack
    return [_figure(measured or 0), _figure(least or 0), "" if ratio is None else f"{ratio:.3g}"]


def _figure(value: float) -> str:
    return f"{value:.2g}" if 0 < value < 0.05 else f"{value:,}" if value == int(value) else f"{value:,.1f}"


def _holds(floor: Floor) -> str:
    return "some of the class" if floor.kind == "class" else floor.kind
