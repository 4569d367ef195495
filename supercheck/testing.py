"""For tests of constructions: one assertion that a network computes what it should, on every sparse input."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supercheck.spec.formula import Formula
    from supercheck.spec.readout import Readout


def assert_computes(
    network: object,
    outputs: Sequence[str | Formula],
    max_active: int = 3,
    *,
    at: Fraction | int | str = "1/2",
    readout: Readout | None = None,
    timeout: float | None = None,
    activation: str | None = None,
    final: str | None = None,
) -> None:
    """Fail unless a network is proved to compute these functions.

    Args:
        network: the path of a network file, a `Network`, or a `torch.nn.Sequential`.
        outputs: one function an output, as text such as "x0 & x1" or as a formula.
        max_active: at most so many features are on; all, where the network has fewer.
        at: the threshold: on means y > at.
        readout: how outputs are read, in place of a threshold.
        timeout: seconds for deciding; then it fails, too.
        activation: "relu" or "none", what follows each layer but the last of a file of bare tensors; left out, ReLU is
            assumed, and a warning says so.
        final: the same of the last layer; left out, none is assumed.

    Raises:
        AssertionError: with the smallest counterexample, or with the reason why nothing is known.
        InputError: if the network cannot be read, or does not have these features and outputs.
    """
    __tracebackhide__ = True
    from supercheck.api.verify import verify
    from supercheck.claims.evidence import Verdict
    from supercheck.claims.question import loaded
    from supercheck.decide.limits import Limits
    from supercheck.report.wording import single
    from supercheck.spec.domain import KSparse
    from supercheck.spec.readout import Readout
    from supercheck.spec.spec import Source, Spec
    from supercheck.spec.syntax import parse

    found, _ = loaded(network, Source(activation=activation, final=final))
    formulas = tuple(parse(one) if isinstance(one, str) else one for one in outputs)
    read = Readout("threshold", at=at) if readout is None else readout  # type: ignore[arg-type]
    spec = Spec(KSparse(found.features, min(max_active, found.features)), formulas, read)
    result = verify(found, spec, limits=Limits(timeout=timeout))
    (judgement,) = single(result).judgements
    if judgement.assumed is not None:
        warnings.warn(f"supercheck: assumed: {judgement.assumed}; activation= and final= say it", stacklevel=2)
    if result.verdict is not Verdict.PROVED:
        first, *rest = judgement.told
        rest += [f"assumed: {note}" for note in judgement.assumptions]
        sparse = f"with at most {spec.domain.max_active} of {found.features} features on"
        raise AssertionError("\n".join([f"{first}, on inputs {sparse}", *(f"    {line}" for line in rest)]))
