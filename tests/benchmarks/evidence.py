"""What certificates cost: their bytes, the time of writing them beside that of deciding, and of checking them.

    python tests/benchmarks/evidence.py [--large] [--shared FOLDER]

One Markdown row a question: every spec of `specs/proved`, the trained networks at every k at which brute force found
them right, the published L4 network, and family A in growing sizes (its right outputs), with `--large` up to 10,000
features and 50,000 outputs. Each is decided and written in a process of its own, so that both pay for what they
compile or import, and checked by `checker/` alone in another. Seconds are those of the processor, of all threads and
children, and in brackets those of the clock. Ends with exit code 1 if any certificate is missing or not accepted.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from families import channels, write

from supercheck import checker
from supercheck.certificate.writer import certified
from supercheck.claims.question import question
from supercheck.decide.portfolio import decide

ROOT = Path(__file__).parents[2]
SMALL = [(1_000, 1_000, 2_000), (1_250, 6_250, 12_500), (2_500, 12_500, 12_500)]
LARGE = [(4_000, 20_000, 20_000), (5_000, 25_000, 25_000), (10_000, 50_000, 50_000)]
CHANNEL, ACTIVE = 32, 4
CODES = {0: "accepted", 1: "rejected", 2: "unreadable", 3: "not checked"}

Found = TypeVar("Found")
Asked = tuple[str, Path, int | None]  # a name, a spec that names its network, and a k that wins over its own


@dataclass(frozen=True)
class Cost:
    """Seconds of the processor and of the clock."""

    cpu: float
    wall: float

    def __str__(self) -> str:
        """Both, in three digits or so."""
        return f"{self.cpu:.3g} ({self.wall:.3g})"


def timed(job: Callable[[], Found]) -> tuple[Found, Cost]:
    """What a job returns, and what it cost with all its threads and the children that it waited for."""
    before, begun = _cpu(), time.perf_counter()
    found = job()
    return found, Cost(_cpu() - before, time.perf_counter() - begun)


def _cpu() -> float:
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in usage)


def row(asked: Asked) -> tuple[str, bool]:
    """Decide, write and check; the table's row, and whether the certificate was accepted."""
    name, file, k = asked
    claims, spec, source = question(None, file, k)
    head = f"| {name} | {claims.domain.max_active} | {len(claims):,} |"
    if spec.arithmetic != "real":
        return f"{head} | | | | | of {spec.arithmetic}: none |", True
    result, deciding = timed(lambda: decide(claims))
    with TemporaryDirectory() as folder:
        path = Path(folder, "certificate")
        result, writing = timed(lambda: certified(replace(result, source=source), path))
        if result.certificate is None or source.network is None:
            return f"{head} | {deciding} | | | | {result.verdict.value}: none |", False
        files = result.certificate.cores or (source.network, file, "-k", str(claims.domain.max_active))
        command = [sys.executable, str(Path(checker.__file__).parent), path, *files]
        done, checking = timed(lambda: subprocess.run(command, check=False, capture_output=True, text=True))
        said = CODES[done.returncode] if done.returncode else "accepted"
        words = f", {result.certificate.words} words of a solver" if result.certificate.words else ""
        share, size = writing.cpu / deciding.cpu, path.stat().st_size
        good = done.returncode == 0 and done.stdout.startswith("PROVED, confirmed")
    return f"{head} {size:,} | {deciding} | {writing} | {share:.0%} | {checking} | {said}{words} |", good


def corpus() -> Iterator[Asked]:
    """Every spec that is to be proved."""
    for file in sorted((ROOT / "specs" / "proved").glob("*.toml")):
        yield file.stem, file, None


def trained(shared: Path, folder: Path) -> Iterator[Asked]:
    """The trained networks wherever they are right, and the published one."""
    known = json.loads((shared / "networks" / "truth.json").read_text())
    for name, about in known.items():
        kind = {"perm": "copy"}.get(about["kind"], about["kind"])
        over = [[part] if isinstance(part, int) else part for part in about["defs"]]
        network, outputs = shared / "networks" / f"{name}.safetensors", f'gate = "{kind}"\nover = {over}'
        for k in (int(k) for k, truth in about["truth"].items() if not truth["wrong_outputs"]):
            yield name, _spec(folder, f"{name}-{k}", network, "", about["features"], outputs, HALF), k
    published = shared / "third-party" / "codeword_100f_50n_L4_100000steps.safetensors"
    layers, outputs = 'layers = [{weight = "W_in"}, {weight = "W_out"}]\n', f'gate = "copy"\nover = {_singles(100)}'
    yield "L4", _spec(folder, "L4-2", published, layers, 100, outputs, HALF), 2
    yield "L4, separable", _spec(folder, "L4-3", published, layers, 100, outputs, 'mode = "separable"'), 3


HALF = 'mode = "threshold"\nat = "1/2"'


def _singles(count: int) -> list[list[int]]:
    return [[i] for i in range(count)]


def _spec(folder: Path, name: str, network: Path, layers: str, features: int, outputs: str, readout: str) -> Path:
    file = folder / f"{name}.toml"
    file.write_text(
        f'[network]\nfile = "{network}"\n{layers}[domain]\nfeatures = {features}\nmax_active = 1\n'
        f"[outputs]\n{outputs}\n[readout]\n{readout}\n"
    )
    return file


def constructed(folder: Path, sizes: list[tuple[int, int, int]], only: str) -> Iterator[Asked]:
    """Family A, without the outputs that its closed form says are wrong; large ones are made only where asked for."""
    for m, outputs, n in sizes:
        name = f"A m = {m:,}, n = {n:,}"
        if not re.search(only, name):
            continue
        made = channels(m, outputs, n, CHANNEL, ACTIVE)
        assert made.truth is not None
        right = [i for i, good in enumerate(made.truth(range(outputs))) if good]
        yield name, write(made.only(right), folder, f"A-{m}"), None


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="family A up to 50,000 outputs, some minutes")
    parser.add_argument("--only", default="", help="only the questions whose name matches this pattern")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="where the trained networks are")
    options = parser.parse_args()
    sys.stdout.write(
        "| question | k | outputs | bytes | decide, s | write, s | overhead | check, s | outcome |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
    )
    with TemporaryDirectory() as name:
        folder, bad = Path(name), 0
        asked = [*corpus(), *trained(options.shared, folder)]
        asked += constructed(folder, [*SMALL, *(LARGE if options.large else ())], options.only)
        for one in asked:
            if re.search(options.only, one[0]):
                with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
                    line, good = alone.submit(row, one).result()
                bad += not good
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
