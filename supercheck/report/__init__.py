"""Results as text, JSON, HTML and for pipelines: one folder a verb, one file a format.

Trusts the results that it is given; must not import engines or readers of files.
"""
