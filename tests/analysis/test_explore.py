"""Explorations against brute force: failing inputs, minimal counterexamples, ledgers, mends, weights that move."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import comb
from pathlib import Path
from random import Random

import pytest
from brute import SOME, Brute, Pair, explored
from common import EXAMPLES, HALF, SPECS
from hypothesis import given, settings, strategies as st
from oracle import Stored, run
from strategies import Question, meaning, questions
from trained import NAMES, question

from supercheck import InputError, KSparse, Limits, Readout, Spec, Verdict, explore, gate
from supercheck.analysis.explore import failures as failing, search as exploration
from supercheck.analysis.explore.result import Case, Count, Exploration
from supercheck.analysis.explore.search import ExploreOptions, examine
from supercheck.base.matrix import Rows, exact_array
from supercheck.cli import app as cli
from supercheck.decide.limits import Clock
from supercheck.decide.portfolio import decide
from supercheck.network.formats.load import load
from supercheck.network.formats.tensors import LayerNames
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.report.explore.json import explore_object
from supercheck.spec.formula import AtLeast, Formula, Not, Var, Xor

MANY = max(300, EXAMPLES)  # nightly: 20,000


def pairs(found: Exploration) -> set[Pair]:
    return {(case.output, case.active) for case in found.cases}


def check_case(asked: Question, brute: Brute, found: Exploration, case: Case) -> None:
    """A case fails, is what it says it is, and its ledger adds up."""
    pair = (case.output, case.active)
    assert pair in brute.fails
    y = run(asked.stored, [int(j in case.active) for j in range(brute.features)])
    assert case.value == y[case.output]
    assert case.expected == meaning(asked.spec.formulas[case.output])(frozenset(case.active))
    assert case.minimum == (len(case.active) == brute.least(case.output))
    assert case.inclusion_minimal == brute.mended(pair, 0)
    assert case.flip_stable == brute.mended(pair, max(0, len(case.active) - 1))
    check_ledger(found, case)


def check_ledger(found: Exploration, case: Case) -> None:
    ledger = found.ledger(case)
    assert sum(entry.value for entry in ledger.entries) == case.value
    assert sum(ledger.total(source) for source in ledger.sources) == case.value
    assert sum(by for _, by in ledger.moved) == (case.value - ledger.alone if found.claims.network.hidden else 0)
    assert set(ledger.fired) <= set(ledger.firing)
    assert not set(ledger.silenced) & set(ledger.firing)
    assert ledger.own + ledger.others == tuple(sorted(ledger.own) + sorted(ledger.others))
    assert set(ledger.own + ledger.others) == set(case.active)


def check_everything(asked: Question) -> None:
    """Every failing input is counted, every minimal counterexample is found, and each is what it says it is."""
    brute, found = Brute.of(asked), explored(asked)
    for row in found.profile:
        failing = {active for _, active in brute.fails if len(active) <= row.k}
        assert row.inputs == KSparse(brute.features, row.k).size
        assert row.wrong_inputs == Count(len(failing))
        assert row.wrong_inputs_exactly == Count(sum(len(active) == row.k for active in failing))
        assert row.inputs_exactly == comb(brute.features, row.k)
        assert row.wrong_outputs == Count(len({i for i, active in brute.fails if len(active) <= row.k}))
        margins = [margin for margin in (row.margin_on, row.margin_off) if margin is not None]
        assert any(margin <= 0 for margin in margins) if failing else all(margin >= 0 for margin in margins)
    assert [row.k for row in found.profile] == list(range(brute.k + 1))
    assert found.complete
    assert pairs(found) == brute.minimal
    assert found.cases == tuple(sorted(found.cases, key=lambda case: case.order))
    for case in found.cases:
        check_case(asked, brute, found, case)


@given(questions(separable=False))
@settings(max_examples=MANY)
def test_every_failing_input_is_counted_and_every_minimal_one_found(asked: Question) -> None:
    check_everything(asked)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_ten_thousand_random_questions(part: int) -> None:
    random, failing = Random(part), 0
    for _ in range(1000):
        asked = random_question(random)
        check_everything(asked)
        failing += bool(Brute.of(asked).fails)
    assert failing > 500  # the questions ask something


def random_question(random: Random) -> Question:
    """A small network and functions, mostly wrong somewhere."""
    sizes = [random.randint(2, 6), *(random.randint(1, 4) for _ in range(random.randint(0, 2))), random.randint(1, 3)]
    stored: Stored = []
    for before, after in pairwise(sizes):
        weight = [
            [Fraction(random.randint(-4, 4), random.choice([1, 2, 3])) for _ in range(before)] for _ in range(after)
        ]
        bias = [Fraction(random.randint(-2, 2), 2) for _ in range(after)]
        stored.append((weight, bias, len(stored) < len(sizes) - 2 or random.random() < 0.2))
    features = sizes[0]
    functions = []
    for _ in range(sizes[-1]):
        parts = tuple(Var(j) for j in random.sample(range(features), random.randint(1, min(3, features))))
        formula: Formula = AtLeast(random.randint(0, len(parts)), parts) if random.random() < 0.7 else Xor(parts)
        functions.append(Not(formula) if random.random() < 0.2 else formula)
    at = Fraction(random.randint(-2, 3), 2)
    threshold = Readout("threshold", at, Fraction(random.randint(0, 2), 4))
    readout = random.choice(
        [threshold, threshold, Readout("epsilon", within=Fraction(random.randint(0, 4), 2)), Readout("equality")]
    )
    return Question(stored, Spec(KSparse(features, random.randint(0, features)), tuple(functions), readout))


@given(questions(separable=False))
@settings(max_examples=SOME)
def test_engines_find_a_smallest_counterexample_of_every_wrong_output(asked: Question) -> None:
    brute, found = Brute.of(asked), explored(asked, work=0)
    assert {case.output for case in found.cases} == {i for i, _ in brute.fails}
    assert len(found.cases) == len({case.output for case in found.cases})
    for case in found.cases:
        check_case(asked, brute, found, case)
        assert case.minimum
    assert found.total.value <= len(brute.minimal)
    for row in found.profile:
        failing = {active for _, active in brute.fails if len(active) <= row.k}
        assert row.wrong_inputs is not None
        assert (
            row.wrong_inputs == Count(len(failing))
            if row.wrong_inputs.exact
            else row.wrong_inputs.value <= len(failing)
        )
        assert row.wrong_outputs == Count(len({i for i, active in brute.fails if len(active) <= row.k}))


@given(questions(separable=False))
@settings(max_examples=SOME)
def test_output_by_output_all_minimal_counterexamples_are_found_too(asked: Question) -> None:
    brute, found = Brute.of(asked), explored(asked, ExploreOptions(limit=None, all=True), work=0)
    assert found.complete
    assert pairs(found) == brute.minimal


@given(questions(separable=False), st.integers(1, 3), st.data())
@settings(max_examples=SOME)
def test_limits_are_kept_and_only_one_output_is_looked_at(asked: Question, limit: int, data: st.DataObject) -> None:
    brute = Brute.of(asked)
    only = data.draw(st.integers(0, len(asked.spec.formulas) - 1))
    found = explored(asked, ExploreOptions(only, limit))
    wanted = {pair for pair in brute.minimal if pair[0] == only}
    assert found.total == Count(len(wanted))
    assert pairs(found) <= wanted
    assert len(found.cases) == min(limit, len(wanted))
    assert found.complete == (len(wanted) <= limit)


@pytest.mark.parametrize("name", NAMES)
def test_trained_networks_fail_on_as_many_inputs_as_enumeration_said_long_ago(shared: Path, name: str) -> None:
    known = question(shared, name)
    truth = {int(k): figures for k, figures in known["truth"].items()}
    kind = {"perm": "copy"}.get(known["kind"], known["kind"])
    formulas = tuple(gate(kind, [part] if isinstance(part, int) else part) for part in known["defs"])
    spec = Spec(KSparse(known["features"], max(truth)), formulas, HALF)
    found = explore(shared / "networks" / f"{name}.safetensors", spec)
    assert found.complete
    assert len(found.profile) == len(truth)
    for row in found.profile:
        figures = truth[row.k]
        assert (row.inputs, row.wrong_inputs) == (figures["inputs"], Count(figures["wrong_inputs"]))
        assert row.wrong_outputs == Count(figures["wrong_outputs"])
    for case in found.cases:
        assert sum(entry.value for entry in found.ledger(case).entries) == case.value


PUBLISHED = {"L4": [(0, 0), (0, 0), (9, 4)], "L2": [(50, 50), (3_725, 50), (142_099, 50)]}
"""For exactly 1, 2 and 3 features on: inputs with a wrong output, and outputs ever wrong."""


@pytest.mark.parametrize("which", PUBLISHED)
def test_published_networks_fail_on_as_many_inputs_as_enumeration_said(shared: Path, which: str) -> None:
    file = shared / "third-party" / f"codeword_100f_50n_{which}_100000steps.safetensors"
    network = load(file, [LayerNames("W_in"), LayerNames("W_out")])
    found = explore(network, Spec(KSparse(100, 3), tuple(gate("copy", [i]) for i in range(100)), HALF))
    exactly = [(row.wrong_inputs_exactly, row.inputs_exactly) for row in found.profile[1:]]
    assert exactly == [(Count(wrong), comb(100, k)) for k, (wrong, _) in enumerate(PUBLISHED[which], 1)]
    assert found.profile[3].wrong_outputs == Count(PUBLISHED[which][2][1])
    assert found.complete
    for case in found.cases:
        check_ledger(found, case)
    if which == "L4":
        assert len({case.active for case in found.cases}) == 9
        assert all(case.minimum and case.inclusion_minimal and case.flip_stable for case in found.cases)
        assert found.largest_k == 2


def test_features_that_nothing_depends_on_are_counted_not_enumerated() -> None:
    """Output 0 reads x0 alone of 200 features and is always on; every input without x0 fails."""
    weight = Rows.from_dense(exact_array([1] + [0] * 199).reshape(1, -1))
    network = Network.of([Affine(weight, exact_array([1]), False)])
    found = explore(network, Spec(KSparse(200, 5), (gate("copy", [0]),), HALF))
    assert found.profile[5].wrong_inputs_exactly == Count(comb(199, 5))
    assert [case.active for case in found.cases] == [()]
    assert found.largest_k is None


def test_exits_as_verify_would(capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("proved", "refuted"):
        for spec in sorted((SPECS / folder).glob("*.toml")):
            codes = [cli.main([verb, "--spec", str(spec)]) for verb in ("verify", "explore")]
            assert codes[0] == codes[1], spec.name
    capsys.readouterr()


def test_the_json_has_the_keys_of_the_design(capsys: pytest.CaptureFixture[str]) -> None:
    spec = SPECS / "refuted" / "trained_and8_k4.toml"
    assert cli.main(["explore", "--spec", str(spec), "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    keys = list(found)
    assert keys[:8] == [
        "supercheck",
        "network",
        "spec",
        "domain",
        "profile",
        "counterexamples",
        "complete",
        "largest_k",
    ]
    assert keys[-1] == "seconds"
    row = [
        "k",
        "inputs",
        "wrong_inputs",
        "wrong_outputs",
        "margin_on",
        "margin_off",
        "inputs_exactly",
        "wrong_inputs_exactly",
    ]
    assert [list(one) for one in found["profile"]] == [row] * 5
    case = ["active", "output", "value", "expected", "minimum", "inclusion_minimal", "flip_stable", "ledger", "against"]
    assert {tuple(one) for one in found["counterexamples"]} == {tuple(case)}
    assert (found["complete"], found["largest_k"]) == (True, 3)
    for one in found["counterexamples"]:
        assert sum(Fraction(entry["value"]) for entry in one["ledger"]["rows"]) == Fraction(one["value"])


def test_cases_are_grouped_by_output_cause_and_symmetry() -> None:
    """All 28 outputs of one neuron a pair are wrong in the same way; trained ones are not alike."""
    alike = explore(None, SPECS / "refuted" / "copy_margin_tie.toml")
    assert [(group.by, len(group.places)) for group in alike.groups] == [("cause", 28), ("symmetry", 28)]
    trained = explore(None, SPECS / "refuted" / "trained_and8_k4.toml")
    assert not [group for group in trained.groups if group.by == "symmetry"]
    for group in trained.groups:
        cases = [trained.cases[place] for place in group.places]
        ledgers = [trained.ledger(case) for case in cases]
        assert len(cases) > 1
        if group.by == "output":
            assert len({case.output for case in cases}) == 1
        else:
            assert len({(ledger.others, ledger.fired, ledger.silenced) for ledger in ledgers}) == 1


def test_huge_counts_are_shown_by_their_first_digits() -> None:
    """Of 300 features nothing depends on 299; "at least" is never rounded up, and JSON has every digit."""
    weight = Rows.from_dense(exact_array([1] + [0] * 299).reshape(1, -1))
    network = Network.of([Affine(weight, exact_array([1]), False)])
    found = explore(network, Spec(KSparse(300, 9), (gate("copy", [0]),), HALF))
    assert found.profile[9].inputs == KSparse(300, 9).size
    assert f"~{KSparse(300, 9).size // 10**14 / 100:.2f}e16" in str(found)


def test_what_time_does_not_allow_is_said_as_at_least() -> None:
    spec = SPECS / "refuted" / "trained_and8_k4.toml"
    whole = explore(None, spec)
    cut = examine(replace(whole.result), ExploreOptions(), Limits(), Clock.start(1e-9))
    assert [row.k for row in cut.profile] == list(range(5))
    assert not cut.complete
    assert cut.left_out
    assert 0 < len(cut.cases) < len(whole.cases)
    assert {(case.output, case.active) for case in cut.cases} <= pairs(whole)
    for row, known in zip(cut.profile, whole.profile, strict=True):
        for part, all_ in ((row.wrong_inputs, known.wrong_inputs), (row.wrong_outputs, known.wrong_outputs)):
            assert part is not None
            assert all_ is not None
            assert not part.exact
            assert part.value <= all_.value


def test_in_mode_separable_pairs_of_inputs_are_shown_and_nothing_is_claimed_of_single_ones() -> None:
    found = explore(None, SPECS / "refuted" / "linear_xor.toml")
    assert found.verdict is Verdict.REFUTED
    assert {case.output for case in found.cases} == {i for i, r in enumerate(found.result.outputs) if r.counterexample}
    assert {(case.inclusion_minimal, case.flip_stable) for case in found.cases} == {(None, None)}
    assert [row.wrong_inputs for row in found.profile] == [None] * len(found.profile)
    assert not found.complete
    assert found.left_out


def test_a_single_question_is_refused_with_one_line() -> None:
    spec = SPECS / "refuted" / "trained_and8_k4.toml"
    with pytest.raises(InputError, match="--only: expected an output from 0 to 27, got 28"):
        explore(None, spec, only=28)
    with pytest.raises(InputError, match="--limit"):
        explore(None, spec, limit=0)
    assert explore(None, spec, up_to=3).verdict is Verdict.PROVED


def test_what_is_proved_is_an_exact_zero_in_every_row_without_a_sweep() -> None:
    result = decide(explore(None, SPECS / "proved" / "trained_and8.toml").claims)
    cut = examine(result, ExploreOptions(), Limits(), Clock.start(1e-9))
    assert result.verdict is Verdict.PROVED
    assert {row.wrong_outputs for row in cut.profile} == {Count(0)}
    assert {row.wrong_inputs for row in cut.profile} == {row.wrong_inputs_exactly for row in cut.profile} == {Count(0)}
    assert {row.margin_off for row in cut.profile} == {None}
    assert cut.complete
    assert cut.left_out == ("margins with 0 or more features on: timeout after 1e-09 s",)


def test_the_profile_comes_before_the_search_for_the_largest_k(monkeypatch: pytest.MonkeyPatch) -> None:
    """That search goes past the k that was asked for, so it may only take what time the profile leaves."""
    order = []
    for place, name in ((failing, "sweep"), (exploration, "up_to")):
        real = getattr(place, name)
        monkeypatch.setattr(place, name, lambda *a, n=name, f=real, **kw: (order.append(n), f(*a, **kw))[1])
    found = explore(None, SPECS / "refuted" / "trained_and8_k4.toml")
    assert order == ["sweep", "up_to"]
    assert found.largest_k == 3


def test_a_float32_verdict_says_that_the_rest_is_of_real_arithmetic(capsys: pytest.CaptureFixture[str]) -> None:
    spec = str(SPECS / "refuted" / "mean_of_fifty_float32.toml")
    said = "The verdict is that of float32; what is explored is real arithmetic."
    assert cli.main(["explore", "--spec", spec, "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["reason"], found["counterexamples"], found["largest_k"]) == (
        "refuted",
        None,
        [],
        None,
    )
    assert cli.main(["verify", "--spec", spec, "--format", "json"]) == 1
    assert found["arithmetic"] == json.loads(capsys.readouterr().out)["arithmetic"]
    assert found["arithmetic"]["real_verdict"] == "proved"
    assert found["notes"][0] == said
    assert found["notes"][-1] == "The largest k that holds is not known."
    assert cli.main(["explore", "--spec", spec]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:4:2] == ["  In real arithmetic: PROVED.", f"  {said}"]


def test_an_unknown_verdict_has_its_reason_in_the_json() -> None:
    result = decide(explore(None, SPECS / "proved" / "trained_and8.toml").claims, Limits(timeout=1e-9))
    found = explore_object(examine(result, ExploreOptions(), Limits(), Clock.start(1e-9)))
    assert (found["verdict"], found["reason"]) == ("unknown", "timeout after 1e-09 s")
    assert found["arithmetic"]["of"] == "real"
    assert found["notes"] == ["The largest k that holds is not known."]


@pytest.mark.parametrize("value", [1.5, 1.0, True, "1"])
@pytest.mark.parametrize("name", ["up_to", "only", "limit"])
def test_what_is_no_whole_number_is_refused_by_name(name: str, value: object) -> None:
    """1.5 was a complete exploration of nothing, and True was 1."""
    place = "--" + name.replace("_", "-")
    with pytest.raises(InputError, match=f"^{place}: expected a whole number, got {value!r}"):
        explore(None, SPECS / "proved" / "trained_and8.toml", **{name: value})  # type: ignore[arg-type]


def test_in_mode_separable_the_on_input_is_shown_beside_the_off_one() -> None:
    """y = 1 - x0 is 1 where x0 is off, so the smallest pair is nothing against x0 alone."""
    weight = Rows.from_dense(exact_array([-1, 0]).reshape(1, -1))
    network = Network.of([Affine(weight, exact_array([1]), False)])
    found = explore(network, Spec(KSparse(2, 1), (gate("copy", [0]),), Readout("separable")))
    [case] = found.cases
    against = found.result.counterexample.against
    assert against is not None
    assert (case.active, case.against, case.size) == ((), against, 1)
    assert explore_object(found)["counterexamples"][0]["against"] == {"value": "0", "active": [0]}
    assert "with 1 feature on, the fewest" in str(found)
    assert "below 0 at x0" in str(found)
    assert "that is not below y0 = 0 with x0 on, which should be on." in str(found)


def test_one_of_a_kind_is_said_in_the_singular() -> None:
    weight = Rows.from_dense(exact_array([1, 1]).reshape(1, -1))
    network = Network.of([Affine(weight, exact_array([0]), False)])
    one = str(explore(network, Spec(KSparse(2, 1), (gate("copy", [0]),), HALF)))
    assert "The only inclusion-minimal counterexample; with 1 feature on, the fewest" in one
    both = Network.of([Affine(Rows.from_dense(exact_array([1, 1, 1]).reshape(1, -1)), exact_array([0]), False)])
    cut = str(explore(both, Spec(KSparse(3, 1), (gate("copy", [0]),), HALF), limit=1))
    assert "Left out: 1 more counterexample: the limit is 1." in cut
    nothing = str(explore(network, Spec(KSparse(2, 0), (gate("copy", [0]),), HALF)))
    assert "with at most 0 of 2 features on (1 input)." in nothing
