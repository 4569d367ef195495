"""The verb `verify` of the command line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supercheck.base.errors import InputError
from supercheck.base.exit_codes import FAILED, OF_VERDICT
from supercheck.base.files import check_written
from supercheck.cli.options import Engine, Force, MaxActive, NetworkFile, Page, SpecFile, one_of, required, seconds
from supercheck.cli.output import show, tell, write

if TYPE_CHECKING:
    from supercheck.claims.result import Result


_SAMPLE = 20  # outputs that --cross-check asks Z3 about


def _formats() -> Iterable[str]:
    from supercheck.report.verify.formats import FORMATS

    return FORMATS


def verify(
    context: typer.Context,
    network: NetworkFile = None,
    spec: SpecFile = None,
    max_active: MaxActive = None,
    engine: Engine = "auto",
    timeout: Annotated[
        float | None, seconds("Seconds from the start, reading included; what is open then is unknown.")
    ] = None,
    format_: Annotated[
        str, one_of(_formats, "text", "--format", help_="How the result is written to stdout.")
    ] = "text",
    margins: Annotated[bool, typer.Option("--margins", help="Find every output's exact worst values.")] = False,
    max_k: Annotated[bool, typer.Option("--max-k", help="Find the largest k at which each output is right.")] = False,
    count: Annotated[bool, typer.Option("--count", help="Count the inputs on which each output is wrong.")] = False,
    cross_check: Annotated[
        bool, typer.Option("--cross-check", help="Have Z3 decide a sample of the outputs once more.")
    ] = False,
    certificate: Annotated[
        Path | None,
        typer.Option("--certificate", help="Write a proof of the verdict that `supercheck check` confirms."),
    ] = None,
    require_certificate: Annotated[
        bool, typer.Option("--require-certificate", help="Unknown unless the certificate needs no solver's word.")
    ] = False,
    html: Page = None,
    executor: Annotated[
        str,
        typer.Option(help="Where outputs are decided: processes[:N], in-process, dask-local:N or dask://HOST:PORT."),
    ] = "processes",
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="With an executor: neither use nor keep finished batches.")
    ] = False,
    reproducer: Annotated[
        Path | None,
        typer.Option("--reproducer", help="A zip file to report a wrong verdict with: files, command, result."),
    ] = None,
    force: Force = False,
) -> int:
    """Prove or refute that NETWORK computes what SPEC says. Exit: 0 proved, 1 refuted, 2 bad input, 3 unknown."""
    spec = required(spec)
    if certificate or html or reproducer:
        from supercheck.api.reproducer import parts
        from supercheck.certificate.writer import names

        files = {"--html": ("page", html), "--reproducer": ("reproducer", reproducer)}
        proof = names(certificate) if certificate else {}
        check_written({**proof, **files}, parts(network, spec), force=force)
    from supercheck.api.verify import verify as run
    from supercheck.cli.progress import progress_bar
    from supercheck.decide.limits import Limits

    limits = Limits(
        engine=engine,
        timeout=timeout,
        margins=margins,
        largest_k=max_k,
        count=count,
        cross_check=_SAMPLE if cross_check else 0,
    ).begin()
    result = None
    try:
        with _packed(reproducer, network, spec, context.obj, force=force) as told, progress_bar() as progress:
            result = run(
                network, spec, max_active=max_active, limits=limits, progress=progress,
                certificate=certificate, require_certificate=require_certificate,
                executor=executor, kept=_kept(executor, no_cache), force=force,
            )  # fmt: skip
            if reproducer is not None:
                told.append(f"{result}")
            if html is not None:
                from supercheck.api.explore import explored
                from supercheck.report.explore.html import save_page

                save_page(explored(result, limits.clock()), html, force=force)
        _print(result, format_)
    except KeyboardInterrupt:
        if result is None or OF_VERDICT[result.verdict.value] != FAILED:  # a proof that nobody saw is none
            raise
        tell("interrupted while it was told that a replayed counterexample refutes this")
    return OF_VERDICT[result.verdict.value]


@contextmanager
def _packed(
    file: Path | None, network: Path | None, spec: Path, command: list[str], *, force: bool
) -> Iterator[list[str]]:
    """Save what a report of a wrong verdict needs, if that was asked for, also when the run ends in a fault."""
    told: list[str] = []

    def save() -> None:
        if file is not None:
            from supercheck.api.reproducer import pack

            pack(file, network, spec, command, "\n".join(told), force=force)

    try:
        yield told
    except Exception as error:
        told.append(f"{type(error).__name__}: {error}")
        try:
            save()
        except InputError as unsaved:  # the fault weighs more
            tell(f"{unsaved}")
        raise
    save()


def _kept(executor: str, no_cache: bool) -> Path | None:
    """The file that keeps finished batches, where there are any and it can be used."""
    from supercheck.decide.workers.executors import Place

    if no_cache or Place.named(executor).default:
        return None
    from supercheck.base.store import CacheError
    from supercheck.decide.workers.checkpoint import BatchStore

    kept = BatchStore()
    try:
        kept.probe()
    except CacheError as error:
        tell(f"finished batches are not kept: {error}")
        return None
    return kept.file


def _print(result: Result, format_: str) -> None:
    from supercheck.report.verify.formats import reporter

    if format_ == "text":
        from supercheck.report.verify.text import show as print_to

        show(lambda console: print_to(result, console), lambda: reporter(format_)(result))
    else:
        write(reporter(format_)(result))
