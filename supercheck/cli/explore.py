"""The verb `explore` of the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from supercheck.base.exit_codes import OF_VERDICT
from supercheck.base.files import check_written
from supercheck.cli.options import Force, Format, NetworkFile, Page, SpecFile, TextOrJson, required, seconds
from supercheck.cli.output import show, write


def explore(
    network: NetworkFile = None,
    spec: SpecFile = None,
    up_to: Annotated[
        int | None, typer.Option("--up-to", "-k", help="At most this many features on, in place of the spec's.")
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Every inclusion-minimal counterexample, each with its ledger; no limit.")
    ] = False,
    only: Annotated[int | None, typer.Option(help="Counterexamples of this output alone.")] = None,
    limit: Annotated[int | None, typer.Option(help="How many counterexamples to keep; left out, 10,000.")] = None,
    timeout: Annotated[
        float | None, seconds("Seconds, reading included; what they leave is said to be left out.")
    ] = None,
    format_: TextOrJson = Format.TEXT,
    html: Page = None,
    force: Force = False,
) -> int:
    """Show what breaks NETWORK: smallest counterexamples, each explained, and where it stands as k grows.

    Exit as verify would: 0 proved, 1 refuted, 2 bad input, 3 unknown.
    """
    spec = required(spec)
    if html is not None:
        from supercheck.api.reproducer import parts

        check_written({"--html": ("page", html)}, parts(network, spec), force=force)
    from supercheck.analysis.explore.search import LIMIT
    from supercheck.api.explore import explore as run
    from supercheck.cli.progress import progress_bar
    from supercheck.report.envelope import indented
    from supercheck.report.explore import html as explore_html, text as report

    with progress_bar() as progress:
        found = run(
            network, spec, up_to=up_to, only=only, limit=LIMIT if limit is None and not all_ else limit,
            all=all_, timeout=timeout, progress=progress,
        )  # fmt: skip
    if html is not None:
        explore_html.save_page(found, html, force=force)
    if format_ is Format.JSON:
        write(indented(found.to_dict()))
    else:
        show(lambda console: report.show(found, console, all_=all_), lambda: report.text(found, all_=all_))
    return OF_VERDICT[found.verdict.value]
