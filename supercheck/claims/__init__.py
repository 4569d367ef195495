"""The question as claims on integers; verdicts and counterexamples as types; replay, the only maker of the latter.

Trusts `network` and `spec`; must not import an engine.
"""
