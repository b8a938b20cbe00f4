"""Webhook channel: an HTTP POST of the event's JSON, signed so that the receiver knows who sent
it, and when."""

import asyncio
import hashlib
import hmac
import os
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

import aiohttp
import certifi
import msgspec
from yarl import URL

from alerts.channels.channel import DeliveryError
from alerts.drill import marked
from domain.alarms import Notice
from domain.clock import Clock, SystemClock

HEADER_BYTES = 1 << 16
"""Longest line of an answer's head."""


class WebhookChannel:
    """POSTs notices, signed where a secret is set (docs/notices.md shows how to verify).

    `X-Hazwatch-Timestamp`: seconds since 1970 of this attempt. `X-Hazwatch-Signature-Timed:
    sha256=<HMAC of timestamp, a full stop and body>`; `X-Hazwatch-Signature: sha256=<HMAC of the
    body>`, which a listener on the way could send again at any time, stays for receivers that know
    only it. `Idempotency-Key` is the notice's id: a receiver that keeps the keys sees each once.

    Certificates are trusted that this machine trusts, or certifi; those of SSL_CERT_FILE alone
    where that is set. A proxy of the environment (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY), as
    it was when the channel was made, is used; what it says of passwords (.netrc) is not.
    """

    def __init__(
        self, secret: str = "", timeout_s: float = 10.0, clock: Clock | None = None
    ) -> None:
        self._secret = secret.encode()
        self._timeout_s = timeout_s
        self._clock = clock or SystemClock()
        self._opened: aiohttp.ClientSession | None = None
        self._proxies: Mapping[str, str] = getproxies_environment()

    async def send(self, notice: Notice) -> None:
        """Deliver, or raise `DeliveryError` with what the other side said."""
        body = msgspec.json.encode(marked(notice.body))
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(notice.id)}
        headers |= self._signed(body)
        try:
            async with asyncio.timeout(self._timeout_s):
                status = await self._post(notice.recipient, body, headers)
        except TimeoutError as error:
            raise DeliveryError(f"no whole answer within {self._timeout_s:g} s") from error
        except aiohttp.ClientConnectorError as error:
            raise DeliveryError(f"no connection: {error.strerror or _kind(error)}") from error
        except aiohttp.ClientConnectionError as error:
            raise DeliveryError(f"{type(error).__name__}: {error}") from error
        except (aiohttp.NonHttpUrlClientError, ValueError) as error:
            raise DeliveryError(f"no address that can be called ({_kind(error)})") from error
        except aiohttp.ClientError as error:
            raise DeliveryError(f"no answer that can be read ({_kind(error)})") from error
        if not 200 <= status < 300:
            raise DeliveryError(f"the receiver answered {status}")

    async def close(self) -> None:
        """Give back the connections."""
        if self._opened is not None:
            await self._opened.close()

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        """The status of an answer that came whole; what it says is nobody's."""
        post = self._session().post(
            URL(url, encoded=True),  # as it was given: some receivers sign what they are called by
            data=body,
            headers=headers,
            allow_redirects=False,
            proxy=self._proxy(url),
        )
        async with post as answer:
            async for _ in answer.content.iter_any():
                pass
            return answer.status

    def _session(self) -> aiohttp.ClientSession:
        if self._opened is None:
            trusted = ssl.create_default_context()
            if "SSL_CERT_FILE" not in os.environ:
                trusted.load_verify_locations(certifi.where())
            self._opened = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=trusted, limit=0),  # `Outgoing` limits each host
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(),
                auto_decompress=False,
                max_line_size=HEADER_BYTES,
                max_field_size=HEADER_BYTES,
            )
        return self._opened

    def _proxy(self, url: str) -> str | None:
        """By which proxy an address is called. aiohttp could read it by itself, in a thread for
        every notice: where names that nobody answers for hold the threads, no other address would
        be called."""
        parts = urlsplit(url)
        named = self._proxies.get(parts.scheme) or self._proxies.get("all")
        if not named or proxy_bypass(parts.netloc.rpartition("@")[2]):
            return None
        named = named if "://" in named else f"http://{named}"
        if urlsplit(named).scheme not in ("http", "https"):
            raise DeliveryError(f"no proxy that can be used ({urlsplit(named).scheme})")
        return named

    def _signed(self, body: bytes) -> dict[str, str]:
        stamp = str(int(self._clock.now().timestamp()))
        headers = {"X-Hazwatch-Timestamp": stamp}
        if self._secret:
            timed = hmac.new(self._secret, stamp.encode() + b"." + body, hashlib.sha256)
            plain = hmac.new(self._secret, body, hashlib.sha256)
            headers["X-Hazwatch-Signature-Timed"] = f"sha256={timed.hexdigest()}"
            headers["X-Hazwatch-Signature"] = f"sha256={plain.hexdigest()}"
        return headers


def _kind(error: Exception) -> str:
    """What it is; its text may show the address."""
    return type(error).__name__
