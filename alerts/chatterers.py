"""`Chatterers`: the alarms of one shard that came lately, and which of them chatter. Pure."""

from datetime import datetime, timedelta
from heapq import heappop, heappush
from uuid import UUID

from alerts import chattering
from alerts.annunciation import Annunciation
from domain.alarm_noise import NoiseRules

Subject = tuple[int, int]
"""Number of the kind, and tag id or node id."""
KEPT_S = 3600.0
"""An alarm that has been quiet for so long is forgotten; its next spell begins anew."""


class Chatterers:
    """Each step costs what it changes. `touched` collects the newest occurrences of alarms whose
    counter changed; whoever reads it empties it."""

    def __init__(self, rules: NoiseRules) -> None:
        self.touched: set[UUID] = set()
        self._rules = rules
        self._states: dict[Subject, chattering.Chatter] = {}
        self._newest: dict[Subject, Annunciation] = {}
        self._due: list[tuple[datetime, Subject]] = []
        self._chattering: dict[int, set[Subject]] = {}

    def activated(self, heard: Annunciation) -> None:
        """An alarm came on."""
        key = subject(heard)
        before = self._states.get(key)
        state, said = chattering.activated(before or chattering.Chatter(), heard.at, self._rules)
        self._states[key], self._newest[key] = state, heard
        if state.since is not None:
            self._chattering.setdefault(heard.enterprise, set()).add(key)
            self.touched.add(heard.occurrence)
        if before is None or said.began is not None:
            self._look_at(key, state)

    def returned(self, heard: Annunciation, at: datetime) -> None:
        """It went off."""
        key = subject(heard)
        if key in self._states:
            self._states[key] = chattering.returned(self._states[key], at)

    def look(self, at: datetime) -> None:
        """Spells that are over, and alarms that are forgotten."""
        while self._due and self._due[0][0] <= at:
            _, key = heappop(self._due)
            state = self._states.get(key)
            if state is None:
                continue
            state, said = chattering.looked(state, at, self._rules)
            self._states[key] = state
            if said.ended is not None:
                self.touched.add(self._newest[key].occurrence)
            if state.since is None:
                self._calm(key)
            quiet = (at - state.recent[-1]).total_seconds()
            if state.since is None and not state.active and quiet >= KEPT_S:
                del self._states[key], self._newest[key]
            else:
                self._look_at(key, state, at)

    def due(self) -> datetime | None:
        """When the next `look` may change something; None: never by itself."""
        return self._due[0][0] if self._due else None

    def repeats(self, heard: Annunciation) -> int:
        """Activations of the spell in which an occurrence is the newest; 0 outside one."""
        newest = self._newest.get(subject(heard))
        if newest is None or newest.occurrence != heard.occurrence:
            return 0
        return self._states[subject(heard)].repeats

    def count(self, enterprise: int) -> int:
        """How many alarms of an enterprise chatter."""
        return len(self._chattering.get(enterprise, ()))

    def _calm(self, key: Subject) -> None:
        self._chattering.get(self._newest[key].enterprise, set()).discard(key)

    def _look_at(self, key: Subject, state: chattering.Chatter, at: datetime | None = None) -> None:
        quiet = self._rules.chattering.quiet_s if state.since is not None else KEPT_S
        due = state.recent[-1] + timedelta(seconds=quiet)
        if at is not None and due <= at:
            due = at + timedelta(seconds=KEPT_S)
        heappush(self._due, (due, key))


def subject(heard: Annunciation) -> Subject:
    """The alarm of an occurrence."""
    return int(heard.kind), heard.node if heard.tag is None else heard.tag
