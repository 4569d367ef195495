"""Corrupt certificates at random and see that the lone checker confirms none whose claim does not hold.

`python tests/benchmarks/corrupt.py FIRST LAST` forges twelve certificates for each of these numbers, which are seeds,
and holds what the checker says against brute force. Stops at the first false one. With `--done FILE` the numbers that
are finished are kept with what came of them, and skipped next time.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from forging import attack

from supercheck import checker


def main() -> None:
    """Attack with the seeds that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int)
    parser.add_argument("--done", type=Path, help="where the numbers of finished seeds are kept")
    options = parser.parse_args()
    kept = options.done.read_text().splitlines() if options.done and options.done.exists() else []
    finished = {int(number): Counter(json.loads(found)) for number, found in (line.split(" ", 1) for line in kept)}
    total, begun = Counter[str](), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.first, options.last + 1):
            found = finished.get(seed) or attack(checker, range(seed, seed + 1), Path(folder))
            if found["false"]:
                raise SystemExit(f"seed {seed}: a false claim is confirmed")
            total += found
            if options.done and seed not in finished:
                with options.done.open("a") as file:
                    file.write(f"{seed} {json.dumps(found)}\n")
    counts = ", ".join(f"{count:,} {status}" for status, count in sorted(total.items()))
    sys.stdout.write(f"{total.total():,} certificates, none false: {counts}; {time.process_time() - begun:.0f} s\n")


if __name__ == "__main__":
    main()
