"""What was built, held against plain enumeration: `fractions`, one multiplication at a time, every input."""

from __future__ import annotations

from fractions import Fraction

from oracle import Stored, inputs, run
from strategies import meaning

from supercheck.construct.request import Built


def wrong(built: Built) -> set[int]:
    """The outputs that are wrong on some input of the claim's domain, read at its threshold."""
    spec, layers = built.spec, [part for part in (built.encoder, *built.layers, built.decoder) if part is not None]
    stored: Stored = [
        ([[Fraction(w) for w in row] for row in part.weight.dense().tolist()],
         [Fraction(b) for b in part.bias.tolist()], part.relu)
        for part in layers
    ]  # fmt: skip
    functions = [meaning(formula) for formula in spec.formulas]
    at, found = spec.readout.at, set()
    assert at is not None
    for active in inputs(spec.domain.features, spec.domain.max_active):
        y = run(stored, [int(j in active) for j in range(spec.domain.features)])
        found |= {i for i, function in enumerate(functions) if (y[i] > at) != function(frozenset(active))}
    return found
