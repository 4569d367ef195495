"""Formulas mean what plain Python says they mean, and their text says the same."""

from __future__ import annotations

import pickle
import time
from itertools import combinations
from math import inf
from typing import Any

import pytest
from hypothesis import given, strategies as st
from oracle import inputs
from strategies import meaning, tables

from supercheck.base.errors import InputError
from supercheck.spec.formula import FALSE, GATES, TRUE, AtLeast, Formula, Not, Var, Xor, evaluate, gate, holds, support
from supercheck.spec.satisfying import assignments, least_active, reaches
from supercheck.spec.syntax import DEEPEST, LONGEST, parse, prefix, text

FEATURES = 4
EVERY = [frozenset(active) for active in inputs(FEATURES, FEATURES)]


def formulas_of(leaf: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    return st.recursive(
        leaf,
        lambda part: st.one_of(
            part.map(Not),
            st.builds(AtLeast, st.integers(0, 4), st.lists(part, max_size=4).map(tuple)),
            st.builds(Xor, st.lists(part, max_size=3).map(tuple)),
        ),
        max_leaves=12,
    )


spelled = formulas_of(st.integers(0, FEATURES - 1).map(Var))
core = formulas_of(st.integers(0, FEATURES - 1).map(Var) | tables(range(FEATURES)))

terms = st.recursive(
    st.sampled_from(["x0", "x1", "x2", "x3", "0", "1"]),
    lambda part: st.one_of(
        part.map(lambda a: f"~{a}"),
        part.map(lambda a: f"({a})"),
        st.tuples(part, st.sampled_from(["&", "^", "|", " & ", " ^ ", " | "]), part).map("".join),
        st.builds(
            lambda count, parts: f"atleast({', '.join([str(count), *parts])})",
            st.integers(0, 4),
            st.lists(part, max_size=3),
        ),
    ),
    max_leaves=12,
)  # fmt: skip
"""Texts in which Python's own `~ & ^ |`, which bind in the same order, say what is meant."""


def renamed(formula: Formula, names: list[int]) -> Formula:
    """The formula with its occurrences of features replaced one by one by fresh ones."""
    if isinstance(formula, Var):
        names.append(len(names))
        return Var(names[-1])
    if isinstance(formula, Not):
        return Not(renamed(formula.inside, names))
    parts = tuple(renamed(part, names) for part in formula.inside)
    return Xor(parts) if isinstance(formula, Xor) else AtLeast(formula.count, parts)


def occurring(formula: Formula) -> set[int]:
    """The features in a formula."""
    if isinstance(formula, Var):
        return {formula.index}
    parts = (formula.inside,) if isinstance(formula, Not) else formula.inside
    return set().union(*map(occurring, parts))


def fewest(formula: Formula, features: int) -> tuple[float, float]:
    """How few features make it 0 and 1, by trying all."""
    least = [inf, inf]
    for active in inputs(features, features):
        on = meaning(formula)(frozenset(active))
        least[on] = min(least[on], len(active))
    return least[0], least[1]


@given(core)
def test_text_reads_back_as_the_same_function(formula: Any) -> None:
    again = parse(text(formula))
    assert [meaning(again)(active) for active in EVERY] == [meaning(formula)(active) for active in EVERY]
    assert text(again) == text(formula)


@given(terms)
def test_operators_bind_as_in_python(source: Any) -> Any:
    def atleast(count: int, *parts: int) -> int:
        return int(sum(part & 1 for part in parts) >= count)

    formula = parse(source)
    for active in EVERY:
        names = {f"x{j}": int(j in active) for j in range(FEATURES)}
        assert meaning(formula)(active) == bool(eval(source, {"atleast": atleast}, names) & 1), active


@pytest.mark.parametrize(
    ("source", "tree"),
    [
        ("x0 | x1 & x2", AtLeast(1, (Var(0), AtLeast(2, (Var(1), Var(2)))))),
        ("x0 | x1 ^ x2", AtLeast(1, (Var(0), Xor((Var(1), Var(2)))))),
        ("x0 ^ x1 & x2", Xor((Var(0), AtLeast(2, (Var(1), Var(2)))))),
        ("~x0 & x1", AtLeast(2, (Not(Var(0)), Var(1)))),
        ("~(x0 & x1)", Not(AtLeast(2, (Var(0), Var(1))))),
        ("x0 & x1 & x12", AtLeast(3, (Var(0), Var(1), Var(12)))),
        (" atleast ( 2 ,x0,\tx1,\nx2) ", AtLeast(2, (Var(0), Var(1), Var(2)))),
        ("1", TRUE),
        ("0", FALSE),
    ],
)
def test_a_text_is_read_as_this_tree(source: Any, tree: Any) -> None:
    assert parse(source) == tree


PLAIN = {
    "and": all,
    "or": any,
    "xor": lambda bits: sum(bits) % 2 == 1,
    "nand": lambda bits: not all(bits),
    "nor": lambda bits: not any(bits),
    "xnor": lambda bits: sum(bits) % 2 == 0,
    "majority": lambda bits: 2 * sum(bits) > len(bits),
    "copy": lambda bits: bits[0],
}


def test_every_gate_has_a_plain_meaning_here() -> None:
    assert set(PLAIN) == set(GATES)


@pytest.mark.parametrize(
    ("name", "arity"), [(name, arity) for name in PLAIN for arity in range(1, 6) if name != "copy" or arity == 1]
)
def test_a_gate_is_what_plain_python_says(name: str, arity: Any) -> None:
    features = [7, 2, 5, 0, 11][:arity]
    formula = gate(name, features)
    for size in range(arity + 1):
        for active in combinations(features, size):
            assert holds(formula, frozenset(active)) == bool(PLAIN[name]([j in active for j in features]))


@given(core)
def test_many_inputs_at_once_are_each_input_alone(formula: Any) -> None:
    columns = {j: sum(int(j in active) << b for b, active in enumerate(EVERY)) for j in range(FEATURES)}
    together = evaluate(formula, columns.__getitem__, (1 << len(EVERY)) - 1)
    alone = [evaluate(formula, lambda j, active=active: int(j in active)) for active in EVERY]  # type: ignore[misc]
    assert [together >> b & 1 for b in range(len(EVERY))] == alone
    assert alone == [int(meaning(formula)(active)) for active in EVERY]
    assert together >> len(EVERY) == 0


@given(tables(range(2, 8)))
def test_a_table_means_the_or_of_its_rows(table: Any) -> None:
    spelled = AtLeast(table.count, table.inside)
    assert (text(spelled), prefix(spelled)) == (text(table), prefix(table))
    for active in map(frozenset, inputs(8, 8)):
        assert holds(table, active) == holds(spelled, active) == meaning(table)(active)
    again = pickle.loads(pickle.dumps(table))
    assert (again, hash(again)) == (table, hash(table))
    assert again != spelled


@given(core)
def test_the_support_is_every_feature_that_occurs_and_nothing_else_matters(formula: Any) -> None:
    assert list(support(formula)) == sorted(occurring(formula))
    outside = set(range(FEATURES)) - set(support(formula))
    for active in EVERY:
        assert meaning(formula)(active) == meaning(formula)(active - outside)


@given(core, st.booleans(), st.integers(0, FEATURES + 2))
def test_assignments_are_those_that_trying_all_finds(formula: Any, on: Any, limit: Any) -> None:
    own = support(formula)
    tried = [frozenset(own[j] for j in active) for active in inputs(len(own), limit)]
    assert list(assignments(formula, on, limit)) == [a for a in tried if meaning(formula)(a) == on]


def test_assignments_do_not_stop_at_a_batch() -> None:
    formula = Xor(tuple(map(Var, range(15))))  # 6435 assignments of one size
    tried = [frozenset(a) for a in inputs(15, 15) if len(a) % 2]
    assert list(assignments(formula, True, 15)) == tried


@given(spelled)
def test_least_active_is_the_minimum_over_all_inputs(formula: Any) -> None:
    names: list[int] = []
    fresh = renamed(formula, names)
    assert least_active(fresh) == fewest(fresh, len(names))


@pytest.mark.parametrize("source", ["x0 & x0", "x0 ^ (x1 | x0)", "atleast(1, x1, ~x1)"])
def test_least_active_says_nothing_of_a_feature_that_occurs_twice(source: Any) -> None:
    assert least_active(parse(source)) is None


@pytest.mark.parametrize(
    ("formula", "least"),
    [
        (TRUE, (inf, 0)),
        (FALSE, (0, inf)),
        (Xor(()), (0, inf)),
        (AtLeast(9, (Var(0),)), (0, inf)),
        (Not(Var(3)), (1, 0)),
    ],
)
def test_least_active_is_infinite_where_nothing_does_it(formula: Any, least: Any) -> None:
    assert least_active(formula) == least


@given(core, st.booleans(), st.integers(0, FEATURES))
def test_reaches_is_what_trying_all_says(formula: Any, on: Any, limit: Any) -> None:
    assert reaches(formula, on, limit) == any(meaning(formula)(a) == on for a in EVERY if len(a) <= limit)


@given(core, st.booleans(), st.integers(0, FEATURES), st.integers(1, 16))
def test_reaches_with_a_small_budget_is_right_or_silent(formula: Any, on: Any, limit: Any, budget: Any) -> None:
    answer = reaches(formula, on, limit, budget)
    assert answer is None or answer == any(meaning(formula)(a) == on for a in EVERY if len(a) <= limit)


def test_reaches_is_silent_where_the_budget_ends_before_an_answer() -> None:
    wide = AtLeast(12, tuple(map(Var, range(12))))
    twice = AtLeast(2, (wide, wide))
    assert reaches(twice, True, 12, budget=100) is None
    assert reaches(twice, True, 12) is True
    assert reaches(twice, True, 11) is False


def test_a_gate_over_thousands_of_features_is_measured_at_once() -> None:
    start = time.perf_counter()
    assert least_active(gate("and", range(3000))) == (0, 3000)
    assert time.perf_counter() - start < 1


A_FEATURE = "expected a feature such as x3, 0, 1, ~, ( or atleast(, got "


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "column 1: " + A_FEATURE + "the end"),
        ("x0 & ", "column 6: " + A_FEATURE + "the end"),
        ("x0 && x1", 'column 5: ' + A_FEATURE + '"&"'),
        ("x0 & y", 'column 6: ' + A_FEATURE + '"y"'),
        ("x", 'column 1: ' + A_FEATURE + '"x"'),
        ("X0", 'column 1: ' + A_FEATURE + '"X"'),
        ("x\u0663", 'column 1: ' + A_FEATURE + '"x"'),
        ("2", 'column 1: ' + A_FEATURE + '"2"'),
        ("x1 x2", 'column 4: expected an operator (& ^ |) or the end, got "x2"'),
        ("x0)", 'column 3: expected an operator (& ^ |) or the end, got ")"'),
        ("x0 \x00", 'column 4: expected an operator (& ^ |) or the end, got "\\x00"'),
        ("(x0", 'column 4: expected ")", got the end'),
        ("atleast 2", 'column 9: expected "(", got "2"'),
        ("atleast(x0, x1)", 'column 9: expected a whole number, got "x0"'),
        ("atleast(-1, x0)", 'column 9: expected a whole number, got "-"'),
        ("atleast(1000000000, x0)", 'column 9: expected a whole number below 10^9, got "1000000000"'),
        ("x0 & x1000000000", 'column 6: expected a feature\'s index, got "x1000000000"'),
    ],
)  # fmt: skip
def test_a_bad_formula_is_told_where_what_was_expected_and_found(source: Any, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        parse(source)
    assert str(refusal.value) == message


@pytest.mark.parametrize("opening", ["(", "~", "atleast(1, "])
def test_nesting_is_read_up_to_its_limit_and_refused_beyond(opening: Any) -> None:
    closing = ")" if "(" in opening else ""
    deepest = DEEPEST - 1
    assert support(parse(opening * deepest + "x5" + closing * deepest)) == (5,)
    for depth in (DEEPEST, 50_000):
        with pytest.raises(InputError, match=rf"^column {DEEPEST * len(opening) + 1}: .* {DEEPEST} levels of nesting"):
            parse(opening * depth + "x5" + closing * depth)


def test_length_is_not_nesting() -> None:
    assert support(parse(" | ".join(f"(~x{j} & x{j + 1})" for j in range(5000)))) == tuple(range(5001))


def test_a_formula_beyond_the_length_limit_is_refused() -> None:
    assert support(parse("x7" + " " * (LONGEST - 2))) == (7,)
    with pytest.raises(InputError, match="at most 1,000,000 characters, got 1,000,001"):
        parse("x7" + " " * (LONGEST - 1))


@pytest.mark.parametrize(
    "source", ["9" * 900_000, "x" + "9" * 900_000, "atleast(" + "9" * 900_000, "x0 & " + "?" * 900_000]
)
def test_a_huge_word_gives_a_short_message(source: Any) -> None:
    with pytest.raises(InputError) as refusal:
        parse(source)
    assert len(str(refusal.value)) < 400
