"""What a separable question costs beside a threshold one on the same sweep: `python tests/benchmarks/separable.py`.

Dense trained networks, all pairs of their features; thresholds for which most outputs are right, so that both questions
go through all inputs. Processor seconds of one core, the least of three runs, and their ratio, which should be at most
two. `--spec SPEC...` asks about networks of one's own, at the thresholds of their specs.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from training import trained

from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Verdict
from supercheck.claims.question import question
from supercheck.decide.limits import Limits
from supercheck.decide.portfolio import decide
from supercheck.spec.readout import Readout

CASES: dict[str, Callable[[], Claims]] = {
    "m24 n48 k3": lambda: trained(24, 48, 3, 276, steps=200).claims,
    "m24 n96 k4": lambda: trained(24, 96, 4, 276, steps=200).claims,
    "m32 n96 k4": lambda: trained(32, 96, 4, 496, steps=200).claims,
    "m48 n120 k3": lambda: trained(48, 120, 3, 1_128, steps=200).claims,
}


def seconds(claims: Claims, *, margins: bool = False) -> tuple[float, int]:
    """Processor seconds of deciding by enumeration, and how many outputs are refuted."""
    spent, refuted = [], 0
    for _ in range(3):
        begun = time.process_time()
        refuted = decide(claims, Limits(engine="enumerate", workers=1, margins=margins)).count(Verdict.REFUTED)
        spent.append(time.process_time() - begun)
    return min(spent), refuted


def row(name: str, claims: Claims) -> str:
    """One question, asked both ways and with margins."""
    threshold, wrong = seconds(claims)
    separable, inseparable = seconds(claims.read_as(Readout("separable")))
    margins, _ = seconds(claims, margins=True)
    return (
        f"{name:<24}{claims.domain.size:>10,}{len(claims):>8,}{wrong:>7}{inseparable:>13}"
        f"{threshold:>11.3f}{separable:>11.3f}{separable / threshold:>7.2f}{margins / threshold:>9.2f}\n"
    )


def main() -> None:
    """Print a row a question."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", type=Path, nargs="*", default=[], help="specs in mode threshold")
    options = parser.parse_args()
    heads = ("outputs", "wrong", "inseparable", "threshold", "separable", "ratio", "margins")
    sys.stdout.write(f"{'question':<24}{'inputs':>10}" + "".join(
        head.rjust(width) for head, width in zip(heads, (8, 7, 13, 11, 11, 7, 9), strict=True)) + "\n")  # fmt: skip
    for name, made in CASES.items():
        sys.stdout.write(row(name, made()))
    for spec in options.spec:
        sys.stdout.write(row(spec.stem, question(None, spec, None)[0]))


if __name__ == "__main__":
    main()
