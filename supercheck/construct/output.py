"""Writing a network and the spec that it claims to meet, so that reading them gives the same numbers back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from itertools import combinations
from math import comb
from pathlib import Path

from supercheck.base.errors import InputError
from supercheck.base.files import written_aside
from supercheck.base.numbers import exact_text
from supercheck.network.formats.save import check_written as check_suffix
from supercheck.network.layers import Affine
from supercheck.spec.formula import GATES, Formula, gate, support
from supercheck.spec.spec import Spec
from supercheck.spec.syntax import LONGEST, text


def check_output(file: Path) -> None:
    """Refuse a name whose suffix says no format that networks are written in, or that no file can have.

    Raises:
        InputError: naming the suffixes that do, or the folder that is missing.
    """
    check_suffix(file)
    try:
        folder, taken = file.parent.is_dir(), file.is_dir()
    except OSError as error:  # such as a name that is too long
        raise InputError(file=file, expected="a name that a file can have", got=error.strerror) from error
    if not folder:
        raise InputError(file=file.parent, expected="a folder for what is written", got="no such folder")
    if taken:
        raise InputError(file=file, expected="a name for a file", got="a folder")


def kind_of(file: Path) -> str:
    """Which mark a file bears that is written here, by its suffix."""
    return "spec" if file.suffix == ".toml" else "network"


def write_together(contents: Mapping[Path, bytes], *, force: bool = False) -> None:
    """Write files that belong together: none takes its name before all are written.

    Args:
        contents: networks and specs, by where they go.
        force: whether files that supercheck did not write may be replaced.

    Raises:
        InputError: if one cannot be written.
    """
    with ExitStack() as kept:
        for file, content in contents.items():
            kept.enter_context(written_aside(file, kind_of(file), force=force)).write(content)


def spec_bytes(spec: Spec, layers: Sequence[Affine], names: Mapping[str, str], notes: Iterable[str] = ()) -> bytes:
    """A spec in TOML.

    Args:
        spec: what is claimed.
        layers: the network's own, as they were written.
        names: paths that the spec shall state, by key: `file`, maybe `encoder`, `decoder` and, in [outputs], `table`.
        notes: sentences for comments at the top.
    """
    network = [f"{key} = {_quoted(names[key])}" for key in ("file", "encoder", "decoder") if key in names]
    *between, last = [layer.relu for layer in layers]
    network += ['activation = "relu"' if all(between) else 'activation = "none"']
    network += ['final = "relu"' if last else 'final = "none"']
    if len(set(between)) > 1:  # some layers are followed by a ReLU, others are not
        listed = (
            f'    {{weight = "{2 * n}.weight", bias = "{2 * n}.bias", relu = {str(layer.relu).lower()}}},\n'
            for n, layer in enumerate(layers)
        )
        network.append(f"layers = [\n{''.join(listed)}]")
    outputs = f"table = {_quoted(names['table'])}" if "table" in names else _outputs(spec)
    readout = spec.readout
    numbers = [
        f'{key} = "{exact_text(value)}"'
        for key, value in (("at", readout.at), ("margin", readout.margin or None), ("within", readout.within))
        if value is not None
    ]
    parts = [f"# {note}" for note in notes]
    parts += ["", "[network]", *network]
    parts += ["", "[domain]", f"features = {spec.domain.features}", f"max_active = {spec.domain.max_active}"]
    parts += ["", "[outputs]", outputs, "", "[readout]", f'mode = "{readout.mode}"', *numbers]
    if spec.arithmetic != "real":
        parts += ["", "[arithmetic]", f'of = "{spec.arithmetic}"']
    if spec.audit:
        parts += ["", "[audit]", *(f"{key} = {_quoted(str(limit))}" for key, limit in spec.audit.items())]
    if spec.expect != "proved":
        parts += ["", "[expect]", f'verdict = "{spec.expect}"']
    return ("\n".join(parts).lstrip("\n") + "\n").encode()


def _outputs(spec: Spec) -> str:
    """The functions as one gate over tuples where they are that, else as formulas."""
    tuples = [support(formula) for formula in spec.formulas]
    name = next((name for name in GATES if _is(name, spec.formulas, tuples)), None)
    if name is None:
        written = [text(formula) for formula in spec.formulas]
        if (longest := max(map(len, written))) > LONGEST:
            expected = f"formulas of at most {LONGEST:,} characters"
            raise InputError(place="outputs", expected=expected, got=f"{longest:,}", do="write a truth table")
        return f"formulas = [\n{''.join(f'    {_quoted(one)},{chr(10)}' for one in written)}]"
    features = spec.domain.features
    all_there = name != "copy" and len(tuples) == comb(features, 2)
    if all_there and tuples == list(combinations(range(features), 2)):
        return f'gate = "{name}"\nover = "all-pairs"'
    listed = "".join(f"    [{', '.join(map(str, features))}],\n" for features in tuples)
    return f'gate = "{name}"\nover = [\n{listed}]'


def _is(name: str, formulas: Sequence[Formula], tuples: Sequence[tuple[int, ...]]) -> bool:
    """Whether every function is the gate of that name over its features."""
    fits = all(len(features) == 1 if name == "copy" else features for features in tuples)
    return fits and all(gate(name, part) == formula for part, formula in zip(tuples, formulas, strict=True))


def _quoted(words: str) -> str:
    return json.dumps(words, ensure_ascii=False).replace("\x7f", "\\u007f")  # the one that TOML wants escaped, too
