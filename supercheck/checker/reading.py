"""Reads a network and what is claimed of it, by itself: files in, integers and formulas out.

The normal form. Every stored number is a ratio. A hidden row with its bias is scaled to coprime
integers, its positive factor moves on, since ReLU(z d) = d ReLU(z) for d > 0. So hidden values are
integers, and y_i = b + s (w . h) with s > 0: what is demanded of y_i becomes lo <= w . h <= hi.
"""

import ast
import hashlib
import io
import json
import re
import struct
import tomllib
import zipfile
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache, partial
from itertools import chain, combinations, pairwise
from math import gcd, lcm, prod
from pathlib import Path
from typing import Any, NamedTuple

LARGEST = 1 << 30  # bytes of a file
BITS = 1 << 14  # of a common denominator
WIDEST, MOST = 10**7, 10**6  # columns whose zeros are not stored; outputs


class CheckError(Exception):
    """A status, "unreadable", "rejected" or "unchecked", and why."""


def need(condition: object, expected: str, status: str = "unreadable") -> None:
    """Refuse a network or spec that is not as it should be."""
    if not condition:
        raise CheckError(status, f"expected: {expected}")


FORMS = dict(re.findall("(..)(.)", "i1bi2hi4ii8qu1Bu2Hu4Iu8Qf2ef4ff8db1?"))
DTYPES = {"BOOL": "b1", **{f"{f[0].upper()}{8 * int(f[1])}": f for f in FORMS if f != "b1"}}
NPY = rb"\x93NUMPY.{4,6}\{'descr': '([<>|])(..)', 'fort\w+': False, 'shape': \((.{0,99})\), \} *\n"
FORMULA = r"(\b(x[0-9]+|atleast|0|[1-9][0-9]*)\b|[~&^|() ]|,(?! *\)))+"
EMBEDDING = "(?i)embed|(?<![a-z])(tied|((wte|lm_head)(?![a-z])|(?<![0-9])w_?[eu](?![a-z0-9])))"
Tensor = tuple[list[int], Sequence[Any]]
Tensors = dict[str, Callable[[], Tensor]]
FEW = 4  # different numbers: two weights that hold them are hardly equal by chance
CORE = {"network": {"activation": "relu", "final": "none"}}  # what core form means
SPARSE = ("data", "indices", "indptr", "shape")


def rational(written: Any) -> int | Fraction:
    """A number of a text file: an integer, an exact decimal, or a string such as "1/3"."""
    fits = r"[+-]?([0-9]+(/0*[1-9][0-9]*)?|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?)"
    if type(written) is str and len(written) <= 10_000 and re.fullmatch(fits, written):
        return Fraction(written)
    need(type(written) in (int, Fraction), "a number")
    return written  # type: ignore[no-any-return]


