"""What time, and permits and modes that have ended, do to an occurrence. Pure."""

from alerts.happenings import Verb
from domain.alarms import Alarm, Flag
from domain.elapsed import ClockReading, Timer


def timers(alarm: Alarm) -> list[Timer]:
    """Every timer that runs on an occurrence."""
    flags = (alarm.shelved, alarm.suppressed, alarm.out_of_service)
    found = [flag.timer for flag in flags if flag is not None] + [alarm.re_alarm]
    return [timer for timer in found if timer is not None]


def due(alarm: Alarm, now: ClockReading, rules: frozenset[str]) -> list[Verb]:
    """What has come to its end of an occurrence; rules: what is still in force."""
    verbs = (
        (Verb.UNSUPPRESS, alarm.suppressed),
        (Verb.PUT_BACK, alarm.out_of_service),
        (Verb.UNSHELVE, alarm.shelved),
    )
    found = [verb for verb, flag in verbs if flag is not None and _is_over(flag, now, rules)]
    if alarm.re_alarm is not None and alarm.re_alarm.remaining_s(now) <= 0:
        found.append(Verb.RE_ALARM)
    return found


def _is_over(flag: Flag, now: ClockReading, rules: frozenset[str]) -> bool:
    if flag.timer is not None and flag.timer.remaining_s(now) <= 0:
        return True
    return flag.rule.startswith(("permit:", "mode:", "rule:")) and flag.rule not in rules
