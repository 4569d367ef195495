"""On how many inputs each output is wrong, held against plain evaluation of every input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from common import SPECS, Capture, run as command
from hypothesis import given
from oracle import inputs, run
from strategies import Question, meaning, questions

from supercheck import Limits
from supercheck.claims.evidence import WrongInputs
from supercheck.decide import counting
from supercheck.decide.portfolio import decide
from supercheck.report.verify.text import wrong_inputs

COUNTED = Limits(workers=1, count=True)


def truth(question: Question) -> list[set[tuple[int, ...]]]:
    """For each output the inputs on which it is wrong, in plain Python."""
    domain, wrong = question.spec.domain, question.wrong
    assert wrong is not None
    bad: list[set[tuple[int, ...]]] = [set() for _ in question.spec.formulas]
    for on in inputs(domain.features, domain.max_active):
        y = run(question.stored, [int(j in on) for j in range(domain.features)])
        for i, formula in enumerate(question.spec.formulas):
            if wrong(y[i], meaning(formula)(frozenset(on))):
                bad[i].add(on)
    return bad


@given(questions(separable=False))
def test_wrong_inputs_are_counted_as_brute_force_counts_them(question: Question) -> None:
    bad = truth(question)
    found = decide(question.claims, COUNTED)
    assert [output.wrong for output in found.outputs] == [WrongInputs(len(one), len(one)) for one in bad]
    whole = found.wrong_inputs
    assert whole is not None
    assert whole.at_least <= len(set().union(*bad)) <= (whole.at_most or 0)


@given(questions(separable=False))
def test_what_cannot_be_counted_is_at_least_one_and_open_from_above(question: Question) -> None:
    bad = truth(question)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "MOST_WORK", -1)
        patch.setattr(counting, "failures", lambda _, outputs, *__: [dict.fromkeys(outputs)])
        found = decide(question.claims, COUNTED)
    size = question.claims.domain.size
    assert [output.wrong for output in found.outputs] == [
        WrongInputs(1, size) if one else WrongInputs(0, 0) for one in bad
    ]
    assert found.wrong_inputs == (WrongInputs(1, size) if any(bad) else WrongInputs(0, 0))


def test_counts_are_told_in_text_and_in_json(capsys: Capture) -> None:
    spec = SPECS / "refuted" / "trained_and8_k4.toml"
    assert command("verify", "--spec", spec, "--count", "--format", "json") == 1
    found = json.loads(capsys.readouterr().out)
    assert sum(output["wrong"]["at_least"] for output in found["outputs"]) == 94
    assert found["wrong_inputs"] == {"at_least": 10, "at_most": 94}
    assert command("verify", "--spec", spec, "--count") == 1
    assert "Some output is wrong on at least 10, at most 94 of 163 inputs." in capsys.readouterr().out
    assert command("verify", "--spec", spec, "--format", "json") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["wrong_inputs"], found["outputs"][0]["wrong"]) == (None, None)


@pytest.mark.parametrize("engine", ["slots", "bound"])
def test_a_count_says_nothing_that_the_verdict_leaves_open(engine: str, capsys: Capture) -> None:
    """Regression: an output that was left open was said to be wrong on two inputs, or on none."""
    spec = SPECS / "refuted" / "trained_and8_k4.toml"
    command("verify", "--spec", spec, "--count", "--engine", engine, "--format", "json")
    found = json.loads(capsys.readouterr().out)
    for output in found["outputs"]:
        counted = output["wrong"]
        assert (counted["at_most"] == 0) == (output["verdict"] == "proved")
        assert (counted["at_least"] > 0) == (output["verdict"] == "refuted")


@pytest.mark.parametrize("more", ['mode = "separable"', 'mode = "threshold"\nat = 0.5\n[arithmetic]\nof = "float32"'])
def test_what_is_not_counted_is_said(more: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "a.json").write_text('{"0.weight": [[1, 1]], "0.bias": [0]}')
    (tmp_path / "a.toml").write_text(
        'network = {file = "a.json"}\n[domain]\nfeatures = 2\nmax_active = 2\n[outputs]\nformulas = ["x0 | x1"]\n'
        f"[readout]\n{more}\n"
    )
    assert command("verify", "--spec", tmp_path / "a.toml", "--count") == 0
    assert "Wrong inputs were not counted" in capsys.readouterr().out


@given(questions())
def test_nothing_is_counted_where_no_input_is_wrong_by_itself(question: Question) -> None:
    found = decide(question.claims, COUNTED)
    assert (found.wrong_inputs is None) == found.claims.separable
    assert found.claims.separable == (not list(wrong_inputs(found)))
