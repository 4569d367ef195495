"""The house keeps its shape: packages import one way, heavy libraries are lazy, every room has its README."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import supercheck

HOUSE = Path(supercheck.__file__).parent
FILES = sorted(HOUSE.rglob("*.py"))
SOURCES = (".py", ".c", ".h")
PACKAGES = sorted({file.parent for file in FILES} - {HOUSE})

ORDER = (
    "base", "network", "spec", "claims", "checker", "decide", "certificate", "analysis", "construct", "report", "api",
    "ci", "cli", "",
)  # fmt: skip
"""The packages from the ground up; "" is the root with its doors. Each imports only from itself and those before."""

AT_THE_ROOT = {"__init__.py", "__main__.py", "testing.py", "py.typed", "README.md"}

LAYERS, PLACES = 12, 20  # so many at most below the root

LONG = {"checker/proving.py": 450}  # the part of the checker to believe, in one file

HEAVY = (
    "numpy", "z3", "onnx", "safetensors", "pydantic", "rich.progress", "rich.table", "networkx", "matplotlib",
    "jinja2", "selenium", "dask", "distributed",
)  # fmt: skip


def module_of(file: Path) -> str:
    parts = list(file.relative_to(HOUSE.parent).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(file): file for file in FILES}


def package(module: str) -> str:
    """The package of a module, as `ORDER` names it."""
    part = ".".join(module.split(".")[1:2])
    return "" if part in ("testing", "__main__") else part


@cache
def imports(file: Path) -> frozenset[str]:
    """Every module that a file imports: lazily or not, for type checkers alone or not."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            parts = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (parts & MODULES.keys()) | ({node.module} if parts - MODULES.keys() else set())
    return frozenset(found)


def ours(file: Path) -> set[str]:
    return {name for name in imports(file) if name.split(".")[0] == "supercheck"}


def users(library: str) -> set[str]:
    return {module_of(file) for file in FILES if library in {name.split(".")[0] for name in imports(file)}}


def test_every_package_has_its_place_in_the_order() -> None:
    assert {package(name) for name in MODULES} == set(ORDER)


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_imports_run_down(file: Path) -> None:
    own = ORDER.index(package(module_of(file)))
    assert not {name for name in ours(file) if ORDER.index(package(name)) > own}


def test_the_checker_stands_alone_and_is_short() -> None:
    checker = [file for name, file in MODULES.items() if package(name) == "checker"]
    imported = {name.split(".")[0] for file in checker for name in imports(file)}
    assert {file.name for file in checker} == {"__init__.py", "__main__.py", "proving.py", "reading.py"}
    assert imported <= sys.stdlib_module_names | {"proving", "reading"}  # relative ones
    assert sum(len(file.read_text().splitlines()) for file in checker) <= 1200


def test_modules_import_each_other_in_no_circle() -> None:
    graph = {name: {n for n in imports(file) if n in MODULES and n != name} for name, file in MODULES.items()}
    while ready := [name for name, seen in graph.items() if not seen & graph.keys()]:
        for name in ready:
            del graph[name]
    assert not graph, f"a circle among {sorted(graph)}"


def test_the_root_holds_packages_and_four_files() -> None:
    there = {path.name for path in HOUSE.iterdir() if path.name != "__pycache__"}
    packages = {path.name for path in HOUSE.iterdir() if (path / "__init__.py").is_file()}
    assert there - packages == AT_THE_ROOT
    assert len(packages) <= PLACES


def test_the_house_has_few_layers() -> None:
    """The longest way down through the packages."""
    below: dict[str, set[str]] = {name: set() for name in ORDER}
    for file in FILES:
        below[package(module_of(file))] |= {package(name) for name in ours(file)}

    @cache
    def height(name: str) -> int:
        return 1 + max((height(other) for other in below[name] - {name}), default=0)

    assert max(height(name) for name in ORDER if name) <= LAYERS


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: folder.relative_to(HOUSE).as_posix())
def test_the_face_of_a_package_is_thin(folder: Path) -> None:
    """The real work is in files with names."""
    tree = ast.parse((folder / "__init__.py").read_text())
    assert ast.get_docstring(tree)
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: folder.relative_to(HOUSE).as_posix())
def test_every_file_of_a_package_is_named_in_a_readme(folder: Path) -> None:
    room = next(place for place in (folder, *folder.parents) if (place / "README.md").is_file())
    assert room != HOUSE, "a package has a README of its own, or its parent's covers it"
    text = (room / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    files = {file.name for suffix in SOURCES for file in folder.glob(f"*{suffix}")} - {"__init__.py"}
    assert not {name for name in files if name not in text}


def test_the_map_names_every_package() -> None:
    text = (HOUSE / "README.md").read_text()
    assert not {name for name in ORDER if name and f"{name}/" not in text}


def test_only_two_files_import_z3() -> None:
    assert users("z3") == {"supercheck.decide.encode", "supercheck.decide.smt"}


def test_dask_is_in_one_file() -> None:
    assert users("dask") | users("distributed") == {"supercheck.decide.workers.dask"}


def test_networkx_is_where_people_look_at_wiring() -> None:
    assert {package(name) for name in users("networkx")} <= {"analysis", "construct"}


def test_torch_is_never_imported() -> None:
    assert not users("torch")


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_files_stay_readable(file: Path) -> None:
    text = file.read_text()
    assert len(text.splitlines()) <= LONG.get(file.relative_to(HOUSE).as_posix(), 350)
    assert ast.get_docstring(ast.parse(text)), "a module says what it does"


@pytest.mark.parametrize("file", sorted(HOUSE.rglob("*.[ch]")), ids=lambda file: file.name)
def test_c_stays_readable(file: Path) -> None:
    lines = file.read_text().splitlines()
    assert lines[0].startswith("/* "), "a file says what it does"
    assert len(lines) <= 350
    assert max(map(len, lines)) <= 120


def loaded_by(code: str) -> set[str]:
    """The heavy modules that a fresh interpreter has loaded after running some code."""
    probe = f"import sys\n{code}\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_supercheck_costs_next_to_nothing() -> None:
    assert loaded_by("import supercheck") == set()


def test_help_imports_nothing_heavy() -> None:
    assert loaded_by("from supercheck.cli.app import main; main(['--help'])") <= {"pydantic", "rich.table"}


def test_enumeration_does_not_import_z3() -> None:
    spec = HOUSE.parent / "specs" / "proved" / "trained_and8.toml"
    code = f"from supercheck.cli.app import main; main(['verify', '--spec', {str(spec)!r}])"
    assert "z3" not in loaded_by(code)


@pytest.mark.parametrize("executor", ["processes", "in-process"])
def test_without_dask_nothing_of_it_is_imported(executor: str) -> None:
    spec = HOUSE.parent / "specs" / "proved" / "trained_and8.toml"
    words = ["verify", "--spec", str(spec), "--executor", executor, "--no-cache"]
    assert not loaded_by(f"from supercheck.cli.app import main; main({words!r})") & {"dask", "distributed"}


def test_every_public_name_can_be_imported() -> None:
    for name in supercheck.__all__:
        assert getattr(supercheck, name) is not None
    with pytest.raises(AttributeError):
        _ = supercheck.no_such_name  # type: ignore[attr-defined]
