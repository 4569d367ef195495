"""The rows of the tables of formats: each names a function, which is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def named(row: str) -> Callable[[Any], str]:
    """The function of a row "module:function", which makes the text of a result."""
    module, _, function = row.partition(":")
    found: Callable[[Any], str] = getattr(import_module(module), function)
    return found
