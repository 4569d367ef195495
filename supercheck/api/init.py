"""A first spec for a network: what its file says is filled in, what only its author knows is marked, and fails.

Which function an output computes cannot be read from weights. So each gets a placeholder that is wrong on the input
with nothing on: until the last one is replaced, the spec is refuted and no gate passes by accident.
"""

from __future__ import annotations

import os
from fractions import Fraction
from math import comb
from pathlib import Path

from supercheck.api.reproducer import parts
from supercheck.base.errors import InputError
from supercheck.base.files import check_written, written_aside
from supercheck.base.system import relative
from supercheck.network.formats.load import load
from supercheck.network.formats.tensors import brief
from supercheck.network.network import Network
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import FALSE, TRUE
from supercheck.spec.readout import Readout
from supercheck.spec.spec import Source, Spec
from supercheck.spec.write import joined, tables

AT = Fraction(1, 2)
"""The threshold that is suggested."""

_HEAD = (
    "Begun by supercheck init, to be filled in by hand.",
    'What this network is to compute. Paths are relative to this file; numbers are exact: 0.1, or "1/3" in quotes.',
)

_CODES = (
    '# encoder = "C.npz"       a fixed linear code before the network; `features` below is then its width',
    '# decoder = "D.npz"       a fixed linear code after it',
)

_NOT_SAID = '"relu" or "none" after each layer but the last; the network\'s file does not say it'

_REMARKS = (
    ("network", "activation", f"  # FILL IN: {_NOT_SAID}"),
    ("network", "final", '       # FILL IN: "none" or "relu" after the last layer'),
    ("domain", "max_active", "  # FILL IN: it has to be right on every input with at most so many features on"),
    ("outputs", "formulas", '  # FILL IN: such as "x0 & x1", "x2 ^ ~x3", "atleast(2, x0, x1, x5)"'),
    ("readout", "mode", '  # or "epsilon", "equality", "separable"'),
    ("readout", "at", "  # FILL IN: on means y > at, off means y <= at"),
)
"""What a reader is told behind a key, by its table."""


def start(network: str | Path, spec: str | Path | None = None, *, force: bool = False) -> tuple[Path, tuple[str, ...]]:
    """Write a commented spec for a network.

    Args:
        network: the network file.
        spec: the file to write, which must not exist; None: the network's with its suffix replaced by `.toml`.
        force: whether it may exist. Without it not even a spec that was begun here is replaced: by now it may be filled
            in.

    Returns:
        The file that was written, and what was assumed while reading the network, one sentence each.

    Raises:
        InputError: if the network cannot be read, or the spec is there already or cannot be written.
    """
    network = Path(network)
    if not network.is_file():
        load(network)  # says what it is
    spec = network.with_suffix(".toml") if spec is None else Path(spec)
    if os.path.lexists(spec) and not force:
        do = "another name, `-o FILE.toml`, or `--force` to replace it"
        raise InputError(file=spec, expected="a name that is free", got="a file", do=do)
    check_written({"-o": ("spec", spec)}, parts(network, None), force=force)
    loaded = load(network)
    try:
        text = outline(loaded, _relative(network, spec)).encode()
    except UnicodeEncodeError as error:
        raise InputError(file=network, expected="a name in Unicode", got=f"{network.name!r}") from error
    with written_aside(spec, "spec", force=force) as stream:
        stream.write(text)
    return spec, loaded.notes


def outline(network: Network, name: str) -> str:
    """The text of a spec for a network called `name`."""
    features, outputs = network.features, network.outputs
    wrong = tuple(FALSE if y > AT else TRUE for y in network.run([0] * features))
    said = ("relu", "none") if brief(network.notes) else (None, None)  # else the file says it itself
    source = Source(Path(name), activation=said[0], final=said[1])
    asked = tables(Spec(KSparse(features, min(3, features)), wrong, Readout("threshold", AT), source))
    for table, key, remark in _REMARKS:
        asked[table] = [f"{line}{remark}" if line.startswith(f"{key} ") else line for line in asked[table]]
    asked["network"] += _CODES
    pairs = outputs == comb(features, 2)
    over = '"all-pairs"' if pairs else "[[0, 1], [0, 2]]"
    hint = f"there are {outputs:,} pairs of features" if pairs else "one tuple of features an output"
    head, opened, *entries, closed = asked["outputs"]
    asked["outputs"] = [
        f"{head}  # {outputs:,} outputs",
        '# gate = "and"            # and or xor nand nor xnor majority copy, in place of `formulas`',
        f"# over = {over}  # {hint}",
        '# table = "truth.csv"     # or a truth table: header x0,x1,...,y0,y1,...',
        opened,
        "    # Each of these is wrong where no feature is on, so that nothing passes by accident.",
        *(f"{entry}  # y{i}" for i, entry in enumerate(entries)),
        closed,
    ]
    asked["audit"] = [
        "# [audit]                 # limits: numbers, or formulas in m, k, outputs with sqrt and log2",
        f"# max_neurons = {network.neurons}",
        f"# max_edges = {network.edges}",
    ]
    asked["expect"] = ["[expect]", 'verdict = "proved"  # a negative control says "refuted"']
    return joined(asked, _HEAD)


def _relative(network: Path, spec: Path) -> str:
    """The network's path as the spec has to write it."""
    folder = Path(os.path.realpath(network.parent))
    return relative(folder / network.name, Path(os.path.realpath(spec.parent)))
