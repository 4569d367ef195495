"""A first spec for a network: what its file says is filled in, what only its author knows is marked, and fails.

Which function an output computes cannot be read from weights. So each gets a placeholder that is wrong on the input
with nothing on: until the last one is replaced, the spec is refuted and no gate passes by accident.
"""

from __future__ import annotations

import json
import os
from fractions import Fraction
from math import comb
from pathlib import Path

from supercheck.api.reproducer import parts
from supercheck.base.errors import InputError
from supercheck.base.files import check_written, written_aside
from supercheck.base.system import relative
from supercheck.network.formats.load import load
from supercheck.network.network import Network

AT = Fraction(1, 2)
"""The threshold that is suggested."""

_ACTIVATIONS = """\
activation = "relu"  # FILL IN: "relu" or "none" after each layer but the last; the network's file does not say it
final = "none"       # FILL IN: "none" or "relu" after the last layer
"""


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
    at_rest = network.run([0] * network.features)
    entries = "".join(f'    "{int(y <= AT)}",  # y{i}\n' for i, y in enumerate(at_rest))
    pairs = network.outputs == comb(network.features, 2)
    over = '"all-pairs"' if pairs else "[[0, 1], [0, 2]]"
    said = "" if name.lower().endswith(".onnx") else _ACTIVATIONS
    hint = f"there are {network.outputs:,} pairs of features" if pairs else "one tuple of features an output"
    return f"""\
# Begun by supercheck init, to be filled in by hand.
# What this network is to compute. Paths are relative to this file; numbers are exact: 0.1, or "1/3" in quotes.

[network]
file = {json.dumps(name, ensure_ascii=False)}
{said}# encoder = "C.npz"       a fixed linear code before the network; `features` below is then its width
# decoder = "D.npz"       a fixed linear code after it

[domain]
features = {network.features}
max_active = {min(3, network.features)}  # FILL IN: it has to be right on every input with at most so many features on

[outputs]  # {network.outputs:,} outputs
# gate = "and"            # and or xor nand nor xnor majority copy, in place of `formulas`
# over = {over}  # {hint}
# table = "truth.csv"     # or a truth table: header x0,x1,...,y0,y1,...
formulas = [  # FILL IN: such as "x0 & x1", "x2 ^ ~x3", "atleast(2, x0, x1, x5)"
    # Each of these is wrong where no feature is on, so that nothing passes by accident.
{entries}]

[readout]
mode = "threshold"  # or "epsilon", "equality", "separable"
at = "{AT}"  # FILL IN: on means y > at, off means y <= at

# [audit]                 # limits: numbers, or formulas in m, k, outputs with sqrt and log2
# max_neurons = {network.neurons}
# max_edges = {network.edges}

[expect]
verdict = "proved"  # a negative control says "refuted"
"""


def _relative(network: Path, spec: Path) -> str:
    """The network's path as the spec has to write it."""
    folder = Path(os.path.realpath(network.parent))
    return relative(folder / network.name, Path(os.path.realpath(spec.parent)))
