"""Reproducers: the archive holds the question and nothing else, and repeats the run wherever it is unpacked."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from common import ROOT, Capture, run

SPECS, ONNX = ROOT / "specs", ROOT / "tests" / "data" / "onnx"


QUESTION = """
[domain]
features = 2
max_active = 2
[outputs]
gate = "and"
over = [[0, 1]]
[readout]
mode = "equality"
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in a folder where nothing else is."""
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")


def write(path: str, text: str) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


NETWORK = '{"0.weight": [[1, 1]], "0.bias": [-1], "2.weight": [[1]]}'


def repeated(archive: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, list[str]]:
    """Unpack far from everything, and do what the report says; the exit code and the archive's names."""
    place = Path("../unpacked").resolve()
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(place)
        names = sorted(packed.namelist())
    for file in Path().iterdir():  # nothing may be found where it was
        shutil.rmtree(file) if file.is_dir() else file.unlink()
    monkeypatch.chdir(place)
    [line] = [line for line in Path("report.txt").read_text().splitlines() if line.startswith("supercheck verify ")]
    return run(*shlex.split(line)[1:]), names


def packed(spec: Path, *more: object) -> int:
    return run("verify", *more, "--spec", spec, "--reproducer", "a.zip", "--timeout", "60")


EVERY = sorted(
    file
    for folder in ("proved", "refuted")
    for file in (SPECS / folder).glob("*.toml")
    if any(word in file.read_text() for word in ("encoder", "decoder", "table =", "onnx", "safetensors", "npz"))
)


