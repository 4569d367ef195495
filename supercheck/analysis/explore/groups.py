"""Cases by what they have in common: the output, the cause, or a symmetry of the wiring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from supercheck.analysis.costs.wiring import alike, computation
from supercheck.analysis.explore.ledger import Ledger
from supercheck.analysis.explore.result import Case, Group
from supercheck.claims.claims import Claims
from supercheck.network.layers import Neuron
from supercheck.spec.formula import support

Key = TypeVar("Key", bound=Hashable)

MOST_CASES = 400
"""Cases up to which groups by cause and symmetry are looked for."""

Cause = tuple[tuple[int, ...], tuple[Neuron, ...], tuple[Neuron, ...]]
"""The features that interfere, the neurons that they make fire, and those that they silence."""

_MOST_PARTS = 2000  # edges of a computation that is compared with others


def grouped(claims: Claims, cases: Sequence[Case], ledger: Callable[[Case], Ledger]) -> list[Group]:
    """Group cases by output, by cause and by symmetry; a group has at least two cases.

    Args:
        claims: the question.
        cases: the counterexamples.
        ledger: what makes a case's ledger.
    """
    found = _by("output", cases, lambda case: case.output, lambda key: f"y{key} is wrong")
    if len(cases) <= MOST_CASES:
        found += _by("cause", cases, lambda case: _cause(ledger(case)), _cause_name)
        found += _symmetric(claims, cases)
    return found


def _by(kind: str, cases: Sequence[Case], key: Callable[[Case], Key], name: Callable[[Key], str]) -> list[Group]:
    places: dict[Key, list[int]] = defaultdict(list)
    for place, case in enumerate(cases):
        places[key(case)].append(place)
    groups = [Group(kind, name(common), tuple(where)) for common, where in places.items() if len(where) > 1]
    return sorted(groups, key=lambda group: -len(group.places))


def _cause(found: Ledger) -> Cause:
    return found.others, found.fired, found.silenced


def _cause_name(key: Cause) -> str:
    others, fired, silenced = key
    features = " ".join(f"x{j}" for j in others) or "its own features alone"
    parts = [
        f"{verb} " + " ".join(map(str, neurons))
        for verb, neurons in (("make fire", fired), ("silence", silenced))
        if neurons
    ]
    return f"{features} {' and '.join(parts) or 'switch no neuron'}"


def _symmetric(claims: Claims, cases: Sequence[Case]) -> list[Group]:
    """Cases that are the same computation with other names; only those of equal value are compared."""
    found: list[list[int]] = []
    classes: dict[Hashable, list[list[int]]] = defaultdict(list)
    graphs = {}
    for place, case in enumerate(cases):
        same = classes[len(case.active), case.value, case.expected]
        named = support(claims.formulas[case.output])
        graphs[place] = computation(claims.network, case.output, case.active, named, most=_MOST_PARTS)
        graph = graphs[place]
        match = next((one for one in same if graph is not None and alike(graphs[one[0]], graph)), None)
        if match is not None:
            match.append(place)
        elif graph is not None:
            same.append([place])
            found.append(same[-1])
    groups = [
        Group("symmetry", "the same wiring and weights under other names", tuple(one)) for one in found if one[1:]
    ]
    return sorted(groups, key=lambda group: -len(group.places))
