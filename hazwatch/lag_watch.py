"""`LagWatch`: by how much the data of each enterprise are judged late, and whether that is an alarm
(INGEST_LAG).

Late is what waits in the inbox, since it arrived; and, while the broker holds messages back because
we are too slow, what is judged against the time at which its gateway sent it.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from domain.alarms import Kind
from domain.instant import SECOND, micros
from domain.plant import Registry
from ingest.batch import Batch
from ingest.clocks import GatewayClock
from ingest.inbox import Lane
from ingest.lag import Paces

Say = Callable[[Kind, int, datetime | None, float, float], None]
"""`Pump.condition`."""
BACK = 0.5
"""It is over below this part of the limit."""


class LagWatch:
    """limit_s: above it an enterprise is late. clock_of: what is known of a gateway's clock."""

    def __init__(self, limit_s: float, clock_of: Callable[[int], GatewayClock | None]) -> None:
        self._limit_s = limit_s
        self._clock_of = clock_of
        self._paces = Paces()
        self._late: dict[int, datetime] = {}

    def judged(self, batch: Batch, at: datetime) -> None:
        """These messages were judged."""
        for gateway in batch.counts:
            clock = self._clock_of(gateway)
            if clock is not None:
                self._paces.heard(gateway, clock, micros(at))

    def look(
        self,
        registry: Registry,
        waiting: Iterable[tuple[Lane, int]],
        held_back: Callable[[Lane], bool],
        at: datetime,
    ) -> dict[Lane, float]:
        """Seconds by which each enterprise is late at `at`. waiting: since when what is not judged
        yet has been here, microseconds. held_back: whether the broker holds messages back."""
        now = micros(at)
        lags = {(one.park, one.enterprise_code): 0.0 for one in registry.gateways}
        for one in registry.gateways:
            lane = one.park, one.enterprise_code
            if held_back(lane):
                lags[lane] = max(lags[lane], self._paces.late(one.id, now) / SECOND)
        for lane, since in waiting:
            lags[lane] = max(lags.get(lane, 0.0), (now - since) / SECOND)
        return lags

    def say(self, registry: Registry, lags: Mapping[Lane, float], at: datetime, say: Say) -> None:
        """Tell how it stands with every enterprise."""
        nodes = {one.enterprise: (one.park, one.enterprise_code) for one in registry.gateways}
        self._late = {node: since for node, since in self._late.items() if node in nodes}
        for node, lane in nodes.items():
            lag = lags.get(lane, 0.0)
            if lag > self._limit_s:
                self._late.setdefault(node, at)
            elif lag < BACK * self._limit_s:
                self._late.pop(node, None)
            say(Kind.INGEST_LAG, node, self._late.get(node), lag, self._limit_s)
