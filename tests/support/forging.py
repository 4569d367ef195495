"""Forges certificates of a question, most of them of false claims; the checker under attack is an argument."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

from attacking import Question, leaning_question, random_question, write_network, write_spec


def tree(draw: random.Random, features: int, room: int, fixed: frozenset[int] = frozenset(), depth: int = 3) -> str:
    """A proof of the right shape, over every rule."""
    free = [j for j in range(features) if j not in fixed]
    if room and free and depth and draw.random() < 0.45:
        j = draw.choice(free)
        parts = [tree(draw, features, room - on, fixed | {j}, depth - 1) for on in (1, 0)]
        return " ".join([str(j), *parts])
    if depth == 3 and draw.random() < 0.2:
        return f"g {tree(draw, features, room, fixed, 2)} {tree(draw, features, room, fixed, 2)}"
    return draw.choice(["e", "a", "b", ".a", ".b", ".a", ".b"])


WORDS = [
    "",
    "e",
    "a",
    "b",
    ".a",
    ".b",
    "g",
    "x",
    ".",
    "z",
    "p",
    "-1",
    "0",
    "1",
    "2",
    "99",
    "9" * 5000,
    "1e3",
    ".e",
    "\u0661",
]


def garbled(draw: random.Random, text: str, words: list[str] = WORDS) -> str:
    """A line with one of its words dropped, doubled, exchanged or replaced."""
    parts, at = text.split(" "), draw.randrange(len(text.split(" ")))
    other = draw.choice(parts)
    parts[at : at + 1] = draw.choice(
        [[], [parts[at]] * 2, [other], [draw.choice(words)], [parts[at], draw.choice(words)]]
    )
    return " ".join(parts)


class Forger:
    """Writes certificates of one question, which need not be proofs of it, and says what they amount to."""

    def __init__(self, checker: ModuleType, draw: random.Random, question: Question, folder: Path) -> None:
        self.checker, self.draw, self.question, self.folder = checker, draw, question, folder
        files = str(write_network(draw, question, folder)), str(write_spec(question, folder))
        self.network, self.claims = checker.question(*files, None)
        self.head = f"supercheck-certificate 1\nnetwork {self.network.digest}\nclaims {self.claims.digest}"

    def lines(self, room: int) -> list[str]:
        """A line for every output, or a range of them; a bound before each in mode separable."""
        draw, question, count, found = self.draw, self.question, len(self.question.formulas), []
        first = 0
        while first < count:
            last = draw.choice([first, first, count - 1])
            if question.readout["mode"] == "separable":
                for i in range(first, last + 1):
                    off, on = question.ends(i, room)
                    scale, bias = self.network.scale[i], self.network.bias[i]
                    edge = draw.choice(sorted(off)[-1:] + sorted(on)[:1])
                    low = int((edge - bias) / scale) + draw.choice([-1, 0, 0, 0])
                    high = low + draw.choice([1, 1, 1, 1, 0, -9])
                    if off and on:
                        high = draw.choice([high, int((min(on) - bias) / scale)])
                    found.append(f"{i} @{low},{high}")
            found.append(f"{first}{f'-{last}' if last > first else ''} {tree(draw, question.features, room)}")
            first = last + 1
        return found

    def refutation(self) -> tuple[str, int]:
        """A verdict against an output, often a false one; the k of the levels below it."""
        draw, question = self.draw, self.question
        i, few = draw.randrange(len(question.formulas)), [a for a in question.table if len(a) <= question.room]
        if draw.random() < 0.05:
            few = list(question.table)
        parts = [draw.choice(few) for _ in range(1 + (question.readout["mode"] == "separable"))]
        if draw.random() < 0.7:
            true = [[a] for a in few if question.readout["mode"] != "separable" and question.wrong(i, a)]
            parts = draw.choice(true) if true else parts
        word = draw.choice(["refuted", "refuted-minimal", "refuted-minimal"])
        return f"{word} {i} {' / '.join(' '.join(map(str, p)) for p in parts)}", max(map(len, parts)) - 1

    def forge(self) -> list[Path]:
        """Write one certificate, or its shards."""
        draw, shards = self.draw, list[Path]()
        verdict, room = ("proved", self.question.room) if draw.random() < 0.75 else self.refutation()
        lines = self.lines(room) if room >= 0 and not verdict.startswith("refuted ") else []
        if draw.random() < 0.3:
            change = draw.randrange(6)
            at = draw.randrange(len(lines)) if lines else 0
            if change == 0:
                verdict = garbled(draw, verdict)
            elif change < 3 and lines:
                lines[at] = garbled(draw, lines[at])
            elif change == 3:
                lines[at : at + 1] = draw.choice([[], lines[at : at + 1] * 2])
            elif change == 4 and lines:
                lines[at] = lines[at][: draw.randrange(len(lines[at]))]
        cut = draw.randrange(len(lines) + 1) if draw.random() < 0.1 else len(lines)
        for part in (lines[:cut], lines[cut:]) if cut < len(lines) else (lines,):
            end = len(part) + (draw.choice([-1, 1]) if draw.random() < 0.03 else 0)
            text = "\n".join([self.head, verdict, *part, f"end {end}", ""])
            if draw.random() < 0.02:
                text = text[: draw.randrange(len(text))]
            shards.append(self.folder / f"{len(shards)}.cert")
            shards[-1].write_text(text)
        return shards[:1] if len(shards) > 1 and draw.random() < 0.2 else shards

    def sound(self, outcome: Any, shards: list[Path]) -> bool:
        """Whether what the checker says of a certificate is so."""
        question = self.question
        if outcome.status == "accepted":
            return question.right(question.room)
        if outcome.status != "refutation":
            return True
        for shard in shards:  # only a verdict that is true of the question may be confirmed; and a file has its end
            lines = shard.read_text().split("\n")
            if lines[-2:] != [f"end {len(lines) - 6}", ""]:
                return False
        kind, i, *active = lines[3].split(" ")
        sides = [tuple(int(j) for j in side.split()) for side in " ".join(active).split("/")]
        smaller = max(map(len, sides)) - 1
        minimal = kind == "refuted" or smaller < 0 or question.right(smaller)
        return question.refuted(int(i), sides) and minimal


def attack(checker: ModuleType, seeds: range, folder: Path, forgeries: int = 12) -> Counter[str]:
    """Put forged certificates to a checker; stops at the first that it confirms and that is false.

    Returns:
        How many were accepted, rejected, ...; `false` is 1 if it fell.
    """
    found: Counter[str] = Counter()
    for seed in seeds:
        draw = random.Random(seed)
        question = (leaning_question if seed % 4 == 3 else random_question)(draw)
        forger = Forger(checker, draw, question, folder)
        for _ in range(forgeries):
            shards = forger.forge()
            network, claims = forger.network, forger.claims
            claims.room = forger.question.room
            outcome = checker.check([str(shard) for shard in shards], network, claims, budget=10**6)
            found[outcome.status] += 1
            if not forger.sound(outcome, shards):
                return found + Counter({"false": 1, "seed": seed})
    return found
