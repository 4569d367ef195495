"""Audits and bounds as JSON objects: counts and figures are numbers, exact values of outputs strings."""

from __future__ import annotations

from typing import Any

from supercheck.analysis.costs.floors.bounds import Bounds, Construction, Form
from supercheck.analysis.costs.floors.floor import Floor
from supercheck.analysis.costs.interference import Disturbed
from supercheck.analysis.costs.result import Audit, Check, Degrees, Spread
from supercheck.base.numbers import exact_text
from supercheck.report.envelope import enveloped
from supercheck.report.verify.json import counterexample_object, point_object, question


def audit_object(audit: Audit) -> dict[str, Any]:
    """The object of report/README.md, "What all have in common", and what else an audit finds."""
    verdict = audit.verdict
    held = {
        **question(audit.claims, audit.source),
        "verdict": None if verdict is None else verdict.value,
        "reason": audit.undecided,
        "counterexample": counterexample_object(audit.counterexample),
        "counts": _counts(audit),
        "bits": {
            **{block.name: block.bits for block in audit.counts.blocks},
            "own": audit.counts.bits,
        },
        "floors": [floor_object(floor) for floor in audit.floors],
        "limits": [_limit(limit) for limit in audit.limits],
        "class": None if audit.of_class is None else audit.of_class.name,
        "forms": [form_object(form) for form in audit.forms],
        "formless": audit.formless,
        "constructions": [_construction(made) for made in audit.constructions],
        "representing": _representing(audit),
        "wiring": _wiring(audit),
        "interference": None if audit.interference is None else [_disturbed(d) for d in audit.interference.outputs],
        "notes": list(audit.notes()),
        "left_out": list(audit.left_out),
        "assumptions": list(audit.claims.assumptions),
    }
    return enveloped(held, audit.seconds)


def bounds_object(bounds: Bounds) -> dict[str, Any]:
    """The bounds of a class."""
    of_class = bounds.of_class
    held = {
        "class": of_class.name,
        "features": of_class.features,
        "outputs": of_class.outputs,
        "max_active": of_class.max_active,
        "arity": of_class.reads,
        "wrong": float(bounds.wrong),
        "bits": bounds.precision,
        "floors": [floor_object(floor) for floor in bounds.floors],
        "constructions": [_construction(made) for made in bounds.constructions],
    }
    return enveloped(held, {"total": bounds.seconds})


def _counts(audit: Audit) -> dict[str, Any]:
    counts = audit.counts
    return {
        "neurons": counts.neurons,
        "width": counts.width,
        "hidden_layers": counts.layers,
        "edges": counts.edges,
        "parameters": counts.parameters,
        "biases": counts.biases,
        "largest_weight": _number(counts.largest),
        "blocks": [
            {
                "name": block.name,
                "fixed": block.fixed,
                "matrices": len(block.matrices),
                "slots": block.total("slots"),
                "edges": block.total("edges"),
                "parameters": block.total("parameters"),
                "values": block.most("values"),
                "biases": block.total("biases"),
                "largest_weight": _number(block.most("largest")),
                "table_bits": block.total("table_bits"),
            }
            for block in counts.blocks
        ],
    }


def form_object(form: Form) -> dict[str, Any]:
    """A form of the paper beside what was measured."""
    return {
        "name": form.name,
        "measured": form.measured,
        "form": form.form,
        "value": form.value,
        "constant": form.constant,
    }


def floor_object(floor: Floor) -> dict[str, Any]:
    """A bound beside what was measured."""
    return {
        "name": floor.name,
        "measured": floor.measured,
        "floor": floor.floor,
        "unit": floor.unit,
        "kind": floor.kind,
        "binds": floor.binds,
        "source": floor.source,
    }


def _limit(limit: Check) -> dict[str, Any]:
    return {"name": limit.name, "limit": limit.limit, "measured": _number(limit.measured), "pass": limit.kept}


def _number(value: float) -> float | str:
    """A number, but a string where no reader's double would hold it."""
    return exact_text(value) if isinstance(value, int) and value.bit_length() > 1000 else value


def _construction(made: Construction) -> dict[str, Any]:
    return {"name": made.name, "neurons": made.neurons, "edges": made.edges, "exact": made.exact, "source": made.source}


def _representing(audit: Audit) -> dict[str, Any]:
    found = audit.representing
    code = None
    if found.code is not None:
        squared, margin = found.code.coherence_squared, found.code.margin
        code = {"coherence_squared": exact_text(squared), "margin": exact_text(margin)}
    return {"coherence": exact_text(found.coherence), "enough": found.enough, "needed": found.needed, "encoder": code}


def _wiring(audit: Audit) -> dict[str, Any]:
    influence, neurons = audit.influence, audit.neurons
    return {
        "influence": {
            "none": influence.none,
            "low": influence.low,
            "heavy": influence.heavy,
            "super_heavy": influence.super_heavy,
        },
        "cones": [_spread(spread) for spread in audit.cones],
        "reached": None if audit.reached is None else _spread(audit.reached),
        "degrees": [_degrees(degrees) for degrees in audit.degrees],
        "parts": None if audit.parts is None else list(audit.parts),
        "dead": neurons.dead,
        "linear": neurons.linear,
        "passing": neurons.passing,
        "duplicate": neurons.duplicate,
        "neurons_exact": neurons.exact,
        "missing": [
            {
                "output": path.output,
                "feature": path.feature,
                "counterexample": counterexample_object(path.counterexample),
            }
            for path in audit.missing
        ],
    }


def _degrees(degrees: Degrees) -> dict[str, Any]:
    return {"name": degrees.name, "fan_in": _spread(degrees.fan_in), "fan_out": _spread(degrees.fan_out)}


def _spread(spread: Spread) -> list[int]:
    return [spread.least, spread.middle, spread.most]


def _disturbed(found: Disturbed) -> dict[str, Any]:
    return {
        "output": found.output,
        "channel": found.channel,
        "shared": found.shared,
        "partner": found.partner,
        "margin": None if found.margin is None else exact_text(found.margin),
        "side": found.side,
        "worst": point_object(found.worst),
        "interferers": list(found.interferers),
    }
