"""The engines: one table. Nothing else in supercheck names one.

A newcomer adds an engine with a module here that has `decide` and `price`, and a row in `ENGINES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from supercheck.base.numbers import plural
from supercheck.claims.evidence import Decision, Extremes, Point, Proved, Refuted, Unknown

if TYPE_CHECKING:  # the table of names is asked for by whoever only wants help
    from supercheck.claims.claims import Claims
    from supercheck.decide.limits import Clock, Limits

    Work = Callable[[Claims, Sequence[int], Limits, Clock], Iterator[list[Decision]]]

NODE = 800
"""Multiplications that a node of branch and bound costs for each weight of a cone: 200, for about four cases."""

UNAFFORDABLE = 1 << 100

CHEAP = 2 * 10**8
"""Multiplications that a complete engine may cost before anything else is tried: about 10^10 a second on two cores."""


@dataclass(frozen=True)
class Price:
    """What an engine is expected to cost, in multiplications, or work that takes as long.

    Attributes:
        each: for each output.
        once: for all that are asked about together.
        alone: for each output if nothing else is asked about, where that is not `each`.
    """

    each: Sequence[float]
    once: float = 0.0
    alone: Sequence[float] = ()

    @property
    def total(self) -> float:
        """For all of them."""
        return self.once + sum(self.each)


@dataclass(frozen=True)
class Engine:
    """What decides outputs; a value that travels to other processes by the name of its module.

    Attributes:
        name: what users call it.
        work: a module with `decide` and maybe `price`, imported when it is first asked; or the former, which may have
            the latter as an attribute.
        any_value: whether it answers for features of any values, not only where they are an image of ones and zeros.
        complete: whether it decides every output that it is asked about, at a price that is known beforehand.
        capped: whether it spends on each output what `Limits.nodes` says, and leaves the rest open.
        layers: of how many hidden layers a network has to be; None: any.
        outside: whether it asks processes that may be lost, so that another attempt may tell more.
    """

    name: str
    work: str | Work
    any_value: bool = False
    complete: bool = False
    capped: bool = False
    layers: int | None = None
    outside: bool = False

    @property
    def _home(self) -> Any:
        return import_module(self.work) if isinstance(self.work, str) else self.work

    @property
    def ours(self) -> bool:
        """Whether its code is this package's, which a digest of that speaks for."""
        return isinstance(self.work, str) and self.work.startswith("supercheck.")

    def supports(self, claims: Claims) -> str | None:
        """Why it cannot answer a question; None where it can."""
        binary = claims if self.any_value else claims.binary
        if binary is None:
            return f"{self.name} does not answer for features that are {claims.domain}"
        layers = len(claims.network.hidden)
        if self.layers is not None and layers != self.layers:
            return f"{self.name} is for networks with {plural(self.layers, 'hidden layer')}"
        return None

    def price(self, claims: Claims, outputs: Sequence[int], limits: Limits) -> Price:
        """What it is expected to cost; a node for each weight of an output's cone where it does not say."""
        binary = claims if self.any_value else claims.binary
        if binary is None:
            return Price([float(UNAFFORDABLE)] * len(outputs))
        known = getattr(self._home, "price", None)
        if known is None:
            return by_nodes(binary, outputs, 1)
        price: Price = known(binary, outputs, limits)
        return price

    def decide(self, claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[list[Decision]]:
        """Decide some outputs.

        Args:
            claims: the question.
            outputs: which outputs.
            limits: workers, nodes, whether margins are wanted.
            clock: the deadline; what it leaves is unknown.

        Yields:
            One decision an output, a list of them at a time; unknown, with the reason, where it cannot answer.
        """
        work: Work = self._home.decide if isinstance(self.work, str) else self.work
        binary, reason = claims if self.any_value else claims.binary, self.supports(claims)
        if binary is None or reason is not None:
            yield [Unknown(i, reason or "") for i in outputs]
        elif binary is claims:
            yield from work(claims, outputs, limits, clock)
        else:
            for decisions in work(binary, outputs, limits, clock):
                yield [_translated(claims, decision) for decision in decisions]


def _translated(claims: Claims, decision: Decision) -> Decision:
    """A decision about ones and zeros as one about the features that these stand for, without its proof."""
    if isinstance(decision, Unknown):
        return decision
    of, extremes = claims.domain.of_active, decision.extremes
    if extremes is not None:
        on, off = (None if p is None else Point(of(p.active), p.value) for p in (extremes.on, extremes.off))
        extremes = Extremes(on, off)
    if isinstance(decision, Proved):
        return Proved(decision.output, extremes)
    against = None if decision.against is None else of(decision.against.active)
    return Refuted(decision.output, of(decision.witness.active), against, decision.minimal, extremes)


def by_nodes(claims: Claims, outputs: Sequence[int], nodes: int) -> Price:
    """The price of so many nodes for each case of an output."""
    import numpy as np

    weights = claims.network.weights[np.asarray(outputs, dtype=np.int64)]
    return Price((NODE * nodes * np.maximum(1.0, weights)).tolist())


BOUND = Engine("bound", "supercheck.decide.bound")
BRANCH = Engine("branch", "supercheck.decide.branch", capped=True)
ENUMERATE = Engine("enumerate", "supercheck.decide.enumeration", complete=True)
SLOTS = Engine("slots", "supercheck.decide.slots", capped=True, layers=1)
Z3 = Engine("z3", "supercheck.decide.smt", any_value=True, outside=True)

ENGINES: dict[str, Engine] = {engine.name: engine for engine in (BOUND, ENUMERATE, SLOTS, BRANCH, Z3)}
"""Every engine by its name. The portfolio asks them in this order, after any that is complete and cheap; a capped one
after what is complete, and before it for as long as that would take."""

AUTO = "auto"
"""What stands for the portfolio where an engine is named."""


def cheapest(claims: Claims, outputs: Sequence[int], limits: Limits) -> Engine | None:
    """The engine that decides all of some outputs for certain and cheaply, if there is one."""
    able = [engine for engine in ENGINES.values() if engine.complete and engine.supports(claims) is None]
    return next((engine for engine in able if engine.price(claims, outputs, limits).total <= CHEAP), None)


def searcher(claims: Claims) -> Engine:
    """The engine for a question that may only spend so many nodes on each output, and leave the rest open."""
    return next(engine for engine in (SLOTS, BRANCH) if engine.layers in (None, len(claims.network.hidden)))
