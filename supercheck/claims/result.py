"""What came of a question, as types: one entry an output, where it came from, and the whole result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from supercheck.base.display import Shown
from supercheck.base.errors import SupercheckError
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Counterexample, Extremes, Sparsity, Verdict, WrongInputs


class OutputResult(NamedTuple):
    """What is known of one output.

    Attributes:
        index: which output.
        verdict: proved, refuted or unknown.
        engine: which engine decided it.
        reason: why it is unknown.
        counterexample: where it is refuted.
        least: whether no input with fewer active features makes this output wrong.
        extremes: the exact worst of each class, where asked for.
        sparsity: up to which k it is right, where asked for.
        proof: a proof tree as the certificate format writes it, where the engine knows one.
        wrong: on how many inputs it is wrong, where asked for.
    """

    index: int  # type: ignore[assignment]  # `index` of tuples is not needed here
    verdict: Verdict
    engine: str | None = None
    reason: str | None = None
    counterexample: Counterexample | None = None
    least: bool = False
    extremes: Extremes | None = None
    sparsity: Sparsity | None = None
    proof: str | None = None
    wrong: WrongInputs | None = None


@dataclass(frozen=True)
class Another:
    """How else a refuted question's outputs could be read so that they are right; all of it exact.

    Attributes:
        of: how many outputs there are.
        separable: in mode threshold, how many of them some threshold of their own makes right.
        at: one threshold that makes all of them right, if one is known; any from `low` to below `high` does.
        low: None: however low.
        high: None: however high.
        within: in the other modes, the least error that would have to be allowed.
    """

    of: int
    separable: int | None = None
    at: Fraction | None = None
    low: Fraction | None = None
    high: Fraction | None = None
    within: Fraction | None = None


@dataclass(frozen=True)
class Provenance:
    """Where a question came from, for reports: of every file the sha256 of the bytes that were parsed.

    Attributes:
        network, network_digest: its file; one digest of that and of the files with its data.
        spec, spec_digest: the spec's file.
        network_files: the network's file, and those with its data, each with its own digest.
        spec_files: the files that the spec names beside it: truth table, encoder, decoder.
    """

    network: str | None = None
    network_digest: str | None = None
    spec: str | None = None
    spec_digest: str | None = None
    network_files: tuple[tuple[str, str], ...] = ()
    spec_files: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Certificate:
    """A file with which the verdict can be checked.

    Attributes:
        file: where it is.
        sha256: of its bytes.
        words: outputs whose proof is a solver's word.
        cores: files beside it for the lone checker, where it cannot read the network or the spec itself.
    """

    file: Path
    sha256: str
    words: int = 0
    cores: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Rounding:
    """What float32 arithmetic makes of a question that was decided in real arithmetic, too.

    Attributes:
        real: the verdict in real arithmetic.
        errors: for each output by how much any float32 evaluation may be off; None where that is not bounded.
        margin: the least distance of a real output from what would be wrong, where that was computed.
        order: "every" if each float32 evaluation has the verdict, "shown" if one of them is wrong, None if unknown.
    """

    real: Verdict
    errors: tuple[Fraction | None, ...] = ()
    margin: Fraction | None = None
    order: str | None = None

    @property
    def most(self) -> Fraction | None:
        """The largest of the errors; None where one is not bounded."""
        known = [error for error in self.errors if error is not None]
        return max(known) if known and len(known) == len(self.errors) else None


@dataclass(frozen=True, eq=False, repr=False)
class Result(Shown):
    """The answer to one question.

    Attributes:
        claims: the question.
        outputs: one entry an output, in order.
        smallest: the network's smallest counterexample, if it is refuted.
        notes: what else a reader of the verdict has to know, one sentence each.
        arithmetic: "real" or "float32"; outputs and counterexample are those of that arithmetic.
        rounding: what float32 arithmetic makes of it, where it was asked.
        source: where network and spec came from, for reports.
        seconds: load, decide, minimise, total.
        certificate: with which it can be checked, if that was asked for.
        withheld: why the verdict is unknown although the outputs were decided, if it is.
        another: how else a refuted question's outputs could be read, where that was cheap to find out.
    """

    claims: Claims
    outputs: tuple[OutputResult, ...]
    smallest: Counterexample | None = None
    notes: tuple[str, ...] = ()
    arithmetic: str = "real"
    rounding: Rounding | None = None
    source: Provenance = Provenance()
    seconds: Mapping[str, float] = field(default_factory=dict)
    certificate: Certificate | None = None
    withheld: str | None = None
    another: Another | None = None

    @property
    def real_verdict(self) -> Verdict:
        """The verdict in real arithmetic: refuted if one output is, proved if every one is."""
        return self.rounding.real if self.rounding is not None else conclude(output.verdict for output in self.outputs)

    @property
    def verdict(self) -> Verdict:
        """The verdict in the arithmetic that the spec asks about."""
        if self.withheld is not None or (self.arithmetic != "real" and self.rounding is None):
            return Verdict.UNKNOWN
        return conclude(output.verdict for output in self.outputs)

    @property
    def reason(self) -> str | None:
        """Why the verdict is unknown; None where it is not."""
        if self.verdict is not Verdict.UNKNOWN:
            return None
        if self.withheld is not None:
            return self.withheld
        if self.arithmetic != "real" and self.rounding is None:
            return f"float32 was not decided; in real arithmetic: {self.real_verdict.value}"
        return next((output.reason for output in self.outputs if output.reason), None)

    @property
    def in_the_order_shown(self) -> bool:
        """Whether it is refuted for one float32 evaluation alone, whose order a note shows."""
        return self.verdict is Verdict.REFUTED and self.rounding is not None and self.rounding.order == "shown"

    def count(self, verdict: Verdict) -> int:
        """How many outputs have this verdict."""
        return sum(output.verdict is verdict for output in self.outputs)

    @property
    def counterexample(self) -> Counterexample:
        """The network's smallest counterexample.

        Raises:
            SupercheckError: if the network is not refuted.
        """
        if self.smallest is None:
            raise SupercheckError(f"a network that is {self.verdict.value} has no counterexample")
        return self.smallest

    def margin(self, output: OutputResult) -> Fraction | None:
        """By how much an output keeps its goals; negative where it does not, None where not computed or one-sided.

        Threshold: the smaller of min(y - at) over on and min(at - y) over off, less the readout's margin; epsilon:
        within - max |y - f|; separable: min on - max off.
        """
        if output.extremes is None:
            return None
        worst = output.extremes.worst
        return self.claims.readout.margin_of([None if point is None else point.value for point in worst])

    @property
    def sparsity(self) -> Sparsity | None:
        """Up to which k all outputs are right; None where that was not asked."""
        each = [output.sparsity for output in self.outputs]
        if any(one is None for one in each):
            return None
        found = [one for one in each if one is not None]
        right, wrong = min(one.right for one in found), [one.wrong for one in found if one.wrong is not None]
        first = min(wrong, default=None)
        return Sparsity(right, first, first == right + 1 if first is not None else all(one.known for one in found))

    @property
    def wrong_inputs(self) -> WrongInputs | None:
        """On how many inputs any output is wrong: as many as the worst one, and no more than all together.

        None where that was not asked.
        """
        each = [output.wrong for output in self.outputs if output.wrong is not None]
        size = self.claims.domain.size
        if len(each) < len(self.outputs) or size is None:
            return None
        most = [one.at_most for one in each if one.at_most is not None]
        bound = min(size, sum(most)) if len(most) == len(each) else None
        return WrongInputs(max(one.at_least for one in each), bound)

    def margin_order(self, output: OutputResult) -> tuple[bool, Fraction]:
        """Sorts outputs by margin, those without one last."""
        margin = self.margin(output)
        return margin is None, Fraction(0) if margin is None else margin

    def interval(self, output: OutputResult) -> tuple[Fraction, Fraction] | None:
        """In mode separable, the thresholds that part the classes: from the largest off y up to the smallest on y."""
        extremes = output.extremes
        if not self.claims.separable or output.verdict is not Verdict.PROVED or extremes is None:
            return None
        return None if extremes.on is None or extremes.off is None else (extremes.off.value, extremes.on.value)


def conclude(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict over several: refuted wins, then unknown; proved only if all are, and there is one."""
    found = set(verdicts)
    for verdict in (Verdict.REFUTED, Verdict.UNKNOWN):
        if verdict in found:
            return verdict
    return Verdict.PROVED if found else Verdict.UNKNOWN
