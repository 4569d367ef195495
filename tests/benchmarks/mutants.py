"""Change one weight of a proved network, down to its last bit, and see that no mutant that is wrong gets by.

`python tests/benchmarks/mutants.py 0 7999`: for each number a random network, of which the outputs are kept that
plain evaluation finds right, with the threshold exactly at the largest value of an off input: the last bit of a weight
decides. Then `MUTANTS` mutants of it: one weight or bias moved by a unit in the last place, by a few, doubled, negated
or removed. Each is decided by the portfolio, by every engine alone, and held against plain evaluation.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
from agree import Question, question, truth

from supercheck.base.matrix import Array, Rows
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Verdict
from supercheck.decide.limits import Limits
from supercheck.decide.portfolio import ENGINES, decide
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.spec.domain import KSparse
from supercheck.spec.readout import Readout

MUTANTS = 10
CHANGES = ("ulp up", "ulp down", "ulps", "doubled", "negated", "removed")


def proved(number: int) -> Question | None:
    """A network all of whose outputs are right, one of them by a hair; None where the random one has none."""
    asked = question(number, outputs=8)
    domain = KSparse(asked.claims.domain.features, max(1, asked.claims.domain.max_active))
    asked = Question(asked.layers, replace(asked.claims, domain=domain, readout=Readout("separable")))
    ends = [both if not bad and len(both) == 2 else None for bad, both in truth(asked)]
    hair = next((both for both in ends if both is not None), None)
    if hair is None:
        return None
    at = hair[False][1]
    kept = [i for i, both in enumerate(ends) if both is not None and both[False][1] <= at < both[True][0]]
    last = asked.layers[-1]
    layers = (*asked.layers[:-1], Affine(last.weight.take(np.array(kept)), last.bias[kept], relu=False))
    return _posed(layers, [asked.claims.formulas[i] for i in kept], domain, at)


def _posed(layers: tuple[Affine, ...], formulas: object, domain: KSparse, at: Fraction) -> Question:
    network = Network.of(layers)
    return Question(layers, Claims(network, network, domain, tuple(formulas), Readout("threshold", at)))  # type: ignore[arg-type]


def mutated(layers: tuple[Affine, ...], rng: np.random.Generator) -> tuple[tuple[Affine, ...], str]:
    """The layers with one weight or bias changed, and how."""
    depth = int(rng.integers(len(layers)))
    weight, bias = layers[depth].weight.dense().copy(), layers[depth].bias.copy()
    change = str(rng.choice(CHANGES, p=[0.3, 0.3, 0.1, 0.1, 0.1, 0.1]))
    values: Array = bias if rng.random() < 0.25 else weight
    places = np.flatnonzero(values) if values.any() else np.arange(values.size)
    place = np.unravel_index(int(rng.choice(places)), values.shape)
    old = values[place]
    ulps = {"ulp up": 1, "ulp down": -1, "ulps": int(rng.integers(2, 9))}.get(change)
    single = float(np.float32(old)) == old
    step = float(np.spacing(np.float32(old) if single else float(old)))
    moved = old + (ulps or 0) * (Fraction(step) if isinstance(old, Fraction) else step)
    values[place] = {"doubled": 2 * old, "negated": -old, "removed": 0 * old}.get(change, moved)
    changed = Affine(Rows.from_dense(weight), bias, layers[depth].relu)
    return (*layers[:depth], changed, *layers[depth + 1 :]), change


def main() -> None:
    """Try the mutants of the numbers that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int)
    options = parser.parse_args()
    found: Counter[str] = Counter()
    for number in range(options.first, options.last + 1):
        base = proved(number)
        if base is None:
            continue
        if decide(base.claims, Limits(workers=1)).verdict is not Verdict.PROVED:
            raise SystemExit(f"question {number}: the network itself is not proved")
        rng = np.random.default_rng([21, number])
        readout, domain = base.claims.readout, base.claims.cube
        for _ in range(MUTANTS):
            layers, change = mutated(base.layers, rng)
            mutant = _posed(layers, base.claims.formulas, domain, readout.at or Fraction(0))
            bad = [wrong for wrong, _ in truth(mutant)]
            engines = ["auto", *(name for name in ENGINES if name != "z3" or number % 20 == 0)]
            for engine in engines:
                result = decide(mutant.claims, Limits(engine=engine, workers=1))
                for output, wrong in zip(result.outputs, bad, strict=True):
                    decided = output.verdict is not Verdict.UNKNOWN
                    if decided and (output.verdict is Verdict.REFUTED) != wrong:
                        raise SystemExit(
                            f"question {number}, {change}: {engine} says {output.verdict} of {output.index}"
                        )
                    if engine == "auto" and not decided:
                        raise SystemExit(f"question {number}, {change}: output {output.index} was not decided")
            found[f"{change}, {'wrong' if any(bad) else 'still right'}"] += 1
    wrong = sum(count for kind, count in found.items() if kind.endswith(", wrong"))  # type: ignore[assignment, misc]
    sys.stdout.write(f"{found.total():,} mutants, {wrong:,} of them wrong, none missed\n")
    for kind, count in sorted(found.items()):
        sys.stdout.write(f"  {count:>6,}  {kind}\n")


if __name__ == "__main__":
    main()
