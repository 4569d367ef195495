"""The library of compiled loops: how it is built, found and refused; that C and Python agree on every struct."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import supercheck
from supercheck.base.errors import FaultError, InputError
from supercheck.construct.repair import kernels as repair
from supercheck.decide.kernels import arrays, build, library, outputs, proof_tree, slots
from supercheck.decide.kernels.library import Struct, pointer

HOUSE = Path(supercheck.__file__).parent
STRUCTS = {
    "kernels.h": {"Flat": arrays.NETWORK, "Cases": arrays.CASES, "Scratch": arrays.SCRATCH},
    "outputs.c": {"Chunk": outputs.CHUNK},
    "slots.h": {"Slots": slots.SLOTS, "Memory": slots.MEMORY, "Asked": slots.ASKED},
    "proof_tree.c": {"Growth": proof_tree.GROWTH},
    "repair.h": {"Open": repair.OPEN},
    "common.c": {"Common": repair.COMMON},
    "apart.c": {"Apart": repair.APART},
}
KINDS = {
    "double": "float64", "int8_t": "int8", "int16_t": "int16", "int32_t": "int32", "int64_t": "int64",
    "uint8_t": "uint8", "uint32_t": "uint32", "uint64_t": "uint64",
}  # fmt: skip


def fields(file: str, name: str) -> list[tuple[str, str | None, bool]]:
    """The fields of a struct in C: name, what it points to or None for a number, whether it may be written."""
    [path] = HOUSE.rglob(file)
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    found: list[tuple[str, str | None, bool]] = []
    body = re.search(rf"typedef struct \{{([^}}]*)\}} {name};", text)
    assert body is not None
    for line in filter(None, (part.strip() for part in body[1].split(";"))):
        constant, kind, names = re.fullmatch(r"(const )?(?:volatile )?(\w+) (.*)", line, flags=re.S).groups()  # type: ignore[union-attr]
        for one in (part.strip() for part in names.split(",")):
            found.append((one.lstrip("*"), KINDS[kind] if one.startswith("*") else None, not constant))
    return found


@pytest.mark.parametrize(("file", "name"), [(file, name) for file, held in STRUCTS.items() for name in held])
def test_a_struct_is_the_same_in_c_and_in_python(file: str, name: str) -> None:
    struct = STRUCTS[file][name]
    ours = [(field, None if kind is None else str(kind)) for field, kind in struct._dtypes.items()]
    numbers = [field for field, kind in struct._type._fields_ if field not in struct._dtypes]
    theirs = fields(file, name)
    bytes_ = {"bool": "uint8"}
    assert [(field, kind and bytes_.get(kind, kind)) for field, kind in ours] + [(n, None) for n in numbers] == [
        (field, kind) for field, kind, _ in theirs
    ]
    assert struct._written == {field for field, kind, written in theirs if kind and written}
    assert ctypes.sizeof(struct._type) == 8 * len(theirs)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros(4, dtype=np.int32),
        np.zeros(4, dtype=">i8"),
        np.zeros(8, dtype=np.int64)[::2],
        np.zeros((2, 2), dtype=np.int64, order="F").T[:, :1],
        np.broadcast_to(np.int64(0), 4),
        np.frombuffer(b"\0" * 33, dtype=np.int8)[1:].view(np.int64),
        np.zeros(4, dtype=object),
        np.zeros(3, dtype=np.int64),
        [0, 0, 0, 0],
        None,
    ],
    ids=["narrow", "swapped", "gaps", "columns", "repeated", "crooked", "objects", "short", "list", "none"],
)
def test_what_c_cannot_write_four_numbers_into_is_refused(wrong: object) -> None:
    with pytest.raises(FaultError, match="the compiled loops take"):
        pointer(wrong, np.int64, 4, written=True)  # type: ignore[arg-type]


def test_what_is_only_read_may_be_read_only() -> None:
    array = np.arange(4)
    array.flags.writeable = False
    assert pointer(array, np.int64, 4) == array.ctypes.data
    with pytest.raises(FaultError):
        pointer(array, np.int64, 4, written=True)


def test_a_refused_field_is_named() -> None:
    struct = Struct(repair.Open, written=repair.Open._fields)
    good = [np.zeros(2, dtype=np.int64) for _ in range(4)]
    assert ctypes.sizeof(struct.of(tuple(good))) == 32
    with pytest.raises(FaultError, match=r"Open\.rows: "):
        struct.of((good[0], good[1].astype(np.int8), *good[2:]))


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder in which the library is looked for, empty."""
    monkeypatch.setattr(library, "HERE", tmp_path)
    library.library.cache_clear()
    yield tmp_path
    library.library.cache_clear()