@pytest.mark.parametrize("spec", EVERY[:: max(1, len(EVERY) // 12)], ids=lambda file: file.stem)
def test_a_run_is_repeated_from_its_archive(spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    shutil.copytree(spec.parent, "specs")
    code = packed(Path("specs") / spec.name)
    before = capsys.readouterr().out
    again, names = repeated("a.zip", monkeypatch)
    assert again == code
    assert same(capsys.readouterr().out) == same(before)
    assert all(name == "report.txt" or (spec.parent / name).is_file() for name in names)


def same(report: str) -> list[str]:
    """A report without its seconds."""
    return [line for line in report.splitlines() if " s" not in line]


def test_encoder_decoder_and_network_in_other_folders_come_along(monkeypatch: pytest.MonkeyPatch) -> None:
    write("nets/a.json", NETWORK)
    write("codes/in.json", '{"weight": [[1, 0], [0, 1]]}')
    np.savez("codes/out.npz", weight=np.ones((1, 1)))
    source = '[network]\nfile = "../nets/a.json"\nencoder = "../codes/in.json"\ndecoder = "../codes/out.npz"\n'
    assert packed(write("questions/a.toml", source + QUESTION)) == 0
    code, names = repeated("a.zip", monkeypatch)
    assert code == 0
    assert names == ["codes/in.json", "codes/out.npz", "nets/a.json", "questions/a.toml", "report.txt"]


def test_a_truth_table_comes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.json", NETWORK)
    write("tables/a.csv", "x0,x1,y0\n0,0,0\n0,1,0\n1,0,0\n1,1,1\n")
    question = QUESTION.replace('gate = "and"\nover = [[0, 1]]', 'table = "tables/a.csv"')
    assert packed(write("a.toml", question), "a.json") == 0
    assert repeated("a.zip", monkeypatch) == (0, ["a.json", "a.toml", "report.txt", "tables/a.csv"])


@pytest.mark.parametrize("suffix", [".onnx", ".ONNX"])
def test_external_data_comes_along(suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    [source] = ONNX.glob("external-*.onnx")
    shutil.copy(source, f"a{suffix}")
    shutil.copy(f"{source}.data", f"{source.name}.data")
    shape = onnx.load(source, load_external_data=False).graph.input[0].type.tensor_type.shape
    features = shape.dim[-1].dim_value
    outputs = onnx.load(source, load_external_data=False).graph.output[0].type.tensor_type.shape.dim[-1].dim_value
    formulas = json.dumps(["x0"] * outputs)
    question = QUESTION.replace("features = 2", f"features = {features}").replace("max_active = 2", "max_active = 1")
    question = question.replace('gate = "and"\nover = [[0, 1]]', f"formulas = {formulas}")
    assert packed(write("a.toml", question), f"a{suffix}") == 1
    code, names = repeated("a.zip", monkeypatch)
    assert code == 1
    assert names == sorted([f"a{suffix}", "a.toml", f"{source.name}.data", "report.txt"])


def test_external_data_of_a_constant_node_comes_along() -> None:
    """Regression: only the data of initialisers was packed."""
    tensor = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [2, 1], np.ones(2, np.float32).tobytes(), raw=True)
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, text in (("location", "a.data"), ("offset", "0"), ("length", "8")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, text
    nodes = [
        onnx.helper.make_node("Constant", [], ["w"], value=tensor),
        onnx.helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    source = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 2])
    target = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 1])
    Path("a.onnx").write_bytes(
        onnx.helper.make_model(onnx.helper.make_graph(nodes, "g", [source], [target])).SerializeToString()
    )
    Path("a.data").write_bytes(np.ones(2, np.float32).tobytes())
    assert packed(write("a.toml", QUESTION), "a.onnx") == 1
    assert sorted(zipfile.ZipFile("a.zip").namelist()) == ["a.data", "a.onnx", "a.toml", "report.txt"]


def test_nothing_but_the_question_is_packed() -> None:
    """What lies beside, what a file's external data may not be, and what no reader would read stay where they are."""
    write("secret.key", "private")
    write("a.json", NETWORK)
    write("id_rsa", "private")
    os.symlink("secret.key", "a.json.data")
    assert packed(write("a.toml", QUESTION), "a.json") == 0
    assert sorted(zipfile.ZipFile("a.zip").namelist()) == ["a.json", "a.toml", "report.txt"]
    assert packed(write("a.toml", '[network]\nfile = "id_rsa"\n' + QUESTION)) == 2
    assert sorted(zipfile.ZipFile("a.zip").namelist()) == ["a.toml", "report.txt"]
    assert "private" not in zipfile.ZipFile("a.zip").read("report.txt").decode()


def test_an_absolute_path_is_told_with_its_name_in_the_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    network = write("nets/a.json", NETWORK).absolute()
    assert packed(write("questions/a.toml", f'[network]\nfile = "{network}"\n' + QUESTION)) == 0
    code, _ = repeated("a.zip", monkeypatch)
    assert code == 2
    report = Path("report.txt").read_text()
    assert f"The spec names {network}: write nets/a.json in its place." in report
    assert run("verify", "nets/a.json", "--spec", "questions/a.toml") == 0


def test_files_older_than_zip_are_packed() -> None:
    """Regression: a file from before 1980 ended in an internal fault."""
    os.utime(write("a.json", NETWORK), (0, 0))
    assert packed(write("a.toml", QUESTION), "a.json") == 0


def test_versions_command_and_result_are_told(capsys: Capture) -> None:
    write("a b.json", NETWORK)
    assert run("verify", "a b.json", f"--spec={write('a.toml', QUESTION)}", "--reproducer", "a.zip") == 0
    report = zipfile.ZipFile("a.zip").read("report.txt").decode()
    assert "supercheck verify 'a b.json' --spec=a.toml --reproducer a.zip" in report
    assert "z3-solver" in report
    assert capsys.readouterr().out.splitlines()[0] in report


def test_a_question_that_cannot_be_read_is_packed_as_far_as_it_is_there() -> None:
    assert packed(write("a.toml", "nonsense"), write("a.json", "{")) == 2
    assert sorted(zipfile.ZipFile("a.zip").namelist()) == ["a.json", "a.toml", "report.txt"]
    assert "InputError" in zipfile.ZipFile("a.zip").read("report.txt").decode()
