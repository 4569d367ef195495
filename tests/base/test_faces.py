"""Results show themselves: one screen in a REPL, a page of less than 200 kB in a notebook, and their JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from common import SPECS

import supercheck
from supercheck.analysis.explore.result import Case
from supercheck.base.display import MOST_CELL, Shown, screen
from supercheck.ci.suite import gate
from supercheck.claims.evidence import Counterexample, Point
from supercheck.cli import app as cli
from supercheck.network.input import Input
from supercheck.report.audit.json import audit_object, bounds_object
from supercheck.report.build.text import build_object
from supercheck.report.envelope import indented
from supercheck.report.explore.html import framed, page
from supercheck.report.explore.json import explore_object
from supercheck.report.gate.formats import reporter
from supercheck.report.prune.json import prune_object
from supercheck.report.verify.formats import reporter as result_reporter
from supercheck.report.verify.json import json_text, outcome_object

WRONG = SPECS / "refuted" / "trained_and8_k4.toml"
RIGHT = SPECS / "proved" / "trained_and8.toml"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One result of each kind."""
    proof = tmp_path_factory.mktemp("faces") / "proof.cert"
    proved = supercheck.verify(None, RIGHT, certificate=proof)
    return {
        "proved": proved,
        "refuted": supercheck.verify(None, WRONG, limits=supercheck.Limits(margins=True, largest_k=True)),
        "exploration": supercheck.explore(None, WRONG),
        "audit": supercheck.audit(None, RIGHT),
        "pruning": supercheck.prune(None, SPECS / "proved" / "one_per_pair.toml"),
        "building": supercheck.build("copy", features=8, max_active=2),
        "bounds": supercheck.bounds("2-and", 64, 64, 3),
        "gate": gate([WRONG.parent / "one_weight_mutant.toml", RIGHT]),
        "checked": supercheck.check_certificate([proof], proved.source.network or "", RIGHT),
    }


KINDS = ("proved", "refuted", "exploration", "audit", "pruning", "building", "bounds", "gate", "checked")


def on_one_screen(shown: object) -> bool:
    """Whether a repr is no longer than the text, nor than a screen."""
    return len(repr(shown)) <= min(len(str(shown)), 5_000) and repr(shown).count("\n") < 24


@pytest.mark.parametrize("kind", KINDS)
def test_a_repr_is_one_screen_of_the_text_and_a_cell_one_page(kind: str, results: dict[str, Any]) -> None:
    result = results[kind]
    assert isinstance(result, Shown)
    assert str(result)
    assert on_one_screen(result)
    assert repr(result).split("\n")[0][:100] == str(result).split("\n")[0][:100]
    assert 0 < len((result._repr_html_() or "").encode()) < 200_000


@pytest.mark.parametrize("kind", KINDS)
def test_a_dictionary_of_a_result_is_its_json(kind: str, results: dict[str, Any]) -> None:
    made: Callable[[Any], dict[str, Any]] = {  # type: ignore[assignment]
        "exploration": explore_object,
        "audit": audit_object,
        "pruning": prune_object,
        "building": build_object,
        "bounds": bounds_object,
        "gate": lambda found: json.loads(reporter("json")(found)),
        "checked": lambda found: outcome_object(found, found.seconds),
    }.get(kind, lambda found: json.loads(json_text(found)))
    result = results[kind]
    found = result.to_dict()
    assert found == json.loads(indented(made(result)))
    assert next(iter(found)) == "supercheck"
    assert [*found][-1] == "seconds"


def test_parts_of_results_show_themselves_too(results: dict[str, Any]) -> None:
    """What hangs on an exploration, an audit or a pruning is the same result that `verify` gives."""
    for part in (results["exploration"].result, results["audit"].result, results["pruning"].given):
        assert str(part) == result_reporter("text")(part)
        assert part.to_dict()["verdict"] == part.verdict.value


