"""What an engine says of a question, output by output."""

from __future__ import annotations

from types import ModuleType

from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Decision, Refuted, Unknown
from supercheck.claims.replay import replay
from supercheck.decide import slots
from supercheck.decide.limits import Clock, Limits


def answers(engine: ModuleType, claims: Claims, limits: Limits = Limits()) -> dict[int, Decision]:
    found = engine.decide(claims, range(len(claims)), limits, Clock.start(None))
    return {decision.output: decision for decisions in found for decision in decisions}


def sizes(claims: Claims, decisions: dict[int, Decision]) -> list[int | None]:
    """The size of each replayed counterexample, or None where proved."""
    found: list[int | None] = []
    for i in range(len(claims)):
        decision = decisions[i]
        assert not isinstance(decision, Unknown)
        found.append(replay(claims, [decision])[0].size if isinstance(decision, Refuted) else None)
    return found


ONE, MARGINS = Limits(workers=1), Limits(workers=1, margins=True)


def by_slots(claims: Claims, limits: Limits = ONE) -> list[Decision]:
    """What the slot rule says of each output, in order."""
    found = answers(slots, claims, limits)
    return [found[i] for i in range(len(claims))]
