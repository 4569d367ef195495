"""The README stays true: its commands, examples and outputs are run."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from supercheck import read_spec
from supercheck.cli import app as cli
from supercheck.construct.constructions import CONSTRUCTIONS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def _beside_a_copy_of_the_specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an example writes is no part of the checkout."""
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("block", blocks("console"))
def test_a_session_prints_what_the_readme_shows(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    command, *shown = block.rstrip("\n").split("\n")
    assert command.startswith("$ supercheck ")
    cli.main(shlex.split(command)[2:])
    printed = [line.rstrip() for line in capsys.readouterr().out.rstrip("\n").split("\n")]
    if shown[-1] == "...":
        shown, printed = shown[:-1], printed[: len(shown) - 1]
    assert printed == shown


@pytest.mark.parametrize("block", blocks("python"))
def test_python_examples_run(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block, "README.md", "exec"), {})
    assert "PROVED" in capsys.readouterr().out


def test_the_spec_shown_is_a_spec(tmp_path: Path) -> None:
    (block,) = blocks("toml")
    file = tmp_path / "shown.toml"
    file.write_text(block)
    spec = read_spec(file)
    assert (spec.domain.features, spec.domain.max_active, len(spec.formulas)) == (8, 3, 28)


def test_the_first_two_commands_do_their_own_set_up() -> None:
    first, second, *_ = blocks("sh")
    assert first.startswith("python3 -m venv")
    assert "supercheck verify --spec specs/" in first
    assert second.startswith("python3 -m venv")
    assert "pytest" in second
    assert len(first.splitlines()) == len(second.splitlines()) == 1


@pytest.mark.parametrize("verb", ["verify", "gate", "explore", "check", "prune", "build"])
def test_every_option_is_in_the_readme(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([verb, "--help"]) == 0
    options = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help", "--max-active"}
    assert options
    assert all(option in TEXT for option in options)


def test_every_construction_is_in_the_readme() -> None:
    table = TEXT.split("## Build networks", 1)[1].split("| --- ", 1)[1].split("\n\n", 1)[0]
    assert set(re.findall(r"^\| `([a-z-]+)`", table, flags=re.MULTILINE)) == set(CONSTRUCTIONS)


def lines_of(names: list[str]) -> int:
    """Lines of files, and of all files in folders, of the package."""
    places = [ROOT / "supercheck" / name for name in names]
    files = [file for place in places for file in (place.rglob("*.py") if place.is_dir() else [place])]
    return sum(len(file.read_text().splitlines()) for file in files)


def test_what_has_to_be_trusted_is_counted_right() -> None:
    table = TEXT.split("## Security", 1)[1].split("\n\n")[1].splitlines()[2:]
    assert len(table) == 5
    for row in table:
        _, _, files, lines, _ = row.split("|")
        counted, said = lines_of(re.findall(r"`([a-z0-9_]+(?:\.py|/))`", files)), int(lines.replace(",", ""))
        assert abs(counted - said) <= said // 20, (counted, row)


def test_it_names_no_place_of_a_machine() -> None:
    assert not re.findall(r"(?<![\w.:/-])/(?:tmp|home|work|root|Users)/", TEXT)


def test_links_lead_somewhere() -> None:
    local = [target for target in re.findall(r"\]\(([^)]+)\)", TEXT) if "://" not in target]
    assert local
    assert all((ROOT / target).exists() for target in local)
