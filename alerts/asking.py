"""Notices of alarms that ask for an acknowledgement: after it nothing goes out. Pure."""

from domain.alarms import WAITING, Alarm, Notice

ASKING = frozenset({"raise", "worsen", "upgrade", "rejoin", "re_alarm", "unshelve"})
"""Events after which somebody has to acknowledge."""
UNACKNOWLEDGED = "unacknowledged"
"""Reason of notices that the console has not 确认超时 (`alerts.ack_overdue`)."""


def asks(notice: Notice) -> bool:
    """Whether a notice asks for an acknowledgement of an alarm."""
    change = notice.body.get("transition")
    said = change.get("event") if isinstance(change, dict) else None
    late = notice.body.get("reason") == UNACKNOWLEDGED
    return notice.body.get("type") == "alarm" and (late or said in ASKING)


def unanswered(alarm: Alarm | None) -> bool:
    """Whether somebody still has to acknowledge it. None: it was closed long ago."""
    return alarm is not None and alarm.state in WAITING
