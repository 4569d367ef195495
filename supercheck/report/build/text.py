"""What was built, as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from supercheck.base.errors import printable
from supercheck.base.numbers import exact_text, plural
from supercheck.claims.evidence import Verdict
from supercheck.report.envelope import enveloped

if TYPE_CHECKING:
    from supercheck.construct.result import Building


def build_text(found: Building) -> str:
    """What a person wants to know: the sizes, the verdict, the files, and what to do next."""
    built, result = found.built, found.result
    spec, at = built.spec, built.spec.readout.at
    asked = f"{plural(len(spec.formulas), 'output')} over {plural(spec.domain.features, 'feature')}"
    sizes = f"{plural(built.neurons, 'neuron')}, width {built.width:,}, {plural(built.edges, 'edge')}"
    lines = [
        f"{found.construction}: {asked}, at most {spec.domain.max_active} on",
        f"  {sizes}" + ("" if at is None else f"; on above {exact_text(at)}"),
        f"  {result.verdict.value.upper()}" + (f": {result.reason}" if result.reason else ""),
    ]
    lines += [f"  assumed: {note}" for note in result.claims.assumptions]
    if found.file is not None:
        lines.append(printable(f"  wrote {found.file} and {found.spec}"))
    if result.verdict is not Verdict.PROVED and found.spec is not None:
        verb = "explore" if result.verdict is Verdict.REFUTED else "verify"
        lines.append(printable(f"  next: supercheck {verb} --spec {found.spec}"))
    return "\n".join(lines)


def build_object(found: Building) -> dict[str, Any]:
    """The object of report/README.md, "What all have in common"."""
    built, result = found.built, found.result
    at = built.spec.readout.at
    held = {
        "construction": found.construction,
        "file": None if found.file is None else found.file.as_posix(),
        "spec": None if found.spec is None else found.spec.as_posix(),
        "neurons": built.neurons,
        "width": built.width,
        "edges": built.edges,
        "at": None if at is None else exact_text(at),
        "proved": result.verdict is Verdict.PROVED,
        "verdict": result.verdict.value,
        "reason": result.reason,
        "assumptions": list(result.claims.assumptions),
        "made": dict(built.made),
    }
    return enveloped(held, found.seconds)
