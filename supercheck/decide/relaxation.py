"""The linear relaxation as a decision procedure: chunks of outputs to the compiled loops, their answers to decisions.

A claim says that sign * (w . h) stays at or below an integer goal on some cases of inputs. `kernels/` bounds that
from above by the rules of certificate/README.md, tries the inputs that the bound itself
points to, and branches on features. `flatten.py` says why its doubles may be trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import TypeVar

import numpy as np

from supercheck.base.matrix import Array
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Decision, Proved, Refuted, Unknown
from supercheck.decide.extremes import End, asked, concluded
from supercheck.decide.flatten import lay_out, lowest
from supercheck.decide.kernels.arrays import OPEN, REFUTED, WRAP, Cases, Flat, Scratch
from supercheck.decide.kernels.outputs import Chunk, answer
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.threads import in_threads
from supercheck.network.evaluate import totals
from supercheck.network.input import Input
from supercheck.spec.cases import MOST_SPLIT, Case, cases

Item = TypeVar("Item")
Found = TypeVar("Found")

_MERGED = 1 << MOST_SPLIT
_TABLE = 1 << 21  # sums that are kept of an output's rows
_WITNESSES = 1 << 22  # features that one call's witnesses may have together
_CHUNK = 2e6  # entries of rows that one call visits about once: some hundredths of a second

PLAIN = ".b"  # a whole proof, as the certificate format writes it
TOO_MANY_CASES = "its function has too many cases"
TOO_WIDE = "its integers are too far apart for doubles"


def relaxed(
    claims: Claims, outputs: Sequence[int], cap: int, limits: Limits, clock: Clock, reason: str
) -> Iterator[list[Decision]]:
    """Decide outputs by bounds on at most `cap` nodes a case.

    Args:
        claims: the question.
        outputs: which outputs.
        cap: nodes that may be bounded for each output, case and side; 1 is the bound of the whole case.
        limits: workers, and whether margins are wanted.
        clock: the deadline; what it leaves is unknown.
        reason: why an output is unknown that the cap leaves open.
    """
    optimise = limits.margins or claims.separable
    left = dict.fromkeys(outputs)
    flat = lay_out(claims.network, claims.cube.largest)
    wide = [] if flat is None else (flat.slack[flat.starts[-2] :] >= WRAP).tolist()  # more than 64 bits past a double
    for answers in ask(claims, outputs, cap, limits.workers, clock, optimise=optimise):
        for i in answers.outputs.tolist():
            del left[i]
        decisions = _measured(claims, answers, reason) if optimise else _compared(answers, reason)
        yield [Unknown(d.output, TOO_WIDE) if isinstance(d, Unknown) and wide[d.output] else d for d in decisions]
    if left:
        late = clock.reason if clock.over else None
        why = late or (TOO_WIDE if flat is None else TOO_MANY_CASES)
        yield [Unknown(i, why) for i in left]


def _compared(answers: Answers, reason: str) -> list[Decision]:
    """Decisions from goals: one refuted class refutes, one open class leaves open."""
    refuted, open_ = (answers.status == REFUTED).reshape(-1, 4), (answers.status == OPEN).any(axis=(1, 2))
    known = zip(
        answers.outputs.tolist(), refuted.any(axis=1).tolist(), open_.tolist(), answers.plain.tolist(), strict=True
    )
    first = refuted.argmax(axis=1).tolist()
    return [
        Refuted(i, Input.on(answers.witness(place, *divmod(first[place], 2)) or ()))
        if wrong
        else Unknown(i, reason)
        if left
        else Proved(i, proof=PLAIN if plain else None)
        for place, (i, wrong, left, plain) in enumerate(known)
    ]


def _measured(claims: Claims, answers: Answers, reason: str) -> list[Decision]:
    """Decisions from the extreme values of each class."""
    outputs, open_ = answers.outputs.tolist(), (answers.status == OPEN).any(axis=(1, 2))
    found: list[tuple[int, bool, Input]] = []
    for place in np.flatnonzero(~open_).tolist():
        for on, greatest in asked(claims):
            active = answers.witness(place, int(on), int(not greatest))
            if active is not None:
                found.append((outputs[place], on, Input.on(active)))
    sums = totals(claims.network, [i for i, _, _ in found], [x for _, _, x in found])
    ends: dict[int, dict[bool, list[End]]] = {i: {False: [], True: []} for i in outputs}
    for (i, on, x), total in zip(found, sums, strict=True):
        ends[i][on].append((total, x))
    return [
        Unknown(i, reason) if late else concluded(claims, i, ends[i])
        for i, late in zip(outputs, open_.tolist(), strict=True)
    ]


@dataclass(frozen=True, eq=False)
class Answers:
    """What the compiled loops found for some outputs.

    Attributes:
        outputs: which outputs.
        status: PROVED, REFUTED or OPEN for each [output, class, side]; sides are + and -.
        sizes: of the input found; -1 where there is none.
        witnesses: its features, [outputs, class, side, max_active].
        nodes: how many were bounded.
        plain: whether rule b of the certificate format closed every assignment of the support at once, [outputs].
    """

    outputs: Array
    status: Array
    sizes: Array
    witnesses: Array
    nodes: Array
    plain: Array

    def witness(self, place: int, kind: int, side: int) -> tuple[int, ...] | None:
        """The features of the input found for one class and side."""
        size = int(self.sizes[place, kind, side])
        return None if size < 0 else tuple(sorted(self.witnesses[place, kind, side, :size].tolist()))


def ask(
    claims: Claims, outputs: Sequence[int], cap: int, workers: int, clock: Clock, *, optimise: bool
) -> Iterator[Answers]:
    """Put the claims of some outputs to the compiled loops, in threads.

    Args:
        claims: the question.
        outputs: which outputs.
        cap: nodes that may be bounded for each output, case and side; 1 is the bound of the whole case.
        workers: how many threads.
        clock: the deadline; what it leaves is not answered.
        optimise: find the extreme values of each class instead of comparing with the goals.

    Yields:
        Answers for a chunk of outputs each, in order; none for outputs whose function has too many cases or whose
        integers are too far apart for doubles.
    """
    flat = lay_out(claims.network, claims.cube.largest)
    if flat is not None:

        def run(chunk: _Chunk, own: Scratch) -> Answers:
            return chunk.run(flat, own, claims, cap, optimise)

        yield from threaded(run, _chunks(claims, outputs, workers, clock), flat, claims, workers, clock)


def threaded(
    run: Callable[[Item, Scratch], Found], items: Iterable[Item], flat: Flat, claims: Claims, workers: int, clock: Clock
) -> Iterator[Found]:
    """Run the loops of `bound` and `branch` on many items in threads, as `threads.py` does."""
    return in_threads(run, items, lambda stop: _scratch(flat, claims, stop), workers, clock)


@dataclass(frozen=True, eq=False)
class _Chunk:
    """Some outputs whose functions have one shape."""

    outputs: Array
    supports: Array
    cases: Cases
    whole: bool
    """Whether each case fixes every feature of the functions."""

    def run(self, flat: Flat, own: Scratch, claims: Claims, cap: int, optimise: bool) -> Answers:
        """Answer for them."""
        shape, width = (len(self.outputs), 2, 2), min(claims.cube.max_active, claims.cube.features)
        goals, goal_lows = goals_of(claims, self.outputs, flat, optimise)
        status, sizes = np.zeros(shape, dtype=np.int8), np.full(shape, -1, dtype=np.int64)
        witnesses, nodes = np.zeros((*shape, width), dtype=np.int32), np.zeros(shape, dtype=np.int64)
        plain = np.zeros(len(self.outputs), dtype=np.bool_)
        found = Chunk(
            self.outputs, self.supports, goals, goal_lows, status, sizes, witnesses, nodes, plain, width, cap, optimise
        )
        answer(flat, own, self.cases, found)
        if lost := claims.shapes.reduced:  # the checker goes by the function as it is written
            plain &= np.array([i not in lost for i in self.outputs.tolist()])
        return Answers(self.outputs, status, sizes, witnesses, nodes, plain & self.whole)


def _chunks(claims: Claims, outputs: Sequence[int], workers: int, clock: Clock) -> Iterator[_Chunk]:
    """The outputs grouped by shape and cut by estimated cost, as they are asked for; splitting a shape takes time."""
    shapes, chosen = claims.shapes, np.asarray(outputs, dtype=np.int64)
    of = np.array(shapes.of)[chosen]
    order = np.argsort(of, kind="stable")
    groups = np.split(chosen[order], np.flatnonzero(np.diff(of[order])) + 1)
    weight, width = claims.network.weights, min(claims.cube.max_active, claims.cube.features)
    merged = _widest(claims, width + 1) > 0
    for members in groups if len(chosen) else ():
        if clock.timeout is not None and clock.over:
            return
        split = cases(shapes.forms[shapes.of[members[0]]], width)
        if split is None:
            continue
        named = np.array([shapes.supports[i] for i in members.tolist()], dtype=np.int32).reshape(len(members), -1)
        whole = all(len(case.on) + len(case.off) == named.shape[1] for case in split)
        packed = _packed(split, merged and whole and len(split) <= _MERGED)
        work = np.cumsum(weight[members] * max(1, len(split)))
        shares = work // min(_CHUNK, max(1.0, work[-1] / (2 * workers)))
        shares += np.arange(len(members)) * 4 * width // _WITNESSES
        cuts = np.flatnonzero(np.diff(shares)) + 1
        for part in np.split(np.arange(len(members)), cuts):
            yield _Chunk(members[part], named[part], packed, whole)


def _packed(split: Sequence[Case], merged: bool) -> Cases:
    on, off = [case.on for case in split], [case.off for case in split]
    return Cases(
        np.array([case.target for case in split], dtype=np.int64),
        np.array([len(part) for part in on], dtype=np.int64),
        np.cumsum([len(part) for part in on], dtype=np.int64),
        np.cumsum([len(part) for part in off], dtype=np.int64),
        np.array([j for part in on for j in part], dtype=np.int64),
        np.array([j for part in off for j in part], dtype=np.int64),
        merged,
    )


def goals_of(claims: Claims, outputs: Array, flat: Flat, optimise: bool) -> tuple[Array, Array]:
    """What sign * (w . h) may not exceed, as doubles and modulo 2^64, [outputs, class, side]; inf: not asked."""
    shape = (len(outputs), 2, 2)
    if optimise:
        goals = np.full(shape, inf)
        for on, greatest in asked(claims):
            goals[:, int(on), int(not greatest)] = -inf
        return goals, np.zeros(shape, dtype=np.uint64)
    met: dict[tuple[int, int], list[int | float]] = {}  # outputs of the same kind and reach have the same goals
    keys = list(zip(claims.kinds[outputs].tolist(), flat.bits[outputs].tolist(), strict=True))
    for i, key in zip(outputs.tolist(), keys, strict=True):
        if key not in met:
            limit = 1 << key[1]  # |w . h| is below half of it; a goal past it asks nothing more
            both = (claims.goal(i, on) for on in (False, True))
            sides = (bound for goal in both for bound in (goal.highest, None if goal.lowest is None else -goal.lowest))
            met[key] = [inf if bound is None else max(-limit, min(limit, bound)) for bound in sides]
    found = [met[key] for key in keys]
    lows = [[0 if bound == inf else lowest(int(bound)) for bound in bounds] for bounds in found]
    return np.array(found, dtype=np.float64).reshape(shape), np.array(lows, dtype=np.uint64).reshape(shape)


def _widest(claims: Claims, room: int) -> int:
    """The rows that an output's cases may have together; 0 where that takes too much memory."""
    widest = int(np.diff(claims.network.output.weight.indptr).max(initial=0))
    return widest if widest * (room + MOST_SPLIT) <= _TABLE else 0


