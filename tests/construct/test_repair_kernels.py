"""The compiled loops of repair do, change by change, what a plain walk with all counts taken anew would do."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from supercheck.base.errors import FaultError
from supercheck.base.matrix import Array
from supercheck.construct.random_stream import stream
from supercheck.construct.repair import kernels, search as repairing
from supercheck.construct.repair.kernels import BROKEN, KEPT, NEURONS, Apart, Common, Open

Pair = tuple[int, int]


@dataclass
class Walk:
    """What both walks share: chance, and the outputs that are wrong, in the order that chance picks from.

    Attributes:
        pairs: each output's two features.
        features: m.
        seed: of chance, which is numpy's.
        chance: to bear a counterexample more.
    """

    pairs: list[Pair]
    features: int
    seed: int
    chance: float
    wrong: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = np.random.RandomState(self.seed)
        self.wrong = [i for i in range(len(self.pairs)) if self.failing(i)]

    def failing(self, i: int) -> list[int]:
        """The features that are counterexamples of an output."""
        raise NotImplementedError

    def total(self) -> int:
        return sum(len(self.failing(i)) for i in range(len(self.pairs)))

    def note(self, i: int) -> None:
        """Put an output on the list, or take it off: the last one comes into its place."""
        if self.failing(i) and i not in self.wrong:
            self.wrong.append(i)
        elif not self.failing(i) and i in self.wrong:
            place, last = self.wrong.index(i), self.wrong.pop()
            if last != i:
                self.wrong[place] = last

    def below(self, end: int) -> int:
        return int(self.random.randint(end))

    def allowed(self) -> int:
        most = 0
        while self.random.random_sample() < self.chance:
            most += 1
        return most

    def counterexample(self) -> Pair:
        i, other = self.wrong[self.below(len(self.wrong))], self.below(self.features)
        while other not in self.failing(i):
            other = (other + 1) % self.features
        return i, other


@dataclass
class CommonWalk(Walk):
    """Outputs own what their features have in common; `fed` is a set of features for each neuron."""

    fed: list[set[int]] = field(default_factory=list)
    kept: list[set[int]] = field(default_factory=list)

    def failing(self, i: int) -> list[int]:
        channel = [t for t in self.fed if t >= set(self.pairs[i])]
        return [f for f in range(self.features) if f not in self.pairs[i] and all(f in t for t in channel)]

    def using(self, f: int) -> list[int]:
        """The outputs of a feature first, then the rest."""
        return sorted(range(len(self.pairs)), key=lambda j: (f not in self.pairs[j], j))

    def run(self, least: int, moves: int) -> None:
        for _ in range(moves):
            while not self.wrong:
                self.kept = [set(t) for t in self.fed]
                if len(self.fed) <= least:
                    return
                self.fed.pop()
                for j in range(len(self.pairs)):
                    self.note(j)
            i, other = self.counterexample()
            t, first = self.below(len(self.fed)), self.below(3)
            own = self.pairs[i]
            options = [(own[0], own[0] not in self.fed[t]), (own[1], own[1] not in self.fed[t])]
            options.append((other, other in self.fed[t]))
            f = next(options[(first + step) % 3][0] for step in range(3) if options[(first + step) % 3][1])
            limit, before = self.allowed(), self.total()
            self.fed[t] ^= {f}
            if self.total() - before > limit:
                self.fed[t] ^= {f}
                continue
            for j in self.using(f):
                self.note(j)


@dataclass
class ApartWalk(Walk):
    """Outputs own lists of neurons; a feature covers the neurons of its outputs.

    An output's failures are counted from `cover`, which changes one entry at a time: in between, an output may come on
    the list and leave it again.
    """

    lists: list[list[int]] = field(default_factory=list)
    owners: list[list[int]] = field(default_factory=list)
    neurons: int = 0
    most: int = 0
    kept: list[list[int]] = field(default_factory=list)
    cover: list[dict[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cover = [self.counted(i) for i in range(len(self.pairs))]
        super().__post_init__()

    def feeds(self, t: int, f: int) -> int:
        return sum(f in self.pairs[j] for j in self.owners[t])

    def counted(self, i: int) -> dict[int, int]:
        channel = [t for t in range(len(self.owners)) if i in self.owners[t]]
        others = [f for f in range(self.features) if f not in self.pairs[i]]
        return {f: sum(self.feeds(t, f) > 0 for t in channel) for f in others}

    def failing(self, i: int) -> list[int]:
        return [f for f, hit in self.cover[i].items() if hit > self.most]

    def own(self, i: int, t: int, joins: bool) -> None:
        by, covering = (1 if joins else -1), {f for f in range(self.features) if self.feeds(t, f) > 0}
        for f in self.cover[i]:
            self.cover[i][f] += by * (f in covering)
        self.note(i)
        if joins:
            self.owners[t].append(i)
        else:
            place, last = self.owners[t].index(i), self.owners[t].pop()
            if last != i:
                self.owners[t][place] = last
        for f in self.pairs[i]:
            if self.feeds(t, f) == int(joins):
                for j in self.owners[t]:
                    if f in self.cover[j]:
                        self.cover[j][f] += by
                        self.note(j)

    def swap(self, i: int, t: int, new: int) -> None:
        self.own(i, t, False)
        self.own(i, new, True)
        self.lists[i][self.lists[i].index(t)] = new

    def judged(self, i: int, t: int, new: int) -> int:
        """How many more counterexamples there are after a swap: all counted anew."""
        before, owners = self.total(), [list(part) for part in self.owners]
        self.owners[t].remove(i)
        self.owners[new].append(i)
        after = sum(sum(hit > self.most for hit in self.counted(j).values()) for j in range(len(self.pairs)))
        self.owners = owners
        return after - before

    def run(self, least: int, moves: int) -> None:
        for _ in range(moves):
            while not self.wrong:
                self.kept = [list(part) for part in self.lists]
                if self.neurons <= least:
                    return
                self.neurons -= 1
                while self.owners[self.neurons]:
                    i, new = self.owners[self.neurons][0], self.below(self.neurons)
                    while i in self.owners[new]:
                        new = self.below(self.neurons)
                    self.swap(i, self.neurons, new)
            i, other = self.counterexample()
            q = self.below(len(self.lists[i]))
            while self.feeds(self.lists[i][q], other) == 0:
                q = (q + 1) % len(self.lists[i])
            t, changed = self.lists[i][q], i
            if self.random.random_sample() < 0.5:
                p = self.below(len(self.owners[t]))
                while other not in self.pairs[self.owners[t][p]]:
                    p = (p + 1) % len(self.owners[t])
                changed = self.owners[t][p]
            for _try in range(64):
                new = self.below(self.neurons)
                if i in self.owners[new] or changed in self.owners[new]:
                    continue
                if changed != i or self.feeds(new, other) == 0:
                    limit = self.allowed()
                    if self.judged(changed, t, new) <= limit:
                        self.swap(changed, t, new)
                    break


@st.composite
def pairs(draw: st.DrawFn) -> tuple[int, list[Pair]]:
    features = draw(st.integers(3, 7))
    return features, draw(
        st.lists(st.sampled_from(list(combinations(range(features), 2))), min_size=1, unique=True, max_size=8)
    )


def begun(search: repairing._Search) -> tuple[Common | Apart, Open]:
    """The arrays of a search that has begun."""
    inside = dict(zip(search.run.__code__.co_freevars, search.run.__closure__ or (), strict=True))  # type: ignore[attr-defined]
    return inside["net"].cell_contents, inside["left"].cell_contents


def agree(left: Open, walk: Walk) -> None:
    assert left.rows[: left.state[BROKEN]].tolist() == walk.wrong
    assert left.wrong.tolist() == [len(walk.failing(i)) for i in range(len(walk.pairs))]


@given(
    pairs(),
    st.integers(1, 8),
    st.integers(1, 8),
    st.integers(0, 60),
    st.sampled_from([0.0, 0.13, 0.6]),
    st.integers(0, 2**32 - 1),
)
def test_features_are_changed_as_by_a_walk_that_counts_all_anew(
    asked: tuple[int, list[Pair]], neurons: int, least: int, moves: int, chance: float, seed: int
) -> None:
    features, given_pairs = asked
    net, left = begun(repairing._in_common(features, np.array(given_pairs), neurons, stream(seed % 1000)))
    assert isinstance(net, Common)
    walk = CommonWalk(given_pairs, features, seed, chance, fed=[set(np.flatnonzero(t).tolist()) for t in net.fed])
    agree(left, walk)
    kernels.mend_common(net, left, least, moves, chance, seed)
    walk.run(least, moves)
    agree(left, walk)
    n = int(left.state[NEURONS])
    assert [set(np.flatnonzero(t).tolist()) for t in net.fed[:n]] == walk.fed
    assert [set(np.flatnonzero(t).tolist()) for t in net.kept[: left.state[KEPT]]] == walk.kept


@given(
    pairs(), st.integers(1, 8), st.integers(1, 3), st.integers(1, 2), st.integers(0, 60),
    st.sampled_from([0.0, 0.02, 0.6]), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_channels_are_changed_as_by_a_walk_that_counts_all_anew(
    asked: tuple[int, list[Pair]], neurons: int, size: int, apart: int, moves: int, chance: float, seed: int
) -> None:
    features, given_pairs = asked
    assume(size < neurons)
    search = repairing._apart(features, np.array(given_pairs), neurons, size, apart + 1, stream(seed % 1000))
    net, left = begun(search)
    assert isinstance(net, Apart)
    most, least = (size - 1) // apart, max(size, neurons - 2)
    owners = [row[:count].tolist() for row, count in zip(net.owners, net.number.tolist(), strict=True)]
    walk = ApartWalk(
        given_pairs, features, seed, chance, lists=net.lists.tolist(), owners=owners, neurons=neurons, most=most
    )
    agree(left, walk)
    kernels.mend_apart(net, left, most, least, moves, chance, seed)
    walk.run(least, moves)
    agree(left, walk)
    assert net.lists.tolist() == walk.lists
    assert int(left.state[NEURONS]) == walk.neurons
    if left.state[KEPT]:
        assert net.kept.tolist() == walk.kept


def shortened(array: Array) -> Array:
    return np.ascontiguousarray(array[:-1])


@pytest.mark.parametrize("name", [*Common._fields, *Open._fields])
def test_arrays_of_a_repair_that_do_not_fit_are_a_fault(name: str) -> None:
    net, left = begun(repairing._in_common(4, np.array([(0, 1), (2, 3)]), 3, stream(0)))
    for change in (shortened, lambda a: a.astype(np.float32)):
        if name in net._fields:
            arrays = net._replace(**{name: change(getattr(net, name))}), left
        else:
            arrays = net, left._replace(**{name: change(getattr(left, name))})
        with pytest.raises(FaultError):
            kernels.mend_common(*arrays, 1, 10, 0.1, 0)


@pytest.mark.parametrize("name", Apart._fields)
def test_arrays_of_channels_that_do_not_fit_are_a_fault(name: str) -> None:
    net, left = begun(repairing._apart(4, np.array([(0, 1), (2, 3)]), 3, 1, 3, stream(0)))
    for change in (shortened, lambda a: a.astype(np.float32)):
        with pytest.raises(FaultError):
            kernels.mend_apart(net._replace(**{name: change(getattr(net, name))}), left, 0, 1, 10, 0.1, 0)