def unpacked(raw: bytes, shape: Any, order: str, form: str) -> Tensor:
    """Packed numbers; all bytes must be used."""
    need(all(type(size) is int and size >= 0 for size in shape) and form in FORMS, "shape, dtype")
    need(len(raw) == prod(shape) * int(form[1]), f"as many bytes as the shape {list(shape)} has")
    return list(shape), struct.unpack(f"{order}{prod(shape)}{FORMS[form]}", raw)


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object that has no key twice."""
    need(len(dict(pairs)) == len(pairs), "each key once")
    return {n: v for n, v in pairs if (n, type(v)) != ("supercheck", dict)}  # its writer's mark


def read_tensors(file: str) -> Tensors:
    """What reads a file's tensors, as shape and numbers in row order; every byte is used, once."""
    tensors, raw, kind = Tensors(), Path(file).read_bytes(), Path(file).suffix

    def listed(name: str, rows: Any) -> Tensor:  # numbers, or rows, exactly as written
        flat = type(rows[0]) is not list
        rows = [rows] if flat else rows
        need(all(type(r) is list and len(r) == len(rows[0]) for r in rows), f"{name}: rows")
        return [len(rows), len(rows[0])][flat:], [rational(cell) for row in rows for cell in row]

    def member(name: str, archive: zipfile.ZipFile) -> Tensor:
        data = archive.read(name)
        head: Any = re.match(NPY, data, re.DOTALL)
        need(head and data[6] in (1, 2, 3), f"{name}: an array of numbers in row order")
        order, form, sizes = (part.decode() for part in head.groups())
        start = 10 if data[6] == 1 else 12
        need(head.end() == start + int.from_bytes(data[8:start], "little"), f"{name}: a header")
        shape = [int(n) for n in sizes.split(",") if n.strip()]
        return unpacked(data[head.end() :], shape, order.replace("|", "<"), form)

    if kind == ".json":
        tree = json.loads(raw, object_pairs_hook=once, parse_float=rational)
        return {name: partial(listed, name, rows) for name, rows in tree.items()}
    if kind == ".npz":
        archive = zipfile.ZipFile(io.BytesIO(raw))
        need(sum(part.file_size for part in archive.infolist()) <= LARGEST, "less when unpacked")
        names = archive.namelist()
        need(len({*names}) == len(names) and all(n.endswith(".npy") for n in names), "one .npy a name")
        return {name[:-4]: partial(member, name, archive) for name in names}
    need(kind == ".safetensors", "a safetensors, NPZ or JSON file")
    place = begin = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:begin], object_pairs_hook=once)
    header.pop("__metadata__", None)
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        need(entry.keys() == {"dtype", "shape", "data_offsets"}, f"{name}: known keys")
        start, stop = (begin + offset for offset in entry["data_offsets"])
        need(start == place <= stop, f"{name}: bytes without gap or overlap")
        form, data, place = DTYPES.get(entry["dtype"], ""), raw[place:stop], stop
        tensors[name] = partial(unpacked, data, entry["shape"], "<", form)
    need(len(raw) == place, "no bytes that no tensor uses")
    return tensors


def matrix(tensors: Tensors, name: str) -> tuple[list[dict[int, Any]], int]:
    """A weight's rows, their nonzero entries by ascending column, and its width."""
    if name in tensors:
        (height, width), flat = tensors[name]()
        need(height and width and f"{name}.indptr" not in tensors, f"{name}: one weight")
        rows = [flat[at : at + width] for at in range(0, height * width, width)]
        return [{j: w for j, w in enumerate(row) if w} for row in rows], width
    parts = [tensors[f"{name}.{part}"]() for part in SPARSE]
    data, columns, starts, (height, width) = (flat for _, flat in parts)
    need({*map(type, chain(columns, starts, (height, width)))} == {int}, f"{name}: integers")
    fits = len(data) == len(columns) and len(starts) == height + 1 and width <= WIDEST
    need(fits and [*starts] == [0, *sorted(starts)[1:-1], len(data)], f"{name}: offsets")
    found = []
    for start, end in pairwise(starts):
        row = dict(sorted(zip(columns[start:end], data[start:end], strict=True)))
        fits = len(row) == end - start and all(map(range(width).__contains__, row))
        need(fits, f"{name}: each column once a row")
        found.append({j: w for j, w in row.items() if w})
    return found, width


