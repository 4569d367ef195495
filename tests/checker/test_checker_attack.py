"""The lone checker under attack: no forged certificate of a false claim is confirmed; every unsound copy falls."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from types import ModuleType

import pytest
from forging import attack

from supercheck import checker
from supercheck.base.errors import InputError
from supercheck.checker import __main__ as alone, proving, reading
from supercheck.spec.syntax import parse

PARTS = [Path(checker.__file__).with_name(name).read_text() for name in ("reading.py", "proving.py")]
SOURCE = re.sub(r"(?ms)^from \.reading import .*?$", "", "".join(PARTS))
"""The checker as one file."""
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
    "classes are swapped": ("most = goals[known or 0][sign]", "most = goals[1 - (known or 0)][sign]"),
    "an upper line is not lifted": ("constant += c * max(-slope * low, (ONE - slope) * high)", "constant += 0"),
    "an upper line only where it is steep": ("if low < 0 < high and c > 0:", "if low < 0 < high and c > 0 and steep:"),
    "a lower slope is above 1": ("slope = ONE if low >= 0 or steep", "slope = ONE if low >= 0 else 2 * ONE if steep"),
    "a line is lifted at its lower end only": ("max(-slope * low, (ONE - slope) * high)", "-slope * low"),
    "a line is lifted at its upper end only": ("max(-slope * low, (ONE - slope) * high)", "(ONE - slope) * high"),
    "minimum for maximum": ("c * max(-slope", "c * min(-slope"),
    "one feature too few may be on": ("min(left, len(most) - 1)", "max(0, min(left, len(most) - 1) - 1)"),
    "fixed features are not counted": ("base, n = sum([w for j, w in own if case[j]]), min", "base, n = 0, min"),
    "a fixed feature's place is taken": ("n = min(room, len(rest))", "n = max(0, min(room, len(rest)) - len(own))"),
    "a feature is on that must be off": ("if case[j]]), min", "]), min"),
    "forms that differ in sign are one": ("constant + max(scale * low, scale * high)", "constant + abs(scale) * high"),
    "forms that differ by a factor are one": ("constant + max(scale * low, scale * high)", "constant + max(low, high)"),
    "cases have forms in common that are not the same": (
        "key = (layer, *[(r, c // scale) for r, c in slopes.items()])",
        "key = (layer, *[(r, c // scale) for r, c in slopes.items()][:1])",
    ),
    "xor of unknowns is known": ("return None if unknown else (on if", "return (on if"),
    "at least: unknowns count as on": ("1 if on >= kind", "1 if on + unknown >= kind"),
    "at least: unknowns count as off": ("0 if on + unknown < kind", "0 if on < kind"),
    "not is forgotten": ('kind == "^" else on + 1)', 'kind == "^" else on)'),
    "no room is no input": ("None if left else 0)", "1 if left else 0)"),
    "unproved outputs pass": ("hold(proof.room < 0 or all(proof.proved)", "hold(proof.room < 0 or any(proof.proved)"),
    "the count at the end is ignored": ("hold(text == str(count) and", "hold("),
    "classes need not part": ('hold(low < high, "bounds', 'hold(True, "bounds'),
    "a refutation is not replayed": ('hold(totals[0] > goal[1] or -totals[0] > goal[-1], f"y{i} to be wrong")', "pass"),
    "a refutation has any number on": ("len(set(on)) == len(on) <= claims.room", "len(set(on)) == len(on)"),
    "the levels below lack one": ("max(map(len, inputs)) - 1 if", "max(map(len, inputs)) - 2 if"),
    "a case of a formula is left out": (
        "many = range(min(room, len(free)) + 1)\n        for on in",
        "many = range(min(room, len(free)))\n        for on in",
    ),
    "biases do not scale": ("for j in row], (1, 1)]", "for j in row], factors[0]]"),
    "scales do not move on": (
        "factors = [scale.as_integer_ratio() for scale in moved]",
        "factors = [(1, 1) for scale in moved]",
    ),
    "few inputs are evaluated": ("own | dict.fromkeys(others, 1)", "own | dict.fromkeys(others[1:], 1)"),
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
    found = attack(copied(*UNSOUND[name]), range(2000 * MANY), tmp_path)
    assert found["false"], found


def asked(folder: Path, formula: str = "2(x0,x1)", m: int = 2) -> list[str]:
    """A network of y = x0 + ... + x(m-1), and its claims in core form."""
    (folder / "network.json").write_text(json.dumps({"0.weight": [[1] * m]}))
    (folder / "spec").write_text(f"supercheck-claims 1\n{m} {m} threshold 3/2 0 -\n{formula}\n")
    return [str(folder / "network.json"), str(folder / "spec")]


@pytest.mark.parametrize("formula", ["2(x0,", "1(2)", "1", "x9", "x0x1", "(" * 500, "!(x0,x1)", "x01"])
def test_a_formula_that_is_none_is_unreadable(formula: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert alone.main([str(tmp_path / "absent"), *asked(tmp_path, formula)]) == 2
    assert capsys.readouterr().err.startswith("unreadable")


def test_a_refutation_of_an_output_before_the_first_is_rejected(tmp_path: Path) -> None:
    network, claims = checker.question(*asked(tmp_path, "1(x0)", 3), None)  # type: ignore[arg-type, call-arg]
    head = f"supercheck-certificate 1\nnetwork {network.digest}\nclaims {claims.digest}"
    (tmp_path / "cert").write_text(f"{head}\nrefuted -1 1 2\nend 0\n")
    assert checker.check([str(tmp_path / "cert")], network, claims).status == "rejected"


@pytest.mark.parametrize("starts", [[1, 2], [0, 1], [2, 0]])
def test_every_stored_weight_of_a_sparse_matrix_is_used(starts: list[int], tmp_path: Path) -> None:
    parts = {"data": [1, 1], "indices": [0, 1], "indptr": starts, "shape": [1, 2]}
    file = tmp_path / "network.json"
    file.write_text(json.dumps({f"0.weight.{name}": part for name, part in parts.items()}))
    with pytest.raises(checker.CheckError, match="offsets"):
        reading.read_network(str(file), [])


def spec_of(folder: Path, formula: str, features: int = 2, readout: str = 'mode = "separable"') -> list[str]:
    """A network of y = x0 + ... and a spec that asks for one formula."""
    network, _ = asked(folder, m=min(features, 2))
    domain = f"[domain]\nfeatures = {features}\nmax_active = 1"
    (folder / "spec.toml").write_text(f"{domain}\n[outputs]\n{formula}\n[readout]\n{readout}\n")
    return [network, str(folder / "spec.toml")]


@pytest.mark.parametrize(
    "extra", ['gate = "and"', "over = [[0, 1]]", 'table = "t.csv"', 'gate = "and"\nover = [[0, 1]]']
)
def test_outputs_in_two_forms_at_once_are_unreadable(extra: str, tmp_path: Path) -> None:
    """Regression: a gate beside formulas was not seen."""
    with pytest.raises(checker.CheckError, match="outputs"):
        checker.question(*spec_of(tmp_path, f'formulas = ["x0"]\n{extra}'), None)  # type: ignore[arg-type, call-arg]


@pytest.mark.parametrize(
    "formula", ["0x1", "0b1", "1_0", "x0 & 0x1", "00", "atleast(0x1, x0)", "atleast(2, x0, )", "2"]
)
def test_a_number_of_python_is_no_formula(formula: str, tmp_path: Path) -> None:
    """Regression: `0x1` was read as the number 1; supercheck's own parser refuses it."""
    with pytest.raises(InputError):
        parse(formula)
    with pytest.raises(checker.CheckError, match=r"formula|Syntax"):
        checker.question(*spec_of(tmp_path, f'formulas = ["{formula}"]'), None)  # type: ignore[arg-type, call-arg]


