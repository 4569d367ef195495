"""Which kind of proof each output gets, and the certificate's lines.

Order: 1. Where all inputs can be evaluated within moments, or are affordable and were what decided every output, one
line says so: to start another engine would take longer than deciding took. 2. An output that rule b closes at once,
as the bound engine found, is part of a range `i-j .b`. 3. Where evaluating all inputs is affordable, one line says so.
4. Else trees, with leaves that leave a few inputs to be evaluated. 5. An output whose tree is too large is evaluated
on its own cone, if that is affordable. 6. What is left is a solver's word. All choices compare counts, never seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Proved
from supercheck.decide import enumeration
from supercheck.decide.engines import BOUND, UNAFFORDABLE, Engine
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.portfolio import ask
from supercheck.spec.readout import Readout

WORD = "z"

TREES = Engine("trees", "supercheck.certificate.trees", capped=True)

BRIEF, AFFORDABLE, ALONE = 2 * 10**7, 4 * 10**10, 10**10
"""Multiplications that the checker may be asked for without a thought, for all outputs at once, and for one output."""

SMALL = 10**5
"""Multiplications at which evaluating one output's inputs is worth no tree."""


def prove(
    claims: Claims,
    known: Mapping[int, str],
    bounds: Sequence[int] | None,
    limits: Limits,
    clock: Clock,
    *,
    evaluated: bool = False,
) -> Iterator[tuple[int, int, str]]:
    """Prove every output once more, for someone else to check.

    Args:
        claims: the question, proved for every output.
        known: proofs that the engines found on their way.
        bounds: in mode separable, what w . h stays at or below where each output's function is off.
        limits: workers and nodes.
        clock: the deadline; what it leaves is a solver's word.
        evaluated: whether every output was decided by evaluating all inputs.

    Yields:
        The first and the last output of a line, and their tree; every output once.
    """
    every = range(len(claims))
    cost = sweep(claims, every)
    if cost <= (AFFORDABLE if evaluated else BRIEF):
        yield 0, len(claims) - 1, "e"
        return
    asked = claims if bounds is None else separated(claims, bounds)
    plain = dict(known)
    plain.update(_bounded(asked, [i for i in every if i not in plain], limits, clock))
    left = [i for i in every if i not in plain]
    if left and cost <= AFFORDABLE:
        yield 0, len(claims) - 1, "e"
        return
    yield from _ranges(plain.items())
    if not left:
        return
    prices = enumeration.costs(claims)
    small = [i for i in left if prices[i] <= SMALL]
    for i in small:
        yield i, i, "e"
    left = [i for i in left if prices[i] > SMALL]
    grown = set()
    for i, tree in _trees(asked, left, limits, clock):
        grown.add(i)
        yield i, i, tree
    for i in left:
        if i not in grown:
            yield i, i, "e" if prices[i] <= ALONE and not clock.over else WORD


def sweep(claims: Claims, outputs: Sequence[int]) -> int:
    """Multiplications that evaluating all inputs of some outputs' cone costs the checker."""
    widest = int(enumeration.widths(claims).max(initial=0))
    if claims.cube.restricted(widest).size > ALONE:
        return UNAFFORDABLE
    cone = claims.network.cone(outputs)
    features = len(claims.features(outputs, cone))
    weights = sum(len(rows.data) for rows in claims.network.matrices[1:]) + sum(len(part) for part in cone)
    return claims.cube.restricted(features).size * (weights + len(outputs))


def separated(claims: Claims, bounds: Sequence[int]) -> Claims:
    """The question of each output's own threshold, for a question that only asks whether there is one.

    Args:
        claims: a question in mode separable.
        bounds: for each output the integer that w . h stays at or below where its function is off, and above where on.

    Source: ours. y = w . h - U - 1/2 is at most 0 exactly where the integer w . h is at most U.
    """
    output = replace(
        claims.network.output,
        bias=tuple(Fraction(-2 * bound - 1, 2) for bound in bounds),
        scale=(Fraction(1),) * len(claims),
    )
    network = replace(claims.network, output=output)
    return replace(claims, network=network, readout=Readout("threshold", at=Fraction(0)))


def _bounded(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[tuple[int, str]]:
    """What the closed-form bound proves at once."""
    if outputs:
        for decisions in ask(BOUND, claims, outputs, limits, clock):
            yield from ((d.output, d.proof) for d in decisions if isinstance(d, Proved) and d.proof is not None)


def _trees(claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock) -> Iterator[tuple[int, str]]:
    if outputs:
        found = (d for decisions in ask(TREES, claims, outputs, limits, clock) for d in decisions)
        team = limits.team is not None  # whose batches arrive in any order
        yield from (
            (d.output, d.proof)
            for d in (sorted(found, key=lambda d: d.output) if team else found)
            if isinstance(d, Proved) and d.proof
        )


def _ranges(proofs: Iterable[tuple[int, str]]) -> Iterator[tuple[int, int, str]]:
    """Neighbours with the same proof as one line."""
    first = last = -1
    same = ""
    for i, proof in sorted(proofs):
        if first >= 0 and (i != last + 1 or proof != same):
            yield first, last, same
            first = i
        elif first < 0:
            first = i
        last, same = i, proof
    if first >= 0:
        yield first, last, same
