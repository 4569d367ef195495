"""What users of 0.1.0 wrote goes on working."""

from __future__ import annotations

from fractions import Fraction

import pytest
from common import SPECS

import supercheck
from supercheck import Counterexample, KSparse, Network, Readout, Spec, gate
from supercheck.network.input import Input

NAMES = [
    "AtLeast", "Audit", "Bounds", "Building", "Counterexample", "Exploration", "FaultError", "InputError",
    "KSparse", "Limits", "Network", "Not", "OverdueError", "Pruning", "Readout", "Result", "Spec",
    "SupercheckError", "Var", "Verdict", "Xor", "audit", "bounds", "build", "check_certificate", "explore",
    "from_torch", "gate", "load", "parse", "prune", "read_spec", "verify",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_of_0_1_0_is_there(name: str) -> None:
    assert getattr(supercheck, name) is not None
    assert name in supercheck.__all__


def test_a_question_is_made_of_them_as_ever() -> None:
    spec = Spec(KSparse(4, 2), (gate("and", [0, 1]),), Readout("threshold", at=Fraction(1, 2)))
    assert (spec.domain.features, spec.domain.max_active, spec.domain.size) == (4, 2, 11)
    assert (spec.readout.mode, spec.readout.at, spec.readout.margin) == ("threshold", Fraction(1, 2), 0)
    assert spec.at_most(1).domain == KSparse(4, 1)
    with pytest.raises(supercheck.InputError):
        Readout("epsilon")


def test_a_counterexample_says_which_features_are_on() -> None:
    found = supercheck.verify(None, SPECS / "refuted" / "trained_and8_k4.toml")
    example: Counterexample = found.counterexample
    assert example.active == tuple(j for j, value in example.input.values if value == 1)
    assert example.input == Input.on(example.active)
    assert (example.size, example.expected in (0, 1), example.minimal) == (len(example.active), True, True)
    assert isinstance(found.claims.network, Network)
