"""An exploration as one JSON object, keys in the order of report/README.md, rationals in strings."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from supercheck.analysis.explore.ledger import Ledger
from supercheck.analysis.explore.radii import Radius
from supercheck.analysis.explore.repairs import Change, mends
from supercheck.analysis.explore.result import Case, Count, Exploration, Row
from supercheck.analysis.explore.sensitivity import Sensitivity
from supercheck.base.numbers import exact_text
from supercheck.report.envelope import enveloped
from supercheck.report.explore import text as explore
from supercheck.report.verify.json import arithmetic, point_object, question


def explore_object(found: Exploration) -> dict[str, Any]:
    """The object of report/README.md, "What all have in common", and what else an exploration finds."""
    held = {
        **question(found.claims, found.source),
        "profile": [_row(row) for row in found.profile],
        "counterexamples": [case_object(found, case) for case in found.cases],
        "complete": found.complete,
        "largest_k": found.largest_k,
        "verdict": found.verdict.value,
        "reason": found.result.reason,
        "arithmetic": arithmetic(found.result),
        "found": _count(found.total),
        "groups": [
            {"by": group.by, "name": group.name, "counterexamples": list(group.places)} for group in found.groups
        ],
        "sensitivity": None if found.sensitivity is None else _sensitivity(found.sensitivity),
        "left_out": list(found.left_out),
        "notes": _notes(found),
        "assumptions": [*found.claims.assumptions, *found.result.notes],
    }
    return enveloped(held, found.seconds)


def _notes(found: Exploration) -> list[str]:
    """What the text says of the verdict and the largest k that no other key does."""
    sparsity = found.result.sparsity
    known = sparsity is not None and sparsity.known
    return [*explore.notes(found.result), *([] if known else [explore.largest(found)])]


def _row(row: Row) -> dict[str, Any]:
    return {
        "k": row.k,
        "inputs": row.inputs,
        "wrong_inputs": _count(row.wrong_inputs),
        "wrong_outputs": _count(row.wrong_outputs),
        "margin_on": _rational(row.margin_on),
        "margin_off": _rational(row.margin_off),
        "inputs_exactly": row.inputs_exactly,
        "wrong_inputs_exactly": _count(row.wrong_inputs_exactly),
    }


def _count(count: Count | None) -> int | str | None:
    """An exact count is a number; any other is "at least" one."""
    return None if count is None else count.value if count.exact else f"at least {count.value}"


def case_object(found: Exploration, case: Case) -> dict[str, Any]:
    """A counterexample with its ledger."""
    return {
        "active": list(case.active),
        "output": case.output,
        "value": exact_text(case.value),
        "expected": case.expected,
        "minimum": case.minimum,
        "inclusion_minimal": case.inclusion_minimal,
        "flip_stable": case.flip_stable,
        "ledger": _ledger(found, case, found.ledger(case)),
        "against": point_object(case.against),
    }


def _ledger(found: Exploration, case: Case, ledger: Ledger) -> dict[str, Any]:
    return {
        "rows": [
            {
                "from": "bias" if entry.feature is None else f"x{entry.feature}",
                "through": None if entry.neuron is None else str(entry.neuron),
                "value": exact_text(entry.value),
            }
            for entry in ledger.entries
        ],
        "totals": {
            "bias" if source is None else f"x{source}": exact_text(ledger.total(source)) for source in ledger.sources
        },
        "own": list(ledger.own),
        "value_of_own_alone": exact_text(ledger.alone),
        "moved": [{"neuron": str(neuron), "by": exact_text(by)} for neuron, by in ledger.moved],
        "firing": [str(neuron) for neuron in ledger.firing],
        "fired_by_others": [str(neuron) for neuron in ledger.fired],
        "silenced_by_others": [str(neuron) for neuron in ledger.silenced],
        "limit": _rational(ledger.limit),
        "off_by": _rational(ledger.excess),
        "mends": [_change(change) for change in mends(found.claims, case.output, case.active, ledger)],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "what": change.what,
        "place": change.place or None,
        "now": exact_text(change.now),
        "by": exact_text(change.by),
        "past": change.past,
    }


def _sensitivity(found: Sensitivity) -> dict[str, Any]:
    return {
        "max_active": found.k,
        "together_at_least": {kind: _rational(step) for kind, step in found.together.items()},
        "single_exactly": {kind: _radius(one) for kind, one in found.single.items()},
        "weights": found.weights,
    }


def _radius(one: Radius) -> dict[str, Any]:
    return {
        "place": one.place,
        "now": exact_text(one.now),
        "radius": exact_text(one.radius),
        "output": one.output,
        "active": list(one.active),
    }


def _rational(value: Fraction | None) -> str | None:
    return None if value is None else exact_text(value)
