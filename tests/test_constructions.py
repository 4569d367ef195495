"""`specs/constructions`: one proved instance of each construction, which its command writes again byte by byte."""

from __future__ import annotations

import itertools
import re
import shlex
import shutil
from pathlib import Path

import pytest

from supercheck import cli, read_spec, verify
from supercheck.construct import CONSTRUCTIONS
from supercheck.decide import Limits

FOLDER = Path(__file__).parent.parent / "specs" / "constructions"
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
            assert (FOLDER / name).exists()
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
