"""Who may send for which gateway over HTTP: keys of gateways, and sessions of their enterprise."""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

import structlog

from domain.clock import Clock
from domain.instant import SECOND
from domain.plant import Gateway
from ingest.failures import Failures
from ingest.gateway_keys import GatewayKey, KeyBook, digest, is_key
from ingest.http_refusals import (
    Refused,
    keys_unknown,
    no_credentials,
    no_gateway,
    not_yours,
    too_many_failures,
)
from ingest.metrics import HttpMetrics

log = structlog.get_logger(__name__)

STALE_S = 5.0
"""Keys that were read longer ago say nothing: a key that was revoked may be among them."""
SESSION_S = 4.0
"""So long a session is not looked up again."""
KEEP_SESSIONS = 1_000

Place = tuple[str, str, str]
"""Codes of park, enterprise and gateway."""


class Sessions(Protocol):
    """Logins of people."""

    async def enterprises(self, token: str, at: datetime) -> frozenset[tuple[str, str]] | None:
        """(park, enterprise) codes for which the person behind a session has the role enterprise;
        None: there is no such session. Raises `Refused` where that can't be told."""
        ...


class Credentials:
    """Checks who sends. `heard` keeps it fresh; without that for `STALE_S` nobody is let in."""

    def __init__(self, clock: Clock, metrics: HttpMetrics, sessions: Sessions) -> None:
        self._clock = clock
        self._metrics = metrics
        self._sessions = sessions
        self._keys = KeyBook()
        self._heard: float | None = None
        self._failures = Failures()
        self._people: OrderedDict[bytes, tuple[float, frozenset[tuple[str, str]]]] = OrderedDict()

    def heard(self, keys: Iterable[GatewayKey] | None, at: float) -> None:
        """These keys hold (None: those of before) at this monotonic second."""
        if keys is not None:
            self._keys.replace(keys)
        self._heard = at

    def newly_used(self) -> dict[str, datetime]:
        """Keys whose last use has to be kept."""
        return self._keys.newly_used()

    async def check(
        self, token: str | None, place: Place, gateway: Gateway | None, address: str
    ) -> Gateway:
        """The gateway, where this token may send for it; else `Refused`.

        gateway: what is registered at the place, None for nothing.
        """
        if self._heard is None or self._clock.elapsed() - self._heard > STALE_S:
            raise keys_unknown()
        try:
            if token is not None and is_key(token):
                return self._by_key(token, place, gateway)
            return await self._by_session(token, place, gateway, address)
        except Refused as refused:
            if refused.status not in (401, 403):
                raise
            raise self._braked(refused, place, address) from None

    def _by_key(self, token: str, place: Place, gateway: Gateway | None) -> Gateway:
        key = self._keys.holder(token, self._clock.now())
        if key is None:
            raise no_credentials()
        if gateway is None or key.gateway != gateway.id:
            raise not_yours("/".join(place))
        return gateway

    async def _by_session(
        self, token: str | None, place: Place, gateway: Gateway | None, address: str
    ) -> Gateway:
        enterprises = None if token is None else await self._session(token, address)
        if enterprises is None:
            raise no_credentials()
        if place[:2] not in enterprises:
            raise not_yours("/".join(place))
        if gateway is None:
            raise no_gateway("/".join(place))
        return gateway

    async def _session(self, token: str, address: str) -> frozenset[tuple[str, str]] | None:
        """For which enterprises a session speaks; looked up at most so often."""
        now, known = self._clock.elapsed(), self._people.get(key := digest(token))
        if known is not None and now - known[0] < SESSION_S:
            return known[1]
        if known is None and (wait := self._failures.wait(address, self._at())):
            raise too_many_failures(wait)
        found = await self._sessions.enterprises(token, self._clock.now())
        self._people.pop(key, None)
        if found is not None:
            self._people[key] = now, found
            if len(self._people) > KEEP_SESSIONS:
                self._people.popitem(last=False)
        return found

    def _braked(self, refused: Refused, place: Place, address: str) -> Refused:
        """The refusal, or that there were too many from its address."""
        wait = self._failures.wait(address, self._at())
        self._failures.add(address, self._at())
        if wait:
            self._metrics.denied.labels("throttled").inc()
            return too_many_failures(wait)
        self._metrics.denied.labels(refused.slug).inc()
        log.warning(
            "HTTP ingest denied",
            action="deny_http_ingest",
            status=refused.status,
            place="/".join(place),
            address=address,
        )
        return refused

    def _at(self) -> int:
        return round(self._clock.elapsed() * SECOND)
