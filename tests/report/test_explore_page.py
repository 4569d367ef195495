"""The page of an exploration in a real Chromium: no errors, and the playground says what exact evaluation says."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from typing import Any

import pytest
from strategies import meaning

from supercheck import Exploration, KSparse, Readout, Spec, explore, load, read_spec
from supercheck.base.matrix import Rows, exact_array
from supercheck.cli import app as cli
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.report.explore.html import page
from supercheck.report.explore.json import explore_object
from supercheck.spec.formula import AtLeast, Var, gate

SPEC = Path(__file__).parents[2] / "specs" / "refuted" / "trained_and8_k4.toml"
DEEP = Path(__file__).parents[2] / "specs" / "refuted" / "vacuous_and_low.toml"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
)  # fmt: skip


@cache
def explored(spec: Path) -> Exploration:
    """An exploration that several tests look at."""
    return explore(None, spec)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium; where it is absent, its tests skip unless it is required."""
    programs = [shutil.which("chromium"), shutil.which("chromedriver")]
    if None in programs:
        message = "chromium or chromedriver is not on this machine"
        if os.environ.get("SUPERCHECK_CHROMIUM") == "required":
            pytest.fail(message)
        pytest.skip(message)
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = str(programs[0])
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service(str(programs[1])))
    yield driver
    driver.quit()


def opened(browser: Any, html: str, folder: Path) -> None:
    file = folder / "page.html"
    file.write_text(html, encoding="utf-8")
    browser.get(file.as_uri())
    assert browser.get_log("browser") == []


def outputs_shown(browser: Any) -> dict[int, tuple[Fraction, str]]:
    """For each output the exact value and the mark that the playground shows."""
    rows = browser.execute_script(
        "return [...document.querySelectorAll('#outputs tbody tr')].map(row => ["
        "row.querySelector('button').dataset.output, row.querySelector('.value').dataset.exact,"
        "row.cells[4].textContent])"
    )
    return {int(output): (Fraction(value), mark) for output, value, mark in rows}


def press(browser: Any, selector: str) -> None:
    """Press a button from the keyboard."""
    from selenium.webdriver.common.keys import Keys

    browser.find_element("css selector", selector).send_keys(Keys.SPACE)


@pytest.mark.parametrize("spec", [SPEC, DEEP], ids=lambda path: path.stem)
def test_counterexample_buttons_show_the_values_of_the_json(browser: Any, spec: Path, tmp_path: Path) -> None:
    found = explored(spec)
    opened(browser, page(found), tmp_path)
    listed = explore_object(found)["counterexamples"]
    buttons = browser.find_elements("css selector", "#cases button")
    assert 0 < len(buttons) <= len(listed)
    for place, case in enumerate(listed[: len(buttons)]):
        press(browser, f"#cases button:nth-of-type({place + 1})")
        value, mark = outputs_shown(browser)[case["output"]]
        assert value == Fraction(case["value"])
        assert "wrong" in mark
        added = browser.execute_script(
            "return [...document.querySelectorAll('#neurons tbody .value')].map(cell => cell.dataset.exact)"
        )
        assert sum(map(Fraction, added)) == value
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("spec", [SPEC, DEEP], ids=lambda path: path.stem)
def test_toggled_features_change_outputs_as_exact_evaluation_says(browser: Any, spec: Path, tmp_path: Path) -> None:
    asked, random = read_spec(spec), Random(1)
    assert asked.source.file is not None
    network = load(asked.source.file)
    opened(browser, page(explored(spec)), tmp_path)
    press(browser, "#none")
    active: set[int] = set()
    for _ in range(12):
        feature = random.randrange(network.features)
        active ^= {feature}
        press(browser, f"[data-feature='{feature}']")
        y = network.run([int(j in active) for j in range(network.features)])
        shown = outputs_shown(browser)
        assert {i: value for i, (value, _) in shown.items()} == dict(enumerate(y))
        for i, formula in enumerate(asked.formulas):
            on = meaning(formula)(frozenset(active))
            assert ("wrong" in shown[i][1]) == asked.readout.wrong(y[i], on)
    assert browser.get_log("browser") == []


