"""Checks a certificate. Standard library only; shares no code with the program that wrote it.

    python checker.py CERTIFICATE... NETWORK SPEC [-k K] [--accept-solver] [--budget N]

NETWORK is a safetensors, NPZ or JSON file, SPEC a TOML file; either may be in core form instead, the
text that its digest is taken of. Exit: 0 proof accepted; 1 rejected, or a refutation accepted (the
first line says which); 2 network or spec unreadable; 3 a part was not checked, or the budget spent.

The claim. For every output i and every input with at most k of the m features on, y_i keeps to what
the readout demands where the formula of output i is on, and to what it demands where it is off.

The normal form. Every stored number is a ratio. A hidden row with its bias is scaled to coprime
integers, its positive factor moves on, since ReLU(z d) = d ReLU(z) for d > 0. So hidden values are
integers, and y_i = b + s (w . h) with s > 0: what is demanded of y_i becomes lo <= w . h <= hi.

The proof is a tree for every output. A state is the set of inputs in which some features are fixed,
at most `room` of the others are on, and some neurons have a known sign. A branch is on a feature (on,
off), on a neuron (z >= 0, z <= -1: z is an integer), or proves hi and lo one after the other: its
two children together hold all inputs of their parent. A leaf closes its state:
  e      all inputs are evaluated; those of features that matter to neither y_i nor its formula are
         left off. Neurons' signs are not used.
  a, b   the formula's value is known in the state, and a linear upper bound of w . h (of -w . h)
         keeps to the goal. Between bounds L <= z <= U of a neuron, ReLU(z) >= t z for 0 <= t <= 1;
         and ReLU(z) <= t z + u if that is so at L and at U, as ReLU is convex. So rounding t costs
         tightness, never soundness. A linear form is greatest on the state's inputs where the
         fixed features and the `room` greatest positive coefficients are on. a and b differ in
         where t is 1 below. If the bounds of a neuron contradict each other, there is no input.
  x      `room` is negative: no input has so many features on.
  z      a solver's word; nothing is checked, and the outcome says so.
`.` before a leaf stands for branches on all features of the formula. Nothing in the file is trusted:
a wrong certificate can only be rejected. Digests tell which network and question it is for.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import struct
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, chain
from math import gcd, lcm, prod
from typing import Any

BUDGET = 10**11  # units of work: some ten minutes
PRICE = 10  # units of a multiplication by itself; one of many at once costs 1
LARGEST, LARGEST_TEXT, LONGEST_LINE = 1 << 30, 1 << 26, 1 << 26  # bytes
BITS, DIGITS = 1 << 17, 40_000  # of one number
SLOPE_BITS = 12
ONE = 1 << SLOPE_BITS  # the slope 1
ROOMY, CRAMPED = 1 << 29, 1 << 24  # bytes that evaluating one output, and several, may take

Ratio = int | float | Fraction  # all know their exact `as_integer_ratio`
Goal = tuple[int | None, int | None]  # least and greatest w . h, None where there is no bound
Program = tuple[tuple[str, int, int], ...]  # a formula in postfix: (kind, feature or count, parts)


class UnreadableError(Exception):
    """Network or spec cannot be read."""


class RejectedError(Exception):
    """The certificate proves nothing."""


class SpentError(Exception):
    """The budget is spent."""


@dataclass(frozen=True)
class Outcome:
    """What came of a certificate: accepted, refutation, rejected or unchecked, and why."""

    status: str
    reason: str
    outputs: int = 0
    leaves: int = 0
    words: int = 0

    @property
    def code(self) -> int:
        """The exit code."""
        return {"accepted": 0, "unchecked": 3}.get(self.status, 1)

    def __str__(self) -> str:
        title = {"accepted": "PROVED, confirmed", "refutation": "REFUTED, confirmed"}
        return f"{title.get(self.status, self.status)}: {self.reason}"


# ------------------------------------------------------------------ numbers


def need(condition: object, what: str) -> None:
    """Refuse a network or spec that is not as it should be."""
    if not condition:
        raise UnreadableError(what)


def whole(text: str) -> int:
    """An integer of at most DIGITS digits; Python's own limit may be any, or none."""
    need(len(text) <= DIGITS, f"a number of {len(text):,} digits")
    return int(text) if len(text) < 4000 else int(Decimal(text))


