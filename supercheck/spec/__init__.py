"""What a network is to compute and where: domain, Boolean functions, readout; TOML and CSV in.

Trusts pydantic for types alone; imports `base`, and of `network` only the names of layers.
"""
