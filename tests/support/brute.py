"""Every failing input of a question, by brute force."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from common import EXAMPLES
from oracle import Truth, inputs, run, truth
from strategies import Question, meaning

from supercheck import Limits
from supercheck.analysis.explore.failures import MOST_WORK
from supercheck.analysis.explore.result import Exploration
from supercheck.analysis.explore.search import ExploreOptions, examine
from supercheck.decide.limits import Clock
from supercheck.decide.portfolio import decide

SOME = EXAMPLES // 2


Pair = tuple[int, tuple[int, ...]]


@dataclass(frozen=True)
class Brute:
    """What brute force says of a question: where each output fails, and the margins at each k."""

    fails: set[Pair]
    features: int
    k: int

    @classmethod
    def of(cls, asked: Question) -> Brute:
        wrong, domain = asked.wrong, asked.spec.domain
        assert wrong is not None
        functions = [meaning(formula) for formula in asked.spec.formulas]
        fails = set()
        for active in inputs(domain.features, domain.max_active):
            y = run(asked.stored, [int(j in active) for j in range(domain.features)])
            fails |= {(i, active) for i, f in enumerate(functions) if wrong(y[i], f(frozenset(active)))}
        return cls(fails, domain.features, domain.max_active)

    def mended(self, pair: Pair, least: int) -> bool:
        """Whether no proper subset with at least so many features on fails."""
        output, active = pair
        sizes = range(least, len(active))
        return not any((output, part) in self.fails for size in sizes for part in combinations(active, size))

    @property
    def minimal(self) -> set[Pair]:
        return {pair for pair in self.fails if self.mended(pair, 0)}

    def least(self, output: int) -> int:
        return min(len(active) for i, active in self.fails if i == output)


def brute_force(question: Question) -> Truth:
    """What there is to know of a question's outputs."""
    domain, functions = question.spec.domain, [meaning(formula) for formula in question.spec.formulas]
    return truth(question.stored, domain.features, domain.max_active, functions, question.wrong)


def explored(asked: Question, wanted: ExploreOptions = ExploreOptions(), work: int = MOST_WORK) -> Exploration:
    result = decide(asked.claims, Limits(largest_k=True))
    return examine(result, wanted, Limits(), Clock.start(None), work=work)
