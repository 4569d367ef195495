"""The corpus: the folder is the expected verdict, and every spec is put to the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from common import SPECS, Capture

from supercheck import read_spec, verify
from supercheck.claims.evidence import Verdict
from supercheck.cli import app as cli
from supercheck.decide.limits import Limits

PROVED, REFUTED, MALFORMED = (sorted((SPECS / part).glob("*.toml")) for part in ("proved", "refuted", "malformed"))

WITH_RECIPE = {"pickle"}
"""Whose error is followed by the three lines that convert the file."""


def name(file: Path) -> str:
    return file.stem


def as_json(file: Path, capsys: Capture, *options: str) -> tuple[int, dict[str, Any]]:
    code = cli.main(["verify", "--spec", str(file), "--format", "json", *options])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, found


def test_the_corpus_is_there() -> None:
    assert len(PROVED) + len(REFUTED) >= 12
    assert len(MALFORMED) >= 30


@pytest.mark.parametrize("file", PROVED, ids=name)
def test_what_lies_in_proved_is_proved(file: Path, capsys: Capture) -> None:
    code, found = as_json(file, capsys)
    assert (code, found["verdict"], found["counterexample"]) == (0, "proved", None)
    assert {output["verdict"] for output in found["outputs"]} == {"proved"}
    assert read_spec(file).expect == "proved"


@pytest.mark.parametrize("file", REFUTED, ids=name)
def test_what_lies_in_refuted_has_its_golden_smallest_counterexample(
    file: Path, capsys: Capture, overwrite: bool
) -> None:
    code, found = as_json(file, capsys)
    assert (code, found["verdict"]) == (1, "refuted")
    assert read_spec(file).expect == "refuted"
    golden = file.with_suffix(".counterexample.json")
    counterexample = {key: value for key, value in found["counterexample"].items() if value is not None}
    if overwrite:
        golden.write_text(json.dumps(counterexample) + "\n")
    assert counterexample == json.loads(golden.read_text())
    assert counterexample["minimal"] is True


@pytest.mark.parametrize("file", [*PROVED, *REFUTED], ids=name)
def test_z3_alone_says_the_same(file: Path) -> None:
    known = verify(None, file)
    result = verify(None, file, limits=Limits(engine="z3"))
    assert [output.verdict for output in result.outputs] == [output.verdict for output in known.outputs]
    if result.verdict is Verdict.REFUTED:
        assert result.counterexample.size == known.counterexample.size
        assert result.counterexample.minimal


@pytest.mark.parametrize("file", MALFORMED, ids=name)
def test_what_lies_in_malformed_is_one_helpful_line_and_exit_2(file: Path, capsys: Capture) -> None:
    first = file.read_bytes().split(b"\n")[0].decode(errors="replace")
    assert first.startswith("# expect: ")
    assert cli.main(["verify", "--spec", str(file)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert first.removeprefix("# expect: ").strip() in err
    lines = err.splitlines()
    assert lines[0].startswith("supercheck: ")
    assert "expected" in lines[0]
    assert "got" in lines[0]
    assert len(lines) == (4 if file.stem in WITH_RECIPE else 1)
    assert len(lines[0]) < 600


@pytest.mark.parametrize("file", [*PROVED, *REFUTED], ids=name)
def test_a_spec_reads_the_same_from_anywhere(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(file.parent, tmp_path / "copy")
    assert verify(None, tmp_path / "copy" / file.name).verdict.value == read_spec(file).expect
