"""One tree of settings, read once from the environment (`HAZWATCH_…`) and checked at the start."""

import re
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from domain.addresses import presentable
from domain.alarms import Priority
from domain.plant import TagKind

Role = Literal["worker", "api"]
DrillLevel = Literal["enterprise", "park", "county", "city", "province"]
FileType = Literal["image/jpeg", "image/png", "image/webp", "image/heic", "application/pdf"]


PASSWORD = re.compile(r"(?<=://)([^/@]*):[^/@]*(?=@)|(?<=password=)[^&\s]*")
_CODE, _NUMBER = r"([A-Za-z0-9._-]{1,64})", r"(\d{1,15}(?:\.\d{1,6})?)"
QUOTA = re.compile(f"{_CODE}/{_CODE}={_NUMBER}:{_NUMBER}")
ARCHIVE = re.compile(r"([a-z_]+)=(\d{1,3}(?:\.\d{1,6})?):(\d{1,3}(?:\.\d{1,6})?)")
MOST_PERCENT = 5.0
SCHEMES = {"database_url": ("postgresql", "postgres"), "mqtt_url": ("mqtt", "mqtts")}


class Settings(BaseSettings):
    """Every setting, with its default. Lists are written with commas."""

    model_config = SettingsConfigDict(env_prefix="HAZWATCH_", env_ignore_empty=True, extra="ignore")

    database_url: str = Field(
        "postgresql://hazwatch@127.0.0.1:5432/hazwatch",
        description="where TimescaleDB (or plain PostgreSQL 16 and later) is",
    )
    mqtt_url: str = Field(
        "mqtt://127.0.0.1:1883", description="the broker: mqtt[s]://user:password@host:port"
    )
    mqtt_ca_file: str | None = Field(
        None, description="certificate authority of an mqtts:// broker, where not the system's"
    )
    shard: str = Field(
        "main", description="name of this worker: its lease, and its MQTT client id", min_length=1
    )
    data_dir: Path = Field(
        Path(".data"), description="where the spool lies, and the compiled rules"
    )

    api_host: str = Field("127.0.0.1", description="address that the api listens on")
    api_port: int = Field(8080, ge=0, le=65535, description="its port, 0 takes a free one")
    session_hours: float = Field(12.0, gt=0, description="how long a login lasts")
    secure_cookie: bool = Field(
        False, description="mark the session cookie Secure; set it behind TLS"
    )
    case_file_mb: float = Field(
        10.0, gt=0, le=50, description="largest photograph or file of a feedback, in MiB"
    )
    case_file_types: Annotated[frozenset[FileType], NoDecode] = Field(
        frozenset(get_args(FileType)),
        description="media types of those files; each is known by its content",
    )

    ingest_host: str = Field(
        "127.0.0.1", description="address of the listener for HTTP ingest alone"
    )
    ingest_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="its port, 0 takes a free one; none: only the api's listener takes samples",
    )
    ingest_requests: int = Field(
        64, gt=0, description="requests of HTTP ingest at once; the next gets 503"
    )
    ingest_values_per_s: float = Field(
        50_000, gt=0, description="values that an enterprise may send by HTTP, on the average"
    )
    ingest_bytes_per_s: float = Field(
        8 * 2**20, gt=0, description="and bytes, as they travel; above either it gets 429"
    )
    ingest_burst_s: float = Field(
        20, gt=0, le=3600, description="so many seconds' worth of that may come at once"
    )
    ingest_quotas: Annotated[dict[tuple[str, str], tuple[float, float]], NoDecode] = Field(
        default_factory=dict,
        description="enterprises with a quota of their own: PARK/ENTERPRISE=VALUES:BYTES a second",
    )

    flush_after_s: float = Field(
        0.05, gt=0, le=5, description="samples wait at most this long for a common commit"
    )
    flush_samples: int = Field(50_000, gt=0, description="and at most this many go in one")
    queue_samples: int = Field(
        500_000,
        gt=0,
        description="judged samples that may wait for the database before reading pauses",
    )
    shed_after_s: float = Field(
        5.0, gt=0, description="samples that wait longer than this for the database are spooled"
    )
    inbox_bytes: int = Field(
        32 * 2**20, gt=0, description="unread messages held in memory before the socket is left"
    )
    lag_alarm_s: float = Field(
        10.0, gt=0, description="an enterprise whose data are judged later than this is an alarm"
    )
    spool_bytes: int = Field(
        4 * 2**30, gt=0, description="disk the spool may take while the database is away"
    )
    tick_s: float = Field(0.25, gt=0, le=5, description="how often delays and silence are checked")
    snapshot_every_s: float = Field(10.0, gt=0, description="how often the rules' state is saved")
    replay_quiet_s: float = Field(
        10.0, ge=0, description="how long late data must be quiet before it is judged again"
    )
    gaps_keep_days: float = Field(
        1100, ge=1, description="how long the ledger of missing data is kept, in days"
    )
    keep_samples_days: int = Field(
        365, ge=30, description="days that samples are kept; the law asks for 30"
    )
    compress_after_days: int = Field(
        90, ge=7, description="days until they are compressed, where the server's licence has that"
    )
    keep_minutes_days: int = Field(
        1826, ge=30, validate_default=True, description="days that roll-ups by minute are kept"
    )
    keep_hours_days: int = Field(
        3653, ge=30, validate_default=True, description="days that roll-ups by hour are kept"
    )
    keep_quarantine_days: int = Field(
        90, ge=30, description="days that what was not understood is kept"
    )
    keep_events_days: int = Field(
        30, ge=1, description="days that a live stream can go back; alarms and warnings stay"
    )
    archive_filter: Annotated[dict[str, tuple[float, float]], NoDecode] = Field(
        default_factory=dict,
        description="kinds of tags to thin out: KIND=DEADBAND:DEVIATION in percent of the range",
    )
    archive_after_days: int = Field(
        35, ge=30, description="days until samples of these kinds are thinned out"
    )
    lease_s: float = Field(15.0, gt=1, description="how long a worker's lease lasts unrenewed")
    stop_within_s: float = Field(20.0, gt=0, description="deadline of an orderly stop")

    webhooks: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="addresses that get alarms: by HTTP POST, or as apprise knows them"
    )
    webhook_priorities: Annotated[frozenset[Priority], NoDecode] = Field(
        frozenset({Priority.P1, Priority.P2}), description="which priorities they get"
    )
    webhook_secret: SecretStr = Field(SecretStr(""), description="key of the webhook signature")
    notice_language: Literal["zh-CN", "en"] = Field(
        "zh-CN", description="language of notices to people, where their address names none"
    )
    notice_templates: Path | None = Field(
        None, description="a folder whose templates of notices replace the shipped ones"
    )
    apprise_timeout_s: float = Field(
        20.0, gt=0, le=25, description="a notice through apprise has to be taken within this"
    )
    digest_over: int = Field(
        10, ge=1, description="notices to one address in a minute; what is more comes as a digest"
    )
    page_url: str | None = Field(
        None, description="where people open the page; notices name it", pattern=r"^https?://\S+$"
    )
    escalation_file: Path | None = Field(
        None, description="an own ladder (TOML) instead of the shipped one"
    )
    escalation_ladders: Annotated[dict[str, Path], NoDecode] = Field(
        default_factory=dict,
        description="ladders of jurisdictions: NODE=FILE by commas; the nearest above a source",
    )
    contacts_file: Path | None = Field(
        None, description="who holds which role of the ladder and where to reach them (TOML)"
    )
    drill_levels: Annotated[frozenset[DrillLevel], NoDecode] = Field(
        frozenset(get_args(DrillLevel)),
        description="who may begin and end drills 演练, an enterprise for its own sources",
    )
    drill_max_h: float = Field(8.0, gt=0, le=72, description="a drill lasts at most so many hours")
    notice_endings: bool = Field(
        True, description="falls and closings of warnings are told to those told of the rise"
    )
    sparkplug_host_id: str = Field(
        "hazwatch",
        pattern=r"^[^/+#\x00]{0,64}$",
        description="name as a Sparkplug B host, of its own for each worker; empty: no host",
    )
    sparkplug_reorder_s: float = Field(
        3.0, ge=0, le=60, description="a message of an edge node waits so long for those before it"
    )
    sparkplug_rebirth_s: float = Field(
        10.0, ge=10, description="an edge node is asked for its births no more often"
    )
    mqtt_events: bool = Field(True, description="publish events under hw/v1/events/…")
    cap_sender: str = Field(
        "hazwatch",
        pattern=r"^[^\s,<&]{1,200}$",
        description="`sender` of CAP messages; those that are out keep theirs",
    )
    cap_status: Literal["Actual", "Exercise", "System", "Test", "Draft"] = Field(
        "Actual", description="`status` of CAP messages; a drill is an Exercise whatever this says"
    )
    cap_scope: Literal["Restricted", "Private"] = Field(
        "Restricted", description="`scope` of CAP messages; Public takes a government's decision"
    )
    cap_restriction: str = Field(
        "应急管理部门及相关企业 emergency management and the enterprises concerned",
        min_length=1,
        description="whom Restricted ones are for",
    )
    cap_addresses: str = Field(
        "",
        validate_default=True,
        description="to whom Private ones go, with blanks between the addresses",
    )
    cap_radius_m: float = Field(
        500.0, ge=0, le=100_000, description="circle around a source without a known boundary"
    )
    self_test: bool = Field(
        True, description="send a breach of its own all the way round, and say if it is not heard"
    )
    self_test_every_s: float = Field(60.0, ge=1, le=3600, description="how often")
    self_test_within_s: float = Field(
        10.0, gt=0, le=60, description="later than that it counts as missed; two in a row alarm"
    )
    self_test_missed_percent: float = Field(
        20.0, gt=0, le=100, description="more missed within an hour alarm, too"
    )
    self_test_late: int = Field(
        10, ge=1, description="so many in a row that are durable too late alarm, too"
    )
    self_test_role: str = Field(
        "PK", description="role of the contact file whose holders are told that it has failed"
    )

    timezone: ZoneInfo = Field(
        ZoneInfo("Asia/Shanghai"), description="in which people read the times of alarm sentences"
    )
    log_json: bool = Field(False, description="log lines as JSON")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")

    @field_validator("database_url", "mqtt_url")
    @classmethod
    def _is_address(cls, url: str, field: ValidationInfo) -> str:
        schemes = SCHEMES[str(field.field_name)]
        if urlsplit(url).scheme not in schemes:
            raise ValueError(f"expected {schemes[0]}://user:password@host:port")
        return url

    @field_validator("cap_addresses")
    @classmethod
    def _private_to_somebody(cls, addresses: str, field: ValidationInfo) -> str:
        if field.data.get("cap_scope") == "Private" and not addresses.strip():
            raise ValueError("a Private message goes to addresses; name them")
        return addresses.strip()

    @field_validator("archive_filter", mode="before")
    @classmethod
    def _filters(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found = {}
        for part in filter(None, (part.strip() for part in value.split(","))):
            said = ARCHIVE.fullmatch(part)
            if said is None or said[1] not in set(TagKind):
                raise ValueError(f"{part!r}: expected KIND=DEADBAND:DEVIATION, such as level=0:0.1")
            found[said[1]] = float(said[2]), float(said[3])
            if sum(found[said[1]]) > MOST_PERCENT:
                raise ValueError(f"{part!r}: together they may be {MOST_PERCENT} % at most")
        return found

    @field_validator("keep_minutes_days", "keep_hours_days")
    @classmethod
    def _longer_where_coarser(cls, days: int, field: ValidationInfo) -> int:
        finer = {"keep_minutes_days": "keep_samples_days", "keep_hours_days": "keep_minutes_days"}
        least = field.data.get(finer[str(field.field_name)], 0)
        if days < least:
            raise ValueError(f"what it is made of is kept {least} days, so it must be as many")
        return days

    @field_validator(
        "webhooks", "webhook_priorities", "case_file_types", "drill_levels", mode="before"
    )
    @classmethod
    def _by_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("escalation_ladders", mode="before")
    @classmethod
    def _ladders(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found = {}
        for part in filter(None, (part.strip() for part in value.split(","))):
            node, _, file = (one.strip() for one in part.partition("="))
            if not node or not file or node in found:
                raise ValueError(f"{part!r}: expected NODE=FILE, each node once")
            found[node] = file
        return found

    @field_validator("ingest_quotas", mode="before")
    @classmethod
    def _quotas(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found = {}
        for part in filter(None, (part.strip() for part in value.split(","))):
            said = QUOTA.fullmatch(part)
            if said is None or not (float(said[3]) > 0 and float(said[4]) > 0):
                raise ValueError(f"{part!r}: expected PARK/ENTERPRISE=VALUES:BYTES, both above 0")
            found[said[1], said[2]] = float(said[3]), float(said[4])
        return found


def shown(value: object) -> str:
    """A value as it is written in the environment, without passwords."""
    if isinstance(value, dict):
        if all(isinstance(one, Path) for one in value.values()):
            return ",".join(f"{node}={file}" for node, file in value.items())
        quotas = value.items()
        named = ((of if isinstance(of, str) else "/".join(of), pair) for of, pair in quotas)
        return ",".join(f"{of}={rate:.15g}:{size:.15g}" for of, (rate, size) in named)
    if isinstance(value, tuple | frozenset):
        return ",".join(sorted(_shown_part(str(part)) for part in value))
    return PASSWORD.sub(
        lambda found: f"{found[1]}:***" if found[1] is not None else "***", str(value)
    )


def _shown_part(part: str) -> str:
    """One of several: of an address that is all key, its scheme alone."""
    return presentable(part) if presentable(part).endswith("://…") else shown(part)
