"""From a TOML file to a `Spec`: the domain, the feature functions, how outputs are read, limits.

A spec is data: reading one loads no network. Paths in it are relative to its folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from itertools import combinations
from math import comb
from pathlib import Path
from typing import Literal, get_args

from supercheck.boolean import GATES, AtLeast, Formula, Not, Var, Xor, feature, listed, support
from supercheck.domain import KSparse
from supercheck.errors import InputError, clip, spelled
from supercheck.expressions import check_limits, evaluate_limit
from supercheck.formats.tensors import LayerNames, check_activation
from supercheck.given import fraction, one_of, path_of
from supercheck.numerals import plural
from supercheck.syntax import parse, writable
from supercheck.toml import AuditTable, Document, Layout, document
from supercheck.truth import read_table

MOST_FEATURES = 10**7
MOST_OUTPUTS = 10**6  # each a formula in memory
MOST_BITS = 14_000  # of the number of inputs; Python writes no number of more than 4,300 digits
_COUNT = f"1 to {MOST_OUTPUTS:,} outputs"

Mode = Literal["threshold", "epsilon", "equality", "separable"]
Arithmetic = Literal["real", "float32"]
Expected = Literal["proved", "refuted"]


@dataclass(frozen=True)
class Readout:
    """How an output is read as a Boolean.

    Attributes:
        mode: threshold (on: y > at + margin, off: y <= at - margin), epsilon (|y - f| <= within),
            equality (y = f), or separable (for each output some threshold parts the classes).
        at: the threshold.
        margin: by how much both sides must keep away from it; at least 0.
        within: the tolerated error; at least 0.
    """

    mode: Mode
    at: Fraction | None = None
    margin: Fraction = Fraction(0)
    within: Fraction | None = None

    def __post_init__(self) -> None:
        """Refuse a readout that says nothing or contradicts itself; numbers become fractions, floats are refused."""
        one_of("readout.mode", self.mode, get_args(Mode))
        for key in ("at", "margin", "within"):
            value = getattr(self, key)
            if value is not None:
                object.__setattr__(self, key, fraction(f"readout.{key}", value))
        if (self.at is not None) != (self.mode == "threshold"):
            raise InputError(place="readout.at", expected="at in mode threshold, and only there", got=self.at)
        if (self.within is not None) != (self.mode == "epsilon"):
            raise InputError(place="readout.within", expected="within in mode epsilon, and only there", got=self.within)
        if self.margin < 0 or (self.margin and self.mode != "threshold"):
            raise InputError(place="readout.margin", expected="at least 0, and 0 outside threshold", got=self.margin)
        if self.within is not None and self.within < 0:
            raise InputError(place="readout.within", expected="a number of at least 0", got=self.within)


@dataclass(frozen=True)
class Source:
    """Where a spec finds its network.

    Attributes:
        file: the network file, or None where the command line names it.
        layers: the tensors that make up the layers, where the file does not say so itself.
        encoder: a file with a fixed linear code before the network.
        decoder: a file with a fixed linear code after it.
        activation: "relu" or "none", what follows each layer but the last; None where the file says it, or nobody.
        final: the same of the last layer.
    """

    file: Path | None = None
    layers: tuple[LayerNames, ...] = ()
    encoder: Path | None = None
    decoder: Path | None = None
    activation: str | None = None
    final: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no file, layers that are none, and activations that there are none of."""
        for key in ("file", "encoder", "decoder"):
            object.__setattr__(self, key, path_of(f"network.{key}", getattr(self, key)))
        layers: object = self.layers
        if not isinstance(layers, list | tuple) or not all(isinstance(layer, LayerNames) for layer in layers):
            raise InputError(place="network.layers", expected="a sequence of LayerNames", got=spelled(layers, repr))
        object.__setattr__(self, "layers", tuple(layers))
        check_activation("activation", self.activation)
        check_activation("final", self.final)


