"""Gates of pairs other than AND, by how many of the two are on.

Imports nothing above `construct`.
"""
