"""What a spec file says is what is asked, and a spec that is wrong is told where and why in one line."""

from __future__ import annotations

import hashlib
import os
import re
from fractions import Fraction
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
from oracle import inputs
from strategies import meaning

from supercheck.base.errors import InputError
from supercheck.network.formats.tensors import LayerNames
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import AtLeast, Formula, Not, Var, Xor, gate
from supercheck.spec.read import read_spec
from supercheck.spec.readout import Readout
from supercheck.spec.spec import Source, Spec

GOOD = """\
[network]
file = "net.json"
[domain]
features = 4
max_active = 2
[outputs]
gate = "and"
over = "all-pairs"
[readout]
mode = "threshold"
at = "1/2"
"""

COMPLETE = """\
[network]
file = "nets/a.safetensors"
layers = [{weight = "W_in", bias = "b_in"}, {weight = "W_out", transpose = true, relu = false}]
encoder = "/codes/C.npz"
decoder = "../D.npz"
[domain]
features = 5
max_active = 3
[outputs]
gate = "xor"
over = [[0, 1], [4, 2, 3]]
[readout]
mode = "threshold"
at = 0.1
margin = "1/3"
[arithmetic]
of = "float32"
[audit]
max_neurons = 16
max_edges = "3 * outputs"
max_bits = 0.5
[expect]
verdict = "refuted"
"""


def written(folder: Path, text: str | bytes) -> Path:
    """A spec file."""
    path = folder / "a.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def edited(folder: Path, old: str, new: str) -> Path:
    """The good spec with one part replaced."""
    assert GOOD.count(old) == 1
    return written(folder, GOOD.replace(old, new))


def refused(path: Path, max_active: int | None = None) -> str:
    """The message of the refusal, after the path; always one short printable line."""
    with pytest.raises(InputError) as refusal:
        read_spec(path, max_active)
    message = str(refusal.value)
    assert message.isprintable()
    assert len(message) < 700
    assert message.startswith(str(path.parent))
    return message.removeprefix(str(path.parent) + os.sep)


def test_a_complete_file_gives_the_spec_it_describes(tmp_path: Path) -> None:
    path = written(tmp_path, COMPLETE)
    assert read_spec(path) == Spec(
        domain=KSparse(5, 3),
        formulas=(Xor((Var(0), Var(1))), Xor((Var(4), Var(2), Var(3)))),
        readout=Readout("threshold", Fraction(1, 10), Fraction(1, 3)),
        source=Source(
            tmp_path / "nets" / "a.safetensors",
            (LayerNames("W_in", "b_in"), LayerNames("W_out", None, True, False)),
            Path("/codes/C.npz"),
            tmp_path / ".." / "D.npz",
        ),
        arithmetic="float32",
        audit={"max_neurons": 16, "max_edges": "3 * outputs", "max_bits": Fraction(1, 2)},
        expect="refuted",
        file=path,
        digest=hashlib.sha256(COMPLETE.encode()).hexdigest(),
    )


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    text = GOOD.replace('[network]\nfile = "net.json"\n', "")
    spec = read_spec(written(tmp_path, text))
    assert spec.readout == Readout("threshold", Fraction(1, 2), Fraction(0))
    assert (spec.arithmetic, spec.expect, dict(spec.audit), spec.source) == ("real", "proved", {}, Source())
    assert LayerNames("w") == LayerNames("w", bias=None, transpose=False, relu=None)


def test_all_pairs_are_in_lexicographic_order(tmp_path: Path) -> None:
    assert read_spec(written(tmp_path, GOOD)).formulas == tuple(gate("and", p) for p in combinations(range(4), 2))


@pytest.mark.parametrize(
    ("outputs", "formulas"),
    [
        ('gate = "or"\nover = [[0, 1], [0, 2]]', [gate("or", (0, 1)), gate("or", (0, 2))]),
        ('gate = "copy"\nover = [[3], [1]]', [Var(3), Var(1)]),
        ('gate = "majority"\nover = [[2, 0, 1]]', [AtLeast(2, (Var(2), Var(0), Var(1)))]),
        ('gate = "and"\nover = [[0, 1], [0, 1]]', [gate("and", (0, 1))] * 2),
        ('formulas = ["x0 & ~x1", "1"]', [AtLeast(2, (Var(0), Not(Var(1)))), AtLeast(0, ())]),
    ],
)
def test_every_form_of_outputs_gives_its_formulas(tmp_path: Path, outputs: Any, formulas: Any) -> None:
    spec = read_spec(edited(tmp_path, 'gate = "and"\nover = "all-pairs"', outputs))
    assert list(spec.formulas) == formulas


