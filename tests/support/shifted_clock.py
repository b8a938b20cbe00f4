"""The wall clock of some processes, set as a test likes; their monotonic clock goes on as it is.

`libfaketime` (Debian: faketime) stands between a process and the C library's clocks.
"""

import os
from collections.abc import Mapping
from pathlib import Path

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


class ShiftedClock:
    """How far the wall clock of processes with `environment` is from the machine's."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "shift"
        self.set(0)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process has to be started with."""
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
        }

    def set(self, seconds: int) -> None:
        """From now on, at once."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}")
        os.replace(fresh, self._file)