def spelled(number: int | Fraction) -> str:
    """A number as `Fraction` prints it, however long."""
    try:
        return str(number)
    except ValueError:
        above, below = Decimal(number.numerator), Decimal(number.denominator)
        return f"{above:f}" if below == 1 else f"{above:f}/{below:f}"


def rational(written: object) -> Ratio:
    """A number of a text file: an integer, an exact decimal, or a string such as "1/3"."""
    if type(written) in (int, Fraction):
        return written  # type: ignore[return-value]
    fits = r"[+-]?([0-9]+(/0*[1-9][0-9]*)?|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?)"
    need(isinstance(written, str) and len(written) <= 1000, "a number expected")
    need(re.fullmatch(fits, str(written)), f"{written!s:.40} is not a number")
    return Fraction(str(written))


# ------------------------------------------------------------------ files of tensors


@dataclass(frozen=True)
class Tensor:
    """A stored array: `cells(start, count)` are numbers in row order, unless `rows` are sparse."""

    shape: Sequence[int]
    cells: Callable[[int, int], Sequence[Ratio]]
    rows: list[dict[int, Ratio]] | None = None

    def matrix(self) -> list[dict[int, Ratio]]:
        """The nonzero entries of each row by column, columns ascending."""
        need(len(self.shape) == 2 and prod(self.shape), f"a weight of shape {list(self.shape)}")
        if self.rows is not None:
            return self.rows
        height, width = self.shape
        starts = range(0, height * width, width)
        return [{j: w for j, w in enumerate(self.cells(at, width)) if w} for at in starts]


def stored(shape: Any, raw: bytes, form: str, transposed: bool = False) -> Tensor:
    """A tensor of packed numbers, `form` as `struct` has it; all bytes must be used."""
    need(all(type(size) is int and 0 <= size < 1 << 31 for size in shape), "a shape")
    size = struct.calcsize(form)
    need(len(raw) == prod(shape) * size, f"{len(raw)} bytes for a shape {list(shape)}")

    def cells(start: int, count: int) -> Sequence[Ratio]:
        return struct.unpack_from(f"{form[0]}{count}{form[1]}", raw, start * size)

    if not transposed or len(shape) < 2:
        return Tensor(shape, cells)
    return Tensor(shape, cells, turned(Tensor(shape[::-1], cells).matrix(), shape[0]))


def turned(rows: Sequence[Mapping[int, Ratio]], width: int) -> list[dict[int, Ratio]]:
    """The transpose of a matrix with `width` columns."""
    columns: list[dict[int, Ratio]] = [{} for _ in range(width)]
    for i, row in enumerate(rows):
        for j, weight in row.items():
            columns[j][i] = weight
    return columns


def read_json(raw: bytes) -> Any:
    """JSON with exact numbers, no key twice, and no NaN."""
    need(len(raw) <= LARGEST_TEXT and not re.search(rb"[0-9]{4000}", raw), "too large a text")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        need(len(dict(pairs)) == len(pairs), "a key twice")
        return dict(pairs)

    return json.loads(raw, object_pairs_hook=once, parse_float=rational, parse_constant=rational)


def json_tensors(raw: bytes) -> dict[str, Tensor]:
    """The tensors of a JSON file: lists of numbers, or of rows."""
    tensors = {}
    for name, value in read_json(raw).items():
        matrix = bool(value) and all(isinstance(row, list) for row in value)
        rows = value if matrix else [value]
        need(isinstance(value, list) and value, f"{name}: a list expected")
        need(all(len(row) == len(rows[0]) for row in rows), f"{name}: rows of equal length expected")
        flat = [rational(cell) for cell in chain(*rows)]
        shape = [len(rows), len(rows[0])] if matrix else [len(value)]
        tensors[name] = Tensor(shape, lambda at, count, flat=flat: flat[at : at + count])
    return tensors


SAFETENSORS = {"F64": "<d", "F32": "<f", "F16": "<e", "I64": "<q", "I32": "<i", "I16": "<h"}
SAFETENSORS |= {"I8": "<b", "U64": "<Q", "U32": "<I", "U16": "<H", "U8": "<B", "BOOL": "<?"}


