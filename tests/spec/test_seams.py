"""A readout and an engine that somebody adds: one class or function, one row of a table, and everything knows them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from oracle import inputs, run
from strategies import Question, meaning, network, questions

from supercheck import Limits, Readout, Spec, Verdict, explore, read_spec
from supercheck.base.interval import Interval
from supercheck.claims.claims import Claims, pose
from supercheck.claims.evidence import Decision, Proved, Refuted
from supercheck.cli import app as cli
from supercheck.decide.engines import ENGINES, Engine
from supercheck.decide.limits import Clock
from supercheck.decide.portfolio import decide
from supercheck.network.input import Input
from supercheck.spec.readout import READOUTS, Mode

F = Fraction


class From(Mode):
    """A toy: on from the threshold on, off below it; the paper's threshold with its ends changed round."""

    needs = frozenset({"at"})
    takes = frozenset({"at"})

    @classmethod
    def goal(cls, readout: Readout, target: int, error: Fraction | None) -> Interval:
        at, moved = readout.given["at"], error or F(0)
        return Interval(low=at + moved) if target else Interval(high=at - moved, high_open=True)

    @classmethod
    def expected(cls, readout: Readout, target: int) -> str:
        return f"y {'>=' if target else '<'} {readout.given['at']}"


@pytest.fixture
def toy_readout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(READOUTS, "from", From)


@given(questions(separable=False))
def test_a_new_readout_is_decided_rightly_by_every_engine(question: Question) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(READOUTS, "from", From)
        spec, at = question.spec, question.spec.readout.at or F(1, 2)
        claims = pose(network(question.stored), Spec(spec.domain, spec.formulas, Readout("from", at=at)))
        seen = [(frozenset(on), [int(j in on) for j in range(spec.domain.features)])
                for on in inputs(spec.domain.features, spec.domain.max_active)]  # fmt: skip
        for i, formula in enumerate(spec.formulas):
            right = all((run(question.stored, x)[i] >= at) == meaning(formula)(on) for on, x in seen)
            for engine in ("auto", *(name for name, row in ENGINES.items() if not row.outside)):
                found = decide(claims, Limits(engine=engine, margins=engine == "enumerate", workers=1)).outputs[i]
                assert found.verdict is Verdict.UNKNOWN or (found.verdict is Verdict.PROVED) == right


SPEC = """\
[network]
file = "net.json"
activation = "relu"
final = "none"
[domain]
features = 2
max_active = 2
[outputs]
formulas = ["x0 & x1", "x0 | x1"]
[readout]
mode = "from"
at = "1/2"
"""
NET = '{"0.weight": [[1, 1], [1, 1]], "0.bias": [-1, 0], "1.weight": [[1, 0], [0, 1]], "1.bias": [0, 0]}'


@pytest.mark.usefixtures("toy_readout")
def test_a_new_readout_is_read_from_a_file_and_told_in_every_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("spec.toml").write_text(SPEC)
    Path("net.json").write_text(NET)
    assert read_spec("spec.toml").readout == Readout("from", at=F(1, 2))
    assert cli.main(["verify", "--spec", "spec.toml", "--margins", "--max-k"]) == 0
    assert "on: y >= 1/2, off: y < 1/2" in capsys.readouterr().out
    Path("net.json").write_text(NET.replace("[-1, 0]", '["-1/2", 0]'))
    assert cli.main(["verify", "--spec", "spec.toml", "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["counterexample"]["active"] == [0]
    found = explore(None, "spec.toml")
    assert [(case.active, case.output) for case in found.cases] == [((0,), 0), ((1,), 0)]
    assert "y < 1/2" in str(found)
    assert cli.main(["explore", "--spec", "spec.toml", "--html", "page.html"]) == 1
    assert '"high_open":true' in Path("page.html").read_text()
    assert cli.main(["verify", "--spec", "spec.toml", "--certificate", "c.cert"]) == 1
    assert "the format does not cover mode from" in capsys.readouterr().out
    assert not Path("c.cert").exists()


def test_a_mode_that_nobody_added_names_those_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "spec.toml").write_text(SPEC)
    assert cli.main(["verify", "--spec", str(tmp_path / "spec.toml")]) == 2
    assert "one of threshold, epsilon, equality, separable" in capsys.readouterr().err


def by_hand(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[list[Decision]]:
    """A toy engine: every input, one after another."""
    del limits, clock
    for i in outputs:
        wrong = None
        for on in inputs(claims.domain.features, claims.domain.max_active):
            y = claims.network.run([int(j in on) for j in range(claims.domain.features)])[i]
            wrong = on if claims.readout.wrong(y, meaning(claims.formulas[i])(frozenset(on))) else None
            if wrong is not None:
                break
        yield [Proved(i) if wrong is None else Refuted(i, Input.on(wrong), minimal=True)]


@pytest.mark.parametrize("executor", [None, "in-process"])
def test_a_new_engine_is_asked_by_its_name_and_in_its_place(
    executor: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(ENGINES, "by-hand", Engine("by-hand", by_hand))
    monkeypatch.chdir(tmp_path)
    Path("spec.toml").write_text(SPEC.replace("from", "threshold"))
    Path("net.json").write_text(NET)
    more = [] if executor is None else ["--executor", executor]
    assert cli.main(["verify", "--spec", "spec.toml", "--engine", "by-hand", "--format", "json", *more]) == 0
    assert {output["engine"] for output in json.loads(capsys.readouterr().out)["outputs"]} == {"by-hand"}
    assert cli.main(["verify", "--help"]) == 0
    assert "by-hand" in capsys.readouterr().out


def test_auto_asks_a_new_engine_what_is_still_open(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text(SPEC.replace("from", "threshold"))
    (tmp_path / "net.json").write_text(NET)
    for name in list(ENGINES):
        monkeypatch.delitem(ENGINES, name)
    monkeypatch.setitem(ENGINES, "by-hand", Engine("by-hand", by_hand))
    from supercheck import verify

    found = verify(None, tmp_path / "spec.toml")
    assert found.verdict is Verdict.PROVED
    assert {output.engine for output in found.outputs} == {"by-hand"}
