"""On which line of a TOML text a key stands; for messages alone."""

from __future__ import annotations

import re
from collections import Counter

Place = tuple[str | int, ...]
"""Keys and positions, from the outermost inwards."""

_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.\-\"' ]+?)\s*\]\]?")
_KEY = re.compile(r"\s*([\w\-\"'][\w.\-\"' ]*?)\s*=")


def line_of(text: str, place: Place) -> int | None:
    """The line of a key, for messages only: the first line that opens as much of `place` as any.

    A position in a list of one entry a line is found by counting lines that hold an entry.
    """
    best, most, table = None, 0, Place()
    counts: Counter[Place] = Counter()
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        header, key = _HEADER.fullmatch(line.split("#")[0].rstrip()), _KEY.match(line)
        if header:
            table = _names(header[2])
            if header[1] == "[[":
                counts[table] += 1
                table = (*table, counts[table] - 1)
        elif not key:
            continue
        opened = table if header else (*table, *_names(key[1] if key else ""))
        shared = next((i for i, (a, b) in enumerate(zip(opened, place, strict=False)) if a != b), len(place))
        if shared > most and shared >= min(len(opened), len(place)):
            best, most = number, min(shared, len(opened))
    position = place[most] if best is not None and most < len(place) else None
    return _entry(lines, best, position) if best is not None and isinstance(position, int) else best


def _names(dotted: str) -> Place:
    return tuple(part.strip(" \"'") for part in dotted.split("."))


def _entry(lines: list[str], start: int, position: int) -> int:
    """The line of entry `position` of the list that opens at line `start`, where entries have lines of their own."""
    if "]" in lines[start - 1].split("#")[0]:
        return start
    for offset, line in enumerate(lines[start:], start + 1):
        if re.match(r"\s*[\[\"'{]", line):
            if position == 0:
                return offset
            position -= 1
    return start
