"""What this account's own supercheck wrote: a seal that nobody else can make, and the code that it speaks for.

The seal is an HMAC under a key that never leaves its owner's account on this machine, outside any repository. Whoever
else writes into a file of ours, or restores another machine's, costs time and never a verdict.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from supercheck.base.store import CacheError

_BITS = 256
_CODE = {".py", ".c", ".h", ".so", ".dylib", ".dll"}


def sealed(secret: bytes, key: str, content: str) -> str:
    """The seal of some content under a key of ours, which holds no line break."""
    return hmac.new(secret, f"{key}\n{content}".encode(), hashlib.sha256).hexdigest()


def genuine(secret: bytes, key: str, content: object, seal: object) -> bool:
    """Whether what was found bears the seal."""
    return hmac.compare_digest(sealed(secret, key, str(content)).encode(), str(seal).encode())


def own_secret() -> bytes:
    """The owner's key; made where there is none.

    Raises:
        CacheError: if there can be none, as for an account without a home.
    """
    try:
        state = Path(os.environ.get("XDG_STATE_HOME") or ".")
        if not state.is_absolute():  # it would lie wherever we are, in somebody's repository maybe
            state = Path.home() / ".local" / "state"
        file = state / "supercheck" / "seal"
        if not file.exists():
            _make(file)
        found = file.read_bytes()
    except (OSError, RuntimeError) as error:  # RuntimeError: an account without a home
        raise CacheError(f"no key to seal with: {error}") from error
    if len(found) < _BITS // 8:
        raise CacheError(f"no key to seal with: {file} is too short; delete it")
    return found


def _make(file: Path) -> None:
    """Make a key that its owner alone can read; whoever else makes one meanwhile wins."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=file.parent)
    try:
        with open(number, "wb") as stream:
            stream.write(secrets.token_bytes(_BITS // 8))
        with suppress(FileExistsError):
            os.link(name, file)
    finally:
        os.unlink(name)


@cache
def sources() -> str:
    """The digest of supercheck's own code and of its packages' versions: what a mended one got wrong is asked anew.

    Raises:
        CacheError: if there is no code to be read.
    """
    folder, digest = Path(__file__).parents[1], hashlib.sha256(sys.version.encode())
    files = sorted(file for file in folder.rglob("*") if file.suffix in _CODE)
    if not files:
        raise CacheError(f"no sources in {folder} to tell by who decided")
    try:
        for file in files:
            digest.update(f"{file.relative_to(folder)}\n{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    except OSError as error:
        raise CacheError(f"no sources to tell by who decided: {error}") from error
    for place in sys.path:
        if place.endswith(("site-packages", "dist-packages")):
            with suppress(OSError):
                names = sorted(name for name in os.listdir(place) if name.endswith(".dist-info"))
                digest.update("\n".join(names).encode(errors="surrogateescape"))
    return digest.hexdigest()
