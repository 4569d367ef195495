"""Compiled loops in threads, until the deadline: they hold no lock, and look at one number to know when to stop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from threading import Timer
from typing import TypeVar

import numpy as np

from supercheck.base.matrix import Array
from supercheck.decide.limits import Clock

Item = TypeVar("Item")
Found = TypeVar("Found")
Own = TypeVar("Own")


def in_threads(
    run: Callable[[Item, Own], Found], items: Iterable[Item], own: Callable[[Array], Own], workers: int, clock: Clock
) -> Iterator[Found]:
    """Run something compiled on many items in threads, each with memory of its own.

    Args:
        run: what is run on an item, with a thread's memory.
        items: taken as they are needed.
        own: makes the memory of a thread; what it is given becomes anything but 0 where the work has to end.
        workers: how many threads.
        clock: the deadline.

    Yields:
        What was found of each item, in order; ends early at the deadline.
    """
    stop = np.zeros(1, dtype=np.int8)
    memory: list[Own] = []
    alarm = Timer(clock.left, stop.fill, [1]) if clock.timeout is not None else None

    def in_thread(item: Item) -> tuple[Found, bool]:
        try:
            mine = memory.pop()
        except IndexError:  # no more than there are threads
            mine = own(stop)
        try:
            found = run(item, mine)
            return found, bool(stop[0])
        finally:
            memory.append(mine)

    threads = ThreadPoolExecutor(max_workers=workers)
    try:
        if alarm is not None:
            alarm.start()
        running: deque[Future[tuple[Found, bool]]] = deque()
        waiting = iter(items)
        while True:
            running.extend(threads.submit(in_thread, item) for item in islice(waiting, 2 * workers - len(running)))
            if not running:
                return
            found, stopped = running.popleft().result()
            if stopped:
                return
            yield found
    finally:  # the deadline, Ctrl-C, or a caller that has seen enough: the loops look at `stop` at every node
        stop[0] = 1
        threads.shutdown(cancel_futures=True)
        if alarm is not None:
            alarm.cancel()