@pytest.mark.parametrize("number", ["1e999999999", "1e-999999999", "1/0", "nan", "1" * 10_001])
def test_a_claim_with_a_number_out_of_reach_is_unreadable_at_once(number: str, tmp_path: Path) -> None:
    network, spec = asked(tmp_path)
    text = Path(spec).read_text().replace("3/2", number)
    Path(spec).write_text(text)
    with pytest.raises(checker.CheckError, match="number"):
        checker.question(network, spec, None)


def test_pairs_beyond_number_are_unreadable(tmp_path: Path) -> None:
    with pytest.raises(checker.CheckError, match="tuples"):
        checker.question(*spec_of(tmp_path, 'gate = "and"\nover = "all-pairs"', 10**9), None)  # type: ignore[arg-type, call-arg]


def test_a_sparse_weight_beyond_all_width_is_unreadable(tmp_path: Path) -> None:
    parts = {"data": [1], "indices": [0], "indptr": [0, 1], "shape": [1, 10**12]}
    file = tmp_path / "network.json"
    file.write_text(json.dumps({f"0.weight.{name}": part for name, part in parts.items()}))
    with pytest.raises(checker.CheckError, match="offsets"):
        reading.read_network(str(file), [])


@pytest.mark.parametrize("tree", ["e", ".b", "0 e e"])
def test_inputs_beyond_number_are_beyond_the_budget_at_once(tree: str, tmp_path: Path) -> None:
    """Regression: the number of inputs was computed to the last digit before it was held against the budget."""
    network, claims = checker.question(*asked(tmp_path, f"2({','.join(f'x{j}' for j in range(5000))})", 5000), None)  # type: ignore[arg-type, call-arg]
    head = f"supercheck-certificate 1\nnetwork {network.digest}\nclaims {claims.digest}\nproved"
    (tmp_path / "cert").write_text(f"{head}\n0 {tree}\nend 1\n")
    assert checker.check([str(tmp_path / "cert")], network, claims).status == "unchecked"


@pytest.mark.parametrize("error", [MemoryError, RecursionError])
def test_a_lack_of_memory_says_nothing_of_a_certificate(
    error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    network, claims = checker.question(*asked(tmp_path), None)  # type: ignore[arg-type, call-arg]
    head = f"supercheck-certificate 1\nnetwork {network.digest}\nclaims {claims.digest}\nproved"
    (tmp_path / "cert").write_text(f"{head}\n0 .b\nend 1\n")
    assert checker.check([str(tmp_path / "cert")], network, claims).status == "accepted"
    monkeypatch.setattr(proving.Proof, "tree", fail)
    assert checker.check([str(tmp_path / "cert")], network, claims).status == "unchecked"
