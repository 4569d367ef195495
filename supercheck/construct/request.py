"""What a construction is asked for, and what it makes. Every construction is a function from one to the other."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from functools import cached_property
from math import inf
from pathlib import Path

from supercheck.base.errors import InputError, meant
from supercheck.base.matrix import Array
from supercheck.base.numbers import plural
from supercheck.decide.limits import Clock
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import GATES, Formula
from supercheck.spec.readout import Readout, Threshold
from supercheck.spec.spec import MOST_FEATURES, Spec

PAIRS = ("features", "outputs", "pairs", "max_influence", "heavy_tail", "seed")
"""What a construction uses that asks `pairs.listed` for its pairs."""

_ALWAYS = ("max_active", "at", "seconds", "begun")  # every construction's business


@dataclass(frozen=True, eq=False)
class Request:
    """A request for a network; a construction refuses by name what it has no use for.

    Attributes:
        max_active: k, how many features may be on.
        features: m; None where the rest says it.
        outputs: m', how many; None for all that there are.
        pairs: which features each output depends on, int64 [outputs, 2]; None where they are to be drawn or listed.
        gate: a key of `boolean.GATES`.
        formulas: one function an output, where they are not gates over pairs.
        table: a file with a truth table of all outputs.
        max_influence: on how many outputs a feature may have an influence, where pairs are drawn.
        heavy_tail: whether a few features are to influence many of the pairs that are drawn.
        cut: from how many outputs on a feature counts as heavy.
        arity: how many features an AND may have.
        neurons: how many there may be; None to find out.
        channel: neurons an output or a heavy feature owns; None to find out.
        at: the threshold that the spec shall state; None for the construction's own.
        seed: of everything random.
        repair: whether channels that a counterexample hits are changed until there is none.
        smallest: whether the least number of neurons is searched at which that succeeds.
        seconds: how long searching may take in all; None for the construction's own bound.
        begun: when it was asked for, by `time.monotonic`.
    """

    max_active: int
    features: int | None = None
    outputs: int | None = None
    pairs: Array | None = None
    gate: str = "and"
    formulas: Sequence[Formula] | None = None
    table: Path | None = None
    max_influence: int | None = None
    heavy_tail: bool = False
    cut: int | None = None
    arity: tuple[int, ...] = (2,)
    neurons: int | None = None
    channel: int | None = None
    at: Fraction | None = None
    seed: int = 0
    repair: bool = False
    smallest: bool = False
    seconds: float | None = None
    begun: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Refuse numbers that ask for nothing.

        Raises:
            InputError: naming the option.
        """
        least = {"max_active": 0, "seed": 0}
        for name in ("max_active", "features", "outputs", "max_influence", "cut", "neurons", "channel", "seed"):
            value = getattr(self, name)
            if value is None and name not in least:
                continue
            if type(value) is not int or value < least.get(name, 1):
                raise InputError(place=_option(name), expected=f"at least {least.get(name, 1)}", got=value)
        for name in ("features", "neurons", "channel"):
            if (getattr(self, name) or 1) > MOST_FEATURES:
                got = f"{getattr(self, name):,}"
                raise InputError(place=_option(name), expected=f"at most {MOST_FEATURES:,}", got=got)
        if self.gate not in GATES:
            raise InputError(place="--gate", expected="a gate", got=self.gate, do=meant(self.gate, GATES))

    @property
    def clock(self) -> Clock:
        """The deadline of searching; requests that are made of this one have the same."""
        return Clock(self.seconds, self.begun + (inf if self.seconds is None else self.seconds))

    def only(self, *used: str) -> None:
        """Refuse whatever else was asked for, rather than pass over it.

        Args:
            used: the fields that the construction looks at, beside those that concern every one.

        Raises:
            InputError: naming the option.
        """
        for part in fields(self):
            value = getattr(self, part.name)
            asked = value is not None if part.default is None else value != part.default
            if asked and part.name not in (*_ALWAYS, *used):
                got = "a list" if part.name in ("pairs", "formulas") else "the option" if value is True else value
                do = f"this construction takes {', '.join(map(_option, used))}"
                raise InputError(place=_option(part.name), expected="nothing", got=got, do=do)


@dataclass(frozen=True, eq=False, repr=False)
class Built:
    """A network that a construction made, and what it claims to compute.

    Attributes:
        layers: the network's own layers as they are to be stored, first to last.
        spec: what it claims.
        made: what it was made from: sizes, and the seed where something was drawn.
        encoder: a fixed linear code before the network.
        decoder: a fixed linear code after it.
    """

    layers: tuple[Affine, ...]
    spec: Spec
    made: Mapping[str, int | str] = field(default_factory=dict)
    encoder: Affine | None = None
    decoder: Affine | None = None

    def __repr__(self) -> str:
        """The network's sizes and its claim, in a line."""
        return f"<Built: {plural(self.neurons, 'neuron')}, {plural(self.edges, 'edge')}, for {self.spec!r}>"

    @cached_property
    def whole(self) -> Network:
        """The network with its codes folded in, which is what the claims are about."""
        parts = [self.encoder, *self.layers, self.decoder]
        return Network.of([part for part in parts if part is not None])

    @property
    def neurons(self) -> int:
        """ReLU units of its own layers."""
        return sum(layer.weight.height for layer in self.layers if layer.relu)

    @property
    def width(self) -> int:
        """The widest of its own layers, outputs not counted: they are no layer's where a decoder follows."""
        inner = self.layers if self.decoder is not None else self.layers[:-1]
        return max((layer.weight.height for layer in inner), default=0)

    @property
    def edges(self) -> int:
        """Nonzero weights of its own layers."""
        return sum(len(layer.weight.data) for layer in self.layers)

    def read_at(self, at: Fraction) -> Built:
        """The same network, read at another threshold."""
        if self.spec.readout.rules is not Threshold:
            got = f'a construction for mode "{self.spec.readout.mode}"'
            raise InputError(place="--at", expected="a construction that is read at a threshold", got=got)
        return replace(self, spec=replace(self.spec, readout=replace(self.spec.readout, at=at)))


def _option(name: str) -> str:
    return "-k" if name == "max_active" else f"--{name.replace('_', '-')}"


def claim(features: int, max_active: int, formulas: Sequence[Formula], at: Fraction) -> Spec:
    """What most constructions claim: these functions, on where the output is above `at`.

    Raises:
        InputError: if there are no such features, more may be on than there are, or there are no functions.
    """
    return Spec(domain_of(features, max_active), tuple(formulas), Readout("threshold", at))


def domain_of(features: int, max_active: int) -> KSparse:
    """The inputs that a construction has to be right on.

    Raises:
        InputError: if more features may be on than there are.
    """
    if not 0 <= max_active <= features:
        raise InputError(place="-k", expected=f"0 to {features:,}, the number of features", got=max_active)
    return KSparse(features, max_active)
