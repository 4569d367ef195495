"""One table: supercheck and every installed peer on identical instances in the same run.

    python tests/benchmarks/compare.py [--quick] [--cells "A100 k3" ...] [--peers highs marabou ...] [--timeout 15]

supercheck decides all right and all wrong outputs of an instance, each group in one call, and its time is divided by
their number. A peer is asked about a few outputs of each group, one call each, on one core, its start and imports not
counted. Cells are milliseconds an output, medians; behind them how many times supercheck's.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from families import Instance, channels, circuits, one_per_pair
from mixed import mixed
from peers import PEERS
from peers.common import Answer
from peers.worker import Worker, importable
from training import trained

from supercheck.claims.evidence import Verdict
from supercheck.decide.limits import Limits
from supercheck.decide.portfolio import decide

QUICK: dict[str, Callable[[], Instance]] = {
    "A100 k3": lambda: channels(100, 100, 300, 12, 3),
    "C100 k4": lambda: one_per_pair(100, 500, 4),
    "B m12 n24 k3": lambda: trained(12, 24, 3, 66),
    "D60 k4": lambda: circuits(60, 960, 240, 60, 4),
    "mixed 96 k3": lambda: mixed(96, 48, 192, 3),
}
CELLS: dict[str, Callable[[], Instance]] = {
    "A100 k3": QUICK["A100 k3"],
    "A1000 k3": lambda: channels(1_000, 1_000, 1_500, 16, 3),
    "A1000 k6": lambda: channels(1_000, 1_000, 4_000, 24, 6),
    "C1000 k4": lambda: one_per_pair(1_000, 5_000, 4),
    "B m12 n24 k3": QUICK["B m12 n24 k3"],
    "B m12 n24 k4": lambda: trained(12, 24, 4, 66),
    "B m16 n48 k4": lambda: trained(16, 48, 4, 120),
    "D1000 k4": lambda: circuits(1_000, 8_000, 4_000, 1_000, 4),
    "mixed 1000 k4": lambda: mixed(1_000, 500, 2_000, 4),
}
PACKAGES = {"highs": "highspy", "scip": "pyscipopt", "marabou": "maraboupy", "cvc5": "cvc5", "cpsat": "ortools"}
Times = tuple[float | None, float | None]
"""Milliseconds of a right and of a wrong output; None where there is none."""


@dataclass(frozen=True)
class Groups:
    """The right and the wrong outputs of an instance."""

    made: Instance
    right: list[int]
    wrong: list[int]

    @classmethod
    def of(cls, made: Instance, limits: Limits) -> Groups:
        """By the known truth, or by supercheck's own verdict where there is none."""
        outputs = range(made.network.outputs)
        if made.truth is not None:
            right = made.truth(outputs)
            return cls(made, [i for i in outputs if right[i]], [i for i in outputs if not right[i]])
        result = decide(made.claims, limits)
        by = {verdict: [o.index for o in result.outputs if o.verdict is verdict] for verdict in Verdict}
        return cls(made, by[Verdict.PROVED], by[Verdict.REFUTED])


def own(groups: Groups, limits: Limits) -> tuple[list[str | float | None], str]:
    """supercheck's milliseconds an output for both groups, text where it did not decide them all; and its engines."""
    times: list[str | float | None] = []
    engines: set[str] = set()
    for chosen, expected in ((groups.right, Verdict.PROVED), (groups.wrong, Verdict.REFUTED)):
        if not chosen:
            times.append(None)
            continue
        seconds, decided = list[float](), 0
        while len(seconds) < 5 and sum(seconds) < 10:
            result = decide(groups.made.only(chosen).claims, limits)
            seconds.append(result.seconds["decide"])
            engines |= {output.engine for output in result.outputs if output.engine}
            decided = len(chosen) - result.count(Verdict.UNKNOWN)
            if result.count(expected) != decided:
                raise AssertionError(f"{groups.made.name}: supercheck contradicts the known truth")
            if decided < len(chosen):
                break
        each = 1000 * median(seconds) / len(chosen)
        times.append(each if decided == len(chosen) else f"{decided} of {len(chosen)} in {limits.timeout:g} s")
    return times, " + ".join(sorted(engines))


