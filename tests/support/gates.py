"""Specs for gates to judge: small networks with every outcome there is, and what each format says of them."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from itertools import combinations, product
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from common import savez

from supercheck.ci.cache import Cache
from supercheck.ci.judge import GateOptions
from supercheck.ci.suite import gate
from supercheck.report.gate.outcome import SuiteOutcome

KINDS = ("proved", "control", "wrong", "too good", "unknown", "absent", "mismatch", "syntax", "limit", "copy")

CODES = {"proved": 0, "control": 0, "copy": 0, "wrong": 1, "too good": 1, "limit": 1, "unknown": 3}
"""What becomes of each kind; bad input for the rest."""

STATED = 'activation = "relu"\nfinal = "none"'
"""What a file of bare tensors does not say, as a spec says it."""

CATEGORIES = {0: "passed", 1: "failed", 2: "input", 3: "unknown", 4: "fault"}


def ands(features: int, nudge: float = 0.0) -> dict[str, np.ndarray]:
    """One neuron for each AND of two features; with a nudge the first one fires for a single feature."""
    pairs = list(combinations(range(features), 2))
    weight = np.zeros((len(pairs), features))
    for row, pair in enumerate(pairs):
        weight[row, list(pair)] = 1.0
    bias = np.full(len(pairs), -1.0)
    bias[0] += nudge
    return {"0.weight": weight, "0.bias": bias, "2.weight": np.eye(len(pairs)), "2.bias": np.zeros(len(pairs))}


def save(file: Path, tensors: Mapping[str, np.ndarray]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".json":
        file.write_text(json.dumps({name: tensor.tolist() for name, tensor in tensors.items()}))
    else:
        savez(file, dict(tensors))
    return file


def spec(file: Path, network: str, features: int, *, expect: str = "proved", more: str = "", k: int = 3) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        f"""
[network]
file = "{network}"
{"" if network.endswith(".onnx") else STATED}
[domain]
features = {features}
max_active = {min(k, features)}
[outputs]
gate = "and"
over = "all-pairs"
[readout]
mode = "threshold"
at = "1/2"
[expect]
verdict = "{expect}"
{more}"""
    )
    return file


def corpus(folder: Path, count: int = 100) -> dict[str, int]:
    """Write specs and their networks, every kind in turn; returns the code that each must get, by its path."""
    truth = {}
    for number in range(count):
        kind, features = KINDS[number % len(KINDS)], 5 + number // len(KINDS) % 4
        home, name = folder / f"part{number % 3}", f"{kind.replace(' ', '_')}_{number:03d}"
        suffix = ".json" if number % 2 else ".npz"
        network, file = home / f"{name}{suffix}", home / f"{name}.toml"
        tensors = ands(features, 0.75 if kind in ("control", "wrong") else 0.0)
        tensors["2.weight"] = tensors["2.weight"] * (1 + number)  # so that no two questions are the same
        within = _muddled(tensors, number) if kind == "unknown" else 0.0
        if kind != "absent":
            save(network, tensors)
        spec(
            file,
            network.name,
            features + (kind == "mismatch"),
            expect="refuted" if kind in ("control", "too good") else "proved",
            more="[audit]\nmax_neurons = 5\n" if kind == "limit" else "",
        )
        if kind == "unknown":
            readout = f'mode = "epsilon"\nwithin = {within:.3f}'
            file.write_text(file.read_text().replace('mode = "threshold"\nat = "1/2"', readout))
        if kind == "syntax":
            file.write_text(file.read_text().replace("[domain]", "[domain"))
        truth[str(file)] = CODES.get(kind, 2)
    return dict(sorted(truth.items()))


def _muddled(tensors: dict[str, np.ndarray], seed: int) -> float:
    """Make it a dense network; the least error, nearly, within which it computes: true, but not by a bound alone."""
    draw = np.random.default_rng(seed)
    for name in ("0.weight", "2.weight"):
        tensors[name] = draw.normal(size=tensors[name].shape).astype(np.float32).astype(float)
    tensors["0.bias"] = tensors["0.bias"] * 0
    features = tensors["0.weight"].shape[1]
    inputs = [x for x in product((0, 1), repeat=features) if sum(x) <= 3]
    errors = [
        np.abs(tensors["2.weight"] @ np.maximum(tensors["0.weight"] @ x, 0) - [x[i] * x[j] for i, j in pairs])
        for pairs in [list(combinations(range(features), 2))]
        for x in map(np.array, inputs)
    ]
    return float(np.max(errors)) + 0.01


CACHE = Path(".supercheck/cache.sqlite")


def judged(**terms: object) -> SuiteOutcome:
    """The specs of this folder, with its cache."""
    return gate(["specs"], terms=GateOptions(**{"cache": Cache(CACHE), **terms}))  # type: ignore[arg-type]


def cached(found: SuiteOutcome) -> list[bool]:
    """Which verdicts were found in the cache."""
    return [one.cached for one in found.judgements]


def two() -> dict[str, int]:
    """One spec that is proved, and one that is refuted against its expectation; the codes that they must get."""
    for name, nudge in {"good": 0.0, "wrong": 0.75}.items():
        save(Path(f"specs/{name}.npz"), ands(4, nudge))
        spec(Path(f"specs/{name}.toml"), f"{name}.npz", 4)
    return {"specs/good.toml": 0, "specs/wrong.toml": 1}


def sealed_rows(cache: Path) -> int:
    """How many judgements are sealed in a cache that others may be writing."""
    try:
        with closing(sqlite3.connect(f"file:{cache}?mode=ro", uri=True)) as database:
            return int(database.execute("SELECT count(*) FROM judgements").fetchone()[0])
    except sqlite3.OperationalError:  # not there yet
        return 0


def said_by(name: str, text: str) -> dict[str, str]:
    """What a report says of each spec that it names: its category."""
    return {"text": _text, "json": _json, "json-lines": _lines, "junit": _junit, "sarif": _sarif, "github": _github}[
        name
    ](text)


def _text(text: str) -> dict[str, str]:
    words = {"passed": "passed", "FAILED": "failed", "INPUT ERROR": "input", "UNKNOWN": "unknown", "FAULT": "fault"}
    found = re.findall(r"^(passed|FAILED|INPUT ERROR|UNKNOWN|FAULT)  (\S+?\.toml):", text, flags=re.MULTILINE)
    return {file: words[word] for word, file in found}


def _category(one: Mapping[str, object]) -> str:
    if one["pass"]:
        return "passed"
    return "unknown" if one["verdict"] == "unknown" else "input" if one["verdict"] is None else "failed"


def _json(text: str) -> dict[str, str]:
    return {one["file"]: _category(one) for one in json.loads(text)["specs"]}


def _lines(text: str) -> dict[str, str]:
    return {one["file"]: _category(one) for one in map(json.loads, text.splitlines())}


def _junit(text: str) -> dict[str, str]:
    found = {}
    for case in ElementTree.fromstring(text).iter("testcase"):
        told = [part.attrib["type"] for part in case]
        found[case.attrib["file"]] = told[0].replace("verdict", "failed") if told else "passed"
    return found


def _sarif(text: str) -> dict[str, str]:
    (log,) = json.loads(text)["runs"]
    return {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]: {
            "verdict": "failed",
            "limit": "failed",
        }.get(result["ruleId"], result["ruleId"])
        for result in log["results"]
    }


def _github(text: str) -> dict[str, str]:
    found = re.findall(r"^::error file=([^,]+),line=\d+,title=supercheck%3A ([^:]+)::", text, flags=re.MULTILINE)
    return {file: "input" if word == "input error" else word for file, word in found}
