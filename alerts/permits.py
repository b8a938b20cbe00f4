"""What permits and modes do to alarms, and what other management inputs do to sources.

Nothing of this takes anything from an activation that began before the permit or mode was recorded.
A permit quietens what begins while it is open; that becomes loud when the permit ends before it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from alerts.layout import Layout
from domain import input_rules, policy
from domain.alarms import Alarm
from domain.frame import Ints
from domain.inputs import Input, InputKind
from domain.instant import FAR, micros, moment
from domain.plant import Tag, TagKind
from domain.risk import Colour
from domain.risk_facts import Effect, InputTable

RUN = "run"


@dataclass(frozen=True, slots=True)
class Span:
    """While something is open: microseconds, end FAR = no end. agreed: two persons say so."""

    begin: int
    end: int
    agreed: bool = True

    def covers(self, alarm: Alarm, now: int) -> bool:
        """Whether it spares an occurrence: its newest activation began inside, and either the span
        still lasts, or the condition was gone before its end."""
        if micros(alarm.onset_last or alarm.onset) <= self.begin:
            return False
        return now < self.end or (alarm.ended is not None and micros(alarm.ended) <= self.end)


@dataclass(frozen=True, slots=True, eq=False)
class Permits:
    """Spans by tag id (permits) and by node id (modes, with their word), of all that has begun."""

    tags: Mapping[int, Sequence[Span]]
    modes: Mapping[int, Sequence[tuple[Span, str]]]

    def quiet(self, alarm: Alarm, now: int) -> bool:
        """Whether a permit of its tag spares it; one of a single person nothing that is P1 or P2,
        or is so outside the mode that eases it."""
        spans = () if alarm.tag is None else self.tags.get(alarm.tag, ())
        urgent = input_rules.takes_two(None, alarm.priority) or alarm.eased is not None
        return any(span.covers(alarm, now) for span in spans if span.agreed or not urgent)

    def mode(self, layout: Layout, alarm: Alarm, now: int) -> str:
        """The mode of its unit that was declared before it began; run where there is none.

        A vessel's own goes before that of its source."""
        tag = None if alarm.tag is None else layout.tags.get(alarm.tag)
        if not self.modes or tag is None:
            return RUN
        onset = micros(alarm.onset_last or alarm.onset)
        own = self.modes.get(layout.vessel.get(tag.id, (-1, ""))[0], ())
        for span, mode in (*own, *_until(self.modes.get(tag.source, ()), own, onset)):
            if span.begin < onset < span.end:
                return mode if span.covers(alarm, now) else RUN
        return RUN


def _until(
    whole: Iterable[tuple[Span, str]], own: Iterable[tuple[Span, str]], onset: int
) -> Iterator[tuple[Span, str]]:
    """The modes of a source for what began at `onset`: they end where one of the vessel begins."""
    end = min((span.begin for span, _ in own if span.begin > onset), default=FAR)
    yield from ((Span(span.begin, min(span.end, end)), mode) for span, mode in whole)


def permits_of(layout: Layout, inputs: Iterable[Input], now: int) -> Permits:
    """The permits and modes that have begun by `now`."""
    tags: dict[int, list[Span]] = defaultdict(list)
    modes: dict[int, list[tuple[Span, str]]] = defaultdict(list)
    calibrated: dict[int, list[Span]] = defaultdict(list)
    for one in sorted(inputs, key=lambda one: (one.begin, one.recorded, one.id)):
        span = _span(one)
        if span.begin > now:
            continue
        if one.kind is InputKind.MODE:
            modes[one.node].append((span, str(one.value["mode"])))
        elif one.kind is InputKind.PERMIT:
            for tag in _permitted(layout, one):
                if not span.agreed and policy.is_grave(tag):
                    continue
                if _fits(layout, one, tag, span, calibrated):
                    tags[tag.id].append(span)
    return Permits(tags, {node: _in_turn(spans) for node, spans in modes.items()})


def _span(one: Input) -> Span:
    end = FAR if one.end is None else micros(one.end)
    if one.kind is InputKind.PERMIT and input_rules.is_calibration(one):
        longest = input_rules.longest(one.kind, input_rules.CALIBRATION)
        assert longest is not None
        end = min(end, micros(one.begin + longest))
    return Span(micros(one.begin), end, one.second is not None)


def _in_turn(spans: Sequence[tuple[Span, str]]) -> list[tuple[Span, str]]:
    """A mode ends when the next one of its unit begins."""
    ends = [span.begin for span, _ in spans[1:]] + [FAR]
    return [
        (Span(span.begin, min(span.end, end)), mode)
        for (span, mode), end in zip(spans, ends, strict=True)
    ]


