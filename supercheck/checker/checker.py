"""Checks a certificate. Standard library only; shares no code with the program that wrote it.

    python checker.py CERTIFICATE... NETWORK SPEC [-k K] [--accept-solver] [--budget N]

NETWORK is a safetensors, NPZ or JSON file, SPEC a TOML file or the core form of its claims. Exit: 0
proof accepted; 1 rejected, or a refutation confirmed; 2 unreadable; 3 not checked to the end.
Nothing in a certificate is trusted: a wrong one is rejected. Digests are for diagnosis.

The claim. On every input with at most k of the m features on, each output y_i keeps to what the
readout demands where its formula is on, and to what it demands where that is off.

The normal form. Every stored number is a ratio. A hidden row with its bias is scaled to coprime
integers, its positive factor moves on, since ReLU(z d) = d ReLU(z) for d > 0. So hidden values are
integers, and y_i = b + s (w . h) with s > 0: what is demanded of y_i becomes lo <= w . h <= hi.

The proof is a tree for every output, its root first. A state is all inputs in which some features
are fixed and at most `room` others on. A feature is a branch on it (on, then off), `g` proves hi,
then lo, `.` branches on all features of the formula. A leaf closes its state:
  e    all inputs are evaluated; features that neither y_i nor its formula needs are left off.
  a b  the formula is known, and a linear bound above w . h (-w . h) keeps to the goal. Where
       L <= z <= U, ReLU(z) >= t z for 0 <= t <= 1, and ReLU(z) <= t z + u if that is so at L and U
       (ReLU is convex): rounding t costs tightness, never soundness.
  z    a solver's word; nothing is checked, and the outcome says so.
"""

import argparse
import ast
import hashlib
import io
import json
import re
import struct
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cache, partial
from itertools import accumulate, chain, combinations, pairwise
from math import ceil, floor, gcd, inf, lcm, prod
from pathlib import Path
from typing import Any, NamedTuple

BUDGET = 10**11  # units of work, about a multiplication of many at once each: some ten minutes
LARGEST, LONGEST = 1 << 30, 1 << 26  # bytes of a file, and of a line of a certificate
BITS, LANES = 1 << 14, 1 << 8  # of a common denominator; outputs that are evaluated together
WIDEST, MOST = 10**7, 10**6  # columns whose zeros are not stored; outputs
SLOPE_BITS, ONE = 12, 1 << 12  # of a slope, and the slope 1


class CheckError(Exception):
    """A status, "unreadable", "rejected" or "unchecked", and why."""


class Outcome(NamedTuple):
    """What came of a certificate: accepted, refutation, rejected or unchecked; and in words."""

    status: str
    reason: str
    assumptions: tuple[str, ...] = ()


def need(condition: object, expected: str, status: str = "unreadable") -> None:
    """Refuse a network or spec that is not as it should be."""
    if not condition:
        raise CheckError(status, f"expected: {expected}")


hold = partial(need, status="rejected")  # the same for a certificate
FORMS = dict(re.findall("(..)(.)", "i1bi2hi4ii8qu1Bu2Hu4Iu8Qf2ef4ff8db1?"))
DTYPES = {"BOOL": "b1", **{f"{f[0].upper()}{8 * int(f[1])}": f for f in FORMS if f != "b1"}}
CODES = {"accepted": 0, "refutation": 1, "rejected": 1, "unchecked": 3}
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


