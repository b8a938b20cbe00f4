"""Instants: aware UTC `datetime` at the borders, int64 microseconds since 1970 UTC in arrays."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
"""Microseconds in a second."""
NEVER = -(2**62)
"""An instant before all others: "no sample yet", "nothing pending"."""
FAR = 2**62
"""An instant after all others: "never due"."""

_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC, exactly; a naive `moment` raises `TypeError`."""
    return (moment - EPOCH) // _MICROSECOND


def moment(us: int) -> datetime:
    """The aware UTC datetime of an instant in microseconds."""
    return EPOCH + timedelta(microseconds=int(us))


def rfc3339(when: datetime) -> str:
    """RFC 3339 in UTC with `Z`, with microseconds only where there are any."""
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")
