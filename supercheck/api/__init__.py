"""The Python face: one file a verb, from files to a result.

Decides nothing itself; must not import `cli` or `ci`.
"""
