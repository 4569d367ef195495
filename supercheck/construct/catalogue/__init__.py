"""The constructions, a file each; a docstring has guarantee, cost and source.

What they make is proved before it is written. Imports what constructions share, and nothing above `construct`.
"""
