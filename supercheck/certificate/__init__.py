"""Writes proofs that the lone checker confirms; the format is in this folder's README.md.

Nothing here has to be trusted: a wrong certificate can only be rejected. Must not import analysis, reports or doors.
"""
