"""Truth tables as CSV: `x0,x3,...,y0,y1,...`, one row an assignment of the named features."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, count
from pathlib import Path
from typing import TextIO

from supercheck.base.errors import InputError
from supercheck.base.reading import content_of
from supercheck.spec.domain import KSparse
from supercheck.spec.formula import FALSE, Formula, Index, Lookup

LARGEST = 16 << 20  # bytes
LONGEST = 1 << 20  # characters of a line
MOST_COLUMNS = 100_000
MOST_LITERALS = 1 << 22  # in all functions together


def read_table(path: Path, domain: KSparse, folder: Path | None = None) -> list[Formula]:
    """The functions that a truth table lists.

    Args:
        path: the CSV file.
        domain: every assignment of the named features that it allows must be listed exactly once.
        folder: the spec's; of a file that does not lie below it no message repeats anything.

    Returns:
        One formula an output: the OR of the rows on which it is 1.
    """
    return read_rows(path, lambda _: domain, folder).formulas()


@dataclass(frozen=True, eq=False)
class Table:
    """A truth table.

    Attributes:
        domain: the inputs that it is for.
        features: those that it names, in its order.
        outputs: how many there are.
        rows: for each assignment's active features the outputs, "0" or "1".
    """

    domain: KSparse
    features: list[int]
    outputs: int
    rows: dict[frozenset[int], list[str]]

    def formulas(self) -> list[Formula]:
        """One formula an output: the OR of the rows on which it is 1."""
        named = tuple(sorted(self.features))
        place = {feature: position for position, feature in enumerate(named)}
        index = Index(tuple([frozenset([place[j] for j in on]) for on in self.rows]))
        columns = (bytes([*map(int, cells), 0]) for cells in zip(*self.rows.values(), strict=True))
        return [Lookup(named, index, column) if 1 in column else FALSE for column in columns]


def read_rows(path: Path, domain_of: Callable[[list[int]], KSparse], folder: Path | None = None) -> Table:
    """The rows of a truth table.

    Args:
        path: the CSV file.
        domain_of: from the named features, in order, the inputs that it is for; every assignment of these features
            that they allow must be listed exactly once.
        folder: as `read_table` takes it.
    """
    lines = _lines(path)
    _, header = next(lines, (1, []))
    known = folder is not None and _lies_below(path, folder)
    features = _columns(path, header, _quoted(header) if known else f"another header of {len(header):,} cells")
    domain = domain_of(features)
    if outside := [j for j in features if j >= domain.features]:
        raise InputError(file=path, line=1, expected=f"features x0 to x{domain.features - 1}", got=f"x{outside[0]}")
    named = len(features)
    rows: dict[frozenset[int], list[str]] = {}
    room = MOST_LITERALS
    for line, cells in lines:
        if len(cells) != len(header):
            raise InputError(file=path, line=line, expected=f"{len(header)} cells", got=len(cells))
        bad = next((i for i, cell in enumerate(cells) if cell not in ("0", "1")), None)
        if bad is not None:
            got = f'"{cells[bad]}"' if known else f"another in column {bad + 1}"
            raise InputError(file=path, line=line, expected="cells that are 0 or 1", got=got)
        on = frozenset(j for j, cell in zip(features, cells, strict=False) if cell == "1")
        if on in rows:
            raise InputError(file=path, line=line, expected="each assignment once", got=f"{_assignment(on)} twice")
        rows[on] = cells[named:]
        room -= named * rows[on].count("1")
        if room < 0:
            expected = f"at most {MOST_LITERALS:,} features over all rows and outputs that are 1"
            raise InputError(file=path, line=line, expected=expected, got="more", do="write it as formulas")
    limit = min(domain.max_active, named)
    needed = KSparse(named, limit).size
    if sum(len(on) <= limit for on in rows) < needed:
        every = (frozenset(on) for active in range(limit + 1) for on in combinations(features, active))
        missing = next(on for on in every if on not in rows)
        expected = f"every assignment with at most {limit} features on ({needed:,} rows)"
        raise InputError(file=path, expected=expected, got=f"no row for {_assignment(missing)}")
    return Table(domain, features, len(header) - named, rows)


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each line's number and cells, read as they are asked for: a bad line ends the reading."""
    try:
        if not path.is_file():
            raise InputError(file=path, expected="a truth table", got="no such file")
        if path.stat().st_size > LARGEST:
            raise InputError(file=path, expected=f"at most {LARGEST:,} bytes", got=f"{path.stat().st_size:,}")
        content = io.TextIOWrapper(io.BytesIO(content_of(path, LARGEST)), newline="", encoding="utf-8-sig")
        reader = csv.reader(_bounded(path, content))
        for cells in reader:
            if cells:
                yield reader.line_num, [cell.strip() for cell in cells]
    except OSError as error:
        raise InputError(file=path, expected="a readable truth table", got=error.strerror or error) from error
    except UnicodeDecodeError as error:
        raise InputError(file=path, expected="CSV in UTF-8", got="bytes that are no text") from error
    except csv.Error as error:
        raise InputError(file=path, expected="CSV", got=error) from error


def _bounded(path: Path, file: TextIO) -> Iterator[str]:
    """The lines of a file, none of them endless."""
    for number in count(1):
        line = file.readline(LONGEST + 1)
        if len(line) > LONGEST:
            raise InputError(
                file=path, line=number, expected=f"lines of at most {LONGEST:,} characters", got="a longer one"
            )
        if not line:
            return
        yield line


def _lies_below(path: Path, folder: Path) -> bool:
    """Whether a file lies below a folder, also by what links lead to."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _quoted(header: list[str]) -> str:
    """A header as a message may show it: as names with commas between them; others may begin somebody's secret."""
    names = [cell for cell in header if re.fullmatch("[A-Za-z_][A-Za-z0-9_]{0,15}", cell)]
    return ",".join(header) if len(names) == len(header) > 1 else f"another header of {len(header):,} cells"


def _columns(path: Path, header: list[str], shown: str) -> list[int]:
    """The named features, in order; the outputs must follow as y0, y1, ..."""
    expected = "a header x0,x3,...,y0,y1,...: features first, then outputs numbered from 0"
    if len(header) > MOST_COLUMNS:
        raise InputError(file=path, line=1, expected=f"at most {MOST_COLUMNS:,} columns", got=f"{len(header):,}")
    features = [int(name[1:]) for name in header if re.fullmatch("x[0-9]{1,9}", name)]
    outputs = [f"y{i}" for i in range(len(header) - len(features))]
    if not outputs or header != [f"x{j}" for j in features] + outputs:
        raise InputError(file=path, line=1, expected=expected, got=shown if header else "nothing")
    if len(set(features)) < len(features):
        raise InputError(file=path, line=1, expected="each feature once", got=shown)
    return features


def _assignment(on: frozenset[int]) -> str:
    return " ".join(f"x{j}" for j in sorted(on)) + " on" if on else "all off"
