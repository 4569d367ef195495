"""The neural permutation: top-k sums of its rows, engines and brute force say the same; it has no neurons."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from builds import proved, right, stored

import supercheck
from supercheck.base.errors import InputError
from supercheck.construct.catalogue.permutation import permutation
from supercheck.construct.request import Built, Request
from supercheck.spec.formula import Var


def interval(built: Built) -> tuple[Fraction, Fraction]:
    """[the largest value that should be off, the smallest that should be on), from sums of each row's numbers."""
    table, scale = np.eye(built.spec.domain.features, dtype=np.int64), 1
    for weight, _, _ in stored(built):
        common = max(cell.denominator for row in weight for cell in row)  # of dyadics
        table = np.array([[int(cell * common) for cell in row] for row in weight]) @ table
        scale *= common
    most = built.spec.domain.max_active
    off, on = [0], []
    for row, formula in zip(table.tolist(), built.spec.formulas, strict=True):
        assert isinstance(formula, Var)
        own = row.pop(formula.index)
        row.sort()
        off.append(sum(value for value in row[::-1][:most] if value > 0))
        on.append(own + sum(value for value in row[: max(0, most - 1)] if value < 0))
    return Fraction(max(off), scale), Fraction(min(on), scale)


@pytest.mark.parametrize("features", [1, 2, 3, 7, 12, 16])
@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_small_permutations_are_right_by_all_three(features: int, most: int) -> None:
    if most > features:
        with pytest.raises(InputError, match="-k"):
            permutation(Request(most, features=features))
        return
    built = permutation(Request(most, features=features, smallest=True, seed=features))
    off, on = interval(built)
    at = built.spec.readout.at
    assert at is not None
    assert off <= at
    assert most == 0 or at < on
    assert right(built)
    assert proved(built, "auto")
    assert (built.neurons, built.width) == (0, built.made["width"])
    assert set(built.spec.formulas) == {Var(j) for j in range(features)}
    assert len(built.spec.formulas) == features


def test_a_threshold_outside_the_interval_is_refuted() -> None:
    built = permutation(Request(2, features=32))
    off, on = interval(built)
    assert built.width < 32
    assert proved(built.read_at(off), "auto")
    assert not proved(built.read_at(on), "auto")
    assert not proved(built.read_at(off - Fraction(1, 2**40)), "auto")


def test_its_numbers_are_whole_or_dyadics_of_twelve_bits_and_only_the_inner_layer_knows_the_order() -> None:
    one, other = (permutation(Request(2, features=64, seed=seed)) for seed in (1, 2))
    inner = one.layers[0].weight.data
    power = max(Fraction(value).denominator for value in inner.tolist())
    assert power & (power - 1) == 0
    assert max(abs(Fraction(value) * power) for value in inner.tolist()) < 2**11
    assert one.encoder is not None
    assert one.decoder is not None
    code = one.encoder.weight.dense()
    assert set(code.ravel().tolist()) == {1, -1}
    assert (one.decoder.weight.dense() == code.T).all()
    assert one.spec.formulas != other.spec.formulas


def test_the_width_can_be_asked_for() -> None:
    assert permutation(Request(1, features=32, neurons=20)).width == 20
    for neurons in (33, 2):
        with pytest.raises(InputError, match="--neurons"):
            permutation(Request(1, features=32, neurons=neurons))


@pytest.mark.parametrize("features", [100, 129, 150])
def test_every_number_of_features_has_its_code(features: int) -> None:
    """The first so many columns of a larger Hadamard matrix have rows that nearly depend on each other."""
    built = permutation(Request(2, features=features, neurons=3 * features // 5))
    off, on = interval(built)
    assert (built.width, off < on) == (3 * features // 5, True)


def test_without_time_it_is_as_wide_as_there_are_features() -> None:
    built = permutation(Request(2, features=64, seconds=1e-9))
    assert built.width == 64
    assert proved(built, "bound")


def test_256_features_fit_through_a_third_fewer_than_the_prototype_needed() -> None:
    """The prototype's 420 of 1,024 at k = 2 are 41 of a hundred."""
    built = permutation(Request(2, features=256, neurons=112))
    off, on = interval(built)
    assert built.width == 112
    assert off <= Fraction(1, 2) < on
    assert proved(built, "bound")


def test_its_audit_says_that_there_are_no_neurons(tmp_path: Path) -> None:
    found = supercheck.build("permutation", output=tmp_path / "p.npz", max_active=2, features=16)
    assert found.spec is not None
    audit = supercheck.audit(None, found.spec)
    assert (audit.counts.neurons, audit.verdict) == (0, supercheck.Verdict.PROVED)
    assert "0 neurons" in str(audit)


@pytest.mark.slow
def test_1024_features_at_two_on_fit_through_420() -> None:
    built = permutation(Request(2, features=1024))
    assert built.width <= 420
    assert proved(built, "bound")
