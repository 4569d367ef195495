"""The audit from end to end: load, read, pose, count, and set beside every bound. The face of `supercheck audit`.

An audit needs no verdict. Where deciding the question is cheap it is decided, too, so that the audit can say
whether the network was also proved; whatever does not fit is left out, and the audit says so.
"""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import chain
from pathlib import Path

from supercheck.analysis.costs.counts import Counts, count
from supercheck.analysis.costs.floors import representing
from supercheck.analysis.costs.floors.bounds import Bounds, bounds as bounds, constructions, forms
from supercheck.analysis.costs.floors.classes import and_arity
from supercheck.analysis.costs.floors.measured import counted_class, floors
from supercheck.analysis.costs.floors.networks import cuts, missing_paths
from supercheck.analysis.costs.floors.patterns import patterns
from supercheck.analysis.costs.interference import interference
from supercheck.analysis.costs.result import Audit, Degrees, Neurons, Representing, Spread, checks
from supercheck.analysis.costs.wiring import MOST_EDGES, Influence, States, Wiring, duplicates, influence, states
from supercheck.base.display import Faces
from supercheck.base.errors import FaultError
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Verdict
from supercheck.claims.question import question
from supercheck.claims.result import Result
from supercheck.decide.float32.portfolio import decide_in
from supercheck.decide.limits import Clock, Limits
from supercheck.network.formats.load import load_linear
from supercheck.network.layers import Affine
from supercheck.report.audit.json import audit_object, bounds_object
from supercheck.report.audit.text import bounds_text, text
from supercheck.spec.formula import support
from supercheck.spec.spec import Spec

Audit.faces = Faces(text, audit_object)
Bounds.faces = Faces(bounds_text, bounds_object)

QUICK = 5 * 10**9
"""Multiplications up to which the question is decided without being asked for: a second or two."""

QUICK_SECONDS = 10.0


def audit(
    network: object,
    spec: Spec | str | Path,
    *,
    max_active: int | None = None,
    verify: bool | None = None,
    timeout: float | None = None,
) -> Audit:
    """Count what a network costs and set it beside what theory says of its task.

    Args:
        network: a `Network`, the path of a network file, a `torch.nn.Sequential`, or None for the file that
            the spec names.
        spec: a `Spec`, or the path of a spec file.
        max_active: a sparsity that wins over the spec's own.
        verify: whether to decide the question, too; None decides it where that takes seconds.
        timeout: seconds for everything; what they leave is left out.

    Returns:
        Counts, bits by block, floors, limits, wiring and interference; a verdict where there is one.

    Raises:
        InputError: if network or spec cannot be read, or do not fit each other, or a limit is no number.
    """
    begun = time.perf_counter()
    limits = Limits(timeout=timeout).begin()
    clock = limits.clock()
    with clock.reading():
        claims, spec, source = question(network, spec, max_active)
    ready = time.perf_counter()
    result, undecided = _decided(claims, spec, verify, limits)
    decided = time.perf_counter()
    found = examine(claims, spec, result, clock)
    done = time.perf_counter()
    seconds = {"load": ready - begun, "decide": decided - ready, "audit": done - decided, "total": done - begun}
    return replace(found, undecided=undecided, source=source, seconds=seconds)


def _decided(claims: Claims, spec: Spec, verify: bool | None, limits: Limits) -> tuple[Result | None, str | None]:
    """The verdict with margins, or why there is none."""
    work = claims.cube.size * (claims.network.edges + len(claims))
    if verify is False:
        return None, "not asked"
    if verify is None and work > QUICK:
        return None, f"not asked: {claims.cube.size:,} inputs take more than seconds; --verify decides it"
    if limits.timeout is None and not verify:
        limits = Limits(timeout=QUICK_SECONDS)
    limits = replace(limits, margins=True)
    result = decide_in(spec.arithmetic, claims, limits)
    return result, result.reason


