"""Everything that an audit found, in one record: what a network costs beside what theory says of such a task."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

import numpy as np

from supercheck.analysis.costs.counts import Counts
from supercheck.analysis.costs.floors.bounds import Construction, Form
from supercheck.analysis.costs.floors.classes import FunctionClass
from supercheck.analysis.costs.floors.floor import Floor
from supercheck.analysis.costs.floors.networks import MissingPath
from supercheck.analysis.costs.floors.representing import Code
from supercheck.analysis.costs.interference import Interference
from supercheck.analysis.costs.wiring import Influence
from supercheck.base.display import Shown
from supercheck.base.matrix import Array, Rows
from supercheck.base.numbers import exact_text
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Counterexample, Verdict
from supercheck.claims.result import Provenance, Result
from supercheck.spec.expressions import evaluate_limit
from supercheck.spec.spec import Spec

MEASURED: Mapping[str, Callable[[Counts], float]] = {
    "max_neurons": lambda counts: counts.neurons,
    "max_width": lambda counts: counts.width,
    "max_edges": lambda counts: counts.edges,
    "max_parameters": lambda counts: counts.parameters,
    "max_bits": lambda counts: counts.bits,
    "max_weight": lambda counts: counts.largest,
}
"""What each limit of a spec's `[audit]` limits."""

TELLING = 0.75
"""A share of the bits from which on a readout or a code is worth a note."""


@dataclass(frozen=True)
class Check:
    """A limit of the spec's `[audit]`, beside what was measured.

    Attributes:
        name: which limit.
        limit: as the spec writes it.
        value: what that is.
        measured: the network's figure.
    """

    name: str
    limit: str
    value: Decimal
    measured: float

    @property
    def kept(self) -> bool:
        """Whether the limit is kept; compared exactly."""
        return Decimal(self.measured) <= self.value


def checks(spec: Spec, counts: Counts, max_active: int) -> tuple[Check, ...]:
    """The limits of a spec's `[audit]`, each with its value and the measured figure.

    Raises:
        InputError: if a limit has no value.
    """
    values = {"m": counts.features, "k": max_active, "outputs": counts.outputs}
    found = []
    for name, limit in spec.audit.items():
        value = evaluate_limit(limit, values)
        found.append(Check(name, limit if isinstance(limit, str) else exact_text(limit), value, MEASURED[name](counts)))
    return tuple(found)


