"""`specs/constructions`: one proved instance of each construction, which its command writes again byte by byte."""

from __future__ import annotations

import itertools
import re
import shlex
import shutil
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from common import savez

from supercheck import read_spec, verify
from supercheck.cli import app as cli
from supercheck.construct.constructions import CONSTRUCTIONS
from supercheck.decide.limits import Limits

FOLDER = Path(__file__).parents[2] / "specs" / "constructions"
(BLOCK,) = re.findall(r"^```sh\n(.*?)^```$", (FOLDER / "README.md").read_text(), flags=re.MULTILINE | re.DOTALL)
COMMANDS = [shlex.split(line) for line in BLOCK.splitlines()]
READ = {
    word
    for words in COMMANDS
    for option, word in itertools.pairwise(words)
    if option in ("--pairs", "--formulas", "--table")
}

ROUNDED = ("permutation", "superposed")
"""Rounded from linear algebra, whose last bits are the machine's own: elsewhere a weight may be its neighbour."""


def assert_alike(made: Path, kept: Path) -> None:
    """Codes are equal, a spec is but for its threshold, and weights are in as far as a unit of their grid."""
    if kept.suffix == ".toml":
        one, other = ([line for line in file.read_text().splitlines() if line[:5] != "at = "] for file in (made, kept))
        assert one == other
        return
    with np.load(made) as one, np.load(kept) as other:
        assert one.files == other.files
        for name in one.files:
            a, b = (file[name].astype(np.float64) for file in (one, other))
            exact = name.endswith(".bias") or "coder" in kept.name
            assert a.shape == b.shape
            assert np.abs(a - b).max(initial=0) <= (0 if exact else unit(b)), name


def unit(weights: np.ndarray) -> float:
    """The largest power of two of which all weights are multiples."""
    return next(2.0**-power for power in range(64) if (weights * 2.0**power % 1 == 0).all())


def test_two_units_of_the_grid_are_not_alike(tmp_path: Path) -> None:
    kept, weight = FOLDER / "permutation.npz", "0.weight"
    with np.load(kept) as file:
        arrays = {name: file[name].astype(np.float64) for name in file.files}
    step = unit(arrays[weight])
    for units, alike in ((1, True), (2, False)):
        savez(tmp_path / "n.npz", arrays | {weight: arrays[weight] + units * step})
        with nullcontext() if alike else pytest.raises(AssertionError):
            assert_alike(tmp_path / "n.npz", kept)


def written(words: list[str]) -> str:
    """The network file of a command."""
    return words[words.index("-o") + 1]


def test_every_construction_has_an_instance() -> None:
    assert {words[2] for words in COMMANDS} == set(CONSTRUCTIONS)


@pytest.mark.parametrize("words", COMMANDS, ids=written)
def test_its_command_writes_an_instance_again_byte_by_byte(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in READ:
        shutil.copy(FOLDER / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert words[:2] == ["supercheck", "build"]
    assert cli.main(words[1:]) == 0
    made = {file.name for file in tmp_path.iterdir()} - READ
    assert {written(words), f"{Path(written(words)).stem}.toml"} <= made
    for name in made:
        if words[2] in ROUNDED:
            assert_alike(tmp_path / name, FOLDER / name)
        else:
            assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name


def test_nothing_else_lies_there() -> None:
    stems = {Path(written(words)).stem for words in COMMANDS}
    names = {file.name for file in FOLDER.iterdir()} - READ - {"README.md"}
    assert {name.partition(".")[0] for name in names} == stems


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.toml")), ids=lambda file: file.stem)
def test_two_engines_prove_each_instance(file: Path) -> None:
    assert verify(None, file).verdict.value == read_spec(file).expect == "proved"
    assert verify(None, file, limits=Limits(engine="enumerate")).verdict.value == "proved"
