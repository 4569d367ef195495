"""The compiled loops find what the same search in Python's fractions finds, node for node; threads and faults."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, pairwise
from random import Random
from threading import Thread
from typing import NamedTuple

import numpy as np
import pytest
from common import EXAMPLES
from hypothesis import assume, given, settings, strategies as st
from kernels_in_fractions import INFINITE, OPEN, PROVED, REFUTED, Part, Search, answer as answer_in_fractions

from supercheck.base.errors import FaultError
from supercheck.base.matrix import Array, Rows
from supercheck.claims.claims import Claims
from supercheck.decide import relaxation
from supercheck.decide.flatten import lay_out, lowest
from supercheck.decide.kernels.arrays import WRAP, Cases, Flat, Scratch
from supercheck.decide.kernels.outputs import Chunk, answer
from supercheck.decide.kernels.proof_tree import EVERY, RULE_A, RULE_B, SIDES, Growth, grow_tree
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.spec.cases import cases, decision_tree
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import AtLeast, Formula, Not, Var, Xor
from supercheck.spec.readout import Readout

Place = tuple[int, int]
PLACES = [(kind, side) for kind in range(2) for side in range(2)]
MANY = settings(max_examples=EXAMPLES * 3)


class Question(NamedTuple):
    """Outputs that all have one function, of features of their own."""

    network: Network
    claims: Claims
    form: Formula
    supports: Array
    k: int

    def search(self, output: int) -> Search:
        layers = [(layer.weight.dense().tolist(), layer.bias.tolist()) for layer in self.network.hidden]
        return Search(layers, self.network.output.weight.dense()[output].tolist(), self.network.features)

    def classes(self, output: int) -> dict[int, list[Part]]:
        names = self.supports[output].tolist()
        split = cases(self.form, self.k)
        assert split is not None
        found: dict[int, list[Part]] = {0: [], 1: []}
        for case in split:
            found[case.target].append(([names[p] for p in case.on], {names[p] for p in case.off}))
        return found

    def memory(self, stop: Array | None = None) -> tuple[Flat, Scratch]:
        flat = lay_out(self.network, 1)
        assert flat is not None
        return flat, relaxation._scratch(flat, self.claims, np.zeros(1, dtype=np.int8) if stop is None else stop)

    def packed(self, merged: bool) -> Cases:
        split = cases(self.form, self.k)
        assert split is not None
        return relaxation._packed(split, merged and self.whole)

    @property
    def whole(self) -> bool:
        """Whether every case fixes all features of the function."""
        return all(len(case.on) + len(case.off) == self.supports.shape[1] for case in cases(self.form, self.k) or ())


def small(chance: Random, depth: int) -> int:
    """Numbers with which doubles stay exact, ties and zeros among them."""
    most = (9, 9, 5, 1)[depth]
    return chance.choice([0, 1, -1, chance.randint(-most, most), chance.randint(-most, most)])


def tiny_and_huge(chance: Random, _depth: int) -> int:
    return chance.randint(-9, 9) << chance.choice([0, 1, 20, 45, 64, 90, 200])


def questions(number: Callable[[Random, int], int] = small, most: int = 8) -> st.SearchStrategy[Question]:
    """Questions drawn by chance, from a seed: of hypothesis's own the most would be trivial."""
    return st.integers(0, 2**32 - 1).map(lambda seed: drawn(Random(seed), number, most))


def drawn(chance: Random, number: Callable[[Random, int], int], most: int) -> Question:
    depth = chance.choice([0, 1, 1, 1, 2, 3])
    features, outputs = chance.randint(1, most), chance.randint(1, 3)
    widths = [features, *(chance.randint(1, 3 if depth == 3 else 5) for _ in range(depth)), outputs]

    def dense(rows: int, columns: int) -> Array:
        held = [number(chance, depth) for _ in range(rows * columns)]
        return np.array(held, dtype=object).reshape(rows, columns)

    layers = [Affine(Rows.from_dense(dense(b, a)), dense(b, 1)[:, 0], relu=True) for a, b in pairwise(widths[:-1])]
    last = Affine(Rows.from_dense(dense(outputs, widths[-2])), np.zeros(outputs, dtype=object), relu=False)
    network = Network.of([*layers, last])
    k, size = chance.randint(0, features), chance.randint(1, min(3, features))
    variables = tuple(map(Var, range(size)))
    forms: list[Formula] = [AtLeast(size, variables), AtLeast(1, variables), Xor(variables), Not(Xor(variables))]
    claims = Claims(network, network, KSparse(features, k), [chance.choice(forms)] * outputs, Readout("separable"))
    supports = [chance.sample(range(features), size) for _ in range(outputs)]
    return Question(network, claims, claims.shapes.forms[0], np.array(supports, dtype=np.int32), k)


