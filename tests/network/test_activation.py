"""What a file does not say: named in every report, never taken for granted of tied weights, silent once it is said."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from common import SPECS, Capture, run, savez
from gates import STATED, ands, save, spec
from oracle import Stored, run as evaluated
from safetensors.numpy import save_file

from supercheck import KSparse, Readout, Spec, build, checker, load, parse, prune, read_spec, verify
from supercheck.base.errors import InputError
from supercheck.checker import CheckError, __main__ as command, reading
from supercheck.claims.claims import claims_digest, pose
from supercheck.claims.question import loaded
from supercheck.cli import app as cli
from supercheck.construct.output import spec_bytes
from supercheck.decide.cross_check import reproduce
from supercheck.network.formats.tensors import LayerNames, brief
from supercheck.spec.spec import Source
from supercheck.testing import assert_computes

BETWEEN = (
    "The file does not say what follows its layers: ReLU after each but the last is assumed "
    '(say so with activation = "relu" in [network]).'
)
END = 'The file does not say what follows its last layer: no ReLU is assumed (say so with final = "none" in [network]).'
WORDS = "ReLU between layers, none at the end"

pytestmark = pytest.mark.usefixtures("empty_folder")


@pytest.fixture
def case(shared: Path, tmp_path: Path) -> Path:
    """A copy of the case, which is run in place."""
    folder = shared / "cases" / "trust" / "12-activation-not-in-the-file"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not on this machine")
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    return tmp_path


def edited(file: str, *changes: tuple[str, str]) -> str:
    """A spec with lines changed, under another name."""
    text = Path(file).read_text()
    for pattern, new in changes:
        text, count = re.subn(pattern, new, text, flags=re.MULTILINE)
        assert count
    Path("edited.toml").write_text(text)
    return "edited.toml"


def saying(*lines: str) -> tuple[str, str]:
    return r"^(file *=.*)$", "\\n".join(["\\1", *lines])


def as_json(capsys: Capture, *arguments: object) -> dict[str, Any]:
    capsys.readouterr()
    run(*arguments, "--format", "json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


# ---- trust/12: the case


def test_case_12_a_softplus_network_is_proved_with_the_assumption_in_the_first_lines(
    case: Path, capsys: Capture
) -> None:
    assert run("verify", "--spec", "softplus.toml") == 0
    verdict, _, *first = capsys.readouterr().out.splitlines()
    assert verdict.startswith("PROVED")
    assert first[:2] == [f"Assumed: {BETWEEN}", f"Assumed: {END}"]
    assert as_json(capsys, "verify", "--spec", "softplus.toml")["assumptions"] == [BETWEEN, END]
    stated = edited("softplus.toml", saying(STATED))
    assert as_json(capsys, "verify", "--spec", stated)["assumptions"] == []
    assert run("verify", "--spec", stated) == 0
    assert "Assumed" not in capsys.readouterr().out


def test_case_12_a_final_relu_that_is_said_refutes(case: Path, capsys: Capture) -> None:
    assert run("verify", "--spec", "fr.toml") == 0
    found = as_json(capsys, "verify", "--spec", edited("fr.toml", saying('activation = "relu"', 'final = "relu"')))
    assert (found["verdict"], found["assumptions"]) == ("refuted", [])


def test_case_12_a_bias_beside_a_named_weight_is_not_dropped(case: Path, capsys: Capture) -> None:
    weights = edited("wrap.toml", (r', bias="[^"]*"', ""))
    assert run("verify", "--spec", weights) == 2
    told = capsys.readouterr().err
    assert "bias model.mlp.fc1.bias is not used" in told
    assert '{weight = "model.mlp.fc1.weight", bias = "model.mlp.fc1.bias"}' in told
    assert as_json(capsys, "verify", "--spec", "wrap.toml")["verdict"] == "refuted"
    meant = as_json(capsys, "verify", "--spec", edited("wrap.toml", (r'bias="[^"]*"', "bias = false")))
    assert sum(output["verdict"] == "refuted" for output in meant["outputs"]) == 24
    assert any("model.mlp.fc1.bias, model.mlp.fc2.bias" in note for note in meant["assumptions"])


# ---- what is taken


def stored_of(draw: random.Random, layers: int) -> list[tuple[list[list[Fraction]], list[Fraction]]]:
    """Layers of small numbers, as (weight, bias)."""
    sizes = [draw.randint(1, 3) for _ in range(layers + 1)]
    return [
        (
            [[Fraction(draw.randint(-3, 3)) for _ in range(sizes[at])] for _ in range(sizes[at + 1])],
            [Fraction(draw.randint(-2, 2)) for _ in range(sizes[at + 1])],
        )
        for at in range(layers)
    ]


def questions() -> Iterator[tuple[random.Random, Stored, dict[str, Any], tuple[str | None, str | None]]]:
    """Networks, JSON tensors, and what is said of their activations, each way that there is."""
    for seed, (activation, final) in enumerate(product((None, "relu", "none"), repeat=2), 1):
        for more in range(12):
            draw = random.Random(100 * seed + more)
            parts, tensors = stored_of(draw, draw.randint(1, 4)), dict[str, Any]()
            own = [draw.choice([None, None, True, False]) for _ in parts]
            ends = [activation != "none"] * (len(parts) - 1) + [final == "relu"]
            relus = [end if one is None else one for one, end in zip(own, ends, strict=True)]
            layers = []
            for at, ((weight, bias), relu) in enumerate(zip(parts, own, strict=True)):
                tensors |= {f"m{at}": [[int(w) for w in row] for row in weight], f"v{at}": [int(b) for b in bias]}
                layers.append(LayerNames(f"m{at}", f"v{at}", relu=relu))
            stored = [(weight, bias, relu) for (weight, bias), relu in zip(parts, relus, strict=True)]
            yield draw, stored, {"tensors": tensors, "layers": layers, "own": own}, (activation, final)


def test_what_is_said_is_computed_and_the_rest_is_listed() -> None:
    """Held against plain fractions; a layer's own key wins over the network's."""
    for _, stored, given, (activation, final) in questions():
        Path("a.json").write_text(json.dumps(given["tensors"]))
        network = load("a.json", given["layers"], activation, final)
        for x in product((0, 1), repeat=network.features):
            assert list(network.run(x)) == evaluated(stored, x)
        *before, last = given["own"]
        between = activation is None and None in before
        assert sum('activation = "relu"' in note for note in network.notes) == between
        assert sum('final = "none"' in note for note in network.notes) == (final is None and last is None)
        assert len(network.notes) == between + (final is None and last is None)


def test_one_layer_has_nothing_between() -> None:
    Path("a.json").write_text('{"0.weight": [[1, 2]]}')
    assert load("a.json").notes == (END,)
    assert load("a.json", (), None, "none").notes == ()


def test_layers_that_say_it_for_themselves_leave_the_rest_by_name() -> None:
    Path("a.json").write_text('{"A": [[1]], "B": [[2]], "C": [[3]]}')
    network = load("a.json", [LayerNames("A", relu=False), LayerNames("B"), LayerNames("C", relu=False)])
    (note,) = network.notes
    assert note.startswith("The file does not say what follows B: ReLU is assumed ")


@pytest.mark.parametrize("key", ["activation", "final"])
@pytest.mark.parametrize("word", ["abs", "sigmoid", "ReLU", ""])
def test_another_activation_is_refused(key: str, word: str, capsys: Capture) -> None:
    save(Path("a.json"), {"0.weight": np.ones((1, 2))})
    spec(Path("a.toml"), "a.json", 2)
    file = edited("a.toml", (rf"^{key} = .*$", f'{key} = "{word}"'))
    assert run("verify", "--spec", file) == 2
    assert f"network.{key}: expected " in (told := capsys.readouterr().err)
    assert "relu" in told
    assert "none" in told
    for attempt in (lambda: Source(**{key: word}), lambda: load("a.json", (), **{key: word})):  # type: ignore[arg-type]
        with pytest.raises(InputError, match=f"network.{key}: expected relu or none"):
            attempt()


# ---- who says it itself


def test_onnx_says_it_itself(capsys: Capture) -> None:
    for file in SPECS.glob("proved/trained_and8.*"):
        shutil.copy(file, ".")
    assert as_json(capsys, "verify", "--spec", "trained_and8.toml")["verdict"] == "proved"
    for line in ('activation = "relu"', 'final = "none"'):
        assert run("verify", "--spec", edited("trained_and8.toml", saying(line))) == 2
        assert "the file says it itself" in capsys.readouterr().err


def test_a_network_in_python_says_it_itself() -> None:
    save(Path("a.json"), {"0.weight": np.ones((1, 2))})
    network = load("a.json", (), "relu", "none")
    for source in (Source(activation="relu"), Source(final="relu")):
        with pytest.raises(InputError, match="beside a network in Python"):
            verify(network, Spec(KSparse(2, 1), (parse("x0 | x1"),), Readout("equality"), source))
    stated = Spec(KSparse(2, 1), (parse("x0 | x1"),), Readout("equality"), Source(activation="relu", final="none"))
    assert verify("a.json", stated).claims.assumptions == ()


# ---- tied weights and embeddings

W = np.array([[0.5, -0.25, 1.5, 0.75], [0.125, 2.0, -1.0, 3.0]])
TIED = [
    ({"W": W}, [LayerNames("W"), LayerNames("W", transpose=True)], "W"),
    ({"0.weight": W, "2.weight": W.T}, [], "2.weight"),
    ({"up": W, "back": np.ascontiguousarray(W.T)}, [LayerNames("up"), LayerNames("back")], "back"),
    ({"a": W[:, :2], "b": W[:, :2]}, [LayerNames("a"), LayerNames("b")], "b"),
    ({"W_E": W, "W_U": W.T + 1}, [LayerNames("W_E"), LayerNames("W_U")], "W_E"),
    ({"m.embed.weight": W, "m.out": W.T + 1}, [LayerNames("m.embed.weight"), LayerNames("m.out")], "m.embed.weight"),
    ({"first": W, "unembedding": W.T + 1}, [LayerNames("first"), LayerNames("unembedding")], "unembedding"),
    ({"lm_head.weight": W}, [LayerNames("lm_head.weight")], "lm_head.weight"),
    ({"tied_weight": W}, [LayerNames("tied_weight")], "tied_weight"),
]


@pytest.mark.parametrize(("tensors", "layers", "name"), TIED[:3] + TIED[4:])
def test_of_tied_weights_and_embeddings_nothing_is_taken(
    tensors: dict[str, np.ndarray], layers: list[LayerNames], name: str
) -> None:
    save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, "a.safetensors")
    alone = len(layers) == 1
    for said in ((None, None), ("relu", None)) if alone else ((None, None), ("relu", None), (None, "relu")):
        missing = [key for key, word in zip(("activation", "final"), said, strict=True) if word is None]
        missing = missing[-1:] if alone else missing
        with pytest.raises(InputError) as refused:
            load("a.safetensors", layers, *said)
        assert f"{name}: expected {' and '.join(missing)} in [network]" in str(refused.value)
    for said in product(("relu", "none"), repeat=2):  # type: ignore[assignment]
        assert load("a.safetensors", layers, *said).notes == ()
    own = [LayerNames(one.weight, None, one.transpose, True) for one in layers]
    assert not own or load("a.safetensors", own).notes == ()


def test_the_well_known_toy_is_decided_once_it_is_said(capsys: Capture) -> None:
    """relu(W^T W x + b) copies single features; with ReLU between and none at the end it is another network."""
    weight = np.array([[1.0, 0.0, -1.0, 0.5], [0.0, 1.0, 0.25, -1.0]])
    save_file({"W": weight, "b": np.full(4, -0.5)}, "toy.safetensors")
    lines = ['layers = [{weight = "W"}, {weight = "W", transpose = true, bias = "b"}]']
    body = '[domain]\nfeatures = 4\nmax_active = 1\n[outputs]\ngate = "copy"\nover = [[0], [1], [2], [3]]\n'
    body += '[readout]\nmode = "threshold"\nat = "0"\n'

    def asked(*more: str) -> int:
        Path("toy.toml").write_text("\n".join(["[network]", 'file = "toy.safetensors"', *lines, *more, body]))
        return run("verify", "--spec", "toy.toml")

    assert asked() == 2
    assert "activation and final" in capsys.readouterr().err
    assert asked('activation = "none"') == 2
    assert asked('activation = "none"', 'final = "relu"') == 0
    assert asked('activation = "relu"', 'final = "none"') == 1


def test_names_that_only_look_alike_are_no_embeddings() -> None:
    for name in ("emptied", "Weather", "W_out", "W_in", "new", "layer_we1", "rwte1"):
        Path("a.json").write_text(json.dumps({name: [[1, 2, 3]]}))
        assert load("a.json", [LayerNames(name)]).notes == (END,)


# ---- biases


BESIDE = [
    ("model.mlp.fc1.weight", "model.mlp.fc1.bias"), ("W_in", "b_in"), ("W1", "b1"), ("w1", "b1"), ("W", "b"),
    ("Wenc", "benc"), ("mlp.W_out", "mlp.b_out"), ("kernel", "bias"), ("dense/kernel", "dense/bias"),
    ("weights", "biases"), ("sum", "sum_bias"), ("fc", "fc.b"), ("gru.weight_ih_l0", "gru.bias_ih_l0"),
]  # fmt: skip


@pytest.mark.parametrize(("weight", "bias"), BESIDE)
@pytest.mark.parametrize("suffix", ["json", "npz", "safetensors"])
def test_a_bias_beside_a_weight_is_used_or_refused_by_name(weight: str, bias: str, suffix: str) -> None:
    tensors, file = {weight: np.array([[1.0, 2.0]]), bias: np.array([-5.0])}, Path(f"a.{suffix}")
    save_file(tensors, file) if suffix == "safetensors" else save(file, tensors)
    with pytest.raises(InputError) as refused:
        load(file, [LayerNames(weight, relu=False)])
    assert f"bias {bias} is not used" in str(refused.value)
    assert f'{{weight = "{weight}", bias = "{bias}", relu = false}}' in str(refused.value)
    assert load(file, [LayerNames(weight, bias)]).run([1, 1]) == (-2,)
    network = load(file, [LayerNames(weight, False)], final="none")
    assert network.run([1, 1]) == (3,)
    assert network.notes == (f"Tensors not named in layers are not used: {bias}.",)
    with pytest.raises(CheckError):
        reading.read_network(str(file), [{"weight": weight}], None, "none")
    assert reading.read_network(str(file), [{"weight": weight, "bias": False}], None, "none").digest == network.digest


def test_a_bias_that_another_layer_uses_is_no_matter() -> None:
    tensors = {"W1": np.ones((2, 2)), "W2": np.array([[1.0, 2.0]]), "b2": np.array([1.0])}
    save(Path("a.npz"), tensors)
    assert load("a.npz", [LayerNames("W1"), LayerNames("W2", "b2")]).run([1, 0]) == (4,)


@pytest.mark.parametrize("value", ["true", "0", "1", '""', "[]"])
def test_a_bias_is_a_name_or_false(value: str, capsys: Capture) -> None:
    save(Path("a.npz"), {"W": np.ones((1, 2)), "b": np.zeros(1)})
    spec(Path("a.toml"), "a.npz", 2)
    assert run("verify", "--spec", edited("a.toml", saying(f'layers = [{{weight = "W", bias = {value}}}]'))) == 2
    told = capsys.readouterr().err
    assert "a tensor's name, or false" in told or "a tensor of this name" in told


# ---- tensors that nobody uses


def test_tensors_that_nobody_uses_are_listed_and_not_looked_at() -> None:
    named = [LayerNames("a", "c"), LayerNames("d", False)]
    good = {"a": np.array([[1.0, 2.0], [3.0, -4.0]]), "c": np.array([1.0, -1.0]), "d": np.array([[1.0, 2.0]])}
    odd = {
        "nan": np.array([np.nan, np.inf]), "words": np.array(["one", "two"]), "time": np.zeros(2, "M8[s]"),
        "pair": np.zeros(2, [("a", "f4")]), "complex": np.array([1j]), "objects": np.array([{}, []], object),
        "long": np.ones(2, np.longdouble), "cube": np.zeros((2, 2, 2)), "none": np.zeros((0, 3)), "s.shape": np.ones(1),
    }  # fmt: skip
    np.savez("a.npz", **good, **odd)  # type: ignore[arg-type]
    digest = {load("a.npz", named).digest}
    told = "nan, none, objects"
    assert told in load("a.npz", named).notes[-1]
    cells = {name: array.tolist() for name, array in good.items()}
    odds = {"nan": float("nan"), "words": ["one", "two"], "deep": {"er": [None]}, "ragged": [[1], [2, 3]], "n": []}
    Path("a.json").write_text(json.dumps(cells | odds))
    digest.add(load("a.json", named).digest)
    parts = {name: ("F64", array) for name, array in good.items()}
    raw = {"e4m3": ("F8_E4M3", 4), "e5m2": ("F8_E5M2", 4), "c64": ("C64", 16), "steps": ("I64", 16)}
    header, body = {}, b""
    for name, (kind, array) in parts.items():
        header[name] = {
            "dtype": kind,
            "shape": list(array.shape),
            "data_offsets": [len(body), len(body := body + array.tobytes())],
        }
    for name, (kind, size) in raw.items():
        header[name] = {
            "dtype": kind,
            "shape": [4 if size == 4 else 2],
            "data_offsets": [len(body), len(body := body + b"\xff" * size)],
        }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    Path("a.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + body)
    network = load("a.safetensors", named)
    assert network.notes[-1] == "Tensors not named in layers are not used: c64, e4m3, e5m2, steps."
    assert digest == {network.digest}
    layers = [{"weight": "a", "bias": "c"}, {"weight": "d", "bias": False}]
    assert {reading.read_network(f"a.{kind}", layers).digest for kind in ("npz", "json", "safetensors")} == digest
    for suffix, name in (("npz", "nan"), ("json", "words"), ("safetensors", "c64")):
        with pytest.raises(InputError, match=name):
            load(f"a.{suffix}", [LayerNames(name)])


def test_the_names_of_unused_tensors_are_escaped_and_few() -> None:
    tensors = {"w": [[1, 2]], "evil\n::error::\x1b[31m": [1], **{f"t{n:04d}": [n] for n in range(300)}}
    Path("a.json").write_text(json.dumps(tensors))
    note = load("a.json", [LayerNames("w", False)]).notes[-1]
    assert note.isprintable()
    assert "evil\\n::error::\\x1b[31m, t0000, " in note
    assert note.endswith(" and 261 more.")


def test_a_tensor_that_nobody_uses_takes_no_memory_beside_its_file() -> None:
    """The file is read whole, once: its digest is of what was parsed."""
    import tracemalloc

    tensors = {"w": np.ones((1, 2)), "moments": np.zeros((1 << 22,))}
    save_file(tensors, "a.safetensors")
    savez("a.npz", tensors)
    for file in ("a.safetensors", "a.npz"):
        load(file, [LayerNames("w")])
        tracemalloc.start()
        try:
            load(file, [LayerNames("w")])
            assert tracemalloc.get_traced_memory()[1] < Path(file).stat().st_size + 4_000_000
        finally:
            tracemalloc.stop()


def test_without_layers_a_tensor_more_is_refused_before_it_is_looked_at() -> None:
    savez("a.npz", {"0.weight": np.ones((1, 2)), "1.running_mean": np.array(["x"])})
    with pytest.raises(InputError, match=r"1\.running_mean: expected only tensors named"):
        load("a.npz")


def test_a_code_with_a_tensor_more_is_refused_by_its_name() -> None:
    np.savez("code.npz", weight=np.ones((1, 2)), extra=np.array(["x"]))
    save(Path("a.npz"), {"0.weight": np.ones((1, 1))})
    spec(Path("a.toml"), "a.npz", 2)
    with pytest.raises(InputError, match="extra"):
        verify(None, edited("a.toml", saying('encoder = "code.npz"')))


# ---- every report of every verb


@pytest.fixture
def plain() -> dict[str, str]:
    """Two specs of one network that differ in what they say, both proved."""
    save(Path("net.npz"), ands(3))
    spec(Path("stated.toml"), "net.npz", 3)
    Path("silent.toml").write_text(Path("stated.toml").read_text().replace(STATED, ""))
    return {name: f"{name}.toml" for name in ("silent", "stated")}


def _shown(capsys: Capture, *arguments: object) -> str:
    assert run(*arguments) == 0
    return capsys.readouterr().out


def _written(option: str) -> Callable[[Capture, str, str], str]:
    def written(capsys: Capture, verb: str, file: str) -> str:
        _shown(capsys, verb, "--spec", file, option, "page.html")
        return Path("page.html").read_text()

    return written


def _verb(*options: str) -> Callable[[Capture, str, str], str]:
    return lambda capsys, verb, file: _shown(capsys, verb, "--spec", file, *options)


REPORTS: dict[str, tuple[str, Callable[[Capture, str, str], str]]] = {
    **{f"verify {kind}": ("verify", _verb("--format", kind)) for kind in ("text", "json", "junit", "sarif", "github")},
    "verify html": ("verify", _written("--html")),
    "explore text": ("explore", _verb()),
    "explore json": ("explore", _verb("--format", "json")),
    "explore html": ("explore", _written("--html")),
    "audit text": ("audit", _verb()),
    "audit json": ("audit", _verb("--format", "json")),
    "audit html": ("audit", _written("--html")),
    "prune text": ("prune", _verb("-o", "pruned.npz")),
    "prune json": ("prune", _verb("-o", "pruned.npz", "--format", "json")),
    **{
        f"gate {kind}": ("gate", lambda capsys, verb, file, kind=kind: _shown(capsys, verb, file, "--format", kind))  # type: ignore[misc]
        for kind in ("text", "json", "json-lines", "junit", "sarif", "github")
    },
    "gate quiet": ("gate", lambda capsys, verb, file: _shown(capsys, verb, file, "-q")),
    "gate verbose": ("gate", lambda capsys, verb, file: _shown(capsys, verb, file, "-v")),
}


@pytest.mark.parametrize("report", REPORTS)
def test_every_report_says_what_was_assumed(report: str, plain: dict[str, str], capsys: Capture) -> None:
    verb, ask = REPORTS[report]
    for _ in range(2):  # the second time a gate has it from its cache
        silent = ask(capsys, verb, plain["silent"])
        assert WORDS in silent or ("ReLU after each but the last" in silent and "no ReLU is assumed" in silent)
        stated = ask(capsys, verb, plain["stated"])
        assert not re.search(r"Assumed|\(assumed|assumed:|is assumed", stated.replace('"id": "assumed"', ""))


@pytest.mark.parametrize("report", ["verify text", "explore text", "audit text", "prune text"])
def test_a_report_for_people_begins_with_it(report: str, plain: dict[str, str], capsys: Capture) -> None:
    verb, ask = REPORTS[report]
    first = ask(capsys, verb, plain["silent"]).splitlines()[:4]
    assert [line for line in first if line.startswith("Assumed: ")] == [f"Assumed: {BETWEEN}", f"Assumed: {END}"]


@pytest.mark.parametrize("report", [name for name in REPORTS if name.endswith((" json", "json-lines"))])
def test_json_has_it_under_assumptions(report: str, plain: dict[str, str], capsys: Capture) -> None:
    verb, ask = REPORTS[report]
    for name, wanted in (("silent", [BETWEEN, END]), ("stated", [])):
        found = json.loads(ask(capsys, verb, plain[name]))
        assert (found["specs"][0] if "specs" in found else found)["assumptions"] == wanted


def test_a_gates_line_is_short(plain: dict[str, str], capsys: Capture) -> None:
    assert run("gate", "silent.toml", "-v") == 0
    line, assumed, *_ = capsys.readouterr().out.splitlines()
    assert line.startswith(f"passed  silent.toml: proved (assumed: {WORDS}), ")
    assert assumed.startswith(f"ASSUMED  {WORDS}, in 1 of 1 spec; ")
    edited("silent.toml", ('at = "1/2"', 'at = "5"'))
    assert run("gate", "edited.toml") == 1
    assert capsys.readouterr().out.startswith(
        f"FAILED  edited.toml: refuted, but [expect] says proved (assumed: {WORDS})\n"
    )


def test_machines_get_it_in_their_own_forms(plain: dict[str, str], capsys: Capture) -> None:
    run("gate", "silent.toml", "--format", "junit")
    (case,) = ElementTree.fromstring(capsys.readouterr().out).iter("testcase")
    assert [part.tag for part in case] == ["system-out"]
    run("gate", "silent.toml", "--format", "sarif")
    (result,) = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("assumed", "note")
    run("gate", "silent.toml", "--format", "github")
    assert capsys.readouterr().out.startswith("::notice file=silent.toml,line=1,")


def test_init_writes_both_keys_as_a_guess_and_says_so(plain: dict[str, str], capsys: Capture) -> None:
    assert run("init", "net.npz") == 0
    assert capsys.readouterr().out.splitlines()[1:] == [f"Assumed: {BETWEEN}", f"Assumed: {END}"]
    text = Path("net.toml").read_text()
    assert re.search(r'^activation = "relu"  # FILL IN', text, re.MULTILINE)
    assert (read_spec("net.toml").source.activation, read_spec("net.toml").source.final) == ("relu", "none")
    found = as_json(capsys, "init", "net.npz", "-o", "other.toml")
    assert found["assumptions"] == [BETWEEN, END]
    for file in SPECS.glob("proved/trained_and8.onnx"):
        shutil.copy(file, ".")
    assert run("init", "trained_and8.onnx") == 0
    assert "activation" not in Path("trained_and8.toml").read_text()


def test_check_says_it_of_every_reading(plain: dict[str, str], capsys: Capture) -> None:
    tables = '[outputs]\ntable = "truth.csv"\n[readout]'
    rows = [(a, b, c, a & b, a & c, b & c) for a, b, c in product((0, 1), repeat=3)]
    Path("truth.csv").write_text("\n".join(["x0,x1,x2,y0,y1,y2", *(",".join(map(str, row)) for row in rows)]) + "\n")
    edited("silent.toml", (r"\[outputs\]\n(.*\n)*?\[readout\]", tables))
    for file in ("silent.toml", "edited.toml"):  # the lone checker reads the first, and is handed the second
        assert run("verify", "--spec", file, "--certificate", "a.cert") == 0
        capsys.readouterr()
        assert run("check", "a.cert", "net.npz", "--spec", file) == 0
        assert f"; assumed: {WORDS}" in capsys.readouterr().out
        found = as_json(capsys, "check", "a.cert", "net.npz", "--spec", file)
        assert len(found["assumptions"]) == 2
    assert run("verify", "--spec", "stated.toml", "--certificate", "a.cert") == 0
    assert run("check", "a.cert", "net.npz", "--spec", "stated.toml") == 0
    assert "ssumed" not in capsys.readouterr().out
    assert as_json(capsys, "check", "a.cert", "net.npz", "--spec", "stated.toml")["assumptions"] == []


def test_pytest_warns_of_it(plain: dict[str, str]) -> None:
    Path("pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "--supercheck", *plain.values()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert re.findall(r"(\w+)\.toml: assumed: ReLU between layers, none at the end", done.stdout) == ["silent"]
    edited("silent.toml", ('at = "1/2"', 'at = "5"'))
    done = subprocess.run([*command[:-2], "edited.toml"], capture_output=True, text=True, check=False)
    assert f"assumed: {BETWEEN}" in done.stdout


def test_assert_computes_warns_of_it(plain: dict[str, str], recwarn: pytest.WarningsRecorder) -> None:
    right = ["x0 & x1", "x0 & x2", "x1 & x2"]
    assert_computes("net.npz", right, activation="relu", final="none")
    assert not recwarn
    with pytest.warns(UserWarning, match=WORDS):
        assert_computes("net.npz", right)
    with pytest.warns(UserWarning, match=WORDS), pytest.raises(AssertionError, match="ReLU after each but the last"):
        assert_computes("net.npz", right[::-1])
    with pytest.warns(UserWarning, match="none at the end"):
        assert_computes(load("net.npz", (), "relu"), right)


def test_a_verdict_is_not_served_for_another_activation(capsys: Capture) -> None:
    """Of these three questions, which one file holds, the cache knows each by itself."""
    save(Path("net.npz"), {"0.weight": np.array([[1.0, 1.0]]), "0.bias": np.array([-1.0]), "2.weight": np.ones((1, 1))})
    spec(Path("a.toml"), "net.npz", 2)
    text, verdicts = Path("a.toml").read_text().replace('at = "1/2"', 'at = "-1/2"').replace('"and"', '"or"'), []
    for _ in range(2):
        for activation, final in (("relu", "none"), ("none", "none"), ("none", "relu")):
            said = f'activation = "{activation}"\nfinal = "{final}"'
            Path("a.toml").write_text(text.replace(STATED, said))
            run("gate", "a.toml", "--format", "json")
            (one,) = json.loads(capsys.readouterr().out)["specs"]
            verdicts.append((one["verdict"], one["cached"]))
    assert verdicts[:3] == [("refuted", False), ("proved", False), ("refuted", False)]
    assert [cached for _, cached in verdicts[3:]] == [True] * 3
    assert [verdict for verdict, _ in verdicts[3:]] == [verdict for verdict, _ in verdicts[:3]]


# ---- who writes it


def stated(file: Path) -> tuple[str | None, str | None]:
    source = read_spec(file).source
    return source.activation, source.final


@pytest.mark.parametrize("file", sorted(SPECS.glob("[pcr][ore]*/*.toml")), ids=lambda file: file.stem)
def test_every_spec_of_ours_says_it(file: Path) -> None:
    source = read_spec(file).source
    assert source.file is not None
    assert stated(file) == (None, None) if source.file.suffix == ".onnx" else None not in stated(file)
    network, _ = loaded(source.file, source)
    assert brief(network.notes) is None


def test_build_and_prune_and_reproducers_write_both_keys() -> None:
    built = build("copy", features=4, max_active=2, output="copy.npz")
    assert built.spec is not None
    assert stated(built.spec) == ("relu", "none")
    savez("net.npz", {"0.weight": np.eye(2), "2.weight": np.eye(2)})
    asked = Spec(KSparse(2, 1), (parse("x0"), parse("x1")), Readout("threshold", Fraction(1, 2)))
    pruned = prune("net.npz", asked, output="pruned.npz")
    assert pruned.spec is not None
    assert stated(pruned.spec) == ("relu", "none")
    assert f"# assumed of the network that was given: {WORDS}\n" in pruned.spec.read_text()
    claims = verify("net.npz", asked).claims
    saved = reproduce(claims, 0, Path("saved.toml"), "why")
    assert stated(saved) == ("relu", "none")
    assert verify(None, saved).claims.assumptions == ()


@pytest.mark.parametrize("relus", list(product((False, True), repeat=3)))
def test_what_is_written_is_what_follows_each_layer(relus: Sequence[bool]) -> None:
    ones = {f"{2 * n}.weight": np.ones((1, 1)) for n in range(3)} | {f"{2 * n}.bias": np.zeros(1) for n in range(3)}
    savez("a.npz", ones)
    names = [LayerNames(f"{2 * n}.weight", f"{2 * n}.bias", relu=relu) for n, relu in enumerate(relus)]
    network = load("a.npz", names)
    asked = Spec(KSparse(1, 1), (parse("x0"),), Readout("equality"))
    Path("a.toml").write_bytes(spec_bytes(asked, network.stored, {"file": "a.npz"}))
    again = verify(None, "a.toml").claims
    assert [layer.relu for layer in again.own.stored] == list(relus)
    assert again.assumptions == ()
    assert None not in stated(Path("a.toml"))


# ---- the lone checker


def toml(given: Mapping[str, Any], activation: str | None, final: str | None, features: int, outputs: int) -> str:
    """A spec as somebody would write it."""
    layers = []
    for layer in given["layers"]:
        relu = "" if layer.relu is None else f", relu = {str(layer.relu).lower()}"
        layers.append(f'{{weight = "{layer.weight}", bias = "{layer.bias}"{relu}}}')
    lines = ["[network]", f"layers = [{', '.join(layers)}]"]
    lines += [f'{key} = "{word}"' for key, word in (("activation", activation), ("final", final)) if word]
    lines += ["[domain]", f"features = {features}", f"max_active = {features}", "[outputs]"]
    lines += [f"formulas = {['x0'] * outputs}", "[readout]", 'mode = "separable"']
    return "\n".join(lines) + "\n"


def test_the_checker_reads_the_same_keys_or_refuses() -> None:
    """Refused: a ReLU at the end, none between; what it takes for granted it names like every report."""
    read = 0
    for _, stored, given, (activation, final) in questions():
        Path("a.json").write_text(json.dumps(given["tensors"]))
        features, outputs = len(stored[0][0][0]), len(stored[-1][0])
        Path("a.toml").write_text(toml(given, activation, final, features, outputs))
        asked = read_spec("a.toml")
        claims = pose(loaded("a.json", asked.source)[0], asked)
        plain = [relu for _, _, relu in stored] == [True] * (len(stored) - 1) + [False]
        if not plain:
            with pytest.raises(CheckError):
                checker.question("a.json", "a.toml", None)
            continue
        network, own = checker.question("a.json", "a.toml", None)
        assert (network.digest, own.digest) == (claims.network.digest, claims_digest(claims))
        assert (", ".join(network.assumed) or None) == brief(claims.assumptions)
        read += 1
    assert read > 20


@pytest.mark.parametrize(("tensors", "layers", "name"), [row for row in TIED if not row[1] or not row[1][-1].transpose])
def test_the_checker_takes_nothing_of_tied_weights(
    tensors: dict[str, np.ndarray], layers: list[LayerNames], name: str
) -> None:
    save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, "a.safetensors")
    named = [{"weight": layer.weight} for layer in layers]
    with pytest.raises(CheckError, match="activation and final"):
        reading.read_network("a.safetensors", named)
    assert reading.read_network("a.safetensors", named, "relu", "none").assumed == ()


@pytest.mark.parametrize(("activation", "final"), list(product(("relu", "none"), repeat=2)))
def test_certificates_are_of_the_network_that_is_said(activation: str, final: str, capsys: Capture) -> None:
    """Each is accepted for its own spec, by the checker as a file too, and for no other that means another network."""
    save(
        Path("net.npz"), {"0.weight": np.array([[1.0, 1.0]]), "0.bias": np.array([-1.0]), "2.weight": np.array([[2.0]])}
    )
    spec(Path("a.toml"), "net.npz", 2)
    text, digests = Path("a.toml").read_text().replace('at = "1/2"', 'at = "1"'), {}
    for one in product(("relu", "none"), repeat=2):
        said = f'activation = "{one[0]}"\nfinal = "{one[1]}"'
        Path(f"{one[0]}_{one[1]}.toml").write_text(text.replace(STATED, said))
        digests[one] = verify(None, f"{one[0]}_{one[1]}.toml").claims.network.digest
    own = f"{activation}_{final}.toml"
    assert run("verify", "--spec", own, "--certificate", "a.cert") == 0
    capsys.readouterr()
    cores = ["a.cert.network.json", "a.cert.claims"]
    alone = cores if Path(cores[0]).exists() else ["net.npz", own]
    assert (alone == cores) == ((activation, final) != ("relu", "none"))
    assert command.main(["a.cert", *alone]) == 0
    for one, digest in digests.items():
        code = run("check", "a.cert", "net.npz", "--spec", f"{one[0]}_{one[1]}.toml")
        assert code == (0 if digest == digests[activation, final] else 1)


def test_every_verb_has_been_asked() -> None:
    """A verb that is new has to say what it assumes as well."""
    commands = cli.command_line([]).registered_commands
    verbs = {command.callback.__name__ for command in commands if command.callback is not None}
    assert verbs == {report.split()[0] for report in REPORTS} | {"init", "build", "check", "bounds"}