@pytest.mark.parametrize(
    ("readout", "expected"),
    [
        ('mode = "threshold"\nat = -2\nmargin = 0', Readout("threshold", Fraction(-2))),
        ('mode = "epsilon"\nwithin = "1/10"', Readout("epsilon", within=Fraction(1, 10))),
        ('mode = "equality"', Readout("equality")),
        ('mode = "separable"', Readout("separable")),
    ],
)
def test_every_readout_is_read(tmp_path: Path, readout: Any, expected: Any) -> None:
    assert read_spec(edited(tmp_path, 'mode = "threshold"\nat = "1/2"', readout)).readout == expected


KEYS = [
    (number, table, line.split(" = ")[0])
    for number, line in enumerate(COMPLETE.splitlines(), 1)
    for table in re.findall(r"^\[(\w+)\]$", "\n".join(COMPLETE.splitlines()[:number]), re.MULTILINE)[-1:]
    if " = " in line
]


def complete_but(line: int, text: str) -> str:
    """The complete spec with another line."""
    lines = COMPLETE.splitlines()
    return "\n".join([*lines[: line - 1], text, *lines[line:]])


@pytest.mark.parametrize(("line", "table", "key"), KEYS)
def test_a_key_of_the_wrong_type_is_told_its_line(tmp_path: Path, line: Any, table: Any, key: Any) -> None:
    found = refused(written(tmp_path, complete_but(line, f"{key} = {{zebra = 1}}")))
    assert re.fullmatch(rf"a\.toml:{line}: {table}\.{key}: expected .*, got {{'zebra': 1}}.*", found), found


@pytest.mark.parametrize(("line", "table", "key"), KEYS)
def test_a_misspelt_key_is_told_its_line_and_the_nearest_key(tmp_path: Path, line: Any, table: Any, key: Any) -> None:
    found = refused(written(tmp_path, complete_but(line, f"{key}{key[-1]} = 1")))
    wrong = key + key[-1]
    place = f"a.toml:{line}: {table}.{wrong}: expected a key of [{table}]"
    assert found == f'{place}, got "{wrong}"; did you mean {key}?'


@pytest.mark.parametrize("table", ["network", "domain", "outputs", "readout", "arithmetic", "audit", "expect"])
def test_a_misspelt_table_is_told_its_line_and_the_nearest_table(tmp_path: Path, table: Any) -> None:
    line = COMPLETE.splitlines().index(f"[{table}]") + 1
    found = refused(written(tmp_path, complete_but(line, f"[{table[1:]}]")))
    assert found == f'a.toml:{line}: {table[1:]}: expected a key of the file, got "{table[1:]}"; did you mean {table}?'


@pytest.mark.parametrize("value", ["true", '"3"', "3.0", "3e0", "nan", "[3]", "2020-01-01"])
def test_an_integer_is_strictly_an_integer(tmp_path: Path, value: Any) -> None:
    shown = value.strip('"').capitalize() if value == "true" else re.escape(value.strip('"[]')[:1])
    for old, place in [("= 4", r"4: domain\.features"), ("= 2", r"5: domain\.max_active")]:
        found = refused(edited(tmp_path, old, f"= {value}"))
        assert re.fullmatch(rf"a\.toml:{place}: expected a whole number, got .*{shown}.*", found), found
    found = refused(edited(tmp_path, '"all-pairs"', f"[[0, {value}]]"))
    assert re.fullmatch(rf"a\.toml:8: outputs\.over\[0\].*: expected .* whole numbers, got .*{shown}.*", found), found


