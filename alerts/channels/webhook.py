"""Webhook channel: an HTTP POST of the event's JSON, signed so that the receiver knows who sent
it."""

import asyncio
import hashlib
import hmac

import httpx
import msgspec

from alerts.channels.channel import DeliveryError
from domain.alarms import Notice


class WebhookChannel:
    """POSTs notices. `X-Hazwatch-Signature: sha256=<HMAC of the body>` where a secret is set.

    `Idempotency-Key` is the notice's id: a receiver that keeps the keys sees each notice once.
    """

    def __init__(self, secret: str = "", timeout_s: float = 10.0) -> None:
        self._secret = secret.encode()
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(timeout=timeout_s, follow_redirects=False)

    async def send(self, notice: Notice) -> None:
        """Deliver, or raise `DeliveryError` with what the other side said."""
        body = msgspec.json.encode(notice.body)
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(notice.id)}
        if self._secret:
            digest = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
            headers["X-Hazwatch-Signature"] = f"sha256={digest}"
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._client.post(notice.recipient, content=body, headers=headers)
        except TimeoutError as error:
            raise DeliveryError(f"no whole answer within {self._timeout_s:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise DeliveryError(f"{type(error).__name__}: {error}") from error
        if not answer.is_success:
            raise DeliveryError(f"the receiver answered {answer.status_code}")

    async def close(self) -> None:
        """Give back the connections."""
        await self._client.aclose()
