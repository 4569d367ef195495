"""Real trained networks, ours and somebody else's: what brute force in float64 said of them long ago."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from common import HALF
from trained import NAMES, question

from supercheck.base.errors import InputError
from supercheck.claims.claims import pose
from supercheck.claims.evidence import Verdict
from supercheck.claims.replay import evaluate
from supercheck.claims.result import Result
from supercheck.decide.float32.portfolio import decide_float32
from supercheck.decide.limits import Limits
from supercheck.decide.portfolio import decide
from supercheck.network.formats.load import load
from supercheck.network.formats.tensors import LayerNames
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import gate
from supercheck.spec.readout import Readout
from supercheck.spec.spec import Spec

FOR_Z3 = ["uand_m6_n10", "uand_m8_n16_k3", "xor12_m10_n20", "and24_m16_n20"]


def ask(shared: Path, name: str, suffix: str, k: int, readout: Readout = HALF, limits: Limits = Limits()) -> Result:
    known = question(shared, name)
    kind = {"perm": "copy"}.get(known["kind"], known["kind"])
    formulas = tuple(gate(kind, [part] if isinstance(part, int) else part) for part in known["defs"])
    network = load(shared / "networks" / f"{name}.{suffix}")
    return decide(pose(network, Spec(KSparse(known["features"], k), formulas, readout)), limits)


def check_smallest(result: Result) -> None:
    """The counterexample is wrong by the readout's words, and so is nothing with fewer active features."""
    found = result.counterexample
    [(point, on)] = evaluate(result.claims, [(found.output, found.active)])
    assert (point.value > Fraction(1, 2)) != on
    assert found.minimal
    assert decide(result.claims.at_most(found.size - 1)).verdict is Verdict.PROVED


@pytest.mark.parametrize("suffix", ["onnx", "safetensors"])
@pytest.mark.parametrize("name", NAMES)
def test_the_trained_networks_come_out_as_brute_force_says(shared: Path, name: str, suffix: str) -> None:
    for k, known in question(shared, name)["truth"].items():
        result = ask(shared, name, suffix, int(k))
        assert result.claims.domain.size == known["inputs"]
        assert result.verdict is (Verdict.REFUTED if known["wrong_outputs"] else Verdict.PROVED)
        assert result.count(Verdict.REFUTED) == known["wrong_outputs"]
        assert result.count(Verdict.UNKNOWN) == 0
        if known["wrong_outputs"]:
            check_smallest(result)


@pytest.mark.parametrize("name", NAMES)
def test_as_many_outputs_are_separable_as_brute_force_says(shared: Path, name: str) -> None:
    for k, known in question(shared, name)["truth"].items():
        result = ask(shared, name, "safetensors", int(k), Readout("separable"))
        assert result.count(Verdict.PROVED) == known["separable_outputs"]


@pytest.mark.parametrize("name", NAMES)
def test_margins_are_the_distances_that_brute_force_measured(shared: Path, name: str) -> None:
    """`nearest_to_half` is the least |y - 1/2| of any output; `worst_error` the largest |y - f|."""
    for k, known in question(shared, name)["truth"].items():
        half = ask(shared, name, "safetensors", int(k), limits=Limits(margins=True))
        margin = min(m for output in half.outputs if (m := half.margin(output)) is not None)
        if known["wrong_outputs"] == 0:
            assert float(margin) == pytest.approx(known["nearest_to_half"], abs=1e-9)
        else:
            assert margin <= 0
        exact = ask(shared, name, "safetensors", int(k), Readout("epsilon", within=Fraction(0)), Limits(margins=True))
        errors = [-m for output in exact.outputs if (m := exact.margin(output)) is not None]
        assert float(max(errors)) == pytest.approx(known["worst_error"], abs=1e-9)


@pytest.mark.parametrize("name", FOR_Z3)
def test_z3_alone_says_the_same(shared: Path, name: str) -> None:
    known = question(shared, name)
    right = known["trained_on_k"]
    for k in (right, right + 1):
        result = ask(shared, name, "safetensors", k, limits=Limits(engine="z3"))
        assert {output.engine for output in result.outputs} == {"z3"}
        assert result.count(Verdict.REFUTED) == known["truth"][str(k)]["wrong_outputs"]
        assert result.count(Verdict.UNKNOWN) == 0
        if k > right:
            check_smallest(result)


def published(shared: Path, which: str, k: int, readout: Readout = HALF) -> Result:
    file = shared / "third-party" / f"codeword_100f_50n_{which}_100000steps.safetensors"
    network = load(file, [LayerNames("W_in"), LayerNames("W_out")])
    return decide(pose(network, Spec(KSparse(100, k), tuple(gate("copy", [i]) for i in range(100)), readout)))


def test_the_published_l4_network_copies_two_active_features_and_not_three(shared: Path) -> None:
    assert published(shared, "L4", 2).verdict is Verdict.PROVED
    result = published(shared, "L4", 3)
    assert result.verdict is Verdict.REFUTED
    assert result.count(Verdict.REFUTED) == 4
    assert (result.counterexample.size, result.counterexample.minimal) == (3, True)


def test_the_published_l4_network_is_separable_at_three(shared: Path) -> None:
    result = published(shared, "L4", 3, Readout("separable"))
    assert result.verdict is Verdict.PROVED
    intervals = [result.interval(output) for output in result.outputs]
    assert None not in intervals
    assert all(low < high for low, high in intervals)  # type: ignore[misc]
    assert float(max(low for low, _ in intervals)) == pytest.approx(0.3770, abs=5e-5)  # type: ignore[misc]
    assert float(min(high for _, high in intervals)) == pytest.approx(0.4920, abs=5e-5)  # type: ignore[misc]


def test_the_published_l2_network_never_learned_half_of_its_features(shared: Path) -> None:
    result = published(shared, "L2", 1)
    assert result.verdict is Verdict.REFUTED
    assert result.count(Verdict.REFUTED) == 50
    assert result.counterexample.size == 1


@pytest.mark.parametrize("suffix", ["onnx", "safetensors"])
@pytest.mark.parametrize("name", NAMES)
def test_what_the_trained_networks_do_in_reals_they_do_in_every_float32_evaluation(
    shared: Path, name: str, suffix: str
) -> None:
    for k, known in question(shared, name)["truth"].items():
        result = decide_float32(ask(shared, name, suffix, int(k)).claims)
        assert result.rounding is not None
        assert result.verdict is result.real_verdict
        assert result.rounding.order == "every"
        assert result.count(Verdict.REFUTED) == known["wrong_outputs"]


def test_what_the_published_network_does_it_does_in_every_float32_evaluation(shared: Path) -> None:
    for k, readout in ((2, HALF), (3, Readout("separable"))):
        assert decide_float32(published(shared, "L4", k, readout).claims).verdict is Verdict.PROVED
    result = decide_float32(published(shared, "L2", 1).claims)
    assert (result.verdict, result.count(Verdict.REFUTED)) == (Verdict.REFUTED, 50)


def test_the_pickles_are_refused_with_the_recipe(shared: Path) -> None:
    for name in NAMES:
        with pytest.raises(InputError, match="pickle") as refused:
            load(shared / "networks" / f"{name}.pt")
        assert len((refused.value.recipe or "").splitlines()) == 3
