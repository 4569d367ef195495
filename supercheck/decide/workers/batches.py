"""Batches: some outputs of one question, put to one engine, as a value that travels; and how they are cut by cost.

How outputs fall into batches depends on the question alone, never on who decides them: so an interrupted run goes on
with any other number of workers.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from supercheck.base.version import __version__
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Decision, Unknown
from supercheck.decide.engines import Engine
from supercheck.decide.limits import Clock, Limits

TARGET = 10**10
"""Multiplications that a batch should cost: about two seconds of one core."""

OVERHEAD = 8
"""How many times what a sweep costs for all its outputs together a batch of it has to cost for each of them."""

_POSED: list[Claims] = []  # in a process that decides batches: the question


@dataclass(frozen=True)
class Batch:
    """What one process is asked at a time.

    Attributes:
        network: the beginning of the network's digest.
        engine: what decides it.
        outputs: which outputs, ascending.
        max_active: the sparsity that is asked about.
        errors: by how much a float32 evaluation of each may be off; None where the question is of real numbers.
        limits: those of the run, for one worker.
        seconds: what is left of the time; None: no deadline.
    """

    network: str
    engine: Engine
    outputs: tuple[int, ...]
    max_active: int
    errors: tuple[Fraction, ...] | None
    limits: Limits
    seconds: float | None

    @property
    def name(self) -> str:
        """For a reader, such as the one of Dask's dashboard."""
        return f"verify-{self.engine.name}-{self.network}-outputs-{self.outputs[0]}-{self.outputs[-1]}"

    @property
    def meaning(self) -> str:
        """What its answer depends on beside the question that everybody knows, as the digest of its text."""
        errors = None if self.errors is None else [str(error) for error in self.errors]
        asked = [self.limits.margins, self.limits.nodes, self.max_active, errors, self.outputs]
        return hashlib.sha256(json.dumps([__version__, self.engine.name, *asked]).encode()).hexdigest()


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
    found = [decision for some in batch.engine.decide(claims, batch.outputs, batch.limits, clock) for decision in some]
    lost = batch.engine.outside and any(isinstance(decision, Unknown) for decision in found)
    return Answer(found, not (lost or clock.over))


def cut(engine: Engine, claims: Claims, outputs: Sequence[int], limits: Limits) -> Iterator[tuple[int, ...]]:
    """Cut outputs into batches that should take some seconds each.

    Args:
        engine: what decides them.
        claims: the question.
        outputs: which outputs.
        limits: nodes.
    """
    ordered = sorted(outputs)
    price = engine.price(claims, ordered, limits)
    least = int(-(-OVERHEAD * price.once // price.each[0])) if price.once else 1
    batch: list[int] = []
    spent = 0.0
    for i, each in zip(ordered, price.each if price.once else price.alone or price.each, strict=True):
        if batch and len(batch) >= least and spent + each > TARGET:
            yield tuple(batch)
            batch, spent = [], 0.0
        batch.append(i)
        spent += each
    if batch:
        yield tuple(batch)
