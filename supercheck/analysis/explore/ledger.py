"""Why an output has the value it has on one input: an exact sum, one entry for each source and neuron.

Around an input every neuron that fires is a linear form of the features, and every other one is 0. So y is the sum of
what each active feature, and the biases, bring to y through each firing neuron of the last hidden layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from supercheck.base.errors import FaultError
from supercheck.claims.claims import Claims
from supercheck.network.layers import Neuron
from supercheck.network.network import Network
from supercheck.spec.formula import holds, support


@dataclass(frozen=True)
class Entry:
    """What one source adds to the output.

    Attributes:
        feature: the active feature; None for the biases.
        neuron: the firing neuron of the last hidden layer that passes it on; None where it is added to y directly.
        value: how much that adds.
    """

    feature: int | None
    neuron: Neuron | None
    value: Fraction


@dataclass(frozen=True)
class Ledger:
    """An output on one input, taken apart.

    Attributes:
        entries: their values add up to `value`; zeros are left out.
        value: the output.
        own: the active features that its function names.
        others: the active features that it does not name.
        alone: the output with only `own` on.
        moved: by how much more each neuron of the last hidden layer adds to the output than with only `own` on, the
            largest first; these add up to `value` - `alone`.
        fired: neurons of its cone that fire, but do not with only `own` on.
        silenced: neurons that fire with only `own` on, but not here.
        firing: the neurons of its cone that fire.
        limit: the end of what is allowed that the output is past; None in mode separable.
        expected: what its function says, 0 or 1.
    """

    entries: tuple[Entry, ...]
    value: Fraction
    own: tuple[int, ...]
    others: tuple[int, ...]
    alone: Fraction
    moved: tuple[tuple[Neuron, Fraction], ...]
    fired: tuple[Neuron, ...]
    silenced: tuple[Neuron, ...]
    firing: tuple[Neuron, ...]
    limit: Fraction | None
    expected: int

    @property
    def excess(self) -> Fraction | None:
        """How far the output is past its limit; 0 where it should be above and is just there."""
        return None if self.limit is None else abs(self.value - self.limit)

    def beside(self, term: Fraction) -> list[Fraction]:
        """What a part of the output is shown beside: the part without which the output would just be at its limit."""
        return [] if self.limit is None or self.value == self.limit else [term - (self.value - self.limit)]

    def total(self, feature: int | None) -> Fraction:
        """What one source adds through all neurons."""
        return sum((entry.value for entry in self.entries if entry.feature == feature), Fraction(0))

    def through(self, neuron: Neuron | None) -> Fraction:
        """What one neuron passes on from all sources."""
        return sum((entry.value for entry in self.entries if entry.neuron == neuron), Fraction(0))

    @property
    def sources(self) -> tuple[int | None, ...]:
        """All that may add something: own features, other features, biases."""
        return (*self.own, *self.others, None)


@dataclass(frozen=True, eq=False)
class Cone:
    """The part of a network that one output depends on, as plain integers.

    Attributes:
        layers: for each hidden layer, neuron -> (columns, weights, bias).
        columns: the neurons that the output reads.
        weights: their weights.
        bias: of the output.
        scale: of the output; y = bias + scale * (weights . h).
    """

    layers: tuple[dict[int, tuple[list[int], list[int], int]], ...]
    columns: list[int]
    weights: list[int]
    bias: Fraction
    scale: Fraction

    def hidden(self, active: Iterable[int]) -> list[dict[int, int]]:
        """The sum w . h + b of every neuron before its ReLU, layer by layer."""
        below, sums = dict.fromkeys(active, 1), []
        for layer in self.layers:
            z = {
                neuron: bias + sum(w * below[j] for j, w in zip(columns, weights, strict=True) if j in below)
                for neuron, (columns, weights, bias) in layer.items()
            }
            below = {neuron: value for neuron, value in z.items() if value > 0}
            sums.append(z)
        return sums

    def read(self, active: Iterable[int], sums: Sequence[dict[int, int]]) -> Fraction:
        """The output on one input whose hidden sums are known."""
        below = {p: z for p, z in sums[-1].items() if z > 0} if sums else dict.fromkeys(active, 1)
        total = sum(w * below[j] for j, w in zip(self.columns, self.weights, strict=True) if j in below)
        return self.bias + self.scale * total

    def output(self, active: Sequence[int]) -> Fraction:
        """The output on one input."""
        return self.read(active, self.hidden(active))


@lru_cache(maxsize=256)
def cone(network: Network, output: int) -> Cone:
    """The cone of one output."""
    layers = []
    for rows, layer, neurons in zip(network.matrices, network.hidden, network.cone([output])[1:], strict=False):
        entries = [[part.tolist() for part in rows.row(int(neuron))] for neuron in neurons]
        biases = [int(layer.bias[neuron]) for neuron in neurons]
        layers.append({int(p): (*parts, b) for p, parts, b in zip(neurons, entries, biases, strict=True)})
    columns, weights = (part.tolist() for part in network.output.weight.row(output))
    return Cone(tuple(layers), columns, weights, network.output.bias[output], network.output.scale[output])


def ledger(claims: Claims, output: int, active: Sequence[int]) -> Ledger:
    """Take an output on one input apart.

    Args:
        claims: the question.
        output: which output.
        active: the features that are on.

    Raises:
        FaultError: if the entries do not add up to the output.
    """
    part = cone(claims.network, output)
    formula = claims.formulas[output]
    named = set(support(formula))
    own, others = tuple(j for j in active if j in named), tuple(j for j in active if j not in named)
    here, before = part.hidden(active), part.hidden(own)
    value, shares = part.read(active, here), list(_shares(part, active, here))
    if part.bias + part.scale * sum(share for _, _, share in shares) != value:
        raise FaultError(f"the ledger of output {output} on {list(active)} does not add up to its value")
    above, below = part.scale.numerator, part.scale.denominator
    entries = [Entry(None, None, part.bias)] if part.bias else []
    entries += [Entry(feature, neuron, Fraction(above * share, below)) for feature, neuron, share in shares]
    now, then = _firing(here), _firing(before)
    on = holds(formula, frozenset(active))
    limit = claims.readout.goal(on).nearest_end(value)
    return Ledger(
        tuple(entries), value, own, others, part.read(own, before), tuple(_moved(part, here, before)),
        tuple(sorted(now - then)), tuple(sorted(then - now)), tuple(sorted(now)), limit, int(on),
    )  # fmt: skip


def _firing(sums: Sequence[dict[int, int]]) -> set[Neuron]:
    """The neurons whose sums are above 0."""
    return {Neuron(layer, p) for layer, z in enumerate(sums, 1) for p in z if z[p] > 0}


def _shares(
    part: Cone, active: Sequence[int], sums: list[dict[int, int]]
) -> Iterable[tuple[int | None, Neuron | None, int]]:
    """What each source adds through each neuron to the integer that the output scales."""
    sources: dict[int | None, dict[int, int]] = {j: {j: 1} for j in active}
    sources[None] = {}
    for layer, z in zip(part.layers, sums, strict=True):
        firing = [neuron for neuron in layer if z[neuron] > 0]
        for feature, below in sources.items():
            above: dict[int, int] = {}
            for neuron in firing:
                columns, weights, bias = layer[neuron]
                start = bias if feature is None else 0
                above[neuron] = start + sum(w * below[j] for j, w in zip(columns, weights, strict=True) if j in below)
            sources[feature] = above
    depth = len(part.layers)
    for feature, below in sources.items():
        for j, w in zip(part.columns, part.weights, strict=True):
            if share := w * below.get(j, 0):
                yield feature, Neuron(depth, j) if depth else None, share


def _moved(
    part: Cone, here: Sequence[dict[int, int]], before: Sequence[dict[int, int]]
) -> list[tuple[Neuron, Fraction]]:
    """What the neurons that the output reads add more here than before."""
    if not here:
        return []
    read = zip(part.columns, part.weights, strict=True)
    changes = [(Neuron(len(here), j), part.scale * w * (max(here[-1][j], 0) - max(before[-1][j], 0))) for j, w in read]
    return sorted((pair for pair in changes if pair[1]), key=lambda pair: -abs(pair[1]))
