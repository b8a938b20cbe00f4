"""What the api can be told, with its defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from api.files import TYPES
from domain.cap import CapOptions
from domain.escalation import Ladder, default


@dataclass(frozen=True, slots=True)
class ApiOptions:
    """Settings of the api; times in seconds.

    session_s: how long a login lasts. secure_cookie: mark the cookie Secure even where the request
    did not come over https by itself. trusted_proxies: addresses whose X-Forwarded-For counts, by
    commas. action_wait_s: how long an action waits for the worker before it answers 202.
    heartbeat_s: longest silence of the live stream; clients may call it dead after 10 s.
    session_check_s: how often a live stream looks whether its session still stands.
    streams, streams_per_person: connections to the live stream; the next one gets 429.
    stream_page: events read from the database at once. body_bytes: longest request body;
    file_bytes, file_types: of a file that is sent for a warning. ladder: what roles are called and
    how soon somebody has to sign; by_node: ladders of jurisdictions (`domain.ladders`); the
    worker's. cap: who speaks in CAP messages, and to whom.
    zone: where the days of a statistic begin.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    session_s: float = 12 * 3600.0
    secure_cookie: bool = False
    trusted_proxies: str = ""
    action_wait_s: float = 2.0
    heartbeat_s: float = 5.0
    session_check_s: float = 30.0
    streams: int = 200
    streams_per_person: int = 10
    stream_page: int = 500
    body_bytes: int = 64 * 1024
    file_bytes: int = 10 << 20
    file_types: tuple[str, ...] = TYPES
    stop_within_s: float = 5.0
    ladder: Ladder = field(default_factory=default)
    by_node: Mapping[tuple[str, ...], Ladder] = field(default_factory=dict)
    cap: CapOptions = field(default_factory=CapOptions)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
