"""Specs as tests: off until asked and free until then, readable when they fail; and the assertion for constructions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from gates import ands, save, spec

from supercheck import load, parse
from supercheck.base.errors import InputError
from supercheck.spec.readout import Readout
from supercheck.testing import assert_computes


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pytest.ini").write_text("[pytest]\n")
    for name, nudge in (("good", 0.0), ("wrong", 0.75)):
        save(Path(f"specs/{name}.npz"), ands(4, nudge))
        spec(Path(f"specs/{name}.toml"), f"{name}.npz", 4)
    Path("specs/pyproject.toml").write_text("")
    Path("specs/test_plain.py").write_text("def test_plain():\n    assert True\n")


def session(*arguments: str, everything: bool = False) -> tuple[int, str]:
    """Run pytest in a process of its own, quickly or with every plugin there is: (exit code, output)."""
    quick = [] if everything else ["-p", "supercheck.ci.pytest_plugin", "-p", "xdist.plugin"]
    alone = {} if everything else {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", *quick, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **alone})
    return done.returncode, done.stdout + done.stderr


LIGHT = ("supercheck", "supercheck.base", "supercheck.base.version", "supercheck.ci", "supercheck.ci.pytest_plugin")


def test_off_until_asked_and_free_until_then() -> None:
    Path("conftest.py").write_text(
        "import sys\n"
        "def pytest_unconfigure():\n"
        "    ours = sorted(name for name in sys.modules if name.split('.')[0] == 'supercheck')\n"
        "    heavy = [name for name in ('numpy', 'z3', 'pydantic', 'typer', 'sqlite3') if name in sys.modules]\n"
        "    print('LOADED', *ours, *heavy)\n"
    )
    code, out = session("-s", "specs", everything=True)
    assert code == 0
    assert "1 passed" in out
    assert f"LOADED {' '.join(LIGHT)}\n" in out


def test_each_spec_is_a_test_and_a_failure_is_readable() -> None:
    code, out = session("--supercheck", "specs", "-v", everything=True)
    assert code == 1
    assert "specs/good.toml::good PASSED" in out
    assert "specs/wrong.toml::wrong FAILED" in out
    assert "2 passed" in out, "the Python test, too"
    report = out[out.index("= FAILURES =") :].splitlines()
    head = next(n for n, line in enumerate(report) if "wrong.toml:" in line)
    assert report[head].endswith(": refuted, but [expect] says proved")
    assert [line.split(":")[0].strip() for line in report[head + 1 : head + 4]] == ["on", "output", "value"]
    assert "Traceback" not in out
    assert "pytest_plugin.py" not in out


def test_the_ini_key_names_the_folders() -> None:
    Path("pytest.ini").write_text("[pytest]\nsupercheck = specs\n")
    Path("other").mkdir()
    Path("other/no_spec.toml").write_text("key = 1\n")
    code, out = session("-q")
    assert code == 1
    assert "1 failed, 2 passed" in out


def test_a_spec_is_selected_like_any_test() -> None:
    assert "1 passed, 2 deselected" in session("--supercheck", "specs", "-k", "good")[1]
    code, out = session("--supercheck", "specs/good.toml::good")
    assert (code, "1 passed" in out) == (0, True)


def test_several_workers_find_the_same() -> None:
    code, out = session("--supercheck", "specs", "-n", "2")
    assert code == 1
    assert "1 failed, 2 passed" in out


def test_bad_input_and_unknown_fail() -> None:
    spec(Path("specs/absent.toml"), "absent.npz", 4)
    code, out = session("--supercheck", "specs/absent.toml")
    assert code == 1
    assert "absent.npz: expected a network file, got no such file" in out
    code, out = session("--supercheck", "specs/good.toml", "--supercheck-timeout", "1e-9")
    assert code == 1
    assert "timeout" in out


def test_the_cache_is_pytests_own() -> None:
    session("--supercheck", "specs")
    assert list(Path(".pytest_cache").rglob("cache.sqlite"))
    assert not Path(".supercheck").exists()
    assert "1 failed, 2 passed" in session("--supercheck", "specs", "-p", "no:cacheprovider")[1]


def test_an_interruption_stops_the_session() -> None:
    Path("conftest.py").write_text(
        "import os, signal\n"
        "import supercheck.api.verify\n"
        "def stop(*_, **__): os.kill(os.getpid(), signal.SIGINT)\n"
        "supercheck.api.verify.decide = stop\n"
    )
    code, out = session("--supercheck", "specs")
    assert code == 2
    assert "KeyboardInterrupt" in out
    assert "failed" not in out


# assert_computes

STATED: dict[str, Any] = {"activation": "relu", "final": "none"}
PAIRS = ["x0 & x1", "x0 & x2", "x0 & x3", "x1 & x2", "x1 & x3", "x2 & x3"]


@pytest.mark.parametrize("network", ["specs/good.npz", Path("specs/good.npz")])
def test_what_is_computed_passes(network: object) -> None:
    assert_computes(network, PAIRS, **STATED)
    assert_computes(load("specs/good.npz", **STATED), [parse(one) for one in PAIRS], max_active=99)
    assert_computes(network, PAIRS, max_active=2, readout=Readout("equality"), **STATED)


def test_what_is_not_computed_fails_with_the_smallest_counterexample() -> None:
    with pytest.raises(AssertionError) as failure:
        assert_computes("specs/wrong.npz", PAIRS, **STATED)
    assert str(failure.value).splitlines() == [
        "refuted, on inputs with at most 3 of 4 features on",
        "    on: x0",
        "    output: y0, which should be x0 & x1 = 0",
        "    value: y = 3/4, but y <= 1/2 is expected",
        "    no input with fewer features on is wrong",
        "    With the threshold 9/10 (any from 3/4 to below 1) all 6 outputs are right.",
    ]
    assert_computes("specs/wrong.npz", PAIRS, at="4/5", **STATED)


def test_what_is_not_known_fails() -> None:
    with pytest.raises(AssertionError, match="timeout after"):
        assert_computes("specs/good.npz", PAIRS, timeout=1e-9, **STATED)


def test_another_number_of_outputs_is_bad_input() -> None:
    with pytest.raises(InputError, match="outputs"):
        assert_computes("specs/good.npz", PAIRS[:2], **STATED)
