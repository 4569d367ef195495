"""An audit as one HTML page that needs nothing else: the report, the bounds and the heat map."""

from __future__ import annotations

from html import escape
from pathlib import Path

from supercheck.analysis.costs.result import Audit
from supercheck.base.errors import printable
from supercheck.base.files import written_aside
from supercheck.base.version import __version__
from supercheck.report.audit.plot import audit_figure, heat_map, svg
from supercheck.report.audit.text import text

MOST_DRAWN = 1024
"""Outputs up to which the heat map is drawn."""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="generator" content="supercheck {version}"><title>{title}</title>
<style>body{{font-family:sans-serif;margin:2em;max-width:75em}}pre{{overflow-x:auto;line-height:1.3}}svg{{max-width:100%}}</style>
</head><body>
<h1>{title}</h1>
<pre>{report}</pre>
{drawings}
</body></html>
"""


def page(audit: Audit) -> str:
    """The audit as a page."""
    name = printable(Path(audit.source.network).name) if audit.source.network else "network"
    drawings = []
    bounds = audit_figure(audit)
    if bounds is not None:
        drawings.append(f"<h2>Bounds of the class</h2>\n{svg(bounds)}")
    found = audit.interference
    if found is not None and len(found.outputs) <= MOST_DRAWN:
        drawings.append(f"<h2>Interference</h2>\n{svg(heat_map(found))}")
    title, report = escape(f"Audit of {name}"), escape(text(audit))
    return _PAGE.format(version=__version__, title=title, report=report, drawings="\n".join(drawings))


def save_page(audit: Audit, path: Path, *, force: bool = False) -> None:
    """Write the page.

    Args:
        audit: what it shows.
        path: where it goes.
        force: whether a file that supercheck did not write may be replaced.

    Raises:
        InputError: if the file cannot be written.
    """
    content = page(audit).encode(errors="backslashreplace")
    with written_aside(path, "page", force=force, place="--html") as stream:
        stream.write(content)
