"""What is no regular file, or has an odd name: read, or refused at once with one printable line."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from writers import refused, written

from supercheck.base.errors import InputError
from supercheck.network.formats.load import load
from supercheck.network.formats.table import FORMATS
from supercheck.spec.domain import KSparse
from supercheck.spec.read import read_spec
from supercheck.spec.table import read_table

ODD = [
    "a b.json",
    "é.json",
    "\udcff.json",
    "-k.json",
    "a\nb.json",
    "a'\"$(b).json",
    "\u202e.json",
    "a.b.c.JSON",
    ".json.json",
]


@pytest.mark.parametrize("name", ODD)
def test_a_file_with_an_odd_name_is_read_and_named_in_one_printable_line(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name, '{"0.weight": [[1, 2]]}')
    assert load(path).run([1, 1]) == (3,)
    with pytest.raises(InputError, match=":1: expected JSON") as refusal:
        load(written(path, "{"))
    assert str(refusal.value).isprintable()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def bound(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))  # a socket's path must be short


def circle(path: Path) -> None:
    path.symlink_to(path.name)


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


SPECIAL = [pipe, device, bound, circle, dangling, os.mkdir]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("special", SPECIAL, ids=lambda make: make.__name__)
def test_what_is_no_regular_file_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, special: Any, suffix: str
) -> None:
    monkeypatch.chdir(tmp_path)
    special(tmp_path / f"a{suffix}")
    assert refused(tmp_path / f"a{suffix}").startswith(
        (": expected a network file, got ", ": expected a readable file")
    )


@pytest.mark.parametrize("special", SPECIAL, ids=lambda make: make.__name__)
def test_a_spec_or_table_that_is_no_regular_file_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, special: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    special(tmp_path / "a")
    for read in (read_spec, lambda path: read_table(path, KSparse(2, 1))):
        with pytest.raises(InputError) as refusal:
            read(tmp_path / "a")
        assert str(refusal.value).isprintable()