def asked(peer: str, groups: Groups, count: int, timeout: float, solving: bool) -> tuple[list[str | float | None], int]:
    """A peer's median milliseconds for both groups, and how many of its answers were wrong."""
    times: list[str | float | None] = []
    false = 0
    with Worker(peer, groups.made, timeout) as worker:
        for chosen, verdict in ((groups.right, "right"), (groups.wrong, "wrong")):
            answers = []
            for i in _sample(chosen, count):
                answer = worker.ask(i)
                answers.append(answer)
                late = [a for a in answers if isinstance(a, Answer) and a.verdict == "timeout"]
                if isinstance(answer, str) or len(late) > count // 2:
                    break
            words = [answer for answer in answers if isinstance(answer, str)]
            given = [answer for answer in answers if isinstance(answer, Answer)]
            false += sum(answer.verdict not in (verdict, "timeout") for answer in given)
            late = [answer for answer in given if answer.verdict == "timeout"]
            if words or not given:
                times.append(words[0] if words else None)
            elif 2 * len(late) >= len(given):
                times.append(f"> {1000 * timeout:,.0f}")
            else:
                times.append(1000 * median(answer.solving if solving else answer.seconds for answer in given))
    return times, false


def _sample(chosen: Sequence[int], count: int) -> list[int]:
    """Some of them, spread evenly."""
    return [chosen[j] for j in np.unique(np.linspace(0, len(chosen) - 1, min(count, len(chosen))).astype(int))]


def cell(times: Sequence[str | float | None], base: Sequence[str | float | None]) -> str:
    """Right / wrong, each with its ratio where both are numbers."""
    parts = []
    for time, ours in zip(times, base, strict=True):
        ratio = f" ({number(time / ours)}x)" if isinstance(time, float) and isinstance(ours, float) else ""
        parts.append("-" if time is None else f"{number(time)}{ratio}" if isinstance(time, float) else time)
    return parts[0] if len(set(parts)) == 1 else " / ".join(parts)


def number(value: float) -> str:
    """Two significant digits, or whole."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def machine(peers: Sequence[str], workers: int) -> str:
    """Cores, Python and versions; nothing that names the machine."""
    found = []
    for name in ["supercheck", "numpy", "z3-solver", *(PACKAGES[peer] for peer in peers if peer in PACKAGES)]:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(name)
    kind = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return f"{kind}; supercheck with {workers} workers, peers on one core; {', '.join(found)}."


def main(arguments: Sequence[str] | None = None) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small instances, two outputs a cell")
    parser.add_argument(
        "--cells", nargs="*", metavar="CELL", help=f"of {', '.join(CELLS)}; --quick: {', '.join(QUICK)}"
    )
    parser.add_argument("--peers", nargs="*", metavar="PEER", help=f"of {', '.join(PEERS)}; all that are installed")
    parser.add_argument("--timeout", type=float, default=15, help="seconds a peer's call")
    parser.add_argument("--own-timeout", type=float, default=120, help="seconds for a group of outputs")
    parser.add_argument("--samples", type=int, help="outputs of each group a peer is asked about")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="supercheck's processes")
    parser.add_argument("--engine", default="auto", help="supercheck's engine")
    parser.add_argument("--solving", action="store_true", help="count only the time inside a peer's solver")
    given = parser.parse_args(arguments)
    table = QUICK if given.quick else CELLS
    unknown = [name for name in given.cells or () if name not in table] + [
        name for name in given.peers or () if name not in PEERS
    ]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}")
    limits = Limits(given.engine, given.own_timeout, given.workers)
    samples = given.samples or (2 if given.quick else 4)
    cells = given.cells or list(table)
    peers = [peer for peer in (PEERS if given.peers is None else given.peers) if importable(peer)]
    columns: list[list[str]] = []
    false: dict[str, int] = dict.fromkeys(peers, 0)
    for name in cells:
        made = table[name]()
        groups = Groups.of(made, limits)
        column = [f"{len(groups.right)} / {len(groups.wrong)}"]
        answers: dict[str, list[str | float | None]] = {}
        for peer in peers:  # before supercheck starts threads of its own: a peer's process is forked
            print(f"{name}: {PEERS[peer][2]}", file=sys.stderr)
            answers[peer], bad = asked(peer, groups, samples, given.timeout, given.solving)
            false[peer] += bad
        print(f"{name}: supercheck", file=sys.stderr)
        base, engines = own(groups, limits)
        column += [engines, cell(base, [None, None])]
        column += [cell(answers[peer], base) for peer in peers]
        columns.append(column)
    heads = ["right / wrong outputs", "supercheck's engines", "**supercheck**", *(PEERS[peer][2] for peer in peers)]
    print("| milliseconds an output, right / wrong |", " | ".join(cells), "|")
    print("| --- |" + " --- |" * len(cells))
    for row, head in enumerate(heads):
        print(f"| {head} |", " | ".join(column[row] for column in columns), "|")
    print(f"\n{machine(peers, given.workers)}")
    for peer, bad in false.items():
        if bad:
            print(f"{PEERS[peer][2]} gave {bad} answers that are false or do not replay.")


if __name__ == "__main__":
    main()
