"""Whether a network may be changed: the outputs that a change reaches are proved again, or something objects.

Inputs that refuted an earlier change are tried first, in exact arithmetic, since they refute most later ones; they can
only object. What no engine decides within its limits is an objection, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from supercheck.base.matrix import Array, Rows, by_row
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Counterexample, Refuted, Verdict
from supercheck.claims.replay import replay
from supercheck.construct.pruning.edits import Layers
from supercheck.decide.engines import searcher
from supercheck.decide.enumeration import cost
from supercheck.decide.float32.portfolio import decide_float32
from supercheck.decide.limits import Clock, DeadlineError, Limits
from supercheck.decide.portfolio import INTERRUPTED, QUICK, unproved
from supercheck.network.evaluate import totals
from supercheck.network.layers import Affine
from supercheck.network.network import Network

_WITNESSES = 128  # refuting inputs that are kept
_CHEAP = 3 * 10**9  # multiplications that asking every engine about one change may cost
_FIRST = 8  # of them that are tried before the rest: most often one of these does it


@dataclass(frozen=True)
class Refusal:
    """Why something has to stay.

    Attributes:
        counterexample: what goes wrong without it, replayed; None where that is not known.
        reason: why it is not known that nothing does.
    """

    counterexample: Counterexample | None
    reason: str | None = None


@dataclass(eq=False)
class Prover:
    """A proved question that is put to one changed network after another.

    Attributes:
        claims: the question.
        codes: the fixed encoder and decoder.
        arithmetic: "real" or "float32".
        clock: the deadline.
        tried: how many changes were looked at.
    """

    claims: Claims
    codes: tuple[Affine | None, Affine | None]
    arithmetic: str
    clock: Clock
    tried: int = 0
    _witnesses: list[tuple[Refuted, int]] = field(default_factory=list)  # and whether the function is on there

    @cached_property
    def limits(self) -> Limits:
        """What one change may cost: counted, so that every machine decides the same."""
        cheap = cost(self.claims, range(len(self.claims))) <= _CHEAP
        return Limits() if cheap else Limits(engine=searcher(self.claims).name, nodes=QUICK)

    def whole(self, layers: Layers) -> Network:
        """A network of these layers, with the fixed codes folded in."""
        encoder, decoder = self.codes
        return Network.of([layer for layer in (encoder, *layers, decoder) if layer is not None])

    def objection(self, now: Layers, changed: Layers) -> Refusal | None:
        """Why changed layers may not take the place of those that are proved; None if they may.

        Raises:
            DeadlineError: if the time is up.
        """
        if self.clock.over:
            raise DeadlineError
        self.tried += 1
        claims = self.claims.of(self.claims.own, self.whole(changed))
        if self.arithmetic == "float32":
            return self._float32(claims)
        return self._real(claims, self._reached(now, changed))

    def _reached(self, now: Layers, changed: Layers) -> list[int]:
        """The outputs that have to be proved again."""
        if len(now) != len(changed):
            return list(range(len(self.claims)))
        encoder, decoder = self.codes
        matrices = [layer.weight for layer in (encoder, *changed, decoder) if layer is not None]
        found: list[int] = reached(matrices, now, changed, int(encoder is not None)).tolist()
        return found

    def _real(self, claims: Claims, outputs: Sequence[int]) -> Refusal | None:
        objection = self._known(claims, set(outputs))
        if objection is not None or not outputs:
            return objection
        found = unproved(claims, outputs, self.limits, self.clock)
        if found is None:
            return None
        example = found.counterexample
        if example is None:
            if self.clock.over:
                raise DeadlineError
            return Refusal(None, found.reason)
        against = None if example.against is None else example.against.input
        witness = Refuted(example.output, example.input, against)
        self._witnesses = [(witness, example.expected), *self._witnesses[: _WITNESSES - 1]]
        return Refusal(example)

    def _known(self, claims: Claims, outputs: set[int]) -> Refusal | None:
        """What an earlier counterexample refutes."""
        asked = [known for known in self._witnesses if known[0].output in outputs]
        for begin, end in ((0, _FIRST), (_FIRST, _WITNESSES)):
            for known in self._refuting(claims, asked[begin:end]):
                self._witnesses.remove(known)
                self._witnesses.insert(0, known)  # what refuted last refutes next
                [example] = replay(claims, [known[0]])
                return Refusal(example)
        return None

    def _refuting(self, claims: Claims, asked: Sequence[tuple[Refuted, int]]) -> Iterator[tuple[Refuted, int]]:
        """Those of some earlier counterexamples that are some again."""
        places = [witness.output for witness, _ in asked]
        found = above = totals(claims.network, places, [witness.witness for witness, _ in asked])
        if claims.separable:
            above = totals(claims.network, places, [witness.against or witness.witness for witness, _ in asked])
        for (witness, on), total, other in zip(asked, found, above, strict=True):
            if other <= total if claims.separable else total not in claims.right(witness.output, on):
                yield witness, on

    def _float32(self, claims: Claims) -> Refusal | None:
        timeout = None if self.clock.timeout is None else max(self.clock.left, 1e-3)
        result = decide_float32(claims, replace(self.limits, timeout=timeout))
        if result.verdict is Verdict.PROVED:
            return None
        if result.verdict is Verdict.UNKNOWN:
            if result.reason == INTERRUPTED:
                raise KeyboardInterrupt
            if self.clock.over:
                raise DeadlineError
        return Refusal(result.smallest, result.reason)


def reached(matrices: Sequence[Rows], old: Layers, new: Layers, first: int) -> Array:
    """The outputs that some change of layers can reach, ascending.

    Args:
        matrices: of the whole network, fixed codes included.
        old: the network's own layers.
        new: the same, changed.
        first: where in `matrices` its first layer is.
    """
    mask = np.zeros(matrices[0].width, dtype=bool)
    for place, rows in enumerate(matrices):
        mask = by_row(np.logical_or, mask[rows.indices], rows.indptr, False)
        if 0 <= place - first < len(new):
            mask = mask | _differ(old[place - first], new[place - first])
    return np.flatnonzero(mask)


def _differ(old: Affine, new: Affine) -> Array:
    """Which rows of a layer are not what they were."""
    if old is new:
        return np.zeros(old.weight.height, dtype=bool)
    changed = np.asarray(old.bias != new.bias, dtype=bool)
    rows = [part.weight.row_of() for part in (old, new)]
    a, b = (row * part.weight.width + part.weight.indices for row, part in zip(rows, (old, new), strict=True))
    both, again = np.isin(a, b), np.isin(b, a)
    changed[rows[0][~both]] = True
    changed[rows[1][~again]] = True
    changed[rows[0][both][np.asarray(old.weight.data[both] != new.weight.data[again], dtype=bool)]] = True
    return changed
