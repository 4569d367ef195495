"""Drawings: bounds on neurons over the number of outputs, and a heat map of shared channels, as SVG or PNG.

matplotlib is imported only where something is drawn.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from supercheck.analysis.costs.floors.bounds import Curve, curves
from supercheck.analysis.costs.floors.classes import FunctionClass, and_arity
from supercheck.analysis.costs.interference import Interference
from supercheck.analysis.costs.result import Audit
from supercheck.base.errors import InputError
from supercheck.base.files import written_aside

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".svg", ".png")
_STYLES = {"lower": "-", "upper": "--", "form": ":"}
_COLOURS = "tableau-colorblind10"


def bounds_figure(drawn: Sequence[Curve], point: tuple[int, float, str] | None = None) -> Figure:
    """Curves of lower and upper bounds on neurons over m', both axes logarithmic.

    Args:
        drawn: the curves.
        point: an audited network, as its m', its neurons and its name.
    """
    import matplotlib.style
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.subplots()
    axes.set_prop_cycle(matplotlib.style.library[_COLOURS]["axes.prop_cycle"])
    for curve in drawn:
        counts, neurons = zip(*((count, n) for count, n in curve.points if n > 0), strict=True)
        axes.plot(counts, neurons, _STYLES[curve.kind], label=f"{curve.kind}: {curve.name}")
    if point is not None:
        axes.plot(point[0], max(point[1], 0.5), "k*", markersize=13, label=point[2])
    axes.set(xscale="log", yscale="log", xlabel="outputs m'", ylabel="neurons")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(EngFormatter(places=0, sep=""))
        axis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", fontsize="small")
    return figure


def heat_map(found: Interference) -> Figure:
    """How many neurons of the last layer each two outputs share; the diagonal shows each channel's size."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(found.overlaps, cmap="viridis", interpolation="nearest")
    axes.set(xlabel="output", ylabel="output", title="neurons shared by two channels")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    figure.colorbar(image, label="neurons", ticks=MaxNLocator(integer=True))
    return figure


def audit_figure(audit: Audit) -> Figure | None:
    """The bounds of the audited network's class with the network as a point; None where it has no class.

    All pairs together are one function; they are drawn where the sets of pairs end.
    """
    counts, domain, of_class = audit.counts, audit.claims.domain, audit.of_class
    if of_class is None and and_arity(audit.claims.formulas) == 2 <= domain.max_active:
        of_class = FunctionClass("2-and-unlabelled", domain.features, counts.outputs, domain.max_active)
    if of_class is None:
        return None
    fixed = any(block.fixed for block in counts.blocks)
    name, figure = ("width", counts.inner) if fixed else ("neurons", counts.neurons)
    point = (counts.outputs, figure, f"this network, {figure:,} {name}")
    return bounds_figure(curves(of_class), point)


def svg(figure: Figure) -> str:
    """A figure as an SVG element, the same bytes each time."""
    stream = io.StringIO()
    _write(figure, stream, "svg")
    whole = stream.getvalue()
    return whole[whole.index("<svg") :]


def save(figure: Figure, path: Path, option: str, *, force: bool = False) -> None:
    """Write a figure as its suffix says; a file that supercheck did not write is replaced only by force.

    Raises:
        InputError: if the suffix is neither `.svg` nor `.png`, or the file cannot be written; it names the option.
    """
    check_suffix(path, option)
    content = io.BytesIO()
    _write(figure, content, path.suffix.lower()[1:])
    with written_aside(path, "drawing", force=force, place=option) as stream:
        stream.write(content.getvalue())


def check_suffix(path: Path, option: str) -> None:
    """Refuse a file whose suffix names no kind of drawing."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(place=option, expected=f"a file ending in {' or '.join(SUFFIXES)}", got=path.name)


def _write(figure: Figure, stream: io.StringIO | io.BytesIO, kind: str) -> None:
    import matplotlib

    metadata = {"Date": None, "Creator": "supercheck"} if kind == "svg" else {"Software": "supercheck"}
    with matplotlib.rc_context({"svg.hashsalt": "supercheck", "svg.fonttype": "none"}):
        figure.savefig(stream, format=kind, metadata=metadata, dpi=150)