HALF = 'mode = "threshold"\nat = "1/2"'
PAIRS = 'gate = "and"\nover = "all-pairs"'
FILE = 'file = "net.json"'


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("features = 4\n", "", ":3: domain: expected the key domain.features, got none"),
        ("max_active = 2\n", "", ":3: domain: expected the key domain.max_active, got none"),
        ('mode = "threshold"\n', "", ":9: readout: expected the key readout.mode, got none"),
        ('at = "1/2"\n', "", ':9: readout: expected the key at, which mode "threshold" needs, got none'),
        (HALF, 'mode = "epsilon"', ":9: readout: expected the key within, .*, got none"),
        ('over = "all-pairs"\n', "", ":6: outputs: expected the key over: .*, got none"),
        (PAIRS, "", ":6: outputs: expected one of three forms: .*, got none of them"),
        ("[readout]\n" + HALF, "", ": expected the table readout, got none"),
        (FILE, 'layers = [{bias = "b"}]', r":2: network.layers\[0\]: expected the key .*weight, got none"),
        (FILE, "layers = []", r":2: network.layers: expected at least one entry, got \[\]"),
        (FILE, 'layers = [{weight = "a", relu = 1}]', r":2: network.layers\[0\].relu: expected true or false, got 1"),
        (FILE, 'layers = [\n{weight = "a"},\n{weihgt = "b"},\n]', r":4: network.layers\[1\].weihgt: .* mean weight."),
        ("at =", "zebra = 1\nat =", ':11: readout.zebra: .*, got "zebra"; known: at, margin, mode, within'),
        ("[network]", "zebra = 1\n[network]", ':1: zebra: .*, got "zebra"; known: arithmetic, audit, domain, .*'),
        ("[readout]", "[[readout]]", r":9: readout: expected a table, got \[.*"),
        ("[network]\n" + FILE, "network = 3", ":1: network: expected a table, got 3"),
        ('"and"', '"adn"', ":7: outputs.gate: expected one of and, or, .*, got adn; did you mean and."),
        ('"threshold"', '"thresh"', ":10: readout.mode: .*, got 'thresh'; did you mean threshold."),
        ("[readout]", '[expect]\nverdict = "refute"\n[readout]', ":10: expect.verdict: .* did you mean refuted."),
        ("[readout]", '[arithmetic]\nof = "float"\n[readout]', ":10: arithmetic.of: .* did you mean float32."),
        ("[readout]", "[audit]\nmax_edges = true\n[readout]", ":10: audit.max_edges: expected a number .*, got True"),
        ("[readout]", "[audit]\nmax_edges = nan\n[readout]", ":10: audit.max_edges: expected a number .*"),
        ("[readout]", "[audit]\nmax_edges = inf\n[readout]", ":10: audit.max_edges: expected a number .*"),
        ("= 4", "= 0", ":4: domain.features: expected 1 to 10,000,000 features, got 0"),
        ("= 2", "= -1", ":5: domain.max_active: expected 0 to 4, the number of features, got -1"),
        ("= 2", "= 5", ":5: domain.max_active: expected 0 to 4, the number of features, got 5"),
        ('"all-pairs"', "[]", ":8: outputs.over: expected 1 to 1,000,000 outputs, got 0"),
        ('"all-pairs"', "[[]]", r":8: outputs.over\[0\]: expected at least one feature, got \[\]"),
        ('"all-pairs"', "[0, 1]", r":8: outputs.over\[0\]: expected .* list of tuples .*, got 0"),
        ('"all-pairs"', "[\n[0, 1],\n[0, 4],\n]", r":10: outputs.over\[1\]: expected features from 0 to 3, got 4"),
        ('"all-pairs"', "[[2, 2]]", r":8: outputs.over\[0\]: expected each feature once a tuple, got \[2, 2\]"),
        ('"all-pairs"', '"triples"', ':8: outputs.over: expected "all-pairs" or .*, got triples'),
        ('"and"', '"copy"', ":8: outputs.over: expected a list of single features .*, got all-pairs"),
        (PAIRS, 'gate = "copy"\nover = [[1, 2]]', r":8: outputs.over\[0\]: expected exactly one feature, .*"),
        ('"threshold"', '"equality"', ':11: readout.at: expected no at in mode "equality", got 1/2'),
        ('"threshold"', '"separable"', ':11: readout.at: expected no at in mode "separable", got 1/2'),
        ("at =", 'margin = "-1/2"\nat =', ":11: readout.margin: expected a number of at least 0, got -1/2"),
        (HALF, 'mode = "epsilon"\nwithin = -1', ":11: readout.within: expected a number of at least 0, got -1"),
        (HALF, 'mode = "epsilon"\nwithin = 1\nmargin = 0', ":12: readout.margin: expected no margin .*"),
        ('gate = "and"', 'gate = "and"\ntable = "t"', ":8: outputs.table: .* one of three .*, got gate and table"),
        ('gate = "and"', 'formulas = ["x0"]', ":8: outputs.over: expected no over beside formulas, got over"),
    ],
)  # fmt: skip
def test_a_wrong_spec_is_told_line_key_expected_and_got(tmp_path: Path, old: Any, new: Any, message: str) -> None:
    found = refused(edited(tmp_path, old, new))
    assert re.fullmatch(r"a\.toml" + message, found), found


