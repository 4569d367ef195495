"""Notebooks: every result in cells of a real kernel, which is started once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from common import ROOT

CELLS = {
    "start": """
        import os, signal, threading
        from fractions import Fraction
        import numpy as np
        import supercheck
        from supercheck.cli import app as cli
        from supercheck.base.matrix import Rows
        from supercheck.ci.suite import gate
        from supercheck.network.network import Affine, Network
        right, wrong = "specs/proved/trained_and8.toml", "specs/refuted/trained_and8_k4.toml"
        result = supercheck.verify(None, wrong)
        found = supercheck.explore(None, wrong)
    """,
    "str": "str(result)",
    "print": "print(result)",
    "f-string": "print(f'{result}')",
    "result": "result",
    "exploration": "found",
    "exploration, printed": "print(found)",
    "audit": "supercheck.audit(None, right)",
    "audit, printed": "print(supercheck.audit(None, right))",
    "pruning": "supercheck.prune(None, 'specs/proved/power_sums.toml')",
    "building": "supercheck.build('copy', features=8, max_active=2)",
    "bounds": "supercheck.bounds('2-and', 64, 64, 3)",
    "gate": "gate([right])",
    "network": "supercheck.load('specs/proved/trained_and8.onnx')",
    "spec": "supercheck.read_spec(right)",
    "command": "cli.main(['verify', '--spec', right])",
    "progress": """
        from supercheck.cli.progress import progress_bar
        with progress_bar() as progress:
            print(supercheck.verify(None, right, progress=progress).verdict.value)
    """,
    "no file": "supercheck.verify('nowhere.npz', right)",
    "a pickle": "supercheck.verify('model.pt', right)",
    "processes": "print(supercheck.verify(None, right, executor='processes:2').verdict.value)",
    "z3": "print(supercheck.verify(None, right, limits=supercheck.Limits(engine='z3', workers=2)).verdict.value)",
    "interrupted": """
        draw = np.random.default_rng(0).integers
        layers = [(draw(-9, 10, (60, 30)), True), (draw(-9, 10, (40, 60)), False)]
        network = Network.of([Affine(Rows.from_dense(w.astype(float)), np.zeros(len(w)), relu) for w, relu in layers])
        ands = tuple(supercheck.gate("and", (i % 30, (i + 1) % 30)) for i in range(40))
        spec = supercheck.Spec(supercheck.KSparse(30, 10), ands, supercheck.Readout("threshold", Fraction(1, 2)))
        threading.Timer(2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        stopped = supercheck.verify(network, spec, limits=supercheck.Limits(engine="z3", workers=2))
        print({one.reason for one in stopped.outputs if one.verdict.value == "unknown"})
    """,
    "children": """
        import psutil
        print(supercheck.verify(None, right).verdict.value, psutil.Process().children(recursive=True))
    """,
}


@pytest.fixture(scope="module")
def outputs() -> dict[str, list[Any]]:
    """What each cell puts out; each is a cell of one notebook."""
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    from textwrap import dedent

    cells = [nbformat.v4.new_code_cell(dedent(code)) for code in CELLS.values()]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", allow_errors=True, resources={"metadata": {"path": str(ROOT)}}
    )
    client.execute()
    return {name: cell.outputs for name, cell in zip(CELLS, notebook.cells, strict=True)}


def printed(found: list[Any]) -> str:
    assert {one.output_type for one in found} == {"stream"}, found
    return "".join(one.text for one in found if one.name == "stdout").removesuffix("\n")


def shown(found: list[Any]) -> dict[str, str]:
    [one] = [one for one in found if one.output_type != "stream"]
    assert one.output_type == "execute_result", one
    data: dict[str, str] = one.data
    return data


def test_a_result_in_a_string_is_its_report(outputs: dict[str, list[Any]]) -> None:
    """Regression: in a kernel rich showed the report itself, and the string was empty."""
    assert outputs["start"] == []
    text = printed(outputs["print"])
    assert text.startswith("REFUTED  25 of 28 outputs")
    assert text == printed(outputs["f-string"]) == eval(shown(outputs["str"])["text/plain"])
    assert printed(outputs["exploration, printed"]).startswith("REFUTED  25 of 28 outputs")
    assert printed(outputs["audit, printed"]).startswith("AUDIT  trained_and8.onnx")


@pytest.mark.parametrize("name", ["result", "exploration", "audit", "pruning", "building", "bounds", "gate"])
def test_a_cell_shows_a_result_in_less_than_200_kilobytes(name: str, outputs: dict[str, list[Any]]) -> None:
    data = shown(outputs[name])
    assert {"text/plain", "text/html"} == data.keys()
    assert 0 < len(data["text/html"].encode()) < 200_000
    assert 0 < len(data["text/plain"]) < 5_000
    assert len(str(outputs[name])) < 250_000, "nothing else is shown beside it"


@pytest.mark.parametrize("name", ["network", "spec"])
def test_what_is_no_result_is_a_line(name: str, outputs: dict[str, list[Any]]) -> None:
    assert 0 < len(shown(outputs[name])["text/plain"]) < 300


def test_a_command_prints_in_a_cell(outputs: dict[str, list[Any]]) -> None:
    stream, code = outputs["command"]
    assert stream.text.startswith("PROVED  each of the 28 outputs")
    assert code.data["text/plain"] == "0"


@pytest.mark.parametrize(("name", "said"), [("no file", "nowhere.npz"), ("a pickle", "model.pt")])
def test_bad_input_is_a_line_and_no_traceback(name: str, said: str, outputs: dict[str, list[Any]]) -> None:
    [error] = outputs[name]
    assert error.ename == "InputError"
    first = re.sub(r"\x1b\[[0-9;]*m", "", error.traceback[0])
    assert first.startswith(f"InputError: {said}: expected")
    assert not [line for line in error.traceback if "Traceback" in line or ".py" in line]


@pytest.mark.parametrize("name", ["progress", "processes", "z3"])
def test_child_processes_start_from_a_kernel(name: str, outputs: dict[str, list[Any]]) -> None:
    assert printed(outputs[name]) == "proved"


def test_an_interrupted_cell_says_what_is_known(outputs: dict[str, list[Any]]) -> None:
    assert printed(outputs["interrupted"]) == "{'interrupted'}"
    assert printed(outputs["children"]) == "proved []"
