"""What came of pruning a network."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from supercheck.analysis.costs.floors.bounds import Form
from supercheck.analysis.costs.floors.classes import FunctionClass
from supercheck.analysis.costs.floors.floor import Floor
from supercheck.base.display import Shown
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Verdict
from supercheck.claims.result import Provenance, Result
from supercheck.construct.pruning.search import Pruned
from supercheck.network.network import Network


@dataclass(frozen=True, eq=False, repr=False)
class Pruning(Shown):
    """A network with all taken away that could go, and what came of verifying it.

    Attributes:
        given: the verdict on the network as it was given.
        pruned: what is left, and why; None where the given network is not proved.
        result: the verdict on what is left, read again from its file; None where the given network is not proved.
        of_class: the class that its functions belong to, if there is one.
        floors: what some function of the class, and what this function, needs, beside what is left.
        forms: the paper's forms beside what is left.
        file: the network file; None where none was written.
        spec: the spec file beside it.
        source: where network and spec came from.
        seconds: load, decide, prune, verify, total.
    """

    given: Result
    pruned: Pruned | None
    result: Result | None = None
    of_class: FunctionClass | None = None
    floors: tuple[Floor, ...] = ()
    forms: tuple[Form, ...] = ()
    file: Path | None = None
    spec: Path | None = None
    source: Provenance = field(default_factory=Provenance)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def claims(self) -> Claims:
        """The question, put to the network as it was given."""
        return self.given.claims

    @property
    def verdict(self) -> Verdict:
        """That on what is left; on the network as it was given where nothing was taken away."""
        return self.given.verdict if self.result is None else self.result.verdict

    @property
    def network(self) -> Network | None:
        """What is left, without the spec's fixed codes."""
        return None if self.pruned is None else Network.of(self.pruned.layers)
