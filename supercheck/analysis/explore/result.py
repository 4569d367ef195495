"""What an exploration found, as types: cases, the profile over k, and everything together in one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

from supercheck.analysis.explore.ledger import Ledger, ledger
from supercheck.analysis.explore.sensitivity import Sensitivity
from supercheck.base.display import Shown
from supercheck.base.errors import clip
from supercheck.base.numbers import short
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Point, Verdict
from supercheck.claims.result import Provenance, Result


@dataclass(frozen=True, order=True)
class Count:
    """A number of things: all of them, or at least so many."""

    value: int
    exact: bool = True

    def __str__(self) -> str:
        """For people: "12", or "at least 12"."""
        return f"{self.value:,}" if self.exact else f"at least {self.value:,}"


@dataclass(frozen=True)
class Row:
    """Where the network stands with at most k features on.

    Attributes:
        k: how many may be on.
        inputs: how many inputs that are.
        wrong_inputs: on how many of them some output is wrong; None where no single input is (mode separable).
        wrong_outputs: how many outputs are wrong on some of them.
        margin_on: the least distance of an output that should be on from what would be wrong; negative where one is
            wrong, None where that was not found or does not exist.
        margin_off: the same of outputs that should be off.
        inputs_exactly: how many inputs have exactly k features on.
        wrong_inputs_exactly: on how many of those some output is wrong.
    """

    k: int
    inputs: int
    wrong_inputs: Count | None
    wrong_outputs: Count
    margin_on: Fraction | None
    margin_off: Fraction | None
    inputs_exactly: int
    wrong_inputs_exactly: Count | None


@dataclass(frozen=True, repr=False)
class Case:
    """An input on which an output is wrong, replayed in exact arithmetic, and how small it is.

    Attributes:
        active: the features that are on, ascending.
        output: the output that is wrong.
        value: its exact value.
        expected: what its function says, 0 or 1.
        minimum: whether it is proved that no input with fewer features on makes this output wrong.
        inclusion_minimal: whether the output is right on every proper subset of these features; None if not known.
        flip_stable: whether turning off any single one of them mends it; None if not known.
        against: in mode separable an on input whose value is not larger.
    """

    active: tuple[int, ...]
    output: int
    value: Fraction
    expected: int
    minimum: bool
    inclusion_minimal: bool | None
    flip_stable: bool | None
    against: Point | None = None

    def __repr__(self) -> str:
        """In a line, however many digits the value has."""
        return f"<Case: y{self.output} = {short(self.value)}, expected {self.expected}, with {clip(self.active)} on>"

    @property
    def size(self) -> int:
        """The number of active features; in mode separable that of the larger input."""
        return max(len(self.active), 0 if self.against is None else len(self.against.active))

    @property
    def order(self) -> tuple[int, tuple[int, ...], int]:
        """Fewest features first, then in lexicographic order, then by output."""
        return self.size, self.active, self.output


@dataclass(frozen=True)
class Group:
    """Cases that have something in common.

    Attributes:
        by: "output", "cause" or "symmetry".
        name: what they have in common, in words.
        places: which cases, as their places in the exploration's list.
    """

    by: str
    name: str
    places: tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Exploration(Shown):
    """What breaks a network, why, and how far from breaking the rest is.

    Attributes:
        result: the verdict, as `verify` gives it; counterexamples are always those of real arithmetic.
        profile: one row for each k from 0 on.
        cases: counterexamples, smallest first; each is inclusion-minimal as far as that is known.
        total: how many inclusion-minimal counterexamples (A, i) there are.
        only: the one output that was looked at, if only one was.
        sensitivity: how far weights may move with the verdict still proved.
        groups: the cases by what they have in common.
        left_out: what was not looked into, one sentence each.
        source: where network and spec came from.
        seconds: load, decide, explore, total.
    """

    result: Result
    profile: tuple[Row, ...]
    cases: tuple[Case, ...]
    total: Count
    only: int | None = None
    sensitivity: Sensitivity | None = None
    groups: tuple[Group, ...] = ()
    left_out: tuple[str, ...] = ()
    source: Provenance = field(default_factory=Provenance)
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def claims(self) -> Claims:
        """The question."""
        return self.result.claims

    @property
    def verdict(self) -> Verdict:
        """The verdict, as `verify` gives it."""
        return self.result.verdict

    @property
    def complete(self) -> bool:
        """Whether `cases` holds every inclusion-minimal counterexample (A, i)."""
        return self.total.exact and self.total.value == len(self.cases)

    @property
    def largest_k(self) -> int | None:
        """The largest k that holds; None where k = 0 is wrong, or it is not known."""
        return None if self.result.sparsity is None else self.result.sparsity.largest

    @property
    def smallest(self) -> Sequence[Case]:
        """The cases with fewest features on."""
        return [case for case in self.cases if case.size == self.cases[0].size]

    @cached_property
    def _ledgers(self) -> dict[Case, Ledger]:
        return {}

    def ledger(self, case: Case) -> Ledger:
        """Why a case is wrong: its value as an exact sum."""
        if case not in self._ledgers:
            self._ledgers[case] = ledger(self.claims, case.output, case.active)
        return self._ledgers[case]
