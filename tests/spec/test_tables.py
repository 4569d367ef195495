"""A truth table is looked up: what it costs is its rows, and what it says is what its rows say."""

from __future__ import annotations

import time
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from common import savez
from hypothesis import given, strategies as st
from oracle import inputs
from strategies import formulas, meaning, tables

from supercheck.api.check import check_certificate
from supercheck.api.verify import verify
from supercheck.checker.reading import Claims as Core, listed, value
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Verdict
from supercheck.claims.question import question
from supercheck.decide.limits import Limits
from supercheck.decide.portfolio import decide
from supercheck.spec.cases import cases, decided, simplified
from supercheck.spec.formula import AtLeast, Formula, Var, extent
from supercheck.spec.read import read_spec
from supercheck.spec.satisfying import assignments, least_active, reaches
from supercheck.spec.syntax import prefix

WIDTH = 6


def memorised(folder: Path, features: int, ones: set[frozenset[int]], *, wrong: bool = False, outputs: int = 1) -> Path:
    """A table of all inputs with at most two features on, and a network that is near 1 nowhere and right within 9."""
    rows = [frozenset(on) for on in inputs(features, 2)]
    head = [*(f"x{j}" for j in range(features)), *(f"y{i}" for i in range(outputs))]
    lines = [
        ",".join([*("01"[j in on] for j in range(features)), *["01"[on in ones]] * outputs])
        for on in sorted(rows, key=sorted)
    ]
    (folder / "t.csv").write_text("\n".join([",".join(head), *lines]) + "\n")
    first = np.random.default_rng(1).integers(-2, 3, (4, features)).astype(np.float32)
    savez(folder / "a.npz", {"0.weight": first * (not wrong), "1.weight": np.ones((outputs, 4), np.float32)})
    within = "0" if wrong else "99"
    (folder / "a.toml").write_text(
        f'network = {{file = "a.npz"}}\ndomain = {{features = {features}, max_active = 2}}\n'
        f'outputs = {{table = "t.csv"}}\nreadout = {{mode = "epsilon", within = "{within}"}}\n'
    )
    return folder / "a.toml"


def drawn(features: int, share: float) -> set[frozenset[int]]:
    random = np.random.default_rng(7)
    return {frozenset(on) for on in inputs(features, 2) if random.random() < share}


def seconds_a_row(claims: Claims) -> float:
    begun = time.process_time()
    assert decide(claims, Limits(engine="enumerate")).verdict is Verdict.PROVED
    return (time.process_time() - begun) / claims.cube.size


def test_a_row_of_9871_costs_no_more_than_one_of_529(tmp_path: Path) -> None:
    claims = {}
    for features in (32, 140):
        (tmp_path / str(features)).mkdir()
        claims[features] = question(None, memorised(tmp_path / str(features), features, drawn(features, 0.5)), None)[0]
    seconds_a_row(claims[32])  # whatever is imported late
    few, many = (min(seconds_a_row(claims[features]) for _ in range(3)) for features in (32, 140))
    assert claims[140].domain.size == 9871
    assert many < 2 * few


@pytest.mark.parametrize("engine", ["auto", "enumerate", "branch"])
def test_one_wrong_row_is_the_smallest_counterexample(tmp_path: Path, engine: str) -> None:
    spec = memorised(tmp_path, 9, {frozenset({3, 5})}, wrong=True, outputs=2)
    found = verify(None, spec, limits=Limits(engine=engine))
    assert found.verdict is Verdict.REFUTED
    assert (found.counterexample.active, found.counterexample.minimal) == ((3, 5), True)
    assert found.counterexample.expected == 1


def test_the_proof_of_a_table_is_accepted(tmp_path: Path) -> None:
    spec = memorised(tmp_path, 12, drawn(12, 0.4), outputs=3)
    assert verify(None, spec, certificate=tmp_path / "c").verdict is Verdict.PROVED
    outcome = check_certificate([tmp_path / "c"], tmp_path / "a.npz", spec)
    assert outcome.status == "accepted", outcome


@given(tables(range(WIDTH)) | formulas(WIDTH))
def test_the_lone_checker_looks_up_what_the_formula_says(formula: Formula) -> None:
    core = Core(f"supercheck-claims 1\n{WIDTH} {WIDTH} equality - - -\n{prefix(formula)}\n")
    parsed, support = core.formula(0)
    rows = listed(parsed, support)
    for active in map(frozenset, inputs(WIDTH, WIDTH)) if rows is not None else ():
        assert (active & set(support) in rows) == bool(value(parsed, dict.fromkeys(active, 1), 0))  # type: ignore[operator]
        assert (active & set(support) in rows) == meaning(formula)(active)  # type: ignore[operator]


@given(tables(range(WIDTH)), st.integers(0, WIDTH))
def test_the_cases_of_a_table_hold_its_inputs_once(formula: Formula, limit: int) -> None:
    place = {feature: position for position, feature in enumerate(sorted(formula.features))}  # type: ignore[union-attr]
    shape = type(formula)(tuple(place.values()), formula.table, formula.column)  # type: ignore[arg-type, call-arg, union-attr]
    split = cases(shape, limit)
    assert split is not None
    for active in map(frozenset, inputs(len(place), limit)):
        of = [case for case in split if set(case.on) <= active and not active & set(case.off)]
        assert [case.target for case in of] == [meaning(shape)(active)]


@given(tables(range(WIDTH)), st.dictionaries(st.integers(0, WIDTH - 1), st.booleans()))
def test_what_is_decided_of_a_table_is_so_whatever_the_others_are(formula: Formula, fixed: dict[int, bool]) -> None:
    known = decided(formula, fixed)
    left = [j for j in range(WIDTH) if j not in fixed]
    if isinstance(known, Var):
        assert known.index in left
        return
    on = {j for j, value in fixed.items() if value}
    for size in range(len(left) + 1):
        for others in combinations(left, size):
            assert meaning(formula)(frozenset(on.union(others))) == known


@given(tables(range(WIDTH)), st.integers(0, WIDTH), st.booleans())
def test_which_classes_a_table_reaches_is_counted_from_its_rows(formula: Formula, limit: int, on: bool) -> None:
    sizes = [len(active) for active in inputs(WIDTH, WIDTH) if meaning(formula)(frozenset(active)) == on]
    least = least_active(formula)
    assert least is not None
    assert least[on] == min(sizes, default=float("inf"))
    assert reaches(formula, on, limit) == any(size <= limit for size in sizes)
    assert (next(assignments(formula, on, limit), None) is not None) == any(size <= limit for size in sizes)


@given(formulas(WIDTH))
def test_a_formula_is_simplified_to_the_same_function(formula: Formula) -> None:
    found, _ = simplified(formula)
    for active in map(frozenset, inputs(WIDTH, WIDTH)):
        assert meaning(found)(active) == meaning(formula)(active)


def test_a_table_is_as_large_as_its_rows_are_written_out(tmp_path: Path) -> None:
    known: dict[int, tuple[int, int, int]] = {}
    ones = [{frozenset([i]), frozenset([i, i + 1])} for i in range(9)]
    for on in ones:  # read one after the other, as a spec's outputs are
        spec = read_spec(memorised(tmp_path, 12, on))
        plain = AtLeast(1, spec.formulas[0].inside)  # type: ignore[arg-type, union-attr]
        assert extent(spec.formulas[0], known) == extent(plain, {})
