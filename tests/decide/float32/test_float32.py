"""Verdicts on float32: no machine contradicts one; and the networks that were made to break them."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import pytest
from common import HALF, SPECS
from floats import kinds32
from hypothesis import given, settings, strategies as st
from machines import Machine, binary, rounded
from oracle import Stored, inputs
from strategies import Question, meaning, network, questions

from supercheck import read_spec, verify
from supercheck.base.binary32 import nearest
from supercheck.claims.claims import pose
from supercheck.claims.evidence import Verdict
from supercheck.claims.result import Result
from supercheck.decide.float32.portfolio import decide_float32
from supercheck.decide.limits import Limits
from supercheck.decide.portfolio import decide
from supercheck.network.formats.load import load
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import gate
from supercheck.spec.readout import Readout
from supercheck.spec.spec import Spec

F = Fraction
PROVED, REFUTED, UNKNOWN = Verdict.PROVED, Verdict.REFUTED, Verdict.UNKNOWN


def ask(stored: Stored, function: str, over: list[int], k: int, readout: Readout = HALF) -> Result:
    """A network with one output."""
    spec = Spec(KSparse(len(stored[0][0][0]), k), (gate(function, over),), readout)
    return decide_float32(pose(network(stored), spec))


def outcome(result: Result) -> tuple[Verdict, str | None]:
    assert result.rounding is not None
    return result.verdict, result.rounding.order


def wrongs(readout: Readout, y: Fraction, on: bool) -> list[bool]:
    """Whether y is wrong, by everything that programs make of the threshold."""
    if readout.at is None:
        return [abs(y - on) > (readout.within or 0)]
    at = readout.at + readout.margin if on else readout.at - readout.margin
    double = F(at.numerator / at.denominator)
    return [(y > t) != on for t in (at, nearest(at), double, nearest(double))]


def runs(question: Question, active: tuple[int, ...], seeds: range) -> list[list[Fraction]]:
    x = binary(active, question.spec.domain.features)
    found = []
    for seed in seeds:
        try:
            found.append(Machine.any(seed).run(question.stored, x))
        except OverflowError:
            found.append([F(2) ** 999 * (-1) ** seed] * len(question.spec.formulas))
    return found


@given(questions(kinds32), st.integers(0, 2**32))
def test_no_machine_contradicts_a_verdict(question: Question, seed: int) -> None:
    claims, readout, domain = question.claims, question.spec.readout, question.spec.domain
    result = decide_float32(claims)
    assert result.real_verdict is decide(claims).verdict
    assert result.verdict is not UNKNOWN or result.reason
    seeds, functions = range(seed, seed + 5), [meaning(f) for f in question.spec.formulas]
    seen = {
        active: list(zip(*runs(question, active, seeds), strict=True))
        for active in inputs(domain.features, domain.max_active)
    }
    for i, output in enumerate(result.outputs):
        on = {active: functions[i](frozenset(active)) for active in seen}
        high = [y for active in seen if not on[active] for y in seen[active][i]]
        low = [y for active in seen if on[active] for y in seen[active][i]]
        found = output.counterexample
        if output.verdict is PROVED and readout.mode == "separable":
            assert not high or not low or max(high) < min(low)
        elif output.verdict is PROVED:
            assert not any(any(wrongs(readout, y, on[active])) for active in seen for y in seen[active][i])
        elif output.verdict is REFUTED:
            assert found is not None
            assert found.expected == on[found.active]
    if result.verdict is not REFUTED:
        return
    found, by_machine = result.counterexample, seen[result.counterexample.active][result.counterexample.output]
    if readout.mode == "separable":
        assert found.against is not None
        assert found.value >= found.against.value
        against = seen[found.against.active][found.output]
        assert result.in_the_order_shown or min(by_machine) >= max(against)
    elif result.in_the_order_shown:
        assert any(wrongs(readout, found.value, bool(found.expected)))
        assert rounded(found.value) == found.value
    else:
        assert all(all(wrongs(readout, y, bool(found.expected))) for y in by_machine)
    if found.minimal and not result.in_the_order_shown:
        at_less = [active for active in seen if len(active) < found.size]
        assert readout.mode == "separable" or not any(
            any(wrongs(readout, y, functions[i](frozenset(active))))
            for active in at_less
            for i in range(len(functions))
            for y in seen[active][i]
        )


@settings(max_examples=50)
@given(questions(kinds32))
def test_each_engine_says_the_same_or_does_not_know(question: Question) -> None:
    known = decide_float32(question.claims)
    for engine in ("bound", "branch", "enumerate"):
        found = decide_float32(question.claims, Limits(engine=engine))
        assert UNKNOWN in (found.verdict, known.verdict) or found.verdict is known.verdict


# The networks that were made to break it: where sums cancel, overflow or tie.


def copies(*weights: Fraction) -> Stored:
    """One feature read through a neuron for each weight."""
    return [([[F(1)]] * len(weights), [F(0)] * len(weights), True), ([list(weights)], [F(0)], False)]


def test_c_and_1_and_minus_c() -> None:
    assert outcome(ask(copies(F(2**24 - 1), F(1), F(1 - 2**24)), "copy", [0], 1)) == (PROVED, "every")
    found = ask(copies(F(2**24), F(1), F(-(2**24))), "copy", [0], 1)
    assert (found.real_verdict, *outcome(found)) == (PROVED, REFUTED, "shown")
    assert found.counterexample.value == 0


def half_of(c: int) -> Stored:
    """Half of c copies of a stored 1/c are on where x0 is; x1 is not connected."""
    weight = nearest(F(1, c))
    return [([[F(1), F(0)]] * (c // 2), [F(0)] * (c // 2), True), ([[weight] * (c // 2)], [F(0)], False)]


def test_half_of_fifty_copies_are_right_in_reals_and_wrong_in_the_order_shown() -> None:
    found = ask(half_of(50), "and", [0, 1], 1)
    assert (found.real_verdict, *outcome(found)) == (PROVED, REFUTED, "shown")
    assert found.counterexample.value > F(1, 2)


@pytest.mark.parametrize("c", [6, 10, 12])
def test_half_of_c_copies_are_wrong_in_reals_and_right_in_float32(c: int) -> None:
    stored = half_of(c)
    assert all(Machine.any(seed).run(stored, [1, 0]) == [F(1, 2)] for seed in range(200))
    found = ask(stored, "and", [0, 1], 1)
    assert (found.real_verdict, *outcome(found)) == (REFUTED, PROVED, "every")


def test_a_product_that_is_flushed_to_zero_is_not_proved_to_be_above_it() -> None:
    stored: Stored = [([[F(1, 2**60)]], [F(0)], True), ([[F(1, 2**80)]], [F(0)], False)]
    assert {Machine.any(seed).run(stored, [1])[0] for seed in range(20)} == {0, F(1, 2**140)}
    found = ask(stored, "copy", [0], 1, Readout("threshold", F(0)))
    assert (found.real_verdict, *outcome(found)) == (PROVED, UNKNOWN, None)


def test_a_threshold_that_may_be_flushed_to_zero_is_not_covered() -> None:
    found = ask(copies(F(1)), "copy", [0], 1, Readout("threshold", F(1, 2**130)))
    assert (found.real_verdict, *outcome(found)) == (PROVED, UNKNOWN, None)
    assert "subnormal" in str(found.reason)


def test_a_sum_that_overflows_in_some_order_is_not_proved() -> None:
    big = nearest(F(3 * 10**38))
    found = ask(copies(big, big, -big), "copy", [0], 1)
    assert (found.real_verdict, *outcome(found)) == (PROVED, UNKNOWN, None)
    assert "past the range of float32" in str(found.reason)
    assert outcome(ask(copies(big, -big), "copy", [0], 0)) == (PROVED, "every")


def test_a_stored_tenth_is_above_a_tenth_and_not_above_a_float32_tenth() -> None:
    tenth = nearest(F(1, 10))
    found = ask(copies(tenth), "copy", [0], 1, Readout("threshold", F(1, 10)))
    assert (found.real_verdict, *outcome(found)) == (PROVED, REFUTED, "shown")
    assert outcome(ask(copies(tenth), "nand", [0], 0, Readout("threshold", F(-1, 10)))) == (PROVED, "every")


@pytest.mark.parametrize("power", [8, 16, 18, 19, 21, 22, 26])
def test_a_cancelling_pair_in_a_trained_network(power: int) -> None:
    """Two neurons that are always on and cancel, of size 1.23 * 2^power: the larger, the more they round away."""
    spec = read_spec(SPECS / "proved" / "trained_and8.toml")
    first, second = load(SPECS / "proved" / "trained_and8.onnx").stored
    size = nearest(F(123, 100)) * 2**power
    stored: Stored = []
    for layer, ends in ((first, ()), (second, (F(1), F(-1)))):
        weight = [[F(w) for w in row] + list(ends) for row in layer.weight.dense().tolist()]
        stored.append((weight, [F(b) for b in layer.bias.tolist()], layer.relu))
    stored[0][0].extend([[F(0)] * 8] * 2)
    stored[0][1].extend([size, size])
    claims = pose(network(stored), spec)
    result = decide_float32(claims)
    assert result.real_verdict is PROVED
    assert result.verdict is (PROVED if power <= 18 else UNKNOWN if power == 19 else REFUTED)
    if power == 19:
        assert "is within the rounding bound ~0.46875" in str(result.reason)
    broken = [
        (i, active, seed)
        for seed in range(3)
        for active in ((0, 1, 2), (3, 6), (4,))
        for i, y in enumerate(Machine.any(seed).run(stored, binary(active, 8)))
        if (y > F(1, 2)) != meaning(spec.formulas[i])(frozenset(active))
    ]
    assert not (broken and result.verdict is PROVED)
    if result.verdict is REFUTED:
        assert outcome(result) == (REFUTED, "shown")
        assert as_shown(stored, result) == result.counterexample.value


def as_shown(stored: Stored, result: Result) -> Fraction:
    """Evaluate the counterexample as a reader of the report would, in the order that is shown."""
    [shown] = [note for note in result.notes if note.startswith("In this order")]
    orders = {
        (int(depth), int(row)): order.split(" + ")
        for depth, row, order in re.findall(r"layer (\d+)\[(\d+)\] = ([a-z0-9 +]+)", shown)
    }
    h = [F(value) for value in binary(result.counterexample.active, len(stored[0][0][0]))]
    for depth, (weight, bias, relu) in enumerate(stored):
        z = []
        for row, (weights, b) in enumerate(zip(weight, bias, strict=True)):
            names = orders.get((depth, row), [f"h{j}" for j in range(len(h))] + ["bias"])
            total = F(0)
            for name in names:
                total = rounded(total + (b if name == "bias" else rounded(weights[int(name[1:])] * h[int(name[1:])])))
            z.append(total)
        h = [max(value, F(0)) for value in z] if relu else z
    return h[result.counterexample.output]


# The mode matrix: y is within 2^-24 of 1 where the feature is on, and 0 where it is off.

THIRDS: Stored = copies(*[nearest(F(1, 3))] * 3)
TENTHS: Stored = copies(*[nearest(F(n, 10)) for n in (1, 2, 7)])


@pytest.mark.parametrize("stored", [THIRDS, TENTHS])
@pytest.mark.parametrize(
    ("readout", "expected"),
    [
        (Readout("threshold", F(3, 4)), PROVED),
        (Readout("threshold", F(1, 2), F(2, 5)), PROVED),
        (Readout("threshold", F(1, 2), F(1, 2) - F(1, 2**26)), REFUTED),  # a margin that float32 reads as 1/2
        (Readout("threshold", F(1, 2), F(5, 9)), REFUTED),
        (Readout("epsilon", within=F(1, 10**6)), PROVED),
        (Readout("separable"), PROVED),
    ],
)
def test_every_mode(stored: Stored, readout: Readout, expected: Verdict) -> None:
    assert ask(stored, "copy", [0], 1, readout).verdict is expected


@pytest.mark.parametrize("readout", [Readout("epsilon", within=F(1, 10**9)), Readout("equality")])
def test_a_value_that_every_tree_rounds_to_what_is_asked_is_right(readout: Readout) -> None:
    found = ask(THIRDS, "copy", [0], 1, readout)
    assert (found.real_verdict, *outcome(found)) == (REFUTED, PROVED, "every")
    assert outcome(ask(copies(F(1, 2), F(1, 2)), "copy", [0], 1, readout)) == (PROVED, "every")
    assert outcome(ask(copies(F(1, 2), F(1, 4)), "copy", [0], 1, readout)) == (REFUTED, "every")


def test_classes_that_rounding_can_swap_are_not_separable() -> None:
    """Both outputs are sums of the same numbers, and the on value is larger by less than an ulp."""
    close: Stored = [([[F(1), F(0)]] * 3 + [[F(0), F(1)]] * 3, [F(0)] * 6, True)]
    third = nearest(F(1, 3))
    close.append(([[third, third, third + F(1, 2**25), third, third, third]], [F(0)], False))
    found = ask(close, "copy", [0], 1, Readout("separable"))
    assert found.real_verdict is PROVED
    assert outcome(found) == (REFUTED, "shown")
    assert found.counterexample.against is not None
    assert found.counterexample.value >= found.counterexample.against.value


def test_a_vacuous_class_is_no_hindrance() -> None:
    assert outcome(ask(THIRDS, "copy", [0], 0)) == (PROVED, "every")


@pytest.mark.parametrize("name", ["trained_or_deep", "edge_code", "group_testing", "channel_decoder"])
def test_several_layers_encoders_and_decoders_are_layers_as_they_are_stored(name: str) -> None:
    spec = replace(read_spec(SPECS / "proved" / f"{name}.toml"), arithmetic="float32")
    assert outcome(verify(None, spec)) == (PROVED, "every")


@pytest.mark.parametrize(
    ("name", "why"),
    [("power_sums", "no float32 numbers"), ("onnx_operators", "not one sum of products and a bias")],
)
def test_what_the_theorem_does_not_cover_is_unknown(name: str, why: str) -> None:
    found = verify(None, replace(read_spec(SPECS / "proved" / f"{name}.toml"), arithmetic="float32"))
    assert (found.real_verdict, *outcome(found)) == (PROVED, UNKNOWN, None)
    assert why in str(found.reason)


def test_an_interrupt_leaves_the_verdict_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("supercheck.decide.float32.portfolio.settle", interrupt)
    found = ask(copies(F(2**24), F(1), F(-(2**24))), "copy", [0], 1)
    assert (found.verdict, found.reason) == (UNKNOWN, "interrupted")