def _scratch(flat: Flat, claims: Claims, stop: Array) -> Scratch:
    features, rows = claims.network.features, int(flat.starts[-2])
    room = min(claims.cube.max_active, features) + 1
    widest = _widest(claims, room)
    return Scratch(
        form=np.zeros(features),
        state=np.zeros(features, dtype=np.int8),
        middle=np.zeros(rows),
        up=np.zeros(rows),
        lift=np.zeros(rows),
        down=np.zeros(rows),
        value=np.zeros(rows),
        low=np.zeros(rows, dtype=np.uint64),
        met=np.zeros(rows, dtype=np.int8),
        members=np.zeros(rows, dtype=np.int64),
        ends=np.zeros(len(flat.starts), dtype=np.int64),
        on=np.zeros(2 * room, dtype=np.int64),
        top_value=np.zeros(room),
        top_feature=np.zeros(room, dtype=np.int64),
        path=np.zeros(features + 1, dtype=np.int64),
        side=np.zeros(features + 1, dtype=np.int8),
        best=np.zeros(room, dtype=np.int64),
        weight=np.zeros((widest, MOST_SPLIT)),
        most=np.zeros((widest, room + 1)),
        least=np.zeros((widest, room + 1)),
        bound=np.zeros(_MERGED),
        stop=stop,
    )
