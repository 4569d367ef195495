"""Every formula, readout and domain of one table: through parser, printer, every engine, replay and the checker."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, product
from pathlib import Path

import pytest
from examples import DOMAINS, FORMULAS, READOUTS
from oracle import Stored, run
from strategies import network

from supercheck import Limits, Network, Readout, Verdict, checker, parse
from supercheck.certificate.core_form import handed
from supercheck.certificate.writer import uncovered, write
from supercheck.claims.claims import Claims
from supercheck.decide.engines import ENGINES
from supercheck.decide.portfolio import decide
from supercheck.network.input import Input
from supercheck.spec.domain import Sparse
from supercheck.spec.formula import holds
from supercheck.spec.syntax import text

F = Fraction
NETWORKS: list[Stored] = [
    # 1 where x0 and x1 are on and 0 elsewhere, however many others are
    [([[F(1), F(1), F(0), F(0)]], [F(-1)], True), ([[F(1)]], [F(0)], False)],
    # of all features at once, by two layers
    [
        ([[F(1), F(1), F(-1), F(0)], [F(-2), F(1), F(1, 3), F(1)]], [F(0), F(1, 2)], True),
        ([[F(1), F(-1)], [F(1), F(1)]], [F(0), F(-1)], True),
        ([[F(1, 2), F(-2)]], [F(1)], False),
    ],
    [([[F(1, 3), F(-1), F(2), F(1)]], [F(1, 5)], False)],
]


def inputs(domain: Sparse) -> Iterator[tuple[set[int], list[Fraction]]]:
    """Every input of a domain, with the features that are active in it."""
    active, rest = ([part.ends[0] for part in values.parts] for values in (domain.active, domain.rest))
    for size in range(min(domain.max_active, domain.features) + 1):
        for on in combinations(range(domain.features), size):
            for x in product(*(active if j in on else rest for j in range(domain.features))):
                yield set(on), list(x)


VALUES = [[[(on, run(stored, x)[0]) for on, x in inputs(domain)] for domain in DOMAINS] for stored in NETWORKS]


def right(which: tuple[int, int], formula: str, number: int) -> bool:
    """Whether an output is right on every input, in plain Python."""
    rule, seen = READOUTS[number][1], [(y, FORMULAS[formula](on)) for on, y in VALUES[which[0]][which[1]]]
    if rule is not None:
        return all(rule(y, on) for y, on in seen)
    off = max((y for y, on in seen if not on), default=None)
    return off is None or all(y > off for y, on in seen if on)


def asked(which: tuple[int, int], formulas: list[str], readout: Readout) -> Claims:
    """A network with one output for each formula."""
    stored = NETWORKS[which[0]]
    (weight, bias, relu), copies = stored[-1], len(formulas)
    of: Network = network([*stored[:-1], (weight * copies, bias * copies, relu)])
    return Claims(of, of, DOMAINS[which[1]], [parse(formula) for formula in formulas], readout)


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_means_what_it_says_and_is_printed_as_what_it_means(formula: str) -> None:
    parsed, again = parse(formula), parse(text(parse(formula)))
    assert parsed == again
    for size in range(5):
        for on in map(frozenset, combinations(range(4), size)):
            assert holds(parsed, on) == FORMULAS[formula](set(on))


@pytest.mark.parametrize("place", range(len(DOMAINS)), ids=lambda place: f"domain {DOMAINS[place].text}")
@pytest.mark.parametrize("number", range(len(READOUTS)), ids=lambda number: READOUTS[number][0].expected(1))
def test_every_engine_replay_and_the_checker_agree_with_plain_evaluation(
    place: int, number: int, tmp_path: Path
) -> None:
    readout, which = READOUTS[number][0], ((place + number) % len(NETWORKS), place)
    claims = asked(which, list(FORMULAS), readout)
    truth = [right(which, formula, number) for formula in FORMULAS]
    for engine in ("auto", *(name for name, row in ENGINES.items() if not row.outside)):
        found = decide(claims, Limits(engine=engine, workers=1, margins=number % 2 == 0))
        for output, expected in zip(found.outputs, truth, strict=True):
            if engine == "auto" or ENGINES[engine].complete:
                assert output.verdict is not Verdict.UNKNOWN or ENGINES["enumerate"].supports(claims)
            if output.verdict is not Verdict.UNKNOWN:
                assert (output.verdict is Verdict.PROVED) == expected
            if output.counterexample is not None:
                assert claims.domain.contains(output.counterexample.input)
    everything = decide(claims, Limits(workers=1))
    written = write(everything, tmp_path / "c.cert", Limits(workers=1), force=True)
    assert (written is None) == (uncovered(everything) is not None)
    if written is not None:
        outcome = checker.check([str(tmp_path / "c.cert")], *handed(claims))
        assert outcome.status == ("accepted" if all(truth) else "refutation")


@pytest.mark.parametrize("place", range(len(DOMAINS)), ids=lambda place: f"domain {DOMAINS[place].text}")
def test_z3_agrees_with_plain_evaluation(place: int) -> None:
    from supercheck.claims.evidence import Refuted
    from supercheck.claims.replay import replay
    from supercheck.decide.smt import solve

    for which in ((n, place) for n in range(len(NETWORKS))):
        for number, (readout, _) in enumerate(READOUTS):
            for i, formula in enumerate(FORMULAS):
                if (i + number + place + which[0]) % 11:  # one in eleven: a query takes some milliseconds
                    continue
                claims = asked(which, [formula], readout)
                decision = solve(claims, 0)
                assert isinstance(decision, Refuted) != right(which, formula, number)
                if isinstance(decision, Refuted):
                    assert replay(claims, [decision])


def test_the_domains_of_the_table_hold_what_they_hold() -> None:
    for domain in DOMAINS:
        everything = list(inputs(domain))
        assert domain.size == len(everything)
        for on, x in everything:
            found = Input(tuple(sorted(on)), tuple((j, value) for j, value in enumerate(x) if value))
            assert domain.contains(found)
            assert all(domain.contains(domain.rested(found, j)) for j in found.active)
