"""Gates read from channels: what the closed form proves is right, and for AND and NAND nothing else is."""

from __future__ import annotations

from math import comb
from random import Random

import numpy as np
import pytest
from plainly import wrong

from supercheck.api.verify import verify
from supercheck.base.errors import InputError
from supercheck.base.matrix import Rows
from supercheck.claims.evidence import Verdict
from supercheck.construct.catalogue.output_channels import output_channels
from supercheck.construct.channels import Channels, margins
from supercheck.construct.gates.read import gated, sparsity
from supercheck.construct.layers import hidden, readout
from supercheck.construct.pairs import drawn
from supercheck.construct.request import Request
from supercheck.decide.limits import Limits
from supercheck.decide.portfolio import ENGINES
from supercheck.network.network import Network

GATES = ("and", "or", "xor", "nand", "nor", "xnor")


def some_channels(seed: int) -> Channels:
    """Few neurons for their outputs, so that some are right and some wrong; channels of several sizes."""
    random = Random(seed)
    features = random.randint(4, 7)
    pairs = drawn(features, random.randint(1, min(comb(features, 2), 6)), features - 1, random)
    owned = np.zeros((len(pairs), random.randint(3, 8)), dtype=bool)
    for row in owned:
        row[random.sample(range(owned.shape[1]), random.randint(1, 3))] = True
    return Channels(features, pairs, owned)


@pytest.mark.parametrize("gate", GATES)
def test_what_the_closed_form_proves_is_right(gate: str) -> None:
    right = 0
    for seed in range(60):
        channels, k = some_channels(seed), 1 + seed % 3
        said = margins(channels, sparsity(gate, k)) > 0
        found = wrong(gated(channels, gate, k))
        if gate in ("and", "nand"):
            assert set(np.flatnonzero(~said).tolist()) == found, seed
        assert set(np.flatnonzero(said).tolist()).isdisjoint(found), seed
        right += int(said.sum())
    assert right > 30


def test_and_is_the_network_of_the_source() -> None:
    for seed in range(20):
        channels = some_channels(seed)
        first = hidden(Rows.from_dense(channels.fed.T.astype(np.int64)), -1)
        last = readout(Rows.from_dense(channels.owned.astype(np.int64)), 1 - channels.sizes)
        assert gated(channels, "and", 2).whole.digest == Network.of([first, last]).digest


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("k", [0, 1, 2, 3])
def test_output_channels_compute_every_gate(gate: str, k: int) -> None:
    built = output_channels(Request(k, features=8, outputs=8, gate=gate, repair=True, seed=k))
    assert wrong(built) == set()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("gate", ["nand", "nor", "xor"])
def test_engines_prove_gates_of_channels(gate: str, engine: str) -> None:
    built = output_channels(Request(2, features=10, outputs=12, gate=gate, repair=True))
    assert verify(built.whole, built.spec, limits=Limits(engine=engine)).verdict is Verdict.PROVED


@pytest.mark.parametrize(("gate", "k", "most"), [("nand", 2, 40), ("nor", 1, 40), ("xnor", 1, 80)])
def test_256_gates_take_few_neurons(gate: str, k: int, most: int) -> None:
    built = output_channels(Request(k, outputs=256, gate=gate, repair=True))
    assert verify(built.whole, built.spec).verdict is Verdict.PROVED
    assert built.neurons <= most


def test_no_gate_of_a_pair_is_told() -> None:
    with pytest.raises(InputError, match="--gate: expected a gate of two features, got copy"):
        output_channels(Request(2, outputs=8, gate="copy"))
