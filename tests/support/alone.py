"""What becomes of a file in a process of its own that may take half a gigabyte of memory and half a minute."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import IO, NamedTuple

ROOM = 500 << 20  # bytes of memory of its own; a file that is only mapped takes none
SECONDS = 30  # of computing, on however slow a machine


class Fate(NamedTuple):
    """How it ended.

    `kind` is "read", the type of the exception, or "killed"; `peak` is in bytes, the libraries' included.
    """

    kind: str
    told: str
    peak: int
    seconds: float


class Alone:
    """A process that has loaded the libraries, and a fork of it for every file."""

    def __init__(self) -> None:
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
        self._server = subprocess.Popen(
            [sys.executable, "-m", "alone"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
        )
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._asks: IO[str] = self._server.stdin
        self._answers: IO[str] = self._server.stdout

    def read(self, reader: str, path: Path) -> Fate:
        """Have a file read; `reader` is "network", "question", "spec", "table" or "formula"."""
        print(json.dumps([reader, str(path)]), file=self._asks, flush=True)
        return Fate(*json.loads(self._answers.readline()))

    def close(self) -> None:
        """End the process."""
        self._asks.close()
        self._server.wait()


def _read(reader: str, path: Path) -> None:
    from supercheck.claims.question import question
    from supercheck.network.formats.load import load
    from supercheck.spec.domain import KSparse
    from supercheck.spec.read import read_spec
    from supercheck.spec.syntax import parse
    from supercheck.spec.table import read_table

    if reader == "network":
        assert load(path).digest
    elif reader == "question":
        question(None, path, None)
    elif reader == "spec":
        read_spec(path)
    elif reader == "table":
        read_table(path, KSparse(1000, 1))
    else:
        parse(path.read_text())


def _status(key: str) -> int:
    with open("/proc/self/status") as file:
        found = re.search(f"{key}:[^0-9]*([0-9]+)", file.read())
    return int(found[1]) << 10 if found else 0


def _judge(reader: str, path: Path) -> Fate:
    import resource
    import time

    resource.setrlimit(resource.RLIMIT_DATA, (ROOM, ROOM))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    begun = time.process_time()
    try:
        _read(reader, path)
        kind, told = "read", ""
    except Exception as error:  # noqa: BLE001 - its type is what is asked
        kind, told = type(error).__name__, str(error)
    return Fate(kind, told, _status("VmHWM"), time.process_time() - begun)


def main() -> None:
    """Answer one question a line."""
    import supercheck.api.verify  # noqa: F401

    for line in sys.stdin:
        reader, path = json.loads(line)
        answers, told = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(told, json.dumps(_judge(reader, Path(path))).encode())
            os._exit(0)
        os.close(told)
        with os.fdopen(answers) as stream:
            answer = stream.read()
        status = os.waitpid(child, 0)[1]
        print(answer or json.dumps(Fate("killed", f"status {status}", 0, 0.0)), flush=True)


if __name__ == "__main__":
    main()
