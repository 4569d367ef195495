"""What was built, in the oracle's words: plain arithmetic on every input."""

from __future__ import annotations

from fractions import Fraction

from oracle import Stored, inputs, truth
from strategies import meaning

from supercheck.api.verify import verify
from supercheck.construct.request import Built
from supercheck.decide.limits import Limits


def stored(built: Built) -> Stored:
    """Encoder, layers and decoder as rows of fractions."""
    parts = [part for part in (built.encoder, *built.layers, built.decoder) if part is not None]
    return [
        (
            [[Fraction(cell) for cell in row] for row in part.weight.dense().tolist()],
            [Fraction(cell) for cell in part.bias.tolist()],
            part.relu,
        )
        for part in parts
    ]


def right(built: Built) -> bool:
    """Whether every output is on the right side of the threshold on every input of the domain, by brute force."""
    domain, at = built.spec.domain, built.spec.readout.at
    assert at is not None
    functions = [meaning(formula) for formula in built.spec.formulas]
    found = truth(stored(built), domain.features, domain.max_active, functions, lambda y, on: y <= at if on else y > at)
    assert sum(1 for _ in inputs(domain.features, domain.max_active)) == domain.size
    return found.smallest == [None] * len(functions)


def proved(built: Built, engine: str) -> bool:
    """Whether an engine proves it."""
    return verify(built.whole, built.spec, limits=Limits(engine=engine)).verdict.value == "proved"
