"""What an account seals about the bytes that it judged: what is found again by it, by whom, and what never is."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import common
import pytest
from common import run
from gates import CACHE, ands, cached, corpus, judged, save, two
from gating import SPECS, generate, measure

from supercheck.base import seal as sealing
from supercheck.ci import cache as caching, judge as judging, sealed
from supercheck.claims import question as posing
from supercheck.report.gate.outcome import SpecOutcome

pytestmark = pytest.mark.usefixtures("empty_folder", "own_account")


def test_a_proof_of_the_same_bytes_is_found_without_posing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    two()
    judged()
    asked = []
    monkeypatch.setattr(judging, "question", lambda *rest: asked.append(rest) or posing.question(*rest))
    assert cached(judged()) == [True, True]
    assert [Path(str(spec)).stem for _, spec, _ in asked] == ["wrong"], "a refutation is read, posed and replayed"


def test_a_refutation_that_does_not_replay_is_decided_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    two()
    first = judged()
    real = judging.find_sealed  # type: ignore[attr-defined]

    def other(*rest: object) -> object:
        found = real(*rest)  # type: ignore[arg-type]
        return found and replace(found, witness=(3, [0], None, True)) if found and found.witness else found

    monkeypatch.setattr(judging, "find_sealed", other)
    found = judged()
    assert cached(found) == [True, False]
    assert [one.told for one in found.judgements] == [one.told for one in first.judgements]


def test_reports_of_hits_say_what_those_of_misses_say() -> None:
    corpus(Path("specs"), 40)
    shutil.copytree(common.SPECS / "refuted", "specs/refuted")
    shutil.copytree(common.SPECS / "proved", "specs/proved")
    first, second = judged(), judged()
    hits = [two for one, two in zip(first.judgements, second.judgements, strict=True) if two.cached]
    assert len(hits) > 50
    assert {one.verdict for one in hits} == {"proved", "refuted"}
    for one, again in zip(first.judgements, second.judgements, strict=True):
        assert replace(again, cached=False, seconds=0.0) == replace(one, seconds=0.0)


def test_several_at_once_find_the_same() -> None:
    two()
    command = ["gate", "specs", "--jobs", "2"]
    assert [run(*command), run(*command)] == [1, 1]
    assert cached(judged(engine="auto")) == [True, True]


def rows() -> list[tuple[str, str, str]]:
    with sqlite3.connect(CACHE) as database:
        return list(database.execute("SELECT key, content, seal FROM judgements"))


def forge(content: str, seal: str | None = None) -> None:
    """Have every row say the same."""
    with sqlite3.connect(CACHE) as database:
        database.execute("UPDATE judgements SET content = ?, seal = coalesce(?, seal)", (content, seal))


def test_what_is_not_sealed_by_this_account_is_not_believed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    two()
    first = judged()
    (good,) = [row for row in rows() if '"proved"' in row[1] and '"witness": null' in row[1]]
    forge(good[1])
    assert cached(judged()) == [True, False], "a true row in another's place"
    forge(good[1].replace("good.npz", "wrong.npz"), good[2])
    assert cached(judged()) == [False, False]
    assert cached(judged()) == [True, True], "and it is sealed anew"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "somebody else's"))
    found = judged()
    assert cached(found) == [False, False]
    assert [one.code for one in found.judgements] == [one.code for one in first.judgements] == [0, 1]


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", "x" * 10_000])
def test_nonsense_in_a_row_is_a_miss(content: str) -> None:
    two()
    judged()
    forge(content)
    assert cached(judged()) == [False, False]


def test_without_a_key_everything_is_judged_and_nobody_is_bothered(monkeypatch: pytest.MonkeyPatch) -> None:
    two()
    judged()
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null")
    for _ in range(2):
        found = judged()
        assert cached(found) == [False, False]
        assert not found.warnings
        assert not any(one.warnings for one in found.judgements)


def test_other_code_and_other_packages_seal_for_themselves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    two()
    judged()
    sealing.sources.cache_clear()
    (tmp_path / "site-packages" / "numpy-9.9.dist-info").mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, str(tmp_path / "site-packages")])
        assert cached(judged()) == [False, False]
        sealing.sources.cache_clear()
    assert cached(judged()) == [True, True]


OPENED = """
import json, sys
from pathlib import Path
from supercheck.ci import judge as judging
from supercheck.ci.judge import GateOptions
from supercheck.ci.cache import Cache
from supercheck.ci.sealed import About
from supercheck.spec.read import read_spec
import supercheck.network.formats.onnx.read, supercheck.network.formats.npz
import supercheck.network.formats.safetensors, supercheck.network.formats.json
import supercheck.decide.portfolio, supercheck.api.verify
file, opened = Path(sys.argv[1]), set()
home = str(file.parent.resolve())
about = About.of(file, read_spec(file), "auto")
sys.addaudithook(lambda event, rest: event == "open" and isinstance(rest[0], str) and opened.add(rest[0]))
judging.judge(file, GateOptions())
read = {name for name in opened if str(Path(name).resolve()).startswith(home)}
print(json.dumps([sorted({Path(name).name for name in read}), sorted(Path(name).name for name, _ in about.files)]))
"""


@pytest.mark.parametrize("name", ["channel_decoder", "edge_code", "truth_table", "trained_or_deep", "group_testing"])
def test_every_file_that_a_verdict_reads_is_in_its_row(name: str) -> None:
    """A file that is left out could change, and the verdict would not; external data, codes and tables count."""
    done = subprocess.run(
        [sys.executable, "-c", OPENED, common.SPECS / "proved" / f"{name}.toml"],
        capture_output=True,
        text=True,
        check=True,
    )
    opened, listed = json.loads(done.stdout)
    assert set(opened) == {f"{name}.toml", *listed}


@pytest.mark.parametrize("name", ["channel_decoder", "edge_code", "truth_table", "trained_or_deep", "group_testing"])
def test_a_byte_of_any_file_is_another_question(name: str) -> None:
    shutil.copytree(common.SPECS / "proved", "specs")
    for other in Path("specs").glob("*.toml"):
        if other.stem != name:
            other.unlink()
    first = judged()
    assert cached(first) == [False]
    assert cached(judged()) == [True]
    files = [name for name, _ in json.loads(rows()[0][1])["files"]]
    for file in [Path("specs", f"{name}.toml"), *map(Path, files)]:
        content = file.read_bytes()
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert not judged().judgements[0].cached, file
        file.write_bytes(content)


def test_what_changes_while_it_is_judged_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network is looked at, exchanged, and read: its verdict is not that of what was looked at."""
    two()
    real = judging.question  # type: ignore[attr-defined]

    def exchanged(*rest: object) -> object:
        save(Path("specs/wrong.npz"), ands(4))
        return real(*rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(judging, "question", exchanged)
        assert [one.code for one in judged().judgements] == [0, 0]
    save(Path("specs/wrong.npz"), ands(4, 0.75))
    found = judged()
    assert [one.code for one in found.judgements] == [0, 1]
    assert cached(found) == [True, False]


def test_nobody_waits_for_a_pipe_in_place_of_a_network() -> None:
    two()
    judged()
    Path("specs/good.npz").unlink()
    os.mkfifo("specs/good.npz")
    assert [one.code for one in judged().judgements] == [2, 1]


def test_small_questions_have_no_certificate() -> None:
    two()
    judged()
    assert not CACHE.with_suffix(".certificates").exists()


@pytest.mark.parametrize(("seconds", "written"), [(0.01, False), (0.2, False), (100.0, True)])
def test_a_certificate_is_written_where_checking_it_costs_little_beside_deciding(
    seconds: float, written: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    two()
    monkeypatch.setattr(caching, "SMALL", -1)
    monkeypatch.setattr(caching, "_ENTRY", 500_000)
    clock = iter(range(1_000))
    ticking = SimpleNamespace(monotonic=lambda: next(clock) * seconds, perf_counter=lambda: 0.0)
    monkeypatch.setattr(judging, "time", ticking)
    judged()
    assert CACHE.with_suffix(".certificates").exists() == written


def test_a_baseline_measures_what_is_sealed(capsys: pytest.CaptureFixture[str]) -> None:
    two()
    assert run("gate", "specs/good.toml") == 0
    assert run("gate", "specs/good.toml", "--baseline", "base.json") == 0
    assert json.loads(Path("base.json").read_text())["specs"]["specs/good.toml"]["margins"]


def test_a_row_holds_the_whole_judgement() -> None:
    """Whatever a judgement comes to say, a hit says, too."""
    told = SpecOutcome("a.toml", 1, "proved", "refuted", "why", ("fact",), ("limit",), line=7)
    row = sealed.sealed_row(sealed.About("0", "key", (), ()), told, None)
    assert row is not None
    assert sealed._judgement(json.loads(row[1])["judgement"]) == replace(told, cached=True)


@pytest.mark.slow
def test_hits_cost_less_than_deciding_and_the_first_run_little_more(tmp_path: Path) -> None:
    generate(tmp_path / "specs", SPECS)
    none, first, hits = map(min, zip(*(measure(tmp_path) for _ in range(3)), strict=True))
    assert first <= 1.3 * none
    assert hits <= 0.7 * none
