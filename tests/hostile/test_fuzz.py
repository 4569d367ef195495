"""Every reader of foreign bytes answers, or refuses with one line: mutants of good files, and what once crashed."""

from __future__ import annotations

from pathlib import Path

import pytest
from common import EXAMPLES
from fuzz.fuzz_readers import READERS, seeds, target
from hypothesis import given, settings, strategies as st

CRASHES = sorted((Path(__file__).parents[2] / "tests" / "data" / "crashes").glob("*/*"))
INTERESTING = [
    b"",
    b"\0",
    b"\xff" * 4,
    b"\xff" * 8,
    b"\0" * 8,
    b"[",
    b"{",
    b'"',
    b"9" * 40,
    b"-",
    b"1e999",
    b"NaN",
    b"/",
    b"\n",
]

Edit = tuple[float, int, bytes]


def mutated(seed: bytes, edits: list[Edit]) -> bytes:
    """Replace some bytes, at a place given as a share of the length, by others."""
    for place, length, new in edits:
        start = int(place * len(seed))
        seed = seed[:start] + new + seed[start + length :]
    return seed


edits = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 9), st.sampled_from(INTERESTING) | st.binary(max_size=3)), max_size=6
)


@pytest.mark.parametrize("reader", sorted(READERS))
def test_a_mutant_of_a_good_file_is_read_or_refused_with_one_line(reader: str) -> None:
    good, read = seeds(reader), target(reader)

    @settings(max_examples=EXAMPLES * 2)
    @given(st.sampled_from(good), edits)
    def survives(seed: bytes, changes: list[Edit]) -> None:
        read(mutated(seed, changes))

    survives()


@pytest.mark.parametrize("file", CRASHES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_what_once_crashed_is_read_or_refused_with_one_line(file: Path) -> None:
    target(file.parent.name)(file.read_bytes())
