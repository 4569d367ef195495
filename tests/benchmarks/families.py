"""Families of networks of any size with the question to put to them; everything is fixed by the seed.

A `channels`, C `one_per_pair`, D `circuits`; B is in `training.py`, and `mixed.py` has one whose right outputs need
branching. Where the truth is known without any engine, the instance can tell it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from math import comb
from pathlib import Path
from typing import Any

import numpy as np

from supercheck.base.matrix import Array, Rows
from supercheck.claims.claims import Claims, pose
from supercheck.construct.layers import hidden, marked, placed, readout
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import AtLeast, Formula, Var, every, gate, some, support
from supercheck.spec.readout import Readout
from supercheck.spec.spec import Spec
from supercheck.spec.syntax import text

Truth = Callable[[Sequence[int]], list[bool]]


@dataclass(frozen=True, eq=False)
class Instance:
    """A network and a question; `network, spec = instance` takes it apart.

    Attributes:
        name: the family and its sizes.
        network: the network in normal form.
        spec: the question.
        layers: the same network as it is stored.
        truth: whether each of the given outputs is right, known from how they were made; None where it is not.
    """

    name: str
    network: Network
    spec: Spec
    layers: tuple[Affine, ...]
    truth: Truth | None = None

    def __iter__(self) -> Iterator[Any]:
        """The network, then the spec."""
        return iter((self.network, self.spec))

    @property
    def claims(self) -> Claims:
        """The question as the engines see it."""
        return pose(self.network, self.spec)

    def only(self, outputs: Sequence[int]) -> Instance:
        """The same question about some of the outputs, with the part of the network that they depend on."""
        network = self.network.slice(outputs, np.arange(self.network.features))
        spec = replace(self.spec, formulas=tuple(self.spec.formulas[i] for i in outputs))
        return Instance(f"{self.name}, {len(outputs)} outputs", network, spec, tuple(network.affine()))


def instance(
    name: str, layers: Sequence[Affine], formulas: Sequence[Formula], k: int, at: Fraction, truth: Truth | None = None
) -> Instance:
    """An instance in threshold mode.

    Args:
        name: the family and its sizes.
        layers: first to last.
        formulas: one an output.
        k: the largest number of active features.
        at: the threshold.
        truth: see `Instance`.
    """
    network = Network.of(layers)
    spec = Spec(KSparse(network.features, k), tuple(formulas), Readout("threshold", at))
    return Instance(name, network, spec, tuple(layers), truth)


def channels(m: int, outputs: int, n: int, c: int, k: int, seed: int = 0) -> Instance:
    """Family A: random output channels. Output i is on where the mean of its channel is above 1/2.

    Each output owns c random neurons; a feature feeds the neurons of all its outputs; a neuron is ReLU(sum - 1). The
    mean is stored as a sum of ones read at c / 2.

    Args:
        m: features.
        outputs: distinct random pairs, spread evenly over the features.
        n: neurons.
        c: neurons a channel.
        k: the largest number of active features.
        seed: of everything random.

    Returns:
        The instance. Its truth is the closed form: right iff the k - 1 largest overlaps of the channel with the neurons
        of other features sum to at most c / 2.

    Source: Adler and Shavit, arXiv 2409.15318, output channels.
    """
    rng = np.random.default_rng(seed)
    pairs, owned = even_pairs(m, outputs, rng), distinct(outputs, n, c, rng)
    fed = _union(pairs, owned, n, m)
    layers = [hidden(fed, -1), _sums(owned, n)]

    def truth(wanted: Sequence[int]) -> list[bool]:
        """The closed form, some outputs at a time."""
        right: list[bool] = []
        step = max(1, (1 << 22) // m)
        for start in range(0, len(wanted), step):
            part = np.asarray(wanted[start : start + step], dtype=np.int64)
            touched = fed.take(owned[part].reshape(-1))
            place = np.repeat(np.arange(len(part)), np.diff(touched.indptr).reshape(len(part), c).sum(axis=1))
            overlap = np.bincount(place * m + touched.indices, minlength=len(part) * m).reshape(len(part), m)
            overlap[np.arange(len(part))[:, None], pairs[part]] = 0
            others = min(max(k - 1, 0), m)
            top = np.partition(overlap, m - others, axis=1)[:, m - others :] if others else overlap[:, :0]
            right += (2 * top.sum(axis=1) <= c).tolist()
        return right

    name = f"A m={m} outputs={outputs} n={n} c={c} k={k}"
    return instance(name, layers, ands(pairs), k, Fraction(c, 2), truth)


def one_per_pair(m: int, outputs: int, k: int, seed: int = 0) -> Instance:
    """Family C: neuron i is ReLU(x_a + x_b - 1), output i is neuron i, read at 1/2; every output is right.

    Args:
        m: features.
        outputs: distinct random pairs, spread evenly over the features.
        k: the largest number of active features.
        seed: of the pairs.

    Returns:
        The instance; all outputs are right.
    """
    pairs = even_pairs(m, outputs, np.random.default_rng(seed))
    own = np.arange(outputs)[:, None]
    layers = [hidden(_union(pairs, own, outputs, m), -1), _sums(own, outputs)]
    name = f"C m={m} outputs={outputs} k={k}"
    return instance(name, layers, ands(pairs), k, Fraction(1, 2), lambda wanted: [True] * len(wanted))


def circuits(m: int, n1: int, n2: int, outputs: int, k: int, c: int = 16, c2: int = 2, seed: int = 0) -> Instance:
    """Family D: two hidden layers. Half of the outputs are (a & b) | (c & d), half a & b & c & d, in turn.

    The first hidden layer computes 2 * outputs ANDs of pairs by channels of c out of n1 neurons. In the second an OR
    has one neuron ReLU(1 - u - v) of its two ANDs u and v, each the mean of its channel; a four-feature AND has a
    channel of c2 neurons, each ReLU(sum of the ANDs of its outputs - 1). So n2 must exceed the number of ORs by c2;
    what is left over is shared by the four-feature ANDs. Larger c against n1 makes more outputs wrong.

    Args:
        m: features.
        n1: neurons of the first hidden layer.
        n2: neurons of the second.
        outputs: how many.
        k: the largest number of active features.
        c: neurons a channel in the first hidden layer.
        c2: the same in the second.
        seed: of everything random.

    Returns:
        The instance; the truth is not known beforehand.

    Source: Adler and Shavit, arXiv 2409.15318, circuits of several layers; the NOR neuron is ours.
    """
    rng = np.random.default_rng(seed)
    pairs, owned = even_pairs(m, 2 * outputs, rng), distinct(2 * outputs, n1, c, rng)
    first = hidden(_union(pairs, owned, n1, m), -1)
    gates = owned.reshape(outputs, 2 * c)  # the neurons of both ANDs of an output
    ors, ands = np.arange(0, outputs, 2), np.arange(1, outputs, 2)
    owned2 = len(ors) + distinct(len(ands), n2 - len(ors), c2, rng)
    users = np.concatenate([np.arange(len(ors)), owned2.reshape(-1)])  # of the second layer, and whose ANDs they read
    reads = np.concatenate([gates[ors], np.repeat(gates[ands], c2, axis=0)])
    weight = _counted(np.repeat(users, 2 * c), reads.reshape(-1), n2, n1)
    sign = np.where(np.arange(n2) < len(ors), -1, 1)
    second = Affine(replace(weight, data=weight.data * sign[weight.row_of()]), -c * sign, True, "2")
    rows = np.concatenate([ors, np.repeat(ands, c2)])
    last = _counted(rows, users, outputs, n2)
    last = replace(last, data=np.where(last.row_of() % 2 == 0, -c2, last.data))
    bias = np.where(np.arange(outputs) % 2 == 0, c * c2, 0)
    formulas: list[Formula] = []
    for i, both in enumerate(pairs.reshape(outputs, 2, 2).tolist()):
        parts = [gate("and", sorted(pair)) for pair in both]
        formulas.append(some(parts) if i % 2 == 0 else gate("and", sorted({*both[0], *both[1]})))
    name = f"D m={m} n={n1}+{n2} outputs={outputs} c={c}+{c2} k={k}"
    return instance(name, [first, second, Affine(last, bias, False, "4")], formulas, k, Fraction(c * c2, 2))


def even_pairs(m: int, count: int, rng: np.random.Generator) -> Array:
    """Distinct random pairs [count, 2], each feature in about 2 * count / m of them.

    Every feature is laid out equally often, shuffled and paired; pairs that are no pairs, or come twice, are shuffled
    again with as many others. Where most pairs are wanted, a plain sample of all of them.
    """
    if count > comb(m, 2):
        raise ValueError(f"{count} distinct pairs of {m} features")
    if 4 * count > comb(m, 2):
        every_pair = np.array(list(combinations(range(m), 2)))
        return every_pair[np.sort(rng.choice(len(every_pair), count, replace=False))]
    ends = np.concatenate([rng.permutation(m) for _ in range(-(-2 * count // m))])[: 2 * count]
    pairs = rng.permutation(ends).reshape(count, 2)
    while True:
        keys = pairs.min(axis=1) * m + pairs.max(axis=1)
        bad = np.ones(count, dtype=bool)
        bad[np.unique(keys, return_index=True)[1]] = False
        bad |= pairs[:, 0] == pairs[:, 1]
        if not bad.any():
            return np.sort(pairs, axis=1)
        bad[rng.choice(count, min(count, 2 * int(bad.sum()) + 2), replace=False)] = True
        pairs[bad] = rng.permutation(pairs[bad].reshape(-1)).reshape(-1, 2)


def distinct(rows: int, n: int, c: int, rng: np.random.Generator) -> Array:
    """For each row c distinct random numbers below n, ascending, [rows, c]."""
    if c > n:
        raise ValueError(f"{c} distinct neurons out of {n}")
    if 2 * c * c > n:
        return np.sort(np.array([rng.choice(n, c, replace=False) for _ in range(rows)]).reshape(rows, c), axis=1)
    chosen = np.sort(rng.integers(0, n, (rows, c)), axis=1)
    while (again := np.flatnonzero((np.diff(chosen, axis=1) == 0).any(axis=1))).size:
        chosen[again] = np.sort(rng.integers(0, n, (len(again), c)), axis=1)
    return chosen


def _union(pairs: Array, owned: Array, n: int, m: int) -> Rows:
    """The 0/1 weight [n, m]: a feature feeds every neuron of its outputs."""
    neurons = np.repeat(owned, 2, axis=0).reshape(-1)
    return marked(neurons, np.repeat(pairs.reshape(-1), owned.shape[1]), n, m)


def _sums(owned: Array, n: int) -> Affine:
    """The sum of each output's own neurons."""
    outputs, c = owned.shape
    return readout(marked(np.repeat(np.arange(outputs), c), owned.reshape(-1), outputs, n))


