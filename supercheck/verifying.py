"""The main job from end to end: load, read, pose, decide. The Python face of `supercheck verify`."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from supercheck.certificate import certified
from supercheck.claims import Claims, pose
from supercheck.decide import Limits, decide
from supercheck.decide.limits import Progress, quiet
from supercheck.errors import InputError
from supercheck.evidence import Provenance, Result
from supercheck.float32 import decide_float32
from supercheck.formats import file_digest, load
from supercheck.network import Network
from supercheck.report.text import html, text
from supercheck.spec import Spec, read_spec


def verify(
    network: object,
    spec: Spec | str | Path,
    *,
    max_active: int | None = None,
    limits: Limits = Limits(),
    certificate: str | Path | None = None,
    require_certificate: bool = False,
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
        progress: called with how many are done, of how many, and of what ("outputs" or "inputs").

    Returns:
        The verdict with one result an output; refutations are replayed in exact arithmetic.

    Raises:
        InputError: if network or spec cannot be read, or do not fit each other.
        FaultError: if supercheck contradicts itself; there is no verdict then.
    """
    begun = time.perf_counter()
    if require_certificate and certificate is None:
        expected, do = "a file for the certificate", "write `--certificate FILE`"
        raise InputError(place="--require-certificate", expected=expected, got="none", do=do)
    claims, spec, source = question(network, spec, max_active)
    ready = time.perf_counter()
    if spec.arithmetic == "float32":
        result = decide_float32(claims, limits, progress)
    else:
        result = decide(claims, limits, progress)
    result = replace(result, source=source, render=text, render_html=html)
    if certificate is not None:
        result = certified(result, Path(certificate), limits, require=require_certificate, progress=progress)
    seconds = {"load": ready - begun, **result.seconds, "total": time.perf_counter() - begun}
    return replace(result, seconds=seconds)


def question(network: object, spec: Spec | str | Path, max_active: int | None) -> tuple[Claims, Spec, Provenance]:
    """Load, read and pose.

    Args:
        network: as `verify` takes it.
        spec: a `Spec`, or the path of a spec file.
        max_active: a sparsity that wins over the spec's own.

    Returns:
        The question, the spec as it was read, and where both came from.

    Raises:
        InputError: if network or spec cannot be read, or do not fit each other.
    """
    if not isinstance(spec, Spec):
        spec = read_spec(spec, max_active)
    elif max_active is not None:
        spec = spec.at_most(max_active)
    loaded, file = _open(network, spec)
    claims = pose(loaded, spec)
    source = Provenance(
        None if file is None else str(file),
        None if file is None else file_digest(file),
        None if spec.file is None else str(spec.file),
        spec.digest,
    )
    return claims, spec, source


def _open(network: object, spec: Spec) -> tuple[Network, Path | None]:
    """The network, and the file that it came from."""
    if isinstance(network, Network):
        return network, None
    if network is None and spec.source.file is None:
        raise InputError(
            file=spec.file, place="network.file", expected="a network file here or on the command line", got="none"
        )
    if network is None or isinstance(network, str | Path):
        file = Path(network) if network is not None else spec.source.file
        assert file is not None
        return load(file, spec.source.layers), file
    from supercheck.formats.sequential import from_torch

    return from_torch(network), None
