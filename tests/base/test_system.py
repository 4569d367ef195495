"""Linux, macOS and Windows: what one of them lacks is asked for in one file alone, and everything runs without it."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path, PureWindowsPath

import pytest

import supercheck
from supercheck.base import system
from supercheck.claims.result import Certificate
from supercheck.report.verify.json import certificate_object

HOUSE = Path(supercheck.__file__).parent
ROOM = HOUSE / "base" / "system.py"
FILES = sorted(HOUSE.rglob("*.py"))

MODULES = {"crypt", "curses", "fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty"}
"""Modules that Windows has not."""

NAMES = {
    "os": {
        "WNOHANG", "chown", "chroot", "confstr", "fchmod", "fchown", "fork", "forkpty", "getegid", "geteuid", "getgid",
        "getloadavg", "getpgid", "getpgrp", "getpriority", "getuid", "killpg", "lchown", "mkfifo", "mknod", "nice",
        "openpty", "posix_spawn", "pread", "pwrite", "register_at_fork", "sched_getaffinity", "sched_setaffinity",
        "sendfile", "setpgid", "setsid", "setuid", "statvfs", "sync", "sysconf", "uname", "wait", "wait3", "wait4",
        "O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "O_SYNC",
    },
    "signal": {
        "ITIMER_REAL", "SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP", "SIGUSR1", "SIGUSR2",
        "SIGXCPU", "alarm", "pause", "pthread_kill", "pthread_sigmask", "setitimer", "siginterrupt", "sigwait",
    },
    "time": {"CLOCK_MONOTONIC", "CLOCK_PROCESS_CPUTIME_ID", "CLOCK_REALTIME", "clock_gettime", "tzset"},
    "socket": {"AF_UNIX"},
    "select": {"epoll", "poll", "select"},
}  # fmt: skip
"""Names that modules have on Linux and not, or not for files and pipes, on Windows."""

KEYWORDS = {"pass_fds", "preexec_fn", "process_group", "start_new_session", "umask"}
"""Of `subprocess.Popen`."""


def asked_for(source: str) -> list[str]:
    """What a file asks for that Windows lacks; a name for `getattr` with a default is not."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom):
            lacking = NAMES.get(node.module or "", set())
            found += [node.module or ""] if (node.module or "").split(".")[0] in MODULES else []
            found += [f"{node.module}.{alias.name}" for alias in node.names if alias.name in lacking]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found += [ast.unparse(node)] if node.attr in NAMES.get(node.value.id, ()) else []
        elif isinstance(node, ast.keyword) and node.arg in KEYWORDS:
            found.append(node.arg or "")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += [node.value] if node.value in ("fork", "forkserver") or node.value.startswith("/proc") else []
    return found


def test_what_windows_lacks_is_asked_for_in_one_file() -> None:
    assert {file.relative_to(HOUSE).as_posix(): asked_for(file.read_text()) for file in FILES if file != ROOM} == {
        file.relative_to(HOUSE).as_posix(): [] for file in FILES if file != ROOM
    }
    assert {"resource", "os.sysconf", "/proc/self/statm"} <= set(asked_for(ROOM.read_text()))


@pytest.mark.parametrize(
    "source",
    ["import resource", "def f():\n    import fcntl", "from os import fork", "os.fork()", "signal.SIGKILL",
     "f(pass_fds=())", "get_context('fork')", "open('/proc/self/status')"],
)  # fmt: skip
def test_the_scan_sees_what_it_looks_for(source: str) -> None:
    assert asked_for(source)


def test_text_files_are_opened_as_utf_8() -> None:
    """Elsewhere a text file has the encoding of the machine unless it is named."""
    bare = []
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("read_text", "write_text"):
                bare += [ast.unparse(node)] if "encoding" not in {word.arg for word in node.keywords} else []
    assert bare == []


_GONE = sorted(MODULES - {"posix"})  # which is what Python's own `os` is made of here

USED = {"WNOHANG", "register_at_fork", "uname"}
"""Names that the standard library and numpy ask for because this is no Windows."""

LACKING = f"""
import os, signal, subprocess, sys
from types import SimpleNamespace

subprocess.signal = SimpleNamespace(**vars(signal))  # Python's own there is another one


class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in {_GONE!r}:
            raise ModuleNotFoundError(name)


sys.meta_path.insert(0, Absent())
for name in {_GONE!r}:
    sys.modules.pop(name, None)
for name in {sorted(NAMES["os"] - USED)!r}:
    if hasattr(os, name):
        delattr(os, name)
for name in {sorted(NAMES["signal"])!r}:
    if hasattr(signal, name):
        delattr(signal, name)
"""
"""A `sitecustomize.py` that takes away what Windows lacks, in a process and in all its children."""

