"""One spec, judged: its verdict beside the expected one, its limits, and what a baseline remembers of it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from supercheck.base.errors import FaultError, InputError, OverdueError, clip, present
from supercheck.base.exit_codes import FAILED, FAULT, INPUT, PASSED, UNKNOWN
from supercheck.base.numbers import exact_text
from supercheck.base.store import CacheError
from supercheck.ci.cache import Cache, Known
from supercheck.ci.sealed import About, Later, Witness, find_sealed, sealed_row, write_sealed
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Refuted, Verdict
from supercheck.claims.question import question
from supercheck.claims.replay import replay
from supercheck.claims.result import Provenance, Result
from supercheck.network.formats.load import load_linear
from supercheck.network.formats.tensors import brief
from supercheck.network.input import Input
from supercheck.report.gate.outcome import Measured, SpecOutcome, conclusion
from supercheck.report.wording import facts, otherwise
from supercheck.spec.read import read_spec
from supercheck.spec.schema import document
from supercheck.spec.spec import Spec

if TYPE_CHECKING:
    from supercheck.analysis.costs.counts import Counts
    from supercheck.analysis.costs.result import Check
    from supercheck.decide.limits import Limits

INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class GateOptions:
    """How specs are judged.

    Attributes:
        engine: which engine decides; "auto" chooses by cost.
        timeout: seconds for each spec, reading included.
        workers: how many processes may solve one spec; None: as many as there are cores.
        cache: earlier verdicts; None asks every question anew.
        measure: whether margins and counts are wanted; they are never taken from the cache.
        later: what writes sealed judgements together; None writes each at once.
        begun: since when the seconds run, on the monotonic clock.
    """

    engine: str = "auto"
    timeout: float | None = None
    workers: int | None = None
    cache: Cache | None = None
    measure: bool = False
    later: Later | None = None
    begun: float | None = None

    @property
    def limits(self) -> Limits:
        """The same for the engines, which are imported only now."""
        from supercheck.decide.limits import Limits

        limits = Limits(self.engine, self.timeout, margins=self.measure, begun=self.begun)
        return limits if self.workers is None else replace(limits, workers=self.workers)


@dataclass(frozen=True)
class _Answer:
    """A verdict, and how it came about."""

    known: Known
    cached: bool = False
    margins: tuple[str | None, ...] = ()
    warnings: tuple[str, ...] = ()


Ask = Callable[[Claims, Spec, Provenance, GateOptions], "_Answer | None"]


def judge(file: Path, terms: GateOptions) -> SpecOutcome:
    """Judge one spec.

    Args:
        file: the spec.
        terms: how.

    Returns:
        What became of it; whatever goes wrong is a judgement, too.
    """
    return present(_guarded(file, lambda: _anew(file, terms)), "judgement")


def recall(file: Path, terms: GateOptions) -> SpecOutcome | None:
    """Judge one spec without deciding anything: None where the cache does not know its verdict."""
    with suppress(CacheError):  # whoever decides says what is wrong with the cache
        return _guarded(file, lambda: _resealed(file, terms) or _judged(file, terms, _remembered))
    return None


def _anew(file: Path, terms: GateOptions) -> SpecOutcome | None:
    """The judgement that was sealed; else it is made."""
    warnings: tuple[str, ...] = ()
    try:
        found = _resealed(file, terms)
    except CacheError as error:
        found, terms, warnings = None, replace(terms, cache=None), (f"no cache: {error}",)
    found = found or _judged(file, terms, _decided)
    return None if found is None else replace(found, warnings=(*warnings, *found.warnings))


def _resealed(file: Path, terms: GateOptions) -> SpecOutcome | None:
    """The judgement of the same bytes before, by this account: a proof as it was told, a refutation replayed."""
    if terms.cache is None or terms.measure:
        return None
    found = find_sealed(terms.cache.file, file, terms.engine)
    if found is None or found.witness is None:
        return None if found is None else found.judgement
    return _judged(file, replace(terms, cache=None), partial(_replayed, found.witness), found.judgement.facts)


def _replayed(witness: Witness, claims: Claims, *_: object) -> _Answer | None:
    """A refutation that was found before; None where it refutes nothing."""
    output, active, against, minimal = witness
    refuted = Refuted(output, Input.on(active), None if against is None else Input.on(against))
    with suppress(FaultError):
        [example] = replay(claims, [refuted])
        return _Answer(Known("refuted", None, replace(example, minimal=minimal)), cached=True)
    return None


def _guarded(file: Path, action: Callable[[], SpecOutcome | None]) -> SpecOutcome | None:
    begun = time.perf_counter()
    try:
        found = action()
    except CacheError:
        raise
    except InputError as error:
        line = error.line if error.line is not None and str(error.file) == str(file) else 1
        recipe = () if error.recipe is None else tuple(error.recipe.splitlines())
        found = SpecOutcome(file.as_posix(), INPUT, reason=str(error), facts=recipe, line=line)
    except OverdueError as error:
        found = SpecOutcome(file.as_posix(), UNKNOWN, reason=str(error))
    except KeyboardInterrupt:
        found = SpecOutcome(file.as_posix(), UNKNOWN, reason=INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - one spec's fault is not the others'; it is never a verdict
        told = f"internal fault: {type(error).__name__}: {clip(error)}"
        found = SpecOutcome(file.as_posix(), FAULT, reason=told, facts=tuple(traceback.format_exc().splitlines()[-3:]))
    return None if found is None else replace(found, seconds=time.perf_counter() - begun)


def _judged(file: Path, terms: GateOptions, ask: Ask, told: tuple[str, ...] | None = None) -> SpecOutcome | None:
    """Read, pose, ask and judge; the facts of a failure are found out unless they are given."""
    if terms.timeout is not None:
        terms = replace(terms, begun=time.monotonic())
    with nullcontext() if terms.timeout is None else terms.limits.clock().reading():
        about, asked = None, read_spec(file) if terms.cache is not None and not terms.measure else file
        if terms.cache is not None and isinstance(asked, Spec):
            about = About.of(file, asked, terms.engine)
            asked = asked if asked.table is None else file  # a table was read before it was looked at: once more
        claims, spec, source = question(None, asked, None)
        if about is not None and not about.still(spec):
            about = None
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
    if code != FAILED or known.verdict == spec.expect:
        told = ()
    found = SpecOutcome(
        file.as_posix(), code, spec.expect, known.verdict, reason,
        _facts(claims, spec, known, terms) if told is None else told,
        tuple(failed.values()),
        answer.cached,
        line=1 if code == PASSED else _line(file, place),
        measured=None if counts is None or not terms.measure else _measured(claims, counts, answer),
        warnings=answer.warnings,
        assumptions=claims.assumptions,
        assumed=brief(claims.assumptions),
    )  # fmt: skip
    replayed = spec.arithmetic == "real" or known.counterexample is None
    return _sealed(about, found, answer, terms) if about is not None and replayed else found


def _sealed(about: About, found: SpecOutcome, answer: _Answer, terms: GateOptions) -> SpecOutcome:
    """The judgement, which is kept for the next run."""
    row = sealed_row(about, found, answer.known.counterexample)
    if row is not None and terms.later is not None:
        terms.later.add(row)
    elif row is not None and terms.cache is not None:
        try:
            write_sealed(terms.cache.file, [row])
        except CacheError as error:
            return replace(found, warnings=(f"not kept: {error}",))
    return found


def _facts(claims: Claims, spec: Spec, known: Known, terms: GateOptions) -> tuple[str, ...]:
    """What a verdict that was not expected means; the same whether it was decided now or found in the cache."""
    found = None
    if known.verdict == "refuted" and spec.arithmetic == "real":
        from supercheck.decide.limits import Overdue
        from supercheck.decide.other_readouts import another

        clock = terms.limits.clock()
        with suppress(Overdue, MemoryError), clock.alarm():  # the verdict stands
            found = another(claims, (), terms.limits, clock)
    return (*facts(claims, known.counterexample), *otherwise(claims.readout, found))


def _recalled(claims: Claims, spec: Spec, _source: Provenance, terms: GateOptions) -> _Answer | None:
    """The verdict from the cache alone."""
    if terms.cache is None or terms.measure or spec.arithmetic != "real":
        return None
    known = terms.cache.find(claims, terms.engine)
    return None if known is None else _Answer(known, cached=True)


def _remembered(claims: Claims, spec: Spec, source: Provenance, terms: GateOptions) -> _Answer | None:
    """The same; whoever decides says what is wrong with the cache."""
    with suppress(CacheError):
        return _recalled(claims, spec, source, terms)
    return None


def _decided(claims: Claims, spec: Spec, source: Provenance, terms: GateOptions) -> _Answer:
    """The verdict from the cache or, with what is wrong with that, decided anew."""
    warnings = []
    try:
        answer = _recalled(claims, spec, source, terms)
    except CacheError as error:
        warnings.append(f"no cache: {error}")
        terms, answer = replace(terms, cache=None), None
    if answer is not None:
        return answer
    from supercheck.api.verify import verify

    begun, limits = time.monotonic(), terms.limits
    result = replace(verify(claims.own, spec.of_a_network, limits=limits), source=source)
    seconds = time.monotonic() - begun
    left = None if limits.timeout is None else limits.timeout - seconds
    decided = result.verdict is not Verdict.UNKNOWN and spec.arithmetic == "real"
    if terms.cache is not None and decided and (left is None or left > 0):
        try:
            terms.cache.keep(claims, result, replace(limits, timeout=left), seconds)
        except CacheError as error:
            warnings.append(f"not kept: {error}")
    return _Answer(Known.of(result), False, _margins(result) if terms.measure else (), tuple(warnings))


def _margins(result: Result) -> tuple[str | None, ...]:
    return tuple(None if margin is None else exact_text(margin) for margin in map(result.margin, result.outputs))


def _counted(claims: Claims, spec: Spec) -> Counts:
    from supercheck.analysis.costs.counts import count

    codes = [None if path is None else load_linear(path) for path in (spec.source.encoder, spec.source.decoder)]
    return count(claims.own, *codes)


def _exceeded(spec: Spec, counts: Counts) -> dict[str, str]:
    """The limits that are not kept, by name, in words."""
    from supercheck.analysis.costs.result import checks

    found = (limit for limit in checks(spec, counts, spec.domain.max_active) if not limit.kept)
    return {limit.name: f"{limit.name}: {limit.measured:,} is more than {_value(limit)}" for limit in found}


def _value(limit: Check) -> str:
    """A limit as the spec writes it and, where that is a formula, what it comes to."""
    value = f"{limit.value:,}"
    return value if limit.limit == str(limit.value) else f"{limit.limit} = {value}"


def _measured(claims: Claims, counts: Counts, answer: _Answer) -> Measured:
    figures = {"neurons": counts.neurons, "edges": counts.edges, "parameters": counts.parameters}
    return Measured(claims.cube.max_active, answer.known.verdict, figures, answer.margins)


def _line(file: Path, place: tuple[str, str]) -> int:
    """The line of a key in a spec that was read before; the first where it has none."""
    with suppress(InputError):
        return document(file).line(place) or 1
    return 1
