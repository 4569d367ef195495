"""Wrong verdicts that others give, and the networks that provoke them."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from common import HALF
from oracle import Stored, truth
from strategies import bits, network

from supercheck.base.matrix import Rows
from supercheck.claims.claims import Claims, pose
from supercheck.claims.evidence import Verdict
from supercheck.decide.limits import Limits
from supercheck.decide.portfolio import decide
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import gate
from supercheck.spec.readout import Readout
from supercheck.spec.spec import Spec
from supercheck.spec.syntax import parse

STORED = {
    "float32 1/c": lambda c: Fraction(float(np.float32(1 / c))),
    "float64 1/c": lambda c: Fraction(1 / c),
    "rational 1/c": lambda c: Fraction(1, c),
}


def channel_network(seed: int, channel: int, weight: Fraction) -> tuple[Stored, list[tuple[int, int]]]:
    """Output channels: each pair owns `channel` of 120 neurons ReLU(sum - 1) and is read by their mean."""
    draw, features, neurons = random.Random(seed), 30, 120
    pairs = draw.sample(list(combinations(range(features), 2)), 40)
    channels = [draw.sample(range(neurons), channel) for _ in pairs]
    first = [[Fraction(0)] * features for _ in range(neurons)]
    for pair, owned in zip(pairs, channels, strict=True):
        for neuron in owned:
            for feature in pair:
                first[neuron][feature] = Fraction(1)
    last = [[weight if neuron in owned else Fraction(0) for neuron in range(neurons)] for owned in channels]
    return [(first, [Fraction(-1)] * neurons, True), (last, [Fraction(0)] * len(pairs), False)], pairs


def ask(stored: Stored, pairs: list[tuple[int, int]], features: int, k: int, readout: Readout = HALF) -> Claims:
    return pose(network(stored), Spec(KSparse(features, k), tuple(gate("and", pair) for pair in pairs), readout))


def sparse_truth(stored: Stored, pairs: list[tuple[int, int]], k: int) -> list[bool]:
    """Which outputs are wrong, with `Fraction`s over each output's own channel; ReLU(sum - 1) counts features."""
    (first, _, _), (last, _, _) = stored
    columns = [{f for f, w in enumerate(row) if w} for row in first]
    wrong = []
    for (a, b), row in zip(pairs, last, strict=True):
        owned = [j for j, w in enumerate(row) if w]
        cone = sorted(set().union(*(columns[j] for j in owned)) | {a, b})
        inputs = (frozenset(active) for size in range(k + 1) for active in combinations(cone, size))
        wrong.append(
            any(
                (sum(row[j] * max(len(on & columns[j]) - 1, 0) for j in owned) > Fraction(1, 2))
                != (a in on and b in on)
                for on in inputs
            )
        )
    return wrong


@pytest.mark.parametrize("stored_as", STORED)
@pytest.mark.parametrize("channel", [6, 10])
@pytest.mark.parametrize("k", [2, 3])
def test_ties_at_the_threshold_are_decided_by_the_stored_number(stored_as: str, channel: int, k: int) -> None:
    stored, pairs = channel_network(7, channel, STORED[stored_as](channel))
    result = decide(ask(stored, pairs, 30, k))
    assert [output.verdict is Verdict.REFUTED for output in result.outputs] == sparse_truth(stored, pairs, k)


@pytest.mark.parametrize(
    ("channel", "counts", "in_floats"), [(6, [23, 4, 4], [4, 4, 4]), (10, [30, 30, 19], [19, 19, 19])]
)
def test_evaluation_in_floats_miscounts_what_the_stored_numbers_say(
    channel: int, counts: list[int], in_floats: list[int]
) -> None:
    found, floats = [], []
    for name, weight in STORED.items():
        stored, pairs = channel_network(1, channel, weight(channel))
        found.append(decide(ask(stored, pairs, 30, 2)).count(Verdict.REFUTED))
        floats.append(float_count(stored, pairs, 2, np.float32 if "32" in name else np.float64))
        assert found[-1] == sum(sparse_truth(stored, pairs, 2))
    assert (found, floats) == (counts, in_floats)


def float_count(stored: Stored, pairs: list[tuple[int, int]], k: int, dtype: type) -> int:
    """What enumeration in floats says: the trap itself."""
    (first, bias, _), (last, _, _) = (  # type: ignore[var-annotated]
        tuple(np.array(part, dtype=float).astype(dtype) for part in layer) for layer in stored
    )
    wrong = np.zeros(len(pairs), dtype=bool)
    for size in range(k + 1):
        active = np.array(list(combinations(range(30), size)), dtype=int)
        x = np.zeros((len(active), 30), dtype=dtype)  # type: ignore[var-annotated]
        np.put_along_axis(x, active, 1, axis=1)
        y = np.maximum(x @ first.T + bias, 0) @ last.T
        on = np.stack([x[:, a] * x[:, b] > 0 for a, b in pairs], axis=1)
        wrong |= ((y > 0.5) != on).any(axis=0)
    return int(wrong.sum())


