"""`NoiseBook`: what is said beside the alarms of one shard, so that a desk can bear them. Pure.

It annotates and never decides: no state, no journal row and no colour depends on it. After a
restart it is given the transitions of the last hours once more, or begins anew.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from alerts import chattering, dependents, first_out, flood
from alerts.annunciation import Annunciation, may_fold
from domain.alarm_noise import NoiseRules

Subject = tuple[int, int]
"""Number of the kind, and tag id or node id."""


@dataclass(frozen=True, slots=True)
class Note:
    """What stands beside one open occurrence.

    under: shown folded under another one, the cause in a flood or a lost source; suppressed: how
    many OFFLINE lie under it. first_out: first of its group; uncertain: or another one, by another
    clock. repeats: of a spell of chattering, 0 outside one.
    """

    under: UUID | None = None
    suppressed: int = 0
    first_out: bool = False
    uncertain: bool = False
    repeats: int = 0


class NoiseBook:
    """Feed it every activation, return and close in order; ask it for the notes."""

    def __init__(self, rules: NoiseRules) -> None:
        self._rules = rules
        self._floods: dict[int, flood.Flood] = {}
        self._chatter: dict[Subject, chattering.Chatter] = {}
        self._groups: dict[tuple[int, int], first_out.FirstOut] = {}
        self._open: dict[UUID, Annunciation] = {}
        self._members: dict[tuple[int, int], set[UUID]] = {}
        self._folded: dict[UUID, UUID] = {}
        self._dependents = dependents.Dependents()

    def raised(self, heard: Annunciation, *, muted: bool = False) -> flood.Told:
        """An occurrence became active. muted: shelved, suppressed or out of service, so no desk
        heard it."""
        group = heard.enterprise, heard.cause
        self._open[heard.occurrence] = heard
        self._members.setdefault(group, set()).add(heard.occurrence)
        self._dependents = dependents.raised(self._dependents, heard)
        key = _subject(heard)
        before = self._chatter.get(key, chattering.Chatter())
        self._chatter[key], _ = chattering.activated(before, heard.at, self._rules)
        if muted or self._dependents.parent(heard.occurrence) is not None:
            return flood.Told()
        before_group = self._groups.get(group, first_out.FirstOut())
        self._groups[group] = first_out.hear(before_group, heard, self._rules.first_out_s)
        desk = self._floods.get(heard.enterprise, flood.Flood())
        self._floods[heard.enterprise], told = flood.hear(desk, heard, self._rules.flood)
        if told.under is not None:
            self._folded[heard.occurrence] = told.under
        if told.ended is not None:
            self._unfold(heard.enterprise, but=heard.occurrence if told.under else None)
        return told

    def returned(self, occurrence: UUID, at: datetime) -> None:
        """Its condition is gone."""
        heard = self._open.get(occurrence)
        if heard is not None:
            key = _subject(heard)
            self._chatter[key] = chattering.returned(self._chatter[key], at)
        self._dependents = dependents.over(self._dependents, occurrence)

    def closed(self, occurrence: UUID, at: datetime) -> None:
        """It is normal again; the group is reset with its last open occurrence."""
        self.returned(occurrence, at)
        heard = self._open.pop(occurrence, None)
        self._folded.pop(occurrence, None)
        if heard is None:
            return
        group = heard.enterprise, heard.cause
        members = self._members[group]
        members.discard(occurrence)
        if not members:
            del self._members[group]
            self._groups.pop(group, None)

    def look(self, at: datetime) -> list[tuple[int, flood.Ended]]:
        """What time alone brings: floods that are over, by enterprise; chattering that is calm."""
        over: list[tuple[int, flood.Ended]] = []
        for enterprise, desk in self._floods.items():
            self._floods[enterprise], ended = flood.looked(desk, at, self._rules.flood)
            if ended is not None:
                over.append((enterprise, ended))
                self._unfold(enterprise)
        for key, state in list(self._chatter.items()):
            state, _ = chattering.looked(state, at, self._rules)
            if state.since is None and not state.active and not state.alone and _old(state, at):
                del self._chatter[key]
            else:
                self._chatter[key] = state
        return over

    def flood(self, enterprise: int) -> flood.Flood:
        """What the desk of an enterprise is in; since is None outside a flood."""
        return self._floods.get(enterprise, flood.Flood())

    def advice(self, occurrence: UUID) -> chattering.Advice:
        """Delays that would calm an open alarm."""
        heard = self._open[occurrence]
        urgent = not may_fold(heard, self._rules.flood)
        return chattering.advice(
            self._chatter[_subject(heard)], self._rules.chattering, urgent=urgent
        )

    def notes(self, occurrences: Iterable[UUID] | None = None) -> dict[UUID, Note]:
        """The notes of these open occurrences, or of all; those of which there is nothing to say
        are left out."""
        under = self._dependents.under()
        lost = {child: parent for parent, children in under.items() for child in children}
        found: dict[UUID, Note] = {}
        for id in self._open if occurrences is None else occurrences:
            heard = self._open.get(id)
            if heard is None:
                continue
            group = self._groups.get((heard.enterprise, heard.cause), first_out.FirstOut())
            first = group.first == id and group.candidates + group.later > 1
            chatter = self._chatter.get(_subject(heard), chattering.Chatter())
            cause = self._folded.get(id)
            note = Note(
                lost.get(id, cause if cause in self._open else None),
                len(under.get(id, ())),
                first,
                first and group.uncertain(self._rules.first_out_s),
                chatter.repeats,
            )
            if note != Note():
                found[id] = note
        return found

    def _unfold(self, enterprise: int, but: UUID | None = None) -> None:
        for id in [id for id in self._folded if id != but]:
            if id in self._open and self._open[id].enterprise == enterprise:
                del self._folded[id]


def _subject(heard: Annunciation) -> Subject:
    return int(heard.kind), heard.node if heard.tag is None else heard.tag


def _old(state: chattering.Chatter, at: datetime) -> bool:
    return not state.recent or (at - state.recent[-1]).total_seconds() > 3600.0
