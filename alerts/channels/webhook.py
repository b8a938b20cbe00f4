"""Webhook channel: an HTTP POST of the event's JSON, signed so that the receiver knows who sent
it, and when."""

import asyncio
import hashlib
import hmac

import httpx
import msgspec

from alerts.channels.channel import DeliveryError
from alerts.drill import marked
from domain.alarms import Notice
from domain.clock import Clock, SystemClock


class WebhookChannel:
    """POSTs notices, signed where a secret is set (docs/notices.md shows how to verify).

    `X-Hazwatch-Timestamp`: seconds since 1970 of this attempt. `X-Hazwatch-Signature-Timed:
    sha256=<HMAC of timestamp, a full stop and body>`; `X-Hazwatch-Signature: sha256=<HMAC of the
    body>`, which a listener on the way could send again at any time, stays for receivers that know
    only it. `Idempotency-Key` is the notice's id: a receiver that keeps the keys sees each once.
    """

    def __init__(
        self, secret: str = "", timeout_s: float = 10.0, clock: Clock | None = None
    ) -> None:
        self._secret = secret.encode()
        self._timeout_s = timeout_s
        self._clock = clock or SystemClock()
        self._client = httpx.AsyncClient(timeout=timeout_s, follow_redirects=False)

    async def send(self, notice: Notice) -> None:
        """Deliver, or raise `DeliveryError` with what the other side said."""
        body = msgspec.json.encode(marked(notice.body))
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(notice.id)}
        headers |= self._signed(body)
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._client.post(notice.recipient, content=body, headers=headers)
        except TimeoutError as error:
            raise DeliveryError(f"no whole answer within {self._timeout_s:g} s") from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError) as error:
            kind = type(error).__name__  # its text may show the address
            raise DeliveryError(f"no address that can be called ({kind})") from error
        except httpx.HTTPError as error:
            raise DeliveryError(f"{type(error).__name__}: {error}") from error
        if not answer.is_success:
            raise DeliveryError(f"the receiver answered {answer.status_code}")

    async def close(self) -> None:
        """Give back the connections."""
        await self._client.aclose()

    def _signed(self, body: bytes) -> dict[str, str]:
        stamp = str(int(self._clock.now().timestamp()))
        headers = {"X-Hazwatch-Timestamp": stamp}
        if self._secret:
            timed = hmac.new(self._secret, stamp.encode() + b"." + body, hashlib.sha256)
            plain = hmac.new(self._secret, body, hashlib.sha256)
            headers["X-Hazwatch-Signature-Timed"] = f"sha256={timed.hexdigest()}"
            headers["X-Hazwatch-Signature"] = f"sha256={plain.hexdigest()}"
        return headers
