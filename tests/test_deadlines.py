"""`--timeout` holds whatever the functions look like: the rest is unknown, for that reason, and soon."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import numpy as np
import pytest

from supercheck import cli

DRAW = random.Random(3)
WIDE, MANY, NARROW = 8000, 1500, 60


def repeated(count: int) -> str:
    """Functions each with the same features many times over, no two of one shape."""
    sources = []
    for _ in range(count):
        features = DRAW.sample(range(NARROW), 24)
        terms = (DRAW.sample(features, 3) for _ in range(24))
        sources.append(" | ".join(f"x{a} & x{b} & ~x{c}" for a, b, c in terms))
    return f"formulas = {json.dumps(sources)}"


def pairs(count: int) -> str:
    terms = (DRAW.sample(range(WIDE), 2) for _ in range(count))
    return f"formulas = {json.dumps([' | '.join(f'x{a} & x{b}' for a, b in terms)])}"


EVERYTHING = f"over = {[list(range(WIDE))]}"
QUESTIONS = {
    "a majority of 8,000": (WIDE, 1, WIDE // 2, f'gate = "majority"\n{EVERYTHING}'),
    "a parity of 8,000": (WIDE, 1, 4, f'gate = "xor"\n{EVERYTHING}'),
    "30,000 pairs of 8,000": (WIDE, 1, 5, pairs(30_000)),
    "1,500 functions of repeated features": (NARROW, MANY, 10, repeated(MANY)),
}


@pytest.mark.parametrize("engine", ["auto", "bound", "branch", "z3"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_that_is_too_much_is_proved_or_unknown_soon(
    name: str, engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    features, outputs, limit, functions = QUESTIONS[name]
    weights = np.random.default_rng(1)
    first = weights.normal(size=(40, features)).astype(np.float32)
    np.savez(tmp_path / "a.npz", **{"0.weight": first, "1.weight": weights.normal(size=(outputs, 40))})
    lines = f'[domain]\nfeatures = {features}\nmax_active = {limit}\n[readout]\nmode = "epsilon"\nwithin = 9_999\n'
    (tmp_path / "a.toml").write_text(f'network = {{file = "a.npz"}}\n{lines}[outputs]\n{functions}\n')
    words = ["verify", "--spec", str(tmp_path / "a.toml"), "--engine", engine, "--timeout", "1", "--format", "json"]
    begun = time.monotonic()
    code = cli.main(words)
    found = json.loads(capsys.readouterr().out)
    assert time.monotonic() - begun < 60  # without a deadline these take from minutes to for ever
    assert code == {"unknown": 3, "proved": 0}[found["verdict"]]


def constants(count: int) -> str:
    return f"formulas = {json.dumps(['1' + '&1' * count + ' ^ ' + ' ^ '.join(f'x{j}' for j in range(12))])}"


@pytest.mark.parametrize(("timeout", "told"), [("0.01", "time is up while network and spec are read"), ("30", "")])
def test_constants_cost_nothing_and_reading_ends_at_the_deadline(
    timeout: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = np.random.default_rng(0).integers(-2, 3, (20, 1000)).astype(np.float32)
    np.savez(tmp_path / "a.npz", **{"0.weight": weights, "1.weight": weights[:1, :20]})
    lines = '[domain]\nfeatures = 1000\nmax_active = 12\n[readout]\nmode = "threshold"\nat = "1/2"\n'
    (tmp_path / "a.toml").write_text(f'network = {{file = "a.npz"}}\n{lines}[outputs]\n{constants(400_000)}\n')
    code = cli.main(["verify", "--spec", str(tmp_path / "a.toml"), "--engine", "bound", "--timeout", timeout])
    heard = capsys.readouterr()
    assert told in heard.err
    assert code in ((3,) if told else (0, 1, 3))
    assert bool(told) == (not heard.out)
