"""supercheck: exact verdicts on computation in superposition.

`verify(network, spec)` proves or refutes that a saved ReLU network computes given Boolean feature functions
on every input with at most k of its features on. Everything else is imported when it is first used, so that
`import supercheck` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from supercheck.base.version import __version__ as __version__

if TYPE_CHECKING:
    from supercheck.analysis.costs.floors.bounds import Bounds, bounds
    from supercheck.analysis.costs.result import Audit
    from supercheck.analysis.explore.result import Exploration
    from supercheck.api.audit import audit
    from supercheck.api.build import build
    from supercheck.api.check import check_certificate
    from supercheck.api.explore import explore
    from supercheck.api.prune import prune
    from supercheck.api.verify import verify
    from supercheck.base.errors import FaultError, InputError, OverdueError, SupercheckError
    from supercheck.claims.evidence import Counterexample, Verdict
    from supercheck.claims.result import Result
    from supercheck.construct.pruning.result import Pruning
    from supercheck.construct.result import Building
    from supercheck.decide.limits import Limits
    from supercheck.network.formats.load import load
    from supercheck.network.formats.sequential import from_torch
    from supercheck.network.network import Network
    from supercheck.spec.domain import KSparse
    from supercheck.spec.formula import AtLeast, Not, Var, Xor, gate
    from supercheck.spec.read import read_spec
    from supercheck.spec.readout import Readout
    from supercheck.spec.spec import Spec
    from supercheck.spec.syntax import parse

_HOMES = {
    "AtLeast": "spec.formula",
    "Audit": "analysis.costs.result",
    "Bounds": "analysis.costs.floors.bounds",
    "Building": "construct.result",
    "Counterexample": "claims.evidence",
    "Exploration": "analysis.explore.result",
    "FaultError": "base.errors",
    "InputError": "base.errors",
    "KSparse": "spec.domain",
    "Limits": "decide.limits",
    "Network": "network.network",
    "Not": "spec.formula",
    "OverdueError": "base.errors",
    "Pruning": "construct.pruning.result",
    "Readout": "spec.readout",
    "Result": "claims.result",
    "Spec": "spec.spec",
    "SupercheckError": "base.errors",
    "Var": "spec.formula",
    "Verdict": "claims.evidence",
    "Xor": "spec.formula",
    "audit": "api.audit",
    "bounds": "analysis.costs.floors.bounds",
    "build": "api.build",
    "check_certificate": "api.check",
    "explore": "api.explore",
    "from_torch": "network.formats.sequential",
    "gate": "spec.formula",
    "load": "network.formats.load",
    "parse": "spec.syntax",
    "prune": "api.prune",
    "read_spec": "spec.read",
    "verify": "api.verify",
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
