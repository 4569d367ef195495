"""The first spec for a network: valid, true to the file, and failing until its functions are filled in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from common import SPECS, Capture, run, savez
from gates import ands, save

from supercheck import load, read_spec
from supercheck.api.verify import verify
from supercheck.claims.evidence import Verdict

READABLE = ["one_per_pair.npz", "copy_margin.npz", "power_sums.json", "trained_permutation.safetensors",
            "trained_and8.onnx", "trained_or_deep.onnx", "trained_xor.onnx"]  # fmt: skip

pytestmark = pytest.mark.usefixtures("empty_folder")


@pytest.mark.parametrize("name", READABLE)
def test_it_reads_back_with_the_counts_of_the_file_and_is_refuted(name: str, capsys: Capture) -> None:
    for file in (SPECS / "proved").glob(f"{name}*"):
        shutil.copy(file, ".")
    network, file = load(name), Path(name).with_suffix(".toml")
    assert run("init", name) == 0
    told, *assumed = capsys.readouterr().out.splitlines()
    assert told.endswith(f"supercheck verify --spec {file}")
    assert assumed == [f"Assumed: {note}" for note in network.notes]
    spec = read_spec(file)
    assert (spec.domain.features, len(spec.formulas)) == (network.features, network.outputs)
    result = verify(None, spec)
    assert result.verdict is Verdict.REFUTED
    assert all(output.verdict is Verdict.REFUTED for output in result.outputs), "each placeholder is wrong"
    assert result.counterexample.active == ()
    assert run("gate", file, "--no-cache") == 1


def test_a_gate_does_not_pass_while_one_placeholder_is_left() -> None:
    save(Path("a.npz"), ands(4))
    assert run("init", "a.npz") == 0
    for i, (one, other) in enumerate(combinations(range(4), 2)):
        assert run("gate", "a.toml", "--no-cache") == 1
        text = Path("a.toml").read_text()
        Path("a.toml").write_text(re.sub(rf'"[01]",  # y{i}\n', f'"x{one} & x{other}",\n', text))
    assert run("gate", "a.toml", "--no-cache") == 0


def test_each_comment_can_be_taken_at_its_word() -> None:
    save(Path("a.npz"), ands(4))
    assert run("init", "a.npz") == 0
    text = re.sub(r"formulas = \[.*?\n\]", "", Path("a.toml").read_text(), flags=re.DOTALL)
    for key in ("gate", "over", "max_neurons", "max_edges", r"\[audit\]"):
        text = re.sub(rf"^# ({key})", r"\1", text, flags=re.MULTILINE)
    Path("a.toml").write_text(text)
    assert run("gate", "a.toml", "--no-cache") == 0


def test_nothing_is_overwritten(capsys: Capture) -> None:
    save(Path("a.npz"), ands(4))
    Path("a.toml").write_text("mine")
    assert run("init", "a.npz") == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert Path("a.toml").read_text() == "mine"
    assert run("init", "a.npz", "-o", "b.toml") == 0


def test_the_spec_may_lie_elsewhere_and_names_may_be_anything(tmp_path: Path) -> None:
    name = 'we "ird\\ näme\t.npz'
    save(Path("nets") / name, ands(4))
    Path("specs/deep").mkdir(parents=True)
    assert run("init", Path("nets") / name, "-o", "specs/deep/a.toml") == 0
    assert read_spec("specs/deep/a.toml").source.file is not None
    assert run("gate", "specs", "--no-cache") == 1
    os.symlink(tmp_path / "specs" / "deep", "link")
    assert run("init", Path("nets") / name, "-o", "link/b.toml") == 0
    assert run("gate", "link/b.toml", "--no-cache") == 1


@pytest.mark.parametrize(
    "arguments",
    [["absent.npz"], ["."], ["a.npz", "-o", "absent/b.toml"], ["a.pt"], ["empty.npz"], ["unnamed.npz"], ["a.toml"]],
    ids=" ".join,
)
def test_bad_input_is_one_line_and_leaves_nothing(arguments: list[str], capsys: Capture) -> None:
    save(Path("a.npz"), ands(4))
    savez("unnamed.npz", {"W_in": np.eye(2)})
    for name in ("a.pt", "empty.npz"):
        Path(name).write_bytes(b"")
    before = sorted(Path().rglob("*"))
    assert run("init", *arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("supercheck: ")
    assert printed.err.count("\n") == (4 if arguments == ["a.pt"] else 1), "a pickle's recipe has three lines more"
    assert sorted(Path().rglob("*")) == before


def test_a_full_disk_leaves_nothing_half_written() -> None:
    save(Path("a.npz"), ands(4))
    probe = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "import sys; from supercheck.cli.app import main; sys.exit(main(['init', 'a.npz']))"
    )
    done = subprocess.run([sys.executable, "-B", "-c", probe], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert not Path("a.toml").exists()
