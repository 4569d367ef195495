"""What was pruned, as a JSON object.

Keys: supercheck, network, spec, domain (as `verify` has them, of the network as given), verdict, reason (of what is
left; of the network as given where that is not proved), counterexample, file, written (the spec file); before and
after: neurons, width, edges, parameters, bits, layers [{name, neurons, edges, values, largest_weight, bits}]; binds:
{complete, reason, neurons, edges}, each {left, refuted, open, example}; class, floors, forms; assumptions; steps;
seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from supercheck.analysis.costs.counts import Counts
from supercheck.construct.pruning.search import Pruned
from supercheck.report.audit.json import floor_object, form_object
from supercheck.report.envelope import enveloped
from supercheck.report.prune.text import Binding, binding, layers
from supercheck.report.verify.json import counterexample_object, question

if TYPE_CHECKING:
    from supercheck.construct.pruning.result import Pruning


def prune_object(found: Pruning) -> dict[str, Any]:
    """The object, keys in the order that the module's docstring has."""
    pruned, result = found.pruned, found.result or found.given
    held = {
        **question(found.claims, found.source),
        "verdict": found.verdict.value,
        "reason": result.reason,
        "counterexample": counterexample_object(found.given.smallest),
        "file": None if found.file is None else found.file.as_posix(),
        "written": None if found.spec is None else found.spec.as_posix(),
        "before": None if pruned is None else _counts(pruned.before),
        "after": None if pruned is None else _counts(pruned.after),
        "binds": None if pruned is None else _binds(found, pruned),
        "class": None if found.of_class is None else found.of_class.name,
        "floors": [floor_object(floor) for floor in found.floors],
        "forms": [form_object(form) for form in found.forms],
        "assumptions": list(found.claims.assumptions),
        "steps": None if pruned is None else pruned.tried,
    }
    return enveloped(held, found.seconds)


def _counts(counts: Counts) -> dict[str, Any]:
    return {
        "neurons": counts.neurons,
        "width": counts.width,
        "edges": counts.edges,
        "parameters": counts.parameters,
        "bits": counts.bits,
        "layers": [
            {
                "name": name,
                "neurons": neurons,
                "edges": matrix.edges,
                "values": matrix.values,
                "largest_weight": matrix.largest,
                "bits": matrix.bits,
            }
            for name, (neurons, matrix) in layers(counts).items()
        ],
    }


def _binds(found: Pruning, pruned: Pruned) -> dict[str, Any]:
    neurons, edges = binding(found, pruned)
    return {
        "complete": pruned.reason is None,
        "reason": pruned.reason,
        "neurons": _kept(neurons, pruned.after.neurons),
        "edges": _kept(edges, pruned.after.edges),
    }


def _kept(kept: Binding, left: int) -> dict[str, Any]:
    example = None
    if kept.refuted:
        name, why = next(iter(kept.refuted.items()))
        example = {"without": name, "counterexample": counterexample_object(why.counterexample)}
    return {"left": left, "refuted": len(kept.refuted), "open": len(kept.open), "example": example}
