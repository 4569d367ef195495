"""Batches: some outputs of one question, put to one engine, as a value that travels; and how they are cut by cost.

How outputs fall into batches depends on the question alone, never on who decides them: so an interrupted run goes on
with any other number of workers.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from supercheck.base.version import __version__
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Decision, Verdict
from supercheck.decide.enumeration import costs, shares
from supercheck.decide.limits import Clock, Limits

Work = Callable[[Claims, Sequence[int], Limits, Clock], Iterator[list[Decision]]]
"""An engine, or what else decides outputs; has to be importable, for it travels by its name."""

NODE = 800
"""Multiplications that a node of branch and bound costs for each weight of a cone: 200, for about four cases."""

TARGET = 10**10
"""Multiplications that a batch should cost: about two seconds of one core."""

EXPECTED = 1 << 5
"""Nodes that branching is expected to need for each case of an output: most need few, a few need thousands."""

ASKED = 4
"""Outputs in a batch for Z3, whose cost nobody knows."""

OVERHEAD = 8
"""How many times what a sweep costs for all its outputs together a batch of it has to cost for each of them."""

_POSED: list[Claims] = []  # in a process that decides batches: the question


@dataclass(frozen=True)
class Batch:
    """What one process is asked at a time.

    Attributes:
        network: the beginning of the network's digest.
        work: the name of what decides it: an engine's, or another.
        run: what decides it.
        outputs: which outputs, ascending.
        max_active: the sparsity that is asked about.
        errors: by how much a float32 evaluation of each may be off; None where the question is of real numbers.
        limits: those of the run, for one worker.
        seconds: what is left of the time; None: no deadline.
    """

    network: str
    work: str
    run: Work
    outputs: tuple[int, ...]
    max_active: int
    errors: tuple[Fraction, ...] | None
    limits: Limits
    seconds: float | None

    @property
    def name(self) -> str:
        """For a reader, such as the one of Dask's dashboard."""
        return f"verify-{self.work}-{self.network}-outputs-{self.outputs[0]}-{self.outputs[-1]}"

    @property
    def meaning(self) -> str:
        """What its answer depends on beside the question that everybody knows, as the digest of its text."""
        errors = None if self.errors is None else [str(error) for error in self.errors]
        told = [__version__, self.work, self.limits.margins, self.limits.nodes, self.max_active, errors, self.outputs]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


@dataclass(frozen=True)
class Answer:
    """What a process says to a batch.

    Attributes:
        decisions: one an output.
        complete: whether asking again could not tell more: no deadline and no lost solver has left anything open.
        version: of who says so.
    """

    decisions: list[Decision]
    complete: bool
    version: str = field(default=__version__)


def posed(claims: Claims) -> bytes:
    """A question as it travels: without what only reports need, and without what can be found out of it again."""
    network = replace(claims.network, notes=(), stored=())
    return pickle.dumps(replace(claims, own=network, network=network, assumptions=(), errors=None))


def pose(question: bytes) -> None:
    """Make a question that of this process."""
    _POSED[:] = [pickle.loads(question)]  # noqa: S301 - from whoever started this process


def solve(batch: Batch) -> Answer:
    """Decide a batch of this process's question, in this process."""
    return solved(_POSED[-1], batch)


def solved(claims: Claims, batch: Batch) -> Answer:
    """Decide a batch of a question."""
    if batch.max_active != claims.domain.max_active:
        claims = claims.at_most(batch.max_active)
    if batch.errors is not None:
        errors = [Fraction(0)] * len(claims)
        for i, error in zip(batch.outputs, batch.errors, strict=True):
            errors[i] = error
        claims = claims.within(errors)
    end = float("inf") if batch.seconds is None else time.monotonic() + batch.seconds
    clock = Clock(batch.limits.timeout, end)
    found = [decision for some in batch.run(claims, batch.outputs, batch.limits, clock) for decision in some]
    lost = batch.work == "z3" and any(decision.verdict is Verdict.UNKNOWN for decision in found)
    return Answer(found, not (lost or clock.over))


def cut(work: str, claims: Claims, outputs: Sequence[int], limits: Limits) -> Iterator[tuple[int, ...]]:
    """Cut outputs into batches that should take some seconds each.

    Args:
        work: the name of an engine, or of what else decides them.
        claims: the question.
        outputs: which outputs.
        limits: nodes.
    """
    ordered = sorted(outputs)
    prices, least = _priced(work, claims, ordered, limits)
    batch: list[int] = []
    spent = 0.0
    for i, price in zip(ordered, prices, strict=True):
        if batch and len(batch) >= least and spent + price > TARGET:
            yield tuple(batch)
            batch, spent = [], 0.0
        batch.append(i)
        spent += price
    if batch:
        yield tuple(batch)


def _priced(work: str, claims: Claims, outputs: Sequence[int], limits: Limits) -> tuple[Sequence[float], int]:
    """What each output costs, in multiplications, and how many a batch holds at least."""
    if work == "z3":
        return [TARGET / ASKED] * len(outputs), 1
    if work == "enumerate":
        once, each = shares(claims, outputs)
        if each:
            return [float(each)] * len(outputs), -(-OVERHEAD * once // each)
        own = costs(claims)
        return [float(min(own[i], TARGET)) for i in outputs], 1
    nodes = 1 if work == "bound" else min(EXPECTED, limits.nodes)
    weights = claims.network.weights[np.asarray(outputs, dtype=np.int64)]
    return (NODE * nodes * np.maximum(1.0, weights)).tolist(), 1