def test_the_page_fits_a_phone(browser: Any, tmp_path: Path) -> None:
    size = {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    opened(browser, page(explored(SPEC)), tmp_path)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 360
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def hostile() -> Network:
    return Network.of([Affine(Rows.from_dense(exact_array([1, 1]).reshape(1, 2)), exact_array([0]), False)])


def test_text_from_files_is_escaped(browser: Any, tmp_path: Path) -> None:
    from dataclasses import replace

    from supercheck.claims.result import Provenance

    name = "</script><script>alert(1)</script><img src=x onerror=alert(2)>.json"
    found = explore(hostile(), Spec(KSparse(2, 2), (gate("and", [0, 1]),), Readout("threshold", Fraction(1, 2))))
    named = replace(found, source=Provenance(name, None, f'"{name}', None), left_out=(name,))
    html = page(named)
    assert "<script>alert" not in html
    assert "<img" not in html
    opened(browser, html, tmp_path)
    assert browser.execute_script("return document.images.length") == 0
    assert browser.execute_script("return document.scripts.length") == 2


class _Links(HTMLParser):
    """Collects whatever a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.found += [value or "" for key, value in attrs if key in ("src", "href", "srcset", "action", "data")]


def test_the_page_needs_nothing_else_and_reads_without_scripts() -> None:
    html = page(explored(SPEC))
    links = _Links()
    links.feed(html)
    assert all(link.startswith("#") or link == "data:," for link in links.found)
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|https?://", html)
    static = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert "REFUTED" in static
    assert "x0 x1 x2 x4" in static
    assert "y14" in static
    assert "<noscript>" in static
    assert {"svg", "table", "details"} <= links.tags
    for case in explore_object(explored(SPEC))["counterexamples"][:5]:
        assert case["value"] in static
        assert all(row["value"] in static for row in case["ledger"]["rows"])


def test_verify_writes_the_page_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pages = []
    for verb in ("verify", "explore"):
        file = tmp_path / f"{verb}.html"
        assert cli.main([verb, "--spec", str(SPEC), "--html", str(file)]) == 1
        pages.append(file.read_text())
    assert pages[0] == pages[1]
    capsys.readouterr()
    assert cli.main(["explore", "--spec", str(SPEC), "--html", str(tmp_path / "no" / "page.html")]) == 2
    assert "--html: expected a file to write" in capsys.readouterr().err


def test_notebooks_show_the_page() -> None:
    shown = explored(SPEC)._repr_html_()
    assert shown is not None
    assert shown.startswith("<iframe")
    assert "playground" in shown
    assert str(explored(SPEC)).startswith("REFUTED")


def test_large_networks_show_the_failing_cones_and_say_so() -> None:
    """200 outputs with 400 edges each are more than the playground holds."""
    weight = Rows.from_dense(exact_array([1] * 80_000).reshape(200, 400))
    network = Network.of([Affine(weight, exact_array([0] * 200), False)])
    every = AtLeast(2, (Var(0), Var(1)))
    found = explore(network, Spec(KSparse(400, 1), (every,) * 200, Readout("threshold", Fraction(1, 2))), limit=500)
    html = page(found)
    data = json.loads(re.search(r'id="data">(.*?)</script>', html, flags=re.DOTALL)[1])  # type: ignore[index]
    assert 0 < len(data["outputs"]) < 200
    assert "the playground holds the cones of" in html
    assert "the heat map shows" in html


@pytest.mark.parametrize("mode", [Readout("epsilon", within=Fraction(1, 3)), Readout("equality"), Readout("separable")])
def test_every_readout_has_a_page(mode: Readout) -> None:
    html = page(explore(hostile(), Spec(KSparse(2, 2), (gate("or", [0, 1]),), mode)))
    assert "Playground" in html
