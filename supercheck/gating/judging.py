"""One spec, judged: its verdict beside the expected one, its limits, and what a baseline remembers of it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from supercheck.claims import Claims, expected
from supercheck.counting import Counts, count
from supercheck.decide import Limits
from supercheck.errors import InputError, clip
from supercheck.evidence import Counterexample, Verdict
from supercheck.findings import checks
from supercheck.formats import load_linear
from supercheck.gating.cache import Cache, CacheError, Kept
from supercheck.judgement import FAILED, FAULT, INPUT, OPEN, PASSED, Judgement, Measured
from supercheck.numbers import exact_text, short
from supercheck.spec import Spec
from supercheck.syntax import text as formula_text
from supercheck.verifying import question, verify

INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Terms:
    """How specs are judged.

    Attributes:
        limits: engine, and the seconds for each spec.
        cache: the file with earlier verdicts; None asks every question anew.
        measure: whether margins and counts are wanted.
    """

    limits: Limits = Limits()
    cache: Path | None = None
    measure: bool = False


def judge(file: Path, terms: Terms) -> Judgement:
    """Judge one spec.

    Args:
        file: the spec.
        terms: how.

    Returns:
        What became of it; whatever goes wrong is a judgement, too.
    """
    begun = time.perf_counter()
    try:
        found = _judge(file, terms)
    except InputError as error:
        found = Judgement(str(file), INPUT, reason=str(error), line=_line(error, file))
    except KeyboardInterrupt:
        found = Judgement(str(file), OPEN, reason=INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - one spec's fault is not the others'; it is never a verdict
        facts = tuple(traceback.format_exc().splitlines()[-3:])
        found = Judgement(str(file), FAULT, reason=f"internal fault: {type(error).__name__}: {clip(error)}", facts=facts)
    return replace(found, seconds=time.perf_counter() - begun)


def _line(error: InputError, file: Path) -> int:
    return error.line if error.line is not None and str(error.file) == str(file) else 1


def _judge(file: Path, terms: Terms) -> Judgement:
    claims, spec, _ = question(None, file, None)
    kept, cached, warning = _decided(claims, spec, terms)
    counts = _counted(claims, spec)
    failed = tuple(
        f"{limit.name}: {limit.measured:,g} is more than {limit.limit} = {limit.value:,}"
        for limit in checks(spec, counts, claims.domain.max_active)
        if not limit.kept
    )
    code = PASSED if kept.verdict == spec.expect else OPEN if kept.verdict == "unknown" else FAILED
    reason, facts = kept.reason if code == OPEN else None, ()
    if code == FAILED:
        reason = f"{kept.verdict}, but [expect] says {spec.expect}"
        facts = tuple(_facts(claims, kept.counterexample)) if kept.counterexample is not None else ()
    elif failed and code == PASSED:
        code, reason = FAILED, failed[0]
    measured = _measured(claims, counts, kept) if terms.measure else None
    return Judgement(
        str(file), code, spec.expect, kept.verdict, reason, facts, failed, cached, line=_expect_line(file), measured=measured,
        warning=warning,
    )


def _decided(claims: Claims, spec: Spec, terms: Terms) -> tuple[Kept, bool, str | None]:
    """The verdict, whether the cache had it, and what is wrong with the cache."""
    cache, warning = None if terms.cache is None or spec.arithmetic != "real" else Cache(terms.cache), None
    try:
        kept = None if cache is None else cache.find(claims, terms.limits)
        if kept is not None:
            return kept, True, None
    except CacheError as error:
        cache, warning = None, str(error)
    result = verify(None, spec, limits=terms.limits)
    if cache is not None and result.verdict is not Verdict.UNKNOWN:
        try:
            cache.keep(claims, terms.limits, result)
        except CacheError as error:
            warning = str(error)
    return Kept.of(result), False, warning


def _counted(claims: Claims, spec: Spec) -> Counts:
    codes = [None if path is None else load_linear(path) for path in (spec.source.encoder, spec.source.decoder)]
    return count(claims.own, *codes)


def _measured(claims: Claims, counts: Counts, kept: Kept) -> Measured:
    figures = {"neurons": counts.neurons, "edges": counts.edges, "parameters": counts.parameters}
    return Measured(claims.domain.max_active, kept.verdict, figures, kept.margins)


def _facts(claims: Claims, found: Counterexample) -> Iterator[str]:
    """A counterexample, one line a fact."""
    yield f"on: {' '.join(f'x{j}' for j in found.active) or 'nothing'}"
    formula = formula_text(claims.formulas[found.output])
    yield f"output: y{found.output}, which should be {clip(formula)} = {found.expected}"
    exact = exact_text(found.value)
    value = short(found.value)
    yield f"value: y = {value}" + (f" (exactly {exact})" if value != exact and len(exact) <= 60 else "")
    yield f"expected: {expected(claims.readout, bool(found.expected))}"
    if found.against is not None:
        on = " ".join(f"x{j}" for j in found.against.active) or "nothing"
        yield f"against: y = {short(found.against.value)} with {on} on"
    if found.minimal:
        yield "no input with fewer features on is wrong"


def _expect_line(file: Path) -> int:
    """The line at which a report points: that of the expected verdict, else the first."""
    try:
        lines: Sequence[str] = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return 1
    for number, line in enumerate(lines, 1):
        if line.strip().startswith("[expect]") or line.strip().startswith("expect"):
            return number
    return 1
