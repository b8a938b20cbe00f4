"""Keeps the present colours right at the broker, whatever became of it or of us."""

from collections.abc import Iterable

import msgspec

from alerts.present_colours import Place, PresentColours, Said
from domain.clock import Clock
from domain.plant import Registry
from domain.risk import SourceRisk, risk_model
from ingest import topics
from ingest.mqtt import Broker

LOOK_S = 1.0
ALIVE_S = 60.0
"""Enterprises and parks say their colour at least so often; who hears none for three times as long
does not know it."""


class ColourTopics:
    """Says colours as retained messages. gone: places that an earlier run may have left there.

    A broker that came back may have forgotten everything: all is said again on every connection.
    """

    def __init__(
        self,
        broker: Broker,
        registry: Registry,
        clock: Clock,
        gone: Iterable[Place],
        *,
        wanted: bool,
    ) -> None:
        self._broker = broker
        self._clock = clock
        self._wanted = wanted
        self._colours = PresentColours(registry, risk_model().area)
        self._gone = [Said(place, None) for place in gone]

    def told(self, risks: Iterable[SourceRisk]) -> None:
        """This is told of sources from now on."""
        self._say(self._colours.told(risks, self._clock.now()))

    def use(self, registry: Registry) -> None:
        """The site has changed."""
        gone = self._colours.use(registry, self._clock.now())
        self._gone += [said for said in gone if said.body is None]
        self._say(gone)

    async def run(self) -> None:
        """Say it again after every connection, and that we are alive, until cancelled."""
        connection: float | None = None
        alive = self._clock.elapsed()
        while True:
            await self._clock.sleep(LOOK_S)
            since, now = self._broker.publishing_since, self._clock.elapsed()
            anew = since is not None and since != connection
            if anew:
                here = self._colours.again(self._clock.now())
                there = {said.place for said in here}
                self._say([*(said for said in self._gone if said.place not in there), *here])
            elif now - alive >= ALIVE_S:
                self._say(self._colours.again(self._clock.now(), areas_only=True))
            if anew or now - alive >= ALIVE_S:
                alive = now
            connection = since if since is not None else connection

    def _say(self, made: Iterable[Said]) -> None:
        if not self._wanted:
            return
        for said in made:
            body = b"" if said.body is None else msgspec.json.encode(said.body)
            self._broker.publish(topics.colour(*said.place), body, qos=1, retain=True)