@pytest.mark.parametrize("engine", ["enumerate", "branch", "z3"])
@pytest.mark.parametrize(("at", "verdict"), [(Fraction(0), Verdict.REFUTED), (Fraction(2) ** -41, Verdict.PROVED)])
def test_integers_of_seventy_two_bits_are_decided_exactly(engine: str, at: Fraction, verdict: Verdict) -> None:
    """float32 weights 2^30 and 2^-41 in one neuron: with x0 and x2 on, y is 2^-41 and decides."""
    big, tiny, zero = Fraction(2) ** 30, Fraction(2) ** -41, Fraction(0)
    stored: Stored = [
        ([[big, big, zero], [big, zero, tiny], [big, zero, zero]], [-big, zero, zero], True),
        ([[1 / big, Fraction(1), Fraction(-1)]], [zero], False),
    ]
    claims = ask(stored, [(0, 1)], 3, 3, Readout("threshold", at))
    assert max(bits(rows.data) for rows in claims.network.matrices) >= 72
    smallest = truth(stored, 3, 3, [lambda on: {0, 1} <= on], lambda y, on: (y > at) != on).smallest
    result = decide(claims, Limits(engine=engine))
    assert result.verdict is verdict
    assert [o.counterexample and result.counterexample.size for o in result.outputs] == smallest


def test_int64_would_wrap_on_trained_float32_weights_and_we_do_not() -> None:
    """Dense weights of very different sizes: integers past 2^63, where numpy would wrap without a word."""
    rng = np.random.default_rng(3)
    weights = [
        np.float32(rng.normal(size=shape) * 10.0 ** rng.uniform(-8, 0, size=shape)) for shape in ((6, 5), (4, 6))
    ]
    biases = [np.float32(rng.normal(size=n)) for n in (6, 4)]
    layers = [
        Affine(Rows.from_dense(w.astype(float)), b.astype(float), relu)
        for w, b, relu in zip(weights, biases, (True, False), strict=True)
    ]
    stored: Stored = [
        ([[Fraction(float(v)) for v in row] for row in w], [Fraction(float(v)) for v in b], relu)  # type: ignore[attr-defined]
        for w, b, relu in zip(weights, biases, (True, False), strict=True)
    ]
    pairs = [(0, 1), (1, 2), (2, 3), (3, 4)]
    claims = pose(Network.of(layers), Spec(KSparse(5, 5), tuple(gate("or", pair) for pair in pairs), HALF))
    assert not claims.network.fits_int64(1)
    functions = [lambda on, pair=pair: bool(on & set(pair)) for pair in pairs]
    expected = truth(stored, 5, 5, functions, lambda y, on: (y > Fraction(1, 2)) != on).smallest
    assert [o.counterexample and o.counterexample.size for o in decide(claims).outputs] == expected


@pytest.mark.parametrize("shift", [0, 28, 34, 60])
@pytest.mark.parametrize("engine", ["enumerate", "branch", "z3"])
def test_rescaling_that_changes_no_function_changes_no_verdict(shift: int, engine: str) -> None:
    """y = x2/2 + 2^-18 ReLU(x2 + x3 - 1) reaches 1/2 + 2^-18 at (1, 1), however its layers are scaled."""
    zero, scale = Fraction(0), Fraction(2) ** shift
    stored: Stored = [
        ([[scale, zero], [scale, scale]], [zero, -scale], True),
        ([[Fraction(1, 2) / scale, Fraction(1, 2**18) / scale]], [zero], False),
    ]
    for at, verdict in ((Fraction(1, 2), Verdict.PROVED), (Fraction(1, 2) + Fraction(1, 2**18), Verdict.REFUTED)):
        result = decide(ask(stored, [(0, 1)], 2, 2, Readout("threshold", at)), Limits(engine=engine))
        assert result.verdict is verdict


def test_a_network_and_its_rescaled_twin_have_one_normal_form() -> None:
    stored, _ = channel_network(1, 6, Fraction(1, 6))
    (first, bias, _), (last, outer, _) = stored
    scaled: Stored = [
        ([[3 * w for w in row] for row in first], [3 * b for b in bias], True),
        ([[w / 3 for w in row] for row in last], outer, False),
    ]
    assert network(stored).digest == network(scaled).digest


@pytest.mark.parametrize("engine", ["enumerate", "branch", "z3"])
def test_inputs_that_look_alike_in_doubles_are_told_apart(engine: str) -> None:
    """Regression: without a hidden layer, 2^60 and 2^60 + 1 were taken for the same input."""
    big = Fraction(2**60)
    stored: Stored = [([[big, big + 1]], [Fraction(0)], False)]
    spec = Spec(KSparse(2, 1), (gate("and", (0, 1)),), Readout("threshold", big))
    result = decide(pose(network(stored), spec), Limits(engine=engine, margins=True))
    assert result.counterexample.active == (1,)
    assert result.margin(result.outputs[0]) == -1


