"""`NoiseBook`: what is said beside the alarms of one shard, so that a desk can bear them. Pure.

It annotates and never decides: no state, no journal row and no colour depends on it. After a
restart it is given the transitions of the last hours once more, or begins anew.

Every open occurrence stands by itself, or lies under another open one of the same enterprise that
stands by itself: a lost gateway or source, or the first of its cause in a flood.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from alerts import first_out, flood
from alerts.annunciation import LOST, Annunciation, may_fold, may_lie
from alerts.chatterers import Chatterers
from alerts.dependents import Dependents
from alerts.flood import Cause
from alerts.folding import Folding
from domain.alarm_noise import NoiseRules
from domain.alarms import Alarm, Kind, State
from domain.desk_now import Note as Note

TRIPS = frozenset(
    {Kind.LL, Kind.L, Kind.H, Kind.HH, Kind.ROC, Kind.VOTE, Kind.COMPOSITE, Kind.INTERMITTENT}
)
"""What can be first-out: the process left its limits. A lost or doubtful signal and a forecast are
no trip."""


class NoiseBook:
    """Feed it every activation, return and close in order; ask it for the notes."""

    def __init__(self, rules: NoiseRules) -> None:
        self._rules = rules
        self._floods: dict[int, flood.Flood] = {}
        self._groups: dict[Cause, first_out.FirstOut] = {}
        self._open: dict[UUID, Annunciation] = {}
        self._members: dict[Cause, set[UUID]] = {}
        self._heard: dict[Cause, datetime] = {}
        self._kept: dict[UUID, bool] = {}
        self._causes: dict[UUID, int] = {}
        self._over: list[tuple[int, flood.Ended]] = []
        self._touched: set[UUID] = set()
        self._silent: set[UUID] = set()
        self._designed: set[UUID] = set()
        self._chatter = Chatterers(rules)
        self._folding = Folding()
        self._dependents = Dependents()

    def raised(self, heard: Annunciation, *, muted: bool = False) -> flood.Told:
        """An occurrence became active. muted: shelved, suppressed, out of service or acknowledged
        by itself, so no desk heard it."""
        heard = self._of_one_cause(heard)
        self._open[heard.occurrence] = heard
        self._dependents.raised(heard, folds=may_lie(heard, self._rules.flood))
        if heard.holds:
            self._touch_with_parent(heard.occurrence)
        self._settle()
        self._chatter.activated(heard)
        if muted or self._dependents.parent(heard.occurrence) is not None:
            return flood.Told()
        self._hear_first(heard)
        return self.sounded(heard)

    def sounded(self, heard: Annunciation) -> flood.Told:
        """A desk heard an open occurrence: when it was raised, or anew."""
        heard = self._of_one_cause(heard)
        if self._dependents.parent(heard.occurrence) is not None or self.is_silent(
            heard.occurrence
        ):
            return flood.Told()
        if not may_fold(heard, self._rules.flood):
            self._folding.leave(heard.occurrence)
        desk = self._floods.get(heard.enterprise, flood.Flood())
        self._floods[heard.enterprise], told = flood.hear(desk, heard, self._rules.flood)
        if told.ended is not None:
            self._over.append((heard.enterprise, told.ended))
            self._folding.over(heard.enterprise)
        if told.began is not None:
            self._fold_seeds(self._floods[heard.enterprise], but=heard)
        if told.under is not None:
            first = told.under if self._stands(told.under) else None
            self._folding.fold(_group(heard), first, heard.occurrence)
        return told

    def _of_one_cause(self, heard: Annunciation) -> Annunciation:
        """With the cause that it was first heard of: a tag that comes to another gateway or to
        other equipment while its alarm is open takes it nowhere."""
        return replace(heard, cause=self._causes.setdefault(heard.occurrence, heard.cause))

    def _fold_seeds(self, desk: flood.Flood, but: Annunciation) -> None:
        """What a flood began with folds like all that follows."""
        for one in desk.recent:
            fold = desk.folds.get(_group(one))
            if fold is None or one is but or not may_fold(one, self._rules.flood):
                continue
            first = fold.first.occurrence
            if one.occurrence != first and self._stands(one.occurrence) and self._stands(first):
                self._folding.fold(_group(one), first, one.occurrence)

    def returned(self, occurrence: UUID, at: datetime) -> None:
        """Its condition is gone."""
        heard = self._open.get(occurrence)
        if heard is not None:
            if heard.holds:
                self._open[occurrence] = replace(heard, holds=0)
                self._touch_with_parent(occurrence)
            self._chatter.returned(heard, at)
            self._dependents.returned(occurrence, at)

    def closed(self, occurrence: UUID, at: datetime) -> None:
        """It is normal again; a group is reset with its last open trip."""
        self.returned(occurrence, at)
        heard = self._open.pop(occurrence, None)
        self._causes.pop(occurrence, None)
        if heard is None:
            return
        self._touched.add(occurrence)
        self._folding.leave(occurrence)
        self._dependents.closed(occurrence, at)
        self._kept.pop(occurrence, None)
        members = self._members.get(_group(heard), set())
        members.discard(occurrence)
        if not members:
            self._members.pop(_group(heard), None)
            self._groups.pop(_group(heard), None)

    def flagged(self, alarm: Alarm) -> None:
        """The flags of an occurrence, before its transition is told. What nobody is shown has
        nothing under it."""
        silent = alarm.state is not State.NORM and alarm.is_silent
        if not silent and alarm.id not in self._silent:
            return
        if silent and alarm.id not in self._silent:
            self._folding.leave(alarm.id)
        if alarm.kind in LOST:
            self._dependents.mute(alarm.id, muted=silent)
        by_design = silent and alarm.suppressed is not None
        self._touched.add(alarm.id)
        _mark(self._silent, alarm.id, wanted=silent)
        _mark(self._designed, alarm.id, wanted=by_design)

    def is_silent(self, occurrence: UUID) -> bool:
        """Whether a flag silences it."""
        return occurrence in self._silent

    def by_design(self, occurrence: UUID) -> bool:
        """Whether it is suppressed by design."""
        return occurrence in self._designed

    def look(self, at: datetime) -> list[tuple[int, flood.Ended]]:
        """What time alone brings: chattering that is calm, sources that are back; and the floods
        that ended since the last look, by enterprise."""
        for enterprise, desk in self._floods.items():
            self._floods[enterprise], ended = flood.looked(desk, at, self._rules.flood)
            if ended is not None:
                self._over.append((enterprise, ended))
                self._folding.over(enterprise)
        self._chatter.look(at)
        self._dependents.look(at)
        over, self._over = self._over, []
        return over

    def flood(self, enterprise: int) -> flood.Flood:
        """What the desk of an enterprise is in; since is None outside a flood."""
        return self._floods.get(enterprise, flood.Flood())

    def desks(self) -> Collection[int]:
        """Enterprises whose desks heard anything so far."""
        return self._floods.keys()

    def head(self, cause: Cause) -> UUID | None:
        """What the alarms of a cause lie under; None: none of them is folded."""
        return self._folding.head_of(cause)

    def began(self, enterprise: int, since: datetime, heard: int) -> None:
        """The flood that goes on began then, as was told before a restart."""
        desk = self.flood(enterprise)
        if desk.since is not None:
            self._floods[enterprise] = replace(desk, since=since, heard=max(heard, desk.heard))

    def find(self, occurrence: UUID) -> Annunciation | None:
        """An open occurrence as it was heard."""
        return self._open.get(occurrence)

    def lies(self, occurrence: UUID) -> bool:
        """Whether it lies under a lost source or gateway."""
        return self._dependents.parent(occurrence) is not None

    def chatterers(self, enterprise: int) -> int:
        """How many alarms of an enterprise chatter."""
        return self._chatter.count(enterprise)

    def note(self, occurrence: UUID) -> Note:
        """The note of an occurrence; of one that is not open there is nothing to say."""
        heard = self._open.get(occurrence)
        if heard is None:
            return Note()
        first, uncertain = self._first(heard)
        parent = self._dependents.parent(occurrence)
        return Note(
            self._folding.head(occurrence) if parent is None else parent,
            self._suppressed(heard),
            first,
            uncertain,
            self._chatter.repeats(heard),
        )

    def _suppressed(self, heard: Annunciation) -> int:
        """What lies under it; without any, what the rules hold back. What they hold back of sources
        under a gateway counts with them."""
        children = self._dependents.children(heard.occurrence)
        held = sum(self._open[child].holds for child in children if child in self._open)
        return len(children) + held or heard.holds

    def notes(self, occurrences: Iterable[UUID] | None = None) -> dict[UUID, Note]:
        """The notes of these open occurrences, or of all; those of which there is nothing to say
        are left out."""
        found = {id: self.note(id) for id in (self._open if occurrences is None else occurrences)}
        return {id: note for id, note in found.items() if note != Note()}

    def touched(self) -> set[UUID]:
        """Occurrences whose note may have changed since this was asked, open or not."""
        self._settle()
        found = self._touched | self._folding.touched() | self._chatter.touched
        self._touched, self._chatter.touched = set(), set()
        return found

    def _settle(self) -> None:
        """What came to lie under a lost source has left the fold of its cause."""
        moved, self._dependents.touched = self._dependents.touched, set()
        for occurrence in moved:
            if self._dependents.parent(occurrence) is not None:
                self._folding.leave(occurrence)
        self._touched |= moved

    def _touch_with_parent(self, occurrence: UUID) -> None:
        self._touched |= {occurrence, self._dependents.parent(occurrence) or occurrence}

    def _stands(self, occurrence: UUID) -> bool:
        """Whether others may lie under it."""
        lies = self._dependents.parent(occurrence) is not None
        return occurrence in self._open and occurrence not in self._silent and not lies

    def _hear_first(self, heard: Annunciation) -> None:
        if heard.kind not in TRIPS:
            return
        before = self._sequence(heard)
        self._members.setdefault(_group(heard), set()).add(heard.occurrence)
        self._heard[_group(heard)] = heard.at
        after = first_out.hear(before, heard, self._rules.first_out_s)
        self._groups[_group(heard)] = after
        self._touched |= {id for id in (before.first, after.first) if id is not None}

    def _sequence(self, heard: Annunciation) -> first_out.FirstOut:
        """The group that an alarm belongs to. After a quiet window it is a new one, for what stands
        since yesterday is not the cause of today's trip; what was first then stays so."""
        cause = _group(heard)
        group = self._groups.get(cause, first_out.FirstOut())
        quiet = heard.at - self._heard.get(cause, heard.at)
        if group.first is None or quiet.total_seconds() < self._rules.flood.window_s:
            return group
        if group.candidates + group.later > 1 and group.first in self._open:
            self._kept[group.first] = group.uncertain
        self._touched.add(group.first)
        return first_out.FirstOut()

    def _first(self, heard: Annunciation) -> tuple[bool, bool]:
        """(first-out of a group of several, or perhaps another one)."""
        if heard.occurrence in self._kept:
            return True, self._kept[heard.occurrence]
        group = self._groups.get(_group(heard), first_out.FirstOut())
        first = group.first == heard.occurrence and group.candidates + group.later > 1
        return first, first and group.uncertain


def _mark(marked: set[UUID], occurrence: UUID, *, wanted: bool) -> None:
    if wanted:
        marked.add(occurrence)
    else:
        marked.discard(occurrence)


def _group(heard: Annunciation) -> Cause:
    return heard.enterprise, heard.cause
