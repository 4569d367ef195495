"""Lists of pairs: every list that can exist is drawn, and what is no list of pairs is refused."""

from __future__ import annotations

import os
from collections import Counter
from math import comb
from pathlib import Path
from random import Random

import networkx as nx
import numpy as np
import pytest

from supercheck import build
from supercheck.base.errors import InputError
from supercheck.construct.pairs import drawn, heavy_tailed, listed, of_edges, read_pairs
from supercheck.construct.request import Request


@pytest.mark.parametrize("features", range(2, 10))
def test_every_feasible_list_is_drawn_and_no_other(features: int) -> None:
    for most in range(1, features + 2):
        for outputs in range(1, comb(features, 2) + 2):
            feasible = outputs <= comb(features, 2) and 2 * outputs <= min(most, features - 1) * features
            if not feasible:
                with pytest.raises(InputError, match="pair"):
                    drawn(features, outputs, most, Random(0))
                continue
            pairs = drawn(features, outputs, most, Random(0)).tolist()
            assert len({(a, b) for a, b in pairs}) == outputs
            assert all(0 <= a < b < features for a, b in pairs)
            assert max(Counter(j for pair in pairs for j in pair).values()) <= most


@pytest.mark.parametrize(
    ("features", "outputs", "most"), [(64, 96, 3), (101, 202, 4), (999, 2_497, 5), (2_979, 16_384, 11)]
)
def test_large_regular_lists_are_drawn(features: int, outputs: int, most: int) -> None:
    pairs = drawn(features, outputs, most, Random(1))
    assert len(np.unique(pairs, axis=0)) == outputs
    assert np.bincount(pairs.reshape(-1)).max() <= most


def test_a_seed_says_which_list() -> None:
    lists = [drawn(30, 45, 3, Random(seed)).tolist() for seed in (1, 1, 2)]
    assert lists[0] == lists[1] != lists[2]


def test_small_regular_graphs_are_all_reached() -> None:
    """The 3-regular graphs of 4, 2-regular ones of 5: each of the 12 cycles comes about equally often."""
    seen = Counter(tuple(map(tuple, drawn(5, 5, 2, Random(seed)).tolist())) for seed in range(1_200))
    assert len(seen) == 12
    assert min(seen.values()) > 50


@pytest.mark.parametrize("features", range(2, 9))
def test_every_number_of_pairs_has_a_heavy_tailed_list(features: int) -> None:
    for outputs in range(1, comb(features, 2) + 1):
        pairs = heavy_tailed(features, outputs, seed=outputs).tolist()
        assert pairs == sorted(pairs)
        assert len({(a, b) for a, b in pairs}) == outputs
        assert all(0 <= a < b < features for a, b in pairs)
    with pytest.raises(InputError, match="pairs of"):
        heavy_tailed(features, comb(features, 2) + 1, seed=0)


@pytest.mark.parametrize(("features", "outputs"), [(2_048, 4_096), (4_000, 8_000)])
def test_a_heavy_tail_is_heavy(features: int, outputs: int) -> None:
    """From a table of all pairs, and pair by pair: few are far above sqrt(m), most are below the mean."""
    pairs = heavy_tailed(features, outputs, seed=3)
    assert len(np.unique(pairs, axis=0)) == outputs
    influence = np.bincount(pairs.reshape(-1), minlength=features)
    assert influence.max() > 2 * outputs**0.5
    assert np.median(influence) < influence.mean()
    assert 20 < np.sum(influence > outputs**0.375) < 100


def test_half_as_many_features_as_heavy_tailed_pairs_or_as_few_as_have_so_many() -> None:
    for outputs in range(1, 60):
        features, pairs = listed(Request(2, outputs=outputs, heavy_tail=True))
        assert len(pairs) == outputs
        assert features == max(outputs // 2, next(m for m in range(2, 60) if comb(m, 2) >= outputs))


def test_pairs_of_a_graph_and_of_all_features() -> None:
    graph = nx.petersen_graph()
    assert of_edges(graph.edges).tolist() == sorted(map(sorted, graph.edges))
    features, pairs = listed(Request(2, features=4))
    assert (features, pairs.tolist()) == (4, [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]])


def test_pairs_of_numpy_are_pairs_and_floats_are_none() -> None:
    assert of_edges(np.array([[3, 1], [0, 2]])).tolist() == [[1, 3], [0, 2]]
    for wrong in ([0.0, 1.0], [True, 2], ["0", "1"], [0], 5):
        with pytest.raises(InputError, match="two different features"):
            of_edges([wrong])  # type: ignore[list-item]


@pytest.mark.parametrize("name", ["/dev/zero", "pipe"])
def test_a_device_or_a_pipe_is_no_list(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="expected a file, got something else"):
        read_pairs(tmp_path / name)


def test_one_pair_of_a_million_features_is_written(tmp_path: Path) -> None:
    """Regression: whether a list holds all pairs was found out by listing all."""
    made = build("one-per-gate", pairs=[(0, 999_999)], max_active=1, output=tmp_path / "net.npz")
    assert made.spec is not None
    assert "over = [\n    [0, 999999],\n]" in made.spec.read_text()


def test_pairs_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "pairs.txt"
    file.write_text("# features\n3 0\n1,2  # a comment\n\n0, 1\n")
    assert read_pairs(file).tolist() == [[0, 3], [1, 2], [0, 1]]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("0 1\n1 0\n", "pairs.txt:2: expected each pair once"),
        ("0 1\n\n2 2\n", "pairs.txt:3: expected two different features"),
        ("0 1 2\n", "pairs.txt:1: expected two features such as `0 3`, got 0 1 2"),
        ("0 -1\n", "pairs.txt:1: expected two features"),
        ("0\n", "pairs.txt:1: expected two features"),
        ("a b\n", "pairs.txt:1: expected two features"),
        ("", "expected 1 to 1,000,000 pairs, got 0"),
    ],
)
def test_what_is_no_list_of_pairs_is_refused(tmp_path: Path, content: str, told: str) -> None:
    file = tmp_path / "pairs.txt"
    file.write_text(content)
    with pytest.raises(InputError) as caught:
        read_pairs(file)
    assert told in f"{caught.value}"
