"""Whatever a caller puts together by hand is what a spec file could say, or an InputError; never anything else."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from oracle import inputs, truth
from strategies import meaning, network as network_of, questions

import supercheck
from supercheck import AtLeast, InputError, KSparse, Limits, Network, Not, Readout, Spec, Var, Xor, gate, parse, verify
from supercheck.base.matrix import Rows
from supercheck.claims.evidence import Verdict
from supercheck.construct.output import spec_bytes
from supercheck.network.formats.load import load
from supercheck.network.formats.save import network_bytes
from supercheck.network.formats.tensors import LayerNames
from supercheck.network.layers import Affine, Layer, Output
from supercheck.spec.expressions import evaluate_limit
from supercheck.spec.formula import FALSE, Formula, holds, support
from supercheck.spec.read import read_spec
from supercheck.spec.spec import Source
from supercheck.spec.syntax import text

T = TypeVar("T")
F = Fraction
LAYER = Affine(Rows.from_dense(np.ones((1, 1))), np.zeros(1), False)

JUNK: list[object] = [
    None, True, False, -2, -1, 0, 1, 2, 3, 1.0, 0.5, float("nan"), 10**30, 10**5000, "", "x0", "x0 & x1", "1/3",
    "1e-400", "real", "float32", "proved", "threshold", b"ab", (), [], [0], [0, 1], (0, 0), {}, {"max_edges": 5},
    {"max_edges": "m #\x7f"}, {"max_bits": F(1, 3)}, {"no": 1}, {1: 1}, np.int64(1), np.uint8(200), np.int8(-1),
    np.float64(1), np.True_,
    np.array(1), np.array([1]), np.array([0, 1]), np.array(["a", "b"]), np.ma.masked, F(1, 2),
    F(np.int64(1), np.int64(2)),  # type: ignore[call-overload]
    F(10**5000), Decimal("0.1"), Decimal("1e-900"), Decimal("NaN"), Decimal("1e999999999"), 1j, object(), Path("a.npz"),
    Var(0), [Var(0), Not(Var(1))], KSparse(2, 1), Readout("equality"), LayerNames("w"), Source(), (LayerNames("w"),),
]  # fmt: skip
junk = st.sampled_from(JUNK)


def made(make: Callable[[], T]) -> T | None:
    """What comes of it; None where it is refused."""
    try:
        return make()
    except InputError as error:
        return None if str(error).isprintable() else pytest.fail(f"not one line: {error}")


def canonical(formula: Formula) -> Formula:
    """The formula as text has it, which cannot say XOR of fewer than two."""
    if isinstance(formula, Var):
        return formula
    if isinstance(formula, Not):
        return Not(canonical(formula.inside))
    parts = tuple(map(canonical, formula.inside))
    if isinstance(formula, Xor):
        return Xor(parts) if len(parts) > 1 else parts[0] if parts else FALSE
    return AtLeast(formula.count, parts)


@st.composite
def handmade(draw: st.DrawFn, depth: int = 3) -> object:
    """A formula that a caller tries to make, or junk in its place."""
    if not depth or draw(st.integers(0, 3)) == 0:
        return draw(st.integers(0, 3).map(Var) | junk)
    inside = st.lists(handmade(depth - 1), max_size=3)
    kind = draw(st.sampled_from([Var, Not, AtLeast, Xor, gate, parse]))
    if kind is AtLeast:
        count, parts = draw(st.integers(-3, 4) | junk), draw(inside.map(tuple) | inside | junk)
        return made(lambda: AtLeast(count, parts))  # type: ignore[arg-type]
    if kind is gate:
        name, features = draw(st.sampled_from(["and", "xor", "copy"]) | junk), draw(st.lists(junk, max_size=2) | junk)
        return made(lambda: gate(name, features))  # type: ignore[arg-type]
    parts = draw(inside | junk) if kind is Xor else draw(handmade(depth - 1) | junk)
    return made(lambda: kind(parts))  # type: ignore[operator]


@given(handmade())
def test_a_formula_made_by_hand_is_one_that_text_can_say(formula: Any) -> None:
    if not isinstance(formula, Var | Not | AtLeast | Xor):
        return
    assert parse(text(formula)) == canonical(formula)
    own = support(formula)
    assert all(type(j) is int and j >= 0 for j in own)
    for positions in inputs(len(own), 4):
        active = frozenset(own[p] for p in positions)
        assert holds(formula, active) == meaning(formula)(active) == meaning(parse(text(formula)))(active)


@pytest.mark.parametrize("count", [-9, -2, -1, 10**9, 1.5, True, "1", None])
def test_a_count_that_no_file_can_say_is_refused(count: Any) -> None:
    """Regression: a negative count proved a false claim. A count of 0 stays: files say `atleast(0, x0)` and mean 1."""
    with pytest.raises(InputError, match=r"^AtLeast: expected a whole number from 0 to 999,999,999, got "):
        AtLeast(count, (Var(0), Var(1)))
    assert parse("atleast(0, x0, x1)") == AtLeast(0, (Var(0), Var(1)))
    assert parse("1") == AtLeast(0, ())


@pytest.mark.parametrize("index", [0.5, -1, True, "0", 10**9, None, np.array([0])])
def test_a_feature_that_no_file_can_name_is_refused(index: Any) -> None:
    """Regression: `Var(0.5)` was read as x0."""
    with pytest.raises(InputError, match=r"^Var: expected a whole number from 0 to 999,999,999, got "):
        Var(index)


def test_numpys_integers_become_pythons() -> None:
    """Regression: a count of dtype int8 wrapped among 200 features."""
    formula = AtLeast(np.int8(120), [Var(np.uint8(j)) for j in range(200)])  # type: ignore[arg-type]
    assert type(formula.count) is int
    assert formula == AtLeast(120, tuple(map(Var, range(200))))


def test_a_formula_that_unfolds_without_end_or_is_nested_too_deeply_is_refused() -> None:
    """Regression: a formula whose parts are shared took for ever, a deep one ended in a RecursionError."""
    shared = reduce(lambda part, _: AtLeast(1, (part, part)), range(60), Var(0))  # type: ignore[arg-type, return-value]
    deep = reduce(lambda part, _: Not(part), range(5000), Var(0))  # type: ignore[arg-type, return-value]
    for formula in (shared, deep, reduce(lambda part, _: Not(part), range(100), Var(0))):  # type: ignore[arg-type, return-value]
        with pytest.raises(InputError, match=r"^outputs\[0\].*(levels|nodes)"):
            Spec(KSparse(2, 1), (formula,), Readout("equality"))
    assert Spec(KSparse(2, 1), (reduce(lambda part, _: Not(part), range(99), Var(0)),), Readout("equality"))  # type: ignore[arg-type, return-value]


fields = st.fixed_dictionaries(
    {},
    optional={
        "arithmetic": junk, "audit": junk, "expect": st.just("refuted") | junk, "file": junk, "table": st.none() | junk,
        "source": junk,
    },
)  # fmt: skip


@settings(max_examples=300)
@given(st.data())
def test_a_spec_made_by_hand_is_written_and_read_back_as_it_is_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> Any:
    def drawn(*usual: object) -> object:
        return data.draw(st.sampled_from(usual) | junk if data.draw(st.booleans()) else st.sampled_from(usual))

    domain: Any = made(lambda: KSparse(drawn(1, 3), drawn(0, 1)))  # type: ignore[arg-type]
    mode = drawn("threshold", "epsilon", "equality", "separable")
    numbers = {key: drawn(F(1, 3), None) for key in ("at", "within") if data.draw(st.booleans())}
    numbers |= {"margin": drawn(0, F(1, 7))} if data.draw(st.booleans()) else {}
    readout: Any = made(lambda: Readout(mode, **numbers))  # type: ignore[arg-type]
    formulas: Any = data.draw(st.lists(handmade(2), min_size=1, max_size=2) | junk)
    more = data.draw(fields | st.just({}))
    spec = made(lambda: Spec(domain, formulas, readout, **more))  # type: ignore[arg-type]
    if spec is None or spec.table is not None:
        return
    folder = tmp_path_factory.mktemp("spec")
    (folder / "a.toml").write_bytes(spec_bytes(spec, [LAYER], {"file": "n.npz"}))
    again = read_spec(folder / "a.toml")
    assert (again.domain, again.readout, again.arithmetic, again.expect) == (
        spec.domain, spec.readout, spec.arithmetic, spec.expect,
    )  # fmt: skip
    assert again.formulas == tuple(map(canonical, spec.formulas))
    values = {"m": spec.domain.features, "k": spec.domain.max_active, "outputs": len(spec.formulas)}
    limits = [{name: evaluate_limit(limit, values) for name, limit in one.audit.items()} for one in (spec, again)]
    assert limits[0] == limits[1]


@given(
    st.dictionaries(
        st.sampled_from([field.name for field in dataclasses.fields(Limits) if field.name != "team"]), junk
    ),
    st.lists(junk, min_size=4, max_size=4),
)
def test_limits_sources_and_layer_names_are_taken_or_refused(limits: Any, parts: Any) -> None:
    found = made(lambda: Limits(**limits))
    if found is not None:
        assert {type(number) for number in (found.workers, found.nodes, found.cross_check)} == {int}
        assert isinstance(found.reproducer, Path)
    names = made(lambda: LayerNames(*parts))
    assert names is None or {type(names.weight), type(names.bias)} <= {str, type(None)}
    source = made(lambda: Source(*parts))
    assert source is None or all(
        isinstance(path, Path | None) for path in (source.file, source.encoder, source.decoder)
    )


numbers = st.sampled_from(
    [0, 1, -3, 2**62, 2**70, F(1, 3), F(np.int64(1), np.int64(3)), np.int64(2**62), np.int8(-5), True]  # type: ignore[call-overload]
)
floats = st.sampled_from([0.0, 1.0, -0.1, float("nan"), float("inf"), 1e300])
dtypes = st.sampled_from([np.float16, np.float32, np.float64, np.longdouble, np.complex64, np.int8, np.uint64, bool])


@st.composite
def arrays(draw: st.DrawFn, *shape: int) -> object:
    """An array as callers have them, or what is none."""
    count = int(np.prod(shape))
    if draw(st.integers(0, 6)) == 0:
        return draw(junk)
    if draw(st.booleans()):
        listed = draw(st.lists(numbers | floats if draw(st.booleans()) else numbers, min_size=count, max_size=count))
        array = np.empty(count, dtype=object)
        array[:] = listed
        return array.reshape(shape)
    with np.errstate(all="ignore"):
        listed = draw(st.lists(floats, min_size=count, max_size=count))
        return np.array(listed).astype(draw(dtypes)).reshape(shape)


@st.composite
def stored(draw: st.DrawFn, width: int, height: int) -> Affine | None:
    """A layer that a caller tries to make; the rows of compressed ones often do not fit."""
    if draw(st.booleans()):
        matrix = draw(arrays(height, width))
        weight = made(lambda: Rows.from_dense(matrix))  # type: ignore[arg-type]
    else:
        columns = draw(st.lists(st.integers(-1, width), max_size=4))
        ends = draw(st.just(sorted({0, len(columns)})) | st.lists(st.integers(0, 4), max_size=3))
        data = draw(arrays(len(columns)))
        weight = made(lambda: Rows(np.array(ends), np.array(columns, dtype=int), data, width))  # type: ignore[arg-type]
    bias, relu = draw(arrays(draw(st.sampled_from([height, height, height + 1])))), draw(st.booleans() | junk)
    return made(lambda: Affine(weight, bias, relu))  # type: ignore[arg-type]


def plain(layer: Affine) -> tuple[list[list[Fraction]], list[Fraction], bool]:
    """A layer as the oracle has it, read entry by entry."""
    matrix = [[F(0)] * layer.weight.width for _ in range(layer.weight.height)]
    for i, row in enumerate(matrix):
        for place in range(int(layer.weight.indptr[i]), int(layer.weight.indptr[i + 1])):
            column = int(layer.weight.indices[place])
            assert not row[column]
            row[column] = F(
                layer.weight.data[place].item()
                if hasattr(layer.weight.data[place], "item")
                else layer.weight.data[place]
            )
    return matrix, [F(value) for value in layer.bias.tolist()], layer.relu


@settings(max_examples=300, deadline=None)
@given(stored(2, 2), stored(2, 1), st.data())
def test_a_network_made_by_hand_is_decided_as_brute_force_says_or_refused(
    tmp_path_factory: pytest.TempPathFactory, first: Any, second: Any, data: st.DataObject
) -> None:
    layers = [layer for layer in (first, second) if layer is not None]
    network = made(lambda: Network.of(layers))
    if network is None:
        return
    layers = [plain(layer) for layer in layers]
    count = network.outputs
    variable = st.integers(0, 1).map(Var)
    formula = variable | st.builds(AtLeast, st.integers(0, 3), st.lists(variable, max_size=2))
    formulas = data.draw(st.lists(formula, min_size=count, max_size=count))
    spec = made(lambda: Spec(KSparse(network.features, 2), formulas, Readout("threshold", at=F(1, 2))))  # type: ignore[arg-type]
    if spec is None:
        return
    known = truth(layers, 2, 2, [meaning(f) for f in formulas], lambda y, on: y <= F(1, 2) if on else y > F(1, 2))
    result = verify(network, spec, limits=Limits(workers=1))
    assert [output.verdict is Verdict.REFUTED for output in result.outputs] == [s is not None for s in known.smallest]
    assert result.verdict is not Verdict.UNKNOWN
    file = tmp_path_factory.mktemp("network") / "a.json"
    file.write_bytes(network_bytes(network.stored, file, {}))
    if [layer.relu for layer in network.stored] == [True] * (len(layers) - 1) + [False]:
        assert load(file).digest == network.digest


@given(st.lists(junk, min_size=5, max_size=5))
def test_a_normal_form_made_of_junk_is_refused(parts: Any) -> None:
    assert made(lambda: Layer(*parts[:3])) is None
    assert made(lambda: Output(*parts[:4])) is None
    assert made(lambda: Network(*parts)) is None
    assert made(lambda: Network.of(parts[0])) is None or parts[0] == []


@given(questions())
def test_a_networks_parts_made_by_hand_again_are_the_same_network(question: Any) -> None:
    network = network_of(question.stored)
    hidden = tuple(Layer(layer.weight, layer.bias, layer.name) for layer in network.hidden)
    output = Output(network.output.weight, network.output.bias, network.output.scale)
    assert Network(network.features, hidden, output).digest == network.digest
    for rows in network.matrices:
        assert np.array_equal(Rows(rows.indptr, rows.indices, rows.data, rows.width).dense(), rows.dense())


ASCEND = "Rows.indices: expected columns that ascend within a row, each once, got"


@pytest.mark.parametrize(
    ("indptr", "indices", "data", "message"),
    [
        ([0, 2], [0, 0], [3.0, -1.0], ASCEND + r" \[0, 0\]"),
        ([0, 2], [1, 0], [2.0, 1.0], ASCEND + r" \[1, 0\]"),
        ([0, 1], [2], [1.0], "Rows.indices: expected columns from 0 to 1, got 2 to 2"),
        ([0, 1], [-1], [1.0], "Rows.indices: expected columns from 0 to 1, got -1 to -1"),
        ([0, 1], [0], [0.0], "Rows.data: expected no zeros, got a stored zero"),
        ([0, 1], [0], [1.0, 2.0], "Rows.data: expected 1 numbers, one for each column, got 2"),
        ([0, 2], [0], [1.0], r"Rows.indptr: expected ascending offsets from 0 to 1, got \[0, 2\]"),
        ([0, 1, 0, 1], [0], [1.0], r"Rows.indptr: expected ascending offsets from 0 to 1, got \[0, 1, 0, 1\]"),
        ([], [], [], r"Rows.indptr: expected ascending offsets from 0 to 0, got \[\]"),
        ([0, 1], [0], [float("nan")], "Rows.data: expected finite numbers, got nan"),
    ],
)  # fmt: skip
def test_rows_that_are_not_as_they_should_be_are_refused(indptr: Any, indices: Any, data: Any, message: str) -> None:
    """Regression: a column twice in a row was read once by one engine and twice by another."""
    with pytest.raises(InputError, match=f"^{message}; Rows.from_dense" if "Rows.i" in message else f"^{message}"):
        Rows(np.array(indptr, dtype=int), np.array(indices, dtype=int), np.array(data, dtype=float), 2)


@pytest.mark.parametrize("bias", [np.zeros(1), np.zeros(3), np.array([0, np.nan]), np.zeros(2, np.longdouble), [0, 0]])
def test_a_bias_that_is_not_one_exact_number_a_row_is_refused(bias: Any) -> None:
    """Regression: a longer bias was cut, a shorter one ended in an IndexError."""
    with pytest.raises(InputError, match=r"^Affine.bias: expected "):
        Affine(Rows.from_dense(np.ones((2, 2))), bias, True)


def test_numpy_integers_among_objects_do_not_wrap() -> None:
    weight = np.empty((1, 3), dtype=object)
    weight[0] = [np.int64(2**62), np.int64(2**62), F(np.int64(2**62), np.int64(3))]  # type: ignore[call-overload]
    network = Network.of([Affine(Rows.from_dense(weight), np.zeros(1), False)])
    assert network.run([1, 1, 1]) == (2**63 + F(2**62, 3),)


def test_the_nodes_of_formulas_are_public() -> None:
    assert {"AtLeast", "Var", "Not", "Xor"} <= set(supercheck.__all__)


def test_tests_ask_an_oracle_of_their_own_what_a_formula_means() -> None:
    """Only the tests of the evaluator itself know it; all others go by `strategies.meaning`."""
    asked = {
        file.name
        for file in Path(__file__).parents[1].rglob("*.py")
        if "peers" not in file.parts
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "supercheck.spec.formula"
        if {name.name for name in node.names} & {"holds", "evaluate"}
    }
    assert asked == {"test_boolean.py", "test_constructors.py", "test_examples.py"}
