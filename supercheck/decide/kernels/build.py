"""Compiles the loops: all C files of supercheck become one library beside this file.

The compiler is `ziglang`, a package that building needs and running does not, so that a bare machine can install.
After a change of a C file in a checkout: `python -m supercheck.decide.kernels.build`; another compiler, and flags of
its own, may stand behind it. Imports the standard library alone: nothing else is there while a package is built.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parents[1]
LIBRARY = "_kernels" + {"darwin": ".dylib", "win32": ".dll"}.get(sys.platform, ".so")

ZIG = (sys.executable, "-m", "ziglang", "cc", "-mcpu=baseline", "-s")
FLAGS = (
    "-std=c11", "-O3", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden",
    "-ffp-contract=off", "-fno-fast-math",  # doubles are rounded after every operation, everywhere alike
    "-fno-sanitize=undefined",  # zig's own, which traps
    *(("-fno-builtin", "-nostdlib") if sys.platform != "darwin" else ()),  # nothing outside is called
)  # fmt: skip


def sources() -> list[Path]:
    """The C files and headers of supercheck, in one order everywhere."""
    return sorted(PACKAGE.rglob("*.[ch]"), key=lambda file: file.relative_to(PACKAGE).as_posix())


def digest(files: Sequence[Path]) -> int:
    """A number of 64 bits that changes with any of the sources."""
    found = hashlib.sha256()
    for file in files:
        line = f"{file.relative_to(PACKAGE).as_posix()} {hashlib.sha256(file.read_bytes()).hexdigest()}\n"
        found.update(line.encode())
    return int.from_bytes(found.digest()[:8], "big")


def build(folder: Path, compiler: Sequence[str] = ZIG, flags: Sequence[str] = ()) -> Path:
    """Compile the library.

    Args:
        folder: where it goes.
        compiler: the words that a compiler is called by.
        flags: more of them, behind ours.

    Returns:
        The library.
    """
    import subprocess
    import tempfile

    made = folder / LIBRARY
    files = sources()
    with tempfile.TemporaryDirectory() as kept:  # what the compiler would leave behind
        new = Path(kept, LIBRARY)
        words = [*compiler, *FLAGS, *flags, f"-DSC_SOURCES=0x{digest(files):016x}ull", f"-I{HERE}"]
        words += [str(file) for file in files if file.suffix == ".c"]
        caches = {"ZIG_LOCAL_CACHE_DIR": kept, "ZIG_GLOBAL_CACHE_DIR": kept}
        subprocess.run([*words, "-o", str(new)], check=True, env={**os.environ, **caches})  # noqa: S603
        content = new.read_bytes()
    aside = made.with_suffix(f".{os.getpid()}")
    aside.write_bytes(content)
    aside.replace(made)  # a process that has the old one open keeps it
    return made


if __name__ == "__main__":
    sys.stdout.write(f"{build(HERE, sys.argv[1:2] or ZIG, sys.argv[2:])}\n")
