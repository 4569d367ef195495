"""A network format is one file and one row of `FORMATS`: then every verb reads it, and writes it where it can."""

from __future__ import annotations

import zipfile
from fractions import Fraction
from pathlib import Path

import pytest
import toy_format
from common import Capture

import supercheck
from supercheck.cli.app import main
from supercheck.network.formats.load import load
from supercheck.network.formats.table import FORMATS

THIRDS = "0.weight 2x2 1/3 1/3 1 0\n0.bias 2 -1/3 0\n2.weight 1x2 3 0\n"
"""relu((x0 + x1 - 1) / 3) * 3, which is the AND of both; and a neuron that nobody looks at."""

SPEC = """
[network]
file = "net.toy"
activation = "relu"
final = "none"
[domain]
features = 2
max_active = 2
[outputs]
formulas = ["x0 & x1"]
[readout]
mode = "equality"
"""


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(FORMATS, ".toy", "toy_format")
    Path("net.toy").write_text(THIRDS)
    Path("spec.toml").write_text(SPEC)


def test_every_number_is_read_exactly() -> None:
    assert load("net.toy").run([1, 1]) == (1,)
    assert load("net.toy").run([Fraction(1, 2), 1]) == (Fraction(1, 2),)


def test_a_network_in_it_is_verified() -> None:
    assert supercheck.verify(None, "spec.toml").verdict is supercheck.Verdict.PROVED
    Path("spec.toml").write_text(SPEC.replace("&", "|"))
    assert supercheck.verify("net.toy", "spec.toml").counterexample.active == (0,)


def test_the_command_line_verifies_certifies_checks_and_packs_it(capsys: Capture) -> None:
    assert main(["verify", "--spec", "spec.toml", "--certificate", "a.cert", "--reproducer", "a.zip"]) == 0
    assert main(["check", "a.cert", "net.toy", "--spec", "spec.toml"]) == 0
    assert main(["gate", "spec.toml"]) == 0
    assert "proved" in capsys.readouterr().out.lower()
    with zipfile.ZipFile("a.zip") as packed:
        assert "net.toy" in packed.namelist()


def test_constructions_and_pruned_networks_are_written_in_it(capsys: Capture) -> None:
    assert main(["build", "one-per-gate", "--features", "4", "-k", "2", "-o", "made.toy"]) == 0
    assert Path("made.toy").read_text().startswith("# made.toy")
    assert main(["verify", "--spec", "made.toml"]) == 0
    assert main(["prune", "--spec", "spec.toml", "-o", "less.toy"]) == 0, "thirds and all: it holds every number"
    assert load("less.toy").neurons == 1
    assert main(["build", "copy", "--features", "4", "-k", "2", "-o", "n.onnx"]) == 2
    assert "ends in .safetensors, .npz, .json, .toy" in capsys.readouterr().err


def test_what_has_no_writer_is_read_alone(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.delattr(toy_format, "write")
    assert main(["verify", "--spec", "spec.toml"]) == 0
    assert main(["build", "copy", "--features", "4", "-k", "2", "-o", "made.toy"]) == 2
    assert capsys.readouterr().err.endswith("ends in .safetensors, .npz, .json, got .toy\n")
