"""Which of the alarms behind a case people have to read of first. Pure."""

from collections.abc import Sequence

from alerts.case_notices import Behind
from alerts.events import alarm_body
from domain.alarms import Alarm, Kind, State
from domain.plant import Registry

ACTIVE = (State.UNACK, State.ACKED)
OUTER = (Kind.HH, Kind.LL)


def behind(registry: Registry, alarms: Sequence[Alarm], *, drilled: bool) -> Behind:
    """The gravest of the open occurrences, and how many there are besides: by priority, what still
    holds before what has returned, HH and LL before H and L, the longest open first."""
    standing = [alarm for alarm in alarms if alarm.state is not State.NORM]
    if not standing:
        return Behind(drilled=drilled)
    worst = min(
        standing,
        key=lambda one: (
            one.priority.value,
            one.state not in ACTIVE,
            one.kind not in OUTER,
            one.onset,
            one.id,
        ),
    )
    return Behind(alarm_body(registry, worst), len(standing) - 1, drilled)
