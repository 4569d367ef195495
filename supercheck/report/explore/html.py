"""An exploration as one HTML page that needs nothing else: no network, and no scripts but for its playground."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from supercheck.analysis.explore.ledger import Ledger, cone
from supercheck.analysis.explore.repairs import mends
from supercheck.analysis.explore.result import Case, Exploration
from supercheck.base.display import fits
from supercheck.base.errors import clip, printable
from supercheck.base.files import written_aside
from supercheck.base.interval import Interval
from supercheck.base.matrix import Rows
from supercheck.base.numbers import exact_text, float_text, plural
from supercheck.base.version import __version__
from supercheck.network.layers import Neuron
from supercheck.report.explore import drawing, text as explore
from supercheck.report.verify.text import asked, sentence
from supercheck.report.wording import otherwise
from supercheck.spec.formula import AtLeast, Formula, Not, Var, support
from supercheck.spec.syntax import text as formula_text

MOST_FEATURES = 200
"""Features that the playground may have switches for."""

_MOST_COLUMNS = 16  # neurons of a ledger
_LONGEST = 200  # characters of an exact number
_CUT = "Cut to fit into a cell; `supercheck explore --html FILE` writes the whole page."


class Room(NamedTuple):
    """How much a page has room for.

    Attributes:
        cases: counterexamples that are drawn and taken apart.
        listed: counterexamples that its table lists.
        edges: edges of the network that the playground may hold.
        cells: outputs and features of the heat map.
    """

    cases: int = 24
    listed: int = 400
    edges: int = 30_000
    cells: tuple[int, int] = (40, 64)


PAGE = Room()
"""What a file has room for."""

_CELLS = (PAGE, Room(2, 60, 6_000), Room(1, 30, 2_000, (16, 24)), Room(1, 10, 0, (0, 0)))  # what a notebook may have


def page(found: Exploration, room: Room = PAGE) -> str:
    """The exploration as a page."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("supercheck.report.explore", "page"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"decimal": _decimal, "exact": _exact, "neuron": str, "on": _on, "signed": _signed}
    left_out = list(found.left_out)
    play = _playground(found, left_out, room)
    if len(found.cases) > room.listed:
        left_out.append(
            f"not on this page: {plural(len(found.cases) - room.listed, 'counterexample')}; --format json lists them"
        )
    effects = _effects(found, left_out, room.cells)
    source, claims = found.source, found.claims
    return environment.get_template("explore.html.j2").render(
        version=__version__,
        name=printable(Path(source.network).name) if source.network else "network",
        found=found,
        verdict=found.verdict.value,
        sentence=sentence(found.result),
        question=asked(found.result).strip(),
        notes=[
            *(f"Assumed: {note}" for note in claims.unsaid),
            *explore.notes(found.result),
            *([] if room == PAGE else [_CUT]),
        ],
        otherwise=[*otherwise(claims.readout, found.result.another)],
        largest=explore.largest(found),
        cards=[_card(found, case) for case in found.cases[: room.cases]],
        listed=[_listed(found, case) for case in found.cases[: room.listed]],
        counted=explore.counted(found) if found.cases else None,
        profile=drawing.profile(found.profile),
        outputs=len(claims),
        groups=[
            (title, [group for group in found.groups if group.by == kind][:8])
            for kind, title in (("output", "By output"), ("cause", "By cause"), ("symmetry", "By symmetry"))
        ],
        heat=None if effects is None else drawing.heat_map(effects),
        sensitive=explore.sensitive(found.sensitivity) if found.sensitivity is not None else [],
        left_out=left_out,
        assumptions=[*claims.assumptions, *found.result.notes],
        playable=bool(play["outputs"]),
        play=_embedded(play),
    )


def framed(found: Exploration) -> str | None:
    """The page inside a notebook, in a frame of its own, cut until it is short enough; None where it never is."""
    head = '<iframe title="supercheck exploration" style="width:100%;height:48rem;border:1px solid #8884" '
    for room in _CELLS:
        inside = page(found, room).replace("&", "&amp;").replace("'", "&#39;")  # all that could end the attribute
        if fits(cell := f"{head}srcdoc='{inside}'></iframe>"):
            return cell
    return None


