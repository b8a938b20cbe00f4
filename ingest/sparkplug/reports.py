"""What is said of an edge node: its messages as they were read, its state, what is wrong."""

from dataclasses import replace

from domain.instant import NEVER, SECOND, moment
from domain.plant import Gateway
from ingest.batch import ClockFinding, GatewaySays, Raw, Told
from ingest.message import Unread
from ingest.rejection import Rejection
from ingest.sparkplug.item import Item
from ingest.sparkplug.names import BDSEQ
from ingest.sparkplug.node_clock import NodeClock
from ingest.sparkplug.told import Readings, message

REPEAT_SAID = 60 * SECOND
"""The same is said of a node no more often, and that it is online is said again as often."""

Finding = tuple[str, str]
"""What is wrong, and the words of it."""
DEATH_IGNORED: Finding = (
    "sparkplug_death_ignored",
    "sent an NDEATH that is not of its session; it was asked whether it lives",
)
LOST_AFTER_DEATH: Finding = (
    "sparkplug_unanswered",
    "is not heard of after an NDEATH that is not of its session",
)
UNANSWERED: Finding = ("sparkplug_unanswered", "does not answer the request for its births")


def gap(seq: int) -> Finding:
    """Message `seq` has not come."""
    return "sparkplug_gap", f"lost message {seq} of its session; it was asked for its births"


class Reports:
    """What came of one node so far, for intake, in order: `out`. Whoever reads it empties it."""

    def __init__(self, gateway: Gateway, topic: str, clock: NodeClock) -> None:
        self.gateway = gateway
        self.out: list[Raw] = []
        self._topic = topic
        self._clock = clock
        self._found_at: dict[str, int] = {}
        self._online_at = NEVER

    def tell(self, raw: Raw, told: Told) -> None:
        """Hand over a message with what became of it."""
        self.out.append(replace(raw, told=told))

    def tell_nothing(self, item: Item) -> None:
        """Hand over a message that has no readings."""
        self.tell(item.raw, Told(message((), item.sent, item.size)))

    def tell_unread(self, item: Item, why: Rejection) -> None:
        """Hand over a message that is not taken."""
        self.tell(item.raw, Told(Unread(why, size=item.size)))

    def tell_read(self, item: Item, found: Readings, part: str = "") -> None:
        """Hand over what was read of a message; part: names a further part of one."""
        sent, size = item.sent, 0 if part else item.size
        if found.live and sent is not None:
            self._clock.heard(sent, item.at)
        if found.live or found.rejected or found.odd or not part:
            live = message(found.live, sent, size, found.rejected, found.odd)
            self.tell(_part(item.raw, part), Told(live, counted=not part))
        if found.historical:
            late = message(found.historical, sent, historical=True)
            self.tell(_part(item.raw, f"{part}/historical"), Told(late, counted=False))

    def tell_own(self, at: int, told: Told) -> None:
        """Say at `at` what is said by us, and not by the node."""
        self.tell(Raw(self._topic, b"", arrived=at), told)

    def say(self, online: bool | None, bdseq: int | None, at: int, sent: int | None = None) -> None:
        """Say whether the node is online, None = not known; sent: since when by its clock."""
        boot = None if bdseq is None else f"{BDSEQ} {bdseq}"
        when = None if sent is None else moment(sent)
        said = GatewaySays(self.gateway.id, online, boot, when, at)
        self._online_at = at
        self.tell_own(at, Told(counted=False, says=(said,)))

    def is_old(self, at: int) -> bool:
        """Whether it is to be said again that the node is online."""
        return at - self._online_at >= REPEAT_SAID

    def find(self, at: int, finding: Finding) -> None:
        """Say what is wrong with the node, at most once in `REPEAT_SAID`."""
        what, text = finding
        if at - self._found_at.get(what, NEVER) >= REPEAT_SAID:
            self._found_at[what] = at
            gateway = self.gateway
            name = f"{gateway.park}/{gateway.enterprise_code}/{gateway.code}"
            said = ClockFinding(gateway.id, what, 0.0, f"edge node {name} {text}")
            self.tell_own(at, Told(counted=False, findings=(said,)))


def _part(raw: Raw, name: str) -> Raw:
    """A part of a message, whose quarantined values are told from those of other parts."""
    return replace(raw, payload=raw.payload + name.encode()) if name else raw
