"""The network as a chain of exact integers: the normal form that everything else speaks of.

A hidden layer is h -> ReLU(W h + b) with every row of (W, b) scaled to coprime integers; its positive
factor has moved into the next layer's column, for ReLU(z / d) = ReLU(z) / d. Output i is
y_i = b_i + s_i (w_i . h) with s_i > 0 and b_i rational and w_i coprime integers. `run` is the reference
semantics: whatever else evaluates a network has to agree with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

import numpy as np

from supercheck.base.errors import InputError, present, spelled
from supercheck.base.matrix import FITS, Array, Ratios, Room, Rows, coprime, exact_array, magnitudes, sizes_of, trusted
from supercheck.base.numbers import exact_text, plural, whole
from supercheck.base.products import product
from supercheck.base.validate import number, unchecked
from supercheck.network.layers import Affine as Affine, Layer as Layer, Output as Output, numbered as numbered

MOST_LAYERS = 1024
_MOST_WORK = 1 << 36  # multiplications that folding one layer into the next may take


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """A ReLU network in normal form.

    Attributes:
        features: the number of inputs.
        hidden: the hidden layers, first to last; may be empty.
        output: the output rows.
        notes: what was assumed while reading it, one sentence each.
        stored: the layers as they are stored, first to last, for those who ask how a program would round; empty for
            a part of a network.
    """

    features: int
    hidden: tuple[Layer, ...]
    output: Output
    notes: tuple[str, ...] = field(default=())
    stored: tuple[Affine, ...] = field(default=())

    def __post_init__(self) -> None:
        """Refuse layers that do not fit; `of` makes a network of stored ones."""
        do, width = "Network.of([Affine(...), ...]) makes a network", whole(self.features, "Network.features", 0)
        for key, kind in (("hidden", Layer), ("stored", Affine), ("notes", str)):
            value = getattr(self, key)
            if not isinstance(value, tuple) or not all(isinstance(part, kind) for part in value):
                expected = f"a tuple of {kind.__name__}"
                raise InputError(place=f"Network.{key}", expected=expected, got=spelled(value, repr), do=do)
        if not isinstance(self.output, Output):
            raise InputError(place="Network.output", expected="an Output", got=spelled(self.output, repr), do=do)
        object.__setattr__(self, "features", width)
        for place, rows in enumerate(self.matrices):
            if rows.width != width:
                expected = f"{width} columns in its matrix {place}"
                raise InputError(place="Network", expected=expected, got=rows.width, do=do)
            width = rows.height

    @classmethod
    def of(cls, layers: Sequence[Affine], notes: Sequence[str] = ()) -> Network:
        """Bring stored layers into normal form.

        Args:
            layers: first to last, each as wide as the one before is high. Layers without a ReLU are
                folded into the next one; a last layer with a ReLU gets an identity readout.
            notes: what was assumed while reading them.

        Raises:
            InputError: if there are none, or two neighbours do not fit.
        """
        if not isinstance(layers, Sequence) or not all(isinstance(layer, Affine) for layer in layers):
            raise InputError(expected="a sequence of Affine layers", got=spelled(layers, repr))
        if not 1 <= len(layers) <= MOST_LAYERS:
            raise InputError(expected=f"1 to {MOST_LAYERS:,} layers", got=f"{len(layers):,}")
        for before, after in pairwise(layers):
            if after.weight.width != before.weight.height:
                expected = f"{before.weight.height} columns, the height of {before.name or 'the layer before'}"
                raise InputError(place=after.name, expected=expected, got=after.weight.width)
        folded = _fold(layers)
        hidden, factors, room = [], None, Room()
        for layer in folded[:-1]:
            weight, bias, factors = _scaled(layer, factors, room, with_bias=True)
            hidden.append(Layer(weight, present(bias, "bias"), layer.name))
        last = folded[-1]
        weight, _, factors = _scaled(last, factors, room, with_bias=False)
        output = Output(weight, tuple(Ratios.of(last.bias).fractions()), tuple(factors.fractions()), last.name)
        return cls(layers[0].weight.width, tuple(hidden), output, tuple(notes), tuple(layers))

    def affine(self) -> list[Affine]:
        """The same function as a list of exact layers, from which `of` makes the same network."""
        hidden = [Affine(layer.weight, layer.bias, True, layer.name) for layer in self.hidden]
        rows, scale = self.output.weight, exact_array(self.output.scale)
        sizes = (s.numerator.bit_length() + s.denominator.bit_length() for s in self.output.scale)
        Room().check(np.fromiter(sizes, np.int64, self.outputs)[rows.row_of()] + sizes_of(rows.data))
        weight = rows.holding(rows.data.astype(object) * scale[rows.row_of()])
        return [*hidden, Affine(weight, exact_array(self.output.bias), False, self.output.name)]

    def between(self, encoder: Affine | None, decoder: Affine | None) -> Network:
        """The network with a fixed linear code folded in before and after it."""
        before, after = ([code] if code is not None else [] for code in (encoder, decoder))
        whole = Network.of([*before, *self.affine(), *after], self.notes)
        return replace(whole, stored=(*before, *self.stored, *after) if self.stored else ())

    def __repr__(self) -> str:
        """Its sizes, in a line."""
        inside = f"{plural(self.neurons, 'neuron')}, {plural(self.edges, 'edge')}"
        return f"<Network: {plural(self.features, 'feature')}, {inside}, {plural(self.outputs, 'output')}>"

    @property
    def outputs(self) -> int:
        """The number of outputs."""
        return self.output.weight.height

    @property
    def neurons(self) -> int:
        """The number of ReLU units over all layers."""
        return sum(layer.neurons for layer in self.hidden)

    @property
    def edges(self) -> int:
        """The number of nonzero weights over all layers and the readout."""
        return sum(len(rows.data) for rows in self.matrices)

    @property
    def matrices(self) -> tuple[Rows, ...]:
        """The weights of the hidden layers, then those of the output."""
        return (*(layer.weight for layer in self.hidden), self.output.weight)

    def peaks(self, largest: int | Fraction) -> tuple[Array, ...]:
        """For every layer, the output last, an upper bound of |z| per row where no feature is larger than `largest`.

        Also bounds every partial sum. Doubles, rounded up generously: n additions err by less than n 2^-53.
        """
        if largest not in self._peaks:
            height, peaks = np.full(self.features, upward(largest)), []
            biases = [layer.bias for layer in self.hidden] + [np.zeros(self.outputs)]
            with np.errstate(over="ignore", invalid="ignore"):
                for rows, bias in zip(self.matrices, biases, strict=True):
                    size = rows.holding(magnitudes(rows.data))
                    height = (size.dot(height) + magnitudes(bias)) * (1 + 2.0**-20)
                    height[np.isnan(height)] = np.inf  # inf times 0
                    peaks.append(height)
            self._peaks[largest] = tuple(peaks)
        return self._peaks[largest]

    @cached_property
    def _peaks(self) -> dict[int | Fraction, tuple[Array, ...]]:
        return {}

    @cached_property
    def weights(self) -> Array:
        """For each output an upper bound of how many weights its cone has, float64 [outputs]."""
        below, total = np.zeros(self.features), 0
        for rows in self.matrices:
            total += len(rows.data)
            ones = rows.holding(np.ones(len(rows.data)))
            below = np.minimum(ones.dot(below) + np.diff(rows.indptr), total)
        return below

    def fits_int64(self, largest: int | Fraction) -> bool:
        """Whether weights, and what is met in evaluation where no feature is larger than that, stay below 2^62."""
        stored = [rows.data for rows in self.matrices] + [layer.bias for layer in self.hidden]
        small = all(peak.max(initial=0) < FITS for peak in self.peaks(largest))
        return small and all(part.dtype != object for part in stored)

    def run(self, x: Sequence[int | Fraction]) -> tuple[Fraction, ...]:
        """The outputs on one input, exactly.

        Args:
            x: the value of each feature, [features]; any exact numbers.
        """
        exact = [number(value, "x") for value in x]
        binary = all(value in (0, 1) for value in exact)
        h = np.array(exact, dtype=np.int64) if binary and self.fits_int64(1) else exact_array(exact)
        if len(h) != self.features:
            raise InputError(expected=f"{self.features} features", got=len(h))
        for layer in self.hidden:
            h = np.maximum(layer.weight.dot(h) + layer.bias, 0)
        sums = self.output.weight.dot(h).tolist()
        rows = zip(self.output.bias, self.output.scale, sums, strict=True)
        return tuple(bias + scale * total for bias, scale, total in rows)

    def value(self, output: int, x: Sequence[int | Fraction]) -> Fraction:
        """One output on one input, exactly; only its cone is evaluated."""
        return self.slice([output], np.arange(self.features)).run(x)[0]

    def cone(self, outputs: Sequence[int]) -> tuple[Array, ...]:
        """The features, then the neurons of each hidden layer, that the given outputs depend on; ascending."""
        kept, cones = np.asarray(outputs, dtype=np.int64), []
        for rows in reversed(self.matrices):
            used = np.zeros(rows.width, dtype=bool)
            used[rows.indices if len(kept) == rows.height else rows.take(kept).indices] = True
            kept = np.flatnonzero(used)
            cones.append(kept)
        return tuple(reversed(cones))

    def slice(self, outputs: Sequence[int], features: Array) -> Network:
        """The part of the network that the given outputs depend on.

        Args:
            outputs: which outputs; they keep this order.
            features: the features to keep, ascending, renumbered from 0; must hold the cone's.
        """
        cones = (features, *self.cone(outputs)[1:])
        hidden = tuple(
            unchecked(
                Layer, weight=layer.weight.take(neurons).columns(before), bias=layer.bias[neurons], name=layer.name
            )
            for layer, before, neurons in zip(self.hidden, cones, cones[1:], strict=False)
        )
        chosen = np.asarray(outputs, dtype=np.int64)
        last = unchecked(
            Output,
            weight=self.output.weight.take(chosen).columns(cones[-1]),
            bias=tuple(self.output.bias[i] for i in outputs),
            scale=tuple(self.output.scale[i] for i in outputs),
            name=self.output.name,
        )
        return unchecked(Network, features=len(features), hidden=hidden, output=last, notes=self.notes, stored=())

    def text(self) -> Iterator[str]:
        """The normal form as the certificate format spells it, a part at a time; ends with a newline."""
        yield "supercheck-network 1\n"
        for layer in self.hidden:
            heads = map(exact_text, layer.bias.tolist())
            yield "".join(
                ["hidden\n", *(f"{head}{line}\n" for head, line in zip(heads, _lines(layer.weight), strict=True))]
            )
        rows = zip(self.output.bias, self.output.scale, _lines(self.output.weight), strict=True)
        yield "".join(["output\n", *(f"{exact_text(bias)} {exact_text(scale)}{line}\n" for bias, scale, line in rows)])

    @cached_property
    def digest(self) -> str:
        """The sha256 of the normal form's text."""
        total = hashlib.sha256()
        for part in self.text():
            total.update(part.encode())
        return total.hexdigest()


