"""No machine is farther from the real value than the bound says; and bounds that forget something are found out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import combinations, pairwise
from random import Random
from typing import Any

import numpy as np
import pytest
from floats import F, floats32, kinds32, large, usual
from hypothesis import given, strategies as st
from machines import Machine, binary, rounded
from oracle import Stored, inputs, run
from strategies import halves, layers, network, small

from supercheck.base.binary32 import above, below, nearest, readings
from supercheck.decide.float32 import error_bounds as bounds, rounding
from supercheck.decide.float32.error_bounds import Values, at_inputs, over_domain
from supercheck.decide.float32.layers import FREE, StoredLayers, UncoveredError
from supercheck.decide.float32.linear_bounds import Forms


def chain_of(stored: Stored) -> StoredLayers:
    return StoredLayers.of(network(stored))


def overshoots(stored: Stored, k: int, machines: int = 12, seed: int = 0) -> Iterator[tuple[Any, ...]]:
    """Where some machine is off by more than a bound: of the domain, or of the input."""
    features = len(stored[0][0][0])
    chain = chain_of(stored)
    whole, actives = over_domain(chain, k), list(inputs(features, k))
    own = [at_inputs(chain.part(i), actives) for i in range(len(whole))]
    for place, active in enumerate(actives):
        x = binary(active, features)
        real = run(stored, x)
        for number in range(seed, seed + machines):
            try:
                found: list[Fraction | None] = [*Machine.any(number).run(stored, x)]
            except OverflowError:
                found = [None] * len(whole)  # some neuron, of which some output need not know
            for i, value in enumerate(found):
                for bound in (whole[i], own[i][place]):
                    if value is None or bound is None:
                        continue
                    if abs(value - real[i]) > bound:
                        yield stored, k, active, number, i, float(value - real[i]), float(bound)


@given(st.data())
def test_no_machine_is_off_by_more_than_the_bound(data: st.DataObject) -> None:
    features = data.draw(st.integers(1, 5))
    stored = data.draw(layers(features, data.draw(st.integers(1, 2)), kinds32))
    seed = data.draw(st.integers(0, 2**32))
    assert not list(overshoots(stored, data.draw(st.integers(0, features)), 6, seed))


def test_nor_in_networks_of_the_usual_size() -> None:
    rng, random = np.random.default_rng(5), Random(5)
    closest = 0.0
    for number in range(6):
        sizes, scale = (16, 20, 12, 4), 2.0 ** rng.integers(0, 24)
        stored: Stored = []
        for a, b in pairwise(sizes):
            weight, bias = (rng.normal(size=shape).astype(np.float32) for shape in ((b, a), b))
            weight[:, 0] = np.float32(scale)  # a large number that later layers cancel
            weight[1::2, 0] *= -1
            stored.append(
                ([[F(float(w)) for w in row] for row in weight], [F(float(v)) for v in bias], len(stored) < 2)
            )
        chain = chain_of(stored)
        whole, part = over_domain(chain, 4), chain.part(0)
        for seed in range(40):
            active = sorted(random.sample(range(16), 4))
            x = binary(active, 16)
            [own], real = at_inputs(part, [active]), run(stored, x)
            found = Machine.any(1000 * number + seed).run(stored, x)
            assert own is not None
            assert all(abs(v - r) <= e for v, r, e in zip(found, real, whole, strict=True) if e is not None)
            assert abs(found[0] - real[0]) <= own
            closest = max(closest, float(abs(found[0] - real[0]) / own))
    assert closest > 0.05  # the bound is worth something


@given(st.data())
def test_dyadic_networks_are_exact(data: st.DataObject) -> None:
    features = data.draw(st.integers(1, 5))
    stored = data.draw(layers(features, 2, st.sampled_from([small, halves])))
    assert over_domain(chain_of(stored), features) == [0, 0]


@given(floats32, floats32)
def test_the_machines_add_as_numpy_does(a: Fraction, b: Fraction) -> None:
    with np.errstate(all="ignore"):
        total, product = np.float32(a) + np.float32(b), np.float32(a) * np.float32(b)
    assert rounded(a + b) == F(float(total))
    if np.isfinite(product):
        assert rounded(a * b) == F(float(product))


@given(floats32 | st.builds(F, st.integers(-(10**9), 10**9), st.integers(1, 10**9)))
def test_singles_are_those_of_numpy(value: Fraction) -> None:
    def f(x: Any) -> Fraction:
        return F(float(x))

    low, high = below(value), above(value)
    assert low <= value < high
    assert f(np.float32(low)) == low
    assert f(np.nextafter(np.float32(low), np.float32(np.inf))) == high
    middle = (low + high) / 2
    assert nearest(value) == (low if value < middle or (value == middle and (low / (high - low)) % 2 == 0) else high)
    double = value.numerator / value.denominator  # Python divides to nearest
    assert readings(value) == (value, nearest(value), F(double), f(np.float32(double)))


def test_a_double_halfway_between_two_singles_is_one_more_reading() -> None:
    halfway = 1 + F(1, 2**24)  # torch compares with 1, the nearest float32 number of t is the next one
    assert readings(halfway + F(1, 2**80)) == (halfway + F(1, 2**80), 1 + F(1, 2**23), halfway, 1)


# Bounds that forget something. The cases are small enough to see which machine finds them out.

ONE, ON = F(1), True
C = F(2**24)
CASES: dict[str, Stored] = {
    "a large bias": [([[ONE]], [C], False)],
    "C, 1, -C": [([[C, ONE, -C]], [F(0)], False)],
    "C, 1, -1, -C, then read": [([[2 * C, -ONE, -2 * C, ONE]], [F(0)], ON), ([[ONE]], [F(0)], False)],
    "an inexact product": [([[1 + F(1, 2**23)]], [F(0)], ON), ([[1 + F(1, 2**23)]], [F(0)], False)],
    "subnormal": [([[F(1, 2**60)]], [F(0)], ON), ([[F(1, 2**80)]], [F(0)], False)],
    "an error that is enlarged": [([[C, ONE]], [F(0)], ON), ([[F(8)]], [F(0)], False)],
    "a wide sum of close numbers": [([[1 + F(1, 2**23), F(3, 2**25), F(1, 2**24)]], [F(1, 2**26)], False)],
    "fine weights": [([[F(1, 2**20)]], [F(16)], False)],
}


def caught() -> set[str]:
    return {name for name, case in CASES.items() if any(overshoots(case, len(case[0][0][0]), 150))}


def test_no_case_is_off_by_more_than_the_bound() -> None:
    assert caught() == set()


def real_ranges(sums: Callable[..., Values]) -> Callable[..., Values]:
    def through(*arguments: Any) -> Values:
        found = sums(*arguments)
        return Values(**{**vars(found), "least": found.low, "most": found.high})

    return through


def without_terms(**changes: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def change(error: Callable[..., Any]) -> Callable[..., Any]:
        return lambda terms: error(
            rounding.Summands(**{**vars(terms), **{name: new(terms) for name, new in changes.items()}})
        )

    return change


def less(terms: Any) -> Any:
    """Without the smallest of each sum."""
    return np.where(np.arange(terms.shape[-1]) > 0, np.sort(terms, axis=-1), 0)


MUTANTS: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "forgets the bias": (bounds, "_with", lambda _: lambda terms, bias: np.pad(terms, [(0, 0)] * 2 + [(0, 1)])),
    "ranges of real values": (bounds, "_sums", real_ranges),
    "products as if exact": (bounds, "hulp", lambda _: lambda size, grid: np.zeros(size.shape)),
    "one sum fewer": (bounds, "tree_error", without_terms(count=lambda t: t.count - 1)),
    "parts no larger than the whole": (
        bounds,
        "tree_error",
        without_terms(positives=lambda t: t.total, negatives=lambda t: t.total),
    ),
    "errors of the products alone": (bounds, "tree_error", lambda _: lambda terms: terms.leaf),
    "a digit more": (rounding, "hulp", lambda hulp: lambda size, grid: hulp(size / 2, grid)),
    "a coarser grid": (rounding, "hulp", lambda hulp: lambda size, grid: hulp(size, grid + 1)),
    "weights without a grid": (
        bounds,
        "Block",
        lambda block: lambda *a: block(*a[:3], np.where(a[3] == FREE, FREE, np.maximum(a[3], 0))),
    ),
    "no flush to zero": (bounds, "_flushed", lambda _: lambda *a: 0.0),
    "errors are not enlarged": (bounds, "_rounded_up", lambda up: lambda e: up(e) / 2),
    "one active feature fewer": (bounds, "_largest", lambda largest: lambda values, k: less(largest(values, k))),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_bound_that_forgets_something_is_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, what, change = MUTANTS[name]
    monkeypatch.setattr(where, what, change(getattr(where, what)))
    assert caught()


def test_a_bound_for_sums_rounded_once_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    tie = 1 + F(3, 2**24)
    value = tie - F(1, 2**60)  # in 53 digits it is the tie, and then rounded away
    off = abs(rounded(rounded(value, 53, -1074)) - value)
    size, grid = np.array([float(tie)]), np.array([-60])
    assert off <= F(float(rounding.hulp(size, grid)[0]))
    monkeypatch.setattr(rounding, "ROUND", 1.0)
    assert off > F(float(rounding.hulp(size, grid)[0]))


@pytest.mark.parametrize("power", range(-149, 128, 9))
@pytest.mark.parametrize("finer", [0, 1, 23, 24, 25, 40])
def test_hulp_bounds_every_rounding_error_up_to_its_size(power: int, finer: int) -> None:
    step, random = F(2) ** (power - finer), Random(power)
    for top in {1 << finer, (1 << finer) + 1, (1 << finer) - 1, random.randint(1, 1 << finer)}:
        size = F(float(top * step))
        if not 0 < size <= F(2) ** 128 - F(2) ** 104:
            continue
        bound = F(float(rounding.hulp(np.array([float(size)]), np.array([power - finer]))[0]))
        for n in {top, max(top - 1, 0), (top + 1) // 2, random.randint(0, top)}:
            if n * step <= size:
                assert abs(rounded(rounded(n * step, 53, -1074)) - n * step) <= bound


def test_a_number_that_is_no_float32_is_not_covered() -> None:
    for bad in (F(1, 3), F(1) + F(1, 2**24), F(2) ** 128, F(10) ** 400, F(1, 2**150)):
        with pytest.raises(UncoveredError):
            chain_of([([[bad]], [F(0)], False)])
        with pytest.raises(UncoveredError):
            chain_of([([[F(1)]], [bad], False)])


def test_a_part_of_a_chain_has_the_bounds_of_the_whole() -> None:
    rng = np.random.default_rng(3)
    stored: Stored = []
    for a, b in ((5, 6), (6, 6), (6, 3)):
        weight = np.where(rng.random((b, a)) < 0.5, np.float32(rng.normal(size=(b, a))), 0)
        stored.append(([[F(float(w)) for w in row] for row in weight], [F(0)] * b, b == 6))
    chain = chain_of(stored)
    for i in range(3):
        part = chain.part(i)
        assert [layer.weight.height for layer in part.layers][-1] == 1
        for active in combinations(range(5), 2):
            x = binary(active, 5)
            h = np.array([x[j] for j in part.features.tolist()], dtype=np.float64)
            for layer in part.layers:
                z = layer.dense @ h + layer.bias
                h = np.maximum(z, 0) if layer.relu else z
            assert abs(F(float(h[0])) - run(stored, x)[i]) < F(1, 10**9)


@given(st.data())
def test_forms_enclose_every_real_sum_and_its_parts(data: st.DataObject) -> None:
    features = data.draw(st.integers(1, 4))
    k = data.draw(st.integers(0, features))
    stored = data.draw(layers(features, 2, st.sampled_from([small, usual, large])))
    forms, h = Forms.inputs(features, k), {active: binary(active, features) for active in inputs(features, k)}
    for (weight, bias, relu), layer in zip(stored, chain_of(stored).layers, strict=True):
        outside, forms = forms.layer(layer, nonnegative=all(v >= 0 for values in h.values() for v in values))
        z = {active: run([(weight, bias, False)], values) for active, values in h.items()}
        for i, row in enumerate(weight):
            for active, values in h.items():
                assert outside.low[i] <= z[active][i] <= outside.high[i]
                for sign, most in ((1, outside.positives[i]), (-1, outside.negatives[i])):
                    assert sum(max(w * sign, 0) * v for w, v in zip(row, values, strict=True)) <= most  # type: ignore[misc, operator]
        if relu:
            ends = [[f([values[i] for values in z.values()]) for i in range(len(bias))] for f in (min, max)]
            forms = forms.rectified(*(np.array([float(end) for end in part]) for part in ends))
        h = {active: [max(v, F(0)) for v in values] if relu else values for active, values in z.items()}  # type: ignore[misc]
