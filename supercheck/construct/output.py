"""Writing a network and the spec that it claims to meet, so that reading them gives the same numbers back."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from fractions import Fraction
from itertools import combinations
from math import comb
from pathlib import Path
from typing import Any

import numpy as np

from supercheck.base.errors import InputError
from supercheck.base.files import written_aside
from supercheck.base.matrix import Array, Rows
from supercheck.base.numbers import exact_text
from supercheck.network.layers import Affine
from supercheck.spec.formula import GATES, Formula, gate, support
from supercheck.spec.spec import Spec
from supercheck.spec.syntax import LONGEST, text

Made = Mapping[str, int | str]
SUFFIXES = (".npz", ".safetensors", ".json")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # zip files have dates; the same network has to give the same bytes


def check_output(file: Path) -> None:
    """Refuse a name whose suffix says no format that networks are written in, or that no file can have.

    Raises:
        InputError: naming the suffixes that do, or the folder that is missing.
    """
    if file.suffix not in SUFFIXES:
        got = file.suffix or "no suffix"
        raise InputError(file=file, expected=f"a name that ends in {', '.join(SUFFIXES)}", got=got)
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


def network_bytes(layers: Sequence[Affine], file: Path, made: Made) -> bytes:
    """Layers as `0.weight`, `0.bias`, `2.weight`, ... in the format that the file's suffix says.

    NPZ holds rows with few nonzeros as sparse rows. `made`, text that says where the network comes from, goes into the
    header of a safetensors file, the comment of an NPZ file and the key `supercheck` of a JSON file: it is the mark by
    which supercheck knows what it wrote itself.

    Raises:
        InputError: for numbers that the format cannot hold.
    """
    tensors: dict[str, Array | Rows] = {}
    for number, layer in enumerate(layers):
        tensors[f"{2 * number}.weight"] = layer.weight
        tensors[f"{2 * number}.bias"] = layer.bias
    return _bytes(tensors, file, made)


def code_bytes(code: Affine, file: Path, made: Made) -> bytes:
    """A fixed encoder or decoder as `weight` and, unless it is zero, `bias`.

    Raises:
        InputError: as `network_bytes`.
    """
    tensors: dict[str, Array | Rows] = {"weight": code.weight}
    if code.bias.any():
        tensors["bias"] = code.bias
    return _bytes(tensors, file, made)


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


def _bytes(tensors: Mapping[str, Array | Rows], file: Path, made: Made) -> bytes:
    write = {".npz": _npz, ".safetensors": _safetensors, ".json": _json}[file.suffix]
    return write(tensors, file, {key: str(value) for key, value in made.items()})


def _npz(tensors: Mapping[str, Array | Rows], file: Path, made: Mapping[str, str]) -> bytes:
    arrays: dict[str, Array] = {}
    for name, tensor in tensors.items():
        if not isinstance(tensor, Rows):
            arrays[name] = _narrow(tensor, file)
        elif 3 * len(tensor.data) >= tensor.height * tensor.width:
            arrays[name] = _narrow(tensor.dense(), file)
        else:
            arrays[f"{name}.data"], arrays[f"{name}.indices"] = _narrow(tensor.data, file), tensor.indices
            arrays[f"{name}.indptr"] = tensor.indptr
            arrays[f"{name}.shape"] = np.array([tensor.height, tensor.width])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:  # not compressed: what zlib makes of it depends on its version
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), member.getvalue())
        archive.comment = json.dumps({"supercheck": dict(made)}).encode()
    return out.getvalue()


def _safetensors(tensors: Mapping[str, Array | Rows], file: Path, made: Mapping[str, str]) -> bytes:
    from safetensors.numpy import save

    dense = {name: _floats(part.dense() if isinstance(part, Rows) else part, file) for name, part in tensors.items()}
    wide = any(array.dtype == np.float64 for array in dense.values())  # one type, as PyTorch wants it
    same = {name: array.astype(np.float64 if wide else np.float32) for name, array in dense.items()}
    told = {"supercheck": json.dumps(dict(made))}  # of several keys the order would be chance
    content: bytes = save(same, told)
    return content


def _json(tensors: Mapping[str, Array | Rows], file: Path, made: Mapping[str, str]) -> bytes:
    del file  # it holds every number
    rows = {name: (part.dense() if isinstance(part, Rows) else part).tolist() for name, part in tensors.items()}
    lines = [f'  "supercheck": {json.dumps(dict(made))}']
    lines += [f"  {json.dumps(name)}: {_json_rows(value)}" for name, value in rows.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _json_rows(value: list[Any]) -> str:
    if value and isinstance(value[0], list):
        return "[" + ",\n    ".join(_json_rows(row) for row in value) + "]"
    cells = (Fraction(cell) for cell in value)
    return "[" + ", ".join(f"{cell}" if cell.denominator == 1 else f'"{exact_text(cell)}"' for cell in cells) + "]"


def _narrow(values: Array, file: Path) -> Array:
    """The same values in the narrowest type that holds them all."""
    if values.dtype.kind != "f" and all(Fraction(value).denominator == 1 for value in values.flat):
        for kind in (np.int8, np.int16, np.int32, np.int64):
            if all(np.iinfo(kind).min <= value <= np.iinfo(kind).max for value in values.flat):
                return values.astype(kind)
    return _floats(values, file)


def _floats(values: Array, file: Path) -> Array:
    """The same values as float32, else as float64.

    Raises:
        InputError: if not even these hold them.
    """
    for kind in (np.float32, np.float64):
        with np.errstate(over="ignore"):
            rounded = values.astype(kind)
        if np.isfinite(rounded).all() and all(
            Fraction(a) == Fraction(b) for a, b in zip(rounded.ravel().tolist(), values.ravel().tolist(), strict=True)
        ):
            return rounded
    do = "write it to a .json file, which holds every number"
    raise InputError(file=file, expected="numbers that a float64 holds", got="others", do=do)
