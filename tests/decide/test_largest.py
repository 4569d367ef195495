"""The largest k, against brute force; and what is said where it is not known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from common import EXAMPLES, SPECS
from hypothesis import given, settings
from oracle import truth
from strategies import Question, meaning, questions

from supercheck.base.errors import FaultError
from supercheck.base.matrix import Rows
from supercheck.claims.claims import Claims, pose
from supercheck.claims.evidence import Decision, Proved, Sparsity, Verdict
from supercheck.cli import app as cli
from supercheck.decide.limits import Limits
from supercheck.decide.portfolio import ENGINES, decide
from supercheck.network.formats.load import load
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.report.verify.text import text
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import Var
from supercheck.spec.read import read_spec
from supercheck.spec.readout import Readout

LARGEST = Limits(largest_k=True)


def expected(question: Question) -> list[Sparsity]:
    """Brute force on all inputs: an output is right up to one less than the size of its smallest failure."""
    features, functions = question.spec.domain.features, [meaning(formula) for formula in question.spec.formulas]
    smallest = truth(question.stored, features, features, functions, question.wrong).smallest
    return [Sparsity(features if size is None else size - 1, size, True) for size in smallest]


@settings(max_examples=EXAMPLES * 2)
@given(questions())
def test_the_largest_k_is_what_brute_force_says(question: Question) -> None:
    result = decide(question.claims, LARGEST)
    assert [output.sparsity for output in result.outputs] == expected(question)


@pytest.mark.parametrize("engine", ["enumerate", "branch", "z3"])
def test_every_engine_finds_the_same_largest_k(engine: str, capsys: pytest.CaptureFixture[str]) -> None:
    spec = SPECS / "proved" / "trained_and8.toml"
    assert cli.main(["verify", "--spec", str(spec), "--max-k", "--format", "json", "--engine", engine]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["largest_k"] == 3
    each = [output["largest_k"] for output in found["outputs"]]
    assert sorted(set(each)) == [3, 4, 5]
    assert each.count(3) == 25


@given(questions())
def test_the_bound_brings_both_ends_together_truly(question: Question) -> None:
    """With enumeration made unaffordable, bisection by the bound and branch and bound say the same."""
    claims = question.claims
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("supercheck.decide.engines.CHEAP", -1)
        patch.setattr("supercheck.decide.portfolio.AFFORDABLE", -1)
        result = decide(claims, LARGEST)
    assert [output.sparsity for output in result.outputs] == expected(question)


def test_a_table_ends_where_its_rows_end(capsys: pytest.CaptureFixture[str]) -> None:
    """Rows above max_active are not known to be there, so nothing is asked past it."""
    spec = SPECS / "proved" / "truth_table.toml"
    assert cli.main(["verify", "--spec", str(spec), "--max-k", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["largest_k"] == found["domain"]["max_active"] < found["domain"]["features"]


def test_what_the_time_does_not_allow_is_not_called_known(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = read_spec(SPECS / "proved" / "trained_and8.toml")
    assert spec.source.file is not None
    claims = pose(load(spec.source.file, spec.source.layers), spec)
    monkeypatch.setattr("supercheck.decide.limits.Clock.over", True)
    result = decide(claims, replace(LARGEST, engine="bound", timeout=60))
    whole = result.sparsity
    assert whole is not None
    assert not whole.known
    assert whole.largest is None
    assert "it is not known" in text(result)


def test_wrong_with_nothing_on_is_no_k_at_all() -> None:
    """The network says 1 where nothing is on; its function says 0."""
    one = Affine(Rows.from_dense(np.ones((1, 1))), np.ones(1), relu=False)
    network = Network.of([one])
    claims = Claims(network, network, KSparse(1, 1), [Var(0)], Readout("threshold", Fraction(1, 2)))
    result = decide(claims, LARGEST)
    assert result.verdict is Verdict.REFUTED
    assert result.sparsity == Sparsity(-1, 0, True)
    assert result.sparsity.largest is None


def test_a_proof_that_a_witness_contradicts_is_a_disagreement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: an engine proved k = 4, the search for the largest k found a failure at 4, and nobody was told."""
    spec = read_spec(SPECS / "refuted" / "trained_and8_k4.toml")
    assert spec.source.file is not None
    claims = pose(load(spec.source.file, spec.source.layers), spec)
    honest = ENGINES["enumerate"]

    def lies_at_four(asked: Claims, outputs: Sequence[int], *more: Any) -> Iterator[list[Decision]]:
        if asked.domain.max_active != 4:
            yield from honest.decide(asked, outputs, *more)
        else:
            yield [Proved(i) for i in outputs]

    monkeypatch.setitem(ENGINES, "enumerate", replace(honest, work=lies_at_four))
    with pytest.raises(FaultError, match="engines disagree: enumerate says proved"):
        decide(claims, replace(LARGEST, reproducer=tmp_path / "saved.toml"))
    assert (tmp_path / "saved.toml").exists()
