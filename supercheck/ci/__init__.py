"""The gate: every spec below some paths as one answer; its cache, baselines and pytest plugin.

Trusts nothing in the cache; must not import `cli`.
"""
