"""Which tags of an edge node are known, and which are STALE."""

from collections.abc import Iterable
from math import nan

from domain.quality import Quality
from ingest.batch import Told
from ingest.sparkplug.node_clock import NodeClock
from ingest.sparkplug.reports import Reports
from ingest.sparkplug.told import Row, message


class StaleMarks:
    """fresh: tag -> device of what is known and not STALE. stale: tags that are."""

    def __init__(self, clock: NodeClock, reports: Reports) -> None:
        self.fresh: dict[str, str | None] = {}
        self.stale: set[str] = set()
        self._clock = clock
        self._reports = reports

    def heard(self, tag: str, device: str | None) -> None:
        """A live reading has come."""
        self.fresh[tag] = device
        self.stale.discard(tag)

    def seed(self, tags: Iterable[str]) -> None:
        """What was known before a restart of ours."""
        self.fresh.update(dict.fromkeys(tags))

    def of(self, device: str | None) -> list[str]:
        """Tags of a device that are known and not STALE."""
        return [tag for tag, own in self.fresh.items() if own == device]

    def devices(self) -> set[str]:
        """Devices that have such tags."""
        return {own for own in self.fresh.values() if own is not None}

    def mark_all(self, at: int) -> None:
        """Make all that is known STALE."""
        self.mark(list(self.fresh), at)

    def mark(self, tags: list[str], at: int, sent: int | None = None) -> None:
        """Make these tags STALE: at the host's time `at`, or at the node's `sent`."""
        if not tags:
            return
        time, published = self._clock.of_stale(at, sent)
        rows = [Row(tag, time, nan, Quality.STALE) for tag in tags]
        self._reports.tell_own(at, Told(message(rows, published), counted=False))
        for tag in tags:
            self.fresh.pop(tag, None)
        self.stale.update(tags)
