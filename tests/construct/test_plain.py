"""The baselines compute every gate that they take, and refuse the others by name."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from plainly import wrong

from supercheck.api.verify import verify
from supercheck.base.errors import InputError
from supercheck.claims.evidence import Verdict
from supercheck.construct.catalogue.plain import copy, one_per_gate
from supercheck.construct.pairs import drawn
from supercheck.construct.request import Request
from supercheck.decide.limits import Limits
from supercheck.decide.portfolio import ENGINES
from supercheck.spec.readout import Readout

GATES = ("and", "or", "xor", "nand", "nor", "xnor", "majority")


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("k", [0, 1, 2, 5])
def test_one_per_gate_is_every_gate_at_every_k(gate: str, k: int) -> None:
    pairs = drawn(5, 6, 4, Random(k))
    built = one_per_gate(Request(k, pairs=pairs, features=5, gate=gate))
    assert wrong(built) == set()
    neurons = 2 if gate in ("xor", "xnor") else 1
    assert (built.neurons, built.edges) == (6 * neurons, 18 * neurons)


@pytest.mark.parametrize("gate", GATES)
def test_one_per_gate_is_right_to_the_last_digit(gate: str) -> None:
    built = one_per_gate(Request(3, features=5, gate=gate))
    exactly = Readout("equality")
    spec = type(built.spec)(built.spec.domain, built.spec.formulas, exactly)
    assert verify(built.whole, spec).verdict is Verdict.PROVED


@pytest.mark.parametrize("gate", [gate for gate in GATES if gate not in ("xor", "xnor")])
def test_copy_reads_gates_at_a_threshold(gate: str) -> None:
    built = copy(Request(5, features=5, gate=gate))
    assert wrong(built) == set()
    assert (built.neurons, built.edges) == (5, 5 + 2 * 10)
    assert np.array_equal(built.layers[0].weight.dense(), np.eye(5))


@pytest.mark.parametrize(
    ("construction", "gate"), [(copy, "xor"), (copy, "xnor"), (copy, "copy"), (one_per_gate, "copy")]
)
def test_a_gate_that_it_cannot_build_is_refused_by_name(construction: object, gate: str) -> None:
    assert callable(construction)
    with pytest.raises(InputError, match=f"--gate: expected a gate .* got {gate}"):
        construction(Request(2, features=5, gate=gate))


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_agree_on_the_baselines(engine: str) -> None:
    for built in (one_per_gate(Request(3, features=4, gate="xnor")), copy(Request(3, features=4, gate="nor"))):
        assert verify(built.whole, built.spec, limits=Limits(engine=engine)).verdict is Verdict.PROVED
