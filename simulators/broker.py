"""Where a gateway finds its broker."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and who we are there."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    tls: bool = False

    @staticmethod
    def of(url: str) -> "Broker":
        """From mqtt[s]://user:password@host:port; raises `ValueError` for anything else."""
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError(f"{url!r} is no broker; allowed: mqtt[s]://user:password@host:port")
        tls = parts.scheme == "mqtts"
        return Broker(
            parts.hostname,
            parts.port or (8883 if tls else 1883),
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
            tls,
        )

    def __str__(self) -> str:
        return f"mqtt{'s' if self.tls else ''}://{self.host}:{self.port}"
