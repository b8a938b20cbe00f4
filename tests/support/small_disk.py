"""A disk so small that it can be filled: a tmpfs, which takes root to mount."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BLOCK = bytes(1 << 16)


class SmallDisk:
    """A disk at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """Leave no room."""
        with self._ballast.open("ab", buffering=0) as out, contextlib.suppress(OSError):
            while True:
                out.write(BLOCK)

    def free(self) -> None:
        """Make room again."""
        self._ballast.unlink()


@contextmanager
def small_disk(
    path: Path, mebibytes: int, owner: tuple[int, int] | None = None
) -> Iterator[SmallDisk]:
    """A disk of this size, empty, at a folder that is made."""
    if os.geteuid() != 0:
        if os.environ.get("CI") == "true":
            pytest.fail("a disk of a test is a tmpfs, which takes root")
        pytest.skip("a disk of a test is a tmpfs, which takes root")
    path.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0700", "tmpfs", str(path))
    subprocess.run(mount, check=True)
    if owner is not None:
        os.chown(path, *owner)
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(("umount", "--lazy", str(path)), check=True)
        path.rmdir()
