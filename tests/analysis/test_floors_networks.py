"""Floors of one network: sound on everything that is right, and wrong wiring is refuted with a replayed input."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import pytest
from common import SPECS
from hypothesis import assume, given, strategies as st
from oracle import inputs
from strategies import Question, formulas, meaning, network, questions

from supercheck import KSparse, Readout, Spec, gate, load, parse, read_spec
from supercheck.analysis.costs.floors import networks
from supercheck.analysis.costs.floors.logs import log2
from supercheck.analysis.costs.floors.patterns import patterns
from supercheck.analysis.costs.wiring import Wiring, states
from supercheck.claims.claims import Claims, pose
from supercheck.claims.evidence import Verdict
from supercheck.decide.portfolio import decide
from supercheck.spec.formula import Formula


def asked(name: str) -> Claims:
    spec = read_spec(SPECS / f"{name}.toml")
    assert spec.source.file is not None
    return pose(load(spec.source.file, spec.source.layers), spec)


def cuts(claims: Claims) -> list[networks.Cut]:
    return networks.cuts(claims, Wiring(claims.network), patterns(claims.formulas, claims.cube).inputs)


@given(questions())
def test_what_is_proved_keeps_to_every_floor_of_the_network(question: Question) -> None:
    claims = question.claims
    readout = claims.readout
    assume(readout.mode != "epsilon" or (readout.within or 0) < Fraction(1, 2))
    result = decide(claims)
    needed = log2(max(1, len(patterns(claims.formulas, claims.cube))), up=False)
    low = [layer for layer in states(claims.network, claims.cube) if networks.value_bits(layer) < needed]
    missed = [cut for cut in cuts(claims) if cut.carried < cut.needed]
    missing, _ = networks.missing_paths(claims, Wiring(claims.network))
    if result.verdict is Verdict.PROVED:
        assert (low, missed, missing) == ([], [], [])


@given(questions())
def test_a_missing_path_refutes_with_a_replayed_input(question: Question) -> None:
    claims = question.claims
    wiring = Wiring(claims.network)
    found, unseen = networks.missing_paths(claims, wiring)
    assert not unseen
    known = {(path.output, path.feature) for path in found}
    assert known <= set(wiring.missing(claims.formulas))
    for path in found:
        counterexample = path.counterexample
        active = frozenset(counterexample.active)
        assert meaning(claims.formulas[path.output])(active) == bool(counterexample.expected)
        x = [int(j in active) for j in range(claims.domain.features)]
        assert claims.network.run(x)[path.output] == counterexample.value
        if not claims.separable:
            assert claims.readout.wrong(counterexample.value, counterexample.expected)
    for output, feature in set(wiring.missing(claims.formulas)) - known:
        wide = claims.readout.mode == "epsilon" and (claims.readout.within or 0) >= Fraction(1, 2)
        assert wide or networks.depends(claims.formulas[output], feature, claims.domain.max_active) == ()


@given(
    st.integers(1, 5).flatmap(lambda m: st.tuples(st.just(m), formulas(m), st.integers(0, m - 1), st.integers(0, m)))
)
def test_dependence_is_that_of_brute_force(question: tuple[int, Formula, int, int]) -> None:
    m, formula, feature, k = question
    mean = meaning(formula)
    pairs = [
        set(active)
        for active in inputs(m, k)
        if feature in active and mean(frozenset(active)) != mean(frozenset(active) - {feature})
    ]
    found = networks.depends(formula, feature, k)
    if not pairs:
        assert found == ()
        return
    assert found
    off, on = found
    assert not mean(off)
    assert mean(on)
    assert off ^ on == {feature}
    assert max(len(off), len(on)) == min(map(len, pairs)) <= k


def test_a_dependence_that_is_too_much_to_find_out_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "_MOST_ASSIGNMENTS", 10)
    assert networks.depends(parse("atleast(7, x0, x1, x2, x3, x4, x5, x6, x7)"), 0, 8) is None
    assert networks.depends(parse("x0 | x1"), 0, 8) == (frozenset(), frozenset({0}))


def test_one_weight_removed_is_refuted_by_the_wiring_alone() -> None:
    claims = asked("refuted/missing_path")
    [path], unseen = networks.missing_paths(claims, Wiring(claims.network))
    assert (path.output, path.feature, unseen) == (7, 4, 0)
    assert (path.counterexample.active, path.counterexample.value) == ((1, 4), 0)


def test_inseparable_for_want_of_a_path() -> None:
    net = network([([[1, 0]], [0], False)])  # type: ignore[list-item]
    claims = pose(net, Spec(KSparse(2, 2), (gate("and", [0, 1]),), Readout("separable")))
    [path], _ = networks.missing_paths(claims, Wiring(net))
    assert (path.counterexample.active, path.counterexample.expected) == ((0,), 0)
    assert path.counterexample.against is not None
    assert path.counterexample.against.active == (0, 1)


def test_a_wide_tolerance_needs_no_path() -> None:
    net = network([([[0, 0]], [Fraction(1, 2)], False)])  # type: ignore[list-item]
    spec = Spec(KSparse(2, 2), (gate("and", [0, 1]),), Readout("epsilon", within=Fraction(1, 2)))
    claims = pose(net, spec)
    assert networks.missing_paths(claims, Wiring(net)) == ([], 0)
    assert decide(claims).verdict is Verdict.PROVED


def test_a_bottleneck_is_found_by_max_flow() -> None:
    """Three features copied through one neuron that takes four values: eight output vectors need three bits."""
    net = network([([[1, 1, 1]], [0], True), ([[1], [1], [1]], [0, 0, 0], False)])  # type: ignore[list-item]
    claims = pose(
        net, Spec(KSparse(3, 3), tuple(map(parse, ("x0", "x1", "x2"))), Readout("threshold", at=Fraction(1, 2)))
    )
    [cut] = cuts(claims)
    assert (cut.carried, cut.needed) == (2, 3)
    [layer] = states(net, claims.cube)
    assert networks.value_bits(layer) == 2  # 0 to 3


def test_the_cut_behind_a_hub_counts_values_with_the_hub_on() -> None:
    """x0 with each of three partners through one neuron: with x0 on it takes two values, and four vectors come out."""
    pairs = [gate("and", [0, j]) for j in (1, 2, 3)]
    weight = [[1, 1, 1, 1]]
    net = network([(weight, [-1], True), ([[1]] * 3, [0] * 3, False)])  # type: ignore[list-item]
    claims = pose(net, Spec(KSparse(4, 2), tuple(pairs), Readout("threshold", at=Fraction(1, 2))))
    hub = next(cut for cut in cuts(claims) if "x0" in cut.where)
    assert (hub.carried, hub.needed) == (1, 2)
    assert decide(claims).verdict is Verdict.REFUTED


def test_a_wrong_table_is_seen_by_a_cut() -> None:
    assert any(cut.carried < cut.needed for cut in cuts(asked("refuted/truth_table_wrong")))


@pytest.mark.parametrize("pair", list(combinations(range(3), 2)))
def test_cuts_in_steps_give_the_same_values(pair: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    claims = asked("proved/channel_eighths")
    every = [frozenset(active) for active in inputs(12, 2)]
    whole = [values.tolist() for values in networks.layer_values(claims.network, every)]
    monkeypatch.setattr(networks, "_CELLS", 1 + 200 * pair[1])
    assert [values.tolist() for values in networks.layer_values(claims.network, every)] == whole