@dataclass(frozen=True, repr=False)
class Spec:
    """What a network is to compute, and where.

    Attributes:
        domain: the inputs.
        formulas: one Boolean function an output.
        readout: how outputs are read.
        source: where the network is.
        arithmetic: "real", or "float32" for every float32 evaluation.
        audit: limits by name, each a number or a formula.
        expect: the verdict that a gate wants to see.
        file: where the spec was read from, if it was.
        digest: the sha256 of that file's bytes.
        table: the truth table that the formulas come from, if they do.
    """

    domain: KSparse
    formulas: tuple[Formula, ...]
    readout: Readout
    source: Source = Source()
    arithmetic: Arithmetic = "real"
    audit: Mapping[str, int | Fraction | str] = field(default_factory=dict)
    expect: Expected = "proved"
    file: Path | None = None
    digest: str | None = None
    table: Path | None = None

    def __post_init__(self) -> None:
        """Refuse a question that asks nothing, or of features that do not exist."""
        for key, kind in (("domain", KSparse), ("readout", Readout), ("source", Source), ("audit", Mapping)):
            if not isinstance(getattr(self, key), kind):
                raise InputError(place=key, expected=f"a {kind.__name__}", got=spelled(getattr(self, key), repr))
        one_of("arithmetic.of", self.arithmetic, get_args(Arithmetic))
        one_of("expect.verdict", self.expect, get_args(Expected))
        for key in ("file", "table"):
            object.__setattr__(self, key, path_of(key, getattr(self, key)))
        parts = listed(self.formulas, "outputs")
        object.__setattr__(self, "formulas", parts)
        for i, formula in enumerate(parts):
            if not isinstance(formula, Var | Not | AtLeast | Xor):
                do = 'supercheck.parse("x0 & x1") makes one of text'
                raise InputError(place=f"outputs[{i}]", expected="a formula", got=spelled(formula, repr), do=do)
        features, limit = self.domain.features, self.domain.max_active
        if not 1 <= features <= MOST_FEATURES:
            raise InputError(place="domain.features", expected=f"1 to {MOST_FEATURES:,} features", got=features)
        if not 0 <= limit <= _most_active(features):
            raise InputError(place="domain.max_active", expected=_active(features), got=limit)
        if not self.formulas:
            raise InputError(place="outputs", expected="at least one output", got="none")
        if len(self.formulas) > MOST_OUTPUTS:
            raise InputError(place="outputs", expected=_COUNT, got=f"{len(self.formulas):,}")
        known: dict[int, tuple[int, int, int]] = {}
        for i, formula in enumerate(self.formulas):
            try:
                highest = writable(formula, known)
            except InputError as error:
                raise error.at(None, place=f"outputs[{i}]") from error
            if highest >= features:
                raise InputError(place=f"outputs[{i}]", expected=f"features x0 to x{features - 1}", got=f"x{highest}")
        values = {"m": features, "k": limit, "outputs": len(self.formulas)}
        for name in self.audit:
            one_of("audit", name, list(AuditTable.model_fields))
        check_limits(self.audit, values)

    @property
    def of_a_network(self) -> Spec:
        """The same spec for a network that is loaded, and so says itself what follows its layers."""
        return replace(self, source=replace(self.source, activation=None, final=None))

    def __repr__(self) -> str:
        """What is asked, in a line; a spec may have a million functions."""
        file = "" if self.file is None else f" of {clip(self.file)}"
        return f"<Spec{file}: {plural(len(self.formulas), 'output')}, mode {self.readout.mode}, {self.domain}>"

    def at_most(self, max_active: int) -> Spec:
        """The same spec with another sparsity; a truth table must cover it."""
        domain, formulas = KSparse(self.domain.features, max_active), self.formulas
        if self.table is not None:
            formulas = tuple(read_table(self.table, domain, None if self.file is None else self.file.parent))
        return replace(self, domain=domain, formulas=formulas)


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


def _most_active(features: int) -> int:
    """How many features may be on, so that the number of inputs can still be written."""
    return features if features <= MOST_BITS else MOST_BITS // features.bit_length()


def _active(features: int) -> str:
    most = _most_active(features)
    return f"0 to {most}, " + ("the number of features" if most == features else "where there are so many features")


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
    needed = {"threshold": "at", "epsilon": "within"}.get(readout.mode)
    allowed = {"threshold": {"at", "margin"}, "epsilon": {"within"}}.get(readout.mode, set())
    given = readout.model_fields_set - {"mode"}
    for key in sorted(given - allowed):
        expected = f'no {key} in mode "{readout.mode}"'
        raise doc.error(("readout", key), expected, getattr(readout, key))
    if needed is not None and needed not in given:
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


def _source(layout: Layout, here: Path) -> Source:
    network = layout.network
    names = tuple(LayerNames(part.weight, part.bias, part.transpose, part.relu) for part in network.layers or ())
    files = (here / name if name is not None else None for name in (network.file, network.encoder, network.decoder))
    file, encoder, decoder = files
    return Source(file, names, encoder, decoder, network.activation, network.final)
