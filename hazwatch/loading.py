"""What has to be settled before the rules are loaded: Ctrl-C meanwhile, and where they are kept
compiled."""

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
