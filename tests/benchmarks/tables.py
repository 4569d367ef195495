"""What a row of a truth table costs, few rows or many: `python tests/benchmarks/tables.py`.

The network stores which of the inputs with at most two features on are on, by a neuron a pair; the table lists all of
them. Processor seconds of one core for reading, posing and deciding, the least of three runs; those of a row, and how
many times as long a row takes as in the first table, which should stay below two. `--spec SPEC...` asks about tables
of one's own, in place of these.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from itertools import combinations
from pathlib import Path

import numpy as np

from supercheck.claims.evidence import Verdict
from supercheck.claims.question import question
from supercheck.decide.limits import Limits
from supercheck.decide.portfolio import decide

FEATURES = (32, 64, 100, 140)  # 529, 2,081, 5,051 and 9,871 rows
NEURONS = 40  # pairs that are on


def generate(folder: Path, features: int, seed: int = 0) -> Path:
    """Write a network, its table of every input with at most two features on, and a spec that is right.

    Returns:
        The spec.
    """
    draw = random.Random(seed)
    on = set(draw.sample(list(combinations(range(features), 2)), NEURONS))
    weight = np.zeros((NEURONS, features), np.float32)
    for neuron, pair in enumerate(sorted(on)):
        weight[neuron, pair] = 1
    bias, ends = -np.ones(NEURONS, np.float32), np.ones((1, NEURONS), np.float32)
    file = folder / f"table_{features}.npz"
    np.savez(file, **{"0.weight": weight, "0.bias": bias, "2.weight": ends})  # type: ignore[arg-type]
    lines = [",".join([*(f"x{j}" for j in range(features)), "y0"])]
    for size in range(3):
        for active in combinations(range(features), size):
            cells = ["0"] * features
            for j in active:
                cells[j] = "1"
            lines.append(",".join([*cells, "01"[active in on]]))
    file.with_suffix(".csv").write_text("\n".join(lines) + "\n")
    spec = file.with_suffix(".toml")
    spec.write_text(
        f'[network]\nfile = "{file.name}"\nactivation = "relu"\nfinal = "none"\n[domain]\nfeatures = {features}\n'
        f'max_active = 2\n[outputs]\ntable = "{file.stem}.csv"\n[readout]\nmode = "equality"\n'
    )
    return spec


def seconds(spec: Path) -> tuple[int, float]:
    """How many rows a table has, and the processor seconds of the whole question."""
    spent, rows = [], 0
    for _ in range(3):
        begun = time.process_time()
        claims, _, _ = question(None, spec, None)
        result = decide(claims, Limits(engine="enumerate", workers=1))
        spent.append(time.process_time() - begun)
        rows = claims.cube.size
        if result.verdict is not Verdict.PROVED:
            raise SystemExit(f"{spec} is {result.verdict.value}")
    return rows, min(spent)


def main() -> None:
    """Print a row a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", type=Path, nargs="*", default=[], help="specs with tables, all proved")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        specs = options.spec or [generate(Path(name), features) for features in FEATURES]
        seconds(specs[0])  # what is imported and compiled at first use
        sys.stdout.write(f"{'table':<16}{'rows':>8}{'seconds':>10}{'ms a row':>10}{'ratio':>7}\n")
        first = 0.0
        for spec in specs:
            rows, spent = seconds(spec)
            first = first or spent / rows
            sys.stdout.write(
                f"{spec.stem:<16}{rows:>8,}{spent:>10.3f}{1000 * spent / rows:>10.4f}{spent / rows / first:>7.2f}\n"
            )


if __name__ == "__main__":
    main()
