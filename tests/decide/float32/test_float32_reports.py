"""What the command line says of float32: the verdict's words, the object, the exit code."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from common import SPECS, Capture

from supercheck import read_spec, verify
from supercheck.cli import app as cli

EVERY_ORDER = "PROVED (float32, any summation order, with or without FMA; margin "


def said(capsys: Capture, spec: Path, *options: str) -> tuple[int, str]:
    code = cli.main(["verify", "--spec", str(spec), *options])
    return code, capsys.readouterr().out


def in_float32(tmp_path: Path, name: str) -> Path:
    """A spec of the corpus, asked of float32."""
    file = SPECS / f"{name}.toml"
    text = file.read_text().replace('file = "', f'file = "{file.parent}/')
    (tmp_path / "spec.toml").write_text(text + '\n[arithmetic]\nof = "float32"\n')
    return tmp_path / "spec.toml"


@pytest.mark.parametrize(
    ("name", "code", "first", "real"),
    [
        ("proved/trained_and8_float32", 0, f"{EVERY_ORDER}~0.251983, rounding at most ~2.93496e-06)  each", "PROVED"),
        ("proved/channel_eighths_float32", 0, f"{EVERY_ORDER}0, rounding at most 0)  each", "PROVED"),
        ("refuted/trained_and8_k4_float32", 1, "REFUTED (float32): in every order  25 of 28", "REFUTED"),
        (
            "refuted/mean_of_fifty_float32",
            1,
            "REFUTED (float32): in the order shown; others may be right  1 of 1",
            "PROVED",
        ),
    ],
)
def test_the_verdict_in_words(name: str, code: int, first: str, real: str, capsys: Capture) -> None:
    found, text = said(capsys, SPECS / f"{name}.toml")
    line, second, *rest = text.splitlines()
    assert found == code
    assert line.startswith(first)
    assert "Exact: no rounding" not in text
    assert second == f"  In real arithmetic: {real}."
    assert sum(part.startswith("Assumed: ") for part in rest) == 3


def test_an_unknown_verdict_in_words(tmp_path: Path, capsys: Capture) -> None:
    code, text = said(capsys, in_float32(tmp_path, "proved/channel_sixths"))
    assert code == 3
    assert text.startswith("UNKNOWN (float32): 2.weight holds numbers that are no float32 numbers")


def test_what_is_wrong_in_reals_and_right_in_every_tree(tmp_path: Path, capsys: Capture) -> None:
    path = in_float32(tmp_path, "refuted/channel_float_sixths")
    path.write_text(path.read_text().replace('verdict = "refuted"', 'verdict = "proved"'))
    code, text = said(capsys, path)
    assert code == 0
    assert text.startswith(f"{EVERY_ORDER}~-1.49012e-08, rounding at most ~1.63913e-07)  each of the 8 outputs")
    assert text.splitlines()[1] == "  In real arithmetic: REFUTED."


def test_the_order_that_fails_is_shown(capsys: Capture) -> None:
    _, text = said(capsys, SPECS / "refuted" / "mean_of_fifty_float32.toml")
    assert "y = 0.5000001 (exactly 8388609/16777216) in the order shown below, but y <= 1/2 is expected" in text
    [order] = [line for line in text.splitlines() if line.startswith("In this order y0 = 8388609/16777216")]
    assert "and y is above 1/2: 2.weight[0] = h" in order
    assert order.count(" + ") == 24


@pytest.mark.parametrize(
    ("name", "real", "order"),
    [
        ("proved/trained_and8_float32", "proved", "every"),
        ("refuted/trained_and8_k4_float32", "refuted", "every"),
        ("refuted/mean_of_fifty_float32", "proved", "shown"),
    ],
)
def test_the_object(name: str, real: str, order: str, capsys: Capture) -> None:
    _, text = said(capsys, SPECS / f"{name}.toml", "--format", "json")
    found = json.loads(text)
    assert found["verdict"] == name.split("/")[0]
    assert list(found["arithmetic"]) == ["of", "real_verdict", "rounding", "order"]
    rounding = Fraction(found["arithmetic"].pop("rounding"))
    assert 0 < rounding < Fraction(1, 10**5)
    assert found["arithmetic"] == {"of": "float32", "real_verdict": real, "order": order}
    assert any("any binary tree" in assumed for assumed in found["assumptions"])
    assert any(assumed.startswith("In this order") for assumed in found["assumptions"]) == (order == "shown")


def test_what_is_not_known_is_null(tmp_path: Path, capsys: Capture) -> None:
    _, text = said(capsys, in_float32(tmp_path, "proved/channel_sixths"), "--format", "json")
    expected = {"of": "float32", "real_verdict": "proved", "rounding": None, "order": None}
    assert json.loads(text)["arithmetic"] == expected


def test_margins_are_those_of_real_arithmetic(capsys: Capture) -> None:
    found = [
        json.loads(said(capsys, SPECS / "proved" / f"{name}.toml", "--margins", "--format", "json")[1])
        for name in ("trained_and8", "trained_and8_float32")
    ]
    assert [output["worst"] for output in found[0]["outputs"]] == [output["worst"] for output in found[1]["outputs"]]


def test_the_report_of_a_notebook() -> None:
    result = verify(None, read_spec(SPECS / "proved" / "trained_and8_float32.toml"))
    assert "PROVED (float32, any summation order" in str(result._repr_html_())


def test_float32_has_no_certificate(tmp_path: Path, capsys: Capture) -> None:
    spec = SPECS / "proved" / "trained_and8_float32.toml"
    code, text = said(capsys, spec, "--certificate", str(tmp_path / "proof.cert"), "--require-certificate")
    assert code == 3
    assert text.startswith("UNKNOWN (float32): no certificate was written: the format does not cover float32")
    assert not (tmp_path / "proof.cert").exists()
