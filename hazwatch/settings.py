"""One tree of settings, read once from the environment (`HAZWATCH_…`) and checked at the start."""

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from domain.alarms import Priority

Role = Literal["worker", "api"]


PASSWORD = re.compile(r"(?<=://)([^/@]*):[^/@]*(?=@)|(?<=password=)[^&\s]*")
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

    flush_after_s: float = Field(
        0.05, gt=0, le=5, description="samples wait at most this long for a common commit"
    )
    flush_samples: int = Field(50_000, gt=0, description="and at most this many go in one")
    queue_samples: int = Field(
        500_000,
        gt=0,
        description="judged samples that may wait for the database before reading pauses",
    )
    inbox_bytes: int = Field(
        32 * 2**20, gt=0, description="unread messages held in memory before the socket is left"
    )
    spool_bytes: int = Field(
        4 * 2**30, gt=0, description="disk the spool may take while the database is away"
    )
    tick_s: float = Field(0.25, gt=0, le=5, description="how often delays and silence are checked")
    snapshot_every_s: float = Field(10.0, gt=0, description="how often the rules' state is saved")
    replay_quiet_s: float = Field(
        10.0, ge=0, description="how long late data must be quiet before it is judged again"
    )
    lease_s: float = Field(15.0, gt=1, description="how long a worker's lease lasts unrenewed")
    stop_within_s: float = Field(20.0, gt=0, description="deadline of an orderly stop")

    webhooks: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="addresses that get alarms by HTTP POST"
    )
    webhook_priorities: Annotated[frozenset[Priority], NoDecode] = Field(
        frozenset({Priority.P1, Priority.P2}), description="which priorities they get"
    )
    webhook_secret: SecretStr = Field(SecretStr(""), description="key of the webhook signature")
    escalation_file: Path | None = Field(
        None, description="a jurisdiction's own ladder (TOML) instead of the shipped one"
    )
    contacts_file: Path | None = Field(
        None, description="who holds which role of the ladder and where to reach them (TOML)"
    )
    mqtt_events: bool = Field(True, description="publish events under hw/v1/events/…")

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

    @field_validator("webhooks", "webhook_priorities", mode="before")
    @classmethod
    def _by_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value


def shown(value: object) -> str:
    """A value as it is written in the environment, without passwords."""
    if isinstance(value, tuple | frozenset):
        return ",".join(sorted(shown(part) for part in value))
    return PASSWORD.sub(
        lambda found: f"{found[1]}:***" if found[1] is not None else "***", str(value)
    )