def save_page(found: Exploration, path: Path, *, force: bool = False) -> None:
    """Write the page.

    Args:
        found: what it shows.
        path: where it goes.
        force: whether a file that supercheck did not write may be replaced.

    Raises:
        InputError: if the file cannot be written.
    """
    content = page(found).encode(errors="backslashreplace")
    with written_aside(path, "page", force=force, place="--html") as stream:
        stream.write(content)


def _decimal(value: Fraction, beside: Sequence[Fraction | None] = ()) -> str:
    return float_text(value, 4, beside).replace("-", "\u2212")


def _signed(value: Fraction, beside: Sequence[Fraction] = ()) -> str:
    return explore.signed(value, 3, beside).replace("-", "\u2212")


def _exact(value: Fraction) -> str:
    whole = exact_text(value)
    return whole if len(whole) <= _LONGEST else f"{whole[:_LONGEST]}..."


def _on(active: Sequence[int]) -> str:
    return " ".join(f"x{j}" for j in active) or "nothing"


def _embedded(data: object) -> str:
    """JSON that cannot end the script element that holds it."""
    written = json.dumps(data, separators=(",", ":"))
    return written.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _listed(found: Exploration, case: Case) -> dict[str, Any]:
    return {
        "case": case,
        "near": explore.near(found, case),
        "formula": clip(formula_text(found.claims.formulas[case.output])),
        "expected": explore.wanted(found, case),
        "senses": explore.senses(case),
    }


def _card(found: Exploration, case: Case) -> dict[str, Any]:
    """What the page shows of one counterexample."""
    ledger = found.ledger(case)
    moved = dict(ledger.moved)
    used = {entry.neuron for entry in ledger.entries if entry.neuron is not None}
    neurons = sorted(used, key=lambda neuron: (-abs(moved.get(neuron, Fraction(0))), neuron))
    columns = neurons[:_MOST_COLUMNS]
    breaking = drawing.breaking(ledger)
    return {
        **_listed(found, case),
        "ledger": ledger,
        "by": case.value - ledger.alone,
        "short": ledger.limit is not None
        and bool(ledger.value <= ledger.limit if case.expected else ledger.value < ledger.limit),
        "breaking": breaking,
        "against": [
            pair for pair in ledger.moved if pair not in breaking and (pair[1] > 0) is not (breaking[0][1] > 0)
        ][:2]
        if breaking
        else [],
        "columns": columns,
        "rows": [_ledger_row(ledger, source, columns) for source in ledger.sources],
        "below": [ledger.through(neuron) for neuron in columns],
        "direct": ledger.through(None),
        "rest": case.value - ledger.through(None) - sum((ledger.through(n) for n in columns), Fraction(0)),
        "hidden": len(neurons) - len(columns),
        "mends": [explore.mended(change) for change in mends(found.claims, case.output, case.active, ledger)],
        "waterfall": drawing.waterfall(ledger, case.output),
        "wiring": drawing.wiring(found, case.output, ledger),
    }


def _ledger_row(ledger: Ledger, source: int | None, columns: Sequence[Neuron]) -> dict[str, Any]:
    cells = {entry.neuron: entry.value for entry in ledger.entries if entry.feature == source}
    shown = [cells.get(neuron) for neuron in columns]
    direct, total = cells.get(None), ledger.total(source)
    rest = total - (direct or 0) - sum((value for value in shown if value), Fraction(0))
    name = "biases" if source is None else f"x{source}"
    return {"name": name, "own": source in ledger.own, "cells": shown, "direct": direct, "rest": rest, "total": total}


