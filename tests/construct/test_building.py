"""`supercheck build`: what it writes, what it refuses, and what it says of a network that is not proved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from common import Capture

import supercheck
from supercheck.base.errors import FaultError, InputError
from supercheck.cli import app as cli
from supercheck.spec.formula import Var, Xor

FILES = {
    "odd.txt": "0 1\n2 3 4\n",
    "loop.txt": "0 1\n2 2\n",
    "twice.txt": "0 1\n# a comment\n1 0\n",
    "empty.txt": "# nothing\n",
    "words.txt": "zero one\n",
    "pairs.txt": "0 1\n2,3\n",
    "formulas.txt": "x0 & x1\n\nx0 &\n",
    "far.txt": "x0 ^ x7\n",
    "table.csv": "x0,y0\n0,0\n1,1\n",
    "short.csv": "x0,x1,y0\n0,0,0\n1,0,1\n",
    "header.csv": "a,b\n0,1\n",
}

BAD = {
    "an unknown construction": ("build coppy --features 4 -k 2 -o n.npz", 'got "coppy"; did you mean copy?'),
    "one like none": ("build zzz --features 4 -k 2 -o n.npz", "known: one-per-gate, copy"),
    "no size": ("build copy -k 2 -o n.npz", "got neither --features nor --outputs"),
    "no -k": ("build copy --features 4 -o n.npz", "Missing option"),
    "no output": ("build copy --features 4 -k 2", "Missing option"),
    "k above m": ("build copy --features 4 -k 5 -o n.npz", "-k: expected 0 to 4"),
    "k above m, several layers": ("build circuit --formulas far.txt -k 9 -o n.npz", "-k: expected 0 to 8"),
    "a negative k": ("build copy --features 4 -k -1 -o n.npz", "-k: expected at least 0, got -1"),
    "no features": ("build copy --features 0 -k 0 -o n.npz", "--features: expected at least 1, got 0"),
    "one feature has no pairs": ("build copy --features 1 -k 1 -o n.npz", "got 0 pairs of 1 feature"),
    "too many features": ("build copy --features 20000000 -k 1 -o n.npz", "--features: expected at most 10,000,000"),
    "too many pairs": ("build copy --features 9999 -k 1 -o n.npz", "expected 1 to 1,000,000 pairs"),
    "more pairs than there are": ("build copy --features 4 --outputs 7 -k 2 -o n.npz", "at most 6 pairs of 4 features"),
    "an influence that cannot be": (
        "build copy --features 6 --outputs 7 --max-influence 2 -k 2 -o n.npz",
        "at most 6 pairs of 6 features with an influence of 2",
    ),
    "an influence of given pairs": (
        "build copy --features 6 --max-influence 2 -k 2 -o n.npz",
        "--max-influence: expected it where pairs are drawn",
    ),
    "three on a line": ("build copy --pairs odd.txt -k 2 -o n.npz", "odd.txt:2: expected two features such as `0 3`"),
    "a pair of one feature": ("build copy --pairs loop.txt -k 2 -o n.npz", "loop.txt:2: expected two different"),
    "a pair twice": ("build copy --pairs twice.txt -k 2 -o n.npz", "twice.txt:3: expected each pair once"),
    "no pairs": ("build copy --pairs empty.txt -k 2 -o n.npz", "empty.txt: expected 1 to"),
    "words": ("build copy --pairs words.txt -k 2 -o n.npz", "words.txt:1: expected two features"),
    "no such file": ("build copy --pairs none.txt -k 2 -o n.npz", "none.txt: expected a file that can be read"),
    "a feature outside": ("build copy --pairs pairs.txt --features 3 -k 2 -o n.npz", "at least 4, for x3"),
    "another number of outputs": ("build copy --pairs pairs.txt --outputs 3 -k 2 -o n.npz", "--outputs: expected 2"),
    "an unknown gate": ("build one-per-gate --features 4 --gate nadn -k 2 -o n.npz", "did you mean nand?"),
    "an option without use": ("build copy --features 4 --cut 3 -k 2 -o n.npz", "--cut: expected nothing, got 3"),
    "a table without use": ("build copy --features 4 --table table.csv -k 1 -o n.npz", "--table: expected nothing"),
    "formulas without use": (
        "build copy --features 4 --formulas far.txt -k 1 -o n.npz",
        "--formulas: expected nothing",
    ),
    "--smallest without use": ("build parity --features 4 --smallest -k 1 -o n.npz", "--smallest: expected nothing"),
    "no features in an AND": ("build group-testing --features 4 --arity 0 -k 2 -o n.npz", "--arity: expected whole"),
    "a channel in vain": (
        "build output-channels --outputs 64 --channel 100 -k 2 -o n.npz",
        "--channel: expected a size",
    ),
    "a seed without use": ("build parity --features 4 --seed 3 -k 1 -o n.npz", "--seed: expected nothing, got 3"),
    "a negative seed": ("build copy --outputs 4 --seed -3 -k 1 -o n.npz", "--seed: expected at least 0"),
    "no formulas": ("build circuit --features 4 -k 2 -o n.npz", "--formulas: expected a file with one formula a line"),
    "a formula cut short": (
        "build circuit --formulas formulas.txt -k 2 -o n.npz",
        "formulas.txt:3: column 5: expected",
    ),
    "a formula's feature outside": (
        "build circuit --formulas far.txt --features 3 -k 2 -o n.npz",
        "at least 8, for x7",
    ),
    "no formula at all": ("build circuit --formulas empty.txt -k 2 -o n.npz", "empty.txt: expected 1 to"),
    "no table": ("build table --features 4 -k 2 -o n.npz", "--table: expected a file with a truth table, got none"),
    "a table with a row missing": (
        "build table --table short.csv -k 1 -o n.npz",
        "short.csv: expected every assignment",
    ),
    "a table's header": ("build table --table header.csv -k 1 -o n.npz", "header.csv:1: expected a header"),
    "an arity that is none": (
        "build group-testing --features 9 --arity 2,x -k 2 -o n.npz",
        "whole numbers from 1 on, such as 2,3",
    ),
    "an arity above m": ("build group-testing --features 3 --arity 2,4 -k 2 -o n.npz", "--arity: expected at most 3"),
    "an arity beside pairs": (
        "build group-testing --pairs pairs.txt --arity 3 -k 2 -o n.npz",
        "--pairs: expected nothing, got a list",
    ),
    "too many tuples": ("build group-testing --features 400 --arity 3 -k 2 -o n.npz", "at most 1,000,000 ANDs"),
    "a design at three on": ("build design --features 9 -k 3 -o n.npz", "-k: expected at most 2"),
    "a width that is too small": (
        "build permutation --features 16 --neurons 2 -k 2 -o n.npz",
        "expected a width up to 16 that is enough, got 2",
    ),
    "a permutation of what": ("build permutation -k 2 -o n.npz", "--features: expected how many features are permuted"),
    "a threshold that is none": ("build copy --features 4 -k 2 --at half -o n.npz", "--at: expected a number"),
    "no time": ("build copy --features 4 -k 2 --timeout 0 -o n.npz", "--timeout: expected seconds above 0"),
    "a format that is none": ("build copy --features 4 -k 2 -o n.onnx", "ends in .safetensors, .npz, .json"),
    "no suffix": ("build copy --features 4 -k 2 -o n", "got no suffix"),
    "no folder": ("build copy --features 4 -k 2 -o none/n.npz", "none: expected a folder for what is written"),
    "a folder": ("build copy --features 4 -k 2 -o folder.npz", "folder.npz: expected a name for a file, got a folder"),
    "over its own pairs": ("build copy --pairs n.toml -k 2 -o n.npz", "n.toml, which is read"),
    "over its own table": ("build table --table n.json -k 1 -o n.json", "n.json, which is read"),
}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(text)
    Path("folder.npz").mkdir()


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.replace(" ", "-"))
def test_a_bad_request_is_one_line_and_exit_2_and_nothing_is_written(case: str, capsys: Capture) -> None:
    command, said = BAD[case]
    if "n.toml -k" in command:
        Path("n.toml").write_text("0 1\n")
    if "n.json -k" in command:
        Path("n.json").write_text(FILES["table.csv"])
    before = {file: file.read_bytes() for file in Path().rglob("*") if file.is_file()}
    assert cli.main(command.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert len(err.splitlines()) == 1
    assert len(err) < 500
    assert {file: file.read_bytes() for file in Path().rglob("*") if file.is_file()} == before


@pytest.mark.parametrize(
    ("command", "drawn"),
    [
        ("copy --features 5", False), ("copy --outputs 5", True), ("parity --features 5", False),
        ("design --pairs pairs.txt", False), ("input-channels --outputs 9", True),
        ("circuit --formulas far.txt", False), ("permutation --features 4", True),
        ("output-channels --pairs pairs.txt", True), ("u-and --features 6", True), ("table --table table.csv", True),
    ],
)  # fmt: skip
def test_a_seed_is_told_where_something_is_drawn(command: str, drawn: bool, capsys: Capture) -> None:
    _, found = run(f"build {command} -k 1 -o n.npz", capsys)
    assert ("seed" in found["made"]) == drawn
    assert ("# seed: 0\n" in Path("n.toml").read_text()) == drawn


def run(command: str, capsys: Capture) -> tuple[int, dict[str, Any]]:
    code = cli.main([*command.split(), "--format", "json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, found


def test_json_says_what_was_built(capsys: Capture) -> None:
    code, found = run("build copy --features 5 -k 3 -o n.npz", capsys)
    assert code == 0
    assert list(found) == [
        "supercheck", "construction", "file", "spec", "neurons", "width", "edges", "at", "proved", "verdict", "reason",
        "assumptions", "made", "seconds",
    ]  # fmt: skip
    sizes = {
        key: found[key] for key in ("file", "spec", "neurons", "width", "edges", "at", "proved", "verdict", "reason")
    }
    assert sizes == {
        "file": "n.npz", "spec": "n.toml", "neurons": 5, "width": 5, "edges": 25, "at": "3/2", "proved": True,
        "verdict": "proved", "reason": None,
    }  # fmt: skip
    assert found["made"] == {"construction": "copy", "verdict": "proved"}


@pytest.mark.parametrize("suffix", ["npz", "safetensors", "json"])
def test_a_refuted_network_says_so_in_its_name_its_metadata_and_its_spec(suffix: str, capsys: Capture) -> None:
    code, found = run(f"build copy --features 5 -k 3 --at 2 -o n.{suffix}", capsys)
    assert (code, found["verdict"], found["proved"]) == (1, "refuted", False)
    assert (found["file"], found["spec"]) == (f"n.unproved.{suffix}", "n.unproved.toml")
    assert not Path(f"n.{suffix}").exists()
    assert not Path("n.toml").exists()
    content = Path(f"n.unproved.{suffix}").read_bytes()
    assert suffix == "json" or b"not proved (refuted)" in content
    assert (
        Path("n.unproved.toml").read_text().startswith("# Written by `supercheck build copy`: not proved (refuted).\n")
    )
    assert cli.main(["verify", "--spec", "n.unproved.toml"]) == 1


def test_a_network_that_time_did_not_allow_to_prove_is_unproved(capsys: Capture) -> None:
    code, found = run("build copy --features 60 -k 9 --timeout 1e-9 -o n.npz", capsys)
    assert (code, found["verdict"], found["file"]) == (3, "unknown", "n.unproved.npz")
    assert found["reason"].startswith("timeout after 1e-09 s")
    assert "not proved (unknown)" in Path("n.unproved.toml").read_text()
    assert cli.main(["build", "copy", "--features", "5", "-k", "2", "--at", "2", "-o", "m.npz"]) == 1
    assert "next: supercheck explore --spec m.unproved.toml" in capsys.readouterr().out


@pytest.mark.parametrize("stage", ["numpy.linalg.qr", "supercheck.api.build.verify", "supercheck.api.build.spec_bytes"])
def test_ctrl_c_at_any_stage_leaves_what_an_earlier_run_wrote(
    stage: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    command = ["build", "permutation", "--features", "8", "-k", "1", "-o", "n.npz"]
    assert cli.main(command) == 0
    files = sorted(file.name for file in Path().iterdir() if file.name not in (*FILES, "folder.npz"))
    assert files == ["n.decoder.npz", "n.encoder.npz", "n.npz", "n.toml"]
    before = {name: Path(name).read_bytes() for name in files}

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stage, interrupted)
        assert cli.main([*command, "--seed", "1"]) == 3
    assert "interrupted" in capsys.readouterr().err
    assert {name: Path(name).read_bytes() for name in files} == before
    assert not list(Path().glob(".supercheck-*"))
    assert cli.main([*command, "--seed", "1"]) == 0
    assert Path("n.npz").read_bytes() != before["n.npz"]


def test_a_full_disk_leaves_what_an_earlier_run_wrote(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    assert cli.main(["build", "permutation", "--features", "8", "-k", "1", "-o", "n.npz"]) == 0
    before = {file: file.read_bytes() for file in Path().glob("n.*")}
    written = []

    def full(number: int) -> None:
        written.append(number)
        if len(written) == 1:  # the last file to be opened is the first to be kept
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert cli.main(["build", "permutation", "--features", "8", "-k", "1", "--seed", "1", "-o", "n.npz"]) == 2
    assert "expected a file that can be written, got No space left on device" in capsys.readouterr().err
    assert {file: file.read_bytes() for file in Path().glob("n.*")} == before
    assert not list(Path().glob(".supercheck-*"))


def test_python_takes_lists_graphs_and_formulas_in_place_of_files() -> None:
    square = supercheck.build("copy", pairs=nx.cycle_graph(4), max_active=2)
    assert (square.file, square.spec) == (None, None)
    assert set(square.built.spec.formulas) == {
        supercheck.gate("and", pair) for pair in ((0, 1), (1, 2), (2, 3), (0, 3))
    }
    listed = supercheck.build("copy", pairs=[(0, 2), (1, 2)], max_active=2)
    assert listed.result.verdict is supercheck.Verdict.PROVED
    written = supercheck.build("circuit", formulas=["x0 ^ x1", supercheck.parse("~x2")], max_active=3)
    assert written.built.neurons == 3
    odd = supercheck.build("circuit", output="x.npz", formulas=[Xor((Var(1),)), "x0 & x1"], max_active=1)
    assert odd.spec is not None
    assert '"x1",' in odd.spec.read_text()
    with pytest.raises(InputError, match="column 4"):
        supercheck.build("circuit", formulas=["x0 x1"], max_active=3)
    with pytest.raises(InputError, match="-k"):
        supercheck.build("copy", pairs=[(0, 1)], max_active=True)


@pytest.mark.parametrize("suffix", [".json", ".npz", ".safetensors"])
def test_a_table_of_constants_needs_no_neuron(suffix: str, capsys: Capture) -> None:
    """Regression: a hidden layer without neurons was written, which no file can hold."""
    Path("constants.csv").write_text("x0,y0,y1\n0,1,0\n1,1,0\n")
    assert cli.main(["build", "table", "--table", "constants.csv", "-k", "1", "-o", f"net{suffix}"]) == 0
    assert "0 neurons" in capsys.readouterr().out
    assert cli.main(["verify", "--spec", "net.toml"]) == 0


def test_a_table_is_named_from_where_a_linked_folder_leads(capsys: Capture) -> None:
    """The spec named it as seen from the link, did not read back, and was left under its proved name."""
    Path("deep/er").mkdir(parents=True)
    Path("link").symlink_to("deep/er")
    assert cli.main(["build", "table", "--table", "table.csv", "-k", "1", "-o", "link/n.npz"]) == 0
    assert sorted(file.name for file in Path("deep/er").iterdir()) == ["n.npz", "n.toml"]
    assert 'table = "../../table.csv"' in Path("deep/er/n.toml").read_text()
    capsys.readouterr()
    assert cli.main(["verify", "--spec", "link/n.toml"]) == 0


def test_what_does_not_read_back_never_has_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(*_: object) -> None:
        raise FaultError("n.npz does not read back as the network that was written")

    monkeypatch.setattr("supercheck.api.build._read_back", other)
    assert cli.main(["build", "copy", "--features", "4", "-k", "2", "-o", "n.npz"]) == 4
    assert not list(Path().glob("n.*"))
