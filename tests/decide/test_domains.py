"""Features that are not 0 or 1: every engine answers rightly, or says that it cannot, held against plain evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from common import EXAMPLES
from hypothesis import given, settings, strategies as st
from oracle import run
from strategies import meaning

from supercheck import InputError, Limits, Readout, Verdict, parse
from supercheck.base.matrix import Rows
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Unknown
from supercheck.claims.result import Result
from supercheck.decide.engines import ENGINES
from supercheck.decide.portfolio import decide
from supercheck.decide.workers.executors import InProcess
from supercheck.decide.workers.pool import WorkerPool
from supercheck.network.input import Input
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.report.verify.json import as_object
from supercheck.report.verify.text import text
from supercheck.spec.domain import Cell, Domain, KSparse, Sparse
from supercheck.spec.values import Values

F = Fraction
ENGINES_THAT_EVALUATE = ("auto", "enumerate", "z3")
HALF = Values.between(F(1, 2), F(3))
TWO = Values.of(2)


def network(stored: list[tuple[list[list[int]], list[int], bool]]) -> Network:
    return Network.of([Affine(Rows.from_dense(np.array(w)), np.array(b), relu) for w, b, relu in stored])


def sums(domain: Domain, readout: Readout, formula: str = "0") -> Claims:
    """y = ReLU(x0 + x1 - 1): 1 where both features are 1, and 3 where both are 2."""
    of = network([([[1, 1]], [-1], True), ([[1]], [0], False)])
    return Claims(of, of, domain, [parse(formula)], readout)


def verdict(claims: Claims, engine: str) -> Result:
    return decide(claims, Limits(engine=engine, workers=1))


@pytest.mark.parametrize("engine", ["auto", *ENGINES])
def test_features_of_0_and_2_are_not_taken_for_features_of_0_and_1(engine: str) -> None:
    """Regression: all engines proved y <= 3/2 where y is 3, since each took the features for 0 and 1."""
    wrong = verdict(sums(Sparse(2, 2, TWO), Readout("threshold", at=F(3, 2))), engine)
    assert wrong.verdict is Verdict.REFUTED
    assert wrong.counterexample.input.values == ((0, F(2)), (1, F(2)))
    assert (wrong.counterexample.value, wrong.counterexample.active) == (3, (0, 1))
    right = verdict(sums(Sparse(2, 2, TWO), Readout("threshold", at=F(3))), engine)
    assert right.verdict is not Verdict.REFUTED
    assert engine not in ENGINES_THAT_EVALUATE or right.verdict is Verdict.PROVED


@pytest.mark.parametrize("engine", ["auto", *ENGINES])
def test_features_of_a_range_are_decided_over_the_whole_range_or_declined(engine: str) -> None:
    wrong = verdict(sums(Sparse(2, 2, HALF), Readout("threshold", at=F(49, 10))), engine)
    right = verdict(sums(Sparse(2, 2, HALF), Readout("threshold", at=F(5))), engine)
    if ENGINES.get(engine, ENGINES["z3"]).any_value:
        assert (wrong.verdict, right.verdict) == (Verdict.REFUTED, Verdict.PROVED)
        assert F(49, 10) < wrong.counterexample.value <= 5
        assert all(F(1, 2) <= value <= 3 for _, value in wrong.counterexample.input.values)
    else:
        assert {wrong.verdict, right.verdict} == {Verdict.UNKNOWN}
        assert wrong.reason == f"{engine} does not answer for features that are {Sparse(2, 2, HALF)}"


@pytest.mark.parametrize("engine", ENGINES_THAT_EVALUATE)
def test_noise_at_rest_reaches_features_that_nothing_turned_on(engine: str) -> None:
    noisy = Sparse(2, 1, Values.of(1), Values.between(F(-1, 50), F(1, 50)))
    wrong = verdict(sums(noisy, Readout("threshold", at=F(0))), engine)
    if engine == "enumerate":
        assert wrong.verdict is Verdict.UNKNOWN
        return
    assert wrong.verdict is Verdict.REFUTED
    assert 0 < wrong.counterexample.value <= F(1, 50)
    assert len(wrong.counterexample.active) == 1
    assert verdict(sums(noisy, Readout("threshold", at=F(1, 50))), engine).verdict is Verdict.PROVED


def test_a_report_says_which_values_features_have() -> None:
    found = verdict(sums(Sparse(2, 2, TWO), Readout("threshold", at=F(3, 2))), "enumerate")
    assert "2 where active, 0 at rest" in text(found)
    assert "x0 = 2 x1 = 2" in text(found)
    told = as_object(found)
    assert told["domain"]["values"] == "2 where active, 0 at rest"
    assert told["counterexample"]["input"] == {"x0": "2", "x1": "2"}


def test_a_pool_answers_for_no_other_values() -> None:
    asked = sums(Sparse(2, 2, TWO), Readout("threshold", at=F(3, 2)))
    pool = WorkerPool(asked, InProcess())
    assert pool.knows(asked.at_most(1))
    assert not pool.knows(replace(asked, domain=KSparse(2, 2)))


def test_a_domain_that_mixes_up_rest_and_active_is_refused() -> None:
    for active, rest in ((HALF, Values.of(1)), (Values.of(0, 1), Values.of(0))):
        with pytest.raises(InputError, match="apart from those at rest"):
            Sparse(3, 1, active, rest)


values = st.builds(F, st.integers(-4, 4), st.sampled_from([1, 2, 3]))


@st.composite
def two_valued(draw: st.DrawFn) -> Sparse:
    """A domain whose features have one value at rest and one that is active."""
    active, rest = draw(st.lists(values, min_size=2, max_size=2, unique=True))
    return Sparse(draw(st.integers(1, 4)), draw(st.integers(0, 4)), Values.of(active), Values.of(rest))


def members(domain: Sparse) -> Iterator[Input]:
    """Every input of a domain of finitely many values, by itself."""
    active, rest = ([part.ends[0] for part in v.parts] for v in (domain.active, domain.rest))
    for size in range(min(domain.max_active, domain.features) + 1):
        for on in combinations(range(domain.features), size):
            for x in product(*(active if j in on else rest for j in range(domain.features))):
                yield Input(on, tuple((j, value) for j, value in enumerate(x) if value))


def small(draw: st.DrawFn, rows: int, columns: int) -> list[list[int]]:
    return draw(
        st.lists(st.lists(st.integers(-5, 5), min_size=columns, max_size=columns), min_size=rows, max_size=rows)
    )


@st.composite
def questions(
    draw: st.DrawFn, domains: st.SearchStrategy[Sparse]
) -> tuple[Claims, list[tuple[list[list[int]], list[int], bool]]]:
    domain = draw(domains)
    neurons, m = draw(st.integers(1, 3)), domain.features
    stored = [
        (small(draw, neurons, m), small(draw, 1, neurons)[0], True),
        (small(draw, 1, neurons), small(draw, 1, 1)[0], False),
    ]
    formula = draw(st.sampled_from(["0", "x0", f"x0 & x{m - 1}", f"x0 ^ x{m - 1}"]))
    mode = draw(st.sampled_from(["threshold", "epsilon", "equality", "separable"]))
    number = draw(values)
    given_ = {"threshold": {"at": number}, "epsilon": {"within": abs(number)}}.get(mode, {})
    of = network(stored)
    return Claims(of, of, domain, [parse(formula)], Readout(mode, **given_)), stored


def truth(claims: Claims, stored: list[tuple[list[list[int]], list[int], bool]]) -> bool:
    """Whether the output is right, by every input."""
    seen: list[tuple[Fraction, int]] = []
    assert isinstance(claims.domain, Sparse)
    for x in members(claims.domain):
        y = run(
            [([[F(w) for w in row] for row in rows], list(map(F, bias)), relu) for rows, bias, relu in stored],
            x.dense(claims.domain.features),
        )[0]
        seen.append((y, int(meaning(claims.formulas[0])(frozenset(x.active)))))
    if claims.separable:
        return not any(a <= b for a, on in seen for b, off in seen if on and not off)
    return not any(claims.readout.wrong(y, on) for y, on in seen)


@settings(max_examples=EXAMPLES * 3)
@given(questions(two_valued()))
def test_every_engine_is_right_on_any_two_values(
    asked: tuple[Claims, list[tuple[list[list[int]], list[int], bool]]],
) -> None:
    claims, stored = asked
    right = truth(claims, stored)
    for name in ("auto", "bound", "branch", "enumerate"):
        found = verdict(claims, name)
        assert name in ("bound", "branch") or found.verdict is not Verdict.UNKNOWN
        if found.verdict is not Verdict.UNKNOWN:
            assert (found.verdict is Verdict.PROVED) == right
            assert right or claims.domain.contains(found.counterexample.input)


@st.composite
def several(draw: st.DrawFn) -> Sparse:
    """A domain of finitely many values, several of them active or at rest."""
    found = draw(st.lists(values, min_size=2, max_size=4, unique=True))
    cut = draw(st.integers(1, len(found) - 1))
    return Sparse(draw(st.integers(1, 3)), draw(st.integers(0, 3)), Values.of(*found[:cut]), Values.of(*found[cut:]))


@given(questions(several()))
def test_z3_is_right_on_any_finite_values(asked: tuple[Claims, list[tuple[list[list[int]], list[int], bool]]]) -> None:
    from supercheck.claims.evidence import Refuted
    from supercheck.claims.replay import replay
    from supercheck.decide import smt

    claims, stored = asked
    decision = smt.solve(claims, 0)
    assert not isinstance(decision, Unknown)
    assert isinstance(decision, Refuted) != truth(claims, stored)
    if isinstance(decision, Refuted):
        assert replay(claims, [decision])


@given(several(), st.data())
def test_the_greatest_value_of_a_form_is_that_of_some_input_and_no_input_has_more(
    domain: Sparse, data: st.DataObject
) -> None:
    weights = data.draw(st.lists(st.integers(-5, 5), min_size=domain.features, max_size=domain.features))
    chosen = data.draw(st.sets(st.integers(0, domain.features - 1)))
    cut = data.draw(st.sets(st.sampled_from(sorted(chosen)))) if chosen else set()
    cell = Cell(frozenset(cut), frozenset(chosen - cut))
    inside = [x for x in members(domain) if cell.active <= set(x.active) and not cell.rest & set(x.active)]
    totals = [sum((weights[j] * value for j, value in x.values), F(0)) for x in inside]
    found = domain.greatest(Rows.from_dense(np.array([weights])), cell)
    if found is None:
        assert not inside
        return
    [(value, x)] = found
    assert value == max(totals)
    assert sum((weights[j] * v for j, v in x.values), F(0)) == value
    assert domain.contains(x)
    assert domain.size == len(list(members(domain)))
    assert all(domain.contains(x) for x in inside)


def test_zeros_and_ones_are_one_of_the_sparse_domains() -> None:
    plain, general = KSparse(5, 2), Sparse(5, 2)
    assert plain.size == general.size == 16
    assert (plain.text, general.text) == ("5 2", "5 2")
    assert plain.contains(Input.on((1, 4)))
    assert not plain.contains(Input.on((0, 1, 2)))
    assert not plain.contains(Input((1,), ((1, F(2)),)))
    assert not plain.contains(Input((1,), ((1, F(1)), (2, F(1)))))
    assert not plain.contains(Input.on((5,)))
