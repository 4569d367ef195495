"""The documents stay true: their commands, examples and outputs are run."""

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
FRONT, MAP = ROOT / "README.md", ROOT / "supercheck" / "README.md"
DOCUMENTS = [FRONT, ROOT / ".github" / "CONTRIBUTING.md", *sorted((ROOT / "supercheck").rglob("README.md"))]
TEXTS = {file: file.read_text() for file in DOCUMENTS}
EVERYTHING = "\n".join(TEXTS.values())


def blocks(language: str, text: str = EVERYTHING) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def _beside_a_copy_of_the_specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an example writes is no part of the checkout."""
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("block", blocks("console"))
def test_a_session_prints_what_is_shown(block: str, capsys: pytest.CaptureFixture[str]) -> None:
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
    (block,) = blocks("toml", TEXTS[FRONT])
    file = tmp_path / "shown.toml"
    file.write_text(block)
    spec = read_spec(file)
    assert (spec.domain.features, spec.domain.max_active, len(spec.formulas)) == (8, 3, 28)


def test_the_first_two_commands_do_their_own_set_up() -> None:
    first, second, *_ = blocks("sh", TEXTS[FRONT])
    assert first.startswith("python3 -m venv")
    assert "supercheck verify --spec specs/" in first
    assert second.startswith("python3 -m venv")
    assert "pytest" in second
    assert len(first.splitlines()) == len(second.splitlines()) == 1


def test_the_front_page_is_short() -> None:
    assert len(TEXTS[FRONT].splitlines()) <= 250


@pytest.mark.parametrize("verb", ["verify", "gate", "explore", "check", "prune", "build"])
def test_every_option_is_in_a_document(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([verb, "--help"]) == 0
    options = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help", "--max-active"}
    assert options
    assert not {option for option in options if option not in EVERYTHING}


def test_every_construction_is_in_a_document() -> None:
    text = TEXTS[ROOT / "supercheck" / "construct" / "README.md"]
    table = text.split("| --- | --- | --- | --- |\n", 1)[1].split("\n\n", 1)[0]
    assert set(re.findall(r"^\| `([a-z-]+)`", table, flags=re.MULTILINE)) == set(CONSTRUCTIONS)


def lines_of(names: list[str]) -> int:
    """Lines of files, and of all files in folders, of the package."""
    places = [ROOT / "supercheck" / name for name in names]
    files = [file for place in places for file in (place.rglob("*.*") if place.is_dir() else [place])]
    files = [file for file in files if file.suffix in (".py", ".c", ".h")]
    return sum(len(file.read_text().splitlines()) for file in files)


def test_what_has_to_be_trusted_is_counted_right() -> None:
    table = re.search(r"^\| a verdict .*\n\| ---.*\n((?:\|.*\n)+)", TEXTS[MAP], flags=re.MULTILINE)
    assert table is not None
    rows = table[1].splitlines()
    assert len(rows) == 5
    for row in rows:
        _, _, files, lines, _ = row.split("|")
        counted, said = lines_of(re.findall(r"`([a-z0-9_/]+(?:\.py|/))`", files)), int(lines.replace(",", ""))
        assert abs(counted - said) <= said // 20, (counted, row)


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_a_document_names_no_place_of_a_machine(file: Path) -> None:
    assert not re.findall(r"(?<![\w.:/-])/(?:tmp|home|work|root|Users)/", TEXTS[file])


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(file: Path) -> None:
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", TEXTS[file]) if "://" not in target]
    assert not {target for target in targets if target and not (file.parent / target).exists()}


def test_the_grammar_of_a_certificate_is_the_checkers() -> None:
    """The tokens of a proof tree in the document are those that the checker knows."""
    (grammar,) = blocks("grammar", TEXTS[ROOT / "supercheck" / "certificate" / "README.md"])
    told = set(re.findall(r'^ *(?:tree|side|leaf)\w* +:= +"([^"]+)"', grammar, flags=re.MULTILINE))
    source = (ROOT / "supercheck" / "checker" / "proving.py").read_text()
    known = set(re.findall(r'"([.a-z]{1,2})"', source.split("def tree(", 1)[1].split("def close(")[0]))
    assert told == known, (sorted(told), sorted(known))


def test_no_docstring_cites_a_document_that_is_not_there() -> None:
    cited = re.compile(r"[A-Z][A-Z0-9_]+\.md|the design\b")
    files = [*(ROOT / "supercheck").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    wrong = {
        f"{file.relative_to(ROOT)}: {name}"
        for file in files
        if file != Path(__file__)
        for name in cited.findall(file.read_text())
        if name not in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
    }
    assert not wrong
