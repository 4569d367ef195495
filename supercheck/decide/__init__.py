"""The portfolio and its engines: claims in, decisions out, every refutation replayed.

Trusts numpy, the C compiler, and Z3 where it decided; must not import certificates, analysis, reports or doors.
"""
