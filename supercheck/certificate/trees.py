"""Proof trees for outputs that one leaf does not prove: grown by the compiled loops, written as the format has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from supercheck.base.matrix import Array
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Decision, Verdict
from supercheck.decide.flatten import lay_out
from supercheck.decide.kernels.arrays import Scratch
from supercheck.decide.kernels.proof_tree import EVERY, RULE_A, RULE_B, SIDES, Growth, grow_tree
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.relaxation import goals_of, threaded
from supercheck.spec.cases import decision_tree

FEW = 64
"""Inputs that a leaf may leave to be evaluated one by one."""

MOST_TOKENS = 1 << 22

_SIGNS = {RULE_A: "a", RULE_B: "b", EVERY: "e", SIDES: "g"}


def grow(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[list[Decision]]:
    """Grow a tree for each output that has one of a size worth writing.

    Args:
        claims: the question, proved for these outputs.
        outputs: which outputs.
        limits: threads, and the nodes that each case and side of an output may have.
        clock: the deadline; what it leaves has no tree.

    Yields:
        One decision an output, with its tree as a proof; unknown where it has none.
    """
    left = dict.fromkeys(outputs)
    for output, tree in _trees(claims, outputs, limits.nodes, limits.workers, clock):
        del left[output]
        yield [Decision(output, Verdict.PROVED, proof=tree)]
    if left:
        why = clock.reason if clock.over else "it has no tree of a size worth writing"
        yield [Decision(i, Verdict.UNKNOWN, why) for i in left]


def _trees(claims: Claims, outputs: Sequence[int], cap: int, workers: int, clock: Clock) -> Iterator[tuple[int, str]]:
    """The outputs that have a tree, with it."""
    flat = lay_out(claims.network)
    if flat is None:
        return
    width = min(claims.domain.max_active, claims.domain.features)
    outputs = [i for i in outputs if i not in claims.shapes.reduced]  # the checker goes by what is written
    goals, _ = goals_of(claims, np.asarray(outputs, dtype=np.int64), flat, optimise=False)
    shapes = {}
    for number in {claims.shapes.of[i] for i in outputs}:
        shape = decision_tree(claims.shapes.forms[number], width)
        if shape is not None:
            shapes[number] = np.array(shape[0], dtype=np.int64), np.array(shape[1], dtype=np.int64)

    def grown(place: int, own: Scratch) -> tuple[int, Array | None]:
        output = outputs[place]
        tree, values = shapes[claims.shapes.of[output]]
        support = np.array(claims.shapes.supports[output], dtype=np.int64)
        tokens = np.zeros(min(MOST_TOKENS, 8 * cap * len(values) + 2 * len(tree) + 8), dtype=np.int32)
        growth = Growth(support, tree, values, goals[place], tokens, output, width, cap, FEW)
        count = grow_tree(flat, own, growth)
        return output, None if count < 0 else tokens[:count].copy()

    places = [place for place, output in enumerate(outputs) if claims.shapes.of[output] in shapes]
    for output, tokens in threaded(grown, places, flat, claims, workers, clock):
        if tokens is not None:
            yield output, " ".join([_SIGNS.get(token) or str(token) for token in tokens.tolist()])
