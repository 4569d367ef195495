"""The slot rule against what a researcher would write: `python tests/benchmarks/dense.py [--only m48 ...]`.

Dense trained networks with one hidden layer, ANDs of all pairs of their features. Brute force is float32 products over
all inputs, batch by batch (torch where it is installed, numpy otherwise), extrapolated from the first part of them
where the whole would take minutes. CPU seconds, least of three runs for whatever takes less than a second; one process,
one table. Deciding alone: networks are loaded and laid out, and the compiled loops are loaded.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import combinations, islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from training import trained

from supercheck.base.matrix import Array, Rows
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Decision, Verdict
from supercheck.decide import slots
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.slot_counts import failures
from supercheck.network.layers import Affine
from supercheck.network.network import Network
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import Var, support
from supercheck.spec.readout import Readout

PUBLISHED = Path(__file__).parents[3] / "shared/third-party/codeword_100f_50n_L4_100000steps.safetensors"
BATCH = 8192
PAIRS = {"m48": (48, 120, 1_128), "m64": (64, 128, 2_016), "m100": (100, 200, 4_950)}
SAMPLED = {"m48": 1.0, "m64": 0.1, "m100": 0.01}
"""What part of the inputs brute force goes through."""


def dense(name: str) -> Claims:
    """A trained network with all pairs of its features."""
    m, n, pairs = PAIRS[name]
    return trained(m, n, 4, pairs, steps=200).claims


def stored(claims: Claims) -> list[Array]:
    """W, b, D and c in float32, as a program would have them."""
    hidden, output = claims.network.stored
    parts = hidden.weight.dense(), hidden.bias, output.weight.dense(), output.bias
    return [np.asarray(part, dtype=np.float32) for part in parts]


def batches(m: int, k: int) -> Iterator[Array]:
    """All 0/1 inputs with at most k on, float32 [inputs, m], some thousands at a time."""
    for size in range(k + 1):
        sets = combinations(range(m), size)
        while chunk := list(islice(sets, BATCH)):
            x = np.zeros((len(chunk), m), dtype=np.float32)
            np.put_along_axis(x, np.array(chunk, dtype=np.int64).reshape(len(chunk), size), 1, axis=1)
            yield x


def brute_force(claims: Claims, part: float, *, margins: bool = False) -> tuple[float, int]:
    """CPU seconds that float32 brute force takes for all inputs, from a part of them; outputs it saw wrong there.

    Args:
        claims: ANDs of pairs, read at 1/2.
        part: of the inputs.
        margins: whether it keeps each output's worst values, too.
    """
    evaluate = _evaluator(claims)
    worst = np.full((2, len(claims)), -np.inf, dtype=np.float32)
    bad = np.zeros(len(claims), dtype=bool)
    begun, done = time.process_time(), 0
    for x in batches(claims.cube.features, claims.cube.max_active):
        y, truth = evaluate(x)
        if margins:
            np.maximum(worst[0], np.where(truth, -np.inf, y).max(axis=0), out=worst[0])
            np.maximum(worst[1], np.where(truth, -y, -np.inf).max(axis=0), out=worst[1])
        else:
            bad |= ((y > 0.5) != truth).any(axis=0)
        done += len(x)
        if done >= part * claims.cube.size:
            break
    return (time.process_time() - begun) * claims.cube.size / done, int(bad.sum())


def _evaluator(claims: Claims) -> Callable[[Array], tuple[Array, Array]]:
    """What computes all outputs of a batch, and what they should be, [inputs, outputs]."""
    parts = [*stored(claims), np.array([support(formula) for formula in claims.formulas])]
    try:
        import torch
    except ImportError:
        weight, bias, readout, shift, pairs = parts
        return lambda x: (
            np.maximum(x @ weight.T + bias, 0) @ readout.T + shift,
            x[:, pairs[:, 0]] * x[:, pairs[:, 1]] > 0.5,
        )
    w, b, d, c, p = map(torch.tensor, parts)

    def evaluate(x: Array) -> tuple[Array, Array]:
        with torch.no_grad():
            given = torch.from_numpy(x)
            y, truth = torch.relu(given @ w.T + b) @ d.T + c, given[:, p[:, 0]] * given[:, p[:, 1]] > 0.5
            return y.numpy(), truth.numpy()

    return evaluate


def seconds(run: Callable[[], list[Decision]]) -> tuple[float, list[Decision]]:
    """CPU seconds, the least of some runs, and what was found."""
    spent: list[float] = []
    while len(spent) < 3 and sum(spent) < 2:
        begun = time.process_time()
        found = run()
        spent.append(time.process_time() - begun)
    return min(spent), found


def decided(claims: Claims, outputs: range, *, margins: bool = False) -> tuple[float, list[Decision]]:
    """CPU seconds of the slot rule in one thread, and its decisions."""
    list(slots.decide(claims, outputs[:1], Limits(workers=1), Clock.start(None)))  # laid out
    limits = Limits(workers=1, margins=margins)
    return seconds(lambda: [d for part in slots.decide(claims, outputs, limits, Clock.start(None)) for d in part])


def row(question: str, ours: float, found: list[Decision], brute: float | None, note: str = "") -> None:
    """Print a line of the table."""
    verdicts = [sum(d.verdict is verdict for d in found) for verdict in Verdict]
    ratio = "" if brute is None else f"{brute:>11.2f}{brute / ours:>8,.0f}x"
    sys.stdout.write(f"{question:<34}{ours:>9.4f}{'/'.join(map(str, verdicts)):>14}{ratio:>20}  {note}\n")
    sys.stdout.flush()


def pairs(name: str) -> None:
    """All pairs of one network: decided, then measured."""
    claims = dense(name)
    brute, wrong = brute_force(claims, SAMPLED[name])
    ours, found = decided(claims, range(len(claims)))
    row(f"{name} k=4, {len(claims):,} outputs", ours, found, brute, f"brute force saw {wrong} wrong")
    step = max(1, len(claims) // 200)
    outputs = range(0, len(claims), step)
    ours, found = decided(claims, outputs, margins=True)
    brute, _ = brute_force(claims, SAMPLED[name], margins=True)
    row(f"{name} k=4, margins of {len(outputs)}", ours, found, brute * len(outputs) / len(claims), "the share of these")


def large() -> None:
    """Margins where nobody would try all 2.9 billion inputs."""
    claims = trained(512, 512, 4, 512, steps=100).claims
    ours, found = decided(claims, range(20), margins=True)
    row("m512 n512 k=4, margins of 20", ours, found, None, f"{ours / 20:.3f} s an output")


def published(file: Path) -> None:
    """The published network that copies every feature: margins, and failing inputs."""
    from safetensors.numpy import load_file

    parts = load_file(file)
    layers = [
        Affine(Rows.from_dense(parts[name].astype(np.float64)), np.zeros(len(parts[name])), relu)
        for name, relu in (("W_in", True), ("W_out", False))
    ]
    network = Network.of(layers)
    formulas = [Var(j) for j in range(network.outputs)]
    for k in (3, 4, 5, 8, 12):
        domain = KSparse(network.features, k)
        claims = Claims(network, network, domain, formulas, Readout("threshold", Fraction(1, 2)))
        ours, found = decided(claims, range(len(claims)), margins=True)
        ends = [d.extremes for d in found if d.extremes and d.extremes.on and d.extremes.off]
        off = max(float(e.off.value) for e in ends if e.off)
        on = min(float(e.on.value) for e in ends if e.on)
        ends_at = f"off <= {off:.4f}, on >= {on:.4f}"
        row(f"published L4 k={k}, margins", ours, found, None, f"{domain.size:.1e} inputs; {ends_at}")
        if k <= 4:
            begun = time.process_time()
            counted = failures(claims, range(len(claims)), Limits(workers=1), Clock.start(None))
            total = sum(count or 0 for part in counted for count in part.values())
            spent = time.process_time() - begun
            row(f"published L4 k={k}, failures", spent, [], None, f"{total:,} pairs of an input and a wrong output")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[*PAIRS, "m512", "L4"], help="m48, m64, m100, m512, L4")
    parser.add_argument("--published", type=Path, default=PUBLISHED, help="the published network L4")
    options = parser.parse_args()
    heads = f"{'question':<34}{'CPU s':>9}{'p/r/u':>14}{'brute force':>11}{'ratio':>9}\n"
    sys.stdout.write(heads)
    for name in PAIRS:
        if name in options.only:
            pairs(name)
    if "m512" in options.only:
        large()
    if "L4" in options.only and options.published.is_file():
        published(options.published)


if __name__ == "__main__":
    main()
