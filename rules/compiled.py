"""Loops over samples that Numba compiles: one sample after the other, as one would write it down.

Division by zero gives what NumPy gives. A loop must not reach beyond its arrays: only tests check
that, where NUMBA_BOUNDSCHECK is on.

What is compiled is kept below NUMBA_CACHE_DIR, or else beside this module; where neither can be
written it lives with the process. It is thrown away when any source of the rules changes: Numba by
itself looks only at the file of the outermost loop.
"""

import os
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from shutil import rmtree
from typing import Any, TypeVar, cast

from numba import config, njit

NUMBA: Any = config
"""Its settings, which numba makes when it is imported."""
Loop = TypeVar("Loop", bound=Callable[..., object])
LOOPS: list[Any] = []
"""All that were declared so far, parts not among them."""
RULES = Path(__file__).parent
SOURCES = (RULES, RULES.parent / "domain")
"""What compiled code is made of: code, and numbers that became part of it."""


def compiled(loop: Loop) -> Loop:
    """Compile a function of arrays, numbers and named tuples of them when it is first called, once
    for each combination of their types."""
    ready = njit(loop, cache=KEPT is not None, error_model="numpy")
    LOOPS.append(ready)
    return cast(Loop, ready)


def part(function: Loop) -> Loop:
    """Compile a function that only loops call: with them."""
    return cast(Loop, njit(function, error_model="numpy", forceinline=True))


def _kept() -> Path | None:
    """Where compiled loops of just these sources are kept; those of others go."""
    home, these = Path(os.environ.get("NUMBA_CACHE_DIR", RULES / "__pycache__")), _digest()
    folder = home / f"loops-{these}{'-checked' if NUMBA.BOUNDSCHECK else ''}"
    if not folder.exists():
        try:
            folder.mkdir(parents=True)
        except OSError:
            return None
        for other in home.glob("loops-*"):
            if these not in other.name:
                rmtree(other, ignore_errors=True)
    return folder if os.access(folder, os.W_OK) else None


def _digest() -> str:
    digest = blake2b(digest_size=8)
    for source in SOURCES:
        for file in sorted((*source.rglob("*.py"), *source.rglob("*.toml"))):
            digest.update(file.read_bytes())
    return digest.hexdigest()


KEPT = _kept()
if KEPT is not None:
    NUMBA.CACHE_DIR = str(KEPT)