@pytest.mark.parametrize(
    ("formulas", "message"),
    [
        ('["x0 &"]', "a.toml:7: outputs.formulas[0], column 5: expected a feature such as"),
        ('[\n"x0",\n"x1 |",\n]', "a.toml:9: outputs.formulas[1], column 5: expected a feature such as"),
        ('["x0", "x4"]', "a.toml:7: outputs.formulas[1]: expected features x0 to x3, got x4"),
        ("[3]", "a.toml:7: outputs.formulas[0]: expected a text, got 3"),
        ('"x0"', "a.toml:7: outputs.formulas: expected a list, got 'x0'"),
        ('["' + "(" * 5000 + '"]', "a.toml:7: outputs.formulas[0], column 101: expected at most 100 levels of nesting"),
    ],
)
def test_a_wrong_formula_is_told_its_line_and_column(tmp_path: Path, formulas: Any, message: str) -> None:
    found = refused(edited(tmp_path, 'gate = "and"\nover = "all-pairs"', f"formulas = {formulas}"))
    assert found.startswith(message)


@pytest.mark.parametrize(
    ("literal", "value"),
    [('"1/3"', Fraction(1, 3)), ("0.1", Fraction(1, 10)), ('"0.1"', Fraction(1, 10)), ("-7", Fraction(-7)),
     ("1_0.5", Fraction(21, 2)), ("1e-30", Fraction(1, 10**30)), ('"-2"', Fraction(-2)), ("0x10", Fraction(16))],
)  # fmt: skip
def test_a_rational_is_exactly_what_is_written(tmp_path: Path, literal: Any, value: Any) -> None:
    assert read_spec(edited(tmp_path, '"1/2"', literal)).readout.at == value


@pytest.mark.parametrize(
    "literal",
    ['"1/0"', "nan", "inf", "-inf", '"nan"', '"inf"', "1e999999", '"1e999999"', "-1e-999999", '""', '" 1/2"', '"0x3"',
     '"' + "9" * 5000 + '"', "0." + "9" * 5000, "2020-01-01", "{}", '"a\\nb"',
     "1e99999999999999999999", "-1e-99999999999999999999"],
)  # fmt: skip
def test_what_is_no_rational_is_refused(tmp_path: Path, literal: Any) -> None:
    assert refused(edited(tmp_path, '"1/2"', literal)).startswith("a.toml:11: readout.at: expected a number such as ")


@pytest.mark.parametrize("digits", [20, 4000, 5000])
@pytest.mark.parametrize("key", ["features = 4", "max_active = 2", 'over = "all-pairs"', 'at = "1/2"'])
def test_an_integer_of_many_digits_ends_in_a_message_or_a_spec(tmp_path: Path, key: Any, digits: Any) -> None:
    literal = "9" * digits if key[0] in "fma" else f"[[0, {'9' * digits}]]"
    path = edited(tmp_path, key, f"{key.split()[0]} = {literal}")
    if key[0] == "a" and digits < 4300:
        assert read_spec(path).readout.at == 10**digits - 1
    else:
        assert refused(path).startswith("a.toml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.toml: expected the table domain, got none"),
        (GOOD.encode() + b"= 3\n", "a.toml:12: expected TOML, got "),
        (GOOD.replace('"1/2"', '"1/2').encode(), "a.toml:11: expected TOML, got "),
        (GOOD.replace("[outputs]", "features = 5").encode(), "a.toml:6: expected TOML, got "),
        (b"\xff\xfe", "a.toml: expected UTF-8 text, got byte 0xff"),
        (GOOD.encode() + b"\x00", "a.toml:12: expected TOML, got "),
        (b"z = " + b"[" * 100_000, "a.toml: expected TOML"),
        (b"k" * 100_000 + b" = 1\n" + GOOD.encode(), "a.toml:1: kkk"),
        (b'"a\\nb\\u001b[31m" = 1\n' + GOOD.encode(), "a.toml"),
    ],
)
def test_what_is_no_toml_is_refused(tmp_path: Path, content: Any, message: str) -> None:
    assert refused(written(tmp_path, content)).startswith(message)


