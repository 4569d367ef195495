"""What came of building a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from supercheck.base.display import Shown
from supercheck.claims.result import Result
from supercheck.construct.request import Built


@dataclass(frozen=True, eq=False, repr=False)
class Building(Shown):
    """A network that was built, and what came of verifying it.

    Attributes:
        construction: its name.
        built: the network and its claims.
        result: the verdict on them.
        file: the network file, None where none was written.
        spec: the spec file, None where none was written.
        seconds: by phase.
    """

    construction: str
    built: Built
    result: Result
    file: Path | None
    spec: Path | None
    seconds: dict[str, float]
