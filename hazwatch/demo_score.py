"""What a measured demonstration has to show for itself: its figures, and whether they add up."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from domain.plant import Registry
from domain.site import Site
from hazwatch.demo_site import SELF_TEST, with_self_test
from storage.database import Connection
from storage.proof import Ingested, Told, ingested, samples_since, told_since
from storage.registry import read_registry

LATEST = timedelta(minutes=10)
"""No sample of a run is dated longer before it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Ids of what belongs to the demonstration; told: enterprises but the self-test."""

    gateways: tuple[int, ...]
    tags: tuple[int, ...]
    told: tuple[int, ...]

    @staticmethod
    def of(registry: Registry, site: Site) -> "Scope":
        """The enterprises of the site, and the self-test."""
        ours = {(one.park, one.code) for one in with_self_test(site).enterprises}
        gateways = [g for g in registry.gateways if (g.park, g.enterprise_code) in ours]
        enterprises = {one.enterprise for one in gateways}
        tested = {one.enterprise for one in gateways if one.enterprise_code == SELF_TEST.enterprise}
        return Scope(
            tuple(one.id for one in gateways),
            tuple(tag.id for tag in registry.tags.values() if tag.enterprise in enterprises),
            tuple(enterprises - tested),
        )


@dataclass(frozen=True, slots=True)
class Books:
    """What stood in the database at an instant; two of them make the figures of a run."""

    at: datetime
    scope: Scope
    ingested: Ingested
    samples: int

    @staticmethod
    async def opened(conn: Connection, site: Site, at: datetime) -> "Books":
        """Before the run, `at` the instant from which on people may be told something by it."""
        scope = Scope.of(await read_registry(conn), site)
        samples = await samples_since(conn, scope.tags, at - LATEST)
        return Books(at, scope, await ingested(conn, scope.gateways), samples)

    async def closed(self, conn: Connection) -> tuple[Ingested, int, Told]:
        """After the run: what became of its messages, new samples, what people were told."""
        now = await ingested(conn, self.scope.gateways)
        samples = await samples_since(conn, self.scope.tags, self.at - LATEST)
        told = await told_since(conn, self.scope.told, self.at)
        return now - self.ingested, samples - self.samples, told


@dataclass(frozen=True, slots=True)
class Score:
    """The figures of one run, and of nothing before it.

    published, messages: values and messages that left the gateways, each counted once however often
    it was sent. samples: more of them in the table than before. canary_sent, canary_seen: breaches,
    and those whose alarm came over the live stream.
    """

    published: int
    messages: int
    ingested: Ingested
    samples: int
    told: Told
    canary_sent: int
    canary_seen: int
    latency_ms_p50: float | None
    latency_ms_p99: float | None
    ready_s: float
    seconds: float

    @property
    def faults(self) -> list[str]:
        """What does not hold, in plain words; empty: all of it holds."""
        return [*self._unequal(), *self._canary()]

    def result(self) -> dict[str, object]:
        """The figures as the last line of output has them."""
        came = self.ingested
        return {
            "holds": not self.faults,
            "published": self.published,
            "redelivered": came.redelivered,
            "stored": came.stored,
            "duplicates": came.duplicates,
            "conflicts": came.conflicts,
            "quarantined": came.quarantined,
            **asdict(self.told),
            "latency_ms_p50": _rounded(self.latency_ms_p50, 1),
            "latency_ms_p99": _rounded(self.latency_ms_p99, 1),
            "canary_sent": self.canary_sent,
            "canary_seen": self.canary_seen,
            "published_messages": self.messages,
            "received_messages": came.received,
            "ready_s": _rounded(self.ready_s, 1),
            "seconds": _rounded(self.seconds, 1),
        }

    def _unequal(self) -> Iterator[str]:
        """The identities of the wire profile, with nothing in flight any more."""
        came = self.ingested
        ends = came.stored + came.duplicates + came.conflicts + came.quarantined
        whole = came.decoded + came.repeated + came.messages_quarantined
        for left, here, right, there in (
            ("values published", self.published, _ENDS, ends),
            ("values decoded", came.values_decoded, _ENDS, ends),
            ("messages received", came.received, "decoded + repeated + quarantined whole", whole),
            (
                "messages published",
                self.messages,
                "received - redelivered",
                came.received - came.redelivered,
            ),
            ("values stored", came.stored, "new rows of the table", self.samples),
        ):
            if here != there:
                yield f"{left} {here} ≠ {right} {there}"
        if self.published == 0:
            yield "nothing was published"

    def _canary(self) -> Iterator[str]:
        if self.canary_sent == 0:
            yield "no canary was sent"
        missing = self.canary_sent - self.canary_seen
        if missing:
            yield f"{missing} of {self.canary_sent} canary breaches never came as an alarm"


_ENDS = "stored + duplicates + conflicts + quarantined"


def _rounded(number: float | None, digits: int) -> float | None:
    return None if number is None else round(number, digits)
