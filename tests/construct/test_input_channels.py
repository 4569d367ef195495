"""Input channels: codes are as good, and as short, as they claim, and every gate is right."""

from __future__ import annotations

import numpy as np
import pytest
from plainly import wrong

from supercheck.api.verify import verify
from supercheck.claims.evidence import Verdict
from supercheck.construct.catalogue.input_channels import family, input_channels, owners
from supercheck.construct.pairs import heavy_tailed
from supercheck.construct.request import Request
from supercheck.decide.limits import Limits
from supercheck.decide.portfolio import ENGINES

GATES = ("and", "or", "xor", "nand", "nor", "xnor")


@pytest.mark.parametrize("others", [0, 1, 2, 3, 5])
def test_no_word_is_covered_by_others(others: int) -> None:
    for sets in (1, 2, 3, 10, 100, 700):
        code = family(sets, others)
        assert len(code) == sets
        assert set(np.unique(code)) == set(range(code.max() + 1))
        assert all(len(set(word)) == code.shape[1] for word in code.tolist())
        member = np.zeros((sets, code.max() + 1), dtype=np.int64)
        member[np.arange(sets)[:, None], code] = 1
        overlaps = member @ member.T
        np.fill_diagonal(overlaps, 0)
        assert (np.sort(overlaps, axis=1)[:, ::-1][:, :others].sum(axis=1) < code.shape[1]).all()


@pytest.mark.parametrize(
    ("others", "points"), [(1, [6, 8, 11, 13, 15]), (2, [12, 21, 35, 49, 56]), (3, [16, 32, 49, 77, 110])]
)
def test_a_heavy_feature_needs_few_neurons(others: int, points: list[int]) -> None:
    assert [int(family(d, others).max()) + 1 for d in (16, 64, 256, 1_024, 4_096)] == points


def test_every_pair_gets_one_of_its_features_for_an_owner() -> None:
    for seed in range(20):
        pairs = heavy_tailed(12, 3 + seed, seed)
        owner = owners(12, pairs)
        assert all(j in pair for j, pair in zip(owner.tolist(), pairs.tolist(), strict=True))
    star = np.array([[0, 3], [1, 3], [2, 3], [3, 4]])
    assert owners(5, star).tolist() == [3, 3, 3, 3]


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("k", [1, 2, 3])
def test_input_channels_compute_every_gate(gate: str, k: int) -> None:
    built = input_channels(Request(k, features=7, outputs=10, heavy_tail=True, gate=gate, seed=k))
    assert wrong(built) == set()


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_prove_input_channels(engine: str) -> None:
    for gate in ("and", "xor"):
        built = input_channels(Request(3, features=8, outputs=10, heavy_tail=True, gate=gate))
        assert verify(built.whole, built.spec, limits=Limits(engine=engine)).verdict is Verdict.PROVED


@pytest.mark.parametrize("k", [2, 3, 4])
def test_a_thousand_partners_are_proved(k: int) -> None:
    star = np.array([[0, j] for j in range(1, 1_001)])
    built = input_channels(Request(k, pairs=star))
    assert verify(built.whole, built.spec).verdict is Verdict.PROVED
    assert built.neurons == int(family(1_000, k - 1).max()) + 1
