"""The cache of gates: what is found again, what never is, and what becomes of it when things go wrong."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import gates
import pytest
from common import Capture, run
from gates import CACHE, ands, cached, corpus, judged, save, sealed_rows

from supercheck.base import store as keeping
from supercheck.checker import Outcome
from supercheck.ci import cache as caching
from supercheck.ci.cache import Cache
from supercheck.ci.judge import GateOptions
from supercheck.ci.suite import gate
from supercheck.report.gate.outcome import SuiteOutcome

CERTIFICATES = Path(".supercheck/cache.certificates")


pytestmark = pytest.mark.usefixtures("empty_folder", "own_account")


@pytest.fixture
def certified(own_account: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that can seal nothing, so that certificates alone convince; small questions have them, too."""
    (tmp_path / "file").write_text("a file where a folder should be")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    for name, value in {"SMALL": -1, "WORTH": 0.0, "RATE": 1 << 60}.items():
        monkeypatch.setattr(caching, name, value)


@pytest.fixture
def two() -> dict[str, int]:
    """A right spec and a wrong one, with their codes."""
    return gates.two()


def codes(found: SuiteOutcome) -> dict[str, int]:
    return {one.file: one.code for one in found.judgements}


def told(found: SuiteOutcome) -> list[tuple[str, ...]]:
    return [one.told for one in found.judgements]


def certificate(head: str) -> Path:
    (found,) = [file for file in CERTIFICATES.glob("*.cert") if file.read_text().splitlines()[3].startswith(head)]
    return found


def test_the_second_time_everything_is_found_and_the_same_is_said(two: dict[str, int]) -> None:
    first, second = judged(), judged()
    assert codes(first) == codes(second) == two
    assert cached(first) == [False, False]
    assert cached(second) == [True, True]
    assert told(first) == told(second)
    assert (CACHE.parent / ".gitignore").read_text() == "*\n"


def test_without_the_cache_nothing_is_kept(two: dict[str, int]) -> None:
    assert run("gate", "specs", "--no-cache") == 1
    assert not CACHE.parent.exists()


@pytest.mark.usefixtures("certified")
def test_the_cache_may_be_elsewhere(two: dict[str, int]) -> None:
    assert run("gate", "specs", "--cache", "deep/down/x.db") == 1
    assert Path("deep/down/x.db").exists()
    assert sorted(path.suffix for path in Path("deep/down/x.certificates").iterdir())[:2] == [".cert", ".cert"]


@pytest.mark.parametrize("folder", ["proved", "refuted"])
def test_every_format_and_readout_is_found_again(folder: str) -> None:
    specs = Path(__file__).parents[2] / "specs" / folder
    for repeated in (False, True):
        found = gate([specs], terms=GateOptions(cache=Cache(CACHE)))
        assert found.passed
        anew = [one.file for one in found.judgements if not one.cached and "float32" not in one.file]
        assert not anew or not repeated


@pytest.mark.usefixtures("certified")
def test_formatting_is_no_part_of_the_question(two: dict[str, int]) -> None:
    judged()
    for file in map(Path, two):
        text = file.read_text().replace('at = "1/2"', "at   = 0.50  # the middle").replace("[domain]", "\n\n[domain]")
        file.write_text(text.replace('gate = "and"\nover = "all-pairs"', "formulas = " + json.dumps(formulas(4))))
    for name in ("good", "wrong"):
        save(Path(f"specs/{name}.json"), ands(4, 0.75 * (name == "wrong")))
        file = Path(f"specs/{name}.toml")
        file.write_text(file.read_text().replace(".npz", ".json"))
    assert cached(judged()) == [True, True]


def formulas(features: int) -> list[str]:
    return [f"x{i} & (x{j})" for i in range(features) for j in range(i + 1, features)]


@pytest.mark.parametrize(
    ("old", "new"),
    [("max_active = 3", "max_active = 2"), ('at = "1/2"', 'at = "1/3"'), ('gate = "and"', 'gate = "or"')],
)
def test_another_question_is_asked_anew(two: dict[str, int], old: str, new: str) -> None:
    judged()
    file = Path("specs/good.toml")
    file.write_text(file.read_text().replace(old, new))
    assert cached(judged()) == [False, True]


