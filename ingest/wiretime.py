"""Times as the wire writes them: RFC 3339 with offset, or integer milliseconds since 1970 UTC."""

from datetime import datetime

from domain.instant import SECOND, micros
from ingest.rejection import Rejection, shown

FIRST = 946_684_800 * SECOND
"""2000-01-01 UTC: a time before it is a clock that was never set."""
END = 253_402_214_400 * SECOND
"""9999-12-31 UTC: later than this nothing can be written down."""
ALLOWED = "allowed are RFC 3339 with an offset, and integer milliseconds since 1970 UTC"


def instant(said: object) -> int | Rejection:
    """Microseconds since 1970 UTC; or `naive_time`, `too_old` (before 2000), `bad_time`."""
    if isinstance(said, str):
        us = _from_text(said)
    elif isinstance(said, int | float) and not isinstance(said, bool) and said == said // 1:
        us = int(said) * 1000 if abs(said) < END else END
    else:
        us = Rejection("bad_time", f"time {shown(said)}: {ALLOWED}")
    if isinstance(us, Rejection) or FIRST <= us < END:
        return us
    if us < FIRST:
        return Rejection("too_old", f"time {shown(said)} is before the year 2000")
    return Rejection("bad_time", f"time {shown(said)} is beyond the year 9999")


def _from_text(said: str) -> int | Rejection:
    leap = said[17:19] == "60"
    text = f"{said[:17]}59{said[19:]}" if leap else said
    try:
        moment = datetime.fromisoformat(f"{text[:-1]}Z" if text.endswith("z") else text)
    except ValueError:
        return Rejection("bad_time", f"time {shown(said)}: {ALLOWED}")
    if moment.tzinfo is None:
        return Rejection("naive_time", f"time {shown(said)} has no offset; {ALLOWED}")
    return micros(moment) + (SECOND if leap else 0)
