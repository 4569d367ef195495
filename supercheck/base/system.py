"""What differs between Linux, macOS and Windows, and nothing else: memory and its limit, timers, processes, paths.

No module or name that one system lacks is asked for anywhere else: a test holds the rest to it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_UNKNOWN_MEMORY = 8 << 30  # bytes that a machine is taken to have if it does not say
_EVERY = 0.1  # seconds between two looks at the memory in use


def limit_memory(most: int, exceeded: Callable[[], None]) -> bool:
    """Keep this process below a number of bytes, by the system where it can, else by looking again and again.

    Args:
        most: bytes of address space or, where it has to be looked at, of memory in use.
        exceeded: called, in a thread of its own, when more is seen in use; where the system keeps the limit it never
            is: there an allocation fails.

    Returns:
        Whether there is a limit; none where the system neither keeps one nor says how much is in use.
    """
    if _limited(most):
        return True
    if _in_use() is None:
        return False

    def watch() -> None:
        while (_in_use() or 0) <= most:
            time.sleep(_EVERY)
        exceeded()

    threading.Thread(target=watch, daemon=True).start()
    return True


def relative(file: Path, folder: Path) -> str:
    """A file's path as a spec in a folder writes it: with `/`, and whole where it is on another drive."""
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:  # Windows: no path leads from one drive to another
        return file.as_posix()


if sys.platform == "win32":
    import ctypes
    import subprocess
    from ctypes import wintypes

    class _Memory(ctypes.Structure):
        """MEMORYSTATUSEX."""

        _fields_ = (
            ("length", wintypes.DWORD), ("load", wintypes.DWORD), ("total", ctypes.c_uint64),
            ("others", ctypes.c_uint64 * 6),
        )  # fmt: skip

    class _Counters(ctypes.Structure):
        """PROCESS_MEMORY_COUNTERS."""

        _fields_ = (
            ("length", wintypes.DWORD), ("faults", wintypes.DWORD), ("peak", ctypes.c_size_t),
            ("used", ctypes.c_size_t), ("others", ctypes.c_size_t * 6),
        )  # fmt: skip

    _KERNEL = ctypes.WinDLL("kernel32")
    _KERNEL.GetCurrentProcess.restype = wintypes.HANDLE
    _KERNEL.K32GetProcessMemoryInfo.argtypes = (wintypes.HANDLE, ctypes.POINTER(_Counters), wintypes.DWORD)
    _KERNEL.GlobalMemoryStatusEx.argtypes = (ctypes.POINTER(_Memory),)

    def machine_memory() -> int:
        """Bytes of memory that the machine has."""
        found = _Memory(length=ctypes.sizeof(_Memory))
        return int(found.total) if _KERNEL.GlobalMemoryStatusEx(ctypes.byref(found)) else _UNKNOWN_MEMORY

    def _limited(_most: int) -> bool:
        return False

    def _in_use() -> int | None:
        found = _Counters(length=ctypes.sizeof(_Counters))
        known = _KERNEL.K32GetProcessMemoryInfo(_KERNEL.GetCurrentProcess(), ctypes.byref(found), found.length)
        return int(found.used) if known else None

    def detached() -> dict[str, Any]:
        """What `subprocess.Popen` needs to start a process that Ctrl-C does not reach: that is its parent's affair."""
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}

    @contextmanager
    def interrupted_after(_seconds: float, _error: type[BaseException]) -> Iterator[None]:
        """Nothing: there is no such timer."""
        yield

else:
    import mmap

    def machine_memory() -> int:
        """Bytes of memory that the machine has."""
        try:
            return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        except (AttributeError, OSError, ValueError):  # it does not say
            return _UNKNOWN_MEMORY

    def _limited(most: int) -> bool:
        """Have the system limit the address space; false where it does not."""
        try:
            import resource

            hard = resource.getrlimit(resource.RLIMIT_AS)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(resource.RLIMIT_AS, (most, hard))
        except (ImportError, OSError, ValueError):
            return False
        return sys.platform != "darwin"  # which takes the limit and does not keep it

    def _in_use() -> int | None:
        """Bytes of memory in use by this process; None where the system does not say."""
        try:
            with open("/proc/self/statm", "rb") as stream:
                return int(stream.read().split()[1]) * mmap.PAGESIZE
        except (OSError, ValueError, IndexError):
            pass
        try:
            import resource
        except ImportError:
            return None
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # of macOS: bytes, and the most there ever were

    def detached() -> dict[str, Any]:
        """What `subprocess.Popen` needs to start a process that Ctrl-C does not reach: that is its parent's affair."""
        return {"start_new_session": True}

    @contextmanager
    def interrupted_after(seconds: float, error: type[BaseException]) -> Iterator[None]:
        """Raise an error in what runs within it for too long, as Ctrl-C would.

        In the main thread alone, and where nobody else uses the timer.

        Args:
            seconds: of wall time, above 0.
            error: raised between two steps of Python's.
        """
        import signal

        main = threading.current_thread() is threading.main_thread()
        if not main or not hasattr(signal, "setitimer") or signal.getitimer(signal.ITIMER_REAL)[0]:
            yield
            return

        def late(_number: int, _frame: object) -> None:
            raise error

        before = signal.signal(signal.SIGALRM, late)
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
