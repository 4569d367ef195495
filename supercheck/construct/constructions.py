"""Networks that compute in superposition, built from what they shall compute; each states what it claims.

A construction is a function from a `Request` to a `Built`; its docstring has its guarantee, its cost and its source.
A new one is a function and a row of `CONSTRUCTIONS`. Nothing here says that a network is right: `building` proves it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from supercheck.construct.catalogue.circuit import circuit
from supercheck.construct.catalogue.combined import combined
from supercheck.construct.catalogue.group_testing import design, group_testing
from supercheck.construct.catalogue.input_channels import input_channels
from supercheck.construct.catalogue.output_channels import output_channels
from supercheck.construct.catalogue.parity import parity
from supercheck.construct.catalogue.permutation import permutation
from supercheck.construct.catalogue.plain import copy, one_per_gate
from supercheck.construct.catalogue.superposed import superposed
from supercheck.construct.catalogue.table import table
from supercheck.construct.catalogue.u_and import u_and
from supercheck.construct.request import Built, Request

CONSTRUCTIONS: Mapping[str, Callable[[Request], Built]] = {
    "one-per-gate": one_per_gate,
    "copy": copy,
    "output-channels": output_channels,
    "input-channels": input_channels,
    "combined": combined,
    "permutation": permutation,
    "group-testing": group_testing,
    "design": design,
    "parity": parity,
    "circuit": circuit,
    "table": table,
    "u-and": u_and,
    "superposed": superposed,
}
"""Every construction by the name that the command line uses."""

DRAWN = frozenset({"output-channels", "combined", "permutation", "group-testing", "table", "u-and", "superposed"})
"""Those that draw more at random than the pairs that are asked for."""
