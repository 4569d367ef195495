"""supercheck: exact verdicts on computation in superposition.

`verify(network, spec)` proves or refutes that a saved ReLU network computes given Boolean feature functions
on every input with at most k of its features on. Everything else is imported when it is first used, so that
`import supercheck` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from supercheck.auditing import audit, bounds
    from supercheck.boolean import AtLeast, Not, Var, Xor, gate
    from supercheck.building import Building, build
    from supercheck.confirming import check_certificate
    from supercheck.decide import Limits
    from supercheck.domain import KSparse
    from supercheck.errors import FaultError, InputError, OverdueError, SupercheckError
    from supercheck.evidence import Counterexample, Verdict
    from supercheck.exploration.record import Exploration
    from supercheck.exploring import explore
    from supercheck.findings import Audit
    from supercheck.floors.bounds import Bounds
    from supercheck.formats import load
    from supercheck.formats.sequential import from_torch
    from supercheck.network import Network
    from supercheck.pruning import Pruning, prune
    from supercheck.results import Result
    from supercheck.spec import Readout, Spec, read_spec
    from supercheck.syntax import parse
    from supercheck.verifying import verify

_HOMES = {
    "AtLeast": "boolean",
    "Audit": "findings",
    "Bounds": "floors.bounds",
    "Building": "building",
    "Counterexample": "evidence",
    "Exploration": "exploration.record",
    "FaultError": "errors",
    "InputError": "errors",
    "KSparse": "domain",
    "Limits": "decide",
    "Network": "network",
    "Not": "boolean",
    "OverdueError": "errors",
    "Pruning": "pruning",
    "Readout": "spec",
    "Result": "results",
    "Spec": "spec",
    "SupercheckError": "errors",
    "Var": "boolean",
    "Verdict": "evidence",
    "Xor": "boolean",
    "audit": "auditing",
    "bounds": "auditing",
    "build": "building",
    "check_certificate": "confirming",
    "explore": "exploring",
    "from_torch": "formats.sequential",
    "gate": "boolean",
    "load": "formats",
    "parse": "syntax",
    "prune": "pruning",
    "read_spec": "spec",
    "verify": "verifying",
}

__all__ = [
    "AtLeast", "Audit", "Bounds", "Building", "Counterexample", "Exploration", "FaultError", "InputError", "KSparse",
    "Limits", "Network", "Not", "OverdueError", "Pruning", "Readout", "Result", "Spec", "SupercheckError", "Var",
    "Verdict", "Xor", "audit", "bounds", "build", "check_certificate", "explore", "from_torch", "gate", "load", "parse",
    "prune", "read_spec", "verify",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
