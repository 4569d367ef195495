"""Errors, exact numbers and matrices, float32 numbers, files, the store, the version: what all else stands on.

Trusts Python, numpy and SQLite; imports nothing else of supercheck.
"""