def asked(
    question: Question, goals: list[dict[Place, int]], merged: bool, cap: int, optimise: bool, stop: Array | None = None
) -> Chunk:
    """What C says."""
    outputs = len(goals)
    shape = (outputs, 2, 2)
    chunk = Chunk(
        np.arange(outputs), question.supports[:outputs], np.full(shape, np.inf), np.zeros(shape, dtype=np.uint64),
        np.zeros(shape, dtype=np.int8), np.full(shape, -1), np.zeros((*shape, question.k), dtype=np.int32),
        np.zeros(shape, dtype=np.int64), np.zeros(outputs, dtype=np.bool_), question.k, cap, optimise,
    )  # fmt: skip
    for o, wanted in enumerate(goals):
        for place, goal in wanted.items():
            chunk.goals[(o, *place)] = -np.inf if optimise else float(goal)
            chunk.goal_lows[(o, *place)] = lowest(goal)
    flat, own = question.memory(stop)
    answer(flat, own, question.packed(merged), chunk)
    assert not any(part.any() for part in (own.form, own.state, own.middle, own.met))  # as it was lent
    return chunk


def found_input(chunk: Chunk, output: int, place: Place) -> list[int] | None:
    size = int(chunk.sizes[(output, *place)])
    return None if size < 0 else chunk.witnesses[(output, *place)][:size].tolist()


def near(question: Question, seed: int) -> list[dict[Place, int]]:
    """Goals at, or close to, the greatest that some inputs or all of them reach; some places are not asked."""
    chance, goals, features = Random(seed), [], range(question.network.features)
    for o in range(question.network.outputs):
        tried = [chance.sample(features, chance.randint(0, question.k)) for _ in range(chance.choice([1, 5, 30]))]
        right = chance.random() < 0.5  # no input exceeds them
        tried = completions([], set(), question) if right else tried
        values = [question.search(o).value(active) for active in tried]
        some = [place for place in PLACES if chance.random() < 0.8]
        more = [0, 0, 1] if right else [-2, -1, 0, 1, 2]
        goals.append({(c, side): max((1 - 2 * side) * v for v in values) + chance.choice(more) for c, side in some})
    return goals


seeds = st.integers(0, 2**32 - 1)


@MANY
@given(questions(), seeds, st.sampled_from([1, 2, 7, 10**6]), st.booleans(), st.booleans())
def test_whatever_is_found_is_what_the_same_search_in_fractions_finds(
    question: Question, seed: int, cap: int, optimise: bool, merged: bool
) -> None:
    flat, _ = question.memory()
    assume(not flat.slack.any())  # doubles are exact
    goals = near(question, seed)
    chunk = asked(question, goals, merged, cap, optimise)
    for o, wanted in enumerate(goals):
        limits = {place: -INFINITE if optimise else goal for place, goal in wanted.items()}
        at_once = merged and question.whole
        told = answer_in_fractions(question.search(o), question.classes(o), limits, question.k, cap, optimise, at_once)
        for place in wanted:
            at = (o, *place)
            assert chunk.status[at] == told.states[place]
            assert found_input(chunk, o, place) == told.inputs[place]
            assert chunk.nodes[at] == told.nodes[place]
            assert chunk.goals[at] == told.goals[place]
            if told.goals[place] != -INFINITE:
                assert chunk.goal_lows[at] == lowest(int(told.goals[place]))
        assert chunk.plain[o] == told.plain


@MANY
@given(questions(tiny_and_huge, most=5), seeds, st.booleans(), st.booleans())
def test_what_is_found_of_weights_far_apart_is_true_of_every_input(
    question: Question, seed: int, optimise: bool, merged: bool
) -> None:
    """Where doubles round: proved means that no input exceeds the goal, and what is refuted or greatest is met."""
    if lay_out(question.network, 1) is None:
        return
    goals = near(question, seed)
    chunk = asked(question, goals, merged, 10**6, optimise)
    for o, wanted in enumerate(goals):
        search = question.search(o)
        refuted = any(chunk.status[(o, *place)] == REFUTED for place in wanted)
        for kind, side in wanted:
            at, sign = (o, kind, side), 1 - 2 * side
            met = {
                tuple(sorted(active)): sign * search.value(active)
                for on, off in question.classes(o)[kind]
                for active in completions(on, off, question)
            }
            tried = found_input(chunk, o, (kind, side))
            if tried is not None:
                value = met[tuple(sorted(tried))]
                assert value > wanted[kind, side] or optimise
                assert not optimise or chunk.goal_lows[at] == lowest(value)
            if chunk.status[at] == PROVED and optimise:
                assert max(met.values(), default=None) == (None if tried is None else value)
            elif chunk.status[at] == PROVED and not refuted:
                assert all(value <= wanted[kind, side] for value in met.values())


