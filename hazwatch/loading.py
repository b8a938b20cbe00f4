"""What has to be settled before the rules are loaded and while a plant is: Ctrl-C meanwhile, where
rules are kept compiled, and that nobody looks for garbage in a hundred thousand tags."""

import ctypes
import gc
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Meanwhile Ctrl-C ends the process: nothing is to be cleaned up yet, and an exception in the
    middle of an import can get lost. For the main thread."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def keep_compiled(folder: Path) -> None:
    """Have compiled rules kept below this folder where hazwatch itself lies read-only: the next
    start need not compile them again. NUMBA_CACHE_DIR, if it is set, goes first."""
    if not os.access(Path(__file__).parent, os.W_OK):
        os.environ.setdefault("NUMBA_CACHE_DIR", str(folder.absolute() / "compiled"))


@contextmanager
def no_collecting() -> Iterator[None]:
    """Meanwhile the garbage collector rests, and what is there afterwards it never looks at again:
    each full look at a large plant would stop everything for a good part of a second."""
    gc.disable()
    try:
        yield
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()
        give_back()


def give_back() -> None:
    """Give the system what the process has no use for now: where the C library can."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
