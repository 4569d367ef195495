"""How the time to decide grows with the network: family A at five sizes and more, one Markdown table.

    python tests/benchmarks/scaling.py [--large]

A gather is one look at an entry of an output's cone; the cost is linear where the last two columns stay level.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

from families import channels

from supercheck.claims.evidence import Verdict
from supercheck.decide.limits import Limits
from supercheck.decide.portfolio import decide

SIZES = [(625, 3_125, 3_125), (1_250, 6_250, 6_250), (2_500, 12_500, 12_500), (5_000, 25_000, 25_000)]
SIZES += [(10_000, 50_000, 50_000)]
LARGE = (20_000, 100_000, 200_000)


def row(m: int, outputs: int, n: int, c: int, k: int) -> str:
    """Decide one network twice, the second time with everything compiled, and say what it took."""
    made = channels(m, outputs, n, c, k)
    seconds = []
    for _ in range(3):
        claims = made.claims
        begun = time.perf_counter()
        result = decide(claims, Limits(engine="bound"))
        seconds.append(result.seconds["decide"])
        total = time.perf_counter() - begun
    best = min(seconds)
    gathers = float(made.network.weights.sum())
    found = {verdict: result.count(verdict) for verdict in Verdict}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return (
        f"| {m:,} / {outputs:,} / {n:,} | {k} | {found[Verdict.PROVED]:,} / {found[Verdict.REFUTED]:,} /"
        f" {found[Verdict.UNKNOWN]:,} | {best:.2f} | {total - seconds[-1]:.2f} | {memory:.2f} |"
        f" {best / outputs * 1e6:.1f} | {best / gathers * 1e9:.1f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="also 20,000 features and 100,000 outputs at k = 8")
    large = parser.parse_args().large
    sys.stdout.write(
        "| m / m' / n, c = 32 | k | proved / refuted / open | decide, s | smallest, s | memory, GB | µs an output |"
        " ns a gather |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n"
    )
    for m, outputs, n in SIZES:
        sys.stdout.write(row(m, outputs, n, 32, 4) + "\n")
        sys.stdout.flush()
    if large:
        sys.stdout.write(row(*LARGE, 32, 8) + "\n")


if __name__ == "__main__":
    main()