def completions(on: list[int], off: set[int], question: Question) -> list[list[int]]:
    """Every input of a case."""
    free = [j for j in range(question.network.features) if j not in on and j not in off]
    found = [list(on)] if len(on) <= question.k else []
    for j in free:
        found += [[*active, j] for active in found if len(active) < question.k]
    return found


def whole_tree(question: Question, output: int, wanted: dict[Place, int], few: int) -> list[str]:
    """The tree of an output by the search in fractions: the cases of its function, a tree for each side of each."""
    shape = decision_tree(question.form, question.k)
    assert shape is not None
    steps, values = iter(shape[0]), iter(shape[1])
    names, search = question.supports[output].tolist(), question.search(output)

    def rest(on: list[int], off: set[int]) -> list[str]:
        step = next(steps)
        if step >= 0:
            with_it = rest([*on, names[step]], off)
            return [str(names[step]), *with_it, *rest(on, off | {names[step]})]
        kind, room = int(next(values)), question.k - len(on)
        sides = [side for side in range(2) if (kind, side) in wanted]
        trees = [search.tree(1 - 2 * side, wanted[kind, side], on, off, room, few, set(names)) for side in sides]
        return [*(["g"] if len(sides) == 2 else []), *chain(*trees)]

    return rest([], set())


@MANY
@given(questions(), seeds, st.sampled_from([1, 3, 64]))
def test_a_proof_tree_is_the_one_that_the_same_search_in_fractions_grows(
    question: Question, seed: int, few: int
) -> None:
    flat, own = question.memory()
    assume(not flat.slack.any())
    shape = decision_tree(question.form, question.k)
    assert shape is not None
    steps, values = (np.array(part, dtype=np.int64) for part in shape)
    names, tokens = {RULE_A: "a", RULE_B: "b", EVERY: "e", SIDES: "g"}, np.zeros(4096, dtype=np.int32)
    for o, wanted in enumerate(near(question, seed)):
        goals = np.full((2, 2), np.inf)
        for place, goal in wanted.items():
            goals[place] = goal
        growth = Growth(question.supports[o].astype(np.int64), steps, values, goals, tokens, o, question.k, 10**6, few)
        tree = whole_tree(question, o, wanted, few)
        count = grow_tree(flat, own, growth)
        assert [names.get(token, str(token)) for token in tokens[:count].tolist()] == tree
        for short in {len(tree) // 2, max(0, len(tree) - 1)} - {len(tree)}:
            tokens[:] = 7777
            assert grow_tree(flat, own, growth._replace(tokens=tokens[:short])) == -1
            assert (tokens[short:] == 7777).all(), "nothing is written behind its room"
        assert not any(part.any() for part in (own.form, own.state, own.middle, own.met))


@given(questions(), seeds)
def test_once_told_to_stop_nothing_is_asked(question: Question, seed: int) -> None:
    chunk = asked(question, near(question, seed), True, 10**6, False, np.ones(1, dtype=np.int8))
    assert not chunk.nodes.any()
    assert (chunk.sizes == -1).all()


def test_a_search_under_way_ends_when_it_is_told_to() -> None:
    """Set from another thread: C holds no lock of the interpreter, and looks at every node."""
    chance = np.random.default_rng(0)
    hidden = Affine(Rows.from_dense(chance.integers(-99, 99, (40, 60))), np.zeros(40), True)
    network = Network.of([hidden, Affine(Rows.from_dense(chance.integers(-99, 99, (1, 40))), np.zeros(1), False)])
    claims = Claims(network, network, KSparse(60, 12), [AtLeast(2, (Var(0), Var(1)))], Readout("separable"))
    question = Question(network, claims, claims.shapes.forms[0], np.array([[0, 1]], dtype=np.int32), 12)
    stop = np.zeros(1, dtype=np.int8)
    found: list[Chunk] = []
    wanted: list[dict[Place, int]] = [{(0, 0): 0}]
    thread = Thread(target=lambda: found.append(asked(question, wanted, False, 10**12, True, stop)), daemon=True)
    thread.start()
    thread.join(0.3)
    assert thread.is_alive(), "a question for hours"
    stop[0] = 1
    thread.join(60)
    assert not thread.is_alive()
    assert found[0].status[0, 0, 0] == OPEN
    assert found[0].nodes[0, 0, 0] > 1


@given(questions(), seeds)
def test_no_outputs_are_no_trouble(question: Question, seed: int) -> None:
    assert asked(question, [], seed % 2 == 0, 1, seed % 3 == 0).status.size == 0


def test_values_that_differ_past_the_middle_of_the_wrapped_range_are_told_apart() -> None:
    """Regression: signed 64-bit arithmetic was compiled as if it never wrapped, and a lesser value won.

    Both values lie near 2^64.6 and differ by 2^28, on the two sides of a multiple of 2^63.
    """
    small, large = 27670116110430109712, 27670116110698545152
    rows = np.array([[small, large, 2**75, 1]], dtype=object)  # the third, never on, keeps doubles from being exact
    network = Network.of([Affine(Rows.from_dense(rows), np.zeros(1, dtype=object), relu=False)])
    claims = Claims(network, network, KSparse(4, 1), [AtLeast(2, (Var(2), Var(3)))], Readout("separable"))
    flat = lay_out(network, 1)
    assert flat is not None
    assert large - small < flat.slack[0] < WRAP
    for feature, value in enumerate((small, large)):
        for goal in (small, large):
            assert above(flat, claims, feature, 1, goal) == (value > goal)
            assert above(flat, claims, feature, -1, -goal) == (value < goal)


def above(flat: Flat, claims: Claims, feature: int, sign: int, goal: int) -> bool:
    """Whether C sees that sign * w . h exceeds a goal where one feature alone is on."""
    others = np.array([[feature, *(j for j in range(4) if j != feature)]], dtype=np.int32)
    values, count, on_ends, off_ends, on, off = map(np.array, ([0], [1], [1], [3], [0], [1, 2, 3]))
    alone = Cases(values, count, on_ends, off_ends, on, off, False)
    shape, at = (1, 2, 2), (0, 0, int(sign < 0))
    chunk = Chunk(
        np.zeros(1, dtype=np.int64), others, np.full(shape, np.inf), np.zeros(shape, dtype=np.uint64),
        np.zeros(shape, dtype=np.int8), np.full(shape, -1), np.zeros((*shape, 1), dtype=np.int32),
        np.zeros(shape, dtype=np.int64), np.zeros(1, dtype=np.bool_), 1, 100, False,
    )  # fmt: skip
    chunk.goals[at], chunk.goal_lows[at] = float(goal), lowest(goal)
    answer(flat, relaxation._scratch(flat, claims, np.zeros(1, dtype=np.int8)), alone, chunk)
    assert chunk.status[at] in (PROVED, REFUTED)
    return bool(chunk.status[at] == REFUTED)


def sound() -> tuple[Question, Flat, Scratch, Chunk]:
    hidden = Affine(Rows.from_dense(np.array([[1, 2], [3, -1]])), np.zeros(2), True)
    network = Network.of([hidden, Affine(Rows.from_dense(np.array([[1, 1]])), np.zeros(1), False)])
    form = AtLeast(2, (Var(0), Var(1)))
    claims = Claims(network, network, KSparse(2, 2), [form], Readout("separable"))
    question = Question(network, claims, claims.shapes.forms[0], np.array([[0, 1]], dtype=np.int32), 2)
    return question, *question.memory(), asked(question, [{(0, 0): 3}], True, 1, False)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("status", lambda a: a.astype(np.int64)),  # another type
        ("status", lambda a: np.zeros((1, 2, 4), dtype=np.int8)[:, :, ::2]),  # gaps
        ("status", lambda a: a[:, :1]),  # too short
        ("goals", lambda a: np.broadcast_to(a, a.shape)),  # read-only
        ("witnesses", lambda a: a[..., :1].copy()),
        ("outputs", lambda a: a + 1),  # an output that is not there
        ("supports", lambda a: a + 1),  # a feature that is not there
        ("sizes", lambda a: a.tolist()),
        ("max_active", lambda k: k + 1),
    ],
)
def test_an_array_that_c_cannot_take_is_a_fault(name: str, wrong: object) -> None:
    question, flat, own, chunk = sound()
    bad = chunk._replace(**{name: wrong(getattr(chunk, name))})  # type: ignore[operator]
    with pytest.raises(FaultError):
        answer(flat, own, question.packed(True), bad)


@pytest.mark.parametrize("name", Scratch._fields)
def test_memory_that_is_too_small_or_of_another_type_is_a_fault(name: str) -> None:
    question, flat, own, chunk = sound()
    held = getattr(own, name)
    for wrong in (held.astype(np.complex128), held[:0]):
        if name in ("weight", "most", "least", "bound", "stop", "ends") and wrong.dtype == held.dtype:
            continue
        with pytest.raises(FaultError):
            answer(flat, own._replace(**{name: wrong}), question.packed(True), chunk)


@pytest.mark.parametrize("name", Flat._fields)
def test_a_network_of_other_types_is_a_fault(name: str) -> None:
    question, flat, own, chunk = sound()
    with pytest.raises(FaultError):
        answer(flat._replace(**{name: getattr(flat, name).astype(np.float32)}), own, question.packed(True), chunk)