def _permitted(layout: Layout, permit: Input) -> Iterator[Tag]:
    """The tag that a permit names, or the tags of its zone; of those no gas or fire detector."""
    if permit.tag is not None:
        if permit.tag in layout.tags:
            yield layout.tags[permit.tag]
        return
    source, zone = layout.home.get(permit.node), permit.value.get("zone")
    for tag in layout.tags.values():
        if tag.source == source and tag.zone == zone and tag.kind not in input_rules.DETECTORS:
            yield tag


def _fits(
    layout: Layout, permit: Input, tag: Tag, span: Span, calibrated: dict[int, list[Span]]
) -> bool:
    """Whether not too many detectors of the zone are calibrated at one time already."""
    if not input_rules.is_calibration(permit) or tag.kind not in input_rules.DETECTORS:
        return True
    place = int(layout.tag_table.place[layout.tag_row[tag.id]])
    others = [other for other in calibrated[place] if other.end > span.begin]
    same = np.flatnonzero(layout.tag_table.place == place).tolist()
    kinds = (layout.tags[int(layout.tag_table.ids[row])].kind for row in same)
    if len(others) >= input_rules.together(sum(kind in input_rules.DETECTORS for kind in kinds)):
        return False
    calibrated[place].append(span)
    return True


def out_of_service(layout: Layout, permits: Permits, now: int) -> Ints:
    """int64[n]: since when each tag is under a permit that is open at `now`, FAR = it is not."""
    out = layout.tag_table.out.copy()
    for tag, spans in permits.tags.items():
        begins = [span.begin for span in spans if now < span.end]
        if begins:
            out[layout.tag_row[tag]] = min(begins)
    return out


def expected_trip(tag: Tag | None, mode: str) -> bool:
    """Whether a mode expects that this interlock acts, or is tested."""
    interlock = tag is not None and tag.kind is TagKind.INTERLOCK
    return interlock and mode in input_rules.value("mode", "trip")


def input_table(layout: Layout, inputs: Iterable[Input], now: int) -> InputTable:
    """What inputs do to sources at `now`, microseconds."""
    rows = [
        (one, effect, source)
        for one, effect in _effects(list(inputs), moment(max(now, 0)))
        for source in layout.below.get(one.node, ())
    ]
    places = [layout.metres(one.enterprise, _position(one)) for one, _, _ in rows]
    return InputTable(
        tuple(one.id for one, _, _ in rows),
        np.array([source for _, _, source in rows], np.int32),
        np.array([effect for _, effect, _ in rows], np.int8),
        np.array([_colour(one) for one, _, _ in rows], np.int8),
        np.array([x for x, _ in places], np.float64),
        np.array([y for _, y in places], np.float64),
        np.array([one.enterprise for one, _, _ in rows], np.int32),
    )


def _effects(inputs: Sequence[Input], at: datetime) -> Iterator[tuple[Input, Effect]]:
    standing = [one for one in inputs if one.revoked is None or one.revoked > at]
    yield from _overdue(standing, at, InputKind.COMMITMENT, Effect.COMMITMENT)
    yield from _overdue(standing, at, InputKind.DUTY, Effect.DUTY)
    for one in standing:
        match one.kind:
            case InputKind.HIDDEN_HAZARD if one.until is not None and one.until <= at:
                yield one, Effect.MAJOR if one.value.get("major") else Effect.HAZARD
            case InputKind.MANUAL if one.holds(at):
                yield one, Effect.REPORT
            case InputKind.COLOUR_SET if one.holds(at):
                yield one, Effect.COLOUR
            case InputKind.OFFLINE_REPORT if one.holds(at):
                yield one, Effect.OFFLINE
            case InputKind.SPECIAL_WORK if one.value.get("work") == "hot_work" and one.holds(at):
                yield one, Effect.HOT_WORK


def _overdue(
    standing: Sequence[Input], at: datetime, kind: InputKind, effect: Effect
) -> Iterator[tuple[Input, Effect]]:
    """What was done at least once and is due again: of each node and role, the last time."""
    newest: dict[tuple[int, object], Input] = {}
    for one in standing:
        key = one.node, one.value.get("role")
        if one.kind is kind and one.until is not None:
            known = newest.get(key)
            if known is None or (known.until or at, known.recorded) < (one.until, one.recorded):
                newest[key] = one
    for one in newest.values():
        if one.until is not None and one.until <= at:
            yield one, effect


def _position(one: Input) -> tuple[float, float] | None:
    said = one.value.get("position")
    if not isinstance(said, list | tuple) or len(said) != 2:
        return None
    return float(said[0]), float(said[1])


def _colour(one: Input) -> int:
    word = one.value.get("colour")
    return Colour[str(word).upper()] if one.kind is InputKind.COLOUR_SET else Colour.BLUE
