"""Circuits and tables: whatever is asked for comes out exactly, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import pytest
from builds import proved, right
from hypothesis import given, strategies as st
from strategies import formulas, meaning

from supercheck.base.errors import InputError
from supercheck.construct.catalogue.circuit import circuit
from supercheck.construct.catalogue.table import table
from supercheck.construct.request import Built, Request
from supercheck.spec.formula import Formula, Not, Var, Xor, every
from supercheck.spec.syntax import parse


def values(built: Built, active: Sequence[int]) -> list[Fraction]:
    return list(built.whole.run([int(j in active) for j in range(built.spec.domain.features)]))


@given(st.lists(formulas(4), min_size=1, max_size=4), st.integers(0, 4))
def test_every_formula_becomes_a_circuit_that_is_exactly_0_or_1(functions: list[Formula], most: int) -> None:
    built = circuit(Request(most, features=4, formulas=functions))
    for active in (active for size in range(5) for active in combinations(range(4), size)):
        assert values(built, active) == [meaning(formula)(frozenset(active)) for formula in functions]
    assert proved(built, "enumerate")


def parts(inside: st.SearchStrategy[Formula]) -> st.SearchStrategy[tuple[Formula, ...]]:
    return st.lists(inside, min_size=2, max_size=3).map(tuple)


deep = st.recursive(
    st.integers(0, 4).map(Var),
    lambda inside: inside.map(Not) | parts(inside).map(Xor) | parts(inside).map(every),
    max_leaves=12,
)


@given(st.lists(deep, min_size=1, max_size=3))
def test_deep_circuits_are_exact_and_no_deeper_than_their_formulas(functions: list[Formula]) -> None:
    def depth(formula: Formula) -> int:
        if isinstance(formula, Var):
            return 0
        return depth(formula.inside) if isinstance(formula, Not) else 1 + max(map(depth, formula.inside))

    built = circuit(Request(5, features=5, formulas=functions))
    assert len(built.layers) - 1 <= max(map(depth, functions))
    for active in (active for size in range(6) for active in combinations(range(5), size)):
        assert values(built, active) == [meaning(formula)(frozenset(active)) for formula in functions]


@pytest.mark.parametrize(
    ("source", "neurons", "layers"),
    [
        (["x0 & x1"], 1, 1),
        (["x0 | x1 | x2", "~x0 & ~x1 & ~x2"], 1, 1),  # one is the other's negation
        (["atleast(2, x0, x1, x2)"], 2, 1),
        (["atleast(1, x0, x1, x2)", "atleast(2, x0, x1, x2)", "atleast(3, x0, x1, x2)"], 3, 1),
        (["x0 ^ x1", "~(x0 ^ x1)", "x0 ^ ~x1"], 2, 1),
        (["(x0 & x1) | x2"], 3, 2),  # x2 is passed on
        (["x3", "~x1", "1", "x0 & ~x0"], 0, 0),
        (["x0 & x1", "(x0 & x1) ^ x2"], 5, 2),  # the AND once, x2 and the AND passed on
    ],
)
def test_a_circuit_computes_nothing_twice(source: list[str], neurons: int, layers: int) -> None:
    built = circuit(Request(3, features=4, formulas=[parse(text) for text in source]))
    assert (built.neurons, len(built.layers) - 1) == (neurons, layers)
    assert right(built)


def written(file: Path, features: Sequence[int], outputs: int, most: int, value: int) -> Path:
    """A truth table whose cells are the digits of a number."""
    lines = [",".join([*(f"x{j}" for j in features), *(f"y{i}" for i in range(outputs))])]
    for size in range(min(most, len(features)) + 1):
        for active in combinations(features, size):
            cells = []
            for _ in range(outputs):
                value, bit = divmod(value, 2)
                cells.append(str(bit))
            lines.append(",".join([*(str(int(j in active)) for j in features), *cells]))
    file.write_text("\n".join(lines) + "\n")
    return file


@given(st.permutations(range(5)), st.integers(1, 4), st.integers(1, 3), st.integers(0, 4), st.integers(0, 2**48 - 1))
def test_every_table_is_memorised(
    tmp_path_factory: pytest.TempPathFactory, names: list[int], named: int, outputs: int, most: int, value: int
) -> None:
    file = written(tmp_path_factory.mktemp("tables") / "t.csv", names[:named], outputs, most, value)
    built = table(Request(most, features=6, table=file))
    inputs = sum(1 for size in range(min(most, named) + 1) for _ in combinations(range(named), size))
    assert built.neurons <= inputs - 1
    assert right(built)


@pytest.mark.parametrize(
    ("name", "function", "way", "neurons"),
    [
        ("parity", lambda on: len(on) % 2, "kinks on a line", 4),
        ("most", lambda on: len(on) >= 2, "kinks on a line", 2),
        ("one pair", lambda on: {0, 1} <= set(on), "monomials", 1),
        ("one input", lambda on: on == (1, 3), "a neuron an input", 1),
        ("nothing", lambda _: 0, "a neuron an input", 0),
    ],
)
def test_the_way_is_the_one_that_takes_the_fewest(
    name: str, function: object, way: str, neurons: int, tmp_path: Path
) -> None:
    lines = ["x0,x1,x2,x3,x4,y0"]
    for active in (active for size in range(5) for active in combinations(range(5), size)):
        lines.append(",".join([*(str(int(j in active)) for j in range(5)), str(int(function(active)))]))  # type: ignore[operator]
    file = tmp_path / "t.csv"
    file.write_text("\n".join(lines))
    built = table(Request(4, table=file))
    assert built.neurons <= neurons
    assert built.neurons < neurons or built.made["way"] == way
    assert right(built)
    assert proved(built, "enumerate")


def test_a_parity_of_thousands_is_refused_before_it_is_built() -> None:
    """An XOR of n parts has n neurons with n edges each: 5,000 took 7 GB."""
    with pytest.raises(InputError, match="--formulas: expected at most 4,194,304 edges in a layer"):
        circuit(Request(2, features=5000, formulas=[Xor(tuple(map(Var, range(5000))))]))


def test_without_time_a_table_is_built_without_a_line(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x0,x1,y0\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    built = table(Request(2, table=tmp_path / "t.csv", seconds=1e-9))
    assert built.made["neurons that each way takes"] == "a neuron an input 2, monomials 3"
    assert right(built)
