"""A second opinion: Z3 decides again what other engines decided, without any bound of ours; a disagreement is saved."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import NoReturn

import numpy as np

from supercheck.base.errors import FaultError, InputError
from supercheck.base.files import written_aside
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Refuted, Verdict
from supercheck.claims.replay import replay
from supercheck.claims.result import OutputResult
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.smt import NAME, decide
from supercheck.network.formats.json import written
from supercheck.spec.spec import Source, Spec
from supercheck.spec.write import spec_text

PATIENCE = 60.0  # seconds for Z3 where no timeout was given: a second opinion must not take for ever


def cross_check(claims: Claims, results: Mapping[int, OutputResult], limits: Limits, clock: Clock) -> str:
    """Have Z3 decide some of the outputs that other engines decided.

    Args:
        claims: the question.
        results: what was decided.
        limits: how many to check, evenly spread; and where to save a disagreement.
        clock: the deadline.

    Returns:
        A sentence that says how many verdicts were confirmed.

    Raises:
        FaultError: if Z3 says otherwise; then a reproducer has been saved.
    """
    decided = [i for i, r in results.items() if r.verdict is not Verdict.UNKNOWN and r.engine not in (None, NAME)]
    size = min(limits.cross_check, len(decided))
    sample = [decided[k * (len(decided) - 1) // max(1, size - 1)] for k in range(size)]
    confirmed = 0
    own = Clock.start(min(clock.left, PATIENCE if limits.timeout is None else clock.left) or 1e-3)
    for decisions in decide(claims, sample, limits, own, aided=False):
        for decision in decisions:
            if isinstance(decision, Refuted):
                replay(claims, [decision])
            known = results[decision.output]
            if decision.verdict not in (known.verdict, Verdict.UNKNOWN):
                disagree(claims, known, NAME, decision.verdict, limits)
            confirmed += decision.verdict is not Verdict.UNKNOWN
    return f"Cross-check: Z3, without any bound of ours, confirmed {confirmed} of {size} verdicts of other engines."


def disagree(claims: Claims, known: OutputResult, engine: str, verdict: Verdict, limits: Limits) -> NoReturn:
    """Save what reproduces a disagreement, and end.

    Raises:
        FaultError: always; naming both engines and the file.
    """
    said = f"{known.engine} says {known.verdict.value}, {engine} says {verdict.value} of output {known.index}"
    try:
        saved = f"saved as {reproduce(claims, known.index, limits.reproducer, said)}"
    except (InputError, OSError, ValueError, KeyboardInterrupt) as error:  # nor may the deadline hide it
        saved = f"not saved: {error or 'it was interrupted'}"
    raise FaultError(f"engines disagree: {said}; {saved}")


def reproduce(claims: Claims, output: int, path: Path, comment: str) -> Path:
    """Write the question about one output as a spec with a JSON network beside it.

    Returns:
        The spec's path.
    """
    network = claims.network.slice([output], np.arange(claims.network.features))
    spec, beside = path.with_suffix(".toml"), path.with_suffix(".json")
    for number in count(2):  # nothing is overwritten
        if not (os.path.lexists(spec) or os.path.lexists(beside)):
            break
        spec, beside = (path.with_name(f"{path.stem}-{number}{suffix}") for suffix in (".toml", ".json"))
    source = Source(Path(beside.name), activation="relu", final="none")
    asked = Spec(claims.cube, (claims.formulas[output],), claims.readout, source)
    text = spec_text(asked, [f"Written by supercheck: {comment}"])
    with written_aside(beside, "network") as network_file, written_aside(spec, "spec") as spec_file:
        network_file.write(written(network).encode())
        spec_file.write(text.encode())
    return spec
