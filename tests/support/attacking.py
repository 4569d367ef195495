"""Random questions in files, and what is true of them by brute force; nothing of supercheck is used.

Most are decided by a hair: the threshold is the greatest value of an off input, or a little less.
"""

from __future__ import annotations

import json
import random
import struct
import zipfile
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from oracle import Stored, inputs, run

Formula = tuple[Any, ...]
GATES = {
    "and": lambda on, n: on == n, "or": lambda on, n: on > 0, "xor": lambda on, n: on % 2 == 1,
    "nand": lambda on, n: on < n, "nor": lambda on, n: on == 0, "xnor": lambda on, n: on % 2 == 0,
    "majority": lambda on, n: 2 * on > n, "copy": lambda on, n: on == 1,
}  # fmt: skip


def written(formula: Formula) -> str:
    """A formula as a spec has it."""
    kind, *parts = formula
    if kind == "x":
        return f"x{parts[0]}"
    inner = [written(part) for part in parts]
    if kind == "~":
        return f"~({inner[0]})"
    return f"atleast({', '.join(map(str, [kind, *inner]))})" if type(kind) is int else f"({f' {kind} '.join(inner)})"


def means(formula: Formula, on: frozenset[int]) -> bool:
    """A formula's truth."""
    kind, *parts = formula
    if kind == "x":
        return parts[0] in on
    if kind == "gate":
        return bool(GATES[parts[0]](len(on & set(parts[1])), len(parts[1])))
    found = sum(means(part, on) for part in parts)
    if type(kind) is int:
        return found >= kind
    return {"~": found == 0, "^": found % 2 == 1, "&": found == len(parts), "|": found > 0}[kind]


