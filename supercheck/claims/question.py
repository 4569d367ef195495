"""From files to a question: load the network, read the spec, pose its claims. Decides nothing, imports no engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from supercheck.base.errors import InputError
from supercheck.base.reading import combined, noted
from supercheck.claims.claims import Claims, pose
from supercheck.claims.result import Provenance
from supercheck.network.formats.load import load
from supercheck.network.network import Network
from supercheck.spec.read import read_spec
from supercheck.spec.spec import Source, Spec

_NOTHING = Source()


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
    with noted() as of_spec:
        if not isinstance(spec, Spec):
            spec = read_spec(spec, max_active)
        elif max_active is not None:
            spec = spec.at_most(max_active)
    if network is None and spec.source.file is None:
        expected = "a network file here or on the command line"
        raise InputError(file=spec.file, place="network.file", expected=expected, got="none")
    with noted() as of_network:
        opened, file = loaded(spec.source.file if network is None else network, spec.source)
    with noted() as of_codes:
        claims = pose(opened, spec)
    source = Provenance(
        None if file is None else file.as_posix(),
        combined(of_network),
        None if spec.file is None else spec.file.as_posix(),
        spec.digest,
        _listed(of_network),
        _listed({**of_spec, **of_codes}),
    )
    return claims, spec, source


def _listed(digests: Mapping[Path, str]) -> tuple[tuple[str, str], ...]:
    return tuple((f"{file}", digest) for file, digest in digests.items())


def loaded(network: object, source: Source = _NOTHING) -> tuple[Network, Path | None]:
    """A network, and the file that it came from.

    Args:
        network: a `Network`, the path of a network file, or a `torch.nn.Sequential`.
        source: what a spec says of a file that does not say so itself: which tensors are the layers, what follows them.

    Raises:
        InputError: if it cannot be read.
    """
    if isinstance(network, str | Path):
        return load(network, source.layers, source.activation, source.final), Path(network)
    for key, value in (("activation", source.activation), ("final", source.final)):
        if value is not None:
            expected, do = f"no {key} beside a network in Python", "it says that itself; leave the key out"
            raise InputError(place=f"network.{key}", expected=expected, got=f'"{value}"', do=do)
    if isinstance(network, Network):
        return network, None
    from supercheck.network.formats.sequential import from_torch

    return from_torch(network), None
