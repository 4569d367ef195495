"""A result in the formats that pipelines read: those of a gate with this one spec."""

from __future__ import annotations

from supercheck.claims.result import Result
from supercheck.report.gate import github as of_github, junit as of_junit, sarif as of_sarif
from supercheck.report.wording import single


def junit(result: Result) -> str:
    """JUnit XML."""
    return of_junit.junit(single(result))


def sarif(result: Result) -> str:
    """SARIF."""
    return of_sarif.sarif(single(result))


def github(result: Result) -> str:
    """GitHub's workflow commands."""
    return of_github.github(single(result))
