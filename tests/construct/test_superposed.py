"""Inputs and outputs in superposition: fixed codes, a small network between, right on every input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from plainly import wrong

from supercheck import read_spec
from supercheck.api.build import build
from supercheck.api.verify import verify
from supercheck.base.errors import InputError
from supercheck.claims.evidence import Verdict
from supercheck.construct.catalogue.superposed import _drawn, superposed
from supercheck.construct.pairs import listed
from supercheck.construct.request import Request
from supercheck.decide.limits import Limits


@pytest.mark.parametrize(("features", "outputs"), [(6, 5), (8, 8), (7, 10), (2, 1)])
def test_small_ones_are_right(features: int, outputs: int) -> None:
    for seed in range(3):
        assert wrong(superposed(Request(2, features=features, outputs=outputs, seed=seed))) == set()


@pytest.mark.parametrize("engine", ["enumerate", "branch"])
def test_fewer_neurons_than_features_and_outputs_are_proved(engine: str) -> None:
    built = superposed(Request(2, features=32, outputs=32))
    assert built.neurons < 32
    assert built.encoder is not None
    assert built.decoder is not None
    assert {float(w) for code in (built.encoder, built.decoder) for w in code.weight.data} == {-1.0, 1.0}
    assert verify(built.whole, built.spec, limits=Limits(engine=engine)).verdict is Verdict.PROVED


def test_the_two_classes_are_what_the_engines_find() -> None:
    seen = 0
    for seed in range(8):
        wanted = Request(2, features=9, outputs=9, neurons=14, channel=5, seed=seed)
        drawn = _drawn(9, listed(wanted)[1], 14, 5, seed)
        low, high = drawn.classes(listed(wanted)[1], wanted.clock)
        built = superposed(wanted)
        found = verify(built.whole, built.spec, limits=Limits(margins=True))
        assert (found.verdict is Verdict.PROVED) == (low < high)
        if low < high:
            seen += 1
            assert max(one.extremes.off.value for one in found.outputs) * (1 << drawn.digits) == low  # type: ignore[union-attr]
            assert min(one.extremes.on.value for one in found.outputs) * (1 << drawn.digits) == high  # type: ignore[union-attr]
    assert seen > 1


def test_the_codes_know_nothing_of_the_pairs() -> None:
    lists = ([(0, 1), (2, 3), (4, 5), (1, 2)], [(0, 5), (1, 4), (2, 3), (0, 2)])
    one, other = (superposed(Request(2, pairs=np.array(pairs), features=6, neurons=8)) for pairs in lists)
    assert one.encoder is not None
    assert other.encoder is not None
    assert one.decoder is not None
    assert other.decoder is not None
    assert np.array_equal(one.encoder.weight.data, other.encoder.weight.data)
    assert np.array_equal(one.decoder.weight.data, other.decoder.weight.data)
    assert one.whole.digest != other.whole.digest


def test_codes_are_written_beside_the_network_and_named(tmp_path: Path) -> None:
    made = build("superposed", output=tmp_path / "net.npz", max_active=2, features=12, outputs=12)
    assert made.result.verdict is Verdict.PROVED
    assert made.spec is not None
    source = read_spec(made.spec).source
    assert (source.encoder, source.decoder) == (tmp_path / "net.encoder.npz", tmp_path / "net.decoder.npz")
    assert verify(None, made.spec).verdict is Verdict.PROVED


def test_too_few_neurons_are_refuted_not_proved(tmp_path: Path) -> None:
    made = build("superposed", output=tmp_path / "net.npz", max_active=2, features=16, outputs=16, neurons=5)
    assert made.result.verdict is Verdict.REFUTED
    assert made.file == tmp_path / "net.unproved.npz"


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Request(3, features=6, outputs=5), "-k: expected 2"),
        (Request(2, features=4_000, outputs=60), "--features: expected at most 2,048"),
        (Request(2, features=60, outputs=60, neurons=10**6), "--neurons: expected at most 2,048"),
        (Request(2, features=6, outputs=5, gate="or"), "--gate: expected nothing"),
    ],
)
def test_what_it_cannot_build_is_told(wanted: Request, told: str) -> None:
    with pytest.raises(InputError, match=told):
        superposed(wanted)


def test_without_time_it_says_that_time_is_missing() -> None:
    """It went on for as long as it took, whatever --timeout said."""
    with pytest.raises(InputError, match="--timeout: expected time enough to find a network"):
        superposed(Request(2, features=32, outputs=32, seconds=1e-9))
