"""Tighter ranges of deeper layers: every neuron between two linear forms in the features, as in the bound engine.

Upper bounds in doubles: `slack` holds what doubles may have lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from supercheck.base.matrix import Array
from supercheck.decide.float32.layers import Single

_UNIT = 2.0**-51


@dataclass(frozen=True, eq=False)
class Outside:
    """Bounds of a layer's real sums, for each row: the sum itself, and its terms of either sign."""

    low: Array
    high: Array
    positives: Array
    negatives: Array


@dataclass(frozen=True, eq=False)
class Forms:
    """For each neuron a linear form that is never below its real value, and one that is never above.

    Attributes:
        upper: coefficients, [neurons, features].
        lower: the same of the form below.
        above: the constants of `upper`.
        below: those of `lower`.
        size: no sum of magnitudes within a form is larger, [neurons].
        slack: by how much a form may be off, [neurons].
        most_active: how many features are on at most.
    """

    WIDEST: ClassVar[int] = 1 << 11
    """Features up to which forms are worth their memory."""

    upper: Array
    lower: Array
    above: Array
    below: Array
    size: Array
    slack: Array
    most_active: int

    @classmethod
    def inputs(cls, features: int, most_active: int) -> Forms:
        """The features themselves."""
        same, zero = np.eye(features), np.zeros(features)
        return cls(same, same, zero, zero, np.ones(features), zero, most_active)

    def affordable(self, layer: Single) -> bool:
        """Whether the forms of a layer fit into little memory and time."""
        rows, columns, features = layer.weight.height, layer.weight.width, int(self.upper.shape[1])
        return rows * max(columns, features) <= 1 << 22 and rows * columns * features <= 1 << 31

    def layer(self, layer: Single, *, nonnegative: bool) -> tuple[Outside, Forms]:
        """The forms of a layer's sums, and the bounds that they give.

        Args:
            layer: the layer.
            nonnegative: whether its inputs are never below 0.
        """
        plus, minus = np.maximum(layer.dense, 0.0), np.maximum(-layer.dense, 0.0)
        with np.errstate(over="ignore", invalid="ignore"):
            size = (plus + minus) @ self.size + np.abs(layer.bias)
            slack = (plus + minus) @ self.slack + (layer.weight.width + 8) * _UNIT * size
            forms = Forms(
                plus @ self.upper - minus @ self.lower,
                plus @ self.lower - minus @ self.upper,
                plus @ self.above - minus @ self.below + layer.bias,
                plus @ self.below - minus @ self.above + layer.bias,
                size,
                slack * (1 + 2.0**-20),
                self.most_active,
            )
            room = forms.slack + (self.upper.shape[1] + 8) * _UNIT * size
            high = self._greatest(forms.upper, forms.above) + room
            low = -self._greatest(-forms.lower, -forms.below) - room
            heights = [
                self._greatest(part @ self.upper, part @ self.above) + room
                if nonnegative
                else np.full(len(size), np.inf)
                for part in (plus, minus)
            ]
        low, high, *heights = (
            np.where(np.isfinite(part), part, end)  # what has left the range of doubles says nothing
            for part, end in zip((low, high, *heights), (-np.inf, np.inf, np.inf, np.inf), strict=True)
        )
        return Outside(low, high, *heights), forms

    def rectified(self, low: Array, high: Array) -> Forms:
        """After a ReLU, for sums between `low` and `high`: a chord above, and the sum itself or 0 below."""
        width = np.where((low < 0) & (high > 0), high - low, 1.0)
        steep = np.where(low >= 0, 1.0, np.where(high <= 0, 0.0, high / width))
        kept = np.where((low >= 0) | (high > -low), 1.0, 0.0) * (high > 0)
        lift = np.where((low < 0) & (high > 0), -low * steep, 0.0)
        size = self.size + np.abs(low)
        return Forms(
            self.upper * steep[:, None],
            self.lower * kept[:, None],
            self.above * steep + lift,
            self.below * kept,
            size,
            self.slack + 8 * _UNIT * (size + np.abs(high)),
            self.most_active,
        )

    def _greatest(self, coefficients: Array, constants: Array) -> Array:
        """The greatest value of each form where at most `most_active` features are on."""
        if self.most_active == 0:
            return constants
        free = np.maximum(coefficients, 0.0)
        if self.most_active < free.shape[1]:
            free = np.partition(free, free.shape[1] - self.most_active, axis=1)[:, -self.most_active :]
        return np.asarray(free.sum(axis=1) + constants)
