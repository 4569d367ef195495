"""How fast every family is decided, one benchmark each; run with `-m slow`. Nothing here asserts a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from families import Instance, channels, circuits, one_per_pair, write
from mixed import mixed
from training import trained

from supercheck.api.verify import verify
from supercheck.claims.evidence import Verdict
from supercheck.claims.result import Result
from supercheck.decide.limits import Limits
from supercheck.decide.portfolio import decide

pytest.importorskip("pytest_benchmark")
pytestmark = pytest.mark.slow

Benchmark = Callable[..., Result]

CASES: dict[str, Callable[[], Instance]] = {
    "A1000 k3": lambda: channels(1_000, 1_000, 1_500, 16, 3),
    "A1000 k6": lambda: channels(1_000, 1_000, 4_000, 24, 6),
    "A1000 k10, all wrong": lambda: channels(1_000, 5_000, 20_000, 32, 10),
    "A10000 k4": lambda: channels(10_000, 50_000, 50_000, 32, 4),
    "A10000 k10": lambda: channels(10_000, 50_000, 50_000, 32, 10),
    "A20000 k8": lambda: channels(20_000, 100_000, 200_000, 32, 8),
    "B m12 n24 k4": lambda: trained(12, 24, 4, 66),
    "B m16 n48 k4": lambda: trained(16, 48, 4, 120),
    "B m48 n120 k4": lambda: trained(48, 120, 4, 1_128),
    "B m64 n128 k4": lambda: trained(64, 128, 4, 2_016),
    "C1000 k4": lambda: one_per_pair(1_000, 5_000, 4),
    "D1000 k4": lambda: circuits(1_000, 8_000, 4_000, 1_000, 4),
    "mixed 1000 k4": lambda: mixed(1_000, 500, 2_000, 4),
    "mixed 10000 k4": lambda: mixed(10_000, 5_000, 20_000, 4),
}
SCALES = [(1_000, 5_000, 5_000), (2_000, 10_000, 10_000), (4_000, 20_000, 20_000), (8_000, 40_000, 40_000)]


@pytest.mark.parametrize("name", CASES)
def test_family(name: str, benchmark: Benchmark) -> None:
    made = CASES[name]()
    decide(made.only([0]).claims)  # compiled loops are loaded
    result = benchmark.pedantic(lambda: decide(made.claims, Limits(timeout=60)), rounds=3)  # type: ignore[attr-defined]
    _describe(benchmark, made, result)
    if made.truth is not None:
        right = made.truth(range(len(result.outputs)))
        for output, good in zip(result.outputs, right, strict=True):
            assert output.verdict in (Verdict.PROVED if good else Verdict.REFUTED, Verdict.UNKNOWN)
    assert result.count(Verdict.UNKNOWN) == 0


@pytest.mark.parametrize(("m", "outputs", "n"), SCALES)
def test_scale(m: int, outputs: int, n: int, benchmark: Benchmark) -> None:
    """The cost of an output over sizes of A that grow in proportion: it should stay the same."""
    made = channels(m, outputs, n, 32, 4)
    decide(made.only([0]).claims)
    result = benchmark.pedantic(lambda: decide(made.claims, Limits(timeout=60)), rounds=3)  # type: ignore[attr-defined]
    _describe(benchmark, made, result)
    assert result.count(Verdict.UNKNOWN) == 0


def test_from_file(benchmark: Benchmark, tmp_path: Path) -> None:
    """The whole way from a sparse NPZ and a spec of 50,000 outputs."""
    spec = write(channels(10_000, 50_000, 50_000, 32, 4), tmp_path, "large")
    result = benchmark.pedantic(lambda: verify(None, spec), rounds=1)  # type: ignore[attr-defined]
    benchmark.extra_info.update({key: round(value, 3) for key, value in result.seconds.items()})  # type: ignore[attr-defined]
    assert result.verdict is not Verdict.UNKNOWN


def _describe(benchmark: Benchmark, made: Instance, result: Result) -> None:
    """The deciding time alone goes into the record: the search for the smallest counterexample comes after it."""
    decided = result.seconds["decide"]
    benchmark.extra_info.update(  # type: ignore[attr-defined]
        outputs=len(result.outputs),
        proved=result.count(Verdict.PROVED),
        refuted=result.count(Verdict.REFUTED),
        decide_seconds=round(decided, 4),
        microseconds_an_output=round(1e6 * decided / len(result.outputs), 2),
        edges=made.network.edges,
    )
