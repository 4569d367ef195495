"""The layout of a spec file: which keys it may have and of which type; errors that name the line.

pydantic checks the types; what the values mean is `spec.py`'s affair.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from supercheck.base.errors import InputError, meant, spelled
from supercheck.base.numbers import LONGEST as LONGEST_NUMBER, Unreadable, decimal, rational
from supercheck.spec.places import Place, line_of
from supercheck.spec.readout import READOUTS

LARGEST = 4 << 20  # bytes of a spec
MOST_DOTS = 16  # in one line outside strings
MOST_TABLES = 10_000
MOST_DIGITS = 10_000  # in a row


def _rational(value: object) -> Fraction:
    if isinstance(value, bool | Unreadable) or not isinstance(value, int | Decimal | str):
        raise ValueError("not a number")  # noqa: TRY004 - pydantic reads ValueErrors
    return rational(value, LONGEST_NUMBER)


Rational = Annotated[Fraction, BeforeValidator(_rational)]


def _limit(value: object) -> object:
    if isinstance(value, Unreadable):
        raise ValueError("not a number")  # noqa: TRY004 - pydantic reads ValueErrors
    return Fraction(value) if isinstance(value, Decimal) else value


Limit = Annotated[int | str | Fraction, BeforeValidator(_limit)]


def _bias(value: object) -> object:
    if not isinstance(value, str) and value is not False:  # 0 equals False
        raise ValueError("not a name")
    return value


def _mode(value: str) -> str:
    if value not in READOUTS:
        raise PydanticCustomError("literal_error", "an unknown mode", {"expected": repr(tuple(READOUTS))})
    return value


class Table(BaseModel):
    """A table of the file: unknown keys are errors, and nothing is converted on the quiet."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)


class LayerTable(Table):
    """One entry of `[network] layers`."""

    weight: str
    bias: Annotated[str | Literal[False] | None, BeforeValidator(_bias)] = None
    transpose: bool = False
    relu: bool | None = None


class NetworkTable(Table):
    """`[network]`."""

    file: str | None = None
    layers: list[LayerTable] | None = Field(None, min_length=1)
    activation: Literal["relu", "none"] | None = None
    final: Literal["none", "relu"] | None = None
    encoder: str | None = None
    decoder: str | None = None


class DomainTable(Table):
    """`[domain]`."""

    features: int
    max_active: int


class OutputsTable(Table):
    """`[outputs]`: one of three forms."""

    gate: str | None = None
    over: Annotated[list[Annotated[list[int], Field(fail_fast=True)]], Field(fail_fast=True)] | str | None = None
    formulas: Annotated[list[str], Field(fail_fast=True)] | None = None
    table: str | None = None


class ReadoutTable(Table):
    """`[readout]`."""

    mode: Annotated[str, AfterValidator(_mode)]
    at: Rational | None = None
    margin: Rational | None = None
    within: Rational | None = None


class ArithmeticTable(Table):
    """`[arithmetic]`."""

    of: Literal["real", "float32"] = "real"


class AuditTable(Table):
    """`[audit]`: limits, each a number or a formula."""

    max_neurons: Limit | None = None
    max_width: Limit | None = None
    max_edges: Limit | None = None
    max_parameters: Limit | None = None
    max_bits: Limit | None = None
    max_weight: Limit | None = None


class ExpectTable(Table):
    """`[expect]`."""

    verdict: Literal["proved", "refuted"] = "proved"


class Schema(Table):
    """The whole file."""

    network: NetworkTable = Field(default_factory=lambda: NetworkTable.model_validate({}))
    domain: DomainTable
    outputs: OutputsTable
    readout: ReadoutTable
    arithmetic: ArithmeticTable = ArithmeticTable()
    audit_: AuditTable = Field(AuditTable(), alias="audit")
    expect: ExpectTable = ExpectTable()

    @property
    def audit(self) -> Iterable[tuple[str, Any]]:
        """The limits that the file sets."""
        return [(name, limit) for name, limit in self.audit_ if limit is not None]


@dataclass(frozen=True)
class Document:
    """A spec file: its bytes, and what they say."""

    path: Path
    content: bytes
    layout: Schema

    def error(
        self, place: Place, expected: str, got: object, near: tuple[str, Iterable[str]] | None = None
    ) -> InputError:
        """An error at a key of this file, with the nearest known word where one is meant."""
        return _error(self.path, self.content.decode(), place, expected, got, near)

    def line(self, place: Place) -> int | None:
        """The line of a key, counted from 1."""
        return line_of(self.content.decode(), place)


def document(path: Path) -> Document:
    """Read a file and check its layout.

    Raises:
        InputError: naming the line and the key of the first thing that is wrong.
    """
    try:
        if not path.is_file():
            raise InputError(file=path, expected="a spec file", got="a folder" if path.is_dir() else "no such file")
        if path.stat().st_size > LARGEST:
            raise InputError(file=path, expected=f"at most {LARGEST:,} bytes", got=f"{path.stat().st_size:,}")
        content = path.read_bytes()
    except OSError as error:
        raise InputError(file=path, expected="a readable spec file", got=error.strerror or error) from error
    try:
        text = content.decode("utf-8-sig")
        _check_tables(path, text)
        tree = tomllib.loads(text, parse_float=_float)
    except UnicodeDecodeError as error:
        raise InputError(file=path, expected="UTF-8 text", got=f"byte {content[error.start]:#04x}") from error
    except tomllib.TOMLDecodeError as error:
        found = re.search(r" \(at line ([0-9]+), column [0-9]+\)$", str(error))
        line = int(found[1]) if found else text.count("\n", 0, len(text.rstrip())) + 1  # "at end of document"
        raise InputError(file=path, line=line, expected="TOML", got=_fault(str(error).split(" (at")[0])) from error
    except ValueError as error:  # Python reads no integer of more digits
        long = re.search("[0-9_]{4301,}", text)
        place = text.count("\n", 0, long.start()) + 1 if long else None
        raise InputError(file=path, line=place, expected="numbers of at most 4,300 digits", got="more") from error
    except (RecursionError, MemoryError) as error:
        raise InputError(file=path, expected="TOML of reasonable size", got=error) from error
    if tree and sum(isinstance(tree.get(name), dict) for name in _keys(())) < 2:  # not even misspelt: not to be quoted
        got = "TOML of another kind"
        raise InputError(file=path, expected="a spec, with tables [domain], [outputs] and [readout]", got=got)
    try:
        layout = Schema.model_validate(tree)
    except ValidationError as error:
        raise _explain(path, text, error) from error
    return Document(path, content, layout)


