"""Chance that a seed repeats: on every machine, in every version of numpy."""

from __future__ import annotations

from random import Random

import numpy as np


def stream(*seeds: int) -> np.random.RandomState:
    """Random numbers for a seed, and for what they are drawn for; the stream of this class never changes."""
    return np.random.RandomState(Random(f"{seeds}").getrandbits(32))
