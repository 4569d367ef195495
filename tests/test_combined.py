"""Combined channels: right at every cut, small where the tail is heavy; channels that settle are not crowded."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from plainly import wrong

from supercheck.construct.built import Wanted
from supercheck.construct.chance import stream
from supercheck.construct.combined import combined
from supercheck.construct.owned import Channels
from supercheck.construct.pairs import drawn, heavy_tailed
from supercheck.construct.swaps import fewest, settled
from supercheck.decide import ENGINES, Limits
from supercheck.evidence import Verdict
from supercheck.verifying import verify


@pytest.mark.parametrize("gate", ["and", "or", "xor", "nand", "nor", "xnor"])
@pytest.mark.parametrize("cut", [None, 1, 3, 5, 99])
def test_every_cut_gives_a_right_network(gate: str, cut: int | None) -> None:
    for k in (1, 2, 3):
        built = combined(Wanted(k, features=7, outputs=10, heavy_tail=True, gate=gate, cut=cut, seed=k))
        assert wrong(built) == set()


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_prove_both_kinds_of_channels_together(engine: str) -> None:
    built = combined(Wanted(2, features=9, outputs=16, heavy_tail=True, cut=5))
    assert 0 < int(built.made["heavy"]) < 9
    assert len({int(size) for size in np.diff(built.layers[1].weight.indptr)}) > 1
    assert verify(built.whole, built.spec, limits=Limits(engine=engine)).verdict is Verdict.PROVED


@pytest.mark.parametrize(("outputs", "k", "most"), [(64, 2, 36), (256, 2, 60), (64, 3, 64)])
def test_a_heavy_tail_takes_few_neurons(outputs: int, k: int, most: int) -> None:
    built = combined(Wanted(k, outputs=outputs, heavy_tail=True))
    assert verify(built.whole, built.spec).verdict is Verdict.PROVED
    assert built.neurons <= most


def test_the_cut_that_is_tried_is_the_one_that_is_told() -> None:
    free = combined(Wanted(2, outputs=64, heavy_tail=True))
    fixed = combined(Wanted(2, outputs=64, heavy_tail=True, cut=int(free.made["cut"])))
    assert free.whole.digest == fixed.whole.digest


@pytest.mark.parametrize("others", [1, 2, 3])
def test_channels_that_settle_are_crowded_by_none(others: int) -> None:
    pairs, seen = drawn(12, 18, 3, Random(others)), 0
    for neurons in range(6, 60, 6):
        channels = settled(12, pairs, others, neurons, 3, stream(neurons))
        if channels is not None:
            seen += 1
            assert (channels.sizes == 3).all()
            assert (channels.crowding(others) < 3).all()
    assert seen > 1


def test_fewest_keeps_to_what_is_given() -> None:
    pairs = heavy_tailed(20, 40, 0)
    rows = fewest(pairs, 1, 0, neurons=30, channel=4)
    assert rows is not None
    assert (rows.height, rows.width, set(np.diff(rows.indptr))) == (40, 30, {4})
    assert (Channels(20, pairs, rows).crowding(1) < 4).all()
    assert fewest(pairs, 1, 0, neurons=4, channel=4) is None
    assert fewest(pairs, 0, 0).width == 1  # type: ignore[union-attr]