def refusal() -> str:
    with pytest.raises(InputError) as error:
        library.library()
    return str(error.value)


def test_a_missing_library_is_told_in_one_line_with_what_to_do(elsewhere: Path) -> None:
    told = refusal()
    assert f"{elsewhere / build.LIBRARY}: expected the compiled loops" in told
    assert "got no such file; build it with `pip install -e .`" in told
    assert "\n" not in told


def test_a_library_that_is_none_is_told(elsewhere: Path) -> None:
    (elsewhere / build.LIBRARY).write_bytes(b"\x7fELF, but not for long")
    assert "expected the compiled loops" in refusal()


def test_a_library_of_other_sources_is_refused(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(build.HERE / build.LIBRARY, elsewhere)
    assert library.library() is not None
    library.library.cache_clear()
    monkeypatch.setattr(library, "digest", lambda files: build.digest(files) ^ 1)
    assert "got those of other sources" in refusal()


def test_the_digest_changes_with_every_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in build.sources():
        (tmp_path / file.relative_to(HOUSE)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, tmp_path / file.relative_to(HOUSE))
    monkeypatch.setattr(build, "PACKAGE", tmp_path)
    known = {build.digest(build.sources())}
    assert len(build.sources()) > 8
    for file in build.sources():
        with file.open("a") as stream:
            stream.write("\n")
        known.add(build.digest(build.sources()))
    assert len(known) == len(build.sources()) + 1


def compiler() -> list[str]:
    """A C compiler, if this machine has one."""
    if importlib.util.find_spec("ziglang"):
        return list(build.ZIG)
    return [found] if (found := shutil.which("gcc") or shutil.which("clang")) else []


@pytest.mark.skipif(not compiler(), reason="no C compiler here")
def test_any_compiler_makes_a_library_that_says_the_same(tmp_path: Path) -> None:
    made = build.build(tmp_path, compiler())
    assert [file.name for file in tmp_path.iterdir()] == [build.LIBRARY]
    found = ctypes.CDLL(str(made))
    found.sc_sources.restype = ctypes.c_uint64
    assert found.sc_sources() == build.digest(build.sources()) == library.library().sc_sources()


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("nm"), reason="needs nm")
def test_the_library_calls_nothing_outside_itself() -> None:
    listed = subprocess.run(["nm", "-D", build.HERE / build.LIBRARY], capture_output=True, text=True, check=True).stdout
    names = [line.split()[-2:] for line in listed.splitlines()]
    assert [name for kind, name in names if kind == "U"] == []
    assert {name for kind, name in names if kind == "T"} >= {"sc_answer", "sc_grow_tree", "sc_mend_common"}
    assert all(name.startswith("sc_") for kind, name in names if kind == "T")


@pytest.mark.slow
def test_a_wheel_holds_the_library_and_leaves_the_sources_as_they_were(tmp_path: Path) -> None:
    """From the source distribution, as whoever installs from an index builds it; needs an index."""
    root = HOUSE.parent
    copy = tmp_path / "copy"
    skipped = shutil.ignore_patterns(".venv", ".git", "__pycache__", "_kernels.*", ".*_cache", ".hypothesis")
    shutil.copytree(root, copy, ignore=skipped)
    before = sorted(copy.rglob("*"))
    environment = {**os.environ, "PYTHONPATH": ""}
    words = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(tmp_path / "made"),
        str(copy),
    ]
    subprocess.run(words, check=True, env=environment, capture_output=True)
    assert sorted(copy.rglob("*")) == before
    [wheel] = (tmp_path / "made").iterdir()
    assert "-py3-none-" in wheel.name
    assert not wheel.name.endswith("-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert f"supercheck/decide/kernels/{build.LIBRARY}" in names
