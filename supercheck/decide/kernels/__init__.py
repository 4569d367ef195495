"""Compiled loops of the relaxation. numba is imported with it, so import it only when the work is large."""
