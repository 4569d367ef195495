"""A question as the lone checker's own types, for what it cannot read itself, or need not read again."""

from __future__ import annotations

from itertools import pairwise

from supercheck import checker
from supercheck.base.matrix import Rows
from supercheck.claims.claims import Claims, claims_text
from supercheck.network.formats.tensors import brief


def handed(claims: Claims) -> tuple[checker.Network, checker.Claims]:
    """The network in normal form and its claims, as `checker.question` would have read them.

    Args:
        claims: the question.
    """
    network, last = claims.network, claims.network.output
    hidden = [(_rows(layer.weight), layer.bias.tolist()) for layer in network.hidden]
    said = brief(claims.assumptions)
    assumed = () if said is None else (said,)
    own = checker.Network(network.features, hidden, _rows(last.weight), list(last.bias), list(last.scale), assumed)
    return own, checker.Claims("".join(claims_text(claims)))


def _rows(weight: Rows) -> list[dict[int, int]]:
    columns, values, ends = weight.indices.tolist(), weight.data.tolist(), weight.indptr.tolist()
    return [dict(zip(columns[a:b], values[a:b], strict=True)) for a, b in pairwise(ends)]