class Proof:
    """A network, claims of it, which outputs are proved, and the work that the rest may take."""

    def __init__(self, network: Network, claims: Claims, budget: int) -> None:
        self.network, self.claims, self.left, self.room = network, claims, budget, claims.room
        self.parted: dict[int, tuple[int, int]] = {}  # separable: greatest off and least on w . h
        self.proved, self.words = bytearray(len(claims.formulas)), set[int]()

    def spend(self, work: int, free: int = 0, room: int = 0) -> None:
        """Pay for work before it is done, once for each set of at most `room` of `free` things."""
        for n in range(min(free, room) + 1):
            self.left -= work
            need(self.left >= 0, "a smaller proof; the budget is spent", "unchecked")
            work = work * (free - n) // (n + 1)

    def goals(self, i: int) -> list[dict[int, Any]]:
        """The most that w . h (1) and -w . h (-1) may be where the formula is off, and where on."""
        c, e, b, s = self.claims, self.claims.within, self.network.bias[i], self.network.scale[i]
        if c.mode == "separable":
            return [{1: self.parted[i][0], -1: inf}, {1: inf, -1: -self.parted[i][1]}]
        if c.mode == "threshold":  # y <= at - margin, y > at + margin
            most, least = floor((c.at - c.margin - b) / s), floor((c.at + c.margin - b) / s) + 1
            return [{1: most, -1: inf}, {1: inf, -1: -least}]
        return [{1: floor((f + e - b) / s), -1: -ceil((f - e - b) / s)} for f in (0, 1)]

    def tree(self, i: int, text: str) -> None:
        """Check the proof of one output."""
        words, sheet = iter(text.split(" ")), None
        stack: list[Any] = [({}, self.room, (1, -1))]
        while stack:
            (fixed, room, sides), word = stack.pop(), next(words, "nothing")
            self.spend(10 + len(fixed))
            if word.isdecimal():
                j = int(word)
                hold(room and j < self.network.features and j not in fixed, f"no branch on x{j}")
                stack += [(fixed | {j: on}, room - on, sides) for on in (0, 1)]
            elif word == "g":
                stack += [(fixed, room, (-1,)), (fixed, room, (1,))]
            elif word == "e":
                (sheet := sheet or Sheet(self, [i])).evaluate(fixed, room)
            elif word == "z":
                self.words.add(i)
            else:
                hold(word in ("a", "b", ".a", ".b"), f"a token of a tree, not {word:.40}")
                self.close(i, word, fixed, room, sides)
        hold(next(words, None) is None, "nothing after a tree")

    def close(self, i: int, word: str, fixed: dict[int, int], room: int, sides: Any) -> None:
        """Close a leaf by linear bounds; its cases fix the same features and share forms."""
        (formula, support), goals = self.claims.formula(i), self.goals(i)
        hidden, cone = self.network.hidden, self.network.cone([i], 1)
        forms, ends, ranges = dict[Any, dict[int, int]](), dict[Any, Any](), list[dict[int, Any]]()
        free = [j for j in support if j not in fixed] if word[0] == "." else []
        off, size = fixed | dict.fromkeys(free, 0), len(self.claims.formulas[i])
        self.spend(size + sum(map(len, cone)) * (20 + len(off)), len(free), room)

        def bounds(key: Any, form: dict[int, int]) -> tuple[int, int, int]:
            """A form's value in a case if no other feature is on; its least and greatest value."""
            if key not in ends:
                self.spend(len(form))
                rest = form.copy()
                own = [(j, rest.pop(j)) for j in off if j in rest]
                n = min(room, len(rest))
                sizes = sorted([*rest.values(), *[0] * n])  # a feature may be off as well
                sums = [accumulate(end, initial=0) for end in (sizes[:n], sizes[: -n - 1 : -1])]
                ends[key] = own, *map(list, sums)
            own, least, most = ends[key]
            base, n = sum([w for j, w in own if case[j]]), min(left, len(most) - 1)
            return base, base + least[n], base + most[n]

        def highest(form: dict[int, int], scale: int, depth: int) -> int:
            """A bound above `scale` times a form in what enters layer `depth`."""
            constant, shift, key = 0, SLOPE_BITS * depth, tuple[Any, ...]()
            for layer in range(depth - 1, -1, -1):
                (rows, biases), here, slopes = hidden[layer], ranges[layer], dict[int, int]()
                self.spend(len(form))
                constant <<= SLOPE_BITS
                for r, c in form.items():
                    (low, high, steep), c = here[r], c * scale
                    slope = ONE if low >= 0 or steep else 0
                    if low < 0 < high and c > 0:
                        slope = ((high << SLOPE_BITS) + (high - low) // 2) // (high - low)
                        constant += c * max(-slope * low, (ONE - slope) * high)
                    if high > 0 and slope:
                        slopes[r] = c * slope
                        constant += c * slope * biases[r]
                scale = gcd(*slopes.values()) * (-1 if sum(slopes.values()) < 0 else 1) or 1
                key = (layer, *[(r, c // scale) for r, c in slopes.items()])  # factors apart
                if key not in forms:
                    self.spend(sum([len(rows[r]) for r in slopes]))
                    total = dict[int, int]()
                    for r, c in key[1:]:
                        for j, w in rows[r].items():
                            total[j] = total.get(j, 0) + c * w
                    forms[key] = total
                form = forms[key]
            _, low, high = bounds(key, form)
            return (constant + max(scale * low, scale * high)) >> shift

        many = range(min(room, len(free)) + 1)
        for on in chain.from_iterable(combinations(free, n) for n in many):
            case, left = off | dict.fromkeys(on, 1), room - len(on)
            known = value(formula, case, None if left else 0)
            hold(known is not None, f"y{i}: a leaf at which its formula is known")
            ranges.clear()
            for depth, ((rows, biases), used) in enumerate(zip(hidden, cone, strict=False)):
                ranges.append({})
                for r in used:
                    if depth:
                        low, high = -highest(rows[r], -1, depth), highest(rows[r], 1, depth)
                        middle = low + high + biases[r]
                    else:
                        middle, low, high = bounds(r, rows[r])
                    low, high, middle = low + biases[r], high + biases[r], middle + biases[r]
                    ranges[depth][r] = low, high, high > -low if word[-1] == "a" else middle > 0
            for sign in sides:
                most = goals[known or 0][sign]
                found = most if most == inf else highest(self.network.output[i], sign, len(hidden))
                hold(found <= most, f"y{i}: a leaf that is closed")


class Sheet:
    """Some outputs, to be evaluated on many inputs; w . h of each is a lane of one integer."""

    def __init__(self, proof: Proof, outputs: Sequence[int]) -> None:
        self.proof, self.outputs, self.hidden = proof, outputs, proof.network.hidden
        rows, self.cone = [proof.network.output[i] for i in outputs], proof.network.cone(outputs)
        self.asked = [proof.claims.formula(i) for i in outputs]
        self.tables = [listed(*part) for part in self.asked]
        self.work = 10 + len(self.cone[-1]) * len(self.asked)
        for i, (_, part), table in zip(outputs, self.asked, self.tables, strict=True):
            self.work += len(proof.claims.formulas[i] if table is None else part)
        peak = dict.fromkeys(self.cone[0], 1)  # no value is greater
        for (own, b), used in zip(self.hidden, self.cone[1:], strict=True):
            self.work += sum([8 + len(own[r]) for r in used])
            peak = {r: abs(b[r]) + sum([abs(w) * peak[j] for j, w in own[r].items()]) for r in used}
        self.most = 1 + max(sum([abs(w) * peak[r] for r, w in row.items()]) for row in rows)
        self.bits = self.most.bit_length() + 3
        self.columns = {r: self.lanes([row.get(r, 0) for row in rows]) for r in self.cone[-1]}

    def lanes(self, numbers: Iterable[int]) -> int:
        """One number an output, as one integer."""
        return sum([number << self.bits * lane for lane, number in enumerate(numbers)])

    def total(self, h: dict[int, int]) -> int:
        """The integers w . h on one input."""
        for (rows, biases), used in zip(self.hidden, self.cone[1:], strict=True):
            h = {r: z for r in used if (z := biases[r] + dot(rows[r], h)) > 0}
        return dot(self.columns, h)

    def evaluate(self, fixed: dict[int, int], room: int) -> None:
        """Evaluate them on all inputs of a state."""
        asked, top, most = self.asked, self.lanes([1 << self.bits - 1] * len(self.asked)), self.most
        free = sorted(set(self.cone[0]).union(*(part for _, part in asked)) - fixed.keys())
        self.proof.spend(self.work, len(free), room)
        both = [[(-g[-1], g[1]) for g in self.proof.goals(i)] for i in self.outputs]
        ends = [[[max(-most, min(most, end)) for end in pair] for pair in two] for two in both]
        base = [value(formula, {}, 0) or 0 for formula, _ in asked]
        bounds = [self.lanes([ends[i][on][side] for i, on in enumerate(base)]) for side in (0, 1)]
        of = {j: [i for i, (_, part) in enumerate(asked) if j in part] for j in (*free, *fixed)}
        many, own = range(min(room, len(free)) + 1), {j: 1 for j, on in fixed.items() if on}
        for others in chain.from_iterable(combinations(free, n) for n in many):
            active = own | dict.fromkeys(others, 1)
            y, (low, high) = self.total(active), bounds
            for i in set[int]().union(*[of[j] for j in active]):
                (formula, part), table = asked[i], self.tables[i]
                on = value(formula, active, 0) if table is None else active.keys() & part in table
                if on != base[i]:
                    (a, b), (c, d) = ends[i][base[i]], ends[i][1 - base[i]]
                    low, high = low + (c - a << self.bits * i), high + (d - b << self.bits * i)
            hold((y - low + top) & (high - y + top) & top == top, "outputs that are right")


def refute(proof: Proof, i: int, inputs: list[list[int]]) -> None:
    """Confirm that an output is wrong on an input; separable: on an off and an on input."""
    claims, sheet = proof.claims, Sheet(proof, [i])
    fits = i >= 0 and all(0 <= j < claims.features for j in chain(*inputs))
    hold(fits and all(len(set(on)) == len(on) <= claims.room for on in inputs), "possible inputs")
    truths = [value(sheet.asked[0][0], dict.fromkeys(on, 1), 0) for on in inputs]
    totals = [sheet.total(dict.fromkeys(on, 1)) for on in inputs]
    if claims.mode == "separable":
        hold(truths == [0, 1], "an off and an on input")
        proof.parted[i] = totals[1] - 1, totals[1]
    goal = proof.goals(i)[truths[0] or 0]
    hold(totals[0] > goal[1] or -totals[0] > goal[-1], f"y{i} to be wrong")


def read(file: str, proof: Proof, old: str) -> str:
    """Check one file; returns its verdict."""
    with open(file, "rb") as stream:
        lines = (line.decode("ascii")[:-1] for line in iter(lambda: stream.readline(LONGEST), b""))
        hold(next(lines, "") == "supercheck-certificate 1", "a certificate")
        for name, digest in (("network", proof.network.digest), ("claims", proof.claims.digest)):
            hold(next(lines, "") == f"{name} {digest}", f"a certificate of this {name}: digest")
        verdict, done = next(lines, ""), proof.proved
        kind, output, active = f"{verdict}  ".split(" ", 2)
        hold(kind in ("proved", "refuted", "refuted-minimal") and old in ("", verdict), "a verdict")
        if kind != "proved" and not old:
            inputs = [[int(j) for j in part.split()] for part in active.split("/")]
            refute(proof, int(output), inputs)
            proof.room = max(map(len, inputs)) - 1 if kind == "refuted-minimal" else -1
        for count, line in enumerate(lines):
            head, _, text = line.partition(" ")
            if head == "end":
                hold(text == str(count) and next(lines, None) is None, "an end after all lines")
                return verdict
            hold(proof.room >= 0, "an end: a refutation has nothing more to prove")
            first, last = (int(n) for n in (head.split("-") * 2)[:2])
            if text[:1] == "@":
                low, high = map(int, text[1:].split(","))
                hold(low < high, "bounds that part the classes")
                proof.parted[first] = low, high
                continue
            hold(first <= last < len(done) and not any(done[first : last + 1]), "each output once")
            for i in range(first, last + 1, LANES if text == "e" else 1):
                if text == "e":
                    Sheet(proof, range(i, min(i + LANES, last + 1))).evaluate({}, proof.room)
                else:
                    proof.tree(i, text)
            done[first : last + 1] = bytes([1]) * (last + 1 - first)
    raise CheckError("rejected", "expected: an end")


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


def check(files: Iterable[str], network: Network, claims: Claims, **limits: int) -> Outcome:
    """Check a certificate, or the shards of one; `accept_solver` and `budget` are the limits."""
    proof, verdict = Proof(network, claims, limits.get("budget", BUDGET)), ""
    domain = f"every input with at most {claims.room} of {claims.features} features on"
    assumed = f"; assumed: {', '.join(network.assumed)}" if network.assumed else ""
    try:
        for file in files:
            verdict = read(file, proof, verdict)
        hold(proof.room < 0 or all(proof.proved), "a proof of each output")
        need(limits.get("accept_solver") or not proof.words, "no solver's word", "unchecked")
    except CheckError as error:
        return Outcome(error.args[0], ": ".join(error.args))
    except (ArithmeticError, LookupError, MemoryError, RecursionError, ValueError) as error:
        status = "unchecked" if isinstance(error, MemoryError | RecursionError) else "rejected"
        return Outcome(status, f"{status}: {type(error).__name__}: {error}")
    kind, *on = verdict.split(" ")
    if kind == "proved":
        return Outcome(
            "accepted", f"PROVED, confirmed: {len(proof.proved)} outputs, {domain}{assumed}", network.assumed
        )
    least = "; no input with fewer on is wrong" if kind == "refuted-minimal" else ""
    why = f"REFUTED, confirmed: y{on[0]}, on: {' '.join(on[1:])}{least}{assumed}"
    return Outcome("refutation", why, network.assumed)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Checks certificates of a network and a spec.")
    parser.add_argument("files", nargs="+", metavar="CERTIFICATE... NETWORK SPEC")
    parser.add_argument("-k", type=int, help="how many features may be on; wins over the spec")
    parser.add_argument("--accept-solver", action="store_true", help="count a solver's word")
    parser.add_argument("--budget", type=int, default=BUDGET, help="units of work")
    limits = vars(parser.parse_args(arguments))
    try:
        *certificates, network, spec = limits.pop("files")
        outcome = check(certificates, *question(network, spec, limits.pop("k")), **limits)
    except (CheckError, OSError, ValueError) as error:
        print(f"unreadable: {error.args[-1]}", file=sys.stderr)
        return 2
    print(outcome.reason)
    return CODES[outcome.status]


if __name__ == "__main__":
    sys.exit(main())