def safetensors(raw: bytes) -> dict[str, Tensor]:
    """The tensors of a safetensors file, whose bytes are all used, each once."""
    size = int.from_bytes(raw[:8], "little")
    need(len(raw) > 8 and 0 < size <= len(raw) - 8, "a safetensors header expected")
    header, end, tensors = read_json(raw[8 : 8 + size]), 8 + size, {}
    header.pop("__metadata__", None)
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        need(entry.keys() == {"dtype", "shape", "data_offsets"}, f"{name}: an unknown key")
        start, stop = (8 + size + offset for offset in entry["data_offsets"])
        need(start == end and stop >= start, f"{name}: its bytes leave a gap or overlap")
        part, form, end = raw[start:stop], entry["dtype"], stop
        if form == "BF16":  # the upper half of a float32
            wide = bytearray(2 * len(part))
            wide[2::4], wide[3::4] = part[0::2], part[1::2]
            part = bytes(wide)
        form = "<f" if form == "BF16" else SAFETENSORS.get(form)
        need(form, f"{name}: dtype {entry['dtype']}")
        tensors[name] = stored(entry["shape"], part, str(form))
    need(end == len(raw), "bytes that no tensor uses")
    return tensors


def npz_tensors(path: str) -> dict[str, Tensor]:
    """The tensors of an NPZ file; four members `data indices indptr shape` are a sparse one."""
    tensors: dict[str, Tensor] = {}
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        need(sum(member.file_size for member in members) <= LARGEST, "too large when unpacked")
        for member in members:
            name = member.filename.removesuffix(".npy")
            need(name not in tensors and name != member.filename, f"{name}: one .npy a name")
            need(member.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED), "compression")
            with archive.open(member) as stream:
                start = stream.read(8)
                long = start[:7] != b"\x93NUMPY\1"
                need(start[:7] in (b"\x93NUMPY\1", b"\x93NUMPY\2", b"\x93NUMPY\3"), "an array")
                size = int.from_bytes(stream.read(4 if long else 2), "little")
                need(size <= 10_000, f"{name}: a long header")
                head = ast.literal_eval(stream.read(size).decode("latin-1"))
                need(head.keys() == {"descr", "fortran_order", "shape"}, f"{name}: header")
                kinds = ["i1", "b", "u1", "B", "b1", "?", "i2", "h", "u2", "H", "i4", "i", "u4", "I", "i8", "q", "u8", "Q", "f2", "e", "f4", "f", "f8", "d"]
                forms = dict(zip(kinds[::2], kinds[1::2], strict=True))
                form = forms.get(head["descr"][1:])
                need(form and head["descr"][0] in "<>|", f"{name}: dtype {head['descr']}")
                order = ">" if head["descr"][0] == ">" else "<"
                raw = stream.read()
            tensors[name] = stored(head["shape"], raw, f"{order}{form}", head["fortran_order"])
    for name in [name[:-7] for name in tensors if name.endswith(".indptr")]:
        parts = [tensors.pop(f"{name}.{part}") for part in ("data", "indices", "indptr", "shape")]
        need(name not in tensors, f"{name}: dense or sparse, not both")
        need(all(len(part.shape) == 1 for part in parts), f"{name}: vectors expected")
        tensors[name] = compressed(*(list(part.cells(0, part.shape[0])) for part in parts))
    return tensors


def compressed(data: list[Ratio], columns: list[Any], starts: list[Any], shape: list[Any]) -> Tensor:
    """A matrix in compressed sparse rows."""
    need(all(type(n) is int for n in chain(columns, starts, shape)), "integers in a sparse matrix")
    height, width = shape
    need(len(data) == len(columns) and len(starts) == height + 1, "parts of a sparse matrix")
    need(starts[0] == 0 and starts[-1] == len(data), "offsets of a sparse matrix")
    rows: list[dict[int, Ratio]] = []
    for start, end in zip(starts, starts[1:], strict=False):
        row = dict(zip(columns[start:end], data[start:end], strict=True))
        order = sorted(row)
        need(len(row) == end - start, "ascending offsets, and each column once a row")
        need(not row or (order[0] >= 0 and order[-1] < width), "columns of a sparse matrix")
        rows.append({j: row[j] for j in order if row[j]})
    return Tensor(shape, lambda at, count: data[at : at + count], rows)


# ------------------------------------------------------------------ the network


class Row(dict[int, int]):
    """Integer weights by column."""

    __slots__ = ("_tops",)

    @property
    def tops(self) -> tuple[tuple[list[int], list[int]], ...]:
        """Of the positive and of the negative weights: sizes, largest first, and their sums."""
        try:
            return self._tops  # type: ignore[has-type, no-any-return]
        except AttributeError:
            up = sorted([w for w in self.values() if w > 0], reverse=True)
            down = sorted([-w for w in self.values() if w < 0], reverse=True)
            self._tops = tuple((side, [0, *accumulate(side)]) for side in (up, down))
            return self._tops