COMMANDS = {
    "bound": ["verify", "--spec", "specs/proved/one_per_pair.toml", "--engine", "bound"],
    "branch": ["verify", "--spec", "specs/proved/trained_and8.toml", "--engine", "branch"],
    "enumerate": ["verify", "--spec", "specs/proved/trained_and8.toml", "--engine", "enumerate", "--margins"],
    "z3": ["verify", "--spec", "specs/proved/trained_and8.toml", "--engine", "z3", "--timeout", "300"],
    "processes": ["verify", "--spec", "specs/proved/trained_and8.toml", "--executor", "processes:2"],
    "certificate": ["verify", "--spec", "specs/proved/trained_and8.toml", "--certificate", "OUT/proof.cert"],
    "check": ["check", "OUT/proof.cert", "specs/proved/trained_and8.onnx", "--spec", "specs/proved/trained_and8.toml"],
    "gate": ["gate", "specs/refuted/one_weight_mutant.toml", "specs/proved/power_sums.toml", "-j", "2", "--no-cache"],
    "build": ["build", "copy", "--features", "8", "-k", "2", "-o", "OUT/copy.npz"],
    "explore": ["explore", "--spec", "specs/refuted/one_weight_mutant.toml", "--html", "OUT/page.html"],
    "audit": ["audit", "--spec", "specs/proved/power_sums.toml"],
    "prune": ["prune", "--spec", "specs/proved/power_sums.toml", "-o", "OUT/less.json"],
}


@pytest.fixture(scope="module")
def codes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """The exit codes of commands in one process that lacks what Windows lacks."""
    folder = tmp_path_factory.mktemp("lacking")
    (folder / "sitecustomize.py").write_text(LACKING)
    commands = {name: [word.replace("OUT", str(folder)) for word in words] for name, words in COMMANDS.items()}
    code = (
        "import json, os, sys\n"
        "assert not hasattr(os, 'fork')\n"
        "from supercheck.cli.app import main\n"
        f"codes = {{name: main(words) for name, words in {commands!r}.items()}}\n"
        "assert 'resource' not in sys.modules\n"
        "print(json.dumps(codes))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(HOUSE.parent)])}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=HOUSE.parent, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "limits the memory" not in done.stderr, "there is /proc to look at"
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_every_verb_runs_without_what_windows_lacks(name: str, codes: dict[str, int]) -> None:
    assert codes[name] == (1 if name == "explore" else 0)


def test_memory_that_the_system_does_not_limit_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "_limited", lambda _: False)
    seen = threading.Event()
    assert system.limit_memory(1 << 50, lambda: pytest.fail("far below"))
    assert system.limit_memory(1 << 20, seen.set)
    assert seen.wait(30)
    monkeypatch.setattr(system, "_in_use", lambda: None)
    assert not system.limit_memory(1 << 20, seen.set)


def test_a_solver_out_of_memory_is_ended_where_the_system_limits_nothing(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(LACKING)
    code = (
        "from supercheck.decide.workers.processes import WorkerDiedError, Processes\n"
        "import builtins\n"
        "with Processes(1, memory=1 << 27) as executor:\n"
        '    future = executor.submit(eval, \'len([bytearray(b"x" * 2**28), __import__("time").sleep(60)])\')\n'
        "    print(future.exception(120))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(HOUSE.parent)])}
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == "the solver ran out of memory\n"
    assert time.monotonic() - begun < 55


def test_machines_say_how_much_memory_they_have(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 << 28 < system.machine_memory() < 1 << 50
    monkeypatch.delattr(os, "sysconf", raising=False)
    assert system.machine_memory() == 8 << 30


def test_a_spec_names_a_file_on_another_drive_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert system.relative(tmp_path / "a" / "b.npz", tmp_path / "c") == "../a/b.npz"

    def drives(*_: object) -> str:
        raise ValueError("path is on mount 'C:', start on mount 'D:'")

    monkeypatch.setattr(os.path, "relpath", drives)
    assert system.relative(tmp_path / "b.npz", tmp_path) == (tmp_path / "b.npz").as_posix()


def test_paths_in_json_have_slashes() -> None:
    file = PureWindowsPath("C:\\nets\\proof.cert")
    assert certificate_object(Certificate(file, "0")) == {"file": "C:/nets/proof.cert", "sha256": "0"}  # type: ignore[arg-type]


def test_numpy_with_whole_numbers_of_32_bits_is_refused() -> None:
    """Such as numpy 1 on Windows: sums would wrap in silence."""
    code = (
        "import numpy, types\n"
        "real = numpy.dtype\n"
        "numpy.dtype = lambda one, *more, **words: types.SimpleNamespace(itemsize=4) if one is int else real(one)\n"
        "from supercheck.cli.app import main\n"
        "print(main(['verify', '--spec', 'specs/proved/trained_and8.toml']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=HOUSE.parent, check=True)
    assert done.stdout == "2\n"
    assert "64 bits" in done.stderr
