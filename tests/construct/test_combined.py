"""Combined channels: right at every cut, small where the tail is heavy."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from plainly import wrong

from supercheck.api.verify import verify
from supercheck.base.errors import InputError
from supercheck.claims.evidence import Verdict
from supercheck.construct.catalogue.combined import combined
from supercheck.construct.pairs import heavy_tailed
from supercheck.construct.request import Request
from supercheck.decide.limits import Limits
from supercheck.decide.portfolio import ENGINES


@pytest.mark.parametrize("gate", ["and", "or", "xor", "nand", "nor", "xnor"])
@pytest.mark.parametrize("cut", [None, 1, 3, 5, 99])
def test_every_cut_gives_a_right_network(gate: str, cut: int | None) -> None:
    for k in (1, 2, 3):
        built = combined(Request(k, features=7, outputs=10, heavy_tail=True, gate=gate, cut=cut, seed=k))
        assert wrong(built) == set()


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_prove_both_kinds_of_channels_together(engine: str) -> None:
    built = combined(Request(2, features=9, outputs=16, heavy_tail=True, cut=5))
    assert 0 < int(built.made["heavy"]) < 9
    pairs = heavy_tailed(9, 16, 0)
    by_input = np.any((np.bincount(pairs.reshape(-1)) >= 5)[pairs], axis=1)
    assert 0 < by_input.sum() < 16
    assert verify(built.whole, built.spec, limits=Limits(engine=engine)).verdict is Verdict.PROVED


@pytest.mark.parametrize(("outputs", "k", "most"), [(64, 2, 36), (256, 2, 60), (64, 3, 64)])
def test_a_heavy_tail_takes_few_neurons(outputs: int, k: int, most: int) -> None:
    built = combined(Request(k, outputs=outputs, heavy_tail=True))
    assert verify(built.whole, built.spec).verdict is Verdict.PROVED
    assert built.neurons <= most


def test_the_cut_that_is_tried_is_the_one_that_is_told() -> None:
    free = combined(Request(2, outputs=64, heavy_tail=True))
    fixed = combined(Request(2, outputs=64, heavy_tail=True, cut=int(free.made["cut"])))
    assert free.whole.digest == fixed.whole.digest


def test_more_active_features_than_there_are_is_refused_before_any_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[combined.__module__], "chosen", None)
    with pytest.raises(InputError, match="-k: expected 0 to 2,048, the number of features, got 3000"):
        combined(Request(3_000, outputs=4_096, heavy_tail=True))
