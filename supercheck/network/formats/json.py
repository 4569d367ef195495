"""JSON: dense tensors by name, numbers exactly as written, rationals in strings."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from supercheck.base.errors import InputError, unquoted
from supercheck.base.matrix import Array, Rows, exact_array
from supercheck.base.numbers import Unreadable, decimal, exact_text, rational
from supercheck.base.reading import content_of
from supercheck.network.formats.tensors import Tensors, Used
from supercheck.network.network import Network

HOLDS_ALL = True

_LARGEST = 1 << 25  # bytes
_MOST_DIGITS = 4_300  # of an integer; Python reads no more
_MOST_VALUES = 1 << 20  # each may take some two hundred bytes
_LONGEST = 40  # characters of a number that is quoted
_NUMERAL = re.compile("[-+0-9./eE ]+")
_TENSOR = re.compile(r"[0-9]+\.(weight|bias)")


def read(path: Path, used: Used) -> Tensors:
    """The tensors by name; None for those that are not used."""
    if path.stat().st_size > _LARGEST:
        raise InputError(file=path, expected=f"at most {_LARGEST:,} bytes of JSON", got=f"{path.stat().st_size:,}")

    content = content_of(path, _LARGEST)
    values = sum(map(content.count, (b",", b"[", b"{")))
    if values > _MOST_VALUES:
        do = "save a large network as safetensors or NPZ"
        raise InputError(file=path, expected=f"at most {_MOST_VALUES:,} values", got=f"up to {values:,}", do=do)

    def number(literal: str) -> Decimal | Unreadable:
        try:
            return decimal(literal)
        except ValueError:
            return Unreadable(literal)

    def whole(literal: str) -> int | Unreadable:
        return int(literal) if len(literal) <= _MOST_DIGITS else Unreadable(literal)

    try:
        tree = json.loads(
            content, object_pairs_hook=once, parse_constant=Unreadable, parse_float=number, parse_int=whole
        )
    except json.JSONDecodeError as error:
        raise InputError(file=path, line=error.lineno, expected="JSON", got=error.msg) from error
    except (ValueError, RecursionError) as error:
        raise InputError(file=path, expected="JSON", got=unquoted(error)) from error
    if not isinstance(tree, dict):
        raise InputError(file=path, expected='an object {"0.weight": [[...], ...], ...}', got=type(tree).__name__)
    if isinstance(tree.get("supercheck"), dict):  # the mark of what supercheck wrote itself
        del tree["supercheck"]
    if tree and not any(
        _TENSOR.fullmatch(name) or _is_tensor(value) for name, value in tree.items()
    ):  # its keys are not to be quoted
        raise InputError(file=path, expected="an object of tensors, lists of numbers", got="an object without any")
    wanted = used(tree)
    return {name: _array(path, name, value) if name in wanted else None for name, value in tree.items()}


def _is_tensor(value: object) -> bool:
    """Whether a value may be meant as a tensor, by where it begins."""
    listed = isinstance(value, list)
    while isinstance(value, list) and value:
        value = value[0]
    numeral = isinstance(value, str) and _NUMERAL.fullmatch(value) is not None
    return listed and (numeral or isinstance(value, int | Decimal | Unreadable | list))


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, whose keys must differ."""
    counts = Counter(name for name, _ in pairs)
    if len(counts) < len(pairs):
        name = counts.most_common(1)[0][0]
        place = name if _TENSOR.fullmatch(name) else None  # others may be another file's
        raise InputError(place=place, expected="each key once", got="a key twice")
    return dict(pairs)


def _numeral(value: object) -> bool:
    """Whether a text is a number that may be quoted; others may be another file's."""
    return isinstance(value, str) and len(value) <= _LONGEST and _NUMERAL.fullmatch(value) is not None


def _kind(value: object) -> object:
    """What a value is, in words; itself, where it may be meant as a number."""
    named = {list: "lists of other lengths", dict: "an object", str: "a text", type(None): "null"}
    return named.get(type(value), value) if value else value


def _array(path: Path, name: str, value: object) -> Array:
    rows: list[Any] = value if isinstance(value, list) else []
    matrix = bool(rows) and all(isinstance(row, list) for row in rows)
    if not rows or (matrix and {len(row) for row in rows} != {len(rows[0])}):
        raise InputError(
            file=path, place=name, expected="a list of numbers or of rows of equal length", got=_kind(value)
        )
    array = exact_array(_number(path, name, cell) for cell in ([c for row in rows for c in row] if matrix else rows))
    return array.reshape(len(rows), -1) if matrix else array


def _number(path: Path, name: str, cell: object) -> int | Fraction:
    expected = 'a number or a rational such as "1/3"'
    if isinstance(cell, bool | Unreadable) or not isinstance(cell, int | Decimal | str):
        raise InputError(file=path, place=name, expected=expected, got=_kind(cell))
    try:
        value = rational(cell)
    except ValueError as error:
        got = cell if _numeral(cell) else "another text"
        raise InputError(file=path, place=name, expected=expected, got=got) from error
    return value.numerator if value.denominator == 1 else value


def write(tensors: Mapping[str, Array | Rows], file: Path, made: Mapping[str, str]) -> bytes:
    """A file of tensors, a line a row; the key `supercheck` says what they were made from."""
    del file  # it holds every number
    rows = {name: (part.dense() if isinstance(part, Rows) else part).tolist() for name, part in tensors.items()}
    lines = [f'  "supercheck": {json.dumps(dict(made))}']
    lines += [f"  {json.dumps(name)}: {_rows(value)}" for name, value in rows.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _rows(value: list[Any]) -> str:
    if value and isinstance(value[0], list):
        return "[" + ",\n    ".join(_rows(row) for row in value) + "]"
    cells = (Fraction(cell) for cell in value)
    return "[" + ", ".join(f"{cell}" if cell.denominator == 1 else f'"{exact_text(cell)}"' for cell in cells) + "]"


def written(network: Network) -> str:
    """A network in normal form, in few bytes; an empty layer gets a neuron of zeros, which changes no value."""
    tensors: dict[str, Any] = {"supercheck": {"network": "in normal form"}}
    for number, layer in enumerate(network.affine()):
        height = max(1, layer.weight.height)
        rows = [["0"] * max(1, layer.weight.width) for _ in range(height)]
        where = zip(layer.weight.row_of().tolist(), layer.weight.indices.tolist(), strict=True)
        for (row, column), value in zip(where, layer.weight.data.tolist(), strict=True):
            rows[row][column] = exact_text(Fraction(value))
        tensors[f"{number}.weight"] = rows
        tensors[f"{number}.bias"] = [exact_text(Fraction(value)) for value in layer.bias.tolist()] or ["0"]
    return json.dumps(tensors, separators=(",", ":"))
