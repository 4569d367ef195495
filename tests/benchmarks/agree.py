"""Compare all engines with plain evaluation on a million random claims, and their answers with each other.

`python tests/benchmarks/agree.py 0 9999 --done FILE` asks the questions of these numbers, which are their seeds: up to
16 features, up to 4 of them on, up to three hidden layers, every kind of number, function and readout, a hundred
outputs each. A claim is one output of one network. Enumeration and branch decide every claim, slots those of networks
with one hidden layer, bound what it can, Z3 one in fifty; odd numbers ask for the extremes, too, and every tenth asks
Z3 for them. What they are held against evaluates the stored layers in Python's and numpy's integers and shares nothing
with supercheck. Stops at the first disagreement.
FILE keeps a line of counts for each number that is finished, and those are not asked again.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise
from math import lcm
from pathlib import Path
from types import ModuleType

import numpy as np

from supercheck.base.matrix import Array, Rows
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Decision, Refuted, Unknown, Verdict
from supercheck.claims.replay import replay
from supercheck.decide import bound, branch, enumeration, slots, smt
from supercheck.decide.engines import BOUND, BRANCH, SLOTS
from supercheck.decide.limits import Clock, Limits
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import GATES, AtLeast, Formula, Not, Var, Xor, gate
from supercheck.spec.readout import Readout

OUTPUTS, EVERY_Z3 = 100, 50
ENGINES: dict[str, ModuleType] = {"enumerate": enumeration, "bound": bound, "branch": branch, "slots": slots}
COUNTS = ("claims", "proved", "refuted", "tied", "bound", "branch", "slots", "enumerate", "z3", "measured")
"""What is counted of a question: its claims, how many are so and so, those that each engine decided, and extremes."""


@dataclass(frozen=True)
class Question:
    """A random network as it is stored, and what is asked of it."""

    layers: tuple[Affine, ...]
    claims: Claims


def random_layers(rng: np.random.Generator, features: int, outputs: int) -> tuple[Affine, ...]:
    """Small integers, dyadic fractions, float32s, numbers far apart, or rationals; biases make ties likely."""
    kind, layers = rng.choice(5, p=[0.25, 0.2, 0.25, 0.05, 0.25]), []
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
        elif kind == 4:
            weight, bias = _thirds(weight, rng), _thirds(bias, rng)
        layers.append(Affine(Rows.from_dense(weight), bias, relu=True))
    return (*layers[:-1], Affine(layers[-1].weight, layers[-1].bias, relu=False))


def _thirds(whole: Array, rng: np.random.Generator) -> Array:
    """The same whole numbers divided by small ones, as fractions."""
    parts = rng.choice([1, 2, 3, 5, 7], whole.size).tolist()
    cells = [Fraction(int(value), part) for value, part in zip(whole.ravel().tolist(), parts, strict=True)]
    return np.array(cells, dtype=object).reshape(whole.shape)


def random_formula(rng: np.random.Generator, features: int, depth: int = 2) -> Formula:
    """A gate over plain features, or now and then a formula of formulas, in which features may occur twice."""
    if depth and rng.random() < 0.15:
        parts = tuple(random_formula(rng, features, depth - 1) for _ in range(rng.integers(1, 4)))
        return [Not(parts[0]), Xor(parts), AtLeast(int(rng.integers(0, len(parts) + 2)), parts)][rng.integers(3)]  # type: ignore[return-value]
    name = str(rng.choice(sorted(GATES)))
    arity = 1 if name == "copy" else int(min(features, rng.choice([1, 2, 2, 2, 3, 3, 4, 6])))
    return gate(name, rng.choice(features, arity, replace=False).tolist())


def question(number: int, outputs: int = OUTPUTS) -> Question:
    """The question of this number; in half of them what the readout allows is exactly what some input attains."""
    rng = np.random.default_rng([22, number])
    features = int(rng.integers(1, 17))
    layers = random_layers(rng, features, outputs)
    network = Network.of(layers)
    formulas = [random_formula(rng, features) for _ in range(outputs)]
    domain = KSparse(features, int(rng.integers(0, min(features, 4) + 1)))
    at, margin = Fraction(int(rng.integers(-4, 9)), int(rng.choice([1, 2, 3, 4]))), Fraction(int(rng.integers(3)), 4)
    if rng.random() < 0.5:
        one = np.zeros((1, features), dtype=np.int64)
        one[0, rng.choice(features, int(rng.integers(domain.max_active + 1)), replace=False)] = 1
        y, parts = evaluate(layers, one)
        at, margin = Fraction(int(y[0, rng.integers(outputs)]), parts) - int(rng.integers(2)), Fraction(0)
    readout = [
        Readout("threshold", at, margin),
        Readout("separable"),
        Readout("epsilon", within=abs(at)),
        Readout("equality"),
    ][int(rng.choice(4, p=[0.5, 0.2, 0.2, 0.1]))]
    return Question(layers, Claims(network, network, domain, formulas, readout))


def evaluate(layers: Sequence[Affine], inputs: Array) -> tuple[Array, int]:
    """Every output on every input.

    Returns:
        Whole numbers [inputs, outputs], and by what they have to be divided.
    """
    h, divisor = inputs.astype(object), 1
    for layer in layers:
        weight, bias = (
            np.array([Fraction(value) for value in stored.ravel().tolist()], dtype=object)
            for stored in (layer.weight.dense(), layer.bias)
        )
        common = lcm(*(value.denominator for value in (*weight, *bias)))
        divisor *= common
        weight = np.array([int(value * common) for value in weight], dtype=object).reshape(layer.weight.height, -1)
        bias = np.array([int(value * divisor) for value in bias], dtype=object)
        highest = _largest(weight) * _largest(h) * weight.shape[1] + _largest(bias)
        if max(highest, _largest(h)) < 2**62:
            z = h.astype(np.int64) @ weight.astype(np.int64).T + bias.astype(np.int64)
        else:
            z = h.astype(object) @ weight.T + bias
        h = np.maximum(z, 0) if layer.relu else z
    return h, divisor


def _largest(numbers: Array) -> int:
    return max((abs(number) for number in numbers.ravel().tolist()), default=0)


def values(formula: Formula, inputs: Array) -> Array:
    """A function on every input."""
    if isinstance(formula, Var):
        return inputs[:, formula.index] == 1  # type: ignore[no-any-return]
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
    y, divisor = evaluate(asked.layers, inputs)
    found = []
    for i, formula in enumerate(claims.formulas):
        on, ends = values(formula, inputs), {}
        for kind in (False, True):
            column = y[on == kind, i]
            if len(column):
                ends[kind] = Fraction(int(column.min()), divisor), Fraction(int(column.max()), divisor)
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


def _tied(readout: Readout, ends: Ends) -> bool:
    """Whether the least change of an output's worst value changes whether it is right."""
    off, on = ends.get(False), ends.get(True)
    if readout.mode == "separable":
        return off is not None and on is not None and off[1] == on[0]
    if readout.at is not None:
        edges = (off and off[1]) == readout.at - readout.margin, (on and on[0]) == readout.at + readout.margin
        return any(edges)
    errors = [abs(y - kind) for kind, both in ends.items() for y in both]
    return max(errors) == (readout.within or 0)


