"""The lone checker's readers beside supercheck's own, which share no code: they read the same, or refuse."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest
from attacking import Question, random_question, write_network, write_spec
from safetensors.numpy import save_file

from supercheck import checker
from supercheck.base.errors import InputError
from supercheck.base.matrix import Array
from supercheck.checker import reading
from supercheck.claims.claims import claims_digest, pose
from supercheck.network.formats.load import load
from supercheck.spec.read import read_spec

SEEDS = range(300 * (20 if os.environ.get("SUPERCHECK_EXAMPLES") == "nightly" else 1))
DTYPES = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]
Digests = tuple[str, str]


def typed_network(draw: random.Random, question: Question, folder: Path) -> Path:
    """A file as NumPy or safetensors write it, every tensor in some type that holds its numbers."""
    arrays: dict[str, Array] = {}
    for at, (weight, bias, _) in enumerate(question.stored):
        for name, part in (("weight", weight), ("bias", bias)):
            exact = np.array(part, dtype=object)
            fits = [kind for kind in DTYPES if _same(exact, kind)]
            if not fits:
                return write_network(draw, question, folder)
            arrays[f"{2 * at}.{name}"] = exact.astype(draw.choice(fits))
    if draw.random() < 0.5:
        save_file(arrays, folder / "network.safetensors")
        return folder / "network.safetensors"
    save = draw.choice([np.savez, np.savez_compressed])
    save(folder / "network.npz", **arrays)  # type: ignore[arg-type]
    return folder / "network.npz"


def _same(exact: Array, kind: str) -> bool:
    if kind[0] in "ui" and not all(np.iinfo(kind).min <= n <= np.iinfo(kind).max for n in exact.flat):
        return False
    with np.errstate(over="ignore"):
        return bool((exact.astype(float).astype(kind).astype(float) == exact).all())


def theirs(network: Path, spec: Path) -> Digests | None:
    """What the checker reads."""
    try:
        own, claims = checker.question(str(network), str(spec), None)
    except checker.CheckError:
        return None
    return own.digest, claims.digest


def ours(network: Path, spec: Path) -> Digests | None:
    """What supercheck reads."""
    try:
        claims = pose(load(network), read_spec(spec))
    except InputError:
        return None
    return claims.network.digest, claims_digest(claims)


def drawn(seed: int, folder: Path) -> tuple[random.Random, Path, Path]:
    """A random question in files."""
    draw = random.Random(seed)
    question = random_question(draw)
    write = draw.choice([write_network, typed_network])
    return draw, write(draw, question, folder), write_spec(question, folder)


def test_both_read_the_same_of_every_format(tmp_path: Path) -> None:
    kinds = set[str]()
    for seed in SEEDS:
        _, network, spec = drawn(seed, tmp_path)
        found = ours(network, spec)
        assert found is not None, seed
        assert theirs(network, spec) == found, seed
        kinds.add(network.suffix)
    assert kinds == {".json", ".npz", ".safetensors"}


SIGNS = [b"0", b"1", b"x", b"_", b"-", b".", b",", b"(", b" ", b"e"]


@pytest.mark.parametrize("part", ["network", "spec"])
def test_of_a_damaged_file_both_read_the_same_or_the_checker_refuses(part: str, tmp_path: Path) -> None:
    """What the checker refuses and supercheck reads is written in core form beside the certificate."""
    read = 0
    for seed in SEEDS:
        draw, network, spec = drawn(seed, tmp_path)
        file = network if part == "network" else spec
        content = bytearray(file.read_bytes())
        begin = 0 if part == "network" else content.index(b"over" if b"over" in content else b"formulas")
        at = draw.randrange(begin, len(content))
        if file.suffix in (".json", ".toml"):
            content[at : at + draw.randrange(2)] = draw.choice(SIGNS)
        else:
            content[at] ^= 1 << draw.randrange(8)
        file.write_bytes(content)
        found = theirs(network, spec)
        if found is not None:
            assert found == ours(network, spec), seed
            read += 1
    assert read > len(SEEDS) // 30


@pytest.mark.parametrize("dtype", ["f64", "F65", "F64 ", "B8", "BF16", "I128"])
def test_a_dtype_that_is_none_is_unreadable(dtype: str, tmp_path: Path) -> None:
    """Regression: `f64` and `F65` were read as F64."""
    save_file({"0.weight": np.ones((1, 4))}, tmp_path / "network.safetensors")
    content = (tmp_path / "network.safetensors").read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = content[8 : 8 + size].replace(b'"F64"', f'"{dtype}"'.encode())
    (tmp_path / "network.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + content[8 + size :])
    with pytest.raises(checker.CheckError):
        reading.read_network(str(tmp_path / "network.safetensors"), [])


@pytest.mark.parametrize("relu", ["1", "0", '"true"'])
def test_the_checker_reads_no_relu_that_is_neither_true_nor_false(relu: str, tmp_path: Path) -> None:
    (tmp_path / "n.json").write_text('{"W": [[1]], "b": [0]}')
    spec = tmp_path / "s.toml"
    spec.write_text(
        f'[network]\nlayers = [{{weight = "W", bias = "b", relu = {relu}}}]\n[domain]\nfeatures = 1\nmax_active = 1\n'
        '[outputs]\nformulas = ["x0"]\n[readout]\nmode = "equality"\n'
    )
    with pytest.raises(checker.CheckError):
        checker.question(str(tmp_path / "n.json"), str(spec), None)
