"""Sparse networks of both signs, in which right outputs need branching and the truth is known at any size."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain, combinations
from math import comb

import numpy as np
from families import Instance, ands, instance

from supercheck.base.matrix import Array
from supercheck.construct.layers import placed
from supercheck.network.layers import Affine


def mixed(
    m: int, outputs: int, n: int, k: int, seed: int = 0, block: int = 24, wrong: float = 0.25, slack: int = 0
) -> Instance:
    """Sparse networks of both signs in which right outputs need branching, and the truth is known at any size.

    Features fall into blocks, and an output's cone stays inside one. An output has its own neuron ReLU(x_a + x_b - 1)
    and reads noise: twins +-w (ReLU(u.x - t) - ReLU(u.x + e.x - t)), shared by the block's outputs, whose values nearly
    cancel and whose linear relaxations do not. All inputs of the block are evaluated, and the output's bias is set so
    that its worst off value just keeps to the threshold (right) or just misses it (wrong); the weight of the output's
    own neuron, so that every on value is above it.

    Args:
        m: features.
        outputs: how many.
        n: neurons; what exceeds `outputs` are twins.
        k: the largest number of active features.
        seed: of everything random.
        block: features a block, roughly.
        wrong: the share of wrong outputs.
        slack: by how much a right output keeps away from its threshold.

    Returns:
        The instance with its truth, which brute force over each block knows.
    """
    rng = np.random.default_rng(seed)
    blocks = max(1, m // block)
    features, shares = np.array_split(np.arange(m), blocks), np.array_split(np.arange(outputs), blocks)
    twins = np.array_split(np.arange((n - outputs) // 2), blocks)
    is_wrong = rng.random(outputs) < wrong
    hidden: list[tuple[Array, Array, Array]] = []  # rows, columns, values
    last: list[tuple[Array, Array, Array]] = []
    bias, hidden_bias = np.zeros(outputs, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    pairs = np.zeros((outputs, 2), dtype=np.int64)
    for own, share, pool in zip(features, shares, twins, strict=True):
        if not len(share):
            continue
        size, local = len(own), np.array(list(combinations(range(len(own)), 2)))
        chosen = local[rng.choice(len(local), len(share), replace=len(share) > len(local))]
        weights, biases = _twins(size, len(pool), rng)
        readout = np.zeros((len(share), 2 * len(pool)), dtype=np.int64)
        for row in readout:
            picked = rng.choice(len(pool), min(len(pool), 6), replace=False)
            sizes = rng.integers(1, 4, len(picked)) * rng.choice([-1, 1], len(picked))
            row[2 * picked], row[2 * picked + 1] = sizes, -sizes
        off, on = _worst(size, k, chosen, weights, biases, readout)
        limit = off + np.where(is_wrong[share], -1, slack)
        strength = np.maximum(1, limit + 1 - on)
        pairs[share], bias[share] = own[chosen], -limit
        neurons = outputs + np.stack([2 * pool, 2 * pool + 1], axis=1).reshape(-1)
        hidden_bias[neurons] = biases
        for rows, columns, matrix, store in ((neurons, own, weights, hidden), (share, neurons, readout, last)):
            row, column = np.nonzero(matrix)
            store.append((rows[row], columns[column], matrix[row, column]))
        hidden.append((np.repeat(share, 2), pairs[share].reshape(-1), np.ones(2 * len(share), dtype=np.int64)))
        last.append((share, share, strength))
    layers = [
        Affine(placed(hidden, n, m), hidden_bias, True, "0"),
        Affine(placed(last, outputs, n), bias, False, "2"),
    ]
    name = f"mixed m={m} outputs={outputs} n={n} k={k} block={block}"
    right = (~is_wrong).tolist()
    return instance(name, layers, ands(pairs), k, Fraction(1, 2), lambda wanted: [right[i] for i in wanted])


def _twins(size: int, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Neurons 2q and 2q + 1: the same row of five features, the second with one more; and their biases."""
    weights = np.zeros((2 * count, size), dtype=np.int64)
    for q in range(count):
        columns = rng.choice(size, min(size, 6), replace=False)
        values = rng.choice([1, 1, 2, -1], len(columns))
        weights[2 * q, columns[1:]] = values[1:]
        weights[2 * q + 1, columns] = values
    return weights, np.repeat(-rng.integers(0, 3, count), 2)


def _worst(size: int, k: int, pairs: Array, weights: Array, biases: Array, readout: Array) -> tuple[Array, Array]:
    """By brute force over one block: the greatest off and the least on value of each output's noise."""
    off, on = np.full(len(pairs), np.iinfo(np.int64).min), np.full(len(pairs), np.iinfo(np.int64).max)
    for level in range(min(k, size) + 1):
        active = np.fromiter(chain.from_iterable(combinations(range(size), level)), dtype=np.int64)
        for part in np.array_split(active.reshape(comb(size, level), level), -(-comb(size, level) // 50_000)):
            x = np.zeros((len(part), size))
            np.put_along_axis(x, part, 1, axis=1)
            noise = (np.maximum(x @ weights.T + biases, 0) @ readout.T).astype(np.int64)  # small integers: exact
            both = (x[:, pairs[:, 0]] * x[:, pairs[:, 1]]) > 0
            off = np.maximum(off, np.where(both, off, noise).max(axis=0))
            on = np.minimum(on, np.where(both, noise, on).min(axis=0))
    return off, np.where(on == np.iinfo(np.int64).max, 0, on)
