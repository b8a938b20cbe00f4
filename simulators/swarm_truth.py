"""The truth file of a load: a line for each message, from which every value can be told.

    # {"version": 1, "swarm": {…}, "boot": …}
    carrier,seq,part,time                      time in microseconds since 1970 UTC
    # {"unacknowledged": [[carrier, seq], …]}  and the load has ended

What the numbers mean and what the values are says `simulators.swarm`.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from simulators.swarm import Swarm

FLUSH = 1000
"""Lines held before they are written."""


class TruthError(ValueError):
    """A file that is no truth of an ended load."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What was published. messages: int64[n, 4], carrier seq part time. acknowledged: bool[n]."""

    swarm: Swarm
    boot: str
    messages: NDArray[np.int64]
    acknowledged: NDArray[np.bool_]


class TruthFile:
    """Writes a truth file."""

    def __init__(self, path: Path, swarm: Swarm, boot: str) -> None:
        self._file = path.open("w", encoding="ascii")
        self._lines = [_comment({"version": 1, "swarm": asdict(swarm), "boot": boot})]

    def published(self, carrier: int, seq: int, part: int, at: int) -> None:
        """A message goes out."""
        self._lines.append(f"{carrier},{seq},{part},{at}\n")
        if len(self._lines) >= FLUSH:
            self._write()

    def end(self, unacknowledged: Iterable[tuple[int, int]]) -> None:
        """The load has ended, with these (carrier, seq) not acknowledged."""
        self._lines.append(_comment({"unacknowledged": [list(one) for one in unacknowledged]}))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, _: TracebackType | None
    ) -> None:
        self._write()
        self._file.close()

    def _write(self) -> None:
        self._file.writelines(self._lines)
        self._lines.clear()


def read_truth(path: Path) -> Truth:
    """What a file says; raises `TruthError` where it is none, or its load has not ended."""
    try:
        with path.open(encoding="ascii") as file:
            lines = [line for line in file if line.startswith("#")]
        head, tail = (json.loads(line[1:]) for line in lines)
        swarm, boot = Swarm(**head["swarm"]), head["boot"]
        messages = np.loadtxt(path, np.int64, delimiter=",", ndmin=2).reshape(-1, 4)
        open_ = np.array(tail["unacknowledged"], np.int64).reshape(-1, 2)
    except (ValueError, KeyError, TypeError) as error:
        raise TruthError(f"{path} is no truth file of a load that has ended: {error}") from error
    missing = set(map(tuple, open_.tolist()))
    acknowledged = np.array([tuple(row) not in missing for row in messages[:, :2].tolist()], bool)
    return Truth(swarm, boot, messages, acknowledged)


def _comment(content: object) -> str:
    return f"# {json.dumps(content)}\n"