@dataclass(frozen=True)
class Network:
    """The normal form: hidden rows and biases by layer, output rows w, y = bias + scale (w . h)."""

    features: int
    hidden: list[tuple[list[Row], list[int]]]
    output: list[Row]
    bias: list[Ratio]
    scale: list[Fraction]

    @property
    def digest(self) -> str:
        """The sha256 of the core form."""
        total = hashlib.sha256(b"supercheck-network 1\n")
        for rows, biases in self.hidden:
            total.update(b"hidden\n")
            for row, bias in zip(rows, biases, strict=True):
                total.update(f"{spelled(bias)}{entries(row)}\n".encode())
        total.update(b"output\n")
        for row, offset, scale in zip(self.output, self.bias, self.scale, strict=True):
            head = f"{spelled(Fraction(offset))} {spelled(scale)}"
            total.update(f"{head}{entries(row)}\n".encode())
        return total.hexdigest()

    def cone(self, outputs: Iterable[int], neurons: Iterable[tuple[int, int]] = ()) -> list[list[int]]:
        """The features, then the neurons of each layer, that outputs and further neurons use."""
        used, cones = set[int]().union(*(self.output[i] for i in outputs)), []
        for depth in reversed(range(len(self.hidden))):
            used |= {r for layer, r in neurons if layer == depth}
            cones.append(sorted(used))
            used = set[int]().union(*(self.hidden[depth][0][r] for r in used))
        return [sorted(used), *reversed(cones)]


def entries(row: Row) -> str:
    """A row as the core form has it."""
    try:
        return "".join([f" {j}:{w}" for j, w in row.items()])
    except ValueError:
        return "".join([f" {j}:{spelled(w)}" for j, w in row.items()])


@dataclass(frozen=True)
class Stored:
    """A layer as a file holds it."""

    rows: list[dict[int, Ratio]]
    bias: Sequence[Ratio]
    relu: bool
    width: int


def stacked(tensors: dict[str, Tensor], named: list[dict[str, Any]]) -> list[Stored]:
    """The layers: those a spec names, else `0.weight`, `0.bias`, `2.weight`, ..."""
    if not named:
        numbers = {int(name[:-7]) for name in tensors if re.fullmatch(r"[0-9]{1,9}\.weight", name)}
        named = [{"weight": f"{n}.weight", "bias": f"{n}.bias"} for n in sorted(numbers)]
        named = [{key: name for key, name in part.items() if name in tensors} for part in named]
        unused = tensors.keys() - set(chain(*(part.values() for part in named)))
        need(not unused, f"tensors that are not used: {', '.join(sorted(unused))}"[:200])
    layers: list[Stored] = []
    for place, part in enumerate(named):
        need(part.keys() <= {"weight", "bias", "transpose", "relu"}, "unknown key of a layer")
        for key in ("weight", "bias") if "bias" in part else ("weight",):
            need(part.get(key) in tensors, f"no tensor {part.get(key)!s:.40}")
        weight, (rows_, width) = tensors[part["weight"]], (0, 0)
        rows = weight.matrix()
        rows_, width = weight.shape
        relu, turn = part.get("relu", place < len(named) - 1), part.get("transpose", False)
        need(type(relu) is bool and type(turn) is bool, "relu and transpose: true or false expected")
        if turn:
            rows, width = turned(rows, width), rows_
        bias: Sequence[Ratio] = [0] * len(rows)
        if "bias" in part:
            own = tensors[part["bias"]]
            need(own.rows is None and list(own.shape) == [len(rows)], "one bias a row expected")
            bias = own.cells(0, len(rows))
        need(not layers or len(layers[-1].rows) == width, f"{part['weight']}: another width")
        layers.append(Stored(rows, bias, relu, width))
    need(layers, "at least one layer expected")
    return layers