def test_a_file_cut_short_is_told_its_last_line(tmp_path: Path) -> None:
    assert refused(written(tmp_path, GOOD + "[expect]\nverdict = ")).startswith("a.toml:13: expected TOML, got ")


def test_a_layer_in_a_table_of_its_own_is_told_its_line(tmp_path: Path) -> None:
    text = '[[network.layers]]\nweight = "a"\n[[network.layers]]\nweight = "b"\nwieght = "c"'
    found = refused(edited(tmp_path, '[network]\nfile = "net.json"', text))
    assert re.match(r"a\.toml:[345]: network\.layers\[1\]\.wieght: ", found), found


def test_a_spec_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "no.toml") == "no.toml: expected a spec file, got no such file"
    (tmp_path / "folder.toml").mkdir()
    assert refused(tmp_path / "folder.toml") == "folder.toml: expected a spec file, got a folder"
    assert "expected a readable spec file" in refused(tmp_path / ("n" * 300 + ".toml"))


@pytest.mark.parametrize(("features", "most"), [(14_000, 14_000), (14_001, 1000), (10_000_000, 583)])
def test_the_number_of_inputs_can_always_be_written(tmp_path: Path, features: Any, most: Any) -> None:
    """Regression: half of 100,000 features on was an internal fault, and half of 10,000,000 took for ever."""
    text = GOOD.replace("= 4", f"= {features}").replace('over = "all-pairs"', "over = [[0, 1]]")
    spec = read_spec(written(tmp_path, text.replace("= 2", f"= {most}")))
    assert str(spec.domain.size)
    found = refused(written(tmp_path, text.replace("= 2", f"= {most + 1}")))
    assert f"domain.max_active: expected 0 to {most}, " in found


