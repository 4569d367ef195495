"""One file a format: from bytes to layers, every stored number exactly as it is.

Trusts nothing in a file: sizes are bounded before memory is taken, nothing is unpickled. Imports `base` and `network`.
"""
