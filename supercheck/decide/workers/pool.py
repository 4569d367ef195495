"""A team: who decides batches of one question, behind the standard library's executor interface.

The portfolio asks a team in place of an engine. It cuts the outputs into batches, hands them to the executor, whose
processes know the question already, and passes on what they say, provided that it is about exactly the outputs that
were asked about. Witnesses are not looked at here: whoever asked replays them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

from supercheck.base.errors import FaultError, InputError
from supercheck.base.version import __version__
from supercheck.claims.claims import Claims, claims_digest
from supercheck.claims.evidence import Decision, Unknown
from supercheck.decide.engines import Engine
from supercheck.decide.limits import Clock, Limits
from supercheck.decide.workers.batches import Answer, Batch, cut, solve
from supercheck.decide.workers.checkpoint import BatchStore
from supercheck.decide.workers.executors import DEFAULT, InProcess, Place
from supercheck.decide.workers.processes import WorkerDiedError


@dataclass(frozen=True, eq=False)
class WorkerPool:
    """Who decides batches of one question.

    Attributes:
        claims: the question, as the executor's processes know it.
        executor: what runs batches.
        run: what it runs; in a process that knows the question, `solve`.
        kept: where finished batches are kept; None: nowhere.
    """

    claims: Claims
    executor: Executor
    run: Callable[[Batch], Answer] = solve
    kept: BatchStore | None = None

    @cached_property
    def question(self) -> str:
        """What is asked, by its digests."""
        return f"network {self.claims.network.digest}\nclaims {claims_digest(self.claims)}"

    def knows(self, claims: Claims) -> bool:
        """Whether a question is this team's but for its sparsity and the errors of float32."""
        own = self.claims
        same = own.network is claims.network and own.formulas is claims.formulas and own.readout == claims.readout
        return same and own.domain.at_most(claims.domain.max_active) == claims.domain

    def spread(
        self, engine: Engine, claims: Claims, outputs: Sequence[int], limits: Limits, clock: Clock
    ) -> Iterator[list[Decision]]:
        """Have outputs decided in batches.

        Args:
            engine: what decides outputs; importable.
            claims: a question that the team knows.
            outputs: which outputs.
            limits: for the work.
            clock: the deadline; what it leaves is unknown.

        Yields:
            One decision an output, a batch at a time, as they arrive; unknown, and `lost`, where whoever was asked is
            gone.

        Raises:
            FaultError: if an answer is not about the outputs that were asked about.
            InputError: if another version of supercheck answers.
        """
        parts, what = list(cut(engine, claims, outputs, limits)), f"batches ({engine.name})"
        left, running = set(parts), dict[Future[Answer], Batch]()
        try:
            for part in parts:
                if clock.over:  # it has been used up by batches that were answered at once
                    break
                batch = self._batch(engine, claims, part, limits, clock)
                known = None if self.kept is None or not engine.ours else self.kept.find(self.question, batch)
                if known is not None:
                    decisions = _checked(batch, known)
                elif (future := self._submitted(batch)).done():
                    decisions = self._received(batch, future)
                else:
                    running[future] = batch
                    continue
                left.remove(part)
                yield decisions
                clock.progress(len(parts) - len(left), len(parts), what)
            while running:
                clock.progress(len(parts) - len(left), len(parts), what)
                seconds = clock.left if clock.timeout is not None else None
                finished, _ = wait(running, timeout=seconds, return_when=FIRST_COMPLETED)
                if not finished:
                    break
                for future in finished:
                    batch = running.pop(future)
                    left.remove(batch.outputs)
                    yield self._received(batch, future)
        finally:
            for future in running:
                future.cancel()
        if left:
            yield [Unknown(i, clock.reason) for part in parts if part in left for i in part]

    def _batch(self, engine: Engine, claims: Claims, outputs: tuple[int, ...], limits: Limits, clock: Clock) -> Batch:
        errors = None if claims.errors is None else tuple(claims.errors[i] for i in outputs)
        own = replace(limits, team=None, workers=1)
        seconds = None if clock.timeout is None else clock.left
        digest = self.claims.network.digest[:8]
        return Batch(digest, engine, outputs, claims.domain.max_active, errors, own, seconds)

    def _submitted(self, batch: Batch) -> Future[Answer]:
        try:
            return self.executor.submit(self.run, batch)
        except WorkerDiedError as error:
            lost: Future[Answer] = Future()
            lost.set_exception(error)
            return lost

    def _received(self, batch: Batch, future: Future[Answer]) -> list[Decision]:
        try:
            answer = future.result()
        except WorkerDiedError as error:
            return [Unknown(i, str(error), lost=True) for i in batch.outputs]
        decisions = _checked(batch, answer)
        if self.kept is not None and answer.complete and batch.engine.ours:
            self.kept.keep(self.question, batch, answer)
        return decisions


def _checked(batch: Batch, answer: Answer) -> list[Decision]:
    """The decisions of an answer that may be believed to be one to this batch."""
    if answer.version != __version__:
        expected = f"supercheck {__version__} on every worker, as here"
        raise InputError(place="--executor", expected=expected, got=answer.version, do="install the same everywhere")
    if sorted(decision.output for decision in answer.decisions) != list(batch.outputs):
        raise FaultError(f"{batch.name} was answered with decisions on other outputs")
    return answer.decisions


@contextmanager
def gathered(place: Place, claims: Claims, limits: Limits, kept: Path | None = None) -> Iterator[WorkerPool | None]:
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
    from supercheck.decide.workers.checkpoint import BatchStore
    from supercheck.decide.workers.processes import Processes

    store = None if kept is None else BatchStore(kept)
    if place.kind == "in-process":
        yield WorkerPool(claims, InProcess(), partial(solved, claims), store)
    elif place.kind == DEFAULT:
        executor = Processes(place.workers or 1, pose, (posed(claims),), limits.memory)
        try:
            yield WorkerPool(claims, executor, kept=store)
        finally:
            executor.shutdown(cancel_futures=True)
    else:
        try:
            from supercheck.decide.workers.dask import dask
        except ImportError as error:
            do = "run `pip install 'supercheck[dask]'`"
            raise InputError(place="--executor", expected="Dask", got=f"none ({error})", do=do) from error
        with dask(place.address, place.workers, claims, limits) as cluster:
            yield WorkerPool(claims, cluster, kept=store)
