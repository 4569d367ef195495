"""Where batches are decided: in this process, in processes of this machine, or on Dask; each an `Executor`.

Without a team, which is the default, there are no batches: the engines use this machine's threads, and child processes
where a limit has to be hard.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from supercheck.base.errors import InputError
from supercheck.claims.claims import Claims
from supercheck.decide.limits import Limits

if TYPE_CHECKING:
    from supercheck.decide.workers.pool import Team

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


@contextmanager
def gathered(place: Place, claims: Claims, limits: Limits, kept: Path | None = None) -> Iterator[Team | None]:
    """Have a team that knows a question, for as long as it is needed; None for the default.

    Args:
        place: where.
        claims: the question.
        limits: the memory of each process.
        kept: the file in which finished batches are kept.

    Raises:
        InputError: if there is no Dask, or nobody answers at its address.
    """
    if place.default:
        yield None
        return
    from supercheck.decide.workers.batches import pose, posed, solved
    from supercheck.decide.workers.checkpoint import Kept
    from supercheck.decide.workers.pool import Team
    from supercheck.decide.workers.processes import Processes

    store = None if kept is None else Kept(kept)
    if place.kind == "in-process":
        yield Team(claims, InProcess(), partial(solved, claims), store)
    elif place.kind == DEFAULT:
        executor = Processes(place.workers or 1, pose, (posed(claims),), limits.memory)
        try:
            yield Team(claims, executor, kept=store)
        finally:
            executor.shutdown(cancel_futures=True)
    else:
        try:
            from supercheck.decide.workers.dask import dask
        except ImportError as error:
            do = "run `pip install 'supercheck[dask]'`"
            raise InputError(place="--executor", expected="Dask", got=f"none ({error})", do=do) from error
        with dask(place.address, place.workers, claims, limits) as cluster:
            yield Team(claims, cluster, kept=store)
