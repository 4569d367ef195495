"""A result as one JSON object, keys in the order of report/README.md, rationals in strings."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from supercheck.base.numbers import exact_text
from supercheck.claims.claims import Claims
from supercheck.claims.evidence import Counterexample, Point, Verdict, WrongInputs
from supercheck.claims.result import Another, Certificate, OutputResult, Provenance, Result
from supercheck.network.input import Input
from supercheck.report.envelope import enveloped, indented
from supercheck.spec.syntax import text as formula_text

if TYPE_CHECKING:  # a verdict is told without it
    from supercheck.checker import Outcome


def json_text(result: Result) -> str:
    """The object as text, two spaces an indent."""
    return indented(as_object(result))


def outcome_object(outcome: Outcome, seconds: float) -> dict[str, Any]:
    """What came of a certificate: `status` accepted, refutation, rejected or unchecked, and `reason`."""
    return enveloped({**outcome._asdict(), "assumptions": [*outcome.assumptions]}, seconds)


def as_object(result: Result) -> dict[str, Any]:
    """The object of report/README.md, "What all have in common"."""
    claims = result.claims
    held = {
        **question(claims, result.source),
        "verdict": result.verdict.value,
        "reason": result.reason,
        "arithmetic": arithmetic(result),
        "outputs": [_output(result, output) for output in result.outputs],
        "largest_k": None if result.sparsity is None else result.sparsity.largest,
        "wrong_inputs": _wrong(result.wrong_inputs),
        "counterexample": counterexample_object(result.smallest),
        **_otherwise(result.another),
        "certificate": certificate_object(result.certificate),
        "assumptions": [*claims.assumptions, *result.notes],
    }
    return enveloped(held, result.seconds)


def question(claims: Claims, source: Provenance) -> dict[str, Any]:
    """What was asked: the keys network, spec and domain, which several verbs share."""
    own = claims.own
    return {
        "network": {
            "file": source.network,
            "sha256": claims.network.digest,
            "file_sha256": source.network_digest,
            "layers": len(own.hidden) + 1,
            "features": own.features,
            "neurons": own.neurons,
            "edges": own.edges,
            **(_files(source.network_files) if len(source.network_files) > 1 else {}),
        },
        "spec": {
            "file": source.spec,
            "sha256": source.spec_digest,
            **(_files(source.spec_files) if source.spec_files else {}),
        },
        "domain": {
            "features": claims.domain.features,
            "max_active": claims.domain.max_active,
            "inputs": claims.domain.size,
            **({} if claims.domain.binary else {"values": str(claims.domain)}),
        },
    }


def _files(listed: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The key `files`, which is there where a network or a spec consists of several."""
    return {"files": [{"file": file, "sha256": digest} for file, digest in listed]}


def arithmetic(result: Result) -> dict[str, Any]:
    """In which arithmetic the verdict is meant, and what it is in real arithmetic."""
    return {
        "of": result.arithmetic,
        "real_verdict": result.real_verdict.value,
        "rounding": None if result.rounding is None else _rational(result.rounding.most),
        "order": None if result.rounding is None else result.rounding.order,
    }


def _output(result: Result, output: OutputResult) -> dict[str, Any]:
    margin, interval, extremes = result.margin(output), result.interval(output), output.extremes
    worst = None if extremes is None else {"on": point_object(extremes.on), "off": point_object(extremes.off)}
    return {
        "index": output.index,
        "formula": formula_text(result.claims.formulas[output.index]),
        "verdict": output.verdict.value,
        "engine": output.engine,
        "vacuous": None if output.verdict is Verdict.UNKNOWN else result.claims.vacuous(output.index),
        "margin": _rational(margin),
        "interval": None if interval is None else [exact_text(end) for end in interval],
        "worst": worst,
        "largest_k": None if output.sparsity is None else output.sparsity.largest,
        "wrong": _wrong(output.wrong),
        "reason": output.reason if output.verdict is Verdict.UNKNOWN else None,
    }


def _wrong(found: WrongInputs | None) -> dict[str, int | None] | None:
    """How many inputs are wrong, or null."""
    return None if found is None else {"at_least": found.at_least, "at_most": found.at_most}


def _otherwise(found: Another | None) -> dict[str, Any]:
    """How else a refuted question's outputs could be read so that they are right, or nulls."""
    threshold = None
    if found is not None and found.separable is not None:
        ends = {"at": found.at, "low": found.low, "high": found.high}
        common = None if found.at is None else {name: _rational(value) for name, value in ends.items()}
        threshold = {"common": common, "separable": found.separable, "of": found.of}
    return {"another_threshold": threshold, "least_within": None if found is None else _rational(found.within)}


def counterexample_object(counterexample: Counterexample | None) -> dict[str, Any] | None:
    """A counterexample, or null."""
    if counterexample is None:
        return None
    return {
        "active": list(counterexample.active),
        **({} if counterexample.input.binary else {"input": _values(counterexample.input)}),
        "output": counterexample.output,
        "value": exact_text(counterexample.value),
        "expected": counterexample.expected,
        "minimal": counterexample.minimal,
        "against": None if counterexample.against is None else point_object(counterexample.against),
    }


def _values(x: Input) -> dict[str, str]:
    """Every feature that is not 0."""
    return {f"x{j}": exact_text(value) for j, value in x.values}


def certificate_object(certificate: Certificate | None) -> dict[str, str] | None:
    """Where the certificate is, or null."""
    return None if certificate is None else {"file": certificate.file.as_posix(), "sha256": certificate.sha256}


def point_object(point: Point | None) -> dict[str, Any] | None:
    """An input and the output's value there, or null."""
    return None if point is None else {"value": exact_text(point.value), "active": list(point.active)}


def _rational(value: Fraction | None) -> str | None:
    return None if value is None else exact_text(value)