def folded(layers: list[Stored]) -> list[Stored]:
    """The same function with a ReLU after every layer but the last."""
    kept: list[Stored] = []
    for layer in layers:
        if kept and not kept[-1].relu:
            rows, biases, linear, work = [], [], kept.pop(), 0
            for row, bias in zip(layer.rows, layer.bias, strict=True):
                merged: dict[int, Fraction] = {}
                total = Fraction(bias)
                for r, outer in row.items():
                    total += Fraction(outer) * Fraction(linear.bias[r])
                    work += len(linear.rows[r])
                    for j, inner in linear.rows[r].items():
                        merged[j] = merged.get(j, Fraction(0)) + Fraction(outer) * Fraction(inner)
                need(work <= 10**8, "linear layers whose product is too large")
                rows.append({j: merged[j] for j in sorted(merged) if merged[j]})
                biases.append(total)
            layer = Stored(rows, biases, layer.relu, linear.width)  # type: ignore[arg-type]
        kept.append(layer)
    if kept[-1].relu:
        size = len(kept[-1].rows)
        kept.append(Stored([{i: 1} for i in range(size)], [0] * size, False, size))
    return kept


def coprime(values: list[Ratio], factors: Iterable[tuple[int, int]]) -> tuple[list[int], Fraction]:
    """The products of values and factors as coprime integers, and what those are to be scaled by."""
    ratios = [v.as_integer_ratio() for v in values]
    if factors:
        pairs = zip(ratios, factors, strict=True)
        ratios = [(n * above, d * below) for (n, d), (above, below) in pairs]
    common = 1
    for below in {d for _, d in ratios}:
        common = lcm(common, below)
        need(common.bit_length() <= BITS, "numbers too far apart")
    integers = [n * (common // d) for n, d in ratios]
    divisor = gcd(*integers) or 1
    return [n // divisor for n in integers], Fraction(divisor, common) if any(integers) else Fraction(1)


def normal_form(layers: list[Stored]) -> Network:
    """The network as coprime integers."""
    *inner, last = folded(layers)
    hidden, factors = [], list[tuple[int, int]]()
    for layer in inner:
        rows, biases, own = [], [], []
        for row, offset in zip(layer.rows, layer.bias, strict=True):
            moved = [factors[j] for j in row] + [(1, 1)] if factors else []
            (*weights, bias), factor = coprime([*row.values(), offset], moved)
            rows.append(Row(zip(row, weights, strict=True)))
            biases.append(bias)
            own.append(factor.as_integer_ratio())
        hidden.append((rows, biases))
        factors = own if any(factor != (1, 1) for factor in own) else []
    output, scale = [], []
    for row in last.rows:
        moved = [factors[j] for j in row] if factors else []
        weights, factor = coprime(list(row.values()), moved)
        output.append(Row(zip(row, weights, strict=True)))
        scale.append(factor)
    offsets: list[Ratio] = [Fraction(offset) for offset in last.bias]
    return Network(layers[0].width, hidden, output, offsets, scale)


def core_network(raw: bytes, features: int) -> Network:
    """A network in core form; that the text is canonical is seen by its digest."""
    layers: list[list[list[str]]] = []
    for line in raw.decode("ascii").split("\n")[1:-1]:
        if line in ("hidden", "output"):
            need(not layers or layers[-1] is not layers[0] or line, "one output layer")
            layers.append([[line]])
        else:
            need(layers, "a layer expected")
            layers[-1].append(line.split(" "))
    names = [layer[0][0] for layer in layers]
    need(names and names == ["hidden"] * (len(names) - 1) + ["output"], "hidden layers, then output")
    hidden, width, parsed = [], features, []
    for layer in layers:
        heads = 2 if layer is layers[-1] else 1
        parsed = []
        for parts in layer[1:]:
            pairs = [part.split(":") for part in parts[heads:]]
            row = Row((whole(j), whole(w)) for j, w in pairs)
            order = sorted(row)
            need(list(row) == order and (not row or 0 <= order[0] <= order[-1] < width), "columns")
            parsed.append((row, parts[:heads]))
        if heads == 1:
            hidden.append(([row for row, _ in parsed], [whole(head[0]) for _, head in parsed]))
            width = len(parsed)
    ends = [[Fraction(*map(whole, n.split("/"))) for n in head] for _, head in parsed]
    need(all(scale > 0 for _, scale in ends), "positive scales expected")
    offsets: list[Ratio] = [bias for bias, _ in ends]
    found = Network(features, hidden, [row for row, _ in parsed], offsets, [s for _, s in ends])
    need(found.digest == hashlib.sha256(raw).hexdigest(), "not the canonical core form")
    return found