def upward(number: int | Fraction) -> float:
    """The number as a double that is not below it."""
    try:
        near = float(number)
    except OverflowError:
        return np.inf
    return near if near >= number else float(np.nextafter(near, np.inf))


def _fold(layers: Sequence[Affine]) -> list[Affine]:
    """The same function with a ReLU after each layer but the last."""
    folded: list[Affine] = []
    for layer in layers:
        if folded and not folded[-1].relu:
            linear = folded.pop()
            _check_fold(linear.weight, layer.weight)
            weight, matrix = layer.weight.dense(), linear.weight.dense()
            bias = _sum(product(weight, linear.bias), layer.bias)
            layer = Affine(Rows.from_dense(product(weight, matrix)), bias, layer.relu, layer.name)
        folded.append(layer)
    if folded[-1].relu:
        size = folded[-1].weight.height
        identity = trusted(np.arange(size + 1), np.arange(size, dtype=np.int32), np.ones(size, dtype=np.int64), size)
        folded.append(Affine(identity, np.zeros(size, dtype=np.int64), False))
    return folded


def _check_fold(first: Rows, then: Rows) -> None:
    """Refuse to multiply what is huge only by its shapes, or would take for ever."""
    height, between, width = then.height, then.width, first.width
    cells = height * between + between * width + height * width
    most = (1 << 23) + 64 * (len(first.data) + len(then.data))
    if cells > most or height * between * width > _MOST_WORK:
        got = f"[{height}, {between}] times [{between}, {width}]"
        do = "multiply them yourself, or put a ReLU between them"
        raise InputError(expected="layers without ReLU small enough to be multiplied", got=got, do=do)


