"""The main job from end to end: load, read, pose, decide. The Python face of `supercheck verify`."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from supercheck.base.display import Faces
from supercheck.base.errors import InputError
from supercheck.base.files import check_written
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Verdict
from supercheck.claims.question import question
from supercheck.claims.result import Result
from supercheck.decide.limits import Limits, Progress, quiet
from supercheck.decide.portfolio import decide
from supercheck.decide.workers.executors import DEFAULT, Place
from supercheck.report.verify import json, text
from supercheck.spec.spec import Spec

if TYPE_CHECKING:
    from supercheck.decide.workers.pool import WorkerPool

Result.faces = Faces(text.text, json.as_object)


def verify(
    network: object,
    spec: Spec | str | Path,
    *,
    max_active: int | None = None,
    limits: Limits = Limits(),
    certificate: str | Path | None = None,
    require_certificate: bool = False,
    executor: str = DEFAULT,
    kept: str | Path | None = None,
    force: bool = False,
    progress: Progress = quiet,
) -> Result:
    """Prove or refute that a network computes what a spec says, on every input of the spec's domain.

    Args:
        network: a `Network`, the path of a network file, a `torch.nn.Sequential`, or None for the file that
            the spec names.
        spec: a `Spec`, or the path of a spec file.
        max_active: a sparsity that wins over the spec's own.
        limits: engine, time, workers, margins.
        certificate: where to write a file with which `check` confirms the verdict.
        require_certificate: whether a verdict is unknown that cannot be confirmed without a solver's word.
        executor: where outputs are decided: "processes" (this machine), "processes:N", "in-process", "dask-local:N" or
            "dask://HOST:PORT".
        kept: a file in which finished batches of outputs are kept for a later run; not used by "processes".
        force: whether a file of the certificate's name that supercheck did not write may be replaced.
        progress: called with how many are done, of how many, and of what ("outputs" or "inputs").

    Returns:
        The verdict with one result an output; refutations are replayed in exact arithmetic.

    Raises:
        InputError: if network or spec cannot be read, or do not fit each other.
        OverdueError: if the time is up before they are read.
        FaultError: if supercheck contradicts itself; there is no verdict then.
    """
    begun = time.perf_counter()
    if require_certificate and certificate is None:
        expected, do = "a file for the certificate", "write `--certificate FILE`"
        raise InputError(place="--require-certificate", expected=expected, got="none", do=do)
    place = Place.named(executor)
    if certificate is not None:
        from supercheck.api.reproducer import parts
        from supercheck.certificate.writer import certified, names

        check_written(names(Path(certificate)), parts(network, spec), force=force)
    limits = limits.begin()
    with limits.clock().reading():
        claims, spec, source = question(network, spec, max_active)
    ready = time.perf_counter()
    clock = limits.clock()
    with _gathered(place, claims, limits, kept) as team:
        limits = replace(limits, team=team)
        result = _decided(spec, claims, limits, progress)
        result = replace(result, source=source)
        if certificate is not None:
            result = certified(
                result, Path(certificate), limits, require=require_certificate, progress=progress, force=force
            )
    with suppress(KeyboardInterrupt, MemoryError), clock.alarm():  # the verdict stands
        if result.verdict is Verdict.REFUTED and result.arithmetic == "real" and not clock.over:
            from supercheck.decide.other_readouts import another

            result = replace(result, another=another(claims, result.outputs, limits, clock))
    seconds = {"load": ready - begun, **result.seconds, "total": time.perf_counter() - begun}
    return replace(result, seconds=seconds)


def _gathered(
    place: Place, claims: Claims, limits: Limits, kept: str | Path | None
) -> AbstractContextManager[WorkerPool | None]:
    """A team, where one was asked for."""
    if place.default:
        return nullcontext()
    from supercheck.decide.workers.pool import gathered

    return gathered(place, claims, limits, None if kept is None else Path(kept))


def _decided(spec: Spec, claims: Claims, limits: Limits, progress: Progress) -> Result:
    """The verdict in the arithmetic that the spec asks about."""
    if spec.arithmetic == "real":
        return decide(claims, limits, progress)
    from supercheck.decide.float32.portfolio import decide_in

    return decide_in(spec.arithmetic, claims, limits, progress)
