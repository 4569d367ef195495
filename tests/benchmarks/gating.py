"""What a gate's cache saves: 301 small specs judged without it, with it for the first time, and when all of them hit.

    python tests/benchmarks/gating.py [--runs 3] [--specs 301]

Processor seconds of whole commands, children and start-up included; only their ratios mean something.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from itertools import combinations, product
from pathlib import Path

import numpy as np

GATES = ("and", "or", "xor", "nand", "nor", "xnor")
READOUTS = (
    'mode = "threshold"\nat = "1/2"',
    'mode = "epsilon"\nwithin = "1/4"',
    'mode = "equality"',
    'mode = "separable"',
)
SPECS = 301


def generate(folder: Path, count: int = SPECS, seed: int = 0) -> None:
    """Write small specs, each with its network: right ones of each gate, noisy and random ones, tables.

    Args:
        folder: where they go.
        count: how many.
        seed: the same seed gives the same bytes.
    """
    draw = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        features, k = draw.randint(3, 8), draw.randint(1, 4)
        name, rows = draw.choice(GATES), list(combinations(range(features), 2))
        draw.shuffle(rows)
        rows = rows[: draw.randint(1, len(rows))]
        tensors, kind = _network(draw, name, features, rows), draw.choice(["right", "right", "noisy", "random"])  # type: ignore[arg-type]
        if kind != "right":
            size = 1e-3 if kind == "noisy" else 1.0
            noise = np.random.default_rng(draw.getrandbits(32))
            tensors = {key: value + size * noise.normal(size=value.shape).round(3) for key, value in tensors.items()}
        suffix = draw.choice(["npz", "json", "safetensors"])
        file = folder / f"{kind}_{name}_{number:03d}.{suffix}"
        _save(file, tensors)
        outputs = f'gate = "{name}"\nover = {[list(pair) for pair in rows]}'
        if number % 10 == 0:
            table = file.with_suffix(".csv")
            table.write_text(_table(name, features, min(k, features), rows))  # type: ignore[arg-type]
            outputs = f'table = "{table.name}"'
        expect = "proved" if kind != "random" else "refuted"
        file.with_suffix(".toml").write_text(
            f'[network]\nfile = "{file.name}"\n[domain]\nfeatures = {features}\nmax_active = {min(k, features)}\n'
            f'[outputs]\n{outputs}\n[readout]\n{draw.choice(READOUTS)}\n[expect]\nverdict = "{expect}"\n'
        )


def _network(draw: random.Random, name: str, features: int, rows: list[tuple[int, ...]]) -> dict[str, np.ndarray]:
    """A neuron for the AND of each pair, one for each feature, and what makes the gate of them."""
    unit, pairs, single = draw.choice([1.0, 0.5, 2.0, 3.0]), len(rows), np.eye(features)
    both = np.array([single[a] + single[b] for a, b in rows])
    sign = -1.0 if name in ("nand", "nor", "xnor") else 1.0
    add, take = {"and": (0, 1), "nand": (0, 1), "or": (1, -1), "nor": (1, -1), "xor": (1, -2), "xnor": (1, -2)}[name]
    return {
        "0.weight": np.concatenate([both, single]) * unit,
        "0.bias": np.concatenate([-np.ones(pairs), np.zeros(features)]) * unit,
        "2.weight": np.concatenate([np.eye(pairs) * take, both * add], axis=1) * sign / unit,
        "2.bias": np.full(pairs, float(sign < 0)),
    }


def _table(name: str, features: int, k: int, rows: list[tuple[int, ...]]) -> str:
    on = {"and": [2], "or": [1, 2], "xor": [1], "nand": [0, 1], "nor": [0], "xnor": [0, 2]}[name]
    head = [f"x{j}" for j in range(features)] + [f"y{i}" for i in range(len(rows))]
    lines = [",".join(head)]
    for x in product((0, 1), repeat=features):
        if sum(x) <= k:
            lines.append(",".join(map(str, [*x, *(int(x[a] + x[b] in on) for a, b in rows)])))
    return "\n".join(lines) + "\n"


def _save(file: Path, tensors: dict[str, np.ndarray]) -> None:
    if file.suffix == ".json":
        import json

        file.write_text(json.dumps({name: value.tolist() for name, value in tensors.items()}))
    elif file.suffix == ".npz":
        np.savez(file, **tensors)  # type: ignore[arg-type]
    else:
        from safetensors.numpy import save_file

        save_file(tensors, file)


def seconds(command: list[str], folder: Path) -> float:
    """Processor seconds, user and system, of a command and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=False).returncode
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if code not in (0, 1):
        raise SystemExit(f"{command} ended with {code}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(folder: Path) -> tuple[float, float, float]:
    """Processor seconds without the cache, in the first run with it, and when all is found."""
    command = [sys.executable, "-m", "supercheck", "gate", "specs", "-q"]
    shutil.rmtree(folder / ".supercheck", ignore_errors=True)
    return seconds([*command, "--no-cache"], folder), seconds(command, folder), seconds(command, folder)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--specs", type=int, default=SPECS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        os.environ.setdefault("XDG_STATE_HOME", str(Path(name, "state")))
        generate(Path(name, "specs"), given.specs)
        print("no cache   first run        all hit")
        for _ in range(given.runs):
            none, first, hits = measure(Path(name))
            print(f"{none:6.2f} s  {first:6.2f} s ({first / none:.2f})  {hits:6.2f} s ({hits / none:.2f})")


if __name__ == "__main__":
    main()
