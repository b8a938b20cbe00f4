"""`MainSession`: what we publish, and what an earlier release has left under its client id."""

from collections.abc import Awaitable, Callable, Collection

from ingest import topics
from ingest.connection import Connection
from ingest.inbox import EARLY, Lane
from ingest.outgoing import Letter, Outgoing
from ingest.session import Means, Session
from ingest.wire import RETAIN, Delivery

WINDOW = 100
"""Published messages that may wait for the broker's confirmation."""
LOOKS_S = 2.0
"""It looks for a broker that is away at least so often, for all sessions."""


class MainSession(Session):
    """It subscribes to nothing. What the broker kept under its name since before there was a
    session for each enterprise is older than what those bring: it goes out first, they wait for it.

    heard: returns when those sessions hear their enterprises, so that ending these subscriptions
    leaves no hole; gives the enterprises.
    """

    def __init__(
        self,
        means: Means,
        name: str,
        outgoing: Outgoing,
        heard: Callable[[], Awaitable[Collection[Lane]]],
        absent_since: int | None = None,
    ) -> None:
        super().__init__(means, name, EARLY, (), absent_since)
        self._backoff.most_s = min(self._backoff.most_s, LOOKS_S)
        self._outgoing = outgoing
        self._heard = heard
        self._owners: set[Lane] = set()

    def post(self, letter: Letter) -> None:
        """Publish when there is a connection."""
        self._outgoing.put(letter)
        self._flush()

    async def _stay(self, connection: Connection, kept: bool) -> None:
        assert self._retired is not None
        self._flush()
        if kept:
            await self._give_up(connection)
        self._means.inbox.open()
        await connection.until_lost(self._retired)

    async def _give_up(self, connection: Connection) -> None:
        """Unsubscribe from everything, and hand over what is left."""
        given_up: set[Lane] = set()
        self._owners |= set(await self._heard())
        while left := self._owners - given_up:
            gone = [one for pair in sorted(left) for one in topics.filters(*pair)]
            await connection.unsubscribe(gone)
            given_up |= left
            await self._until_empty(connection)

    def _down(self, connection: Connection) -> None:
        self._outgoing.disconnected()
        super()._down(connection)

    def _deliver(self, deliveries: list[Delivery]) -> None:
        """Retained ones are for the other sessions, which hear them as well."""
        connection = self.connection
        assert connection is not None
        self._turn_away(connection, [one.mid for one in deliveries if one.first & RETAIN])
        super()._deliver([one for one in deliveries if not one.first & RETAIN])

    def _hears(self, owner: Lane) -> bool:
        if all(owner):
            self._owners.add(owner)
        return True

    def _confirmed(self, mid: int) -> None:
        self._outgoing.confirmed(mid)
        self._flush()

    def _flush(self) -> None:
        """Send what is outgoing, at most `WINDOW` ahead of the broker's confirmations."""
        connection = self.connection
        if connection is None or self.up_at is None:
            return
        while self._outgoing.unconfirmed < WINDOW and (letter := self._outgoing.next()):
            to = letter.topic, letter.payload, letter.qos
            self._outgoing.sent(connection.publish(*to, retain=letter.retain), letter)
