"""The slot rule decides, measures and counts what plain evaluation of all inputs says; no unsound rule would."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from shutil import which

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st
from shallow import drawn
from test_engines import Question, answers, brute_force, questions, sizes

from supercheck.base.errors import FaultError
from supercheck.base.matrix import Rows
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Verdict
from supercheck.claims.replay import replay
from supercheck.decide import slots
from supercheck.decide.kernels import slots as kernel
from supercheck.decide.kernels.build import FLAGS, HERE
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.relaxation import TOO_WIDE
from supercheck.decide.slot_counts import failures
from supercheck.decide.slot_layout import ONE_LAYER, Layout
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import AtLeast, Formula, Var
from supercheck.spec.readout import Goal, Readout

ONE = Limits(workers=1)
MARGINS = Limits(workers=1, margins=True)


def decided(claims: Claims, limits: Limits = ONE) -> list[slots.Decision]:
    found = answers(slots, claims, limits)
    return [found[i] for i in range(len(claims))]


def counted(claims: Claims, limits: Limits = ONE) -> dict[int, int | None]:
    parts = failures(claims, range(len(claims)), limits, Clock.start(None))
    return {i: count for part in parts for i, count in part.items()}


def shallow(question: Question) -> Claims:
    """A question that the slot rule may not leave open."""
    claims = question.claims
    layout = Layout.of(claims)
    assume(not isinstance(layout, str))
    assert isinstance(layout, Layout)
    assume(not layout.wide.any())
    return claims


def disagreement(seed: int) -> str | None:
    """What the slot rule says of a random question that plain evaluation does not; None where they agree."""
    question = drawn(seed)
    if question is None:
        return None
    claims = question.claims
    layout = Layout.of(claims)
    assert isinstance(layout, Layout)
    for limits in (ONE, MARGINS):
        for i, decision in enumerate(decided(claims, limits)):
            if decision.verdict is Verdict.UNKNOWN:
                if not layout.wide[i]:
                    return f"seed {seed}, output {i}: {decision.reason}"
                continue
            if (decision.verdict is Verdict.REFUTED) != question.refuted(i):
                return f"seed {seed}, output {i}: {decision.verdict}"
            if decision.verdict is Verdict.REFUTED:
                replay(claims, [decision])
            if limits is MARGINS:
                assert decision.extremes is not None
                off, on = decision.extremes.off, decision.extremes.on
                values = off and off.value, on and on.value
                if question.claims.readout.mode in ("epsilon", "equality"):
                    values = off and abs(off.value), on and abs(on.value - 1)
                if values != question.worst(i):
                    return f"seed {seed}, output {i}: {values}, not {question.worst(i)}"
    if not claims.separable:
        for i, count in counted(claims).items():
            if count != question.failures(i) and not (count is None and layout.wide[i]):
                return f"seed {seed}, output {i}: {count} failures, not {question.failures(i)}"
    return None


@pytest.mark.parametrize("first", range(0, 400, 50))
def test_a_thousand_random_claims_are_decided_measured_and_counted_as_all_inputs_say(first: int) -> None:
    assert [found for seed in range(first, first + 50) if (found := disagreement(seed))] == []


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1_000, 11_000, 1_000))
def test_a_hundred_thousand_random_claims_are_decided_as_all_inputs_say(first: int) -> None:
    assert [found for seed in range(first, first + 1_000) if (found := disagreement(seed))] == []


@settings(max_examples=settings.default.max_examples // 2)
@given(questions())
def test_the_slot_rule_agrees_with_brute_force_on_verdicts(question: Question) -> None:
    claims = shallow(question)
    found = [size is not None for size in sizes(claims, dict(enumerate(decided(claims))))]
    assert found == [size is not None for size in brute_force(question).smallest]


def test_outputs_gathered_one_by_one_are_decided_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supercheck.decide.slot_layout._DENSE", 0)
    assert [found for seed in range(500, 600) if (found := disagreement(seed))] == []


def test_what_nodes_leave_open_is_unknown_and_never_more() -> None:
    for seed in range(60):
        question = drawn(seed)
        if question is None:
            continue
        for i, decision in enumerate(decided(question.claims, replace(ONE, nodes=1))):
            if decision.verdict is Verdict.UNKNOWN:
                assert decision.reason in ("1 nodes of the slot rule leave it open", TOO_WIDE)
            else:
                assert (decision.verdict is Verdict.REFUTED) == question.refuted(i)


def test_a_network_without_one_hidden_layer_is_left_to_other_engines() -> None:
    deep = Network.of([Affine(Rows.from_dense(np.eye(2)), np.zeros(2), relu) for relu in (True, True, False)])
    claims = Claims(deep, deep, KSparse(2, 1), [Var(0), Var(1)], Readout("threshold", Fraction(1, 2)))
    assert [(d.verdict, d.reason) for d in decided(claims)] == [(Verdict.UNKNOWN, ONE_LAYER)] * 2


def test_a_deadline_that_has_passed_leaves_everything_unknown() -> None:
    question = drawn(3)
    assert question is not None
    clock = Clock.start(1e-9)
    found = [d for part in slots.decide(question.claims, range(len(question.claims)), ONE, clock) for d in part]
    assert {(d.verdict, d.reason) for d in found} == {(Verdict.UNKNOWN, clock.reason)}


def test_a_deadline_ends_a_search_and_leaves_what_it_was_at_unknown() -> None:
    rng = np.random.default_rng(0)
    weight, readout = (rng.normal(size=shape).astype(np.float32).astype(np.float64) for shape in ((60, 60), (9, 60)))
    layers = [Affine(Rows.from_dense(weight), np.zeros(60), True), Affine(Rows.from_dense(readout), np.zeros(9), False)]
    network, functions = Network.of(layers), [Var(j) for j in range(9)]
    claims = Claims(network, network, KSparse(60, 30), functions, Readout("separable"))
    clock = Clock.start(0.1)
    found = [d for part in slots.decide(claims, range(9), replace(ONE, nodes=1 << 30), clock) for d in part]
    assert sorted(d.output for d in found) == list(range(9))
    assert {(d.verdict, d.reason) for d in found} == {(Verdict.UNKNOWN, clock.reason)}


def test_an_array_that_does_not_fit_is_a_fault() -> None:
    question = drawn(3)
    assert question is not None
    layout = Layout.of(question.claims)
    assert isinstance(layout, Layout)
    chosen, _ = layout.parted([0])
    own = layout.memory(chosen, np.zeros(1, dtype=np.int8))
    goals = np.zeros((2, 2, 2)), np.zeros((2, 2, 2), dtype=np.uint64)
    [cases] = {id(c.cases): c.cases for c in slots._chunks(question.claims, [0], 1, Clock.start(None))}.values()
    asked = kernel.Asked.of(chosen, np.zeros((1, 0), dtype=np.int32), goals, len(cases.values), 1, 1)
    with pytest.raises(FaultError, match="do not fit"):
        kernel.search(layout.flat, layout.slots, own, cases, asked)


# The rule itself, in Python's fractions. `bent` says which line of it is another one.


def bound(
    weight: list[list[int]], bias: list[int], row: list[int], on: set[int], off: set[int], room: int, bent: str = ""
) -> Fraction:
    """DECIDE.md, section 3: an upper bound of row . h with these features fixed and at most `room` others on."""
    features = len(weight[0]) if weight else 0
    free = [j for j in range(features) if j not in on | off]
    r = min(room, len(free)) if bent != "room that is not capped" else room
    slots_ = max(r - 1, 1) if bent == "a slot too few" else r
    base, gains = Fraction(0), dict.fromkeys(free, Fraction(0))
    for c, w, b in zip(row, weight, bias, strict=True):
        z = Fraction(b + sum(w[j] for j in on))
        mean = Fraction(sum(w), max(features, 1))
        above: Callable[[Fraction], Fraction]
        if r == 0 or (r == 1 and c < 0):  # exact
            base += c * max(z, 0)
            for j in free:
                gains[j] += c * (max(z + w[j], Fraction(0)) - max(z, Fraction(0)))
        elif c > 0 or bent == "a chord below":
            above = lambda v, z=z: max(z / slots_ + v, Fraction(0))  # type: ignore[misc]  # noqa: E731
            if bent == "a line above 1":
                above = lambda v, z=z: (z / slots_ + v) * Fraction(1, 2)  # type: ignore[misc]  # noqa: E731
            base += c * slots_ * above(Fraction(0))
            for j in free:
                gains[j] += c * (above(Fraction(w[j])) - above(Fraction(0)))
        elif z + r * mean > 0:  # the line z, or 0
            slope = 2 if bent == "a line below of slope 2" else 1
            base += slope * c * z
            for j in free:
                gains[j] += slope * c * w[j]
        elif bent == "a line below that is lifted":
            base += c * Fraction(1)
    return base + sum(sorted((g for g in gains.values() if g > 0), reverse=True)[:r])


BENT = ["a slot too few", "a chord below", "a line above 1", "a line below of slope 2", "a line below that is lifted"]


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[list[int]], list[int], list[int], set[int], set[int], int]:
    """A hidden layer of small integers, an output row, fixed features, and how many more may be on."""
    m, n = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    whole = st.integers(-9, 9) | st.just(0)
    weight = draw(st.lists(st.lists(whole, min_size=m, max_size=m), min_size=n, max_size=n))
    bias, row = (draw(st.lists(whole, min_size=n, max_size=n)) for _ in range(2))
    state = draw(st.lists(st.sampled_from(["free", "free", "on", "off"]), min_size=m, max_size=m))
    on, off = ({j for j in range(m) if state[j] == word} for word in ("on", "off"))
    return weight, bias, row, on, off, draw(st.integers(0, m))


def greatest(
    weight: list[list[int]], bias: list[int], row: list[int], on: set[int], off: set[int], room: int
) -> Fraction:
    """The same by trying everything."""
    free = [j for j in range(len(weight[0])) if j not in on | off]
    chosen = [on | set(s) for size in range(min(room, len(free)) + 1) for s in combinations(free, size)]
    return Fraction(
        max(
            sum(c * max(b + sum(w[j] for j in x), 0) for c, w, b in zip(row, weight, bias, strict=True)) for x in chosen
        )
    )


@settings(max_examples=settings.default.max_examples * 3)
@given(cases())
def test_the_rule_is_never_below_what_is_attained_and_exact_with_one_feature_left(
    case: tuple[list[list[int]], list[int], list[int], set[int], set[int], int],
) -> None:
    stated, attained = bound(*case), greatest(*case)
    free = len(case[0][0]) - len(case[3] | case[4])
    assert stated >= attained
    if min(case[5], free) <= 1:
        assert stated == attained


def random_case(rng: np.random.Generator) -> tuple[list[list[int]], list[int], list[int], set[int], set[int], int]:
    m, n = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    weight, bias, row = (rng.integers(-5, 6, shape).tolist() for shape in ((n, m), n, n))
    return weight, bias, row, set(), set(range(m)[: int(rng.integers(0, 2))]), int(rng.integers(1, m + 1))


@pytest.mark.parametrize("bent", BENT)
def test_an_unsound_rule_falls_below_what_is_attained(bent: str) -> None:
    rng = np.random.default_rng(0)
    drawn_cases = [random_case(rng) for _ in range(300)]
    assert any(bound(*case, bent=bent) < greatest(*case) for case in drawn_cases)
    assert all(bound(*case) >= greatest(*case) for case in drawn_cases)


def test_a_room_that_is_not_capped_by_the_free_features_is_looser() -> None:
    rng = np.random.default_rng(1)
    drawn_cases = [(*random_case(rng)[:5], 9) for _ in range(100)]
    pairs = [(bound(*case, bent="room that is not capped"), bound(*case)) for case in drawn_cases]
    assert all(loose >= tight for loose, tight in pairs)
    assert any(loose > tight for loose, tight in pairs)


class Asked(Claims):
    """Claims with one goal of our own: the off class stays at or below it."""

    highest = 0

    def goal(self, output: int, on: bool) -> Goal:
        return Goal() if on else Goal(highest=self.highest)


@settings(max_examples=settings.default.max_examples * 2)
@given(cases())
def test_the_compiled_bound_closes_exactly_what_the_rule_closes(
    case: tuple[list[list[int]], list[int], list[int], set[int], set[int], int],
) -> None:
    """One node is bounded, that of the whole case: a function that is never on has no other."""
    weight, bias, row, _, _, room = case
    chain = [Affine(Rows.from_dense(np.array(weight)), np.array(bias), True),
             Affine(Rows.from_dense(np.array([row])), np.array([0]), False)]  # fmt: skip
    network = Network.of(chain)
    hidden, row = network.hidden[0], network.output.weight.dense()[0].tolist()
    kept = [t for t, c in enumerate(row) if c]
    weight = [hidden.weight.dense()[t].tolist() for t in kept]
    used = [j for j in range(network.features) if any(w[j] for w in weight)]  # what does not matter is left out
    cone = [[w[j] for j in used] for w in weight], [int(hidden.bias[t]) for t in kept], [row[t] for t in kept]
    never: Formula = AtLeast(1, ())
    claims = Asked(network, network, KSparse(network.features, room), [never], Readout("threshold", Fraction(0)))
    stated = bound(*cone, set(), set(), room)
    whole = stated.numerator // stated.denominator
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("supercheck.decide.slot_layout._DENSE", 0)
        for goal, closes in ((whole, True), (whole - 1, False)):
            object.__setattr__(claims, "highest", goal)
            [decision] = decided(claims, replace(ONE, nodes=1))
            assert (decision.verdict is Verdict.PROVED) == closes


# The same of the compiled search: each line of it matters.

MUTANTS = {
    "a slot too few": ("constant = common + (double)node->slots", "constant = common + (double)(node->slots - 1)"),
    "slots that are too wide": ("part = 1.0 / r", "part = 1.0 / (r + 1.0)"),
    "a line above the identity": ("upper || likely ? gain[t]", "upper ? gain[t] : likely ? 2.0 * gain[t]"),
    "the upper rule on both sides": ("upper = gain[t] > 0.0,", "upper = true,"),
    "an empty slot counted twice": ("-= empty;\n                    top", "-= 2.0 * empty;\n                    top"),
    "a prefix cut that is one short": ("node->next + 1, node->slots - 1) <=", "node->next + 1, node->slots - 2) <="),
    "a list of others that is one short": ("chosen + 1, node->slots - 2);", "chosen + 1, node->slots - 3);"),
    "a filter that is one short": ("(double)(node->slots - 1) * top", "(double)(node->slots - 2) * top"),
    "a room that is one short": ("? room - depth : node->count", "? room - depth - (depth > 0) : node->count"),
    "bounds that may miss by one": ("double goal = s->best->value - s->loose;",
                                    "double goal = s->best->value - s->loose + 1.0;"),
    "children without their own input": ("if (end == chosen + 1 && !alone)", "if (end == chosen + 1)"),
    "a leaf that leaves out its own input": ("alone ? -1 : 0; q", "0; q"),
    "values that doubles decide": ("if (lost || above == 0 || above >= HALF)", "if (!(gap > 0.0))"),
    "neurons that doubles decide": ("(z >= -slack && low != 0 && low < HALF)", "false"),
    "everything counted where a tie is not wrong": ("-s->best->value - 1.0 -", "-s->best->value + 1.0 -"),
    "everything counted by a bound that is one short": ("positive(node, 0, node->slots)",
                                                        "positive(node, 0, node->slots - 1)"),
    "one side asked twice": ("with_sign(s->side, total)", "total"),
    "a child that forgets a feature": ("child->count = end - chosen - 1;",
                                       "child->count = end - chosen - 1 - (end > chosen + 2);"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_a_search_with_one_line_changed_is_caught(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = which("cc") or which("gcc") or which("clang")
    if compiler is None:
        pytest.skip("no compiler for mutants")
    before, after = MUTANTS[name]
    sources = {file: (HERE / file).read_text() for file in ("slot_search.c", "slot_rule.h")}
    assert sum(source.count(before) for source in sources.values()) == 1
    for file, source in sources.items():
        (tmp_path / file).write_text(source.replace(before, after))
    files = [str(tmp_path / "slot_search.c"), str(HERE / "slots.c")]
    made = tmp_path / "mutant.so"
    subprocess.run([compiler, *FLAGS, "-Wno-error", f"-I{tmp_path}", f"-I{HERE}", "-o", str(made), *files], check=True)
    mutant = ctypes.CDLL(str(made)).sc_slots
    mutant.restype, mutant.argtypes = None, kernel._search().argtypes
    monkeypatch.setattr(kernel, "_search", lambda: mutant)

    def caught(seed: int) -> bool:
        try:
            return disagreement(seed) is not None
        except FaultError:  # it is not replayed
            return True

    assert any(caught(seed) for seed in range(3_000))
