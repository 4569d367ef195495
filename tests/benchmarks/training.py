"""Family B: dense float32 networks trained on ANDs of pairs by Adam in numpy; weights are cached in another folder."""

from __future__ import annotations

import hashlib
import os
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
from families import Instance, even_pairs, instance

from supercheck.base.matrix import Array, Rows
from supercheck.network.layers import Affine
from supercheck.spec.formula import Formula, gate

CACHE = "SUPERCHECK_BENCHMARK_CACHE"
"""The environment variable that names the folder of trained weights; without it, one in the temporary folder."""

BATCH = 512  # inputs a step
STEPS = 60
VERSION = 1


def trained(m: int, n: int, k: int, pairs: int, seed: int = 0, steps: int = STEPS) -> Instance:
    """Family B: a dense float32 network h = ReLU(W x + b), y = D h + c, trained on ANDs of pairs, read at 1/2.

    Trained by Adam on random inputs with at most k features on, half of them drawn so that they hold a pair of the
    question; the loss is a squared hinge around 1/2. The hidden weights start at random, an output's readout as the sum
    of its two features' columns. Few steps leave some outputs wrong; two hundred make most networks right at k = 4. The
    truth is not known beforehand.

    Args:
        m: features.
        n: neurons.
        k: the largest number of active features.
        pairs: how many; C(m, 2) are all.
        seed: of the weights, the inputs and the pairs.
        steps: of Adam, instead of 60.

    Returns:
        The instance. The same seed gives the same network on the same machine; across machines float32 sums may differ.
    """
    rng = np.random.default_rng(seed)
    chosen = even_pairs(m, pairs, rng)
    key = hashlib.sha256(f"{VERSION} {m} {n} {k} {pairs} {seed} {steps}".encode()).hexdigest()[:16]
    folder = Path(os.environ.get(CACHE) or Path(tempfile.gettempdir()) / "supercheck-benchmarks")
    file = folder / f"B-{m}-{n}-{k}-{pairs}-{key}.npz"
    if file.is_file():
        with np.load(file, allow_pickle=False) as stored:
            parts = [stored[name] for name in ("w", "b", "d", "c")]
    else:
        parts = _train(m, n, k, chosen, steps, rng)
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(file, **dict(zip(("w", "b", "d", "c"), parts, strict=True)))  # type: ignore[arg-type]
    w, b, d, c = (part.astype(np.float64) for part in parts)
    layers = [Affine(Rows.from_dense(w), b, True, "0"), Affine(Rows.from_dense(d), c, False, "2")]
    formulas: list[Formula] = [gate("and", pair) for pair in chosen.tolist()]
    return instance(f"B m={m} outputs={pairs} n={n} k={k}", layers, formulas, k, Fraction(1, 2))


def _inputs(m: int, k: int, pairs: Array, rng: np.random.Generator) -> Array:
    """A batch of 0/1 inputs with at most k features on, [inputs, features]; half of them hold a pair."""
    order = rng.random((BATCH, m), dtype=np.float32)
    half = BATCH // 2
    held = pairs[rng.integers(0, len(pairs), half)]
    np.put_along_axis(order[:half], held, 2, axis=1)
    ranked = np.argpartition(-order, min(k, m - 1), axis=1)[:, :k] if k < m else np.tile(np.arange(m), (BATCH, 1))
    x = np.zeros((BATCH, m), dtype=np.float32)
    np.put_along_axis(x, ranked, 1, axis=1)
    fewer = rng.random((BATCH, 1)) < 0.25
    fewer[:half] = False
    return np.where(fewer & (rng.random((BATCH, m)) < 0.5), 0, x).astype(np.float32)


def _train(m: int, n: int, k: int, pairs: Array, steps: int, rng: np.random.Generator) -> list[Array]:
    """Adam with a falling rate from a readout that is a pair's two columns; returns W, b, D, c in float32."""
    start = rng.normal(0, 1 / np.sqrt(n), (n, m))
    parts = (start, np.full(n, 0.1), start.T[pairs[:, 0]] + start.T[pairs[:, 1]], np.full(len(pairs), -0.5))
    values: list[Array] = [part.astype(np.float32) for part in parts]
    first, second = [np.zeros_like(part) for part in values], [np.zeros_like(part) for part in values]
    for step in range(1, steps + 1):
        w, b, d, c = values
        x = _inputs(m, k, pairs, rng)
        z = x @ w.T + b
        h = np.maximum(z, 0)
        y = h @ d.T + c - np.float32(0.5)
        on = x[:, pairs[:, 0]] * x[:, pairs[:, 1]]
        sign = 2 * on - 1
        short = np.maximum(np.float32(0.5) - sign * y, 0)
        grad = -sign * short * (1 + on * np.float32(min(20.0, (m / k) ** 2))) / np.float32(BATCH)
        back = (grad @ d) * (z > 0)
        grads = [back.T @ x, back.sum(axis=0), grad.T @ h, grad.sum(axis=0)]
        rate = 0.01 * 0.5 * (1 + np.cos(np.pi * step / (steps + 1)))
        for value, one, two, slope in zip(values, first, second, grads, strict=True):
            one += np.float32(0.1) * (slope - one)
            two += np.float32(0.001) * (slope * slope - two)
            unbiased = np.sqrt(two / np.float32(1 - 0.999**step)) + np.float32(1e-8)
            value -= np.float32(rate / (1 - 0.9**step)) * one / unbiased
    return values
