"""One input, judged: right in every order of summation, wrong in every order, or wrong in an order that is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from supercheck.base.binary32 import SMALLEST_NORMAL, nearest, readings
from supercheck.base.errors import FaultError
from supercheck.base.numbers import exact_text, short
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Counterexample
from supercheck.claims.replay import evaluate
from supercheck.decide.float32.error_bounds import at_inputs
from supercheck.decide.float32.layers import StoredLayers, UncoveredError
from supercheck.decide.float32.summation_orders import BIAS, Orders, extreme, replayed
from supercheck.decide.float32.summation_trees import reachable
from supercheck.network.input import Input
from supercheck.spec.readout import Readout


class Fate(Enum):
    """What becomes of an output on one input."""

    RIGHT = "right in every order"
    WRONG = "wrong in every order"
    CLOSE = "closer to its threshold than rounding may move it"


@dataclass(frozen=True)
class Judged:
    """An output on one input.

    Attributes:
        input: of zeros and ones.
        value: its real value.
        on: what its function says.
        error: by how much float32 may be off there; None where a sum may be past its range.
        fate: what follows.
    """

    input: Input
    value: Fraction
    on: int
    error: Fraction | None
    fate: Fate

    @property
    def active(self) -> tuple[int, ...]:
        """The features that are on."""
        return self.input.active

    def distance(self, readout: Readout) -> Fraction:
        """How far the real value is from the border between right and wrong."""
        end = readout.goal(self.on).nearest_end(self.value)
        return Fraction(0) if end is None else abs(self.value - end)


def judge(claims: Claims, part: StoredLayers, output: int, inputs: Sequence[Input]) -> list[Judged]:
    """Judge an output on some inputs, each by the rounding error that is possible there.

    Args:
        claims: the question, in real arithmetic.
        part: what the output depends on.
        output: which output.
        inputs: of zeros and ones.
    """
    points = evaluate(claims, [(output, x) for x in inputs])
    found = []
    for (point, on), error in zip(points, at_inputs(part, [p.active for p, _ in points]), strict=True):
        fate = Fate.CLOSE
        if error is not None and not claims.readout.wrong(point.value, on, error):
            fate = Fate.RIGHT
        elif error is not None and claims.readout.hopeless(point.value, on, error):
            fate = Fate.WRONG
        found.append(Judged(point.input, point.value, on, error, fate))
    return found


def ensure_covered(readout: Readout) -> None:
    """Refuse a threshold that a processor may take for zero.

    Raises:
        UncoveredError: if it is subnormal in float32.

    Source: README.md, "Subnormal numbers".
    """
    for at in readout.rules.thresholds(readout):
        if any(0 < abs(reading) < Fraction(2) ** SMALLEST_NORMAL for reading in map(nearest, readings(at))):
            raise UncoveredError(f"the threshold {short(at)} is a subnormal float32, which may be taken for zero")


def shown(claims: Claims, chain: StoredLayers, judged: Judged, output: int) -> tuple[Counterexample, str] | None:
    """Look for an order of summation in which an output is wrong on an input.

    Returns:
        The counterexample, replayed; its value is what is computed. And a sentence that shows the order.
    """
    part = chain.part(output)
    pushed = extreme(part, judged.active, greatest=not judged.on)
    if pushed is None:
        return None
    value, orders = pushed
    why = claims.readout.computed_wrong(value, judged.on)
    if why is None:
        return None
    if replayed(part, judged.active, orders) != [value]:
        raise FaultError(f"output {output}: an order of summation does not come out as it did before")
    found = Counterexample(judged.input, output, value, judged.on)
    return found, f"In this order y{output} = {exact_text(value)} and {why}: {listed(chain, output, orders)}."


def right_in_every_tree(readout: Readout, part: StoredLayers, judged: Judged) -> bool:
    """Whether an output is right on an input that is close, because all that can be computed of it is right."""
    ends = reachable(part, judged.active)
    return ends is not None and not any(readout.computed_wrong(value, judged.on) for value in ends)


def always(judged: Judged, output: int) -> Counterexample:
    """The counterexample of an input that is wrong in every order; its value is the real one."""
    if judged.fate is not Fate.WRONG:
        raise FaultError(f"output {output} is not wrong in every order on {list(judged.active)}")
    return Counterexample(judged.input, output, judged.value, judged.on)


def listed(chain: StoredLayers, output: int, orders: Orders) -> str:
    """Orders of summation in words, each neuron by its layer's name and its row."""
    if not orders:
        return "no sum has more than two terms"
    numbers = chain.numbers(output)
    names = [chain.part(output).features.tolist(), *(part.tolist() for part in numbers)]
    words = []
    for (depth, row), order in orders.items():
        letter = "x" if depth == 0 else "h"
        added = ("bias" if j == BIAS else f"{letter}{names[depth][j]}" for j in order)
        words.append(f"{chain.layers[depth].name}[{names[depth + 1][row]}] = {' + '.join(added)}")
    return "; ".join(words)
