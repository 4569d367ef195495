"""Compare all engines with plain evaluation on many random questions, and their answers with each other.

`python tests/benchmarks/agree.py FIRST LAST` asks the questions of these numbers, which are their seeds: up to 16
features, up to 4 of them on, up to three hidden layers, every kind of number, function and readout, a hundred outputs
each. Bound, branch and enumeration answer every output, with and without its extremes; Z3 one output in fifty. What
they are held against evaluates the stored layers in Python's and numpy's integers and shares nothing with supercheck.
Stops at the first disagreement. With `--done FILE` the numbers that are finished are kept, and skipped next time.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise
from pathlib import Path
from types import ModuleType

import numpy as np

from supercheck.boolean import GATES, AtLeast, Formula, Not, Var, Xor, gate
from supercheck.claims import Claims
from supercheck.decide import Limits, bound, branch, enumeration, smt
from supercheck.decide.limits import Clock
from supercheck.domain import KSparse
from supercheck.evidence import Decision, Verdict
from supercheck.exact import Array, Rows
from supercheck.network import Affine, Network
from supercheck.replaying import replay
from supercheck.spec import Readout

OUTPUTS, EVERY_Z3 = 100, 50
ENGINES: tuple[ModuleType, ...] = (enumeration, bound, branch)
SETTINGS = (Limits(workers=1), Limits(workers=1, margins=True))


@dataclass(frozen=True)
class Question:
    """A random network as it is stored, and what is asked of it."""

    layers: tuple[Affine, ...]
    claims: Claims


def random_layers(rng: np.random.Generator, features: int, outputs: int) -> tuple[Affine, ...]:
    """Small integers, dyadic fractions, float32s, or numbers far apart; biases make ties likely."""
    kind, layers = rng.integers(4), []
    widths = [features, *rng.integers(1, 9, rng.integers(0, 4)), outputs]
    for width, height in pairwise(widths):
        weight = rng.integers(-3, 4, (height, width)).astype(float) * (rng.random((height, width)) < 0.7)
        bias = rng.integers(-3, 3, height).astype(float)
        if kind == 1:
            weight, bias = weight / 4, bias / 8
        elif kind == 2:
            weight = (weight * rng.normal(1, 0.3, weight.shape)).astype(np.float32).astype(float)
            bias = (bias * rng.normal(1, 0.3, height)).astype(np.float32).astype(float)
        elif kind == 3:
            weight = weight * 2.0 ** rng.integers(-30, 31, weight.shape)
            bias = bias * 2.0 ** rng.integers(-30, 31, height)
        layers.append(Affine(Rows.from_dense(weight), bias, relu=True))
    return (*layers[:-1], Affine(layers[-1].weight, layers[-1].bias, relu=False))


def random_formula(rng: np.random.Generator, features: int, depth: int = 2) -> Formula:
    """A gate over plain features, or now and then a formula of formulas, in which features may occur twice."""
    if depth and rng.random() < 0.15:
        parts = tuple(random_formula(rng, features, depth - 1) for _ in range(rng.integers(1, 4)))
        return [Not(parts[0]), Xor(parts), AtLeast(int(rng.integers(0, len(parts) + 2)), parts)][rng.integers(3)]
    name = str(rng.choice(sorted(GATES)))
    arity = 1 if name == "copy" else int(min(features, rng.choice([1, 2, 2, 2, 3, 3, 4, 6])))
    return gate(name, rng.choice(features, arity, replace=False).tolist())


def question(number: int, outputs: int = OUTPUTS) -> Question:
    """The question of this number."""
    rng = np.random.default_rng([20, number])
    features = int(rng.integers(1, 17))
    layers = random_layers(rng, features, outputs)
    network = Network.of(layers)
    formulas = [random_formula(rng, features) for _ in range(outputs)]
    at = Fraction(int(rng.integers(-4, 9)), int(rng.choice([1, 2, 4])))
    readout = [
        Readout("threshold", at, Fraction(int(rng.integers(0, 3)), 4)),
        Readout("separable"),
        Readout("epsilon", within=abs(at)),
        Readout("equality"),
    ][int(rng.choice(4, p=[0.55, 0.2, 0.15, 0.1]))]
    domain = KSparse(features, int(rng.integers(0, min(features, 4) + 1)))
    return Question(layers, Claims(network, network, domain, formulas, readout))


def evaluate(layers: Sequence[Affine], inputs: Array) -> tuple[Array, int]:
    """Every output on every input.

    Returns:
        Whole numbers [inputs, outputs], and how often they have to be halved.
    """
    h, halvings = inputs.astype(object), 0
    for layer in layers:
        stored = [*layer.weight.dense().ravel().tolist(), *layer.bias.tolist()]
        shift = max(Fraction(value).denominator.bit_length() - 1 for value in stored)  # floats: powers of two
        weight = np.array([int(Fraction(v) * 2**shift) for v in layer.weight.dense().ravel().tolist()], dtype=object)
        halvings += shift
        bias = np.array([int(Fraction(v) * 2**halvings) for v in layer.bias.tolist()], dtype=object)
        weight = weight.reshape(layer.weight.height, -1)
        highest = _largest(weight) * _largest(h) * weight.shape[1] + _largest(bias)
        if highest < 2**62:
            z = h.astype(np.int64) @ weight.astype(np.int64).T + bias.astype(np.int64)
        else:
            z = h @ weight.T + bias
        h = np.maximum(z, 0) if layer.relu else z
    return h, halvings


def _largest(numbers: Array) -> int:
    return max((abs(number) for number in numbers.ravel().tolist()), default=0)


def values(formula: Formula, inputs: Array) -> Array:
    """A function on every input."""
    if isinstance(formula, Var):
        return inputs[:, formula.index] == 1
    if isinstance(formula, Not):
        return ~values(formula.inside, inputs)
    on = sum((values(part, inputs).astype(int) for part in formula.inside), np.zeros(len(inputs), dtype=int))
    return on % 2 == 1 if isinstance(formula, Xor) else on >= formula.count


Ends = dict[bool, tuple[Fraction, Fraction]]


def truth(asked: Question) -> list[tuple[bool, Ends]]:
    """For each output whether it is wrong somewhere, and the least and greatest y of each class."""
    claims, m = asked.claims, asked.claims.domain.features
    members = [a for size in range(claims.domain.max_active + 1) for a in combinations(range(m), size)]
    inputs = np.array([[int(j in active) for j in range(m)] for active in map(set, members)])
    y, halvings = evaluate(asked.layers, inputs)
    found = []
    for i, formula in enumerate(claims.formulas):
        on, ends = values(formula, inputs), {}
        for kind in (False, True):
            column = y[on == kind, i]
            if len(column):
                ends[kind] = Fraction(int(column.min()), 2**halvings), Fraction(int(column.max()), 2**halvings)
        found.append((_bad(claims.readout, ends), ends))
    return found


def _bad(readout: Readout, ends: Ends) -> bool:
    off, on = ends.get(False), ends.get(True)
    if readout.mode == "separable":
        return off is not None and on is not None and off[1] >= on[0]
    if readout.at is not None:
        high, low = readout.at - readout.margin, readout.at + readout.margin
        return (off is not None and off[1] > high) or (on is not None and on[0] <= low)
    within = readout.within or Fraction(0)
    return any(abs(y - kind) > within for kind, both in ends.items() for y in both)


def compare(asked: Question) -> tuple[int, int]:
    """Hold all engines against the truth.

    Returns:
        (answers compared, answers left open).
    """
    claims, expected, compared, open_ = asked.claims, truth(asked), 0, 0
    every = range(len(claims))
    runs = [(engine, limits) for engine in ENGINES for limits in SETTINGS]
    answers = [
        (
            f"{engine.NAME}, margins {limits.margins}",
            [d for ds in engine.decide(claims, every, limits, clock) for d in ds],
        )
        for engine, limits in runs
        for clock in [Clock.start(None)]
    ]
    answers.append(("z3", [smt.solve(claims, i, i % 4 == 0) for i in every if i % EVERY_Z3 == 0]))
    for name, decisions in answers:
        for decision in decisions:
            bad, ends = expected[decision.output]
            if decision.verdict is Verdict.UNKNOWN:
                open_ += 1
                continue
            compared += 1
            if (decision.verdict is Verdict.REFUTED) != bad:
                raise SystemExit(f"{name} says {decision.verdict.value} of output {decision.output}, which is {bad=}")
            _measured(claims, name, decision, ends)
        replay(claims, [d for d in decisions if d.verdict is Verdict.REFUTED])
    return compared, open_


def _measured(claims: Claims, name: str, decision: Decision, ends: Ends) -> None:
    """Hold an output's extremes against the truth, where the engine knows them."""
    if decision.extremes is None:
        return
    for on, point in ((True, decision.extremes.on), (False, decision.extremes.off)):
        low, high = ends.get(on, (None, None))
        if claims.readout.mode in ("epsilon", "equality"):
            best = None if low is None or high is None else max(abs(low - on), abs(high - on))
            mine = None if point is None else abs(point.value - on)
        else:
            best, mine = (low if on else high), (None if point is None else point.value)
        if mine != best:
            raise SystemExit(f"{name} measures {mine} at output {decision.output}, class {on}; it is {best}")


def main() -> None:
    """Compare the questions that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int)
    parser.add_argument("--done", type=Path, help="where the numbers of finished questions are kept")
    options = parser.parse_args()
    finished = set()
    if options.done is not None and options.done.exists():
        finished = {int(line.split()[0]) for line in options.done.read_text().splitlines()}
    total = compared = open_ = 0
    for number in range(options.first, options.last + 1):
        if number in finished:
            continue
        try:
            found = compare(question(number))
        except SystemExit as error:
            raise SystemExit(f"question {number}: {error}") from None
        total, compared, open_ = total + 1, compared + found[0], open_ + found[1]
        if options.done is not None:
            with options.done.open("a") as file:
                file.write(f"{number} {found[0]} {found[1]}\n")
        if total % 500 == 0:
            sys.stderr.write(f"{total:,} questions, {compared:,} answers compared, {open_:,} left open\n")
    sys.stdout.write(
        f"{total:,} questions of {OUTPUTS} outputs: {compared:,} answers compared, {open_:,} left open, "
        "no disagreement\n"
    )


if __name__ == "__main__":
    main()