def _effects(found: Exploration, left_out: list[str], cells: tuple[int, int]) -> drawing.Effects | None:
    """What one more feature does to outputs whose own features are on; failing outputs first where there are many."""
    claims, (most_outputs, most_features) = found.claims, cells
    failing = dict.fromkeys(case.output for case in found.cases)
    outputs = list(range(len(claims))) if len(claims) <= most_outputs else list(failing)[:most_outputs]
    if not outputs:
        return None
    named = [set(support(claims.formulas[i])) for i in outputs]
    features = list(range(claims.network.features))
    if len(features) > most_features:
        used = dict.fromkeys(j for case in found.cases if case.output in outputs for j in case.active)
        features = sorted(list(dict.fromkeys([*used, *(j for own in named for j in own)]))[:most_features])
    if len(outputs) < len(claims) or len(features) < claims.network.features:
        shown = (
            f"{len(outputs):,} of {len(claims):,} outputs and {len(features):,} of {claims.network.features:,} features"
        )
        left_out.append(f"the heat map shows {shown}")
    values = []
    for i, own in zip(outputs, named, strict=True):
        part = cone(claims.network, i)
        whole = part.output(sorted(own))
        without = [whole - part.output(sorted(own - {j})) if j in own else None for j in features]
        values.append(
            [part.output(sorted(own | {j})) - whole if w is None else w for j, w in zip(features, without, strict=True)]
        )
    return drawing.Effects(outputs, features, values, named)


def _chosen(found: Exploration, most_edges: int) -> list[int]:
    """The outputs of the playground: all, or of a large network as many of the first failing ones as it may hold."""
    claims, network = found.claims, found.claims.network
    if network.edges <= most_edges and network.features <= MOST_FEATURES:
        return list(range(network.outputs))
    chosen, edges, features = list[int](), 0, set[int]()
    for i in dict.fromkeys(case.output for case in found.cases):
        edges += int(network.weights[i])
        features |= set(claims.features([i]).tolist())
        if edges > most_edges or (chosen and len(features) > MOST_FEATURES):
            break
        chosen.append(i)
    return chosen


def _playground(found: Exploration, left_out: list[str], room: Room) -> dict[str, Any]:
    """The network, or the cones of its first failing outputs, as the page's script evaluates it."""
    claims, network = found.claims, found.claims.network
    chosen = _chosen(found, room.edges)
    if len(chosen) < network.outputs:
        left_out.append(f"the playground holds the cones of {len(chosen):,} of {network.outputs:,} outputs")
    cones = network.cone(chosen) if chosen else ()
    names = sorted({*(cones[0].tolist() if chosen else ()), *(j for i in chosen for j in support(claims.formulas[i]))})
    layers = zip(network.hidden, cones[1:], strict=False)
    hidden = [{"neurons": p.tolist(), "rows": [_row(layer.weight, n, layer.bias[n]) for n in p]} for layer, p in layers]
    outputs = [
        {
            "index": i,
            "text": clip(formula_text(claims.formulas[i])),
            "formula": _tree(claims.formulas[i]),
            "bias": _pair(network.output.bias[i]),
            "scale": _pair(network.output.scale[i]),
            "row": _row(network.output.weight, i, 0),
        }
        for i in chosen
    ]
    readout = claims.readout
    return {
        "features": names,
        "hidden": hidden,
        "outputs": outputs,
        "readout": {
            "goals": [None if claims.separable else _goal(readout.goal(target)) for target in (0, 1)],
            "words": [readout.expected(target) for target in (0, 1)],
        },
        "max_active": claims.domain.max_active,
        "cases": [
            {"active": list(case.active), "output": case.output, "value": exact_text(case.value)}
            for case in found.cases[: room.cases]
            if case.output in set(chosen)
        ],
    }


def _row(rows: Rows, number: int, bias: Any) -> list[Any]:
    """A row as columns, weights and bias; whole numbers as text, for they may have any size."""
    columns, weights = (part.tolist() for part in rows.row(number))
    return [columns, [str(weight) for weight in weights], str(bias)]


def _goal(right: Interval) -> dict[str, Any]:
    """What is right, as the page's script compares with it."""
    low, high = (None if end is None else _pair(end) for end in (right.low, right.high))
    return {"low": low, "high": high, "low_open": right.low_open, "high_open": right.high_open}


def _pair(value: Fraction) -> list[str]:
    return [str(value.numerator), str(value.denominator)]


def _tree(formula: Formula) -> Any:
    """A formula as nested lists: a feature's number, or an operator and its parts."""
    if isinstance(formula, Var):
        return formula.index
    if isinstance(formula, Not):
        return ["not", _tree(formula.inside)]
    head: str | int = formula.count if isinstance(formula, AtLeast) else "xor"
    return [head, *map(_tree, formula.inside)]
