"""What time, and permits and modes that have ended, do to an occurrence. Pure."""

from alerts.happenings import Verb
from domain.alarms import ACTIVE, Alarm, Flag
from domain.elapsed import ClockReading, Timer


def timers(alarm: Alarm) -> list[Timer]:
    """Every timer that runs on an occurrence."""
    flags = (alarm.shelved, alarm.suppressed, alarm.out_of_service, alarm.eased)
    found = [flag.timer for flag in flags if flag is not None] + [alarm.re_alarm]
    return [timer for timer in found if timer is not None]


def due(alarm: Alarm, now: ClockReading, rules: frozenset[str]) -> list[Verb]:
    """What has come to its end of an occurrence, in order; rules: what is still in force.

    No shelf of what a mode eased outlasts the mode: it may be too long for what it is now.
    """
    eased = alarm.eased if alarm.state in ACTIVE else None
    ends = eased is not None and _is_over(eased, now, rules)
    found = [Verb.UPGRADE] if ends else []
    verbs = ((Verb.UNSUPPRESS, alarm.suppressed), (Verb.PUT_BACK, alarm.out_of_service))
    found += [verb for verb, flag in verbs if flag is not None and _is_over(flag, now, rules)]
    if alarm.shelved is not None and (ends or _is_over(alarm.shelved, now, rules)):
        found.append(Verb.UNSHELVE)
    if alarm.re_alarm is not None and alarm.re_alarm.remaining_s(now) <= 0:
        found.append(Verb.RE_ALARM)
    return found


def _is_over(flag: Flag, now: ClockReading, rules: frozenset[str]) -> bool:
    if flag.timer is not None and flag.timer.remaining_s(now) <= 0:
        return True
    return flag.rule.startswith(("permit:", "mode:", "rule:")) and flag.rule not in rules