@pytest.mark.usefixtures("certified")
def test_another_network_engine_or_version_is_asked_anew(two: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    judged()
    tensors = ands(4)
    tensors["0.weight"][0, 3] = 2.0**-40
    save(Path("specs/good.npz"), tensors)
    assert cached(judged()) == [False, True]
    assert cached(judged(engine="bound")) == [False, False]
    monkeypatch.setattr(caching, "__version__", "0.0.0")
    assert cached(judged()) == [False, False]


@pytest.mark.usefixtures("certified")
def test_an_expectation_is_no_part_of_the_question(two: dict[str, int]) -> None:
    judged()
    file = Path("specs/wrong.toml")
    file.write_text(file.read_text().replace('verdict = "proved"', 'verdict = "refuted"'))
    found = judged()
    assert cached(found) == [True, True]
    assert found.code == 0


def test_unknown_is_never_kept(two: dict[str, int]) -> None:
    assert judged(timeout=1e-9).code == 3
    assert cached(judged()) == [False, False]


def test_figures_for_a_baseline_are_never_taken_from_the_cache(two: dict[str, int]) -> None:
    judged()
    found = judged(measure=True)
    assert cached(found) == [False, False]
    assert all(one.measured is not None for one in found.judgements)


def test_a_second_run_imports_no_engine_and_no_solver(two: dict[str, int]) -> None:
    assert run("gate", "specs") == 1
    heavy = (
        "z3",
        "onnx",
        "networkx",
        "matplotlib",
        "supercheck.decide.portfolio",
        "supercheck.analysis.costs.floors.floor",
    )
    probe = (
        "import sys\nfrom supercheck.cli.app import main\nassert main(['gate', 'specs']) == 1\n"
        f"print(*[name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stderr.split() == []
    assert "1 of 2 specs" in done.stdout


# what is stored is not believed


@pytest.mark.usefixtures("certified")
def test_a_row_with_the_other_verdict_is_a_miss(two: dict[str, int]) -> None:
    judged()
    with sqlite3.connect(CACHE) as database:
        flip = "UPDATE verdicts SET verdict = CASE verdict WHEN 'proved' THEN 'refuted' ELSE 'proved' END"
        database.execute(flip)
    found = judged()
    assert codes(found) == two
    assert cached(found) == [False, False]


@pytest.mark.usefixtures("certified")
def test_a_proof_for_a_wrong_network_is_not_believed(two: dict[str, int]) -> None:
    """Whoever can write the cache can write that all is well; the checker is asked, not the row."""
    judged()
    forged, refuted = certificate("proved"), certificate("refuted")
    lines, head = forged.read_text().splitlines(), refuted.read_text().splitlines()
    refuted.write_text("\n".join([*head[:3], *lines[3:]]) + "\n")  # the digests are those of the wrong network
    with sqlite3.connect(CACHE) as database:
        database.execute("UPDATE verdicts SET verdict = 'proved'")
    found = judged()
    assert codes(found) == two
    assert cached(found) == [True, False]


@pytest.mark.usefixtures("certified")
def test_a_witness_that_refutes_nothing_is_not_believed(two: dict[str, int]) -> None:
    judged()
    forged, refuted = certificate("proved"), certificate("refuted")
    head = forged.read_text().splitlines()[:3]
    forged.write_text("\n".join([*head, "refuted 0 0", "end 0", ""]))
    refuted.write_text(re.sub(r"(?m)^refuted.*$", "refuted 3 0 1", refuted.read_text()))
    with sqlite3.connect(CACHE) as database:
        database.execute("UPDATE verdicts SET verdict = 'refuted'")
    found = judged()
    assert codes(found) == two
    assert cached(found) == [False, False]


@pytest.mark.usefixtures("certified")
@pytest.mark.parametrize(
    "line", ["", "refuted", "refuted x", "refuted -1 0", "refuted 9999 0", "refuted 0 4 5 6", "proof"]
)
def test_nonsense_in_a_certificate_is_a_miss(two: dict[str, int], line: str) -> None:
    judged()
    for file in list(CERTIFICATES.glob("*.cert")):
        lines = file.read_text().splitlines()
        file.write_text("\n".join([*lines[:3], line, *lines[4:], ""]))
    found = judged()
    assert codes(found) == two
    assert cached(found) == [False, False]


@pytest.mark.usefixtures("certified")
@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\n" * 9, b"x" * 100_000])
def test_lost_and_broken_certificates_are_misses(two: dict[str, int], content: bytes | None) -> None:
    judged()
    for file in list(CERTIFICATES.iterdir()):
        file.unlink()
        if content is not None:
            file.write_bytes(content)
    found = judged()
    assert codes(found) == two
    assert cached(found) == [False, False]
    assert cached(judged()) == [True, True], "and they are written anew"


@pytest.mark.usefixtures("certified")
def test_nobody_waits_for_a_pipe_in_place_of_a_certificate(two: dict[str, int]) -> None:
    judged()
    for file in list(CERTIFICATES.glob("*.cert")):
        file.unlink()
        os.mkfifo(file)
    found = judged()
    assert codes(found) == two
    assert cached(found) == [False, False]


@pytest.mark.usefixtures("certified")
def test_a_certificate_that_the_checker_rejects_is_a_warning_and_no_hit(
    two: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caching, "check", lambda *_, **__: Outcome("rejected", "just so"))
    for _ in range(2):
        found = judged()
        assert codes(found) == two
        assert cached(found) == [False, False]
        assert all("the checker rejects" in one.warnings[0] for one in found.judgements)


@pytest.mark.usefixtures("certified")
def test_what_is_dear_to_check_is_decided_anew(two: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "MOST_ENTRIES", 10)
    assert codes(judged()) == two
    found = judged()
    assert codes(found) == two
    assert cached(found) == [False, False]
    assert len(list(CERTIFICATES.glob("*.cert"))) == 2, "its certificate is there all the same"


# files that are not what they should be


def broken(kind: str) -> None:
    """Put something in the cache's place."""
    CACHE.parent.mkdir(exist_ok=True)
    if kind == "words":
        CACHE.write_text("not a database, but long enough that nobody takes it for an empty one " * 40)
    elif kind == "foreign":
        with sqlite3.connect(CACHE) as database:
            database.execute("CREATE TABLE verdicts (key TEXT, verdict TEXT)")
    elif kind == "other columns":
        with sqlite3.connect(CACHE) as database:
            database.execute(f"PRAGMA application_id = {keeping.APPLICATION}")
            database.execute("CREATE TABLE verdicts (a, b)")
    elif kind == "folder":
        CACHE.mkdir()
    elif kind == "pipe":
        os.mkfifo(CACHE)
    elif kind == "device":
        CACHE.symlink_to("/dev/full")
    elif kind == "loop":
        CACHE.symlink_to(CACHE.name)
    elif kind == "no folder":
        CACHE.parent.rmdir()
        CACHE.parent.write_text("a file where a folder should be")
    elif kind == "no certificates":
        CERTIFICATES.write_text("a file where a folder should be")


@pytest.mark.parametrize(
    "kind",
    ["words", "foreign", "other columns", "folder", "pipe", "device", "loop", "no folder", "no certificates"],
)
def test_a_cache_that_cannot_be_used_is_one_warning(
    two: dict[str, int], kind: str, capsys: Capture, request: pytest.FixtureRequest
) -> None:
    if kind == "no certificates":
        request.getfixturevalue("certified")
    broken(kind)
    before = CACHE.read_bytes() if CACHE.is_file() else None
    for _ in range(2):
        assert run("gate", "specs") == 1
        printed = capsys.readouterr()
        assert "1 of 2 specs as expected" in printed.out
        assert printed.err.startswith("supercheck: warning: ")
        assert printed.err.count("\n") == 1
    if kind in ("words", "foreign"):
        assert CACHE.read_bytes() == before, "what is not ours is left alone"


@pytest.mark.parametrize("seed", range(8))
def test_torn_and_flipped_pages_never_change_a_verdict(two: dict[str, int], seed: int, capsys: Capture) -> None:
    judged()
    content = bytearray(CACHE.read_bytes())
    for place in range(seed * 37 % 200, len(content), 211):
        content[place] ^= 1 << seed
    CACHE.write_bytes(bytes(content[: len(content) * (seed + 4) // 10]) if seed % 2 else bytes(content))
    assert codes(judged()) == two


def test_a_locked_cache_is_waited_for_only_so_long(
    two: dict[str, int], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    judged()
    monkeypatch.setattr(keeping, "PATIENCE", 0.05)
    with sqlite3.connect(CACHE, isolation_level=None) as database:
        database.execute("BEGIN EXCLUSIVE")
        found = judged()
        assert codes(found) == two
        assert cached(found) == [False, False]
        assert len(found.warnings) == 1
    assert cached(judged()) == [True, True]


def test_a_cache_that_can_only_be_read_is_read(two: dict[str, int]) -> None:
    judged()
    uri = f"file:{CACHE}?mode=ro&immutable=1"
    connect = sqlite3.connect
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", lambda _, **kw: connect(uri, uri=True, **kw))
        assert cached(judged()) == [True, True]
        file = Path("specs/good.toml")
        file.write_text(file.read_text().replace('at = "1/2"', 'at = "1/3"'))
        found = judged()
    assert codes(found) == two
    assert "readonly" in found.warnings[0]


def test_a_full_disk_costs_the_cache_alone(two: dict[str, int]) -> None:
    """The limit on the size of files stands in for the disk."""
    probe = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "import sys; from supercheck.cli.app import main; sys.exit(main(['gate', 'specs', '--report', 'json:r.json']))"
    )
    done = subprocess.run([sys.executable, "-B", "-c", probe], capture_output=True, text=True, check=False)
    assert done.returncode == 2, "the report could not be written"
    assert "1 of 2 specs as expected" in done.stdout
    warning, report = done.stderr.splitlines()
    assert warning.startswith("supercheck: warning: ")
    assert "r.json: expected a file that can be written" in report
    assert not Path("r.json").exists()
    assert codes(judged()) == two


# many at once, and some of them killed


def test_killed_in_the_middle_the_next_run_goes_on_and_ends_the_same() -> None:
    truth = corpus(Path("specs"), 100)
    command = [sys.executable, "-m", "supercheck", "gate", "specs", "--engine", "bound", "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while sealed_rows(CACHE) < 12:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    resumed, fresh = json.loads(done.stdout)["specs"], judged(engine="bound", cache=None)
    assert done.returncode == 2
    assert sum(one["cached"] for one in resumed) >= 11
    assert codes(fresh) == truth
    for one, again in zip(resumed, fresh.judgements, strict=True):
        same = (again.file, again.verdict, again.passed, "; ".join(again.told) or None)
        assert (one["file"], one["verdict"], one["pass"], one["reason"]) == same


@pytest.mark.parametrize("gates", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_a_crowd_of_gates_on_one_cache_some_killed(gates: int) -> None:
    truth = {file: code for file, code in corpus(Path("specs"), 40).items() if code != 3}
    Path("truth.json").write_text(json.dumps(truth))
    script = Path(__file__).parents[2] / "tests" / "support" / "crowd.py"
    command = [sys.executable, str(script), ".", str(gates), "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=gates)
    found = json.loads(done.stdout)
    assert found["wrong"] == 0
    assert gates // 10 < found["killed"] < gates // 2
    with sqlite3.connect("crowd/cache.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    for _ in range(2):
        last = gate(sorted(truth), terms=GateOptions(cache=Cache(Path("crowd/cache.sqlite"))))
        assert codes(last) == truth
        assert not last.warnings
    assert all(one.cached for one in last.judgements if one.code != 2)
