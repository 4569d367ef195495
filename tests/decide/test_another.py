"""What a refutation says of another threshold, or error, that would make every output right."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from brute import brute_force
from common import EXAMPLES, HALF, run
from gates import ands, save, spec
from hypothesis import assume, given, settings, strategies as st
from oracle import inputs, run as evaluated
from strategies import Question, meaning, questions, rationals

import supercheck
from supercheck.base.matrix import Rows, exact_array
from supercheck.claims.evidence import Verdict
from supercheck.claims.result import Another
from supercheck.decide import enumeration, measure as measuring, other_readouts as finding, sweep as sheet
from supercheck.decide.engines import UNAFFORDABLE, Price
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.other_readouts import another
from supercheck.decide.portfolio import decide
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.report.verify.json import json_text
from supercheck.report.wording import otherwise
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import Formula, gate
from supercheck.spec.readout import Readout
from supercheck.spec.spec import Spec


def found(question: Question, *, known: bool = True, margins: bool = False) -> Another | None:
    result = decide(question.claims, Limits(margins=margins))
    assume(result.verdict is Verdict.REFUTED)
    return another(question.claims, result.outputs if known else (), Limits(), Clock.start(None))


def in_mode(question: Question, readout: Readout) -> Question:
    return replace(question, spec=replace(question.spec, readout=readout))


thresholds = st.builds(Readout, st.just("threshold"), rationals, rationals.map(abs).filter(lambda d: d < 1))


@given(questions(), thresholds, st.booleans(), st.booleans())
def test_another_threshold_is_what_brute_force_says(
    question: Question, readout: Readout, known: bool, margins: bool
) -> None:
    question = in_mode(question, readout)
    told, worst, margin = found(question, known=known, margins=margins), brute_force(question), readout.margin
    assert told is not None
    ends = list(zip(worst.highest_off, worst.lowest_on, strict=True))
    assert told.separable == sum(off is None or on is None or off + margin < on - margin for off, on in ends)
    low = max((off + margin for off, _ in ends if off is not None), default=None)
    high = min((on - margin for _, on in ends if on is not None), default=None)
    if low is not None and high is not None and low >= high:
        assert told.at is None
    else:
        assert (told.low, told.high) == (low, high)
        assert told.at is not None
        assert decide(in_mode(question, replace(readout, at=told.at)).claims).verdict is Verdict.PROVED


@given(questions(), st.sampled_from([Readout("equality"), Readout("epsilon", within=Fraction(1, 4))]))
def test_the_least_error_is_what_brute_force_says(question: Question, readout: Readout) -> None:
    question = in_mode(question, readout)
    told, domain = found(question), question.spec.domain
    functions = [meaning(formula) for formula in question.spec.formulas]
    errors = [
        abs(y - function(frozenset(active)))
        for active in inputs(domain.features, domain.max_active)
        for y, function in zip(
            evaluated(question.stored, [int(j in active) for j in range(domain.features)]), functions, strict=True
        )
    ]
    assert told == Another(len(functions), within=max(errors))


@settings(max_examples=EXAMPLES // 4)
@given(questions(), st.sampled_from(["branch", "bound"]))
def test_bounds_find_the_same_threshold_or_nothing(question: Question, engine: str) -> None:
    """Where a sweep costs too much, and bounds decided, they are asked; what they leave open is not guessed."""
    question = in_mode(question, HALF)
    claims, swept = question.claims, found(question)
    outputs = decide(claims, Limits(engine=engine)).outputs
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(enumeration, "price", lambda _, chosen, __: Price([UNAFFORDABLE] * len(chosen)))
        bounded = another(claims, outputs, Limits(), Clock.start(None))
    assert (
        bounded is None
        or bounded == swept
        or (swept is not None and bounded.at is None and bounded.separable == swept.separable)
    )


@settings(max_examples=EXAMPLES // 2)
@given(questions())
def test_extremes_are_exact_however_many_inputs_are_kept(question: Question) -> None:
    assume(question.spec.readout.mode in ("threshold", "separable"))
    worst = brute_force(question)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "_KEPT", -(1 << 20))  # evaluated after every batch
        patch.setattr(sheet, "_CELLS", 1)
        sweep = enumeration.decide(question.claims, range(len(worst.smallest)), Limits(margins=True), Clock.start(None))
        decisions = {d.output: d for found in sweep for d in found}
    for i, off, on in zip(range(len(decisions)), worst.highest_off, worst.lowest_on, strict=True):
        extremes = decisions[i].extremes
        assert extremes is not None
        assert (extremes.off and extremes.off.value, extremes.on and extremes.on.value) == (off, on)


def copies(*gains: str, constant: str = "0") -> Network:
    """One output a feature: its gain where the feature is on, a constant where it is not."""
    size, low = len(gains), Fraction(constant)
    weight = [[Fraction(gain) - low if row == column else Fraction(0) for column in range(size)]
              for row, gain in enumerate(gains)]  # fmt: skip
    eye = [[Fraction(int(row == column)) for column in range(size)] for row in range(size)]

    def affine(matrix: list[list[Fraction]], bias: Fraction, relu: bool) -> Affine:
        import numpy as np

        values = np.array([value for row in matrix for value in row], dtype=object).reshape(size, size)
        return Affine(Rows.from_dense(values), np.array([bias] * size, dtype=object), relu)

    return Network.of([affine(eye, Fraction(0), True), affine(weight, low, False)])


def told(network: Network, readout: Readout, k: int = 2) -> list[str]:
    formulas: list[Formula] = [gate("copy", [j]) for j in range(network.outputs)]
    result = supercheck.verify(
        network, Spec(KSparse(network.features, min(k, network.features)), tuple(formulas), readout)
    )
    assert result.verdict is Verdict.REFUTED
    lines = list(otherwise(readout, result.another))
    assert all(line in str(result) for line in lines)
    return lines


@pytest.mark.parametrize(
    ("gains", "constant", "readout", "line"),
    [
        (("1/2", "4/9"), "1/4", HALF, "With the threshold 3/10 (any from 1/4 to below 4/9) all 2 outputs are right."),
        (("1/2",), "1/4", HALF, "With the threshold 2/5 (any from 1/4 to below 1/2) the one output is right."),
        (
            ("1/2", "1/2"), "1/4", replace(HALF, margin=Fraction(1, 16)),
            "With the threshold 2/5 (any from 5/16 to below 7/16) all 2 outputs are right, with the margin 1/16.",
        ),
        (("1/4", "1/2"), "1/4", HALF, "1 of 2 outputs would be right with a threshold of their own."),
        (("1", "5/7"), "0", Readout("epsilon", within=Fraction(1, 4)), "Within 2/7 all 2 outputs are right."),
        (("1", "5/7"), "0", Readout("equality"), "Within 2/7 all 2 outputs are right."),
        (("1", "100000001/300000000"), "0", Readout("equality"), "Within 0.666667 all 2 outputs are right."),
    ],
)  # fmt: skip
def test_the_line_of_a_refutation(gains: tuple[str, ...], constant: str, readout: Readout, line: str) -> None:
    assert told(copies(*gains, constant=constant), readout) == [line]


def test_outputs_that_need_different_thresholds_are_told_that_each_has_one() -> None:
    network = copies("1/4", "1")
    raised = replace(network.affine()[1], bias=network.affine()[1].bias + exact_array([0, Fraction(3, 4)]))
    lines = told(Network.of([network.affine()[0], raised]), HALF)
    assert lines == ["With a threshold of its own each output is right (mode separable: PROVED)."]


@given(rationals, rationals, st.integers(0, 60))
def test_the_range_that_is_told_lies_within_the_exact_one(start: Fraction, width: Fraction, finer: int) -> None:
    assume(width)
    low, high = start, start + abs(width) / 7**finer
    at = finding._plainest(low, high)
    assume(at is not None)
    assert at is not None
    assert low <= at < high
    [line] = otherwise(HALF, Another(1, 1, at, low, high))
    shown = re.fullmatch(r"With the threshold (\S+) \(any from (\S+) to below (\S+)\) the one output is right.", line)
    assert shown is not None or high - low < Fraction(1, 10**40)
    assume(shown is not None)  # past 48 digits the range is not told
    assert shown is not None
    assert Fraction(shown[1]) == at
    assert low <= Fraction(shown[2]) <= at < Fraction(shown[3]) <= high


def test_nothing_is_said_of_what_is_proved_or_asked_of_float32_or_separable() -> None:
    copy = (gate("copy", [0]),)
    low = copies("1/4", constant="1/4")
    for network, readout, arithmetic in (
        (copies("1"), HALF, "real"), (low, HALF, "float32"), (low, Readout("separable"), "real"),
    ):  # fmt: skip
        result = supercheck.verify(network, Spec(KSparse(1, 1), copy, readout, arithmetic=arithmetic))  # type: ignore[arg-type]
        assert result.another is None
        as_json = json.loads(json_text(result))
        assert as_json["another_threshold"] is as_json["least_within"] is None


def test_a_gate_says_the_same_of_a_refutation_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    save(Path("wrong.npz"), {**ands(4, 0.75), "2.bias": ands(4)["2.bias"] + 0.125})
    spec(Path("wrong.toml"), "wrong.npz", 4)
    texts = []
    for _ in range(2):
        assert run("gate", "wrong.toml", "--format", "json") == 1
        texts.append(json.loads(capsys.readouterr().out)["specs"][0])
    assert [text["cached"] for text in texts] == [False, True]
    assert texts[0]["reason"] == texts[1]["reason"]
    assert re.search("With the threshold .* all 6 outputs are right.", texts[0]["reason"])


def at_half(shared: Path, tmp_path: Path) -> Path:
    """The case trust/16: 500 copies that are read at 1/2, which is too high for every one of them."""
    text = (shared / "cases" / "trust" / "16-another-threshold" / "at_half.toml").read_text()
    file = tmp_path / "at_half.toml"
    file.write_text(text.replace("../../../third-party", (shared / "third-party").as_posix()))
    return file


@pytest.mark.parametrize("workers", [1, 3])
def test_500_copies_read_at_a_half_are_told_to_be_right_at_two_fifths(
    shared: Path, tmp_path: Path, workers: int
) -> None:
    result = supercheck.verify(None, at_half(shared, tmp_path), limits=Limits(workers=workers))
    assert result.verdict is Verdict.REFUTED
    line = "With the threshold 2/5 (any from 0.26731 to below 0.447014) all 500 outputs are right."
    assert line in str(result)
    common = json.loads(json_text(result))["another_threshold"]
    assert (common["separable"], common["of"], common["common"]["at"]) == (500, 500, "2/5")


def count(calls: list[int], work: Callable[..., object]) -> Callable[..., object]:
    def counted(*arguments: object) -> object:
        calls.append(len(arguments))
        return work(*arguments)

    return counted


def test_a_sweep_that_measures_evaluates_few_inputs_exactly(shared: Path, tmp_path: Path) -> None:
    """What made it slow: the whole network in long integers, for each output and class of each batch."""
    result = supercheck.verify(None, at_half(shared, tmp_path))
    calls: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring._Side, "settle", count(calls, measuring._Side.settle))
        claims = result.claims.read_as(Readout("separable"))
        assert decide(claims).verdict is Verdict.PROVED
    assert len(calls) <= 2 * 2 * 2  # sides, times levels and the end


def test_a_range_of_thresholds_that_nobody_could_write_is_not_told_and_soon_left() -> None:
    tiny = Fraction(1, 10**15_840)
    assert finding._plainest(Fraction(1, 3), Fraction(1, 3) + tiny) is None
    assert finding._plainest(Fraction(1, 3), Fraction(1, 3) + Fraction(1, 10**9)) is not None
    told = list(
        otherwise(
            Readout("threshold", Fraction(1, 2)), Another(1, 1, Fraction(1, 2), Fraction(0), Fraction(1, 2) + tiny)
        )
    )
    assert len(" ".join(told)) < 300
