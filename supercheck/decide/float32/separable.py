"""Mode separable in float32: some threshold has to part the values of both classes, whatever the order of sums."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from supercheck.base.errors import FaultError
from supercheck.base.numbers import exact_text, short
from supercheck.claims.evidence import Counterexample, Extremes, Point, Verdict
from supercheck.claims.result import OutputResult
from supercheck.decide.float32.error_bounds import at_inputs
from supercheck.decide.float32.layers import StoredLayers
from supercheck.decide.float32.per_input import listed
from supercheck.decide.float32.summation_orders import extreme, replayed


def apart(extremes: Extremes | None, error: Fraction) -> bool:
    """Whether the classes, whose extreme real values these are, stay apart when each value is off by `error`."""
    if extremes is None:
        return False
    on, off = extremes.on, extremes.off
    return on is None or off is None or off.value + error < on.value - error


def parted(was: OutputResult, chain: StoredLayers, error: Fraction) -> tuple[OutputResult, str | None]:
    """Decide one output from what real arithmetic says of it.

    Args:
        was: the result in real arithmetic.
        chain: the stored layers.
        error: by how much its float32 values may be off.

    Returns:
        The result, and a sentence with the order that refutes it where not every one does.
    """
    if apart(was.extremes, error):
        return OutputResult(was.index, Verdict.PROVED, was.engine), None
    output, reason, part = was.index, was.reason or "its extreme values are not known", chain.part(was.index)
    pairs = list(_pairs(was))
    for off, on in pairs:
        errors = at_inputs(part, [off.active, on.active])
        moved = None if None in errors else sum((each for each in errors if each is not None), Fraction(0))
        if moved is not None and off.value - on.value >= moved:
            example = Counterexample(off.input, output, off.value, 0, on)
            return OutputResult(output, Verdict.REFUTED, "float32", counterexample=example), None
        gap, bound = abs(on.value - off.value), moved or error
        words = f"the margin {short(gap, beside=[bound])} is within the rounding bound {short(bound, beside=[gap])}"
        reason = f"{words}; no failing order found"
    for off, on in pairs:
        found = _crossed(chain, part, output, off, on)
        if found is not None:
            return OutputResult(output, Verdict.REFUTED, "float32", counterexample=found[0]), found[1]
    return OutputResult(output, Verdict.UNKNOWN, reason=reason), None


def _pairs(was: OutputResult) -> Iterator[tuple[Point, Point]]:
    """An off input and an on input whose values are close, or the wrong way round."""
    known, extremes = was.counterexample, was.extremes
    if known is not None and known.against is not None:
        yield Point(known.input, known.value), known.against
    if extremes is not None and extremes.off is not None and extremes.on is not None:
        yield extremes.off, extremes.on


def _crossed(
    chain: StoredLayers, part: StoredLayers, output: int, off: Point, on: Point
) -> tuple[Counterexample, str] | None:
    """Look for orders in which the off value is not below the on value."""
    high, low = (extreme(part, point.active, greatest=point is off) for point in (off, on))
    if high is None or low is None or high[0] < low[0]:
        return None
    for point, (value, orders) in ((off, high), (on, low)):
        if replayed(part, point.active, orders) != [value]:
            raise FaultError(f"output {output}: an order of summation does not come out as it did before")
    words = (
        f"In these orders y{output} = {exact_text(high[0])} off and {exact_text(low[0])} on: "
        f"off {listed(chain, output, high[1])}; on {listed(chain, output, low[1])}."
    )
    return Counterexample(off.input, output, high[0], 0, Point(on.input, low[0])), words
