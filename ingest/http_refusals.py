"""Answers of HTTP ingest that are not 200, each with a sentence that says what to do."""

from math import ceil

from domain.instant import SECOND
from ingest.rejection import Rejection
from ingest.unpack import MAX_RAW

CODINGS = "gzip, zstd"
"""What `Content-Encoding` may say."""
EXAMPLE = '{"samples": [{"time": "2026-11-21T08:00:00Z", "values": {"LT-201": 7.3}}]}'
AWAY_S, BUSY_S, CLOSED_S = 5, 1, 10
"""Seconds after which it is worth trying again."""
TOO_LARGE = frozenset({"too_large", "too_many_values"})
"""Reasons for which a message has to be split."""


class Refused(Exception):
    """An answer that is not 200. slug: its kind; more: further members of the problem."""

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        **more: object,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.detail = detail
        self.headers = headers or {}
        self.more = more


def _later(status: int, slug: str, detail: str, seconds: int, **more: object) -> Refused:
    return Refused(status, slug, detail, headers={"Retry-After": str(seconds)}, **more)


def closed(why: str) -> Refused:
    """No worker is at work here."""
    return _later(503, "not-taking", f"{why}; nothing was taken.", CLOSED_S)


def away() -> Refused:
    """Before anything was taken."""
    return _later(
        503,
        "not-durable",
        "The database is away or too slow, so this can't be made durable now; nothing was taken. "
        "Keep it and send it again.",
        AWAY_S,
    )


def away_meanwhile() -> Refused:
    """While it waited."""
    return _later(
        503,
        "not-durable",
        "The database went away before it could confirm this. Keep it and send it again: what is "
        "there already counts as duplicate, so that costs nothing.",
        AWAY_S,
    )


def unsure() -> Refused:
    """The database was heard last while it wrote this."""
    return _later(
        503,
        "not-durable",
        "Whether the database has this is not certain. Keep it and send it again: what is there "
        "already counts as duplicate, so that costs nothing.",
        BUSY_S,
    )


def keys_unknown() -> Refused:
    """The keys that hold could not be read lately."""
    return _later(503, "not-durable", "Keys can't be checked now; nothing was taken.", AWAY_S)


def busy(requests: int) -> Refused:
    """As many requests are under way as are served at once."""
    told = f"{requests} requests are under way, no more are served at once; nothing was taken."
    return _later(503, "not-taking", told, BUSY_S)


def backlog() -> Refused:
    """The worker has not judged yet what came before."""
    told = "Too much of this enterprise waits to be judged; nothing of this was taken."
    return _later(503, "not-taking", told, BUSY_S)


def crowded(who: str, requests: int) -> Refused:
    """One gateway, or one enterprise, has too many requests under way."""
    told = (
        f"This {who} has {requests} requests under way, no more are taken at once; nothing of "
        "this one was. Wait for their answers first."
    )
    return _later(429, "over-quota", told, BUSY_S)


def over_quota(wait: int, values_per_s: float, bytes_per_s: float) -> Refused:
    """An enterprise sent more than it may. wait: microseconds."""
    told = (
        f"This enterprise may send {values_per_s:g} values and {bytes_per_s:g} bytes a second on "
        "the average and has sent more; nothing was taken. Wait as long as Retry-After says."
    )
    seconds = ceil(wait / SECOND)
    return _later(429, "over-quota", told, seconds, wait_s=round(wait / SECOND, 3))


def no_credentials() -> Refused:
    """No key came, or one that does not hold."""
    return Refused(
        401,
        "no-gateway-key",
        "Send a key of this gateway as `Authorization: Bearer hwk_…` (hazwatch gateway key add "
        "makes one), or the session of somebody with the role enterprise. What came is neither, "
        "has run out, or was revoked.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def too_many_failures(seconds: int) -> Refused:
    """An address tried too many keys."""
    told = "Too many requests without a key that holds came from this address."
    return _later(429, "too-many-failures", told, seconds)


def not_yours(place: str) -> Refused:
    """The key or person is somebody, but not for this place."""
    return Refused(403, "not-your-gateway", f"These credentials do not speak for {place}.")


def no_gateway(place: str) -> Refused:
    """Told to those only who may speak for the enterprise."""
    return Refused(
        403, "not-your-gateway", f"{place} is not in the registry: name it in the site file."
    )


def bad_coding(said: str) -> Refused:
    """A `Content-Encoding` that is none of ours."""
    told = f"Content-Encoding {said[:80]!r} is not understood; allowed is one of: {CODINGS}."
    return Refused(415, "bad-coding", told, headers={"Accept-Encoding": CODINGS})


def too_slow(seconds: float) -> Refused:
    """The body did not come."""
    told = f"The body did not come within {seconds:g} s; nothing was taken. Compress or split it."
    return Refused(408, "too-slow", told, headers={"Connection": "close"})


def too_large() -> Refused:
    """More bytes than are read."""
    told = f"A body has at most {MAX_RAW} bytes as it travels; nothing was taken. Split it."
    return Refused(413, "too-large", told, max_bytes=MAX_RAW)


def unreadable(why: Rejection) -> Refused:
    """A message of which nothing could be taken. It is kept in the quarantine."""
    status, slug = (413, "too-large") if why.reason in TOO_LARGE else (422, "unreadable")
    told = (
        f"{why.detail}. Nothing of it was stored. Allowed is the JSON of docs/mqtt.md, plain, gzip "
        f"or zstd, such as {EXAMPLE}"
    )
    return Refused(status, slug, told, reason=why.reason)