@pytest.mark.parametrize("engine", ["enumerate", "branch", "z3"])
@pytest.mark.parametrize("big", [1, 2**40])
def test_neurons_that_cancel_leave_a_plain_question(engine: str, big: int) -> None:
    """Regression: two alike neurons of opposite weight left Z3 an empty sum, or bounds past a C integer."""
    one, zero = Fraction(1), Fraction(0)
    stored: Stored = [
        ([[one, zero], [one, zero], [zero, one]], [zero] * 3, True),
        ([[Fraction(big), Fraction(-big), one]], [zero], False),
    ]
    for at, verdict in ((Fraction(1, 2), Verdict.PROVED), (Fraction(2**32), Verdict.REFUTED)):
        spec = Spec(KSparse(2, 2), (gate("copy", (1,)),), Readout("threshold", at))
        assert decide(pose(network(stored), spec), Limits(engine=engine)).verdict is verdict


def test_a_counterexample_found_with_margins_is_still_a_smallest_one() -> None:
    """Regression: with margins, each later and larger failure replaced the first, and was called minimal."""
    one = Fraction(1)
    result = decide(ask([([[one, one]], [one], False)], [(0, 1)], 2, 2), Limits(margins=True))
    assert (result.counterexample.active, result.counterexample.minimal) == ((), True)


@pytest.mark.parametrize(
    ("engine", "over"),
    [("enumerate", -140), ("z3", -140), *((engine, n) for engine in ("enumerate", "branch", "z3") for n in (-22, -60))],
)
def test_a_violation_is_seen_however_small_and_a_tie_is_none(engine: str, over: int) -> None:
    """A strict inequality made one by adding 1e-6 misses 2^-22, and by adding 1e-9 calls ties wrong."""
    one, half, excess = Fraction(1), Fraction(1, 2), Fraction(2) ** over
    for extra, verdict in ((Fraction(0), Verdict.PROVED), (excess, Verdict.REFUTED)):
        stored: Stored = [
            ([[one, one], [one, -one]], [-one, Fraction(0)], True),
            ([[one, half + extra]], [half * 0], False),
        ]
        claims = ask(stored, [(0, 1)], 2, 2)  # off: only x0 on gives 1/2, or 1/2 + extra; on: 1
        assert decide(claims, Limits(engine=engine)).verdict is verdict


def test_weights_rounded_to_fewer_bits_would_flip_verdicts_and_ours_are_not_rounded() -> None:
    """Cut to ten bits, the weight would change the verdict; ours is that of the stored number."""
    fine = Fraction(1, 2) + Fraction(1, 2**12)
    verdicts = []
    for weight in (fine, Fraction(round(fine * 2**10), 2**10)):
        stored: Stored = [([[Fraction(1), Fraction(0)]], [Fraction(0)], True), ([[weight]], [Fraction(0)], False)]
        verdicts.append(decide(ask(stored, [(0, 1)], 2, 1)).verdict)
    assert verdicts == [Verdict.REFUTED, Verdict.PROVED]


@pytest.mark.parametrize("engine", ["bound", "branch"])
@pytest.mark.parametrize(
    ("stored_as", "channel", "k"), [("float32 1/c", 6, 2), ("float64 1/c", 10, 2), ("rational 1/c", 10, 3)]
)
def test_ties_are_decided_by_the_bound_as_by_enumeration(stored_as: str, channel: int, k: int, engine: str) -> None:
    stored, pairs = channel_network(1, channel, STORED[stored_as](channel))
    claims = ask(stored, pairs, 30, k)
    expected = [output.verdict for output in decide(claims, Limits(engine="enumerate")).outputs]
    found = [output.verdict for output in decide(claims, Limits(engine=engine)).outputs]
    assert all(mine in (verdict, Verdict.UNKNOWN) for mine, verdict in zip(found, expected, strict=True))
    assert engine == "bound" or found == expected


@pytest.mark.parametrize("engine", ["auto", "branch"])
def test_numbers_past_64_bits_are_not_taken_for_each_other(engine: str) -> None:
    """Regression: 2^63 + 1 against a goal of 2^63 - 1 was called PROVED; signed arithmetic does not wrap."""
    weights = [Fraction(2**63), Fraction(1), *[Fraction(-(2**40))] * 58]
    stored: Stored = [([weights], [Fraction(0)], False)]
    spec = Spec(KSparse(60, 10), (parse("0"),), Readout("threshold", Fraction(2**63 - 1)))
    result = decide(pose(network(stored), spec), Limits(engine=engine))
    assert result.verdict is Verdict.REFUTED
    assert result.counterexample.active == (0,)


def test_margins_of_nothing_decided_are_no_fault() -> None:
    """Regression: with every output left open by the deadline, margins were asked of an empty list."""
    stored, pairs = channel_network(1, 6, Fraction(1, 6))
    result = decide(ask(stored, pairs, 30, 3), Limits(timeout=1e-9, margins=True))
    assert result.verdict is Verdict.UNKNOWN
