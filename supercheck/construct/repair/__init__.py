"""Output channels changed at counterexamples until there are none, with as few neurons as are found.

A search: whether what it finds is right is decided elsewhere. Imports nothing above `construct`.
"""
