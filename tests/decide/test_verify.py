"""The Python face from end to end: codes around the network, mutants, results that print and fail closed."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from fractions import Fraction

import pytest
from common import SPECS
from hypothesis import given, settings, strategies as st
from oracle import Stored, truth
from strategies import Question, layers, meaning, network, questions, rationals

import supercheck
from supercheck.base.errors import InputError, SupercheckError
from supercheck.base.matrix import Rows, exact_array
from supercheck.claims.evidence import Verdict
from supercheck.claims.result import OutputResult, conclude
from supercheck.decide.limits import Limits
from supercheck.decide.portfolio import decide
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.spec.domain import KSparse
from supercheck.spec.spec import Source, Spec

SMALL = ["trained_and8", "one_per_pair", "channel_eighths", "circuit_formulas", "majority_epsilon", "power_sums"]


def tensors(stored: Stored) -> dict[str, object]:
    """Layers as a JSON network."""
    written: dict[str, object] = {}
    for number, (weight, bias, _) in enumerate(stored):
        written[f"{number}.weight"] = [[str(value) for value in row] for row in weight]
        written[f"{number}.bias"] = [str(value) for value in bias]
    return written


@settings(max_examples=100)
@given(questions(), st.data())
def test_encoder_and_decoder_are_folded_in_exactly(
    tmp_path_factory: pytest.TempPathFactory, question: Question, data: st.DataObject
) -> None:
    """The file holds only the middle; brute force evaluates encoder, middle and decoder one after the other."""
    folder, features, outputs = (
        tmp_path_factory.mktemp("codes"),
        question.spec.domain.features,
        len(question.spec.formulas),
    )
    inner_in, inner_out = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    middle = [(w, b, i < 1) for i, (w, b, _) in enumerate(data.draw(layers(inner_in, inner_out)))][:2]
    middle[-1] = (*middle[-1][:2], False)

    def matrix(height: int, width: int) -> list[list[Fraction]]:
        rows = st.lists(rationals, min_size=width, max_size=width)
        return data.draw(st.lists(rows, min_size=height, max_size=height))

    encoder, decoder = matrix(inner_in, features), matrix(outputs, len(middle[-1][0]))
    shift = data.draw(st.lists(rationals, min_size=outputs, max_size=outputs))
    for name, content in (
        ("net", tensors(middle)),
        ("encoder", {"weight": [[str(v) for v in row] for row in encoder]}),
        ("decoder", {"weight": [[str(v) for v in row] for row in decoder], "bias": [str(v) for v in shift]}),
    ):
        (folder / f"{name}.json").write_text(json.dumps(content))
    source = Source(None, (), folder / "encoder.json", folder / "decoder.json", "relu", "none")
    result = supercheck.verify(folder / "net.json", replace(question.spec, source=source))
    chain: Stored = [(encoder, [Fraction(0)] * inner_in, False), *middle, (decoder, shift, False)]
    functions = [meaning(formula) for formula in question.spec.formulas]
    smallest = truth(chain, features, question.spec.domain.max_active, functions, question.wrong).smallest
    assert [output.counterexample and output.counterexample.size for output in result.outputs] == smallest
    assert result.claims.own.features == inner_in
    assert len(result.claims.assumptions) == 2


def stored_layers(whole: Network) -> Stored:
    def exact(row: list[object]) -> list[Fraction]:
        return [Fraction(value) for value in row]  # type: ignore[call-overload]

    return [
        ([exact(row) for row in layer.weight.dense().tolist()], exact(layer.bias.tolist()), layer.relu)
        for layer in whole.affine()
    ]


@pytest.mark.parametrize("name", SMALL)
def test_one_weight_mutants_come_out_as_brute_force_says(name: str) -> None:
    """One weight or bias of a proved network moved, by a little or a lot; no mutant that is wrong is missed."""
    spec = supercheck.read_spec(SPECS / "proved" / f"{name}.toml")
    assert spec.file is not None
    result = supercheck.verify(None, spec.file)
    base, draw, verdicts = stored_layers(result.claims.network), random.Random(name), set()
    functions = [meaning(formula) for formula in spec.formulas]
    limit = min(spec.domain.max_active, 2)
    for _ in range(12):
        mutant = [([list(row) for row in weight], list(bias), relu) for weight, bias, relu in base]
        weight, bias, _ = draw.choice(mutant)
        row = draw.choice([*weight, bias])
        j = draw.choice([j for j, value in enumerate(row) if value] or range(len(row)))
        row[j] += draw.choice([Fraction(1, 2**40), Fraction(-1, 2**40), Fraction(1), -2 * row[j], -row[j]])
        small = replace(spec, domain=KSparse(spec.domain.features, limit))
        question = Question(mutant, small)
        expected = truth(mutant, spec.domain.features, limit, functions, question.wrong).smallest
        found = decide(question.claims)
        assert [output.counterexample and output.counterexample.size for output in found.outputs] == expected
        verdicts.add(found.verdict)
    assert Verdict.REFUTED in verdicts


def test_results_print_the_report_and_render_in_a_notebook() -> None:
    result = supercheck.verify(None, SPECS / "refuted" / "one_weight_mutant.toml")
    assert str(result).startswith("REFUTED  1 of 15 outputs")
    assert "REFUTED" in (result._repr_html_() or "")
    assert "<script" not in (result._repr_html_() or "")


def test_a_network_that_is_not_refuted_has_no_counterexample() -> None:
    result = supercheck.verify(None, SPECS / "proved" / "one_per_pair.toml")
    with pytest.raises(SupercheckError, match="a network that is proved has no counterexample"):
        _ = result.counterexample


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], Verdict.UNKNOWN),
        ([Verdict.PROVED], Verdict.PROVED),
        ([Verdict.PROVED, Verdict.UNKNOWN], Verdict.UNKNOWN),
        ([Verdict.UNKNOWN, Verdict.REFUTED, Verdict.PROVED], Verdict.REFUTED),
    ],
)
def test_unknown_is_never_folded_into_proved(verdicts: list[Verdict], expected: Verdict) -> None:
    assert conclude(iter(verdicts)) is expected


def test_an_output_without_a_result_is_not_proved() -> None:
    assert OutputResult(0, Verdict.UNKNOWN).counterexample is None


def test_no_network_anywhere_is_an_input_error() -> None:
    spec = supercheck.read_spec(SPECS / "proved" / "trained_and8.toml")
    with pytest.raises(InputError, match="network"):
        supercheck.verify(None, replace(spec, source=replace(spec.source, file=None)))


def test_shapes_that_do_not_fit_name_both_numbers() -> None:
    spec = supercheck.read_spec(SPECS / "proved" / "trained_and8.toml")
    with pytest.raises(InputError, match=r"domain.features: expected a network of 8 features, got one of 6"):
        supercheck.verify(SPECS / "proved" / "one_per_pair.npz", spec)


@pytest.mark.parametrize("engine", ["enumerate", "z3"])
def test_margins_of_every_mode_are_exact(engine: str) -> None:
    """y = ReLU(x0 + x1 - 1) + x2 / 4, asked for x0 & x1."""
    one, zero = Fraction(1), Fraction(0)
    stored: Stored = [
        ([[one, one, zero], [zero, zero, one]], [-one, zero], True),
        ([[one, Fraction(1, 4)]], [zero], False),
    ]
    pair, limits = supercheck.gate("and", (0, 1)), Limits(engine=engine, margins=True)
    expected = {
        supercheck.Readout("threshold", Fraction(1, 2)): Fraction(1, 4),
        supercheck.Readout("threshold", Fraction(1, 2), margin=Fraction(1, 8)): Fraction(1, 8),
        supercheck.Readout("epsilon", within=Fraction(1, 3)): Fraction(1, 12),
        supercheck.Readout("equality"): Fraction(-1, 4),
        supercheck.Readout("separable"): Fraction(3, 4),
    }
    for readout, margin in expected.items():
        result = supercheck.verify(network(stored), Spec(KSparse(3, 3), (pair,), readout), limits=limits)
        assert result.margin(result.outputs[0]) == margin


def test_an_unknown_engine_is_an_input_error() -> None:
    with pytest.raises(InputError, match="auto or one of bound, enumerate, slots, branch, z3"):
        supercheck.verify(None, SPECS / "proved" / "trained_and8.toml", limits=Limits(engine="magic"))


def test_a_deep_linear_network_is_one_affine_map() -> None:
    two = Rows.from_dense(exact_array([2]).reshape(1, 1))
    chain = [Affine(two, exact_array([Fraction(1, 3)]), False) for _ in range(40)]
    whole = Network.of(chain)
    assert whole.hidden == ()
    assert whole.run([1]) == (2**40 + Fraction(2**40 - 1, 3),)


@pytest.mark.parametrize(
    "readout",
    [
        {"mode": "treshold", "at": 1},
        {"mode": "threshold", "at": 0.5},
        {"mode": "threshold"},
        {"mode": "epsilon"},
        {"mode": "epsilon", "at": 1, "within": 1},
        {"mode": "equality", "within": 2},
        {"mode": "threshold", "at": 1, "margin": -1},
    ],
)
def test_a_readout_that_contradicts_itself_is_refused(readout: dict[str, object]) -> None:
    with pytest.raises(InputError, match="readout"):
        supercheck.Readout(**readout)  # type: ignore[arg-type]


def test_a_spec_changed_in_python_stays_changed_at_another_sparsity() -> None:
    """Regression: a larger k read the file again and dropped the change."""
    spec = supercheck.read_spec(SPECS / "proved" / "gate_or.toml")
    changed = replace(spec, domain=KSparse(5, 1), readout=supercheck.Readout("threshold", Fraction(5)))
    assert changed.at_most(5).readout.at == 5
    assert changed.at_most(5).formulas == spec.formulas
    table = supercheck.read_spec(SPECS / "proved" / "truth_table.toml")
    with pytest.raises(InputError, match="no row for"):
        table.at_most(table.domain.max_active + 1)


def test_limits_and_domains_take_only_what_can_be_meant() -> None:
    for wrong in ({"workers": 0}, {"timeout": -1.0}, {"timeout": float("nan")}, {"timeout": "5"}):
        with pytest.raises(InputError):
            Limits(**wrong)
    for features in (True, "3", 3.0):
        with pytest.raises(InputError):
            KSparse(features, 1)  # type: ignore[arg-type]
