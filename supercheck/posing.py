"""From files to a question: load the network, read the spec, pose its claims. Decides nothing, imports no engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from supercheck.claims import Claims, pose
from supercheck.errors import InputError
from supercheck.evidence import Provenance
from supercheck.formats import file_digest, load
from supercheck.formats.tensors import LayerNames
from supercheck.network import Network
from supercheck.spec import Spec, read_spec


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
    if network is None and spec.source.file is None:
        expected = "a network file here or on the command line"
        raise InputError(file=spec.file, place="network.file", expected=expected, got="none")
    opened, file = loaded(spec.source.file if network is None else network, spec.source.layers)
    claims = pose(opened, spec)
    source = Provenance(
        None if file is None else file.as_posix(),
        None if file is None else file_digest(file),
        None if spec.file is None else spec.file.as_posix(),
        spec.digest,
    )
    return claims, spec, source


def loaded(network: object, layers: Sequence[LayerNames] = ()) -> tuple[Network, Path | None]:
    """A network, and the file that it came from.

    Args:
        network: a `Network`, the path of a network file, or a `torch.nn.Sequential`.
        layers: which tensors of a file are the layers, where it does not say so itself.

    Raises:
        InputError: if it cannot be read.
    """
    if isinstance(network, Network):
        return network, None
    if isinstance(network, str | Path):
        return load(network, layers), Path(network)
    from supercheck.formats.sequential import from_torch

    return from_torch(network), None
