"""A finite truth table, memorised: each input a neuron, or sums of monomials, or kinks on a line; the least of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from random import Random

import numpy as np

from supercheck.base.errors import InputError
from supercheck.base.matrix import Array, Rows, trusted
from supercheck.construct.layers import hidden, marked, readout
from supercheck.construct.request import Built, Request, claim, domain_of
from supercheck.decide.limits import Clock
from supercheck.spec.domain import KSparse
from supercheck.spec.table import Table, read_rows

_CELLS = 1 << 23  # inputs times features, and inputs times outputs
_LINES = 200  # that are tried, or fewer
_WORK = 1 << 15  # inputs over all of them
_LONG = 1 << 40  # of an output


@dataclass(frozen=True, eq=False)
class _Layers:
    """Hidden weights [neurons, named features] and biases, output weights [outputs, neurons] and biases."""

    weight: Array
    bias: Array
    last: Array
    constant: Array


def table(wanted: Request) -> Built:
    """The neurons that a truth table needs, in whichever of three ways takes the fewest.

    By input: a neuron for every input whose outputs are not the most common ones, ReLU(on - off - (ones - 1)), which
    is 1 there and 0 elsewhere. By monomial: every function on at most k features is a sum of products of features, and
    a product is ReLU(sum - (q - 1)); one neuron for each product in any output. On a line: a sum a . x that differs
    wherever the outputs do; along it each output is piecewise linear, with a neuron at each kink, which all outputs
    share.

    Guarantee: right at k; by input and by monomial the output is 0 or 1, on a line at most 0, or at least 1.
    Cost: n at most the number of inputs less 1; a function of the count of ones alone has at most k.
    Source: ours; inclusion and exclusion for the monomials, and interpolation on a line, are folklore.
    """
    wanted.only("features", "table", "seed")
    if wanted.table is None:
        raise InputError(place="--table", expected="a file with a truth table", got="none")
    read = read_rows(
        wanted.table, lambda named: domain_of(wanted.features or max(named, default=0) + 1, wanted.max_active)
    )
    features, named = read.domain.features, sorted(read.features)
    spec = replace(claim(features, wanted.max_active, read.formulas(), Fraction(1, 2)), table=wanted.table)
    inputs, values = _tabulated(wanted.table, read)
    ways = {"a neuron an input": _by_input(inputs, values), "monomials": _by_monomial(inputs, values)}
    line = _by_line(inputs, values, Random(wanted.seed), wanted.clock)
    if line is not None:
        ways["kinks on a line"] = line
    way = min(ways, key=lambda name: len(ways[name].bias))  # of equals the first, which is exact
    found = ways[way]
    first = Rows.from_dense(found.weight)
    first = trusted(first.indptr, np.array(named, dtype=np.int32)[first.indices], first.data, features)
    counts = ", ".join(f"{name} {len(other.bias)}" for name, other in ways.items())
    last = readout(Rows.from_dense(found.last), found.constant)
    if not len(found.bias):  # every output is constant: no layer of none
        nowhere = np.zeros(0, dtype=np.int64)
        last = readout(marked(nowhere, nowhere, len(found.constant), features), found.constant)
    return Built(
        (hidden(first, found.bias), last) if len(found.bias) else (last,),
        spec,
        {"way": way, "neurons that each way takes": counts},
    )


def _tabulated(file: Path, read: Table) -> tuple[Array, Array]:
    """Every input of the named features, int64 [inputs, named], fewest ones first, and outputs [inputs, outputs]."""
    named, limit = sorted(read.features), min(read.domain.max_active, len(read.features))
    size = KSparse(len(named), limit).size
    if size * max(len(named), read.outputs) > _CELLS:
        expected = f"inputs times features, and times outputs, up to {_CELLS:,}"
        raise InputError(file=file, expected=expected, got=f"{size:,} inputs")
    place = {feature: column for column, feature in enumerate(named)}
    kept = sorted(([place[j] for j in sorted(on)], cells) for on, cells in read.rows.items() if len(on) <= limit)
    inputs = np.zeros((len(kept), len(named)), dtype=np.int64)
    for i, (on, _) in enumerate(kept):
        inputs[i, on] = 1
    values = np.array([[int(cell) for cell in cells] for _, cells in kept], dtype=np.int64)
    order = np.argsort(inputs.sum(axis=1), kind="stable")
    return inputs[order], values[order]


def _by_input(inputs: Array, values: Array) -> _Layers:
    """A neuron for every input whose outputs are not the most common ones."""
    patterns, which, counts = np.unique(values, axis=0, return_inverse=True, return_counts=True)
    common = patterns[counts.argmax()]
    special = np.flatnonzero(which.reshape(-1) != counts.argmax())
    on = inputs[special]
    return _Layers(2 * on - 1, 1 - on.sum(axis=1), (values[special] - common).T, common)


def _by_monomial(inputs: Array, values: Array) -> _Layers:
    """A neuron for every product of features that some output has, by inclusion and exclusion."""
    place = {frozenset(np.flatnonzero(row).tolist()): i for i, row in enumerate(inputs)}
    terms = values.copy()
    for feature in range(inputs.shape[1]):
        whole = np.flatnonzero(inputs[:, feature])
        terms[whole] -= terms[[place[frozenset(np.flatnonzero(inputs[i]).tolist()) - {feature}] for i in whole]]
    used = np.flatnonzero(terms[1:].any(axis=1)) + 1  # the first is the empty product, a constant
    return _Layers(inputs[used], 1 - inputs[used].sum(axis=1), terms[used].T, terms[0])


def _by_line(inputs: Array, values: Array, random: Random, clock: Clock) -> _Layers | None:
    """A neuron for every kink along the line that takes the fewest of those that are tried, if any line suits.

    All ones come first, then by turns small random weights, which tell apart what they must if need be, and large ones.
    """
    features = inputs.shape[1]
    best: tuple[Array, list[tuple[int, Array]], Array] | None = None
    for number in range(max(2, min(_LINES, _WORK // len(inputs)))):
        if clock.over:
            break
        reach = 4 * len(inputs) ** 2 if number % 2 else 2 + number // 4
        weights = np.array([random.randint(-reach, reach) if number else 1 for _ in range(features)], dtype=np.int64)
        found = _kinks(inputs @ weights, values, None if best is None else len(best[1]))
        best = best if found is None else (weights, *found)
    if best is None:
        return None
    weights, bends, constant = best
    starts = np.array([start for start, _ in bends], dtype=np.int64)
    last = np.array([bend for _, bend in bends], dtype=np.int64).reshape(len(bends), values.shape[1])
    return _Layers(np.tile(weights, (len(bends), 1)), -starts, last.T, constant)


def _kinks(sums: Array, values: Array, fewer_than: int | None) -> tuple[list[tuple[int, Array]], Array] | None:
    """Where the outputs bend along a line and by how much, and where they begin.

    None if a sum stands for two outputs, there are not fewer kinks than asked for, or numbers grow long.

    Each output is above 0 exactly where it should be on, 1 or 0 at the first sum, and has whole slopes. A piece goes on
    for as long as some slope suits every output.
    """
    order = np.argsort(sums, kind="stable")
    sums, values = sums[order], values[order]
    same = np.diff(sums) == 0
    if (values[1:][same] != values[:-1][same]).any():
        return None
    kept = np.concatenate([[True], ~same])
    sums, on = sums[kept], values[kept] == 1
    height = on[0].astype(np.int64)
    constant, slope, start = height, np.zeros_like(height), 0
    bends: list[tuple[int, Array]] = []
    while start < len(sums) - 1:
        if fewer_than is not None and len(bends) >= fewer_than:
            return None
        low, high = np.full_like(height, -_LONG - 1), np.full_like(height, _LONG + 1)
        end = start
        while end + 1 < len(sums):
            run = int(sums[end + 1] - sums[start])
            lower = np.where(on[end + 1], np.maximum(low, -((height - 1) // run)), low)
            upper = np.where(on[end + 1], high, np.minimum(high, -height // run))
            if (lower > upper).any():
                break
            low, high, end = lower, upper, end + 1
        steepness = np.clip(0, low, high)
        run = int(sums[end] - sums[start])
        if int(np.abs(steepness).max()) * run > _LONG:
            return None
        if (steepness != slope).any():
            bends.append((int(sums[start]), steepness - slope))
        height = height + steepness * run
        slope, start = steepness, end
    return (bends, constant) if fewer_than is None or len(bends) < fewer_than else None
