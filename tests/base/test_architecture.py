"""The house keeps its shape: imports run one way, heavy ones are lazy, z3 is in two files."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import supercheck

HOUSE = Path(supercheck.__file__).parent
FILES = sorted(HOUSE.rglob("*.py"))

LEVELS = [
    {"errors", "numerals", "boolean", "satisfying", "syntax", "shapes", "expressions", "files", "reading", "singles"},
    {"database", "faces", "sealing", "system"},
    {"given", "exact", "products", "layers", "network", "evaluation", "domain"},
    {"formats", "toml", "truth", "spec", "wiring"},
    {"claims"},
    {"evidence", "results", "replaying", "posing", "judgement", "wording"},
    {"decide"},
    {"certificate", "checker", "handing", "float32"},
    {"floors", "counting", "interference", "findings", "exploration", "construct"},
    {"report"},
    {
        "verifying",
        "auditing",
        "building",
        "build_cli",
        "exploring",
        "confirming",
        "gating",
        "starting",
        "options",
        "reproducing",
        "progress",
        "streams",
        "audit_cli",
        "check_cli",
        "gate_cli",
        "init_cli",
        "testing",
        "pytest_plugin",
        "pruning",
        "prune_cli",
        "explore_cli",
        "cli",
        "__main__",
        "",
    },
]
"""From the ground up. A room imports from levels below, or within its own level without a circle."""

HEAVY = (
    "numpy", "numba", "z3", "onnx", "safetensors", "pydantic", "rich.progress", "rich.table", "networkx", "matplotlib",
    "jinja2", "selenium", "dask", "distributed",
)  # fmt: skip


def room(module: str) -> str:
    """The first part of a module's name below the package; empty for the package itself."""
    return ".".join(module.split(".")[1:2])


def module_of(file: Path) -> str:
    parts = list(file.relative_to(HOUSE.parent).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(file: Path) -> set[str]:
    """Every module that a file imports, lazily or not; not those for type checkers alone."""
    tree = ast.parse(file.read_text())
    guarded = {
        id(node)
        for test in ast.walk(tree)
        if isinstance(test, ast.If) and ast.unparse(test.test) == "TYPE_CHECKING"
        for part in test.body
        for node in ast.walk(part)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in guarded:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def level(name: str) -> int:
    return next(i for i, rooms in enumerate(LEVELS) if name in rooms)


def test_the_checker_can_be_run_as_a_file() -> None:
    """Python puts its folder first on the path: a module called like one of the standard library would hide that."""
    assert not {file.stem for file in HOUSE.glob("*.py")} & (sys.stdlib_module_names - {"__init__", "__main__"})


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_imports_run_down(file: Path) -> None:
    own = room(module_of(file))
    ours = {name for name in imports(file) if name.split(".")[0] == "supercheck"} - {"supercheck"}
    above = {name for name in ours if level(room(name)) > level(own)}
    assert not above


def test_modules_import_each_other_in_no_circle() -> None:
    graph = {module_of(file): {n for n in imports(file) if n.startswith("supercheck.")} for file in FILES}
    graph = {name: {n for n in seen if n in graph and n != name} for name, seen in graph.items()}
    while ready := [name for name, seen in graph.items() if not seen & graph.keys()]:
        for name in ready:
            del graph[name]
    assert not graph, f"a circle among {sorted(graph)}"


def test_only_two_files_import_z3() -> None:
    users = {module_of(file) for file in FILES if any(name.split(".")[0] == "z3" for name in imports(file))}
    assert users == {"supercheck.decide.encode", "supercheck.decide.smt"}


def test_dask_is_in_one_file() -> None:
    dask = {"dask", "distributed"}
    users = {module_of(file) for file in FILES if {name.split(".")[0] for name in imports(file)} & dask}
    assert users == {"supercheck.decide.workers.dask"}


def test_networkx_is_where_people_look_at_wiring() -> None:
    users = {module_of(file) for file in FILES if any(name.split(".")[0] == "networkx" for name in imports(file))}
    assert users == {"supercheck.analysis.costs.wiring", "supercheck.analysis.costs.floors.networks"}


def test_torch_is_never_imported() -> None:
    assert not [file for file in FILES if any(name.split(".")[0] == "torch" for name in imports(file))]


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_files_stay_readable(file: Path) -> None:
    text = file.read_text()
    alone = module_of(file) == "supercheck.checker"  # one file on purpose, so that it can be read and run by itself
    assert len(text.splitlines()) <= (650 if alone else 350)
    assert ast.get_docstring(ast.parse(text)), "a module says what it does"


def loaded_by(code: str) -> set[str]:
    """The heavy modules that a fresh interpreter has loaded after running some code."""
    probe = f"import sys\n{code}\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_supercheck_costs_next_to_nothing() -> None:
    assert loaded_by("import supercheck") == set()


def test_help_imports_nothing_heavy() -> None:
    assert loaded_by("from supercheck.cli.app import main; main(['--help'])") <= {"pydantic", "rich.table"}


def test_enumeration_does_not_import_z3(tmp_path: Path) -> None:
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
