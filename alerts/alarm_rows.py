"""Occurrences as numbers: what the facts need of each, reckoned once while it stays the same."""

from collections.abc import Iterable, Sequence
from enum import IntEnum, IntFlag
from math import isnan
from struct import Struct
from uuid import UUID

import numpy as np

from alerts.layout import Layout, family
from alerts.permits import RUN
from domain import easing, policy
from domain.acknowledging import waits_since
from domain.alarms import ACTIVE, LATCHED, Alarm, Kind, Priority, State
from domain.frame import Ints, Lane
from domain.instant import FAR, SECOND, micros
from domain.plant import Tag, TagKind
from domain.risk_facts import AlarmClass, Family, Phase

LIMITS = (Kind.LL, Kind.L, Kind.H, Kind.HH)
HEALTH = (Kind.OFFLINE, Kind.SOURCE_OFFLINE, Kind.GATEWAY_OFFLINE)
"""They have no weight; the first two have a floor (F9)."""
PRIORITY = {priority: column for column, priority in enumerate(Priority)}
_GAS = (TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE)
_PULSE = (Kind.H, Kind.HH)


class Column(IntEnum):
    """What the numbers are. SOURCE: row, -1 = it does not count. TAG: row, -1 = none. Instants are
    microseconds, FAR = not yet: SINCE from when it waits, ONSET of its newest activation, BACK when
    a gas value was back below its limit."""

    SOURCE = 0
    TAG = 1
    KIND = 2
    ALARM_CLASS = 3
    FAMILY = 4
    PHASE = 5
    PRIORITY = 6
    SINCE = 7
    ACKNOWLEDGED = 8
    EFFECTIVE = 9
    ONSET = 10
    BACK = 11
    MARKS = 12


class Mark(IntFlag):
    """Bits of MARKS. EASED: without any mode."""

    EASED = 1
    BEYOND = 2
    FALLS = 4
    PULSE = 8
    INCIDENT = 16
    ACTIVE = 32


_PACK = Struct(f"={len(Column)}q").pack


class AlarmRows:
    """Remembers the numbers of occurrences of one layout; those that it was not asked for the last
    time are forgotten."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._known: dict[UUID, tuple[Alarm, bytes]] = {}

    def of(self, alarms: Sequence[Alarm]) -> Ints:
        """int64[k, 13] by `Column`."""
        known, now = self._known, dict[UUID, tuple[Alarm, bytes]]()
        for alarm in alarms:
            entry = known.get(alarm.id)
            if entry is None or entry[0] is not alarm:
                entry = alarm, _PACK(*_numbers(self._layout, alarm))
            now[alarm.id] = entry
        self._known = now
        packed = b"".join([now[alarm.id][1] for alarm in alarms])
        return np.frombuffer(packed, np.int64).reshape(-1, len(Column))


def tag_of(layout: Layout, alarm: Alarm) -> Tag | None:
    """The tag of an occurrence, None if it is of a node, or its tag has left the registry."""
    return None if alarm.tag is None else layout.tags.get(alarm.tag)


def _numbers(layout: Layout, alarm: Alarm) -> Iterable[int]:
    tag = tag_of(layout, alarm)
    what = class_of(alarm, tag)
    low = alarm.kind in (Kind.LL, Kind.L)
    is_eased = easing.eases(tag, alarm.kind, RUN)
    priority = PRIORITY[alarm.priority]
    pulse = is_pulse(tag, alarm)
    marks = (
        Mark.EASED * is_eased
        | Mark.BEYOND * _beyond(alarm, tag)
        | Mark.FALLS * (low or (alarm.kind is Kind.ROC and alarm.value < 0))
        | Mark.PULSE * pulse
        | Mark.INCIDENT * is_incident(tag, alarm)
        | Mark.ACTIVE * (alarm.state in ACTIVE)
    )
    return (
        _source(layout, alarm, tag),
        -1 if tag is None else layout.tag_row[tag.id],
        alarm.kind,
        what,
        _family(layout, alarm, tag),
        _phase(alarm),
        max(priority, PRIORITY[easing.highest()]) if is_eased else priority,
        _since(alarm),
        FAR if alarm.acknowledged_at is None else micros(alarm.acknowledged_at),
        micros(alarm.effective),
        micros(alarm.onset_last or alarm.onset),
        _back(tag, alarm) if pulse else FAR,
        marks,
    )


def _phase(alarm: Alarm) -> Phase:
    if alarm.state in LATCHED:
        return Phase.LATCHED
    return Phase.RETURNED if alarm.state is State.RTNUN else Phase.ACTIVE


def _source(layout: Layout, alarm: Alarm, tag: Tag | None) -> int:
    """The source where its tag is now: one that is renamed in the site file becomes another node,
    its tags stay what they are. Of a node the source at or above it."""
    if alarm.lane is not Lane.LIVE:
        return -1
    home = layout.home.get(alarm.node) if tag is None else tag.source
    return -1 if home is None else layout.source_row[home]


def class_of(alarm: Alarm, tag: Tag | None) -> AlarmClass:
    """The class of the alarm policy; of a tag that has left the registry the worst it can be."""
    if tag is not None:
        return AlarmClass[policy.rule(tag.kind, alarm.kind).alarm_class]
    if alarm.tag is None:
        return AlarmClass[policy.rule(TagKind.OTHER, alarm.kind).alarm_class]
    worst = alarm.kind is Kind.HH and alarm.priority is Priority.P1
    return AlarmClass.GAS_L2 if worst else AlarmClass.UNREGISTERED


def _family(layout: Layout, alarm: Alarm, tag: Tag | None) -> Family:
    """A vote of members that nobody knows counts as the worst; a written rule as process, unless
    its members are of one family."""
    if alarm.kind not in (Kind.VOTE, Kind.COMPOSITE):
        return family(tag) if alarm.tag is not None else Family.PROCESS
    group = layout.groups.get(alarm.node)
    if group is None or not group.members:
        return Family.TOXIC if alarm.kind is Kind.VOTE else Family.PROCESS
    return group.family


def _beyond(alarm: Alarm, tag: Tag | None) -> bool:
    """Whether the worst value lay above the measuring range."""
    top = None if tag is None or tag.range is None else tag.range[1]
    return top is not None and not isnan(alarm.worst) and alarm.worst > top


def _since(alarm: Alarm) -> int:
    """From when it waits for an acknowledgement."""
    since = waits_since(alarm.onset, alarm.onset_last, alarm.effective, alarm.answered_s)
    return micros(since)


def is_pulse(tag: Tag | None, alarm: Alarm) -> bool:
    """Gas at its first or second level."""
    live = alarm.lane is Lane.LIVE
    return tag is not None and tag.kind in _GAS and alarm.kind in _PULSE and live


def is_incident(tag: Tag | None, alarm: Alarm) -> bool:
    """Gas, fire, HH or a rate of change."""
    if tag is None or alarm.lane is not Lane.LIVE:
        return False
    fire = tag.kind is TagKind.FIRE and alarm.kind in LIMITS
    return alarm.kind in (Kind.HH, Kind.ROC) or fire or is_pulse(tag, alarm)


def _back(tag: Tag | None, alarm: Alarm) -> int:
    """When the value came back: the off-delay before the alarm ended."""
    if alarm.ended is None or tag is None:
        return FAR
    return micros(alarm.ended) - round(policy.delay_off(tag, alarm.kind) * SECOND)
