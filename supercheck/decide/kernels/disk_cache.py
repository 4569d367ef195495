"""Machine code that is kept from run to run: where it may lie, and how to do without it.

numba keeps it as pickles, which run code when they are read. So they are never looked for where a file in the folder
that supercheck is run in says, but beside the source, in the user's own cache folder, or where NUMBA_CACHE_DIR says.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

import numba

from supercheck.base.errors import clip

for _setting in ("CACHE_DIR", "CACHE_LOCATOR_CLASSES"):  # not what `.numba_config.yaml` says: numba reads anybody's
    setattr(numba.config, _setting, os.environ.get(f"NUMBA_{_setting}", ""))

_told = False


def sparing(function: Any) -> Any:
    """A compiled function that goes on without the code that is kept of it where that cannot be read, or written."""
    if hasattr(function, "_cache"):  # not so where numba is told to compile nothing
        function._cache = _Sparing(function._cache)
    return function


class _Sparing:
    """numba's cache of one function, of which nothing that goes wrong is a fault."""

    def __init__(self, cache: Any) -> None:
        self._cache, self._broken = cache, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)

    def load_overload(self, *arguments: Any) -> Any:
        """The code that was kept; None where there is none that can be read."""
        try:
            return None if self._broken else self._cache.load_overload(*arguments)
        except Exception as error:  # noqa: BLE001 - whatever a pickle does that is cut short, or somebody else's
            return self._without("read", error)

    def save_overload(self, *arguments: Any) -> None:
        """Keep code, where that is possible."""
        try:
            if not self._broken:
                self._cache.save_overload(*arguments)
        except Exception as error:  # noqa: BLE001 - a full disk, a folder that is read-only, an index that is damaged
            self._without("written", error)

    def _without(self, what: str, error: Exception) -> None:
        """Go on without, and say so once."""
        global _told
        self._broken = True
        if not _told:
            _told = True
            why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            told = f"The compiled code kept in {clip(self._cache.cache_path)} cannot be {what} ({why})"
            with suppress(OSError, AttributeError):  # nobody listens
                sys.stderr.write(f"supercheck: {told}; it is compiled anew, delete the folder to stop this message.\n")