@dataclass(frozen=True)
class Spread:
    """Least, middle and largest of some counts."""

    least: int
    middle: int
    most: int

    @classmethod
    def of(cls, counts: Array) -> Spread:
        """Of any integers; zeros where there are none."""
        if not len(counts):
            return cls(0, 0, 0)
        ordered = np.sort(counts)
        return cls(int(ordered[0]), int(ordered[(len(ordered) - 1) // 2]), int(ordered[-1]))


@dataclass(frozen=True)
class Degrees:
    """How many edges enter each row of a matrix, and leave each column."""

    name: str
    fan_in: Spread
    fan_out: Spread

    @classmethod
    def of(cls, name: str, rows: Rows) -> Degrees:
        """Of one matrix."""
        return cls(name, Spread.of(np.diff(rows.indptr)), Spread.of(np.bincount(rows.indices, minlength=rows.width)))


@dataclass(frozen=True)
class Neurons:
    """What the neurons do on the domain.

    Attributes:
        dead: how many are always 0.
        linear: how many never cut anything off, so that they are linear.
        passing: how many of those only pass on one input.
        duplicate: how many repeat another neuron of their layer, up to a positive factor.
        exact: whether dead and linear ones were all found; else there may be more beyond the first layer.
    """

    dead: int
    linear: int
    passing: int
    duplicate: int
    exact: bool


@dataclass(frozen=True)
class Representing:
    """What it costs merely to represent the features so that inner products read them.

    Attributes:
        coherence: below it, codes are told apart.
        enough: a dimension that is enough for that.
        needed: the least dimension in which codes can be so incoherent.
        code: how well the fixed encoder does it, if there is one.
    """

    coherence: Fraction
    enough: int
    needed: int
    code: Code | None


@dataclass(frozen=True, eq=False, repr=False)
class Audit(Shown):
    """What an audit found.

    Attributes:
        claims: the question.
        counts: what the network costs, block by block.
        of_class: the class that its functions belong to, if there is one.
        floors: every bound that applies, beside what was measured.
        limits: those of the spec.
        forms: the paper's asymptotic forms with the network's constants; where they do not apply, none.
        formless: why they do not apply; None where they do.
        constructions: what constructions of the same functions cost.
        representing: what representing the features costs.
        influence: of features on outputs, by the functions.
        cones: features, then neurons of each layer, that reach an output; empty where that was too much.
        reached: outputs that a feature reaches; None where that was too much.
        degrees: fan-in and fan-out, matrix by matrix.
        neurons: what the neurons do.
        parts: sizes of the connected parts, largest first; None where no graph was built.
        missing: outputs without a path from a feature that they depend on; each refutes the network.
        interference: overlaps of channels and worst interferers.
        arithmetic: "real" or "float32"; what the wiring alone refutes is wrong in real arithmetic.
        result: the verdict, where the question was also decided.
        undecided: why it was not.
        left_out: what this audit left out, one sentence each.
        source: where network and spec came from.
        seconds: load, decide, audit, total.
    """

    claims: Claims
    counts: Counts
    of_class: FunctionClass | None
    floors: tuple[Floor, ...]
    limits: tuple[Check, ...]
    forms: tuple[Form, ...]
    constructions: tuple[Construction, ...]
    representing: Representing
    influence: Influence
    cones: tuple[Spread, ...]
    reached: Spread | None
    degrees: tuple[Degrees, ...]
    neurons: Neurons
    parts: tuple[int, ...] | None
    missing: tuple[MissingPath, ...]
    interference: Interference | None
    arithmetic: str = "real"
    formless: str | None = None
    result: Result | None = None
    undecided: str | None = None
    left_out: tuple[str, ...] = ()
    source: Provenance = field(default_factory=Provenance)
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def kept(self) -> bool:
        """Whether every limit of the spec is kept."""
        return all(limit.kept for limit in self.limits)

    @property
    def verdict(self) -> Verdict | None:
        """The verdict, as far as there is one: by the engines, or by a missing path alone."""
        if self.result is not None and self.result.verdict is not Verdict.UNKNOWN:
            return self.result.verdict
        if self.missing and self.arithmetic == "real":
            return Verdict.REFUTED
        return None if self.result is None else self.result.verdict

    @property
    def counterexample(self) -> Counterexample | None:
        """The replayed counterexample, where the network is refuted."""
        if self.result is not None and self.result.smallest is not None:
            return self.result.smallest
        return self.missing[0].counterexample if self.missing else None

    @property
    def binding(self) -> tuple[Floor, ...]:
        """The floors that bind."""
        return tuple(floor for floor in self.floors if floor.binds)

    def notes(self) -> Iterator[str]:
        """What stands out, one sentence each."""
        yield from _notes(self)


def _notes(audit: Audit) -> Iterator[str]:
    counts, neurons = audit.counts, audit.neurons
    total = sum(block.bits for block in counts.blocks)
    for block in counts.blocks:
        share = block.bits / total if total else 0
        if share > TELLING and block.name != "hidden":
            owner = "fixed " if block.fixed else ""
            yield f"{share:.0%} of all bits sit in the {owner}{block.name}: look for the computation there."
    if counts.neurons and neurons.linear == counts.neurons:
        kind = "only passes a feature on" if neurons.passing == counts.neurons else "is linear on this domain"
        yield f"Every neuron {kind}: the ReLUs compute nothing, the readout does."
    elif neurons.linear:
        passing = f"{neurons.passing:,} only pass one input on"
        yield f"{neurons.linear:,} of {counts.neurons:,} neurons are always active, so linear; {passing}."
    if counts.neurons and not counts.parameters:
        where = "whatever depends on the function is in the fixed codes"
        yield f"The network's own weights are multiples of the identity: {where}."
    for name, number in (("Dead neurons", neurons.dead), ("Duplicate neurons", neurons.duplicate)):
        if number:
            yield f"{name}: {number:,} of {counts.neurons:,}."
    for path in audit.missing[:3]:
        on = " ".join(f"x{j}" for j in path.counterexample.active) or "nothing"
        wrong = f"refuted by the wiring alone, for instance with {on} on"
        yield f"No path leads from x{path.feature} to y{path.output}, which depends on it: {wrong}."
    for floor in audit.floors:
        if floor.kind == "class" and floor.unit == "bits" and (spare := (floor.floor or 0) - counts.bits) >= 2:
            part = f"at most a part 2^-{int(spare)} of the class has so short a code"
            given = "with numbers of edges, values, biases and fixed codes given beforehand"
            yield f"The code is {spare:.1f} bits below the floor of the class: {given}, {part}."
        if floor.missed:
            figures = f"{floor.measured:g} {floor.unit} lie below a floor of {floor.floor:g}"
            yield f"{floor.name}: {figures}, so the network cannot be right."
    for floor in audit.binding:
        if floor.measured == floor.floor and floor.kind == "this function":
            shape = "that computes this function" if floor.unit != "edges" else "of this shape that is right"
            yield f"{floor.name}: slack 1.0, so no network {shape} has fewer {floor.unit}."