def coprime(values: list[Any], factors: list[tuple[int, int]]) -> tuple[list[int], Fraction]:
    """The products of values and factors, as ratios, as coprime integers; and what scales those."""
    ratios = [v.as_integer_ratio() for v in values]
    ratios = [(n * up, d * down) for (n, d), (up, down) in zip(ratios, factors, strict=False)]
    common = lcm(*{d for _, d in ratios})
    need(common.bit_length() <= BITS, "numbers that are not too far apart")
    integers = [n * (common // d) for n, d in ratios]
    divisor = gcd(*integers) or common
    return [n // divisor for n in integers], Fraction(divisor, common)


class Network(NamedTuple):
    """The normal form: y = bias + scale (w . h) with the output's rows w."""

    features: int
    hidden: list[Any]  # rows and biases of each layer
    output: list[dict[int, int]]
    bias: list[Fraction]
    scale: list[Fraction]
    assumed: tuple[str, ...] = ()  # what neither file nor spec says

    @property
    def digest(self) -> str:
        """The sha256 of the core form."""
        blocks = [("hidden", biases, rows) for rows, biases in self.hidden]
        ends = [f"{b} {s}" for b, s in zip(self.bias, self.scale, strict=True)]
        total = hashlib.sha256(b"supercheck-network 1\n")
        for name, heads, rows in [*blocks, ("output", ends, self.output)]:
            total.update(f"{name}\n".encode())
            for head, row in zip(heads, rows, strict=True):
                total.update(f"{head}{''.join([f' {j}:{w}' for j, w in row.items()])}\n".encode())
        return total.hexdigest()

    def cone(self, outputs: Sequence[int], begin: int = 0) -> list[Sequence[int]]:
        """What outputs depend on: the features, if `begin` is 0, then the neurons of each layer."""
        cones = [outputs]
        for rows in [self.output, *(rows for rows, _ in reversed(self.hidden[begin:]))]:
            cones.insert(0, sorted(set[int]().union(*(rows[r] for r in cones[0]))))
        return cones[:-1]


def dot(row: Mapping[int, int], h: Mapping[int, int]) -> int:
    """A linear form's value, where columns that are not in h are 0."""
    small, large = (row, h) if len(row) < len(h) else (h, row)
    return sum([w * large[j] for j, w in small.items() if j in large])


def read_network(file: str, named: list[Any] | None, after: Any = None, final: Any = None) -> Network:
    """The network of the layers that a spec names, else of `0.weight`, `0.bias`, `2.weight`, ..."""
    tensors, own = read_tensors(file), bool(named)
    if not named:
        numbers = re.findall(r"(?m)^([0-9]{1,9})\.weight(?:\.indptr)?$", "\n".join(tensors))
        parts = [(f"{n}.weight", f"{n}.bias") for n in sorted({*map(int, numbers)})]
        named = [{"weight": w, "bias": b} if b in tensors else {"weight": w} for w, b in parts]
    used = {f"{part['weight']}{end}" for part in named for end in ("", *map(".{}".format, SPARSE))}
    rest = tensors.keys() - used.union(part.get("bias") for part in named)
    told = own and all("bias" in part for part in named)
    need(told or not rest, "no tensors that are not used, or each layer's bias")
    hidden, seen, factors, features = list[Any](), list[Any](), list[tuple[int, int]](), 0
    need({after, final} <= {None, "relu", "none"}, "relu or none")
    ends = (after, named[:-1], "ReLU between layers"), (final, named[-1:], "none at the end")
    assumed = tuple(words for said, own, words in ends if not said and any("relu" not in p for p in own))
    for part in named:
        last = part is named[-1]
        relu = part.get("relu", final == "relu" if last else after != "none")
        known = part.keys() <= {"weight", "bias", "relu"} and type(relu) is bool and relu is not last
        rows, width = matrix(tensors, part["weight"])
        if assumed:  # nothing is, of one weight that is used twice, or of an embedding
            cells = {(i, j): w for i, row in enumerate(rows) for j, w in row.items()}
            turned = {(j, i): w for (i, j), w in cells.items()}
            tied = part["weight"] in seen or (len({*cells.values()}) >= FEW and (cells in seen or turned in seen))
            need(not tied and not re.search(EMBEDDING, part["weight"]), "activation and final")
            seen += [cells, part["weight"]]
        name = part.get("bias", False)
        shape, bias = ([len(rows)], [0] * len(rows)) if name is False else tensors[name]()
        factors = factors or [(1, 1)] * width
        need(known and shape == [len(rows)] and width == len(factors), "a plain layer that fits")
        scales = [[*[factors[j] for j in row], (1, 1)] for row in rows]
        scaled = [coprime([*w.values(), *[b][last:]], s) for w, b, s in zip(rows, bias, scales, strict=True)]
        whole = [dict(zip(row, w, strict=False)) for row, (w, _) in zip(rows, scaled, strict=True)]
        moved, features = [scale for _, scale in scaled], features or width
        if last:
            return Network(features, hidden, whole, [Fraction(b) for b in bias], moved, assumed)
        hidden.append((whole, [w[-1] for w, _ in scaled]))
        factors = [scale.as_integer_ratio() for scale in moved]
    raise CheckError("unreadable", "expected: at least one layer")


GATES = {"and": "{n}({x})", "or": "1({x})", "xor": "^({x})", "majority": "{more}({x})"}
GATES |= {"nand": "!({n}({x}))", "nor": "!(1({x}))", "xnor": "!(^({x}))", "copy": "{x}"}
KEYS = {"network": "file layers activation final", "domain": "features max_active", "outputs": "gate over formulas"}
KEYS |= {"readout": "mode at margin within", "arithmetic": "of", "expect": "verdict"}
GIVEN = {"threshold": "110", "epsilon": "001", "equality": "000", "separable": "000"}


def prefixed(node: Any) -> str:
    """A formula of a spec as the core form has it: `x0 & ~x1` is `2(x0,!(x1))`."""
    match node:
        case ast.Name(name) if re.fullmatch(r"x[0-9]{1,9}", name):
            return f"x{int(name[1:])}"
        case ast.Constant(0 | 1 as truth):
            return f"{1 - truth}()"
        case ast.UnaryOp(ast.Invert(), inner):
            return f"!({prefixed(inner)})"
        case ast.Call(ast.Name("atleast"), [ast.Constant(int(head)), *parts]):
            return f"{head}({','.join(map(prefixed, parts))})"
        case ast.BinOp(left, ast.BitAnd() | ast.BitOr() | ast.BitXor() as sign, right):
            terms = [right]  # `left` may be of the same kind, in no parentheses of its own
            while (left.col_offset, type(getattr(left, "op", 0))) == (node.col_offset, type(sign)):
                left, terms = left.left, [left.right, *terms]  # type: ignore[attr-defined]
            kinds = {ast.BitAnd: len(terms) + 1, ast.BitOr: 1, ast.BitXor: "^"}
            return f"{kinds[type(sign)]}({','.join(map(prefixed, [left, *terms]))})"
    raise CheckError("unreadable", "expected: a formula of x0, ..., ~ & ^ | atleast(n, ...) 0 1")


def core_claims(spec: dict[str, Any], k: int | None) -> str:
    """The claims of a spec in core form."""
    for name, table in spec.items():
        need(name == "audit" or table.keys() <= set(KEYS.get(name, "").split()), "known keys")
    need(spec.get("arithmetic", {}).get("of", "real") == "real", "real arithmetic")
    domain, outputs, readout = spec["domain"], spec["outputs"], spec["readout"]
    m, k = domain["features"], domain["max_active"] if k is None else k
    need(type(m) is type(k) is int and {*outputs} in ({"formulas"}, {"gate", "over"}), "outputs")
    margin = readout.get("margin", {"threshold": 0}.get(readout["mode"]))
    numbers = [readout.get("at"), margin, readout.get("within")]
    ends = " ".join(["-" if n is None else str(rational(n)) for n in numbers])
    lines = ["supercheck-claims 1", f"{m} {k} {readout['mode']} {ends}"]
    for text in outputs.get("formulas", ()):
        need(re.fullmatch(FORMULA, text), "a formula")
        lines.append(prefixed(ast.parse(text.strip(), mode="eval").body))
    over = outputs.get("over", ())
    for part in combinations(range(min(m, MOST)), 2) if over == "all-pairs" else over:
        n, names = len(part), ",".join([f"x{j}" for j in part])
        fits = len(set(part)) == n and {*map(type, part)} == {int} and len(lines) < MOST
        need(fits and (outputs["gate"] != "copy" or n == 1), "few tuples of features; one to copy")
        lines.append(GATES[outputs["gate"]].format(n=n, more=n // 2 + 1, x=names))
    return "\n".join([*lines, ""])


class Claims:
    """What is to be proved, from its core form."""

    def __init__(self, text: str) -> None:
        title, head, *self.formulas, end = text.split("\n")
        m, k, self.mode, *ends = head.split(" ")
        self.features, self.room = int(m), int(k)
        self.at, self.margin, self.within = (0 if n == "-" else rational(n) for n in ends)
        given = "".join("01"[n != "-"] for n in ends)  # at, margin, within
        fits = title == "supercheck-claims 1" and self.formulas and not end
        need(fits and 0 <= self.room <= self.features > 0, "claims in core form, 0 <= k <= m")
        need(given == GIVEN[self.mode] and min(self.margin, self.within) >= 0, self.mode)
        self.digest = hashlib.sha256(text.encode()).hexdigest()
        self.formula = cache(self.parsed)

    def parsed(self, output: int) -> tuple[Any, list[int]]:
        """An output's formula, ["x", j] ["!", part] ["^", ...] [at least, ...]; its features."""
        text = self.formulas[output]
        support = sorted({int(j) for j in re.findall(r"x([0-9]+)", text)})
        fits = re.fullmatch(r"[x0-9!^(),]+", text) and max(support, default=0) < self.features
        need(fits, f"a formula of the domain's features, not {text:.60}")
        lists = re.sub(r"([!^])\(", r'["\1",', re.sub(r"([0-9]+)\(", r"[\1,", text))
        lists = re.sub(r"x([0-9]+)", r'["x",\1]', lists).replace(")", "]").replace(",]", "]")
        return json.loads(lists), support


def value(formula: Any, fixed: Mapping[int, int], rest: int | None) -> int | None:
    """What a formula says where some features are fixed and the others `rest`; None if unknown."""
    kind, *parts = formula
    if kind == "x":
        return fixed.get(parts[0], rest)
    inner = [value(part, fixed, rest) for part in parts]
    on, unknown = inner.count(1), inner.count(None)
    if type(kind) is int:
        return 1 if on >= kind else 0 if on + unknown < kind else None
    need(kind == "^" or (kind == "!" and len(parts) == 1), "a formula")
    return None if unknown else (on if kind == "^" else on + 1) & 1


def listed(formula: Any, support: list[int]) -> set[frozenset[int]] | None:
    """The rows at which a truth table's function is on: an OR of whole assignments; else None."""
    found = set[frozenset[int]]()
    rows: list[Any] = formula[1:] if formula[0] == 1 else [[0]]
    for n, *parts in rows:
        if not n == len(parts) == len(support) > 0:
            return None
        on = [part[1] for part in parts if part[0] == "x"]
        off = [part[1][1] for part in parts if part[0] == "!" and part[1][0] == "x"]
        if sorted(on + off) != support:
            return None
        found.add(frozenset(on))
    return found


def question(network: str, spec: str, k: int | None) -> tuple[Network, Claims]:
    """Read the network and what is claimed of it."""
    try:
        need(max(Path(file).stat().st_size for file in (network, spec)) <= LARGEST, "smaller files")
        raw = Path(spec).read_bytes()
        core = k is None and raw.startswith(b"supercheck-claims ")  # else k says otherwise
        table = CORE if core else tomllib.loads(raw.decode(), parse_float=rational)
        claims = Claims(raw.decode() if core else core_claims(table, k))
        need([value(claims.formula(i)[0], {}, 0) for i in range(len(claims.formulas))], "formulas")
        said = map(table.get("network", {}).get, ("layers", "activation", "final"))
        found = read_network(network, *said)
        fits = (found.features, len(found.output)) == (claims.features, len(claims.formulas))
        need(fits, f"a network of {claims.features} features, {len(claims.formulas)} outputs")
    except Exception as error:  # whatever a foreign file does wrong
        why = f"{type(error).__name__} {str(error.args[-1:])[1:-2]}"
        raise CheckError("unreadable", f"{network!r}, {spec!r}: {why}") from error
    return found, claims
