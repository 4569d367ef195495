"""Where batches are decided: in this process, in processes of this machine, or on Dask; each an `Executor`.

Without a team, which is the default, there are no batches: the engines use this machine's threads, and child processes
where a limit has to be hard.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supercheck.base.errors import InputError

if TYPE_CHECKING:
    pass

DEFAULT = "processes"

WORDS = f"{DEFAULT}, {DEFAULT}:N, in-process, dask-local:N or dask://HOST:PORT"

MOST = max(64, 4 * (os.cpu_count() or 1))
"""Processes that may be started here: each takes 100 MB, and more of them than cores gain nothing."""


class InProcess(Executor):
    """Calls each function at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call a function now; its future is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whoever asks for the result gets it
            future.set_exception(error)
        return future


@dataclass(frozen=True)
class Place:
    """Where batches are decided.

    Attributes:
        kind: "processes", "in-process", "dask-local" or "dask".
        workers: how many, where that is said.
        address: of a scheduler.
    """

    kind: str
    workers: int | None = None
    address: str | None = None

    @classmethod
    def named(cls, word: str) -> Place:
        """The place that an option's word means.

        Raises:
            InputError: if it means none, or more processes than may be started here.
        """
        kind, colon, rest = word.partition(":")
        if re.fullmatch(r"(dask|tcp|tls)://[^/\s]+:\d{1,5}", word):
            return cls("dask", address=f"{kind.replace('dask', 'tcp')}:{rest}")
        if word in (DEFAULT, "in-process"):
            return cls(word)
        if colon and kind in (DEFAULT, "dask-local") and re.fullmatch("[1-9][0-9]{0,6}", rest):
            if int(rest) > MOST:
                do = "use Dask workers on other machines, `dask://HOST:PORT`"
                raise InputError(place="--executor", expected=f"at most {MOST} processes here", got=rest, do=do)
            return cls(kind, int(rest))
        raise InputError(place="--executor", expected=WORDS, got=word)

    @property
    def default(self) -> bool:
        """Whether there is no team: the engines run as ever."""
        return self.kind == DEFAULT and self.workers is None
