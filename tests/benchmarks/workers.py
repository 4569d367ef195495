"""What Dask workers cost and bring: seconds and bytes with one worker and with two, on this machine alone.

    python tests/benchmarks/workers.py enumerate|branch|large [WORKERS...]

On a busy machine compare CPU seconds: the efficiency of two workers is at most that of their busier one.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from distributed import Client, LocalCluster
from families import Instance, channels
from mixed import mixed
from training import trained

from supercheck.decide.limits import Limits
from supercheck.decide.portfolio import decide
from supercheck.decide.workers.batches import posed
from supercheck.decide.workers.executors import Place
from supercheck.decide.workers.pool import gathered

WORK: dict[str, Callable[[], Instance]] = {
    "enumerate": lambda: trained(60, 160, 4, 1770),
    "branch": lambda: mixed(480, 8000, 16000, 5),
    "large": lambda: channels(10_000, 50_000, 50_000, 32, 4),
}


def main(name: str, counts: list[int]) -> None:
    """Print one line for each number of workers."""
    claims = WORK[name]().claims
    size = len(posed(claims))
    print(f"{name}: {len(claims):,} outputs; the question is {size:,} bytes")
    for count in counts:
        options = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "threads_per_worker": 1}
        with LocalCluster(n_workers=count, processes=True, **options) as cluster:
            with Client(cluster, set_as_default=False) as client:
                client.wait_for_workers(count)
            before, begun = _received(), time.perf_counter()
            with gathered(Place.named(cluster.scheduler_address), claims, Limits()) as team:
                ready = time.perf_counter()
                result = decide(claims, Limits(team=team))
                wall = time.perf_counter() - ready
                spent, peaks = zip(*[_spent(nanny.pid) for nanny in cluster.workers.values()], strict=True)
            moved = _received() - before
        told = ", ".join(f"{one:.1f}" for one in sorted(spent))
        print(
            f"{count} workers: {result.verdict.value} in {wall:.2f} s after {ready - begun:.2f} s; CPU seconds of each "
            f"worker {told}, at most {max(peaks):,} bytes of memory; {moved:,} bytes over the loopback, "
            f"{moved / size:.2f} questions",
            flush=True,
        )


def _received() -> int:
    return int(psutil.net_io_counters(pernic=True)["lo"].bytes_recv)


def _spent(pid: int) -> tuple[float, int]:
    """CPU seconds and the peak memory of the processes in which a worker decides batches."""
    seconds, peak = 0.0, 0
    for child in psutil.Process(pid).children(recursive=True):
        seconds += sum(child.cpu_times()[:4])
        status = Path(f"/proc/{child.pid}/status").read_text()
        peak = max(peak, 1024 * int(status.split("VmHWM:")[1].split()[0]))
    return seconds, peak


if __name__ == "__main__":
    main(sys.argv[1], [int(word) for word in sys.argv[2:]] or [1, 2])