def _sum(a: Array, b: Array) -> Array:
    """The exact sum of two exact vectors."""
    left, right = Ratios.of(a).fractions(), Ratios.of(b).fractions()
    return exact_array(p + q for p, q in zip(left, right, strict=True))


def _scaled(layer: Affine, factors: Ratios | None, room: Room, *, with_bias: bool) -> tuple[Rows, Array | None, Ratios]:
    """The layer's coprime rows, with `factors` of the layer before moved into its columns."""
    rows = layer.weight
    values = Ratios.of(rows.data)
    if factors is not None:
        parts = ((values.numerator, factors.numerator), (values.denominator, factors.denominator))
        for here, before in parts:
            if before is not None:
                room.check(sizes_of(before)[rows.indices] + (0 if here is None else sizes_of(here)))
        values = values * factors[rows.indices]
    bias = Ratios.of(layer.bias) if with_bias else None
    data, biases, own = coprime(values, rows.indptr, bias, room)
    return rows.holding(data), biases, own


def _lines(rows: Rows) -> list[str]:
    """The entries of each row as ` j:w`, joined."""
    data, width = rows.data, rows.width
    low, high = (0, len(data)) if data.dtype == object or not len(data) else (int(data.min()), int(data.max()))
    if (high + 1 - low) * width <= len(data):  # few different entries: each is spelled once
        kinds = np.array([f" {j}:{w}" for w in range(low, high + 1) for j in range(width)], dtype=object)
        entries = kinds[(data - low) * width + rows.indices].tolist()
    else:
        written = exact_text if data.dtype == object else str
        entries = [f" {j}:{written(w)}" for j, w in zip(rows.indices.tolist(), data.tolist(), strict=True)]
    ends = rows.indptr.tolist()
    return ["".join(entries[start:end]) for start, end in pairwise(ends)]
