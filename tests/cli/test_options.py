"""Choices are the rows of tables: a row that is added is an option, and what several verbs share is declared once."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
import typer
from common import SPECS, Capture

from supercheck.analysis.costs.floors.classes import CLASSES
from supercheck.claims.result import Result
from supercheck.cli.app import command_line, main
from supercheck.cli.options import OneOf
from supercheck.decide import enumeration
from supercheck.decide.engines import ENGINES, Engine
from supercheck.report.gate import formats as of_gates
from supercheck.report.gate.outcome import SuiteOutcome
from supercheck.report.verify import formats as of_results

RIGHT = str(SPECS / "proved" / "trained_and8.toml")


def haiku(result: Result) -> str:
    """A format that nobody has heard of."""
    return f"autumn; {len(result.outputs)} outputs\nare {result.verdict.value}"


def limerick(gate: SuiteOutcome) -> str:
    """One for gates."""
    return f"there once were {len(gate.judgements)} specs"


def test_a_report_format_is_a_function_and_a_row(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setitem(of_results.FORMATS, "toy", f"{__name__}:haiku")
    assert main(["verify", "--spec", RIGHT, "--format", "toy"]) == 0
    assert capsys.readouterr().out == "autumn; 28 outputs\nare proved\n"
    main(["verify", "--help"])
    assert "<text|json|junit|sarif|github|toy>" in capsys.readouterr().out


def test_a_format_of_gates_is_a_function_and_a_row(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture
) -> None:
    monkeypatch.setitem(of_gates.FORMATS, "toy", f"{__name__}:limerick")
    words = ["gate", RIGHT, "--no-cache", "--format", "toy", "--report", f"toy:{tmp_path / 'a.txt'}"]
    assert main(words) == 0
    assert capsys.readouterr().out == (tmp_path / "a.txt").read_text() == "there once were 1 specs\n"
    assert main(words) == 2, "it bears no mark, and so nobody knows who wrote it"
    assert main([*words, "--force"]) == 0


def test_an_engine_is_a_row(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setitem(ENGINES, "toy", Engine("toy", enumeration.decide))
    assert main(["verify", "--spec", RIGHT, "--engine", "toy"]) == 0
    assert main(["gate", RIGHT, "--no-cache", "--engine", "toy"]) == 0
    capsys.readouterr()
    for verb in ("verify", "gate"):
        main([verb, "--help"])
        assert "--engine <auto|bound|enumerate|slots|branch|z3|toy>" in capsys.readouterr().out


def test_what_is_no_row_is_refused_with_those_that_are(capsys: Capture) -> None:
    assert main(["verify", "--spec", RIGHT, "--engine", "toy"]) == 2
    assert "'toy' is not one of 'auto', 'bound', 'enumerate', 'slots', 'branch', 'z3'." in capsys.readouterr().err
    assert main(["gate", RIGHT, "--report", "toy:a.txt"]) == 2
    assert "one of text, json, json-lines, junit, sarif, github, got toy:a.txt" in capsys.readouterr().err


def test_a_table_is_not_asked_for_what_is_always_there() -> None:
    def slow() -> list[str]:
        raise AssertionError("asked")

    assert OneOf(slow, "auto")("auto") == "auto"
    with pytest.raises(AssertionError, match="asked"):
        OneOf(slow, "auto")("z3")


def test_a_shared_option_says_the_same_of_every_verb() -> None:
    told: dict[str, set[str]] = defaultdict(set)
    verbs: dict[str, set[str]] = defaultdict(set)
    for verb, command in typer.main.get_group(command_line([])).commands.items():
        for parameter in command.params:
            for option in parameter.opts:
                told[option].add(getattr(parameter, "help", None) or "")
                verbs[option].add(verb)
    for option in ("--spec", "--force", "--engine"):
        assert len(told[option]) == 1, option
    assert verbs["--spec"] == {"verify", "audit", "explore", "prune", "check"}
    assert verbs["--force"] == {"verify", "gate", "audit", "bounds", "init", "build", "prune", "explore"}
    assert {"How it is told on stdout."} == told["--format"] - {
        "How the result is written to stdout.", "How the gate is written to stdout.",
    }  # fmt: skip


def test_help_names_every_class_of_functions(capsys: Capture) -> None:
    main(["bounds", "--help"])
    assert " ".join(CLASSES) in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("given", ["0", "-1", "nan", "inf"])
@pytest.mark.parametrize("verb", ["verify", "gate", "audit", "explore", "prune -o a.npz", "build copy -k 1 -o a.npz"])
def test_a_time_that_is_none_is_refused(verb: str, given: str, capsys: Capture) -> None:
    asked = [RIGHT] if verb == "gate" else [] if verb.startswith("build") else ["--spec", RIGHT]
    assert main([*verb.split(), *asked, "--timeout", given]) == 2
    assert "--timeout: expected seconds above 0, got" in capsys.readouterr().err
