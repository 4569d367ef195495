"""Z3 with supercheck's own encoding: pseudo-Boolean level literals where integers are small, case by case."""

from __future__ import annotations

import time

from peers.common import Answer, Clock, Verdict
from supercheck.claims.claims import pose
from supercheck.claims.evidence import Verdict as Decided
from supercheck.decide import smt
from supercheck.network.network import Network
from supercheck.spec.spec import Spec


def decide(network: Network, spec: Spec, output: int, timeout: float) -> Answer:
    """Decide one output; whoever calls has to stop what takes longer than `timeout`."""
    clock = Clock(time.perf_counter() + timeout)
    verdicts: dict[Decided, Verdict] = {Decided.PROVED: "right", Decided.REFUTED: "wrong", Decided.UNKNOWN: "timeout"}
    with clock.solving():
        decision = smt.solve(pose(network, spec), output)
    return clock.answer(verdicts[decision.verdict])