@dataclass(eq=False)
class Question:
    """A question, and y and truth of every output on every input; `room` is the k that is asked."""

    stored: Stored
    formulas: list[Formula]
    readout: dict[str, Any]
    features: int
    room: int
    table: dict[tuple[int, ...], list[tuple[Fraction, bool]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for active in inputs(self.features, self.features):
            y = run(self.stored, [int(j in active) for j in range(self.features)])
            self.table[active] = [(v, means(f, frozenset(active))) for v, f in zip(y, self.formulas, strict=True)]

    def wrong(self, i: int, active: tuple[int, ...]) -> bool:
        """Whether an output is wrong on an input; not for mode separable."""
        (y, on), own = self.table[active][i], {name: Fraction(n) for name, n in self.readout.items() if name != "mode"}
        if self.readout["mode"] == "threshold":
            return y <= own["at"] + own["margin"] if on else y > own["at"] - own["margin"]
        return abs(y - on) > own.get("within", 0)

    def ends(self, i: int, room: int) -> tuple[list[Fraction], list[Fraction]]:
        """All values of an output where it is off, and where on."""
        found = [row[i] for active, row in self.table.items() if len(active) <= room]
        return [y for y, on in found if not on], [y for y, on in found if on]

    def right(self, room: int) -> bool:
        """Whether every output is right on every input with at most `room` features on."""
        if self.readout["mode"] == "separable":
            both = [self.ends(i, room) for i in range(len(self.formulas))]
            return not any(off and on and max(off) >= min(on) for off, on in both)
        few = [active for active in self.table if len(active) <= room]
        return not any(self.wrong(i, active) for active in few for i in range(len(self.formulas)))

    def refuted(self, i: int, sides: list[tuple[int, ...]]) -> bool:
        """Whether an output is wrong on what a refutation names."""
        sides = [tuple(sorted(side)) for side in sides]
        if any(side not in self.table or len(side) > self.room for side in sides):
            return False
        if self.readout["mode"] != "separable":
            return len(sides) == 1 and self.wrong(i, sides[0])
        truths = [self.table[side][i] for side in sides]
        return [on for _, on in truths] == [False, True] and truths[0][0] >= truths[1][0]


def random_formula(draw: random.Random, features: int, depth: int = 3) -> Formula:
    """A formula of a few features."""
    if not depth or draw.random() < 0.3:
        return ("x", draw.randrange(features))
    parts = [random_formula(draw, features, depth - 1) for _ in range(draw.randint(1, 3))]
    return (draw.choice(["~", "&", "|", "^", draw.randrange(4)]), *parts)


def random_question(draw: random.Random) -> Question:
    """Small networks of every shape; the numbers make ties likely, or are large, or float32."""
    features, count = draw.randint(1, 5), draw.choice([1, 1, 1, 2, 3])
    sizes = [features, *[draw.randint(1, 4) for _ in range(draw.choice([0, 1, 1, 2, 2, 3]))], count]
    kind = draw.choice(["whole", "whole", "large", "dyadic", "float32"])

    def number() -> Fraction:
        if draw.random() < 0.2:
            return Fraction(0)
        if kind == "float32":
            return Fraction(struct.unpack("<f", struct.pack("<f", draw.gauss(0, 1)))[0])
        scale: dict[str, int | Fraction] = {
            "whole": 1,
            "dyadic": Fraction(1, draw.choice([1, 2, 4])),
            "large": draw.choice([1, 3, 10**6 + 3]),
        }
        return Fraction(draw.randint(-4, 4)) * scale[kind]

    stored: Stored = []
    for before, after in pairwise(sizes):
        empty = draw.random() < 0.1
        weight = [[Fraction(0) if empty and not r else number() for _ in range(before)] for r in range(after)]
        stored.append((weight, [number() for _ in range(after)], len(stored) < len(sizes) - 2))
    if draw.random() < 0.5:
        name = draw.choice(sorted(GATES))
        size = [1 if name == "copy" else draw.randint(1, min(3, features)) for _ in range(count)]
        formulas: list[Formula] = [("gate", name, draw.sample(range(features), n)) for n in size]
    else:
        formulas = [one_formula(draw, features) for _ in range(count)]
    room = draw.choice([0, 1, 1, 2, 2, 2, 3, 4, 5])
    question = Question(stored, formulas, {"mode": "separable"}, features, min(room, features))
    return by_a_hair(draw, question)


def leaning_question(draw: random.Random) -> Question:
    """Neurons that are mostly on and enter the output with both signs: the claim hangs on their lower lines, too.

    With the function that is always off every leaf is one at which it is known.
    """
    features, whole = draw.randint(2, 4), draw.random() < 0.5
    sizes = [features, *[draw.randint(2, 3) for _ in range(draw.choice([1, 1, 2]))], 1]

    def number(negative: float) -> Fraction:
        size = draw.randint(1, 9) if whole else struct.unpack("<f", struct.pack("<f", draw.uniform(0, 9)))[0]
        return Fraction(size) * (-1 if draw.random() < negative else 1)

    stored: Stored = []
    for before, after in pairwise(sizes):
        last = len(stored) == len(sizes) - 2
        weight = [[number(0.5 if last else 0.25) for _ in range(before)] for _ in range(after)]
        stored.append((weight, [number(0.5) if draw.random() < 0.5 else Fraction(0) for _ in range(after)], not last))
    never: Formula = (2, ("x", 0))
    return by_a_hair(draw, Question(stored, [never], {"mode": "separable"}, features, draw.randint(1, features)))


def one_formula(draw: random.Random, features: int) -> Formula:
    """A formula; a negation has one part."""

    def mended(formula: Formula) -> Formula:
        kind, *parts = formula
        return formula if kind == "x" else (kind, *map(mended, parts[:1] if kind == "~" else parts))

    return mended(random_formula(draw, features))


def by_a_hair(draw: random.Random, question: Question) -> Question:
    """Choose the readout so that one input decides."""
    off, on = question.ends(draw.randrange(len(question.formulas)), question.room)
    hair: Any = Fraction(1, draw.choice([1, 2, 10**9]))
    mode = draw.choice(["threshold", "threshold", "threshold", "separable", "epsilon", "equality"])
    readout: dict[str, Any] = {"mode": mode}
    if mode == "threshold":
        margin = draw.choice([Fraction(0), Fraction(0), Fraction(1, 2), Fraction(1, 3)])
        edge = draw.choice([y + margin for y in sorted(off)[-1:]] + [y - margin for y in sorted(on)[:1]])
        readout |= {"at": edge + draw.choice([0, 0, 0, hair, -hair]), "margin": margin}
    elif mode == "epsilon":
        edge = max(abs(y - truth) for truth, ys in ((0, off), (1, on)) for y in ys)
        readout["within"] = max(Fraction(0), edge + draw.choice([0, 0, hair, -hair]))
    question.readout = readout
    return question


def text_of(number: Fraction) -> str:
    """A number in JSON, exactly."""
    return f'"{number}"'


def write_network(draw: random.Random, question: Question, folder: Path) -> Path:
    """The network as JSON, safetensors or NPZ, dense or sparse; numbers that a double does not hold go to JSON."""
    numbers = [n for weight, bias, _ in question.stored for row in [*weight, bias] for n in row]
    fits = all(n == Fraction(float(n)) for n in numbers)
    kind = draw.choice(["json", "safetensors", "npz", "sparse"]) if fits else "json"
    tensors: dict[str, tuple[list[int], list[Any]]] = {}
    for at, (weight, bias, _) in enumerate(question.stored):
        name, size = f"{2 * at}.weight", [len(weight), len(weight[0])]
        if kind == "sparse":
            used = [[(j, w) for j, w in enumerate(row) if w] for row in weight]
            starts = [sum(map(len, used[:r])) for r in range(len(used) + 1)]
            flat = [pair for row in used for pair in draw.sample(row, len(row))]
            tensors[f"{name}.data"] = [len(flat)], [float(w) for _, w in flat]
            tensors[f"{name}.indices"] = [len(flat)], [j for j, _ in flat]
            tensors[f"{name}.indptr"], tensors[f"{name}.shape"] = ([len(starts)], starts), ([2], size)
        else:
            tensors[name] = size, [w for row in weight for w in row]
        if any(bias):
            tensors[f"{2 * at}.bias"] = [len(bias)], bias
    file = folder / f"network.{'npz' if kind == 'sparse' else kind}"
    if kind == "json":
        lists = {}
        for name, (shape, flat) in tensors.items():
            cells = [str(n) for n in flat]
            lists[name] = (
                cells if len(shape) == 1 else [cells[i : i + shape[1]] for i in range(0, len(cells), shape[1])]
            )
        file.write_text(json.dumps(lists))
        return file
    packed = {}
    for name, (shape, flat) in tensors.items():
        whole = name.endswith(("indices", "indptr", "shape"))
        packed[name] = shape, struct.pack(f"<{len(flat)}{'q' if whole else 'd'}", *flat), "i8" if whole else "f8"
    if kind == "safetensors":
        header, body = {}, b""
        for name, (shape, raw, _) in packed.items():
            header[name] = {"dtype": "F64", "shape": shape, "data_offsets": [len(body), len(body := body + raw)]}
        text = json.dumps(header).encode()
        file.write_bytes(len(text).to_bytes(8, "little") + text + body)
        return file
    with zipfile.ZipFile(file, "w") as archive:
        for name, (shape, raw, form) in packed.items():
            sizes = f"{shape[0]}," if len(shape) == 1 else ", ".join(map(str, shape))
            head = f"{{'descr': '<{form}', 'fortran_order': False, 'shape': ({sizes}), }}\n".encode()
            archive.writestr(f"{name}.npy", b"\x93NUMPY\1\0" + len(head).to_bytes(2, "little") + head + raw)
    return file


def write_spec(question: Question, folder: Path) -> Path:
    """The spec as TOML."""
    first, lines = question.formulas[0], [f"[domain]\nfeatures = {question.features}\nmax_active = {question.room}"]
    if first[0] == "gate":
        lines.append(f'[outputs]\ngate = "{first[1]}"\nover = {[list(part) for _, _, part in question.formulas]}')
    else:
        lines.append(f"[outputs]\nformulas = {[written(formula) for formula in question.formulas]}")
    lines.append(f'[readout]\nmode = "{question.readout["mode"]}"')
    lines += [f'{name} = "{n}"' for name, n in question.readout.items() if name != "mode"]
    (folder / "spec.toml").write_text("\n".join(lines) + "\n")
    return folder / "spec.toml"
