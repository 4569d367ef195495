"""Network x spec -> claims: per output and class, what the integer w . h must satisfy.

The claim (output, class) says: on every input of the domain at which the output's function has this
class, `lowest <= w . h <= highest`. Nothing is copied or built per claim; cones are found when asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from supercheck.base.errors import InputError
from supercheck.base.interval import Interval
from supercheck.base.matrix import Array
from supercheck.base.numbers import exact_text, plural
from supercheck.base.reading import combined, noted
from supercheck.network.formats.load import load_linear
from supercheck.network.formats.tensors import brief
from supercheck.network.layers import Affine, numbered
from supercheck.network.network import Network
from supercheck.spec.cases import Shapes
from supercheck.spec.domain import Domain, KSparse
from supercheck.spec.formula import Formula, variables
from supercheck.spec.readout import Goal, Readout
from supercheck.spec.satisfying import TRIED, reaches
from supercheck.spec.spec import Spec
from supercheck.spec.syntax import prefix

_ALL = 1 << 20  # assignments that finding the vacuous classes of all functions may take
_LASTING = {"shapes", "_goals"}  # what has been found out of a question that does not depend on its domain


FLOAT32 = (
    "In float32, a neuron is any binary tree of additions over its products and its bias, with or without FMA, rounded "
    "to nearest in 24 binary digits or in 53 and more, and its value is a float32 number; subnormal numbers may be "
    "flushed to zero; the tree may be another for each neuron and input.",
    "A threshold is compared as it is, or rounded to float32, or to float64, or to float64 and then to float32; in "
    "mode epsilon |y - f| is compared exactly.",
    "Not covered: TF32, bfloat16, float16, autocast, emulated products, Strassen or Winograd, compensated sums, "
    "rewritten weights.",
)
"""What a verdict on float32 assumes; decide/float32/README.md, "The model" and "Comparison"."""


@dataclass(frozen=True, eq=False, repr=False)
class Claims:
    """The question put to the engines.

    Attributes:
        own: the network as its file holds it.
        network: the same with the spec's encoder and decoder folded in; this one is decided.
        domain: the inputs.
        formulas: one function an output.
        readout: how outputs are read.
        assumptions: what a reader of the verdict has to know, one sentence each.
        known_to: up to how many active features the functions are known, where that is not everywhere.
        errors: for each output by how much a float32 evaluation may be off, where the question is of all of those.
    """

    own: Network
    network: Network
    domain: Domain
    formulas: Sequence[Formula]
    readout: Readout
    assumptions: tuple[str, ...] = ()
    known_to: int | None = None
    errors: Sequence[Fraction] | None = None

    def __len__(self) -> int:
        """The number of outputs."""
        return len(self.formulas)

    def __repr__(self) -> str:
        """The question, in a line."""
        return (
            f"<Claims: {plural(len(self), 'output')}, mode {self.readout.mode}, {self.domain!r}, of {self.network!r}>"
        )

    def at_most(self, max_active: int) -> Claims:
        """The same question of the inputs with at most `max_active` features on."""
        return self._lasting(replace(self, domain=self.domain.at_most(max_active)))

    def within(self, errors: Sequence[Fraction]) -> Claims:
        """The same question of every float32 evaluation, none of which is off by more than `errors`, one an output."""
        return self._lasting(replace(self, errors=errors))

    def read_as(self, readout: Readout) -> Claims:
        """The same question with outputs that are read in another way."""
        claims = replace(self, readout=readout)
        vars(claims)["shapes"] = self.shapes
        return claims

    def of(self, own: Network, network: Network) -> Claims:
        """The same question of another network with as many features and outputs.

        Args:
            own: as its file would hold it.
            network: the same with the fixed codes folded in.
        """
        return self._lasting(replace(self, own=own, network=network))

    def _lasting(self, claims: Claims) -> Claims:
        for name in _LASTING & vars(self).keys():
            vars(claims)[name] = vars(self)[name]
        return claims

    @property
    def unsaid(self) -> tuple[str, ...]:
        """Those assumptions that every report begins with: what was taken for granted of activations."""
        return tuple(note for note in self.assumptions if brief([note]))

    @property
    def further(self) -> tuple[str, ...]:
        """The other assumptions."""
        return tuple(note for note in self.assumptions if not brief([note]))

    @property
    def most_active(self) -> int:
        """The largest k that may be asked about."""
        return self.domain.features if self.known_to is None else min(self.known_to, self.domain.features)

    @property
    def separable(self) -> bool:
        """Whether each output only has to have some threshold, so that its claims have no goals of their own."""
        return self.readout.compares

    @property
    def cube(self) -> KSparse:
        """The domain, for what only knows features that are 1 or 0.

        Raises:
            InputError: if they have other values.
        """
        if isinstance(self.domain, KSparse):
            return self.domain
        if not self.domain.binary:
            raise InputError(place="domain", expected="features that are 1 or 0 for this", got=str(self.domain))
        return KSparse(self.domain.features, self.domain.max_active)

    @cached_property
    def binary(self) -> Claims | None:
        """The same question of features that are 1 or 0, where this one's are an affine image of such.

        The image is folded into the network as its first layer, so that whatever bounds, sums or rounds its integers
        starts from features of at most 1. None where there is no such image.
        """
        if self.domain.binary:
            return self
        image = self.domain.image()
        if image is None:
            return None
        code, domain = image
        return self._lasting(replace(self, network=self.network.between(code, None), domain=domain))

    @cached_property
    def _goals(self) -> dict[tuple[Fraction, Fraction, int, Fraction | None], Goal]:
        return {}

    @cached_property
    def kinds(self) -> Array:
        """For each output a number that it shares with those of the same goals, int64 [outputs]."""
        own = self.network.output.kinds
        return own if self.errors is None else numbered(zip(own.tolist(), self.errors, strict=True))

    def error(self, output: int) -> Fraction | None:
        """By how much a float32 evaluation of the output may be off; None where the question is of real numbers."""
        return None if self.errors is None else self.errors[output]

    def goal(self, output: int, target: int) -> Goal:
        """What the integer w . h has to satisfy where the output's function says `target`; no bounds in mode separable.

        Source: README.md, "Goals": y = b + s (w . h) with s > 0 and w . h an integer, where features are integers.
        """
        key = (self.network.output.bias[output], self.network.output.scale[output], target, self.error(output))
        if key not in self._goals:
            bias, scale, _, error = key
            right = self.readout.goal(target, error).solved(bias, scale)
            self._goals[key] = Goal(right.least, right.greatest)
        return self._goals[key]

    def right(self, output: int, target: int) -> Interval:
        """The same for any number w . h: as features that are no integers make it."""
        bias, scale = self.network.output.bias[output], self.network.output.scale[output]
        return self.readout.goal(target, self.error(output)).solved(bias, scale)

    def value(self, output: int, total: int | Fraction) -> Fraction:
        """The output y = b + s (w . h) for w . h = `total`."""
        return self.network.output.bias[output] + self.network.output.scale[output] * total

    @cached_property
    def shapes(self) -> Shapes:
        """The functions by their shapes: what holds of one shape holds of all its functions."""
        return Shapes.among(self.formulas)

    @cached_property
    def _reached(self) -> dict[tuple[int, bool], bool | None]:
        return {}

    def reached(self, output: int, on: bool) -> bool | None:
        """Whether some input of the domain has this class; None where that was too much to find out here."""
        key = (self.shapes.of[output], on)
        if key not in self._reached:
            form = self.shapes.forms[key[0]]
            weight = len(self.shapes.forms) + sum(1 for _ in variables(form)) // 64
            self._reached[key] = reaches(form, on, self.domain.max_active, min(TRIED, _ALL // weight))
        return self._reached[key]

    def vacuous(self, output: int) -> str | None:
        """The class that no input of the domain has, "on" or "off", if there is one."""
        return next((name for name, on in (("on", True), ("off", False)) if self.reached(output, on) is False), None)

    def features(self, outputs: Sequence[int], cone: Sequence[Array] | None = None) -> Array:
        """The features that the given outputs (whose cone may be known) or their functions depend on, ascending."""
        named = set[int]().union(*(self.shapes.supports[i] for i in outputs))
        used = np.zeros(self.network.features, dtype=bool)
        used[(cone or self.network.cone(outputs))[0]] = True
        used[np.fromiter(named, dtype=np.int64)] = True
        return np.flatnonzero(used)


def pose(network: Network, spec: Spec) -> Claims:
    """Put the spec's question to a network.

    Raises:
        InputError: if their shapes do not fit, naming both.
    """
    notes, file = list(network.notes), spec.file
    if spec.arithmetic == "float32":
        notes += FLOAT32
    codes: dict[str, Affine] = {}
    for kind, code in (("encoder", spec.source.encoder), ("decoder", spec.source.decoder)):
        if code is not None:
            with noted() as read:
                codes[kind] = load_linear(code)
            known = f"{code.name} (sha256 {combined(read)})"
            notes.append(f"The fixed {kind} {known} is folded in as a linear layer.")
    encoder, decoder = codes.get("encoder"), codes.get("decoder")
    if encoder is not None and encoder.weight.height != network.features:
        expected = f"weight [{network.features}, features], a row for each network input"
        raise InputError(file=spec.source.encoder, place="encoder", expected=expected, got=_shape(encoder))
    if decoder is not None and decoder.weight.width != network.outputs:
        expected = f"weight [outputs, {network.outputs}], a column for each network output"
        raise InputError(file=spec.source.decoder, place="decoder", expected=expected, got=_shape(decoder))
    whole = network.between(encoder, decoder) if codes else network
    if whole.features != spec.domain.features:
        expected = f"a network of {spec.domain.features} features"
        raise InputError(file=file, place="domain.features", expected=expected, got=f"one of {whole.features}")
    if whole.outputs != len(spec.formulas):
        expected = f"a network of {len(spec.formulas)} outputs, as many as functions"
        raise InputError(file=file, place="outputs", expected=expected, got=f"one of {whole.outputs}")
    known_to = None if spec.table is None else spec.domain.max_active  # a table's rows end at its spec's k
    return Claims(network, whole, spec.domain, spec.formulas, spec.readout, tuple(notes), known_to)


def _shape(code: Affine) -> str:
    return f"shape [{code.weight.height}, {code.weight.width}]"


def claims_text(claims: Claims) -> Iterator[str]:
    """A question as the certificate format spells it, a part at a time; ends with a newline."""
    readout, domain = claims.readout, claims.domain
    numbers = (exact_text(readout.given[key]) if key in readout.given else "-" for key in ("at", "margin", "within"))
    yield f"supercheck-claims 1\n{domain.text} {readout.mode} {' '.join(numbers)}\n"
    for formula in claims.formulas:
        yield f"{prefix(formula)}\n"


def claims_digest(claims: Claims) -> str:
    """The sha256 of the question's text."""
    digest = hashlib.sha256()
    for part in claims_text(claims):
        digest.update(part.encode())
    return digest.hexdigest()
