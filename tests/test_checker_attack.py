"""The lone checker under attack: no forged certificate of a false claim is confirmed; every unsound copy falls."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import ModuleType

import pytest
from forging import attack

from supercheck import checker

SOURCE = Path(checker.__file__).read_text()
MANY = 20 if os.environ.get("SUPERCHECK_EXAMPLES") == "nightly" else 1

UNSOUND = {
    "an off branch lowers the room": ("room - on, sides", "room - 1, sides"),
    "the off branch is dropped": ("for on in (0, 1)]", "for on in (1,)]"),
    "a goal is one too high": ("hold(found <= most, f", "hold(found <= most + 1, f"),
    "a threshold's off goal is one off": (
        "most, least = floor((c.at - c.margin - b) / s)",
        "most, least = 1 + floor((c.at - c.margin - b) / s)",
    ),
    "y may equal the threshold where on": ("floor((c.at + c.margin - b) / s) + 1", "floor((c.at + c.margin - b) / s)"),
    "a margin counts once": ("floor((c.at - c.margin - b) / s)", "floor((c.at - b) / s)"),
    "an epsilon counts twice": ("{1: floor((f + e - b) / s)", "{1: floor((f + e + e - b) / s)"),
    "classes are swapped": ("goal = {s: self.goals(i)[known or 0][s]", "goal = {s: self.goals(i)[1 - (known or 0)][s]"),
    "an upper line is not lifted": ("constant += c * max(-slope * low, (ONE - slope) * high)", "constant += 0"),
    "an upper line only where it is steep": ("if low < 0 < high and c > 0:", "if low < 0 < high and c > 0 and steep:"),
    "minimum for maximum": ("c * max(-slope", "c * min(-slope"),
    "one feature too few may be on": ("+ sums[min(room, len(sizes))]", "+ sums[max(0, min(room, len(sizes)) - 1)]"),
    "fixed features are not counted": ("return sum([w for w, on in hits if on]) +", "return"),
    "what is fixed takes no place": ("room, taken = room + 1, taken + size", "taken = taken + size"),
    "xor of unknowns is known": ("return None if unknown else (on if", "return (on if"),
    "at least: unknowns count as on": ("1 if on >= kind", "1 if on + unknown >= kind"),
    "at least: unknowns count as off": ("0 if on + unknown < kind", "0 if on < kind"),
    "not is forgotten": ('kind == "^" else on + 1)', 'kind == "^" else on)'),
    "no room is no input": ("None if room > n else 0)", "1 if room > n else 0)"),
    "unproved outputs pass": ("hold(proof.room < 0 or all(proof.proved)", "hold(proof.room < 0 or any(proof.proved)"),
    "the count at the end is ignored": ("hold(text == str(count) and", "hold("),
    "classes need not part": ('hold(low < high, "bounds', 'hold(True, "bounds'),
    "a refutation is not replayed": ('hold(totals[0] > goal[1] or -totals[0] > goal[-1], f"y{i} to be wrong")', "pass"),
    "a refutation has any number on": ("len(set(on)) == len(on) <= claims.room", "len(set(on)) == len(on)"),
    "the levels below lack one": ("max(map(len, inputs)) - 1 if", "max(map(len, inputs)) - 2 if"),
    "a case of a formula is left out": ("range(min(room, len(free)) + 1)", "range(min(room, len(free)))"),
    "biases do not scale": ("chain((factors[j] for j in row), [1])", "chain((factors[j] for j in row), [factors[0]])"),
    "scales do not move on": (
        "features or width, [factor for _, factor in scaled]",
        "features or width, [1 for _ in scaled]",
    ),
    "few inputs are evaluated": ("active | {free[place]: 1}))", "active | {free[place]: 1})) if place else 0"),
    "evaluation looks at one end": (
        "hold((y - low + top) & (high - y + top) & top == top",
        "hold((y - low + top) & top == top",
    ),
    "lanes are too narrow": ("self.most.bit_length() + 3", "2"),
    "evaluation ignores the class": ("!= base[i]:", "!= base[i] and False:"),
    "majority is half": ("more=n // 2 + 1", "more=(n + 1) // 2"),
    "both sides of a goal are the first": ("(fixed, room, (1,))]", "(fixed, room, (-1,))]"),
    "biases of deeper layers are lost": ("constant += c * slope * biases[r]", "constant += 0"),
}  # fmt: skip


def copied(old: str, new: str) -> ModuleType:
    """The checker with one place changed."""
    assert SOURCE.count(old) == 1, f"{old} is there once"
    copy = ModuleType("copied_checker")
    exec(compile(SOURCE.replace(old, new), "copied_checker.py", "exec"), copy.__dict__)
    return copy


def test_no_forged_certificate_of_a_false_claim_is_confirmed(tmp_path: Path) -> None:
    found = attack(checker, range(150 * MANY), tmp_path)
    assert not found["false"], found
    assert found["accepted"] > 60
    assert found["refutation"] > 60
    assert found["rejected"] > 900


RARE = {"majority is half"}  # falls late


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in RARE)) for n in sorted(UNSOUND)])
def test_every_unsound_copy_of_the_checker_falls(name: str, tmp_path: Path) -> None:
    found = attack(copied(*UNSOUND[name]), range(1000 * MANY), tmp_path)
    assert found["false"], found


def asked(folder: Path, formula: str = "2(x0,x1)", m: int = 2) -> list[str]:
    """A network of y = x0 + ... + x(m-1), and its claims in core form."""
    (folder / "network.json").write_text(json.dumps({"0.weight": [[1] * m]}))
    (folder / "spec").write_text(f"supercheck-claims 1\n{m} {m} threshold 3/2 0 -\n{formula}\n")
    return [str(folder / "network.json"), str(folder / "spec")]


@pytest.mark.parametrize("formula", ["2(x0,", "1(2)", "1", "x9", "x0x1", "(" * 500, "!(x0,x1)", "x01"])
def test_a_formula_that_is_none_is_unreadable(formula: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checker.main([str(tmp_path / "absent"), *asked(tmp_path, formula)]) == 2
    assert capsys.readouterr().err.startswith("unreadable")


def test_a_refutation_of_an_output_before_the_first_is_rejected(tmp_path: Path) -> None:
    network, claims = checker.question(*asked(tmp_path, "1(x0)", 3), None)
    head = f"supercheck-certificate 1\nnetwork {network.digest}\nclaims {claims.digest}"
    (tmp_path / "cert").write_text(f"{head}\nrefuted -1 1 2\nend 0\n")
    assert checker.check([str(tmp_path / "cert")], network, claims).status == "rejected"


@pytest.mark.parametrize("starts", [[1, 2], [0, 1], [2, 0]])
def test_every_stored_weight_of_a_sparse_matrix_is_used(starts: list[int], tmp_path: Path) -> None:
    parts = {"data": [1, 1], "indices": [0, 1], "indptr": starts, "shape": [1, 2]}
    file = tmp_path / "network.json"
    file.write_text(json.dumps({f"0.weight.{name}": part for name, part in parts.items()}))
    with pytest.raises(checker.CheckError, match="offsets"):
        checker.read_network(str(file), [])
