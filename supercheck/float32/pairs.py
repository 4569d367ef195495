"""Mode separable in float32: some threshold has to part the values of both classes, whatever the order of sums."""

from __future__ import annotations

from fractions import Fraction

from supercheck.errors import FaultError
from supercheck.evidence import Counterexample, OutputResult, Point, Result, Verdict
from supercheck.float32.bounds import at_inputs
from supercheck.float32.chain import Chain
from supercheck.float32.judging import listed
from supercheck.float32.orders import extreme, replayed
from supercheck.numbers import exact_text, short


def parted(real: Result, chain: Chain, output: int, error: Fraction) -> tuple[OutputResult, str | None]:
    """Decide one output from the extremes of its classes in real arithmetic.

    Args:
        real: the result in real arithmetic.
        chain: the stored layers.
        output: which output.
        error: by how much its float32 values may be off.

    Returns:
        The result, and a sentence with the order that refutes it where not every one does.
    """
    was = real.outputs[output]
    known = was.counterexample
    if was.extremes is None and known is not None and known.against is not None:
        return _overlapping(chain, output, known.against, Point(known.active, known.value))
    if was.extremes is None:
        return OutputResult(output, Verdict.UNKNOWN, reason=was.reason or "its extreme values are not known"), None
    on, off = was.extremes.on, was.extremes.off
    if on is None or off is None or off.value + error < on.value - error:
        return OutputResult(output, Verdict.PROVED, was.engine), None
    return _overlapping(chain, output, on, off)


def _overlapping(chain: Chain, output: int, on: Point, off: Point) -> tuple[OutputResult, str | None]:
    """An output whose greatest off value and least on value are closer than rounding may move them."""
    part = chain.part(output)
    on_error, off_error = at_inputs(part, [on.active, off.active])
    if on_error is not None and off_error is not None and off.value - off_error >= on.value + on_error:
        example = Counterexample(off.active, output, off.value, 0, on)
        return OutputResult(output, Verdict.REFUTED, "float32", counterexample=example), None
    high, low = (extreme(part, point.active, greatest=point is off) for point in (off, on))
    if high is not None and low is not None and high[0] >= low[0]:
        for point, (value, orders) in ((off, high), (on, low)):
            if replayed(part, point.active, orders) != [value]:
                raise FaultError(f"output {output}: an order of summation does not come out as it did before")
        example = Counterexample(off.active, output, high[0], 0, Point(on.active, low[0]))
        words = (
            f"In these orders y{output} = {exact_text(high[0])} off and {exact_text(low[0])} on: "
            f"off {listed(chain, output, high[1])}; on {listed(chain, output, low[1])}."
        )
        return OutputResult(output, Verdict.REFUTED, "float32", counterexample=example), words
    gap, error = on.value - off.value, (on_error or Fraction(0)) + (off_error or Fraction(0))
    reason = f"the margin {short(gap)} is within the rounding bound {short(error)}; no failing order found"
    return OutputResult(output, Verdict.UNKNOWN, reason=reason), None
