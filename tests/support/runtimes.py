"""Networks and inputs on which real programs are held against the float32 bound; and what they all must keep to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from oracle import Stored, inputs, run
from strategies import network

from supercheck.base.matrix import Array
from supercheck.decide.float32.error_bounds import at_inputs, over_domain
from supercheck.decide.float32.layers import StoredLayers
from supercheck.network.formats.load import load

SPECS = Path(__file__).parents[2] / "specs" / "proved"
NETWORKS = ["trained_and8.onnx", "trained_or_deep.onnx", "trained_xor.onnx", "trained_permutation.safetensors"]

Evaluation = Callable[[Array], Any]
"""From inputs [inputs, features] in float32 to outputs."""


class Subject:
    """A network as every program takes it, with real values and bounds.

    Attributes:
        layers: (weight, bias, relu) in float32.
        x: inputs, float32 [inputs, features].
        real: exact values, [inputs][outputs].
        bounds: E(x), [inputs][outputs].
    """

    def __init__(self, file: Path, scale: float = 1.0) -> None:
        """Read a network; `scale` makes its numbers less alike, which makes for larger errors."""
        rng, stored = np.random.default_rng(1), load(file).stored
        self.layers: list[tuple[Array, Array, bool]] = []
        for layer in stored:
            weight, bias = (np.asarray(part, np.float32) for part in (layer.weight.dense(), layer.bias))
            if scale != 1:
                weight, bias = (
                    np.asarray(part * scale ** rng.normal(size=part.shape), np.float32) for part in (weight, bias)
                )
            self.layers.append((weight, bias, layer.relu))
        features = self.layers[0][0].shape[1]
        every = list(inputs(features, 3))
        active = [every[i] for i in rng.choice(len(every), min(40, len(every)), replace=False)]
        self.x = np.array([np.isin(np.arange(features), on) for on in active], dtype=np.float32)
        exact: Stored = [
            ([[Fraction(w) for w in row] for row in weight.tolist()], [Fraction(b) for b in bias.tolist()], relu)
            for weight, bias, relu in self.layers
        ]
        self.real = [run(exact, [int(v) for v in x]) for x in self.x]
        chain = StoredLayers.of(network(exact))
        own = [at_inputs(chain.part(i), active) for i in range(len(self.real[0]))]
        self.bounds = [list(row) for row in zip(*own, strict=True)]
        self.whole = over_domain(chain, 3)

    def worst(self, y: Any) -> float:
        """How much of its bound the largest error is."""
        y = np.asarray(y, dtype=np.float64).reshape(len(self.x), -1)
        worst = Fraction(0)
        for values, real, bounds in zip(y.tolist(), self.real, self.bounds, strict=True):
            for value, exact, bound, whole in zip(values, real, bounds, self.whole, strict=True):
                off = abs(Fraction(value) - exact)
                assert off <= bound, f"{float(off)} above E(x) = {float(bound)}"
                assert whole is not None
                assert off <= whole, f"{float(off)} above E = {float(whole)}"
                worst = max(worst, off / bound if bound else Fraction(0))
        return float(worst)


@cache
def subject(name: str, scale: float) -> Subject:
    """The network of a file."""
    return Subject(SPECS / name, scale)


def each_alone(evaluate: Evaluation) -> Evaluation:
    """The same, one input at a time."""
    return lambda x: np.concatenate([np.asarray(evaluate(row[None])) for row in x])


def check(of: Subject, ways: Iterable[tuple[str, Evaluation]]) -> None:
    """Hold every way to evaluate against the bounds; some have to differ, or nothing was tested."""
    seen = set()
    for _, evaluate in ways:
        y = np.asarray(evaluate(of.x), dtype=np.float32).reshape(len(of.x), -1)
        of.worst(y)
        seen.add(y.tobytes())
    assert len(seen) > 1
