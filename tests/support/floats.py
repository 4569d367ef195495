"""Numbers that float32 holds, of many sizes."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st
from strategies import halves, small

F = Fraction


bits = st.integers(-149, 60)


floats32 = st.builds(lambda n, e: F(n) * F(2) ** e, st.integers(-(2**24) + 1, 2**24 - 1), bits)


usual = st.floats(-2, 2, width=32, allow_subnormal=False).map(F)


large = st.builds(lambda n, e: F(n) * 2**e, st.integers(-3, 3), st.integers(20, 26)) | small


tiny = st.builds(lambda n, e: F(n) / 2**e, st.integers(-9, 9), st.integers(60, 149))


kinds32 = st.sampled_from([small, halves, usual, usual, large, large, tiny, tiny | small, floats32])