def compare(number: int) -> Counter[str]:
    """Hold all engines against the truth in the question of this number.

    Returns:
        How many of what (`COUNTS`).
    """
    asked = question(number)
    claims, expected, every = asked.claims, truth(asked), range(OUTPUTS)
    limits = Limits(workers=1, margins=number % 2 == 1)
    answers = {
        name: [d for found in engine.decide(claims, every, limits, Clock.start(None)) for d in found]
        for name, engine in ENGINES.items()
    }
    answers["z3"] = [smt.solve(claims, i, number % 10 == 0) for i in every[::EVERY_Z3]]
    bad = [wrong for wrong, _ in expected]
    counts = Counter(claims=OUTPUTS, proved=bad.count(False), refuted=bad.count(True))
    counts["tied"] = sum(_tied(claims.readout, ends) for _, ends in expected)
    for name, decisions in answers.items():
        outputs = [d.output for d in decisions]
        if sorted(outputs) != list(every[::EVERY_Z3] if name == "z3" else every):
            raise SystemExit(f"{name} answers for the outputs {outputs}")
        for decision in decisions:
            wrong, ends = expected[decision.output]
            if isinstance(decision, Unknown):
                if name != BOUND.name and not _excused(name, decision.reason):
                    raise SystemExit(f"{name} leaves output {decision.output} open: {decision.reason}")
                continue
            counts[name] += 1
            if (decision.verdict is Verdict.REFUTED) != wrong:
                raise SystemExit(f"{name} says {decision.verdict.value} of output {decision.output}, which is {wrong=}")
            counts["measured"] += _measured(claims, name, decision, ends)
        replay(claims, [d for d in decisions if isinstance(d, Refuted)])
    return counts


def _excused(name: str, reason: str) -> bool:
    """Whether an engine may leave an output open for this reason."""
    return (name in (BRANCH.name, SLOTS.name) and "too far apart" in reason) or (
        name == SLOTS.name and "one hidden layer" in reason
    )


def _measured(claims: Claims, name: str, decision: Decision, ends: Ends) -> bool:
    """Hold an output's extremes against the truth; whether the engine knows them."""
    if decision.extremes is None:
        return False
    for on, point in ((True, decision.extremes.on), (False, decision.extremes.off)):
        low, high = ends.get(on, (None, None))
        if claims.readout.mode in ("epsilon", "equality"):
            best = None if low is None or high is None else max(abs(low - on), abs(high - on))
            mine = None if point is None else abs(point.value - on)
        else:
            best, mine = (low if on else high), (None if point is None else point.value)
        if mine != best:
            raise SystemExit(f"{name} measures {mine} at output {decision.output}, class {on}; it is {best}")
    return True


def finished(file: Path | None) -> dict[int, Counter[str]]:
    """The counts of each number that is done; a line that was cut short is none."""
    lines = file.read_text().splitlines(keepends=True) if file is not None and file.exists() else []
    whole = [[int(word) for word in line.split()] for line in lines if line.endswith("\n")]
    return {number: Counter(dict(zip(COUNTS, counts, strict=True))) for number, *counts in whole}


def main() -> None:
    """Compare the questions that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int)
    parser.add_argument("--done", type=Path, help="where the counts of finished questions are kept")
    options = parser.parse_args()
    done = finished(options.done)
    total: Counter[str] = Counter()
    for number in range(options.first, options.last + 1):
        if number not in done:
            try:
                done[number] = compare(number)
            except SystemExit as error:
                raise SystemExit(f"question {number}: {error}") from None
            if options.done is not None:
                with options.done.open("a") as file:
                    file.write(" ".join(str(count) for count in (number, *(done[number][c] for c in COUNTS))) + "\n")
        total.update(done[number])
        if number % 500 == 499:
            sys.stderr.write(f"up to {number:,}: {total['claims']:,} claims\n")
    sys.stdout.write(f"questions {options.first} to {options.last}, no disagreement\n")
    for name in COUNTS:
        sys.stdout.write(f"  {total[name]:>9,}  {name}\n")


if __name__ == "__main__":
    main()
