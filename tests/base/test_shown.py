"""Numbers beside each other are shown in digits that tell them apart, so that nothing near a bound passes for it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from supercheck import KSparse, Limits, Readout, Spec, explore, parse, verify
from supercheck.base.matrix import Rows
from supercheck.base.numbers import float_text, short
from supercheck.cli import app as cli
from supercheck.construct.output import spec_bytes
from supercheck.network.formats.save import network_bytes
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.report.explore.html import page

F = Fraction
SCRIPT = Path(__file__).parents[2] / "supercheck" / "report" / "explore" / "page" / "explore.js"

bounds = st.sampled_from([F(0), F(1, 2), F(1), F(1, 3), F(2, 3), F(-7, 6), F(10**9), F(1, 10**9)]) | st.fractions()
steps = st.builds(lambda n, e: F(n) / 10**e, st.integers(-9, 9), st.integers(0, 60))


@st.composite
def neighbours(draw: st.DrawFn) -> list[Fraction]:
    """Two to four numbers, most of them close to each other, some equal."""
    bound = draw(bounds)
    return [bound, *(bound + draw(steps) for _ in range(draw(st.integers(1, 3))))]


def read(shown: str) -> Fraction:
    """The number that a reader takes a text for."""
    parts = shown.removeprefix("~").replace(" - ", " + -").split(" + ")
    return sum((F(part.replace("+-", "-")) for part in parts), F(0))


def sign(number: Fraction) -> int:
    return (number > 0) - (number < 0)


@pytest.mark.parametrize("show", [float_text, short])
@given(numbers=neighbours(), digits=st.integers(1, 8))
def test_each_of_several_numbers_is_shown_on_its_side_of_each_other(show: Any, numbers: Any, digits: Any) -> None:
    texts = [show(value, digits, numbers[:i] + numbers[i + 1 :]) for i, value in enumerate(numbers)]
    for value, text in zip(numbers, texts, strict=True):
        assert sign(read(text)) == sign(value)
        for other, beside in zip(numbers, texts, strict=True):
            assert sign(read(text) - read(beside)) == sign(value - other)
            if other is not value:
                assert sign(read(text) - other) == sign(value - other), "the other one may be shown exactly"


@given(st.fractions(), st.integers(1, 12))
def test_alone_a_number_is_shown_as_a_float_would_be(value: Any, digits: Any) -> None:
    assert abs(read(float_text(value, digits)) - value) <= abs(value) * F(5, 10**digits)
    assert len(float_text(value, digits)) <= digits + 8


@given(st.integers(-(10**18), 10**18), st.integers(-30, 30), st.integers(1, 9))
def test_a_double_is_written_as_python_writes_it(figures: Any, power: Any, digits: Any) -> None:
    value = float(F(figures) * F(10) ** power)
    assert read(float_text(F(value), digits)) == F(f"{value:.{digits}g}")


@pytest.mark.parametrize(
    ("value", "beside", "shown"),
    [
        (F(1, 2) + F(1, 10**8), F(1, 2), "0.50000001"),
        (F(1, 2) - F(1, 10**12), F(1, 2), "0.499999999999"),
        (F(1, 3), F(1, 3), "1/3"),
        (F(1, 2), F(1, 2), "0.5"),
        (F(1, 2) + F(1, 10**80), F(1, 2), "1/2 + 1e-80"),
        (F(1, 10**400), F(0), "1e-400"),
        (F(1, 7), F(1, 2), "0.142857"),
    ],
)
def test_as_many_digits_are_shown_as_it_takes(value: Any, beside: Any, shown: Any) -> None:
    assert float_text(value, 6, [beside]) == shown


def just_above(mode: str = "threshold") -> tuple[Network, Spec]:
    """One output that is 1/2 or 1 and 2^-24 more where it must not be."""
    weight = np.array([[0.5, 0.5, 2.0**-24]])
    network = Network.of([Affine(Rows.from_dense(weight), np.zeros(1), False)])
    at = {"threshold": {"at": F(1, 1)}, "epsilon": {"within": F(1)}}.get(mode, {})
    return network, Spec(KSparse(3, 3), (parse("0"),), Readout(mode, **at))


@pytest.mark.parametrize("mode", ["threshold", "epsilon"])
def test_a_value_just_past_its_limit_is_not_shown_as_the_limit_in_any_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: Any
) -> None:
    """Regression: "y = 0.5, but y <= 1/2 is expected"."""
    network, spec = just_above(mode)
    told = [str(verify(network, spec)), str(explore(network, spec)), page(explore(network, spec))]
    (tmp_path / "n.json").write_bytes(network_bytes(network.stored, tmp_path / "n.json", {}))
    (tmp_path / "a.toml").write_bytes(spec_bytes(spec, network.stored, {"file": "n.json"}))
    for form in ("text", "junit", "sarif", "github"):
        cli.main(["gate", str(tmp_path / "a.toml"), "--format", form, "--no-cache"])
        told.append(capsys.readouterr().out)
    for report in told:
        assert "1.0000001" in report
        assert not re.search(r"y0? = ~?1(,|\.? |<|;)", report)


def test_a_ledgers_terms_show_by_how_much_they_are_too_large() -> None:
    told = str(explore(*just_above()))
    assert "the others move it by +1.0000001" in told


def test_thresholds_that_part_classes_by_little_are_shown_apart() -> None:
    weight = np.array([[0.5, 0.5 + 2.0**-40]])
    network = Network.of([Affine(Rows.from_dense(weight), np.zeros(1), False)])
    spec = Spec(KSparse(2, 1), (parse("x1"),), Readout("separable"))
    told = str(verify(network, spec, limits=Limits(margins=True)))
    row = next(line for line in told.splitlines() if line.startswith("y0"))
    off, on, margin = row.split()[-3:]
    assert F(off) < F(on)
    assert F(margin) > 0


@settings(max_examples=1)
@given(st.lists(neighbours(), min_size=60, max_size=60))
def test_the_playground_shows_numbers_apart_as_well(lists: Any) -> None:
    """Its own arithmetic, taken out of the page's script and run by Node."""
    if (node := shutil.which("node")) is None:
        pytest.skip("node is not on this machine")
    script = SCRIPT.read_text()
    own = script[script.index("  const gcd") : script.index("  const hidden")]
    asked = [[[str(n.numerator), str(n.denominator)] for n in numbers] for numbers in lists]
    code = (
        f"{own}\nconst asked = {json.dumps(asked)};\n"
        "console.log(JSON.stringify(asked.map((l) => { const n = l.map(pair);"
        "return n.map((a, i) => decimal(a, n.filter((_, j) => j !== i))); })))"
    )
    done = subprocess.run([node, "-"], input=code, capture_output=True, text=True, check=True)
    texts: Any = json.loads(done.stdout)
    for numbers, listed in zip(lists, texts, strict=True):
        values = [read(text.replace("\u2212", "-")) for text in listed]
        for i, value in enumerate(numbers):
            assert sign(values[i]) == sign(value)
            for j, other in enumerate(numbers):
                assert sign(values[i] - values[j]) == sign(value - other)
                assert i == j or sign(values[i] - other) == sign(value - other)
