"""Baselines: what networks once achieved is recorded, and falling short of it is noticed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from common import Capture, run
from gates import ands, save, spec

NETWORK, SPEC, BASE = Path("specs/a.npz"), Path("specs/a.toml"), Path("specs/base.json")

Tensors = dict[str, np.ndarray]


@pytest.fixture(autouse=True)
def _recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """A first run that writes the baseline."""
    monkeypatch.chdir(tmp_path)
    changed(lambda _: None)
    spec(SPEC, "a.npz", 4)
    assert run("gate", "specs", "--baseline", BASE) == 0
    capsys.readouterr()


def weaker(tensors: Tensors) -> None:
    tensors["2.weight"][0, 0] = 1 - 2.0**-40


def costlier(tensors: Tensors) -> None:
    tensors["2.weight"][0, 5] = -(2.0**-40)  # x2 and x3 are never on together with x0 and x1: no margin shrinks


def stronger(tensors: Tensors) -> None:
    tensors["2.weight"][5, 5] = 0.875


def changed(change: Callable[[Tensors], None]) -> None:
    tensors = ands(4)
    tensors["2.weight"][5, 5] = 0.75
    change(tensors)
    save(NETWORK, tensors)


def test_the_first_run_records_exact_margins_and_costs() -> None:
    (name, figures), *others = json.loads(BASE.read_text())["specs"].items()
    assert not others
    assert name == "a.toml", "relative to the file, so that a checkout may lie anywhere"
    assert figures["margins"] == ["1/2"] * 5 + ["1/4"]
    assert figures["counts"]["neurons"] == 6
    assert (figures["max_active"], figures["verdict"]) == (3, "proved")


def test_nothing_changed_is_nothing_said(capsys: Capture) -> None:
    before = BASE.read_bytes()
    assert run("gate", "specs", "--baseline", BASE, "--fail-on-regression") == 0
    assert capsys.readouterr().err == ""
    assert BASE.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "said"),
    [(weaker, "margin of output 0: ~0.499999999999, before 1/2"), (costlier, "edges: 19, before 18")],
    ids=["margin", "edges"],
)
def test_falling_short_is_a_warning_and_fails_if_asked(
    change: Callable[[Tensors], None], said: str, capsys: Capture
) -> None:
    changed(change)
    before = BASE.read_bytes()
    assert run("gate", "specs", "--baseline", BASE) == 0
    warnings = capsys.readouterr().err.splitlines()
    assert f"supercheck: warning: {SPEC}: worse than base.json: {said}" in warnings
    assert len(warnings) == (1 if change is weaker else 2)
    assert run("gate", "specs", "--baseline", BASE, "--fail-on-regression") == 1
    assert f"FAILED  {SPEC}: worse than base.json: {said}" in capsys.readouterr().out
    assert BASE.read_bytes() == before


def test_one_part_in_a_trillion_is_less() -> None:
    changed(weaker)
    assert run("gate", "specs", "--baseline", BASE, "--fail-on-regression", "--format", "json") == 1


def test_a_proved_k_that_falls_fails_if_asked(capsys: Capture) -> None:
    SPEC.write_text(SPEC.read_text().replace("max_active = 3", "max_active = 2"))
    assert run("gate", "specs", "--baseline", BASE, "--fail-on-regression") == 1
    assert "proved up to k = 2, before up to 3" in capsys.readouterr().out


def test_a_proof_that_is_lost_fails_even_where_the_spec_expects_it(capsys: Capture) -> None:
    save(NETWORK, ands(4, 0.75))
    SPEC.write_text(SPEC.read_text().replace('verdict = "proved"', 'verdict = "refuted"'))
    assert run("gate", "specs", "--baseline", BASE) == 0
    assert run("gate", "specs", "--baseline", BASE, "--fail-on-regression") == 1
    assert "refuted, before proved" in capsys.readouterr().out


def test_doing_better_passes_and_only_an_update_records_it() -> None:
    before = BASE.read_bytes()
    changed(stronger)
    assert run("gate", "specs", "--baseline", BASE, "--fail-on-regression") == 0
    assert BASE.read_bytes() == before
    assert run("gate", "specs", "--baseline", BASE, "--update-baseline") == 0
    assert json.loads(BASE.read_text())["specs"]["a.toml"]["margins"][5] == "3/8"


def test_an_update_accepts_what_is_worse_and_keeps_what_was_not_judged(capsys: Capture) -> None:
    save(Path("specs/b.npz"), ands(5))
    spec(Path("specs/b.toml"), "b.npz", 5)
    changed(costlier)
    assert run("gate", "specs/b.toml", "--baseline", BASE, "--update-baseline") == 0
    assert json.loads(BASE.read_text())["specs"]["a.toml"]["counts"]["edges"] == 18
    assert run("gate", "specs", "--baseline", BASE, "--update-baseline") == 0
    assert list(json.loads(BASE.read_text())["specs"]) == ["a.toml", "b.toml"]
    assert capsys.readouterr().err == ""
    assert run("gate", "specs", "--baseline", BASE, "--fail-on-regression") == 0


@pytest.mark.parametrize("content", ["", "[]", "{", '{"supercheck_baseline": 2, "specs": {}}', '{"specs": {}}'])
def test_what_is_no_baseline_is_bad_input(content: str, capsys: Capture) -> None:
    BASE.write_text(content)
    assert run("gate", "specs", "--baseline", BASE) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"supercheck: {BASE}")
    assert printed.err.count("\n") == 1


def test_a_baseline_that_is_missing_never_passes_a_strict_gate() -> None:
    BASE.unlink()
    assert run("gate", "specs", "--baseline", BASE, "--fail-on-regression") == 2
    assert not BASE.exists()


def test_a_baseline_that_cannot_be_written_is_bad_input_after_the_verdicts(capsys: Capture) -> None:
    assert run("gate", "specs", "--baseline", "absent/base.json") == 2
    printed = capsys.readouterr()
    assert "1 of 1 specs as expected" in printed.out
    assert printed.err.count("\n") == 1
