"""One spec, judged: its verdict beside the expected one, its limits, and what a baseline remembers of it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from supercheck.claims import Claims
from supercheck.database import CacheError
from supercheck.errors import InputError, clip
from supercheck.evidence import Provenance, Result, Verdict
from supercheck.formats import load_linear
from supercheck.gating.cache import Cache, Known
from supercheck.judgement import FAILED, FAULT, INPUT, OPEN, PASSED, Judgement, Measured, conclusion
from supercheck.numerals import exact_text
from supercheck.posing import question
from supercheck.spec import Spec
from supercheck.toml import document
from supercheck.wording import facts

if TYPE_CHECKING:
    from supercheck.counting import Counts
    from supercheck.decide.limits import Limits
    from supercheck.findings import Check

INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Terms:
    """How specs are judged.

    Attributes:
        engine: which engine decides; "auto" chooses by cost.
        timeout: seconds for deciding each spec.
        workers: how many processes may solve one spec; None: as many as there are cores.
        cache: earlier verdicts; None asks every question anew.
        measure: whether margins and counts are wanted; they are never taken from the cache.
    """

    engine: str = "auto"
    timeout: float | None = None
    workers: int | None = None
    cache: Cache | None = None
    measure: bool = False

    @property
    def limits(self) -> Limits:
        """The same for the engines, which are imported only now."""
        from supercheck.decide.limits import Limits

        limits = Limits(self.engine, self.timeout, margins=self.measure)
        return limits if self.workers is None else replace(limits, workers=self.workers)


@dataclass(frozen=True)
class _Answer:
    """A verdict, and how it came about."""

    known: Known
    cached: bool = False
    margins: tuple[str | None, ...] = ()
    warnings: tuple[str, ...] = ()


Ask = Callable[[Claims, Spec, Provenance, Terms], "_Answer | None"]


def judge(file: Path, terms: Terms) -> Judgement:
    """Judge one spec.

    Args:
        file: the spec.
        terms: how.

    Returns:
        What became of it; whatever goes wrong is a judgement, too.
    """
    found = _guarded(file, terms, _decided)
    assert found is not None
    return found


def recall(file: Path, terms: Terms) -> Judgement | None:
    """Judge one spec without deciding anything: None where the cache does not know its verdict."""
    return _guarded(file, terms, _remembered)


def _guarded(file: Path, terms: Terms, ask: Ask) -> Judgement | None:
    begun = time.perf_counter()
    try:
        found = _judged(file, terms, ask)
    except InputError as error:
        line = error.line if error.line is not None and str(error.file) == str(file) else 1
        recipe = () if error.recipe is None else tuple(error.recipe.splitlines())
        found = Judgement(file.as_posix(), INPUT, reason=str(error), facts=recipe, line=line)
    except KeyboardInterrupt:
        found = Judgement(file.as_posix(), OPEN, reason=INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - one spec's fault is not the others'; it is never a verdict
        told = f"internal fault: {type(error).__name__}: {clip(error)}"
        found = Judgement(file.as_posix(), FAULT, reason=told, facts=tuple(traceback.format_exc().splitlines()[-3:]))
    return None if found is None else replace(found, seconds=time.perf_counter() - begun)


def _judged(file: Path, terms: Terms, ask: Ask) -> Judgement | None:
    claims, spec, source = question(None, file, None)
    answer = ask(claims, spec, source, terms)
    if answer is None:
        return None
    known, counts = answer.known, _counted(claims, spec) if spec.audit or terms.measure else None
    code, reason, failed, place = conclusion(known.verdict, spec.expect), known.reason, {}, ("expect", "verdict")
    if code == FAILED:
        reason = f"{known.verdict}, but [expect] says {spec.expect}"
    if spec.audit and counts is not None:
        failed = _exceeded(spec, counts)
    if failed and code == PASSED:
        code, place = FAILED, ("audit", next(iter(failed)))
        reason = failed[place[1]]
    return Judgement(
        file.as_posix(), code, spec.expect, known.verdict, reason,
        tuple(facts(claims, known.counterexample)) if code == FAILED and known.verdict != spec.expect else (),
        tuple(failed.values()),
        answer.cached,
        line=1 if code == PASSED else _line(file, place),
        measured=None if counts is None or not terms.measure else _measured(claims, counts, answer),
        warnings=answer.warnings,
    )  # fmt: skip


def _recalled(claims: Claims, spec: Spec, _source: Provenance, terms: Terms) -> _Answer | None:
    """The verdict from the cache alone."""
    if terms.cache is None or terms.measure or spec.arithmetic != "real":
        return None
    known = terms.cache.find(claims, terms.engine)
    return None if known is None else _Answer(known, cached=True)


def _remembered(claims: Claims, spec: Spec, source: Provenance, terms: Terms) -> _Answer | None:
    """The same; whoever decides says what is wrong with the cache."""
    with suppress(CacheError):
        return _recalled(claims, spec, source, terms)
    return None


def _decided(claims: Claims, spec: Spec, source: Provenance, terms: Terms) -> _Answer:
    """The verdict from the cache or, with what is wrong with that, decided anew."""
    warnings = []
    try:
        answer = _recalled(claims, spec, source, terms)
    except CacheError as error:
        warnings.append(f"no cache: {error}")
        terms, answer = replace(terms, cache=None), None
    if answer is not None:
        return answer
    from supercheck.verifying import verify

    begun, limits = time.monotonic(), terms.limits
    result = replace(verify(claims.own, spec, limits=limits), source=source)
    left = None if limits.timeout is None else limits.timeout - (time.monotonic() - begun)
    decided = result.verdict is not Verdict.UNKNOWN and spec.arithmetic == "real"
    if terms.cache is not None and decided and (left is None or left > 0):
        try:
            terms.cache.keep(claims, result, replace(limits, timeout=left))
        except CacheError as error:
            warnings.append(f"not kept: {error}")
    return _Answer(Known.of(result), False, _margins(result) if terms.measure else (), tuple(warnings))


def _margins(result: Result) -> tuple[str | None, ...]:
    return tuple(None if margin is None else exact_text(margin) for margin in map(result.margin, result.outputs))


def _counted(claims: Claims, spec: Spec) -> Counts:
    from supercheck.counting import count

    codes = [None if path is None else load_linear(path) for path in (spec.source.encoder, spec.source.decoder)]
    return count(claims.own, *codes)


def _exceeded(spec: Spec, counts: Counts) -> dict[str, str]:
    """The limits that are not kept, by name, in words."""
    from supercheck.findings import checks

    found = (limit for limit in checks(spec, counts, spec.domain.max_active) if not limit.kept)
    return {limit.name: f"{limit.name}: {limit.measured:,} is more than {_value(limit)}" for limit in found}


def _value(limit: Check) -> str:
    """A limit as the spec writes it and, where that is a formula, what it comes to."""
    value = f"{limit.value:,}"
    return value if limit.limit == str(limit.value) else f"{limit.limit} = {value}"


def _measured(claims: Claims, counts: Counts, answer: _Answer) -> Measured:
    figures = {"neurons": counts.neurons, "edges": counts.edges, "parameters": counts.parameters}
    return Measured(claims.domain.max_active, answer.known.verdict, figures, answer.margins)


def _line(file: Path, place: tuple[str, str]) -> int:
    """The line of a key in a spec that was read before; the first where it has none."""
    with suppress(InputError):
        return document(file).line(place) or 1
    return 1
