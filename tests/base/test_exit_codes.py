"""One table of exit codes, and those who cannot import it agree with it."""

from __future__ import annotations

import ast
import sys
from itertools import permutations
from pathlib import Path

import pytest

from supercheck import __main__ as door, checker
from supercheck.base.exit_codes import FAILED, FAULT, GRAVITY, INPUT, OF_VERDICT, PASSED, UNKNOWN, gravest
from supercheck.checker.__main__ import main as lone
from supercheck.claims.evidence import Verdict


def test_the_codes_are_the_ones_that_pipelines_know() -> None:
    assert (PASSED, FAILED, INPUT, UNKNOWN, FAULT) == (0, 1, 2, 3, 4)


def test_every_verdict_has_its_code() -> None:
    assert {verdict.value for verdict in Verdict} == OF_VERDICT.keys()


def test_the_gravest_wins_in_whatever_order() -> None:
    for several in permutations([0, 1, 2, 3, 4]):
        assert gravest(several) == 4
    order = [4, 2, 1, 3, 0]
    assert [gravest(order[worst:]) for worst in range(5)] == order == list(GRAVITY)


def test_the_lone_checker_agrees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    agreed = {"accepted": PASSED, "refutation": FAILED, "rejected": FAILED, "unchecked": UNKNOWN}
    assert agreed == checker.CODES
    assert lone([str(tmp_path / name) for name in ("a.cert", "a.json", "a.toml")]) == INPUT
    assert capsys.readouterr().err.startswith("unreadable: ")


def test_what_cannot_start_is_a_fault(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "supercheck.cli.app", None)
    with pytest.raises(SystemExit) as ended:
        door.run()
    assert ended.value.code == FAULT
    assert "cannot start" in capsys.readouterr().err


def test_no_other_module_of_the_command_line_names_a_code_by_its_number() -> None:
    home = Path(door.__file__).parent / "cli"
    for file in home.glob("*.py"):
        returned = [node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Return)]
        numbers = [part for value in returned if value for part in ast.walk(value) if isinstance(part, ast.Constant)]
        assert not [part for part in numbers if type(part.value) is int], file.name
