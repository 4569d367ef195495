"""A network's layers: as they are stored, and in normal form; each refuses what does not fit together."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import numpy as np

from supercheck.base.errors import InputError, spelled
from supercheck.base.matrix import Array, Rows
from supercheck.base.validate import numbers, of_whole


class Neuron(NamedTuple):
    """A neuron by its place: a hidden layer, counted from 1, and a row of it, counted from 0."""

    layer: int
    row: int

    def __str__(self) -> str:
        """As every report names it: h1.3."""
        return f"h{self.layer}.{self.row}"


@dataclass(frozen=True, eq=False)
class Affine:
    """A layer as it is stored: h -> W h + b, then ReLU where `relu`.

    Attributes:
        weight: exact numbers, [outputs, inputs].
        bias: exact numbers [outputs].
        relu: whether a ReLU follows.
        name: what the file calls it, for reports.
        plain: whether a program computes each row as one sum of its products and its bias, all as they are here.
    """

    weight: Rows
    bias: Array
    relu: bool
    name: str = ""
    plain: bool = True

    def __post_init__(self) -> None:
        """Refuse a bias that is not one exact number a row, and what is no layer."""
        for key, kind in (("weight", Rows), ("relu", bool), ("name", str), ("plain", bool)):
            if not isinstance(getattr(self, key), kind):
                expected = {bool: "True or False", str: "text"}.get(kind, "Rows")
                raise InputError(place=f"Affine.{key}", expected=expected, got=spelled(getattr(self, key), repr))
        bias, height = numbers(self.bias, self.name or "Affine.bias", 1), self.weight.height
        if len(bias) != height:
            place, expected = self.name or "Affine.bias", f"{height} numbers, one a row of the weight"
            raise InputError(place=place, expected=expected, got=len(bias))
        object.__setattr__(self, "bias", bias)


@dataclass(frozen=True, eq=False)
class Layer:
    """A hidden layer h -> ReLU(W h + b); each row of (W, b) holds coprime integers."""

    weight: Rows
    bias: Array
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse what is not of whole numbers."""
        _check_whole(self.weight, "Layer.weight")
        if not of_whole(self.bias) or len(self.bias) != self.weight.height:
            raise InputError(place="Layer.bias", expected="one whole number a row", got=spelled(self.bias, repr))

    @property
    def neurons(self) -> int:
        """The number of neurons."""
        return self.weight.height


@dataclass(frozen=True, eq=False)
class Output:
    """The output rows y_i = bias_i + scale_i (w_i . h): w_i coprime integers, scale_i > 0."""

    weight: Rows
    bias: tuple[Fraction, ...]
    scale: tuple[Fraction, ...]
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse what is not whole numbers, with a fraction and a positive fraction for each row."""
        _check_whole(self.weight, "Output.weight")
        for place, values in (("bias", self.bias), ("scale", self.scale)):
            fractions = isinstance(values, tuple) and set(map(type, values)) <= {Fraction}
            if not fractions or len(values) != self.weight.height:
                raise InputError(
                    place=f"Output.{place}", expected="a tuple of one Fraction a row", got=spelled(values, repr)
                )
        if not all(scale.numerator > 0 for scale in self.scale):
            raise InputError(place="Output.scale", expected="fractions above 0", got=spelled(self.scale, repr))

    @cached_property
    def kinds(self) -> Array:
        """For each output a number that it shares with those of the same bias and scale, int64 [outputs]."""
        rows = zip(self.bias, self.scale, strict=True)
        return numbered((b.numerator, b.denominator, s.numerator, s.denominator) for b, s in rows)


def numbered(keys: Iterable[Hashable]) -> Array:
    """Each key as a number that it shares with its equals, in order of their first appearance, int64."""
    seen: dict[Hashable, int] = {}
    return np.array([seen.setdefault(key, len(seen)) for key in keys], dtype=np.int64)


def _check_whole(rows: object, place: str) -> None:
    if not isinstance(rows, Rows) or not of_whole(rows.data):
        raise InputError(
            place=place, expected="Rows of whole numbers", got=spelled(rows, repr), do="Network.of makes them"
        )
