"""A spec that is written reads back as the same spec, whichever it is."""

from __future__ import annotations

import string
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from oracle import inputs
from strategies import formulas, meaning, readouts

from supercheck.base.errors import InputError
from supercheck.network.formats.tensors import LayerNames
from supercheck.spec.domain import KSparse
from supercheck.spec.expressions import evaluate_limit
from supercheck.spec.formula import AtLeast, Formula, Var, gate
from supercheck.spec.read import read_spec
from supercheck.spec.readout import Readout
from supercheck.spec.schema import AuditTable
from supercheck.spec.spec import Source, Spec
from supercheck.spec.syntax import LONGEST, text
from supercheck.spec.write import spec_text

words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
paths = st.none() | st.text(string.ascii_letters + string.digits + " \"\\'.#=[]\x7fü", min_size=1, max_size=9).map(Path)
said = st.sampled_from([None, "relu", "none"])
names = st.builds(LayerNames, words, st.none() | st.just(False) | words, st.booleans(), st.none() | st.booleans())
limits = st.integers(0, 10**40) | st.fractions(0) | st.sampled_from(["2 * m", "sqrt(outputs) * log2(m) + k"])


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    """Any spec that says its functions itself."""
    features = draw(st.integers(1, 5))
    functions = st.lists(formulas(features), min_size=1, max_size=5)
    tuples = st.lists(st.lists(st.integers(0, features - 1), min_size=1, unique=True), min_size=1, max_size=4)
    gates = st.builds(lambda name, parts: [gate(name, part) for part in parts], st.sampled_from(["and", "xor"]), tuples)
    return Spec(
        KSparse(features, draw(st.integers(0, features))),
        tuple(draw(functions | gates)),
        draw(readouts()),
        draw(st.builds(Source, paths, st.lists(names, max_size=3).map(tuple), paths, paths, said, said)),
        draw(st.sampled_from(["real", "float32"])),
        draw(st.dictionaries(st.sampled_from([*AuditTable.model_fields]), limits)),
        draw(st.sampled_from(["proved", "refuted"])),
    )


def same(mine: Formula, theirs: Formula, features: int) -> bool:
    """Whether two formulas are the same function; what is written may leave out an XOR of one part."""
    on = map(frozenset, inputs(features, features))
    return text(mine) == text(theirs) and all(meaning(mine)(active) == meaning(theirs)(active) for active in on)


@given(specs(), st.lists(st.text(max_size=20), max_size=2))
def test_a_spec_reads_back_as_the_same(tmp_path_factory: pytest.TempPathFactory, spec: Spec, notes: list[str]) -> None:
    file = tmp_path_factory.mktemp("s") / "s.toml"
    file.write_bytes(spec_text(spec, notes).encode())
    read = read_spec(file)
    files = {key: getattr(spec.source, key) for key in ("file", "encoder", "decoder")}
    found: dict[str, Any] = {key: None if path is None else file.parent / path for key, path in files.items()}
    assert read.source == replace(spec.source, **found)
    asked = ("domain", "readout", "arithmetic", "expect", "table")
    assert [getattr(read, key) for key in asked] == [getattr(spec, key) for key in asked]
    features = spec.domain.features
    assert all(same(*pair, features) for pair in zip(spec.formulas, read.formulas, strict=True))
    terms = {"m": features, "k": spec.domain.max_active, "outputs": len(spec.formulas)}
    assert [*read.audit] == [key for key in AuditTable.model_fields if key in spec.audit]
    assert all(evaluate_limit(read.audit[key], terms) == evaluate_limit(spec.audit[key], terms) for key in spec.audit)


@given(specs())
def test_what_was_read_is_written_as_it_was(tmp_path_factory: pytest.TempPathFactory, spec: Spec) -> None:
    file = tmp_path_factory.mktemp("s") / "s.toml"
    file.write_bytes(spec_text(replace(spec, source=Source(), audit={})).encode())
    assert spec_text(read_spec(file)).encode() == file.read_bytes()


def test_a_formula_that_no_spec_may_have_is_not_written() -> None:
    long = AtLeast(1, tuple(Var(0) for _ in range(LONGEST)))
    with pytest.raises(InputError, match="write a truth table"):
        spec_text(Spec(KSparse(1, 1), (long,), Readout("equality")))


@pytest.mark.parametrize("name", ["and", "or", "xor", "nand", "nor", "xnor", "majority", "copy"])
def test_gates_are_written_as_gates(name: str, tmp_path: Path) -> None:
    tuples = [(3,), (1,)] if name == "copy" else [(0, 1), (1, 2, 3)]
    plain = name in ("copy", "majority")  # the majority of two is their AND
    lists = [tuples] if plain else [tuples, list(combinations(range(4), 2))]
    for number, listed in enumerate(lists):
        file = tmp_path / f"{number}.toml"
        spec = Spec(KSparse(4, 2), tuple(gate(name, part) for part in listed), Readout("equality"))
        file.write_bytes(spec_text(spec).encode())
        assert f'gate = "{name}"' in file.read_text()
        assert ("all-pairs" in file.read_text()) == (number == 1)
        assert read_spec(file).formulas == spec.formulas


def test_limits_are_written(tmp_path: Path) -> None:
    """Regression: prune dropped them, so that a gate no longer looked."""
    limits: dict[str, int | Fraction | str] = {"max_neurons": 3, "max_edges": "3 * outputs", "max_bits": Fraction(5, 2)}
    spec = Spec(KSparse(2, 1), (gate("copy", (0,)),), Readout("equality"), audit=limits)
    file = tmp_path / "spec.toml"
    file.write_bytes(spec_text(spec).encode())
    terms = {"m": 2, "k": 1, "outputs": 1}
    values = {name: evaluate_limit(limit, terms) for name, limit in read_spec(file).audit.items()}
    assert values == {"max_neurons": 3, "max_edges": 3, "max_bits": Fraction(5, 2)}


def test_a_table_is_named_and_not_spelled_out(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x0,y0\n0,1\n1,0\n")
    file = tmp_path / "s.toml"
    stated = Spec(KSparse(2, 1), (gate("nand", (0,)),), Readout("equality"), table=Path("t.csv"))
    file.write_bytes(spec_text(stated).encode())
    read = read_spec(file)
    assert read.table == tmp_path / "t.csv"
    assert "formulas" not in file.read_text()
