"""The verbs `audit` and `bounds` on the command line: their JSON, exit codes, drawings and errors."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from common import SPECS, Capture
from rich.console import Console

from supercheck import audit
from supercheck.cli import app as cli
from supercheck.report.audit import plot, text as report


def run(capsys: Capture, *arguments: object) -> tuple[int, str, str]:
    code = cli.main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_json_of_an_audit_has_the_keys_of_the_design(capsys: Capture) -> None:
    code, out, _ = run(capsys, "audit", "--spec", SPECS / "proved" / "one_per_pair.toml", "--format", "json")
    found = json.loads(out)
    assert code == 0
    keys = list(found)
    assert keys[:4] == ["supercheck", "network", "spec", "domain"]
    assert keys[-1] == "seconds"
    assert {"counts", "bits", "floors", "limits"} <= set(keys)
    assert set(found["bits"]) == {"hidden", "readout", "own"}
    assert [list(floor) for floor in found["floors"]] == [
        ["name", "measured", "floor", "unit", "kind", "binds", "source"] for _ in found["floors"]
    ]
    assert {floor["kind"] for floor in found["floors"]} <= {"class", "this function", "this network"}
    assert found["limits"] == [
        {"name": "max_neurons", "limit": "outputs", "measured": 15, "pass": True},
        {"name": "max_edges", "limit": "3 * outputs", "measured": 45, "pass": True},
    ]
    verified = json.loads(
        run(capsys, "verify", "--spec", SPECS / "proved" / "one_per_pair.toml", "--format", "json")[1]
    )
    assert all(found[key] == verified[key] for key in ("network", "spec", "domain", "verdict"))


def with_limits(tmp_path: Path, limits: str) -> Path:
    lines = (SPECS / "proved" / "one_per_pair.toml").read_text().split("[audit]")[0]
    spec = tmp_path / "limited.toml"
    spec.write_text(
        lines.replace('"one_per_pair.npz"', json.dumps(str(SPECS / "proved" / "one_per_pair.npz"))) + limits
    )
    return spec


@pytest.mark.parametrize(
    ("limit", "kept"),
    [
        ("max_neurons = 15", True),
        ("max_neurons = 14", False),
        ("max_width = 'm + 3 * k - 9'", True),
        ("max_edges = '3 * outputs - 0.5'", False),
        ("max_parameters = '2 * outputs'", True),
        ("max_parameters = '2 * outputs - 1'", False),
        ("max_bits = 156", True),
        ("max_bits = 155", False),
        ("max_weight = 1", True),
        ("max_weight = 'log2(m) / sqrt(m) - 0.06'", False),
    ],
)
def test_a_limit_that_fails_is_exit_1_and_never_a_refutation(
    limit: str, kept: bool, tmp_path: Path, capsys: Capture
) -> None:
    code, out, err = run(capsys, "audit", "--spec", with_limits(tmp_path, f"[audit]\n{limit}\n"), "--format", "json")
    found = json.loads(out)
    assert (code, err) == (0 if kept else 1, "")
    assert [entry["pass"] for entry in found["limits"]] == [kept]
    assert found["verdict"] == "proved"


def test_a_refuted_network_that_keeps_its_limits_is_exit_0(capsys: Capture) -> None:
    code, out, _ = run(capsys, "audit", "--spec", SPECS / "refuted" / "missing_path.toml")
    assert code == 0
    assert "refuted" in out.splitlines()[0]


def test_failing_limits_are_shown(tmp_path: Path, capsys: Capture) -> None:
    _, out, _ = run(capsys, "audit", "--spec", with_limits(tmp_path, "[audit]\nmax_edges = '2 * outputs'\n"))
    [line] = [line for line in out.splitlines() if line.startswith("max_edges")]
    assert line.split() == ["max_edges", "2", "*", "outputs", "=", "30", "45", "FAIL"]


def test_bounds_print_the_figures_of_theory(capsys: Capture) -> None:
    arguments = ("bounds", "2-and", "--features", 256, "--outputs", 256, "-k", 3, "--bits", 8)
    code, out, _ = run(capsys, *arguments)
    assert code == 0
    assert "3,837.1" in out
    code, out, _ = run(capsys, *arguments, "--format", "json")
    found = json.loads(out)
    assert (next(iter(found)), list(found)[-1]) == ("supercheck", "seconds")
    assert 22 in [floor["floor"] for floor in found["floors"]]
    assert {floor["measured"] for floor in found["floors"]} == {None}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("bounds", "3-and", "--features", 4, "--outputs", 4, "-k", 2), "permutation"),
        (("bounds", "2-and", "--features", 4, "--outputs", 7, "-k", 2), "at most 6"),
        (("bounds", "2-and", "--features", 4, "--outputs", 4, "-k", 2, "--wrong", "much"), "--wrong"),
        (("bounds", "2-and", "--features", 4, "--outputs", 4, "-k", 2, "--wrong", "3/4"), "--wrong"),
        (("bounds", "2-and", "--features", 4, "--outputs", 4, "-k", 2, "--plot", "b.pdf"), ".svg or .png"),
        (("bounds", "2-and", "--features", 4, "--outputs", 4), "-k"),
        (("audit",), "--spec"),
        (("audit", "--spec", SPECS / "proved" / "one_per_pair.toml", "--plot", "a.gif"), ".svg or .png"),
        (("audit", "--spec", SPECS / "proved" / "circuit_formulas.toml", "--plot", "a.svg"), "--plot"),
        (("audit", "--spec", SPECS / "proved" / "one_per_pair.toml", "--html", "none/such/a.html"), "--html"),
        (("audit", "--spec", SPECS / "proved" / "one_per_pair.toml", "--timeout", "-1"), "--timeout"),
        (("audit", "--spec", SPECS / "malformed" / "limit_unknown_name.toml"), "audit.max_neurons"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(
    arguments: tuple[object, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert len(err.splitlines()) == 1
    assert said in err
    assert not list(tmp_path.iterdir())


def test_drawings_and_pages_are_written_the_same_each_time(tmp_path: Path, capsys: Capture) -> None:
    spec = SPECS / "proved" / "channel_eighths.toml"
    for turn in ("a", "b"):
        names = [tmp_path / f"{turn}.{suffix}" for suffix in ("svg", "png", "html")]
        assert (
            run(capsys, "audit", "--spec", spec, "--plot", names[0], "--heat-map", names[1], "--html", names[2])[0] == 0
        )
        assert (
            run(capsys, "bounds", "gate2", "--features", 9, "--outputs", 9, "-k", 2, "--plot", f"{names[0]}2.svg")[0]
            == 0
        )
    for suffix in ("svg", "png", "svg2.svg"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "a.html").read_text()
    assert page.count("<svg") == 2
    assert "Where the computation happens" in page
    for text in (page, (tmp_path / "a.svg").read_text()):
        assert "this network, 80 neurons" in text
        assert "lower: n x n blocks between fixed codes, 8 bits" in text


def test_the_drawing_shows_the_network_beside_its_legend() -> None:
    found = audit(None, SPECS / "proved" / "channel_eighths.toml", verify=False)
    figure = plot.audit_figure(found)
    assert figure is not None
    figure.draw_without_rendering()
    [axes], [legend] = figure.axes, figure.legends
    assert not legend.get_window_extent().overlaps(axes.get_window_extent())
    colours = {line.get_color() for line in axes.get_lines()}
    assert len(colours) == len(axes.get_lines())


@pytest.mark.parametrize("width", [80, 120])
def test_tables_keep_to_the_width_of_the_terminal(width: int) -> None:
    stream = io.StringIO()
    spec = SPECS / "proved" / "channel_eighths.toml"
    report.show(
        audit(None, spec, verify=False), Console(file=stream, width=width, force_terminal=True, color_system=None)
    )
    lines = stream.getvalue().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("Floors"))
    table = lines[start : lines.index("", start)] if "" in lines[start:] else lines[start:]
    assert len(table) > 5
    assert max(map(len, table)) <= width
    assert (max(map(len, table)) > 80) == (width == 120)


def test_a_terminal_gets_the_report_in_its_width(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = run(capsys, "audit", "--spec", SPECS / "proved" / "channel_eighths.toml", "--no-verify")
    assert code == 0
    table = [line for line in out.splitlines() if "this network" in line]
    assert len(table) == 3
    assert max(map(len, table)) == 80
