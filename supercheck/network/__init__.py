"""From a saved file to a chain of exact integers, the normal form, with its reference evaluation.

Trusts nothing in a file; imports `base` only.
"""