def test_the_command_line_wins_over_the_files_own_sparsity(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    assert read_spec(path, max_active=4).domain == KSparse(4, 4)
    assert read_spec(path, max_active=0).domain == KSparse(4, 0)
    assert refused(path, 5) == "a.toml: -k: expected 0 to 4, the number of features, got 5"
    assert refused(path, -1) == "a.toml: -k: expected 0 to 4, the number of features, got -1"
    assert read_spec(edited(tmp_path, "= 2", "= 9"), max_active=1).domain == KSparse(4, 1)


def test_a_spec_at_another_sparsity_is_otherwise_the_same(tmp_path: Path) -> None:
    spec = read_spec(written(tmp_path, GOOD))
    for other in (0, 1, 2, 3, 4):
        again = spec.at_most(other)
        assert again.domain == KSparse(4, other)
        assert (again.formulas, again.readout, again.digest) == (spec.formulas, spec.readout, spec.digest)
    with pytest.raises(InputError, match="expected 0 to 4"):
        spec.at_most(5)


@pytest.mark.parametrize(
    ("features", "limit", "formulas", "message"),
    [
        (0, 0, (Var(0),), "domain.features: expected 1 to 10,000,000 features, got 0"),
        (2, 3, (Var(0),), "domain.max_active: expected 0 to 2, the number of features, got 3"),
        (2, -1, (Var(0),), "domain.max_active: expected a whole number of at least 0, got -1"),
        (2, 1, (), "outputs: expected at least one output, got none"),
        (2, 1, (Var(0), Var(2)), r"outputs\[1\]: expected features x0 to x1, got x2"),
    ],
)
def test_a_spec_made_in_python_may_not_ask_nothing(features: Any, limit: Any, formulas: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}$"):
        Spec(KSparse(features, limit), formulas, Readout("equality"))


# ---- truth tables


def tabulated(folder: Path, table: str, features: int = 4, limit: int = 2) -> Path:
    """A spec with this truth table."""
    (folder / "t.csv").write_bytes(table.encode())
    domain = f"domain = {{features = {features}, max_active = {limit}}}"
    return written(folder, f'{domain}\noutputs.table = "t.csv"\nreadout.mode = "equality"\n')


@pytest.mark.parametrize("limit", [0, 1, 2, 3, 5])
def test_a_truth_table_gives_the_functions_it_lists(tmp_path: Path, limit: Any) -> None:
    named = [3, 0, 1]
    wanted = [lambda on: len(on) == 2, lambda on: 3 in on, lambda on: True, lambda on: False]
    rows = [r for r in product([1, 0], repeat=3) if sum(r) <= limit]
    assignments = [{j for j, cell in zip(named, row, strict=True) if cell} for row in rows]
    lines = [[*row, *(int(f(on)) for f in wanted)] for row, on in zip(rows, assignments, strict=True)]
    table = "x3, x0,x1,y0,y1,y2,y3\r\n\r\n" + "\r\n".join(",".join(map(str, line)) for line in lines)
    formulas: tuple[Formula, ...] = read_spec(tabulated(tmp_path, table, 5, limit)).formulas
    assert len(formulas) == 4
    for active in inputs(5, limit):
        on = frozenset(active)
        assert [meaning(f)(on) for f in formulas] == [f(on & {0, 1, 3}) for f in wanted], active


def test_rows_beyond_the_sparsity_are_kept_for_a_larger_one(tmp_path: Path) -> None:
    path = tabulated(tmp_path, "x0,x1,y0\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n", limit=1)
    holds = meaning(read_spec(path).at_most(2).formulas[0])
    assert [active for active in inputs(2, 2) if holds(frozenset(active))] == [(0,), (1,)]


def test_a_larger_sparsity_needs_the_tables_missing_rows(tmp_path: Path) -> None:
    spec = read_spec(tabulated(tmp_path, "x0,x1,y0\n0,0,0\n0,1,1\n1,0,1\n", limit=1))
    assert spec.at_most(0).domain == KSparse(4, 0)
    with pytest.raises(InputError, match=r"t\.csv: expected every assignment .*, got no row for x0 x1 on$"):
        spec.at_most(2)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("x0,x1,y0\n0,0,0\n0,1,0\n1,0,0\n", ": expected every assignment with at most 2 .* got no row for x0 x1 on"),
        ("x0,x1,y0\n0,1,0\n1,0,0\n1,1,0\n", ": expected every assignment with at most 2 .* got no row for all off"),
        ("x0,x1,y0\n0,1,0\n0,1,1\n", ":3: expected each assignment once, got x1 on twice"),
        ("x0,y0\n0,2\n", ':2: expected cells that are 0 or 1, got "2"'),
        ("x0,y0\n0,\n", ':2: expected cells that are 0 or 1, got ""'),
        ("x0,y0\n0,true\n", ':2: expected cells that are 0 or 1, got "true"'),
        ("x0,y0\n0,0,0\n", ":2: expected 2 cells, got 3"),
        ("x0,y0\n\n0,0\n1\n", ":4: expected 2 cells, got 1"),
        ("x0,y0,x1\n", ":1: expected a header x0,x3,.*: features first, then outputs numbered from 0, got x0,y0,x1"),
        ("a,b\n", ":1: expected a header .*, got a,b"),
        ("", ":1: expected a header .*, got nothing"),
        ("x0,x0,y0\n", ":1: expected each feature once, got x0,x0,y0"),
        ("x4,y0\n", ":1: expected features x0 to x3, got x4"),
        (",".join(["x0"] * 100_001), ":1: expected at most 100,000 columns, got 100,001"),
        ("x0,y0\n" + "0" * 200_000 + ",0\n", ": expected CSV, got .*"),
    ],
)  # fmt: skip
def test_a_wrong_truth_table_is_told_where(tmp_path: Path, table: Any, message: str) -> None:
    found = refused(tabulated(tmp_path, table))
    assert re.fullmatch(r"t\.csv" + message, found), found


def test_a_table_of_many_features_is_refused_at_once_for_its_missing_rows(tmp_path: Path) -> None:
    table = ",".join(f"x{j}" for j in range(60)) + ",y0\n" + ",".join("0" * 61)
    assert "got no row for x0 on" in refused(tabulated(tmp_path, table, 60, 60))


def test_a_truth_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = tabulated(tmp_path, "")
    (tmp_path / "t.csv").unlink()
    assert refused(path) == "t.csv: expected a truth table, got no such file"
