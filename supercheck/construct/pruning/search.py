"""Fewer neurons, edges and bits, each step proved: what can go is tried by halves, what is left one by one.

1. Neurons, then edges, those that can move an output least first. A group goes if the question stays proved; else its
halves are tried, down to single ones. What goes may leave behind, in a bias, what it adds where all inputs are 0.
2. Weights are rounded to as few binary digits as stay proved, first all layers alike, then each by itself, and values
that a matrix can do without are replaced by their neighbours. 3. All over again, until nothing goes: then every neuron
and every edge that is left has been tried by itself on what is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from supercheck.analysis.costs.counts import Counts, count
from supercheck.analysis.costs.wiring import states
from supercheck.claims.claims import Claims
from supercheck.construct.pruning import edits as trimming, ranking, rounding
from supercheck.construct.pruning.edits import Edge, Layers
from supercheck.construct.pruning.floats import Kind
from supercheck.construct.pruning.prover import Prover, Refusal
from supercheck.decide.limits import Clock, DeadlineError, Progress, quiet
from supercheck.decide.portfolio import INTERRUPTED
from supercheck.network.layers import Affine, Neuron
from supercheck.network.network import Network

MOST_BITS = 24
"""Binary digits of a weight from which on rounding saves nothing worth having: those of a float32."""

_FINER = 3  # binary digits by which hidden biases may be finer than weights

_MOST_VALUES = 256  # of a matrix, to be looked at one by one

_MOST_CELLS = 1 << 23  # of matrices that are multiplied

_PHASES = {"neurons": (0.0, 0.1), "edges held": (0.1, 0.4), "edges": (0.4, 0.7), "digits": (0.7, 1.0)}
"""Which part of a pass each takes, roughly."""

Price = tuple[int, int, float]
"""Edges, neurons, bits: what is to fall, the first before the others."""

Part = TypeVar("Part", Edge, Neuron)


@dataclass(frozen=True, eq=False, repr=False)
class Pruned:
    """What is left of a network, and why.

    Attributes:
        layers: those that are left.
        before: what it cost.
        after: what it costs.
        neurons: why each neuron has to stay that was tried by itself.
        edges: the same of edges.
        reason: why not all that is left was tried; None where it was.
        tried: how many steps were looked at.
    """

    layers: Layers
    before: Counts
    after: Counts
    neurons: Mapping[Neuron, Refusal]
    edges: Mapping[Edge, Refusal]
    reason: str | None
    tried: int


def prune(
    claims: Claims,
    codes: tuple[Affine | None, Affine | None],
    arithmetic: str,
    clock: Clock,
    progress: Progress = quiet,
    *,
    kind: Kind | None = None,
) -> Pruned:
    """Take away all that can go.

    Args:
        claims: the question, which is proved.
        codes: the fixed encoder and decoder, none of which is changed.
        arithmetic: "real" or "float32".
        clock: the deadline; what is proved until then, or until Ctrl-C, is kept.
        progress: told how far it is in percent, which pass and which phase of it this is.
        kind: the floats that have to hold every number; None where any rational will do.
    """
    search = _Search(Prover(claims, codes, arithmetic, clock), trimming.layered(claims.own), kind, progress)
    given, reason = search.layers, None
    try:
        search.run()
    except DeadlineError:
        reason = clock.reason
    except KeyboardInterrupt:
        reason = INTERRUPTED
    left = trimming.compact(search.layers)
    before, after = (count(Network.of(layers), *codes) for layers in (given, left))
    neurons, edges = ({}, {}) if reason else (search.neurons, search.edges)
    return Pruned(left, before, after, neurons, edges, reason, search.prover.tried)


@dataclass
class _Search:
    """The network as far as it is proved, and what is known of what cannot go."""

    prover: Prover
    layers: Layers
    kind: Kind | None
    progress: Progress
    neurons: dict[Neuron, Refusal] = field(default_factory=dict)
    edges: dict[Edge, Refusal] = field(default_factory=dict)
    passes: int = 0
    strict: bool = False  # whether a step has to cost less as floats hold it, not only before it is rounded to them
    priced: Layers = ()
    price: Price = (0, 0, 0.0)

    def run(self) -> None:
        """Take away until nothing goes."""
        self._attempt(trimming.cleared(self.layers))
        self._fold()
        first = True
        while True:
            before = self.layers = trimming.compact(self.layers)
            self.passes += 1
            self.neurons, self.edges = {}, {}
            self._step(trimming.merged(self.layers))
            self._shed("neurons", ranking.neurons(self.layers), trimming.stood_still, self.neurons, halves=first)
            self._shed("edges held", self._biasing(every=first), trimming.held, {}, halves=first)
            self._shed("edges", ranking.edges(self.layers), trimming.without, self.edges, halves=False)
            self._round()
            if self.layers is before:
                return
            first, self.strict = False, self.strict or _price(self.layers) >= _price(before)

    def _biasing(self, *, every: bool) -> list[Edge]:
        """The edges that add something where all inputs are 0, or every one."""
        rest = trimming.resting(self.layers)
        return [edge for edge in ranking.edges(self.layers) if every or rest[edge[0]][edge[2]]]

    def _fold(self) -> None:
        """Multiply hidden layers that are linear on the domain into the next ones, where that adds no edge."""
        depth = 0
        while depth < len(self.layers) - 1:
            linear = states(self.prover.whole(self.layers), self.prover.claims.cube)[depth].linear.all()
            small = _cells(self.layers[depth], self.layers[depth + 1]) <= _MOST_CELLS
            depth += not (linear and small and self._step(trimming.folded(self.layers, depth)))

    def _shed(
        self,
        what: str,
        parts: Sequence[Part],
        change: Callable[[Layers, Sequence[Part]], Layers],
        kept: dict[Part, Refusal],
        *,
        halves: bool,
    ) -> None:
        """Take away as many of some parts as can go, a group at a time; note why each of the others stays."""
        done = 0

        def shed(group: Sequence[Part], objection: Refusal | None = None) -> bool:
            nonlocal done
            objection = objection or self._attempt(change(self.layers, group))
            if objection is None or len(group) == 1:
                done += len(group)
                self._tell(what, done, len(parts))
            if objection is None:
                return True
            if len(group) == 1:
                kept[group[0]] = objection
                return False
            half = len(group) // 2
            left = shed(group[:half])
            return shed(group[half:], objection if left else None) and left

        if halves and parts:
            shed(parts)
        else:
            for part in parts:
                shed([part])

    def _round(self) -> None:
        """Spend fewer binary digits, and fewer different values."""
        depths = range(len(self.layers))
        digits = [partial(self._spend_fewest_digits, chosen) for chosen in (depths, *([depth] for depth in depths))]
        steps = [*digits, *(partial(self._merge_values, depth) for depth in depths)]
        for done, step in enumerate(steps):
            self._tell("digits", done, len(steps))
            step()

    def _spend_fewest_digits(self, depths: Sequence[int]) -> None:
        """Round some layers, to the fewest digits that stay proved."""
        for digits in range(MOST_BITS):
            bits = [digits if depth in depths else None for depth in range(len(self.layers))]
            for finer in (0, _FINER):
                smaller = self._priced(rounding.rounded(self.layers, bits, finer))
                if smaller is None or not self._saves(smaller):
                    if not finer:  # nor would more digits
                        return
                elif self._attempt(smaller) is None:
                    return

    def _merge_values(self, depth: int) -> None:
        """Replace values of a matrix, the rarest first, by a neighbour."""
        counts = Counter(self._values(depth))
        if len(counts) > _MOST_VALUES:
            return
        for value in sorted(counts, key=lambda value: (counts[value], abs(value), value)):
            others = set(self._values(depth)) - {value}
            for other in sorted(others, key=lambda other: (abs(other - value), abs(other)))[:2]:
                if self._step(rounding.respelled(self.layers, depth, value, other)):
                    break

    def _values(self, depth: int) -> list[int]:
        values: list[int] = rounding.integers(self.layers)[depth].data.tolist()
        return values

    def _tell(self, phase: str, done: int, total: int) -> None:
        """Say how far it is: a pass takes half of what is left, so that this goes forward, however many there are."""
        begin, end = _PHASES[phase]
        part = 1 - 0.5**self.passes * (2 - begin - (end - begin) * done / total)
        self.progress(int(100 * part), 100, f"percent (pass {self.passes}, {phase})")

    def _step(self, smaller: Layers) -> bool:
        """Take a step if it costs less and is proved."""
        priced = self._priced(smaller)
        return priced is not None and self._saves(priced) and self._attempt(priced) is None

    def _priced(self, smaller: Layers) -> Layers | None:
        """The layers whose price counts: once nothing else goes, as they would be stored, else it may never end."""
        return self._held(smaller) if self.strict else smaller

    def _held(self, smaller: Layers) -> Layers | None:
        """Layers as floats hold them, where they have to; None where these do not reach so far."""
        try:
            return smaller if self.kind is None else trimming.fitted(smaller, self.kind)
        except OverflowError:
            return None

    def _saves(self, smaller: Layers) -> bool:
        """Whether smaller layers cost less."""
        if self.priced is not self.layers:
            self.priced, self.price = self.layers, _price(self.layers)
        return _price(smaller) < self.price

    def _attempt(self, smaller: Layers) -> Refusal | None:
        """Keep smaller layers if the question stays proved; else say why not."""
        prover, objection = self.prover, None
        if self.kind is not None and not trimming.fits(smaller, self.kind):
            if prover.arithmetic == "real":  # an objection is to what was asked, not to what rounding makes of it
                objection = prover.objection(self.layers, smaller)
            held = self._held(smaller)
            if held is None:
                return objection or Refusal(None, "its numbers would be past the range of floats")
            smaller = held
        objection = objection or prover.objection(self.layers, smaller)
        if objection is None:
            self.layers = smaller
        return objection


def _cells(first: Affine, then: Affine) -> int:
    """The places of two matrices and of their product."""
    height, between, width = then.weight.height, first.weight.height, first.weight.width
    return height * between + between * width + height * width


def _price(layers: Layers) -> Price:
    counts = count(Network.of(trimming.compact(layers)))
    return counts.edges, counts.neurons, counts.bits
