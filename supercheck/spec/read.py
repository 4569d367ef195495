"""From a TOML file to a `Spec`: the domain, the feature functions, how outputs are read, limits.

A spec is data: reading one loads no network. Paths in it are relative to its folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from itertools import combinations
from math import comb
from pathlib import Path

from supercheck.base.errors import InputError, spelled
from supercheck.network.formats.tensors import LayerNames
from supercheck.spec.domain import KSparse
from supercheck.spec.expressions import evaluate_limit
from supercheck.spec.formula import GATES, Formula, feature, support
from supercheck.spec.readout import READOUTS, Readout
from supercheck.spec.schema import Document, Schema, document
from supercheck.spec.spec import _COUNT, MOST_FEATURES, MOST_OUTPUTS, Source, Spec, _active, _most_active
from supercheck.spec.syntax import parse
from supercheck.spec.table import read_table


def read_spec(path: str | Path, max_active: int | None = None) -> Spec:
    """Read a spec file.

    Args:
        path: the TOML file.
        max_active: a sparsity that wins over the file's own.

    Raises:
        InputError: naming file, line, key, what was expected and what was found.
    """
    if not isinstance(path, str | Path):
        raise InputError(place="spec", expected="a Spec, or the path of a spec file", got=spelled(path, repr))
    path = Path(path)
    doc = document(path)
    layout = doc.layout
    limit = layout.domain.max_active if max_active is None else max_active
    here = path.parent
    try:
        _ranges(doc, layout.domain.features, limit, own=max_active is None)
        domain = KSparse(layout.domain.features, limit)
        formulas = _formulas(doc, domain)
        return Spec(
            domain,
            formulas,
            _readout(doc),
            _source(layout, here),
            layout.arithmetic.of,
            _limits(doc, domain, len(formulas)),
            layout.expect.verdict,
            path,
            hashlib.sha256(doc.content).hexdigest(),
            here / layout.outputs.table if layout.outputs.table is not None else None,
        )
    except InputError as error:
        raise error.at(path) from error


def _ranges(doc: Document, features: int, max_active: int, *, own: bool) -> None:
    if not 1 <= features <= MOST_FEATURES:
        raise doc.error(("domain", "features"), f"1 to {MOST_FEATURES:,} features", features)
    if own and not 0 <= max_active <= _most_active(features):
        raise doc.error(("domain", "max_active"), _active(features), max_active)
    if type(max_active) is not int or not 0 <= max_active <= _most_active(features):
        raise InputError(place="-k", expected=_active(features), got=max_active)


def _formulas(doc: Document, domain: KSparse) -> tuple[Formula, ...]:
    outputs = doc.layout.outputs
    forms = [key for key in ("gate", "formulas", "table") if getattr(outputs, key) is not None]
    if len(forms) != 1:
        expected = "one of three forms: gate and over, formulas, or table"
        raise doc.error(("outputs", *forms[1:2]), expected, " and ".join(forms) or "none of them")
    if outputs.over is not None and forms != ["gate"]:
        raise doc.error(("outputs", "over"), f"no over beside {forms[0]}", "over")
    if outputs.table is not None:
        table = doc.path.parent / outputs.table
        return tuple(read_table(table, domain, doc.path.parent))
    if outputs.formulas is not None:
        if not 1 <= len(outputs.formulas) <= MOST_OUTPUTS:
            raise doc.error(("outputs", "formulas"), _COUNT, f"{len(outputs.formulas):,}")
        known: dict[str, Formula] = {}
        for i, source in enumerate(outputs.formulas):
            if source not in known:
                known[source] = _formula(doc, domain, i, source)
        return tuple(known[source] for source in outputs.formulas)
    return tuple(_gates(doc, domain))


def _formula(doc: Document, domain: KSparse, i: int, source: str) -> Formula:
    place = ("outputs", "formulas", i)
    try:
        formula = parse(source)
    except InputError as error:
        raise error.at(doc.path, doc.line(place), f"outputs.formulas[{i}]") from error
    outside = [j for j in support(formula) if j >= domain.features]
    if outside:
        raise doc.error(place, f"features x0 to x{domain.features - 1}", f"x{outside[-1]}")
    return formula


def _gates(doc: Document, domain: KSparse) -> Sequence[Formula]:
    name, over = doc.layout.outputs.gate, doc.layout.outputs.over
    if name is None or name not in GATES:
        raise doc.error(("outputs", "gate"), f"one of {', '.join(GATES)}", name, near=(str(name), GATES))
    if over is None:
        raise doc.error(("outputs",), 'the key over: "all-pairs" or a list of tuples', "none")
    if isinstance(over, str):
        if over != "all-pairs" or name == "copy":
            expected = (
                "a list of single features such as [[3], [1]]" if name == "copy" else '"all-pairs" or a list of tuples'
            )
            raise doc.error(("outputs", "over"), expected, over)
        if not 1 <= comb(domain.features, 2) <= MOST_OUTPUTS:
            got = f"{comb(domain.features, 2):,} pairs of {domain.features:,} features"
            raise doc.error(("outputs", "over"), _COUNT, got)
        tuples: Sequence[Sequence[int]] = list(combinations(range(domain.features), 2))
    else:
        tuples = over
    if not 1 <= len(tuples) <= MOST_OUTPUTS:
        raise doc.error(("outputs", "over"), _COUNT, f"{len(tuples):,}")
    for i, features in enumerate(tuples):
        wrong = next((j for j in features if not 0 <= j < domain.features), None)
        if wrong is not None:
            raise doc.error(("outputs", "over", i), f"features from 0 to {domain.features - 1}", wrong)
        if len(set(features)) < len(features):
            raise doc.error(("outputs", "over", i), "each feature once a tuple", features)
        if not features or (name == "copy" and len(features) != 1):
            expected = "exactly one feature, which the output copies" if name == "copy" else "at least one feature"
            raise doc.error(("outputs", "over", i), expected, features)
    shared = cache(lambda features: GATES[name](tuple(map(feature, features))))
    return [shared(tuple(features)) for features in tuples]


def _readout(doc: Document) -> Readout:
    readout = doc.layout.readout
    rules, given = READOUTS[readout.mode], readout.model_fields_set - {"mode"}
    for key in sorted(given - rules.takes):
        expected = f'no {key} in mode "{readout.mode}"'
        raise doc.error(("readout", key), expected, getattr(readout, key))
    for needed in sorted(rules.needs - given):
        raise doc.error(("readout",), f'the key {needed}, which mode "{readout.mode}" needs', "none")
    for key in ("margin", "within"):
        value = getattr(readout, key)
        if value is not None and value < 0:
            raise doc.error(("readout", key), "a number of at least 0", value)
    return Readout(readout.mode, readout.at, readout.margin or Fraction(0), readout.within)


def _limits(doc: Document, domain: KSparse, outputs: int) -> dict[str, int | Fraction | str]:
    limits: dict[str, int | Fraction | str] = dict(doc.layout.audit)
    for name, limit in limits.items():
        try:
            evaluate_limit(limit, {"m": domain.features, "k": domain.max_active, "outputs": outputs})
        except InputError as error:
            raise error.at(doc.path, doc.line(("audit", name)), f"audit.{name}") from error
    return limits


def _source(layout: Schema, here: Path) -> Source:
    network = layout.network
    names = tuple(LayerNames(part.weight, part.bias, part.transpose, part.relu) for part in network.layers or ())
    files = (here / name if name is not None else None for name in (network.file, network.encoder, network.decoder))
    file, encoder, decoder = files
    return Source(file, names, encoder, decoder, network.activation, network.final)