def test_what_is_no_result_has_a_repr_of_one_line(results: dict[str, Any]) -> None:
    huge = Fraction(10**9000 + 1, 3**9000)
    given = [results["proved"].claims, results["proved"].claims.network, supercheck.read_spec(RIGHT)]
    made = [results["building"].built, *results["gate"].judgements, results["proved"].certificate]
    numbers = [
        Point(Input.on((1,)), huge),
        Counterexample(Input.on(range(1000)), 3, huge, 1),
        Case((), 0, huge, 0, True, None, None),
    ]
    for one in (*given, *made, *numbers):
        assert len(repr(one)) < 500
        assert "\n" not in repr(one)


def test_a_screen_is_never_longer_than_its_text() -> None:
    for text in ("", "x" * 10_000, "\n" * 22, "\n" * 23, "\n".join("x" * n for n in range(300))):
        assert len(screen(text)) <= len(text)


def test_results_of_five_thousand_outputs_stay_small() -> None:
    made = supercheck.build("one-per-gate", features=1000, outputs=5000, max_active=3, at=Fraction(3, 2))
    network, spec = made.built.whole, made.built.spec
    found = supercheck.explore(network, spec)
    assert len(found.cases) == 5000
    results = [made, made.result, found, supercheck.audit(network, spec), supercheck.prune(network, spec)]
    for shown in results:
        assert on_one_screen(shown)
        assert len((shown._repr_html_() or "").encode()) < 200_000
    for shown in (network, spec, made.built, made.result.claims):  # type: ignore[assignment]
        assert len(repr(shown)) < 500


def test_a_cell_is_cut_until_it_is_short_enough_and_says_so(results: dict[str, Any]) -> None:
    found = results["exploration"]
    assert len(page(found).encode()) > MOST_CELL
    cell = framed(found) or ""
    assert len(cell.encode()) < MOST_CELL
    assert "`supercheck explore --html FILE` writes the whole page" in cell
    assert "the whole page" not in page(found)
    assert "the whole page" not in (framed(supercheck.explore(None, RIGHT)) or "")


class Elements(HTMLParser):
    """The elements of a page, and the document inside its frame."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.inside = ""
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.inside += dict(attrs).get("srcdoc") or ""

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
def test_names_in_a_cell_are_text(tmp_path: Path) -> None:
    name = "a'\"><b onload=x>&amp;[bold]:bug:.safetensors"
    network = copy(WRONG.with_suffix(".safetensors"), tmp_path / name)
    for shown in (supercheck.verify(network, WRONG), supercheck.audit(network, WRONG)):
        cell = Elements(shown._repr_html_() or "")
        assert cell.tags == ["pre"]
        assert cell.text == str(shown)
        assert name in str(shown)
    found = supercheck.explore(network, WRONG)
    frame = Elements(found._repr_html_() or "")
    assert frame.tags == ["iframe"]
    inside = Elements(frame.inside)
    assert inside.tags.count("html") == 1
    assert name in inside.text
    assert set(inside.tags) == set(Elements(page(supercheck.explore(None, WRONG))).tags)


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE", "JPY_PARENT_PID"])
def test_what_the_environment_says_of_terminals_changes_no_text(
    variable: str, results: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: FORCE_COLOR, which CI services set, put escape codes into every report."""
    before = {kind: str(results[kind]) for kind in KINDS}
    monkeypatch.setenv(variable, "1")
    assert {kind: str(results[kind]) for kind in KINDS} == before
    assert not [text for text in before.values() if "\x1b" in text]


def test_words_in_brackets_are_no_markup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Regression: rich took what stands in brackets in a name for a style, and left it out."""
    network = copy(WRONG.with_suffix(".safetensors"), tmp_path / "[red]net[bold].safetensors")
    for verb in ("verify", "explore", "audit"):
        assert cli.main([verb, str(network), "--spec", str(WRONG)]) in (0, 1)
        assert "[red]net[bold].safetensors" in capsys.readouterr().out