def examine(claims: Claims, spec: Spec, result: Result | None = None, clock: Clock | None = None) -> Audit:
    """Audit a question that was put to a network.

    Args:
        claims: the question.
        spec: where it came from; its fixed codes and limits.
        result: the verdict, where there is one.
        clock: the deadline, after which nothing that may take long is begun; None: there is none.

    Raises:
        FaultError: if a network that was proved lacks a path that its function needs.
    """
    clock = Clock.start(None) if clock is None else clock
    wiring, left_out = Wiring(claims.network), list[str]()
    codes = [None if path is None else load_linear(path) for path in (spec.source.encoder, spec.source.decoder)]
    counts = count(claims.own, *codes)
    hurried = clock.over
    missing, unseen = missing_paths(claims, wiring) if wiring.affordable and not hurried else ([], 0)
    if hurried:
        left_out.append(f"missing paths: {clock.reason}")
    if not wiring.affordable:
        left_out.append(f"cones and missing paths: {wiring.edges:,} edges times {counts.features:,} features")
    if missing and result is not None and result.real_verdict is Verdict.PROVED:
        raise FaultError(f"output {missing[0].output} was proved, but no path leads there from a feature it depends on")
    if unseen:
        left_out.append(f"{unseen:,} more missing paths, of features that a function names, were not looked into")
    layers = states(claims.network, claims.cube)
    known = patterns(claims.formulas, claims.cube, over=lambda: clock.over)
    if not known.complete:
        why = f"; {clock.reason}" if clock.over else ""
        left_out.append(
            f"output patterns of most of the {claims.cube.size:,} inputs: floors by them may be higher{why}"
        )
    drawn = wiring.edges <= MOST_EDGES and not clock.over
    if clock.over:
        left_out.append(f"connected parts and cuts: {clock.reason}")
    elif not drawn:
        left_out.append(f"connected parts and cuts: the graph has {wiring.edges:,} edges, more than {MOST_EDGES:,}")
    overlaps = None if clock.over else interference(wiring, result)
    if clock.over:
        left_out.append(f"overlaps of channels: {clock.reason}")
    elif overlaps is None:
        left_out.append(f"overlaps of channels: there are {len(claims):,} outputs")
    of_class = counted_class(claims)
    smallest = cuts(claims, wiring, known.inputs) if drawn else []
    bare = [name for name, code in zip(("encoder", "decoder"), codes, strict=True) if code is None]
    named = set(chain.from_iterable(map(support, set(claims.formulas))))
    arity = and_arity(claims.formulas)
    linear = arity == 1 or claims.readout.tolerance is None
    return Audit(
        claims=claims,
        counts=counts,
        of_class=of_class,
        floors=floors(claims, counts, of_class, known, layers, smallest),
        limits=checks(spec, counts, claims.cube.max_active),
        forms=() if bare else tuple(forms(counts.outputs, counts.neurons, counts.parameters)),
        formless=f"the spec declares no {' and no '.join(bare)}" if bare else None,
        constructions=() if arity is None else tuple(constructions(arity, len(named), counts.outputs, linear)),
        representing=_representing(claims, codes[0]),
        influence=Influence.of(influence(claims.formulas, claims.cube.features), len(claims)),
        cones=tuple(map(Spread.of, wiring.cones.T)) if wiring.affordable else (),
        reached=Spread.of(wiring.reached) if wiring.affordable else None,
        degrees=_degrees(claims, counts),
        neurons=_neurons(claims, layers),
        parts=tuple(map(len, wiring.parts)) if drawn else None,
        missing=tuple(missing),
        interference=overlaps,
        arithmetic=spec.arithmetic,
        result=result,
        left_out=tuple(left_out),
    )


def _representing(claims: Claims, encoder: Affine | None) -> Representing:
    domain = claims.cube
    code = None if encoder is None else representing.code(encoder, domain)
    coherence = representing.coherence_allowed(domain.max_active)
    return Representing(coherence, representing.dimension_enough(domain), representing.dimension_needed(domain), code)


def _degrees(claims: Claims, counts: Counts) -> tuple[Degrees, ...]:
    names = [f"hidden {place}" for place in range(1, counts.layers + 1)] + ["readout"]
    return tuple(Degrees.of(name, rows) for name, rows in zip(names, claims.own.matrices, strict=True))


def _neurons(claims: Claims, layers: list[States]) -> Neurons:
    groups = (group for group in duplicates(claims.network) if not layers[group[0][0] - 1].dead[group[0][1]])
    repeated = sum(len(group) - 1 for group in groups)
    dead = sum(int(layer.dead.sum()) for layer in layers)
    linear = sum(int(layer.linear.sum()) for layer in layers)
    passing = sum(int(layer.passing.sum()) for layer in layers)
    return Neurons(dead, linear, passing, repeated, all(layer.exact for layer in layers))
