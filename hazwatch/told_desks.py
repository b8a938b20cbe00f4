"""What is told of desks beside their alarms: floods, what lies under what, first-out, chattering.
On change, at most every `PACE_S`. See docs/noise.md."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import structlog

from alerts.annunciation import Annunciation, may_fold
from alerts.desk_events import desk_events, flood_events
from alerts.flood import Ended, Flood
from alerts.layout import Layout
from alerts.noise_book import NoiseBook, Note
from alerts.noise_feed import feed, nobody
from domain.alarm_noise import noise_rules
from domain.alarms import Alarm, Kind, OutboxEvent, Transition
from domain.desk_now import DeskNow, FloodNow, FloodSpan, FoldNow
from domain.plant import Registry
from domain.self_test import is_canarys

log = structlog.get_logger(__name__)

PACE_S = 1.0
NOTES_A_LOOK = 2000
"""Notes that are looked at at once; more wait for the next look, so that alarms never wait."""
LOST = "what is known of desks is lost"
FOLDS_SHOWN = 50
"""Causes of a flood that are listed, the largest first; all are counted."""


@dataclass(frozen=True, slots=True)
class DeskMemory:
    """What an earlier run left. changes: transitions of the last hours and of all that is open, in
    order; notes, desks: what was told last, of open occurrences and of floods that went on."""

    changes: Sequence[Transition] = ()
    notes: Sequence[tuple[UUID, int, Note]] = ()
    desks: Sequence[DeskNow] = ()


class ToldDesks:
    """Owns the `NoiseBook` of a shard. gateway_of: see `alerts.noise_feed.ClockOf`."""

    def __init__(self, gateway_of: Callable[[int], int | None] = nobody) -> None:
        self._rules = noise_rules()
        self._book = NoiseBook(self._rules)
        self._gateway_of = gateway_of
        self._notes: dict[UUID, Note] = {}
        self._told: dict[int, DeskNow] = {}
        self._hidden: defaultdict[int, set[UUID]] = defaultdict(set)
        self._ended: list[tuple[int, Ended]] = []
        self._pending: set[UUID] = set()
        self._looked = -PACE_S

    def restore(self, registry: Registry, layout: Layout, memory: DeskMemory, at: datetime) -> None:
        """Go on where an earlier run was: what it told is not told again."""
        ended: list[tuple[int, Ended]] = []
        looked: datetime | None = None
        for change in memory.changes:
            then = min(change.at, at)
            if looked is None or (then - looked).total_seconds() >= PACE_S:
                ended += self._book.look(then)
                looked = then
            self.saw(registry, layout, [replace(change, at=then)])
        ended += self._book.look(at)
        for desk in memory.desks:
            self._told[desk.enterprise] = desk
            if desk.flood is not None:
                self._book.began(desk.enterprise, desk.flood.since, desk.flood.heard)
                if self._book.flood(desk.enterprise).since is None:
                    self._ended.append(_ending(desk, desk.flood, ended, at))
        for id, enterprise, note in memory.notes:
            if self._book.find(id) is not None:
                self._notes[id] = note
                self._mark(id, enterprise, note)

    def saw(self, registry: Registry, layout: Layout, changes: Iterable[Transition]) -> None:
        """These occurrences changed; the canary's are nobody's alarms."""
        ours = [change for change in changes if not is_canarys(registry, change.alarm)]
        try:
            feed(self._book, registry, layout, ours, self._gateway_of)
        except Exception:
            log.exception(LOST, action="begin anew")
            self._begin_anew()

    def note(self, alarm: Alarm) -> dict[str, object] | None:
        """The note of an occurrence as the wire has it; None: there is nothing to say."""
        note = self._book.note(alarm.id)
        return None if note == Note() else note.body()

    def lies(self, occurrence: UUID) -> bool:
        """Whether it lies under a lost source or gateway."""
        return self._book.lies(occurrence)

    def beside(self, registry: Registry, alarm: Alarm) -> dict[str, object]:
        """What a notice says of it: `cause`, what it lies under; `alone`: it may never wait for
        others."""
        heard = self._book.find(alarm.id)
        if heard is None:
            return {"cause": None}
        alone = not may_fold(heard, self._rules.flood)
        if heard.kind is Kind.SOURCE_OFFLINE:
            alone = self._book.note(alarm.id).under is None
        return {"cause": self._cause(registry, heard), "alone": alone}

    def news(
        self, registry: Registry, at: datetime, elapsed: float
    ) -> tuple[tuple[DeskNow, ...], list[OutboxEvent]]:
        """Desks to be told at wall time `at`, and what the stream says of them. elapsed: seconds
        of the monotonic clock."""
        if 0 <= elapsed - self._looked < PACE_S:
            return (), []
        self._looked = elapsed
        try:
            self._ended += self._book.look(at)
            notes = self._changed(registry)
        except Exception:
            log.exception(LOST, action="begin anew")
            self._begin_anew()
            return (), []
        told: list[DeskNow] = []
        events: list[OutboxEvent] = []
        for enterprise in sorted({*notes, *self._told, *self._book.desks()}):
            before = self._told.get(enterprise, DeskNow(enterprise, at))
            now = self._now(registry, enterprise, at, notes.get(enterprise, ()))
            if _differs(before, now):
                events += [*flood_events(registry, before, now), *desk_events(now)]
                told.append(now)
                self._told[enterprise] = now
        self._ended = []
        return tuple(told), events

    def _begin_anew(self) -> None:
        """Whatever is wrong with what stands beside the alarms, judging and telling go on."""
        self._book = NoiseBook(self._rules)
        self._notes, self._ended = {}, []
        self._hidden.clear()

    def _changed(self, registry: Registry) -> dict[int, list[tuple[UUID, Note | None]]]:
        """Notes that are others than was told, by enterprise."""
        found: dict[int, list[tuple[UUID, Note | None]]] = {}
        self._pending |= self._book.touched()
        for _ in range(min(len(self._pending), NOTES_A_LOOK)):
            id = self._pending.pop()
            heard, before = self._book.find(id), self._notes.get(id, Note())
            if heard is None:
                self._forget(id)
                continue
            note = self._book.note(id)
            self._mark(id, heard.enterprise, note)
            if note != before:
                self._notes[id] = note
                told = None if note == Note() else note
                found.setdefault(heard.enterprise, []).append((id, told))
        return found

    def _mark(self, id: UUID, enterprise: int, note: Note) -> None:
        hidden = self._hidden[enterprise]
        if note.under is not None or self._book.by_design(id):
            hidden.add(id)
        else:
            hidden.discard(id)

    def _forget(self, id: UUID) -> None:
        self._notes.pop(id, None)
        for hidden in self._hidden.values():
            hidden.discard(id)

    def _now(
        self,
        registry: Registry,
        enterprise: int,
        at: datetime,
        notes: Iterable[tuple[UUID, Note | None]],
    ) -> DeskNow:
        flood = self._book.flood(enterprise)
        spans = [FloodSpan(one.since, one.until, one.heard)
                 for of, one in self._ended if of == enterprise]  # fmt: skip
        if flood.since is not None:
            spans.append(FloodSpan(flood.since, None, flood.heard))
        return DeskNow(
            enterprise,
            at,
            self._flood(registry, flood),
            len(self._hidden[enterprise]),
            self._book.chatterers(enterprise),
            tuple(notes),
            tuple(spans),
        )

    def _flood(self, registry: Registry, flood: Flood) -> FloodNow | None:
        if flood.since is None:
            return None
        several = sorted(
            ((cause, fold) for cause, fold in flood.folds.items() if fold.count > 1),
            key=lambda one: (-one[1].count, one[1].first.at),
        )
        folds = []
        for cause, fold in several[:FOLDS_SHOWN]:
            head = self._book.head(cause) or fold.first.occurrence
            heard = self._book.find(head) or fold.first
            folds.append(FoldNow(head, fold.worst.occurrence, fold.count, _name(registry, heard)))
        return FloodNow(flood.since, flood.heard, tuple(folds))

    def _cause(self, registry: Registry, heard: Annunciation) -> dict[str, object] | None:
        under = self._book.note(heard.occurrence).under
        cause = None if under is None else self._book.find(under)
        if cause is None:
            return None
        kind = cause.kind.name
        return {"id": str(under), "name": _name(registry, cause), "kind": kind}


def _ending(
    desk: DeskNow, flood: FloodNow, ended: Iterable[tuple[int, Ended]], at: datetime
) -> tuple[int, Ended]:
    """The end of a flood that went on when the run before ended."""
    for enterprise, one in ended:
        if enterprise == desk.enterprise and one.until > flood.since:
            return enterprise, Ended(flood.since, one.until, max(one.heard, flood.heard), {})
    return desk.enterprise, Ended(flood.since, at, flood.heard, {})


def _differs(before: DeskNow, now: DeskNow) -> bool:
    kept = before.flood, before.suppressed, before.chattering
    ended = any(span.until is not None for span in now.spans)
    return bool(now.notes) or ended or kept != (now.flood, now.suppressed, now.chattering)


def _name(registry: Registry, heard: Annunciation) -> str:
    if heard.kind is Kind.GATEWAY_OFFLINE:
        codes = [one.code for one in registry.gateways if one.id == heard.clock]
        return codes[0] if codes else ""
    tag = None if heard.tag is None else registry.tags.get(heard.tag)
    node = registry.nodes.get(heard.node)
    return tag.name if tag is not None else node.name if node is not None else ""
