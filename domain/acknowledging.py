"""Since when an alarm waits for its console, and by when that should have acknowledged it. Pure."""

from datetime import datetime, timedelta

from domain import policy
from domain.alarms import Kind
from domain.plant import TagKind


def waits_since(
    onset: datetime, onset_last: datetime | None, effective: datetime, answered_s: float
) -> datetime:
    """From when an occurrence waits, members as `domain.alarms.Alarm` has them.

    One that came back has waited from the start, but for the time in which it was acknowledged.
    """
    rejoined = onset_last not in (None, onset)
    return (onset if rejoined else effective) + timedelta(seconds=answered_s)


def acknowledge_by(kind: Kind, tag: TagKind | None, since: datetime) -> datetime:
    """When the policy's `ack` of an alarm is over that waits since then. tag: None = of a node."""
    row = policy.rule(TagKind.OTHER if tag is None else tag, kind)
    return since + timedelta(seconds=row.ack_s)
