"""`ByDesign`: which alarms a declared mode or an open permit keeps silent, and by which input
(domain.md 4.5a, 5.2 #19 and #20). Pure.

What begins under a permit to calibrate, and a trip that a declared mode plans, is suppressed; what
begins under one to maintain or to take out of service is out of service. A permit of one person
does so to no P1 or P2, and to no gas, fire or safety-critical tag. What else a mode expects is
eased: less urgent (`domain.easing`), not silent. Gas and fire never by a mode.
The flag goes when its permit has ended, or its mode, by time or by a newer one of its unit, though
the condition may last: then it is loud. What was active before stays as it was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.alarm_rows import tag_of
from alerts.guards import OF_MANY, permits_tag
from alerts.layout import Layout
from alerts.permits import RUN, expected_trip, permits_of
from domain import easing, input_rules, policy
from domain.alarms import Alarm, Flag
from domain.elapsed import ClockReading, Timer
from domain.inputs import Input, InputKind, declared
from domain.instant import micros
from domain.plant import Tag


@dataclass(frozen=True, slots=True)
class Silence:
    """The flags under which an occurrence is. None = not so. eased: it is heard, less urgent."""

    suppressed: Flag | None = None
    out_of_service: Flag | None = None
    eased: Flag | None = None

    @property
    def is_silent(self) -> bool:
        """Whether it is not heard."""
        return self.suppressed is not None or self.out_of_service is not None


LOUD = Silence()


class ByDesign:
    """What the inputs of one moment keep silent. others: rules of other kinds that are in force
    (`alerts.parents`)."""

    def __init__(
        self,
        layout: Layout,
        inputs: Sequence[Input],
        now: ClockReading,
        others: frozenset[str] = frozenset(),
    ) -> None:
        self._others = others
        self._layout = layout
        self._now = now
        kinds = (InputKind.PERMIT, InputKind.MODE)
        self._inputs = [one for one in inputs if one.kind in kinds and one.holds(now.at)]
        self._permits = permits_of(layout, self._inputs, micros(now.at))
        self._modes = declared(self._inputs, now.at)

    def __bool__(self) -> bool:
        """Whether anything is open."""
        return bool(self._inputs)

    @property
    def permits(self) -> list[Input]:
        """The permits that are open."""
        return [one for one in self._inputs if one.kind is InputKind.PERMIT]

    def rules(self, alarm: Alarm) -> frozenset[str]:
        """What the flags of an occurrence may rest on: of modes only the one in force, and that
        silences trips alone (in earlier releases more)."""
        mode, tag = self._in_force(alarm), tag_of(self._layout, alarm)
        if mode is not None and alarm.eased is None and not _plans(mode, tag):
            mode = None
        known = self.permits if mode is None else [*self.permits, mode]
        return self._others.union(rule_of(one) for one in known)

    def of(self, alarm: Alarm) -> Silence:
        """The flags with which an occurrence, of ordinary priority, begins or begins again."""
        if not self._inputs:
            return LOUD
        tag, eased = tag_of(self._layout, alarm), self._eased(alarm)
        two = input_rules.takes_two(tag, alarm.priority)
        permit = next((one for one in self._permits_of(alarm) if one.second or not two), None)
        if permit is not None and self._permits.quiet(alarm, micros(self._now.at)):
            flag = flag_of(permit, self._now)
            if permit.value.get("work") == input_rules.CALIBRATION:
                return Silence(suppressed=flag, eased=eased)
            return Silence(out_of_service=flag, eased=eased)
        mode = self._mode(alarm)
        if mode is None or not _plans(mode, tag):
            return Silence(eased=eased)
        return Silence(suppressed=flag_of(mode, self._now))

    def _eased(self, alarm: Alarm) -> Flag | None:
        """By which mode it is less urgent than outside."""
        tag, mode = tag_of(self._layout, alarm), self._mode(alarm)
        if tag is None or mode is None or alarm.priority >= easing.highest():
            return None
        expected = easing.expects(tag, alarm.kind, str(mode.value["mode"]))
        return flag_of(mode, self._now) if expected else None

    def permit(self, alarm: Alarm) -> Input | None:
        """An open permit of its tag, one that takes out of service first."""
        return min(self._permits_of(alarm), key=input_rules.is_calibration, default=None)

    def _permits_of(self, alarm: Alarm) -> Iterator[Input]:
        tag = tag_of(self._layout, alarm)
        if tag is not None and alarm.kind not in OF_MANY:
            yield from (one for one in self._inputs if permits_tag(one, tag))

    def _mode(self, alarm: Alarm) -> Input | None:
        """The declared mode other than run in which it began."""
        tag = tag_of(self._layout, alarm)
        if tag is None or tag.kind in policy.GAS_AND_FIRE:
            return None
        mode = self._in_force(alarm)
        word = self._permits.mode(self._layout, alarm, micros(self._now.at))
        return None if mode is None or word == RUN or mode.value["mode"] != word else mode

    def _in_force(self, alarm: Alarm) -> Input | None:
        """The mode of its unit: a vessel's own, else that of its source."""
        tag = tag_of(self._layout, alarm)
        if tag is None:
            return self._modes.get(alarm.node)
        vessel = self._layout.vessel.get(tag.id, (-1, ""))[0]
        return self._modes.get(vessel) or self._modes.get(tag.source)


def _plans(mode: Input, tag: Tag | None) -> bool:
    """Whether a mode plans that the interlock of a tag trips."""
    return expected_trip(tag, str(mode.value["mode"]))


def rule_of(one: Input) -> str:
    """What a flag rests on."""
    return f"{one.kind.value}:{one.id}"


def flag_of(one: Input, now: ClockReading) -> Flag:
    """The flag that a permit or a mode gives, until it ends."""
    end: datetime | None = one.end
    timer = None if end is None else Timer((end - now.at).total_seconds(), now)
    what = str(one.value.get("work") or one.value.get("mode") or "")
    return Flag(now.at, end, one.who, what, one.second, rule_of(one), timer)
