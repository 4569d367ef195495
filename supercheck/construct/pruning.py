"""Fewer neurons, edges and bits, each step proved: what can go is tried by halves, what is left one by one.

1. Neurons, then edges, those that can move an output least first. A group goes if the question stays proved; else its
halves are tried, down to single ones. 2. Weights are rounded to as few binary digits as stay proved, first all layers
alike, then each by itself, and values that a matrix could do without are replaced by their neighbours. 3. All over
again, until nothing goes: then every neuron and every edge that is left has been tried by itself on what is left.

Every step is decided by the engines, for the outputs that it reaches. Inputs that refuted an earlier step are tried
first, since they refute most later ones; they can only keep something from going.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from supercheck.claims import Claims
from supercheck.construct import rounding, trimming
from supercheck.construct.trimming import Edge, Layers, Neuron
from supercheck.counting import Counts, count
from supercheck.decide import CHEAP, INTERRUPTED, QUICK, Limits, unproved
from supercheck.decide.enumeration import cost
from supercheck.decide.limits import Clock
from supercheck.evaluation import totals
from supercheck.evidence import Counterexample, Decision, Verdict
from supercheck.float32 import decide_float32
from supercheck.network import Affine, Network
from supercheck.replaying import replay
from supercheck.wiring import states

MOST_BITS = 24
"""Binary digits of a weight from which on rounding saves nothing worth having: those of a float32."""

_WITNESSES = 128  # refuting inputs that are kept

_FINER = 3  # binary digits by which hidden biases may be finer than weights

Price = tuple[int, int, float]
"""Edges, neurons, bits: what is to fall, the first before the others."""

Part = TypeVar("Part", Edge, Neuron)


@dataclass(frozen=True)
class Objection:
    """Why something has to stay.

    Attributes:
        counterexample: what goes wrong without it, replayed; None where that is not known.
        reason: why it is not known that nothing does.
    """

    counterexample: Counterexample | None
    reason: str | None = None


@dataclass(frozen=True, eq=False)
class Pruned:
    """What is left of a network, and why.

    Attributes:
        given: the layers that it had.
        layers: those that are left.
        before: what it cost.
        after: what it costs.
        neurons: why each neuron has to stay that was tried by itself.
        edges: the same of edges.
        reason: why not all that is left was tried; None where it was.
        tried: how many steps were looked at.
        replayed: how many of those an earlier counterexample refuted.
    """

    given: Layers
    layers: Layers
    before: Counts
    after: Counts
    neurons: Mapping[Neuron, Objection]
    edges: Mapping[Edge, Objection]
    reason: str | None
    tried: int
    replayed: int


class LateError(Exception):
    """The time is up."""


@dataclass(frozen=True)
class _Witness:
    """An input that refuted something; in mode separable an off input, with the on input against it."""

    output: int
    active: frozenset[int]
    on: bool
    against: frozenset[int] | None = None


def prune(
    claims: Claims,
    codes: tuple[Affine | None, Affine | None],
    arithmetic: str,
    clock: Clock,
    *,
    doubles: bool = False,
) -> Pruned:
    """Take away all that can go.

    Args:
        claims: the question, which is proved.
        codes: the fixed encoder and decoder, none of which is changed.
        arithmetic: "real" or "float32".
        clock: the deadline; what is proved until then, or until Ctrl-C, is kept. Told how far the work is.
        doubles: whether all numbers have to stay such that doubles hold them.
    """
    search = _Search(claims, codes, arithmetic, clock, trimming.layered(claims.own), doubles)
    given, reason = search.layers, None
    try:
        search.run()
    except LateError:
        reason = clock.reason
    except KeyboardInterrupt:
        reason = INTERRUPTED
    before, after = (count(Network.of(layers), *codes) for layers in (given, trimming.compact(search.layers)))
    return Pruned(
        given, trimming.compact(search.layers), before, after,
        {} if reason else search.neurons, {} if reason else search.edges, reason, search.tried, search.replayed,
    )  # fmt: skip


@dataclass
class _Search:
    """The network as far as it is proved, and what is known of what cannot go."""

    claims: Claims
    codes: tuple[Affine | None, Affine | None]
    arithmetic: str
    clock: Clock
    layers: Layers
    doubles: bool
    neurons: dict[Neuron, Objection] = field(default_factory=dict)
    edges: dict[Edge, Objection] = field(default_factory=dict)
    witnesses: list[_Witness] = field(default_factory=list)
    tried: int = 0
    replayed: int = 0
    priced: Layers = ()
    price: Price = (0, 0, 0.0)

    def __post_init__(self) -> None:
        """Look once at what deciding costs: it only falls."""
        cheap = cost(self.claims, range(len(self.claims))) <= CHEAP
        self.limits = Limits() if cheap else Limits(engine="branch", nodes=QUICK)

    def run(self) -> None:
        """Take away until nothing goes."""
        self._attempt(trimming.cleared(self.layers))
        self._fold()
        first = True
        while True:
            before = self.layers
            self.neurons, self.edges = {}, {}
            self._step(trimming.merged(self.layers))
            self._shed(trimming.neurons(self.layers), trimming.stood_still, self.neurons, halves=first)
            self._shed(trimming.edges(self.layers), trimming.without, self.edges, halves=first)
            self._round()
            if self.layers is before:
                return
            self.layers, first = trimming.compact(self.layers), False

    def _fold(self) -> None:
        """Multiply hidden layers that are linear on the domain into the next ones, where that adds no edge."""
        depth = 0
        while depth < len(self.layers) - 1:
            linear = bool(states(self.claims.network, self.claims.domain)[depth].linear.all())
            before = len(self.layers)
            if linear:
                self._step(trimming.folded(self.layers, depth))
            depth += len(self.layers) == before

    def _shed(
        self,
        parts: Sequence[Part],
        change: Callable[[Layers, Sequence[Part]], Layers],
        kept: dict[Part, Objection],
        *,
        halves: bool,
    ) -> None:
        """Take away as many of some parts as can go, a group at a time; note why each of the others stays."""

        def shed(group: Sequence[Part], objection: Objection | None = None) -> bool:
            objection = objection or self._attempt(change(self.layers, group))
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
        for chosen in (depths, *([depth] for depth in depths)):
            self._spend_fewest_digits(chosen)
        for depth in depths:
            self._merge_values(depth)

    def _spend_fewest_digits(self, depths: Sequence[int]) -> None:
        """Round some layers, to the fewest digits that stay proved."""
        for digits in range(MOST_BITS):
            bits = [digits if depth in depths else None for depth in range(len(self.layers))]
            for finer in (0, _FINER):
                smaller = rounding.rounded(self.layers, bits, finer)
                if not self._saves(smaller):
                    if not finer:  # nor would more digits
                        return
                elif self._attempt(smaller) is None:
                    return

    def _merge_values(self, depth: int) -> None:
        """Replace values of a matrix, the rarest first, by a neighbour."""
        counts = Counter(self._values(depth))
        for value in sorted(counts, key=lambda value: (counts[value], abs(value), value)):
            others = set(self._values(depth)) - {value}
            for other in sorted(others, key=lambda other: (abs(other - value), abs(other)))[:2]:
                if self._step(rounding.respelled(self.layers, depth, value, other)):
                    break

    def _values(self, depth: int) -> list[int]:
        values: list[int] = Network.of(self.layers).matrices[depth].data.tolist()
        return values

    def _step(self, smaller: Layers) -> bool:
        """Take a step if it costs less and is proved."""
        return self._saves(smaller) and self._attempt(smaller) is None

    def _saves(self, smaller: Layers) -> bool:
        """Whether smaller layers cost less."""
        if self.priced is not self.layers:
            self.priced, self.price = self.layers, _price(self.layers)
        return _price(smaller) < self.price

    def _attempt(self, smaller: Layers) -> Objection | None:
        """Keep smaller layers if the question stays proved; else say why not."""
        if self.clock.over:
            raise LateError
        if self.doubles and not trimming.fits_doubles(smaller):
            return Objection(None, "its numbers would have more digits than a double")
        self.tried += 1
        encoder, decoder = self.codes
        whole = Network.of([layer for layer in (encoder, *smaller, decoder) if layer is not None])
        claims = self.claims.of(self.claims.own, whole)
        if self.arithmetic == "float32":
            objection = self._float32(claims)
        else:
            objection = self._real(claims, self._outputs(smaller))
        if objection is None:
            self.layers = smaller
        return objection

    def _outputs(self, smaller: Layers) -> list[int]:
        """The outputs that have to be proved again."""
        encoder, decoder = self.codes
        if len(smaller) != len(self.layers):
            return list(range(len(self.claims)))
        matrices = [layer.weight for layer in (encoder, *smaller, decoder) if layer is not None]
        found: list[int] = trimming.reached(matrices, self.layers, smaller, int(encoder is not None)).tolist()
        return found

    def _real(self, claims: Claims, outputs: Sequence[int]) -> Objection | None:
        known = self._known(claims, set(outputs))
        if known is not None:
            self.replayed += 1
            return known
        if not outputs:
            return None
        found = unproved(claims, outputs, self.limits, self.clock)
        if found is None:
            return None
        example = found.counterexample
        if example is None:
            if self.clock.over:
                raise LateError
            return Objection(None, found.reason)
        against = None if example.against is None else frozenset(example.against.active)
        witness = _Witness(example.output, frozenset(example.active), bool(example.expected), against)
        self.witnesses = [witness, *self.witnesses[: _WITNESSES - 1]]
        return Objection(example)

    def _known(self, claims: Claims, outputs: set[int]) -> Objection | None:
        """What an earlier counterexample refutes."""
        asked = [witness for witness in self.witnesses if witness.output in outputs]
        found = totals(claims.network, [one.output for one in asked], [one.active for one in asked])
        above = [0] * len(asked)
        if self.claims.separable:
            above = totals(claims.network, [one.output for one in asked], [one.against or () for one in asked])
        for witness, total, other in zip(asked, found, above, strict=True):
            if other <= total if claims.separable else not claims.goal(witness.output, witness.on).met(total):
                self.witnesses.remove(witness)
                self.witnesses.insert(0, witness)  # what refuted last refutes next
                decision = Decision(
                    witness.output, Verdict.REFUTED, active=tuple(sorted(witness.active)),
                    against=None if witness.against is None else tuple(sorted(witness.against)),
                )  # fmt: skip
                [example] = replay(claims, [decision])
                return Objection(example)
        return None

    def _float32(self, claims: Claims) -> Objection | None:
        result = decide_float32(claims, self.limits)
        if result.verdict is Verdict.PROVED:
            return None
        if result.reason == INTERRUPTED:
            raise KeyboardInterrupt
        return Objection(result.smallest, result.reason)


def _price(layers: Layers) -> Price:
    counts = count(Network.of(trimming.compact(layers)))
    return counts.edges, counts.neurons, counts.bits
