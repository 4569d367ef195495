"""The distinct output vectors that a list of functions asks for on a domain.

Every floor that holds for one function follows from these, and stays true of any part of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from supercheck.base.matrix import Array
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import Formula, evaluate, support
from supercheck.spec.satisfying import assignments

MOST_CELLS = 1 << 26  # inputs times outputs that are looked at
MOST_INPUTS = 1 << 20
_BATCH = 1 << 13


@dataclass(frozen=True, eq=False)
class Patterns:
    """Output vectors that occur.

    Attributes:
        rows: bool [patterns, outputs], no two alike.
        inputs: for each pattern the active features of an input that asks for it.
        complete: whether they are all that occur; otherwise some of them.
    """

    rows: Array
    inputs: tuple[frozenset[int], ...]
    complete: bool

    @property
    def outputs(self) -> int:
        """The number of outputs."""
        return int(self.rows.shape[1])

    def __len__(self) -> int:
        """The number of patterns."""
        return len(self.rows)


def patterns(
    formulas: Sequence[Formula],
    domain: KSparse,
    most_cells: int = MOST_CELLS,
    over: Callable[[], bool] = lambda: False,
) -> Patterns:
    """The output vectors that occur on the domain, or as many as `most_cells` inputs times outputs show.

    Only features that some function names are turned on: the others change no output.

    Args:
        formulas: one function an output.
        domain: the inputs.
        most_cells: where the domain has more, only inputs with few active features are looked at, and for each
            output its smallest assignment on.
        over: whether the time is up, after which one input is looked at, or what was begun.
    """
    most = 1 if over() else min(most_cells // len(formulas), MOST_INPUTS)
    named = np.array(sorted(set().union(*map(support, set(formulas)))), dtype=np.int64)
    part = KSparse(len(named), min(domain.max_active, len(named)))
    complete = part.size <= most
    seen: dict[bytes, frozenset[int]] = {}
    if not complete:
        witnesses = (next(assignments(formula, True, domain.max_active), None) for formula in formulas[: most // 2])
        known = list({on for on in witnesses if on is not None})
        for start in range(0, len(known), _BATCH):
            _note(seen, formulas, known[start : start + _BATCH])
        most -= len(known)
    for batch in _batches(part, most):
        if seen and over():
            complete = False
            break
        _note(seen, formulas, [frozenset(active) for active in named[batch].tolist()])
    width = (len(formulas) + 7) // 8
    packed = np.frombuffer(b"".join(seen), dtype=np.uint8).reshape(-1, width)
    rows = np.unpackbits(packed, axis=1, count=len(formulas), bitorder="little").astype(bool)
    return Patterns(rows, tuple(seen.values()), complete)


def _note(seen: dict[bytes, frozenset[int]], formulas: Sequence[Formula], inputs: Sequence[frozenset[int]]) -> None:
    """Add the patterns of some inputs, each with the first input that asks for it."""
    for row, active in zip(vectors(formulas, inputs), inputs, strict=True):
        seen.setdefault(row.tobytes(), active)


def _batches(domain: KSparse, most: int) -> Iterator[Array]:
    """The first `most` inputs, fewest active features first, [inputs, active]."""
    for level in range(domain.levels):
        for active in domain.members(level, min(_BATCH, max(1, most))):
            if not most:
                return
            yield active[:most]
            most -= len(active[:most])


def vectors(formulas: Sequence[Formula], inputs: Sequence[frozenset[int]]) -> Array:
    """The output vectors asked for on the given inputs, eight outputs a byte, [inputs, bytes]."""
    ones, columns = (1 << len(inputs)) - 1, dict[int, int]()
    for position, active in enumerate(inputs):
        for feature in active:
            columns[feature] = columns.get(feature, 0) | 1 << position
    size = (len(inputs) + 7) // 8
    shared: dict[Formula, bytes] = {}
    for formula in formulas:
        if formula not in shared:
            shared[formula] = evaluate(formula, lambda j: columns.get(j, 0), ones).to_bytes(size, "little")
    flat = np.frombuffer(b"".join(shared[formula] for formula in formulas), dtype=np.uint8).reshape(-1, size)
    table = np.unpackbits(flat, axis=1, count=len(inputs), bitorder="little")
    return np.packbits(table.T, axis=1, bitorder="little")
