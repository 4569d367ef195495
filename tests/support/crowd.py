"""A crowd of gates on one cache, in processes of their own, some of which are killed: run as a script.

    python crowd.py FOLDER GATES SEED

Prints how many were killed, and how many of the others found anything but the truth.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from supercheck.ci.cache import Cache
from supercheck.ci.judge import GateOptions
from supercheck.ci.suite import gate

AT_ONCE = 16


def one(specs: list[str], cache: Path, truth: dict[str, int]) -> int:
    """Run one gate; 0 if it finds the truth."""
    found = gate(specs, terms=GateOptions(cache=Cache(cache), workers=1))
    return int({judged.file: judged.code for judged in found.judgements} != truth)


def main(folder: Path, gates: int, seed: int) -> None:
    truth, cache = json.loads((folder / "truth.json").read_text()), folder / "crowd" / "cache.sqlite"
    draw, running, killed, wrong = random.Random(seed), dict[int, float](), 0, 0
    while gates or running:
        while gates and len(running) < AT_ONCE:
            gates -= 1
            specs = draw.sample(sorted(truth), 3)
            doomed = time.monotonic() + draw.random() * 0.2 if draw.random() < 0.4 else float("inf")
            child = os.fork()
            if not child:
                code = 9
                try:
                    code = one(specs, cache, {file: truth[file] for file in specs})
                finally:
                    os._exit(code)
            running[child] = doomed
        for child, doomed in list(running.items()):
            if time.monotonic() >= doomed:
                os.kill(child, signal.SIGKILL)
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                del running[child]
                killed += os.WIFSIGNALED(status)
                wrong += not os.WIFSIGNALED(status) and os.WEXITSTATUS(status) != 0
        time.sleep(0.002)
    print(json.dumps({"killed": killed, "wrong": wrong}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
