"""Compare all engines with each other, and with plain evaluation, on many small random questions.

`python tests/benchmarks/agree.py 100000`: prints how many were compared and stops at the first disagreement.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from itertools import combinations, pairwise
from types import ModuleType

import numpy as np

from supercheck.boolean import GATES, Formula, gate, holds
from supercheck.claims import Claims
from supercheck.decide import Limits, bound, branch, enumeration, smt
from supercheck.decide.limits import Clock
from supercheck.domain import KSparse
from supercheck.evidence import Decision, Verdict
from supercheck.exact import Rows
from supercheck.network import Affine, Network
from supercheck.replaying import replay, wrong
from supercheck.spec import Readout

MARGINS = Limits(margins=True, workers=1)
EVERY_Z3 = 20  # Z3 is asked about one question in so many


def random_network(rng: np.random.Generator, features: int, outputs: int) -> Network:
    """Up to three hidden layers; small integers, dyadic fractions, float32s, or numbers far apart."""
    kind, layers = rng.integers(4), []
    widths = [features, *rng.integers(1, 6, rng.integers(0, 4)), outputs]
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
    layers[-1] = Affine(layers[-1].weight, layers[-1].bias, relu=False)
    return Network.of(layers)


def random_claims(rng: np.random.Generator) -> Claims:
    """A random question of up to seven features."""
    features, outputs = int(rng.integers(1, 8)), int(rng.integers(1, 4))
    network = random_network(rng, features, outputs)
    formulas: list[Formula] = []
    for _ in range(outputs):
        name = str(rng.choice(sorted(GATES)))
        arity = 1 if name == "copy" else int(rng.integers(1, features + 1))
        formulas.append(gate(name, rng.choice(features, arity, replace=False).tolist()))
    at = Fraction(int(rng.integers(-4, 9)), int(rng.choice([1, 2, 4])))
    readout = [
        Readout("threshold", at, Fraction(0)),
        Readout("separable"),
        Readout("epsilon", within=abs(at)),
        Readout("equality"),
    ][int(rng.choice(4, p=[0.5, 0.2, 0.2, 0.1]))]
    return Claims(network, network, KSparse(features, int(rng.integers(0, features + 1))), formulas, readout)


def truth(claims: Claims) -> list[tuple[bool, dict[bool, tuple[Fraction, Fraction]]]]:
    """For each output whether it is wrong somewhere, and the least and greatest y of each class: by evaluation."""
    values: list[dict[bool, list[Fraction]]] = [{False: [], True: []} for _ in claims.formulas]
    domain = claims.domain
    for size in range(min(domain.max_active, domain.features) + 1):
        for active in combinations(range(domain.features), size):
            y = claims.network.run([int(j in active) for j in range(domain.features)])
            for i, formula in enumerate(claims.formulas):
                values[i][holds(formula, frozenset(active))].append(y[i])
    found = []
    for by_class in values:
        if claims.separable:
            bad = bool(by_class[False] and by_class[True]) and max(by_class[False]) >= min(by_class[True])
        else:
            bad = any(wrong(claims.readout, y, on) for on, ys in by_class.items() for y in ys)
        found.append((bad, {on: (min(ys), max(ys)) for on, ys in by_class.items() if ys}))
    return found


def decided(engine: ModuleType, claims: Claims, limits: Limits) -> dict[int, Decision]:
    """What an engine says of every output."""
    found = engine.decide(claims, range(len(claims)), limits, Clock.start(None))
    return {decision.output: decision for decisions in found for decision in decisions}


def compare(claims: Claims, with_z3: bool) -> tuple[int, int]:
    """Compare all engines with the truth.

    Returns:
        (answers compared, answers left open).
    """
    expected, compared, open_ = truth(claims), 0, 0
    runs = [(engine, limits) for engine in (enumeration, bound, branch) for limits in (Limits(workers=1), MARGINS)]
    answers = [(f"{engine.NAME} {limits.margins}", decided(engine, claims, limits)) for engine, limits in runs]
    if with_z3:
        solved = {i: smt.solve(claims, i, True) for i in range(len(claims))}
        answers.append(("z3 True", solved))
    for name, found in answers:
        for i, (bad, ends) in enumerate(expected):
            decision = found[i]
            if decision.verdict is Verdict.UNKNOWN:
                open_ += 1
                continue
            compared += 1
            if (decision.verdict is Verdict.REFUTED) != bad:
                raise SystemExit(f"{name} says {decision.verdict.value} of output {i}, which is {bad=}: {claims}")
            if bad:
                replay(claims, [decision])
            if decision.extremes is None:
                continue
            for on, point in ((True, decision.extremes.on), (False, decision.extremes.off)):
                low, high = ends.get(on, (None, None))
                if claims.readout.mode in ("epsilon", "equality"):
                    best = None if low is None or high is None else max(abs(low - on), abs(high - on))
                    mine = None if point is None else abs(point.value - on)
                else:
                    best, mine = (low if on else high), (None if point is None else point.value)
                if mine != best:
                    raise SystemExit(f"{name} measures {mine} at output {i}, class {on}; it is {best}: {claims}")
    return compared, open_


def main() -> None:
    """Compare as many questions as the command line says."""
    questions = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rng, compared, open_ = np.random.default_rng(int(sys.argv[2]) if len(sys.argv) > 2 else 0), 0, 0
    for number in range(questions):
        found = compare(random_claims(rng), number % EVERY_Z3 == 0)
        compared, open_ = compared + found[0], open_ + found[1]
        if (number + 1) % 1000 == 0:
            sys.stderr.write(f"{number + 1:,} questions, {compared:,} answers compared, {open_:,} left open\n")
    sys.stdout.write(f"{questions:,} questions: {compared:,} answers compared, {open_:,} left open, no disagreement\n")


if __name__ == "__main__":
    main()
