"""How few neurons and edges are found for random ANDs of pairs, beside what theory says: two Markdown tables, a plot.

    python tests/benchmarks/constructions.py [--largest M'] [--seed S] [--plot FILE]

The pairs are the hardest for output channels: no feature has more than D = m'^(1/4) outputs, rounded down, and there
are as few features as that allows. Channels are drawn at random, with ever more neurons until the closed form says that
they are right; or repaired, with ever fewer. Every network in the tables is proved by `supercheck.verify`.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from math import isqrt, log2, sqrt
from pathlib import Path
from random import Random

from supercheck import verify
from supercheck.claims.evidence import Verdict
from supercheck.construct.catalogue.output_channels import draws, rising
from supercheck.construct.channels import Channels, least_neurons, margins
from supercheck.construct.gates.read import gated
from supercheck.construct.pairs import drawn
from supercheck.construct.repair.search import smallest
from supercheck.construct.request import Built
from supercheck.report.audit.plot import save

SIZES = {2: (16, 64, 256, 1_024, 4_096, 16_384), 3: (16, 64, 256, 1_024), 4: (16, 64, 256, 1_024)}


@dataclass(frozen=True)
class Row:
    """What was found for some pairs.

    Attributes:
        k: how many features may be on.
        outputs, features, influence: m', m, D.
        drawn, repaired: the networks.
        sizes: the smallest and the largest channel of the repaired one.
        seconds: of the processor, for each search.
    """

    k: int
    outputs: int
    features: int
    influence: int
    drawn: Built
    repaired: Built
    sizes: tuple[int, int]
    seconds: tuple[float, float]

    @property
    def floor(self) -> int:
        """Fewer neurons no output channels can have."""
        return least_neurons(self.outputs)


def measured(outputs: int, k: int, seed: int) -> Row:
    """Search both ways, and prove what is found."""
    influence = isqrt(isqrt(outputs))
    features = -(-2 * outputs // influence)
    pairs = drawn(features, outputs, influence, Random(seed))
    begun = time.process_time()
    tries = draws(features, pairs, k, rising(outputs), seed=seed)
    first = next(made for made in tries if (margins(made, k) > 0).all())
    middle = time.process_time()
    found = smallest(features, pairs, k, seed=seed).channels
    seconds = middle - begun, time.process_time() - middle
    sizes = int(found.sizes.min()), int(found.sizes.max())
    return Row(k, outputs, features, influence, proved(first, k), proved(found, k), sizes, seconds)


def proved(channels: Channels, k: int) -> Built:
    """The network of some channels; an error where it is not proved."""
    built = gated(channels, "and", k)
    verdict = verify(built.whole, built.spec).verdict
    if verdict is not Verdict.PROVED:
        raise SystemExit(f"{verdict.value}: {built.neurons} neurons for {len(channels.pairs)} outputs at k = {k}")
    return built


NEURONS = "| k | m' | m | D | floor | drawn | repaired | channel | one a pair | copy | sqrt(m') log2 m' | processor s |"
EDGES = "| k | m' | drawn | repaired | one a pair | copy | m' log2(m')^2 |"
NEURONS_RULE, EDGES_RULE = (f"|{' --- |' * (head.count('|') - 1)}" for head in (NEURONS, EDGES))


def neurons(row: Row) -> str:
    """A row of the first table."""
    form = sqrt(row.outputs) * log2(row.outputs)
    channel = " to ".join(map(str, sorted(set(row.sizes))))
    return (
        f"| {row.k} | {row.outputs:,} | {row.features:,} | {row.influence} | {row.floor} | {row.drawn.neurons:,} |"
        f" **{row.repaired.neurons:,}** | {channel} | {row.outputs:,} | {row.features:,} | {form:,.0f} |"
        f" {row.seconds[0]:.1f}, {row.seconds[1]:.1f} |"
    )


def edges(row: Row) -> str:
    """A row of the second table."""
    form = row.outputs * log2(row.outputs) ** 2
    return (
        f"| {row.k} | {row.outputs:,} | {row.drawn.edges:,} | {row.repaired.edges:,} | {3 * row.outputs:,} |"
        f" {row.features + 2 * row.outputs:,} | {form:,.0f} |"
    )


def draw(rows: list[Row], file: Path) -> None:
    """Neurons and edges over m', all axes logarithmic: what was found with marks, what it is held against without."""
    import matplotlib.style
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5), layout="constrained")
    colours = matplotlib.style.library["tableau-colorblind10"]["axes.prop_cycle"].by_key()["color"]
    of = sorted({row.outputs: row for row in rows}.values(), key=lambda row: row.outputs)
    against = {
        "one a pair": ("k:", [row.outputs for row in of], [3 * row.outputs for row in of]),
        "copy": ("k-.", [row.features for row in of], [row.features + 2 * row.outputs for row in of]),
        "the paper's form, constant 1": (
            "k-",
            [sqrt(row.outputs) * log2(row.outputs) for row in of],
            [row.outputs * log2(row.outputs) ** 2 for row in of],
        ),
    }
    panels = figure.subplots(1, 2)
    for number, (axes, what) in enumerate(zip(panels, ("neurons", "edges"), strict=True)):
        for k, colour in zip(sorted(SIZES), colours, strict=False):
            own = [row for row in rows if row.k == k]
            x = [row.outputs for row in own]
            axes.plot(x, [getattr(row.drawn, what) for row in own], "--o", color=colour, ms=4, label=f"drawn, k = {k}")
            found = [getattr(row.repaired, what) for row in own]
            axes.plot(x, found, "-s", color=colour, ms=4, label=f"repaired, k = {k}")
        for name, (style, *figures) in against.items():
            axes.plot([row.outputs for row in of], figures[number], style, lw=1, label=name)
        axes.set(xscale="log", yscale="log", xlabel="outputs m'", ylabel=what)
        axes.grid(alpha=0.3)
    panels[0].plot([row.outputs for row in of], [row.floor for row in of], "k--", lw=1, label="floor")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right upper", fontsize="small")
    save(figure, file, "--plot")


def main() -> None:
    """Print the tables, and draw them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=int, default=16_384, metavar="M'", help="no more outputs than that")
    parser.add_argument("--seed", type=int, default=0, help="of the pairs and the channels")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="an SVG or PNG file to draw them in")
    asked = parser.parse_args()
    rows = []
    for k, outputs in ((k, outputs) for k, sizes in SIZES.items() for outputs in sizes if outputs <= asked.largest):
        sys.stderr.write(f"k = {k}, {outputs:,} outputs\n")
        rows.append(measured(outputs, k, asked.seed))
    tables = [
        [NEURONS, NEURONS_RULE, *map(neurons, rows)],
        [EDGES, EDGES_RULE, *map(edges, rows)],
    ]
    sys.stdout.write("\n\n".join("\n".join(table) for table in tables) + "\n")
    if asked.plot:
        draw(rows, asked.plot)


if __name__ == "__main__":
    main()
