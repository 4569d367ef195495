"""Output channels compute every gate of pairs, with the neurons that were asked for or few."""

from __future__ import annotations

import pytest
from plainly import wrong

from supercheck.construct.built import Wanted
from supercheck.construct.output_channels import output_channels
from supercheck.decide import ENGINES, Limits
from supercheck.errors import InputError
from supercheck.evidence import Verdict
from supercheck.verifying import verify

GATES = ("and", "or", "xor", "nand", "nor", "xnor")


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("k", [0, 1, 2, 3])
def test_every_gate_is_right(gate: str, k: int) -> None:
    for seed in range(3):
        built = output_channels(Wanted(k, features=8, outputs=8, gate=gate, seed=seed))
        assert wrong(built) == set()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("gate", ["and", "nor", "xor"])
def test_engines_prove_every_gate(gate: str, engine: str) -> None:
    built = output_channels(Wanted(2, features=10, outputs=12, gate=gate))
    assert built.neurons <= (24 if gate == "xor" else 12)
    assert verify(built.whole, built.spec, limits=Limits(engine=engine)).verdict is Verdict.PROVED


@pytest.mark.parametrize(
    ("gate", "outputs", "k", "most"),
    [("nand", 256, 2, 40), ("xnor", 64, 1, 40), ("nor", 64, 2, 63), ("and", 64, 3, 63)],
)
def test_many_outputs_take_few_neurons(gate: str, outputs: int, k: int, most: int) -> None:
    built = output_channels(Wanted(k, outputs=outputs, gate=gate))
    assert verify(built.whole, built.spec).verdict is Verdict.PROVED
    assert built.neurons <= most


def test_too_few_neurons_are_told() -> None:
    with pytest.raises(InputError, match=r"--neurons: expected neurons enough .*, got 9; take more"):
        output_channels(Wanted(2, outputs=64, neurons=9, channel=4))
    with pytest.raises(InputError, match="--channel: expected at most 5, the number of neurons, got 6"):
        output_channels(Wanted(2, outputs=64, neurons=5, channel=6))
    with pytest.raises(InputError, match="--gate: expected a gate of two features, got copy"):
        output_channels(Wanted(2, outputs=8, gate="copy"))
    with pytest.raises(InputError, match="--cut: expected nothing"):
        output_channels(Wanted(2, outputs=8, cut=3))