def _fault(told: str) -> str:
    """What the parser says, without what it repeats of a file that may be no spec."""
    faults = {
        "Cannot declare": "a table twice",
        "Cannot mutate": "a key of a table that is closed",
        "Duplicate inline table key": "a key twice",
        "Illegal character": "a character that is not allowed here",
    }
    return next((fault for begin, fault in faults.items() if told.startswith(begin)), told)


_QUOTED = re.compile(
    r'''"""(?:[^\\]|\\.)*?(?:"""|\Z)|\'{3}.*?(?:\'{3}|\Z)|"(?:[^"\\\n]|\\.)*+"?|'[^'\n]*'?|#[^\n]*''', re.DOTALL
)  # strings and comments; what is not closed goes on to where the parser will complain
_DIGITS = re.compile(rf"(?<![0-9a-fA-F_])[0-9a-fA-F_]{{{MOST_DIGITS + 1}}}")
_TABLE = re.compile(r"[={]|^[ \t]*\[[^,\n]*\][ \t\r]*$", re.MULTILINE)


def _check_tables(path: Path, text: str) -> None:
    """Refuse too many tables and keys, too deep or too long ones: the parser takes a kilobyte for each."""
    bare = _QUOTED.sub(lambda quoted: "\n" * quoted[0].count("\n"), text)
    tables = sum(1 for _ in _TABLE.finditer(bare))
    if tables > MOST_TABLES:
        raise InputError(file=path, expected=f"at most {MOST_TABLES:,} keys and tables", got=f"{tables:,}")
    for number, line in enumerate(bare.splitlines(), 1):
        if len(line) > MOST_DIGITS and _DIGITS.search(line):
            raise InputError(file=path, line=number, expected=f"at most {MOST_DIGITS:,} digits", got="more")
        if line.count(".") > MOST_DOTS:
            got = f"{line.count('.'):,}"
            raise InputError(file=path, line=number, expected=f"at most {MOST_DOTS} dots a line", got=got)


def _float(literal: str) -> Decimal | Unreadable:
    """A TOML float as the decimal written."""
    try:
        return decimal(literal.replace("_", ""))
    except ValueError:
        return Unreadable(literal)


_KINDS = {
    "int_type": "a whole number",
    "string_type": "a text",
    "bool_type": "true or false",
    "list_type": "a list",
    "model_type": "a table",
    "too_short": "at least one entry",
    "value_error": 'a number such as 1, 0.5 or "1/3"',
}


def _explain(path: Path, text: str, errors: ValidationError) -> InputError:
    """The first of pydantic's errors in our words; an unknown key first, since it is often the cause."""
    listed = sorted(errors.errors(), key=lambda error: error["type"] != "extra_forbidden")
    first = listed[0]
    # union branches add words such as "list[list[int]]" to the place: keep keys and positions
    place = tuple(part for part in first["loc"] if isinstance(part, int) or re.fullmatch(r"[\w.\-]+", part))
    kind, got = first["type"], first["input"]
    shown = spelled(got, repr)
    if kind == "extra_forbidden":
        place = first["loc"]
        known = sorted(_keys(place[:-1]))
        where = f"[{place[0]}]" if len(place) > 1 else "the file"
        return _error(path, text, place, f"a key of {where}", f'"{place[-1]}"', (str(place[-1]), known))
    if kind == "missing":
        what = "table" if len(place) == 1 else "key"
        return _error(path, text, place[:-1], f"the {what} {'.'.join(map(str, place))}", "none")
    if place[:2] == ("outputs", "over"):
        return _error(path, text, tuple(place), '"all-pairs" or a list of tuples of whole numbers', shown)
    if place[:2] == ("network", "layers") and "bias" in place:
        return _error(path, text, place, "a tensor's name, or false", shown)
    if place[:1] == ("audit",):
        return _error(path, text, place[:2], "a number or a formula in m, k, outputs", shown)
    if kind == "literal_error":
        words = re.findall(r"'([^']*)'", first["ctx"]["expected"])
        expected = " or ".join(words) if len(words) == 2 else f"one of {', '.join(words)}"
        return _error(path, text, place, expected, shown, (spelled(got), words))
    return _error(path, text, place, _KINDS.get(kind, first["msg"]), shown)


def _keys(place: Place) -> Iterable[str]:
    """The keys that the table at `place` may have."""
    model: Any = Schema
    for part in place:
        if isinstance(part, str):
            fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
            model = fields[part]
            while get_args(model):
                model = get_args(model)[0]
    return [field.alias or name for name, field in model.model_fields.items()]


def _error(
    path: Path, text: str, place: Place, expected: str, got: object, near: tuple[str, Iterable[str]] | None = None
) -> InputError:
    do = None if near is None else meant(*near)
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    return InputError(file=path, line=line_of(text, place), place=name or None, expected=expected, got=got, do=do)