def _counted(rows: Array, columns: Array, height: int, width: int) -> Rows:
    """The matrix that counts how often each place is listed."""
    places, counts = np.unique(rows * np.int64(width) + columns, return_counts=True)
    return placed([(places // width, places % width, counts)], height, width)


def ands(pairs: Array) -> list[Formula]:
    """The AND of each pair."""
    return [every((Var(a), Var(b))) for a, b in pairs.tolist()]


def write(made: Instance, folder: Path, name: str) -> Path:
    """Write the network as a sparse NPZ file and the question as a TOML file beside it.

    Returns:
        The spec's path.
    """
    arrays: dict[str, Array] = {}
    for number, layer in enumerate(made.layers):
        weight = layer.weight
        place = f"{2 * number}"
        arrays[f"{place}.weight.data"], arrays[f"{place}.weight.indices"] = _narrow(weight.data), weight.indices
        arrays[f"{place}.weight.indptr"] = weight.indptr
        arrays[f"{place}.weight.shape"] = np.array([weight.height, weight.width])
        arrays[f"{place}.bias"] = _narrow(layer.bias)
    np.savez(folder / f"{name}.npz", **arrays)  # type: ignore[arg-type]
    path = folder / f"{name}.toml"
    path.write_text(_toml(made.spec, f"{name}.npz"))
    return path


def _narrow(values: Array) -> Array:
    """The same values in a byte each where they fit; floats of 32 bits stay as they were trained."""
    if values.dtype == object and all(value == int(value) for value in values):  # of a part of a network
        values = values.astype(np.int64)
    if values.dtype.kind == "i" and np.abs(values).max(initial=0) < 128:
        return values.astype(np.int8)
    single = values.astype(np.float32) if values.dtype.kind == "f" else values
    return single if (single == values).all() else values


def _toml(spec: Spec, network: str) -> str:
    pairs = [support(formula) for formula in spec.formulas]
    if all(formula == AtLeast(len(s), tuple(map(Var, s))) for formula, s in zip(spec.formulas, pairs, strict=True)):
        listed = ",\n".join(f"    [{', '.join(map(str, features))}]" for features in pairs)
        asked = f'gate = "and"\nover = [\n{listed},\n]'
    else:
        listed = ",\n".join(f'    "{text(formula)}"' for formula in spec.formulas)
        asked = f"formulas = [\n{listed},\n]"
    domain = f"features = {spec.domain.features}\nmax_active = {spec.domain.max_active}"
    return (
        f'[network]\nfile = "{network}"\n\n[domain]\n{domain}\n\n[outputs]\n{asked}\n\n'
        f'[readout]\nmode = "threshold"\nat = "{spec.readout.at}"\n'
    )
