"""The bounds of a class alone, and their curves over the number of outputs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import comb, isqrt, log2, sqrt
from typing import Literal

from supercheck.analysis.costs.floors import capacity, classes
from supercheck.analysis.costs.floors.classes import FunctionClass
from supercheck.analysis.costs.floors.floor import Floor, bound
from supercheck.base.display import Shown
from supercheck.base.errors import InputError

PAPER = "Adler and Shavit, arXiv 2409.15318"
MOST_OUTPUTS = 10**12
MOST_ACTIVE = 1000
_BELOW, _ABOVE = 64, 16  # how far curves go to both sides


@dataclass(frozen=True)
class Construction:
    """What a construction costs, or the form of what the paper's costs (then its constant is not known).

    Attributes:
        name: which construction.
        neurons: its neurons.
        edges: its edges.
        exact: whether these are its exact figures; otherwise they are forms without their constants.
        source: where it comes from.
    """

    name: str
    neurons: float
    edges: float
    exact: bool
    source: str


@dataclass(frozen=True)
class Form:
    """An asymptotic form of the paper, beside which a measured figure shows its constant.

    Attributes:
        name: what it bounds.
        form: the formula.
        value: its value.
        measured: the network's figure.
    """

    name: str
    form: str
    value: float
    measured: float

    @property
    def constant(self) -> float:
        """The measured figure in units of the form."""
        return self.measured / self.value


@dataclass(frozen=True)
class Curve:
    """A bound on neurons over the number of outputs: points (m', n)."""

    name: str
    kind: Literal["lower", "upper", "form"]
    points: tuple[tuple[int, float], ...]


@dataclass(frozen=True, repr=False)
class Bounds(Shown):
    """The bounds of one class.

    Attributes:
        of_class: the class.
        wrong: the fraction of outputs that may be wrong.
        precision: the bits of one parameter.
        floors: what a network that can be any function of the class must have.
        constructions: what is known to be enough.
        seconds: how long it took.
    """

    of_class: FunctionClass
    wrong: Fraction
    precision: int
    floors: tuple[Floor, ...]
    constructions: tuple[Construction, ...]
    seconds: float


def bounds(
    name: str,
    features: int,
    outputs: int,
    max_active: int,
    *,
    arity: int = 2,
    wrong: Fraction = Fraction(0),
    precision: int = 32,
) -> Bounds:
    """The bounds of a class of functions.

    Args:
        name: permutation, 2-and, 2-and-unlabelled, q-and or gate2.
        features: m.
        outputs: m'.
        max_active: k.
        arity: q, for q-and.
        wrong: the fraction of outputs that may be wrong, 0 to 1/2.
        precision: the bits of one parameter.

    Raises:
        InputError: if there is no such class, or its functions do not differ on the domain.
    """
    begun = time.perf_counter()
    if not 1 <= precision <= 1024:
        raise InputError(place="--bits", expected="1 to 1,024 bits a parameter", got=precision)
    sizes = (
        ("--features", features, MOST_OUTPUTS),
        ("--outputs", outputs, MOST_OUTPUTS),
        ("-k", max_active, MOST_ACTIVE),
    )
    for place, value, most in sizes:
        if value > most:
            raise InputError(place=place, expected=f"at most {most:,}", got=f"{value:,}")
    of_class = FunctionClass(name, features, outputs, max_active, arity)
    listed = bound(_floors(of_class, wrong, precision), ("class",))
    made = () if name == "gate2" else tuple(constructions(of_class.reads, features, outputs))
    return Bounds(of_class, wrong, precision, listed, made, time.perf_counter() - begun)


def _floors(of_class: FunctionClass, wrong: Fraction, precision: int) -> Iterator[Floor]:
    bits, m, count = of_class.bits(wrong), of_class.features, of_class.outputs
    inputs = sum(comb(m, active) for active in range(min(m, of_class.max_active) + 1))
    said = f"{precision} bit{'s' * (precision > 1)} a parameter"

    def floor(name: str, value: float | None, unit: str, source: str) -> Floor:
        return Floor(name, None, value, unit, "class", source)

    yield floor(f"bits of the class: {of_class.formula}", bits, "bits", classes.SOURCE)
    slots = capacity.least_slots(bits, 2**precision)
    yield floor(said, slots, "parameters", capacity.DENSE_SOURCE)
    places, values = count * (m + count), 2**precision - 1
    edges = capacity.least_edges(bits, places, values)
    yield floor(
        f"nonzeros in one hidden layer of m' neurons, biases given, {said}", edges, "edges", capacity.CODE_SOURCE
    )
    width = capacity.least_block_width(bits, 1, precision)
    yield floor(f"n x n block between fixed codes, {said}", width, "neurons", capacity.BLOCKS_SOURCE)
    swaps = capacity.least_neurons_modulo_swaps(bits, m + 1 + count, 2**precision)
    yield floor(f"one hidden layer modulo swaps, output biases given, {said}", swaps, "neurons", capacity.SWAPS_SOURCE)
    real = capacity.least_real_width(bits, m, count, 1, inputs)
    yield floor("one hidden layer, any precision", real, "neurons", capacity.ANTHONY_BARTLETT)


def constructions(reads: int, features: int, outputs: int, linear: bool = True) -> Iterator[Construction]:
    """What constructions of distinct ANDs of `reads` features each (copies: one) cost.

    Args:
        reads: q.
        features: those that some output reads.
        outputs: m'.
        linear: whether a linear form of the features can be read as the function, as in modes threshold and separable.

    Source: ours; the form Adler and Shavit, arXiv 2409.15318.
    """
    if reads > 1:
        name = "one neuron a pair" if reads == 2 else "one neuron a tuple"
        yield Construction(name, outputs, (reads + 1) * outputs, True, "ReLU of the sum less q - 1; every mode")
    copy = "a neuron a feature, the readout computes; modes threshold and separable"
    if linear:
        yield Construction("copy", features, features + reads * outputs, True, copy)
    if outputs > 1:
        logarithm = log2(outputs)
        source = f"{PAPER}, upper bounds; constants not shown"
        yield Construction("channels, form", sqrt(outputs) * logarithm, outputs * logarithm**2, False, source)


def forms(outputs: int, neurons: int, parameters: int) -> Iterator[Form]:
    """The paper's asymptotic forms with the constants that a network has in them.

    Source: Adler and Shavit, arXiv 2409.15318: Omega(m' log m') parameters, Omega(sqrt(m' log m')) neurons, and turned
    round O(n^2 / log n) features; upper bounds O(sqrt(m') log m') neurons and O(m' log^2 m') parameters. They are of
    classes, up to constants, and of networks with all parameters between fixed codes: no network "violates" one.
    """
    if outputs < 2:
        return
    logarithm = log2(outputs)
    yield Form("parameters, lower", "m' log2 m'", outputs * logarithm, parameters)
    yield Form("parameters, upper", "m' (log2 m')^2", outputs * logarithm**2, parameters)
    yield Form("neurons, lower", "sqrt(m' log2 m')", sqrt(outputs * logarithm), neurons)
    yield Form("neurons, upper", "sqrt(m') log2 m'", sqrt(outputs) * logarithm, neurons)
    if neurons > 1:
        yield Form("outputs of n neurons, upper", "n^2 / log2 n", neurons**2 / log2(neurons), outputs)


def curves(of_class: FunctionClass, wrong: Fraction = Fraction(0)) -> tuple[Curve, ...]:
    """Lower and upper bounds on neurons over m', around the class's own m'; m stays (a permutation has m = m')."""
    moving = of_class.name == "permutation"
    highest = of_class.choices if of_class.name not in ("permutation", "gate2") else MOST_OUTPUTS
    grid = _grid(of_class.outputs, highest)

    def of(count: int) -> FunctionClass:
        return replace(of_class, outputs=count, features=count if moving else of_class.features)

    def curve(name: str, kind: Literal["lower", "upper", "form"], value: Callable[[int], float]) -> Curve:
        return Curve(name, kind, tuple((count, value(count)) for count in grid))

    def width(bits: int) -> Callable[[int], float]:
        return lambda count: capacity.least_block_width(of(count).bits(wrong), 1, bits)

    lower = [
        curve(f"n x n blocks between fixed codes, {bits} bit{'s' * (bits > 1)}", "lower", width(bits))
        for bits in (1, 8, 32)
    ]
    upper = []
    if of_class.name != "gate2":
        upper.append(curve("one neuron an output", "upper", lambda count: count))
        upper.append(curve("copy", "upper", lambda count: of(count).features))
    shapes = [
        curve("sqrt(m' log2 m')", "form", lambda count: sqrt(count * log2(count))),
        curve("sqrt(m') log2 m'", "form", lambda count: sqrt(count) * log2(count)),
    ]
    return (*lower, *upper, *shapes)


def _grid(outputs: int, highest: int) -> list[int]:
    """Numbers of outputs around the given one, two a doubling."""
    first, last = max(2, outputs // _BELOW), min(highest, max(4, outputs * _ABOVE))
    points, power = {max(2, outputs)}, first
    while power <= last:
        points |= {power, isqrt(2 * power * power)}
        power *= 2
    return sorted(point for point in points if point <= max(last, outputs))
