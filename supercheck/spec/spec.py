"""A spec as a value: the domain, the functions, how outputs are read, where the network is, limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal, get_args

from supercheck.base.errors import InputError, clip, spelled
from supercheck.base.numbers import plural
from supercheck.base.validate import one_of, path_of
from supercheck.network.formats.tensors import LayerNames, check_activation
from supercheck.spec.domain import KSparse
from supercheck.spec.expressions import check_limits
from supercheck.spec.formula import AtLeast, Formula, Not, Var, Xor, listed
from supercheck.spec.readout import Readout
from supercheck.spec.schema import AuditTable
from supercheck.spec.syntax import writable
from supercheck.spec.table import read_table

MOST_FEATURES = 10**7


MOST_OUTPUTS = 10**6  # each a formula in memory


MOST_BITS = 14_000  # of the number of inputs; Python writes no number of more than 4,300 digits


_COUNT = f"1 to {MOST_OUTPUTS:,} outputs"


Arithmetic = Literal["real", "float32"]


Expected = Literal["proved", "refuted"]


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
        return f"<Spec{file}: {plural(len(self.formulas), 'output')}, mode {self.readout.mode}, {self.domain!r}>"

    def at_most(self, max_active: int) -> Spec:
        """The same spec with another sparsity; a truth table must cover it."""
        domain, formulas = KSparse(self.domain.features, max_active), self.formulas
        if self.table is not None:
            formulas = tuple(read_table(self.table, domain, None if self.file is None else self.file.parent))
        return replace(self, domain=domain, formulas=formulas)


def _most_active(features: int) -> int:
    """How many features may be on, so that the number of inputs can still be written."""
    return features if features <= MOST_BITS else MOST_BITS // features.bit_length()


def _active(features: int) -> str:
    most = _most_active(features)
    return f"0 to {most}, " + ("the number of features" if most == features else "where there are so many features")
