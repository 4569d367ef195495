"""The command line: one file a verb, a thin face of `api`.

Computes nothing; imports nothing heavy before it is needed.
"""
