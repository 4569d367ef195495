"""Other solvers on the same questions, each with the encoding that suits it best.

Every module has `decide(network, spec, output, timeout)`, which answers about one output.
"""

from __future__ import annotations

PEERS: dict[str, tuple[str, dict[str, bool], str]] = {
    "highs": ("highs", {}, "HiGHS, case split, top-k big-M"),
    "scip": ("scip", {}, "SCIP, same model"),
    "marabou": ("marabou", {}, "Marabou, case split, tight boxes"),
    "cvc5": ("cvc5", {}, "cvc5 QF_LIA, case split"),
    "z3_pb": ("z3_pb", {}, "Z3, pseudo-Boolean level literals"),
    "z3_naive": ("z3_naive", {}, "Z3, naive reals, sliced"),
    "z3_whole": ("z3_naive", {"sliced": False}, "Z3, naive reals, whole network"),
    "cpsat": ("cpsat", {}, "CP-SAT, case split"),
}
"""Name -> module, what its `decide` is called with, and how the table calls it."""
