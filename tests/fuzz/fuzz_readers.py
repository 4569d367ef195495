"""Coverage-guided fuzzing of every reader of foreign bytes: anything but an answer or an `InputError` is a crash.

    pip install 'atheris>=2.3,<4'
    python tests/fuzz/fuzz_readers.py npz CORPUS -max_total_time=600 -timeout=20 -rss_limit_mb=2000

The first word is one of `READERS` below; the rest is libFuzzer's. An empty corpus is filled with the small files of
`specs` and `tests/data`.
What crashes goes, as small as it can be made, to `tests/data/crashes/READER`, which the ordinary tests read again.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).resolve().parents[1]
SPECS = TESTS.parent / "specs"
FORMULAS = (b"atleast(2, x0 & ~x1, x2 ^ x3) | 1", b"x0 ^ (x1 | ~x2)")
LARGEST_SEED = 1 << 14  # bytes


class Reader(NamedTuple):
    """What its files are called, which files to begin with, and the call."""

    suffix: str
    seeds: str
    read: Callable[[Path], object]


def seeds(reader: str) -> list[bytes]:
    """Good files of a reader, small enough to change at random."""
    if reader == "formula":
        return list(FORMULAS)
    folders = (SPECS, TESTS / "data" / "onnx", TESTS / "data" / "crashes" / reader)
    files = [file for folder in folders for file in sorted(folder.rglob(READERS[reader].seeds))]
    return [file.read_bytes() for file in files if file.is_file() and file.stat().st_size < LARGEST_SEED]


def target(reader: str) -> Callable[[bytes], None]:
    """A call of a reader on some bytes; raises whatever is not an `InputError` of one line."""
    suffix, _, read = READERS[reader]
    folder = Path(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
    path = folder / f"fuzzed{suffix}"
    atexit.register(shutil.rmtree, folder, ignore_errors=True)

    def call(data: bytes) -> None:
        from supercheck.base.errors import InputError

        path.write_bytes(data)
        try:
            read(path)
        except InputError as error:
            told = str(error)
            assert "\n" not in told, told
            assert len(told) < 2000, told

    return call


def _load(path: Path) -> object:
    from supercheck.network.formats.load import load

    return load(path).digest


def _spec(path: Path) -> object:
    from supercheck.spec.read import read_spec

    return read_spec(path)


def _table(path: Path) -> object:
    from supercheck.spec.domain import KSparse
    from supercheck.spec.table import read_table

    return read_table(path, KSparse(8, 3))


def _formula(path: Path) -> object:
    from supercheck.spec.syntax import parse

    return parse(path.read_bytes().decode("utf-8", "replace"))


def _checker(path: Path) -> object:
    """The lone checker's readers of networks and questions: what it refuses, it refuses with its own error."""
    from supercheck.checker import __main__ as checker

    other = SPECS / "proved" / "channel_sixths"
    certificate = path.with_name("empty.cert")
    certificate.write_text("supercheck-certificate 1\n")
    suffix = {b"PK": ".npz", b"{": ".json"}.get(path.read_bytes()[:1], ".safetensors")
    network = path.with_name(f"network{'.npz' if path.read_bytes()[:2] == b'PK' else suffix}")
    network.write_bytes(path.read_bytes())
    checker.main([str(certificate), str(network), str(other.with_suffix(".toml"))])
    checker.main([str(certificate), str(other.with_suffix(".json")), str(path)])
    return checker.main([str(path), str(other.with_suffix(".json")), str(other.with_suffix(".toml"))])


READERS = {
    "npz": Reader(".npz", "*.npz", _load),
    "safetensors": Reader(".safetensors", "*.safetensors", _load),
    "json": Reader(".json", "*.json", _load),
    "onnx": Reader(".onnx", "*.onnx", _load),
    "spec": Reader(".toml", "*.toml", _spec),
    "table": Reader(".csv", "*.csv", _table),
    "formula": Reader(".txt", "*.txt", _formula),
    "checker": Reader(".bytes", "*.*", _checker),
}


def main() -> None:
    """Fuzz one reader."""
    import atheris

    reader, corpus = sys.argv[1], Path(sys.argv[2])
    corpus.mkdir(parents=True, exist_ok=True)
    if not any(corpus.iterdir()):
        for number, seed in enumerate(seeds(reader)):
            (corpus / str(number)).write_bytes(seed)
    with atheris.instrument_imports(include=["supercheck", "safetensors", "onnx", "zipfile", "tomllib"]):
        import supercheck.checker
        import supercheck.network.formats.json
        import supercheck.network.formats.load
        import supercheck.network.formats.npz
        import supercheck.network.formats.onnx.read
        import supercheck.network.formats.safetensors
        import supercheck.spec.read  # noqa: F401
    zipfile.ZipExtFile._update_crc = lambda *_: None  # type: ignore[attr-defined]  # no mutant has the right checksum
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target(reader))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
