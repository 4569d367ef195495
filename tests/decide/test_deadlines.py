"""`--timeout` holds whatever the functions look like: the rest is unknown, for that reason, and soon."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import numpy as np
import pytest
from common import savez

import supercheck
from supercheck.api.audit import examine
from supercheck.api.explore import explored
from supercheck.claims.question import question
from supercheck.cli import app as cli

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
    savez(tmp_path / "a.npz", {"0.weight": first, "1.weight": weights.normal(size=(outputs, 40))})
    lines = f'[domain]\nfeatures = {features}\nmax_active = {limit}\n[readout]\nmode = "epsilon"\nwithin = 9_999\n'
    (tmp_path / "a.toml").write_text(f'network = {{file = "a.npz"}}\n{lines}[outputs]\n{functions}\n')
    words = ["verify", "--spec", str(tmp_path / "a.toml"), "--engine", engine, "--timeout", "3", "--format", "json"]
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
    savez(tmp_path / "a.npz", {"0.weight": weights, "1.weight": weights[:1, :20]})
    lines = '[domain]\nfeatures = 1000\nmax_active = 12\n[readout]\nmode = "threshold"\nat = "1/2"\n'
    (tmp_path / "a.toml").write_text(f'network = {{file = "a.npz"}}\n{lines}[outputs]\n{constants(400_000)}\n')
    code = cli.main(["verify", "--spec", str(tmp_path / "a.toml"), "--engine", "bound", "--timeout", timeout])
    heard = capsys.readouterr()
    assert told in heard.err
    assert code in ((3,) if told else (0, 1, 3))
    assert bool(told) == (not heard.out)


def lines_of(name: str) -> str:
    """The text of a spec about 40 outputs, or about one, whose functions are slow to evaluate."""
    features, functions = (NARROW, repeated(40)) if name == "repeats" else (1000, constants(400_000))
    return (
        f'network = {{file = "a.npz", activation = "relu", final = "none"}}\n[domain]\nfeatures = {features}\n'
        f'max_active = 10\n[readout]\nmode = "threshold"\nat = "1/2"\n[outputs]\n{functions}\n'
    )


@pytest.mark.parametrize("name", ["constants", "repeats"])
@pytest.mark.parametrize("verb", ["explore", "audit", "prune", "gate", "verify --html a.html"])
def test_the_deadline_holds_for_what_comes_after_the_verdict(
    verb: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    weights = np.random.default_rng(0).integers(-2, 3, (20, 1000)).astype(np.float32)
    outputs, features = (40, NARROW) if name == "repeats" else (1, 1000)
    savez("a.npz", {"0.weight": weights[:, :features], "1.weight": weights.reshape(-1, 20)[:outputs]})
    Path("a.toml").write_text(lines_of(name))
    words, more = verb.split(), ["-o", "b.npz"] if verb == "prune" else []
    asked = ["a.toml"] if verb == "gate" else ["--spec", "a.toml"]
    begun = time.process_time()
    code = cli.main([*words, *asked, *more, "--timeout", "2"])
    assert time.process_time() - begun < 30  # explore went on for minutes, its shrinking alone
    assert code in (0, 1, 3)
    assert "fault" not in capsys.readouterr().err


def test_what_no_time_is_left_to_explore_is_said_to_be_left_out(tmp_path: Path) -> None:
    spec = tmp_path / "a.toml"
    spec.write_text(lines_of("constants"))
    weights = np.random.default_rng(0).integers(-2, 3, (20, 1000)).astype(np.float32)
    savez(tmp_path / "a.npz", {"0.weight": weights, "1.weight": weights[:1, :20]})
    result = supercheck.verify(None, spec, limits=supercheck.Limits(engine="enumerate", timeout=60))
    found = explored(result, supercheck.Limits(timeout=1e-3).clock())
    assert found.left_out == ("all but the verdict and its counterexamples: timeout after 0.001 s",)
    assert [case.active for case in found.cases] == [one.counterexample.active for one in result.outputs]  # type: ignore[union-attr]
    assert not found.complete
    assert "timeout after 0.001 s" in f"{found}"
    assert [row.wrong_outputs.exact for row in found.profile] == [False] * 11


def test_an_audit_whose_time_is_up_says_what_it_left_out(tmp_path: Path) -> None:
    savez(tmp_path / "a.npz", {"0.weight": np.eye(4), "1.weight": np.ones((1, 4))})
    functions = 'formulas = ["x0 | x1 | x2 | x3"]'
    text = f'network = {{file = "a.npz"}}\ndomain = {{features = 4, max_active = 2}}\noutputs = {{{functions}}}\n'
    (tmp_path / "a.toml").write_text(f'{text}readout = {{mode = "threshold", at = "1/2"}}\n')
    claims, spec, _ = question(None, tmp_path / "a.toml", None)
    clock = supercheck.Limits(timeout=1e-9).clock()
    late, whole = examine(claims, spec, None, clock), examine(claims, spec)
    assert [told.split(":")[0] for told in late.left_out[:1]] == ["missing paths"]
    assert sum("timeout after 1e-09 s" in told for told in late.left_out) == 4
    assert not any("timeout" in told for told in whole.left_out)
    known = {floor.name: floor.floor for floor in whole.floors}
    assert all((floor.floor or 0) <= (known[floor.name] or 0) for floor in late.floors)
    assert f"{late}"
