"""Alarms that ask for an acknowledgement: since when and until when they wait, and their notices:
after it nothing goes out. Pure."""

from datetime import datetime

from domain.acknowledging import acknowledge_by, waits_since
from domain.alarms import WAITING, Alarm, Notice
from domain.frame import Lane
from domain.plant import Registry

ASKING = frozenset({"raise", "worsen", "upgrade", "rejoin", "re_alarm"})
"""Events after which somebody has to acknowledge."""
HEARD_AGAIN = frozenset({"unshelve", "unsuppress", "return_to_service"})
"""Events after which somebody has to, unless somebody has."""
UNACKNOWLEDGED = "unacknowledged"
"""Reason of notices that the console has not 确认超时 (`alerts.ack_overdue`)."""


def asks(notice: Notice) -> bool:
    """Whether a notice asks for an acknowledgement of an alarm."""
    change = notice.body.get("transition")
    said = change if isinstance(change, dict) else {}
    waits = said.get("event") in HEARD_AGAIN and said.get("to") in WAITING
    late = notice.body.get("reason") == UNACKNOWLEDGED
    return notice.body.get("type") == "alarm" and (late or waits or said.get("event") in ASKING)


def unanswered(alarm: Alarm | None) -> bool:
    """Whether somebody still has to acknowledge it. None: it was closed long ago."""
    return alarm is not None and alarm.state in WAITING


def waiting_since(alarm: Alarm) -> datetime | None:
    """Since when somebody has to acknowledge it; None: nobody has to, or a flag silences it."""
    if alarm.state not in WAITING or alarm.is_silent or alarm.lane is not Lane.LIVE:
        return None
    return waits_since(alarm.onset, alarm.onset_last, alarm.effective, alarm.answered_s)


def ack_by(registry: Registry, alarm: Alarm, since: datetime) -> datetime:
    """By when its console should acknowledge what waits since then."""
    tag = None if alarm.tag is None else registry.tags.get(alarm.tag)
    return acknowledge_by(alarm.kind, None if tag is None else tag.kind, since)
