"""The slot rule decides, measures and counts what plain evaluation of all inputs says; no unsound rule would."""

from __future__ import annotations

import ctypes
import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from shutil import which

import numpy as np
import pytest
from brute import brute_force
from common import EXAMPLES
from deciding import MARGINS, ONE, by_slots as decided, sizes
from hypothesis import assume, given, settings
from shallow import drawn
from strategies import Question, questions

from supercheck.base.errors import FaultError
from supercheck.base.matrix import Rows
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Refuted, Unknown, Verdict
from supercheck.claims.replay import replay
from supercheck.decide import relaxation, slots
from supercheck.decide.kernels import slots as kernel
from supercheck.decide.kernels.build import FLAGS, HERE
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.relaxation import TOO_WIDE
from supercheck.decide.slot_counts import failures
from supercheck.decide.slot_layout import ONE_LAYER, Layout
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import Var
from supercheck.spec.readout import Readout


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
            if isinstance(decision, Unknown):
                if not layout.wide[i]:
                    return f"seed {seed}, output {i}: {decision.reason}"
                continue
            if (decision.verdict is Verdict.REFUTED) != question.refuted(i):
                return f"seed {seed}, output {i}: {decision.verdict}"
            if isinstance(decision, Refuted):
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


@settings(max_examples=EXAMPLES // 2)
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
            if isinstance(decision, Unknown):
                assert decision.reason in ("1 nodes of the slot rule leave it open", TOO_WIDE)
            else:
                assert (decision.verdict is Verdict.REFUTED) == question.refuted(i)


def test_a_network_without_one_hidden_layer_is_left_to_other_engines() -> None:
    deep = Network.of([Affine(Rows.from_dense(np.eye(2)), np.zeros(2), relu) for relu in (True, True, False)])
    claims = Claims(deep, deep, KSparse(2, 1), [Var(0), Var(1)], Readout("threshold", Fraction(1, 2)))
    assert decided(claims) == [Unknown(0, ONE_LAYER), Unknown(1, ONE_LAYER)]


def test_a_deadline_that_has_passed_leaves_everything_unknown() -> None:
    question = drawn(3)
    assert question is not None
    clock = Clock.start(1e-9)
    found = [d for part in slots.decide(question.claims, range(len(question.claims)), ONE, clock) for d in part]
    assert all(isinstance(d, Unknown) and d.reason == clock.reason for d in found)


def test_a_deadline_ends_a_search_and_leaves_what_it_was_at_unknown() -> None:
    rng = np.random.default_rng(0)
    weight, readout = (rng.normal(size=shape).astype(np.float32).astype(np.float64) for shape in ((60, 60), (9, 60)))
    layers = [Affine(Rows.from_dense(weight), np.zeros(60), True), Affine(Rows.from_dense(readout), np.zeros(9), False)]
    network, functions = Network.of(layers), [Var(j) for j in range(9)]
    claims = Claims(network, network, KSparse(60, 30), functions, Readout("separable"))
    clock = Clock.start(0.1)
    found = [d for part in slots.decide(claims, range(9), replace(ONE, nodes=1 << 30), clock) for d in part]
    assert sorted(d.output for d in found) == list(range(9))
    assert all(isinstance(d, Unknown) and d.reason == clock.reason for d in found)


def test_an_array_that_does_not_fit_is_a_fault() -> None:
    question = drawn(3)
    assert question is not None
    layout = Layout.of(question.claims)
    assert isinstance(layout, Layout)
    chosen, _ = layout.parted([0])
    own = layout.memory(chosen, np.zeros(1, dtype=np.int8))
    goals = np.zeros((2, 2, 2)), np.zeros((2, 2, 2), dtype=np.uint64)
    [cases] = {id(c.cases): c.cases for c in relaxation._chunks(question.claims, [0], 1, Clock.start(None))}.values()
    asked = kernel.Asked.of(chosen, np.zeros((1, 0), dtype=np.int32), goals, len(cases.values), 1, 1)
    with pytest.raises(FaultError, match="do not fit"):
        kernel.search(layout.flat, layout.slots, own, cases, asked)


# Each line of the compiled search matters.

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
