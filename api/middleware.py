"""Around every request: a trace id, security headers, a bound on the body, and the time it took."""

import re
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.files import PATH as FILES
from api.metrics import ApiMetrics
from api.problems import EXPLANATIONS, Problem, instance_of
from domain.clock import Clock

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
BOUNDED_BY_THEMSELVES = "/api/v1/ingest/"
"""Who serves these paths bounds their bodies, and takes those that state no length."""
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


class Around:
    """ASGI middleware. A body without a stated length is refused, for it has no bound.

    body_bytes: longest body; file_bytes: of a file, where that is more.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        clock: Clock,
        metrics: ApiMetrics,
        body_bytes: int,
        file_bytes: int = 0,
    ) -> None:
        self._app = app
        self._clock = clock
        self._metrics = metrics
        self._body_bytes = body_bytes
        self._file_bytes = max(file_bytes, body_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._clock.elapsed()
        headers = Headers(scope=scope)
        traceparent, scope["trace_id"] = trace_of(headers.get("traceparent"))

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                answer["traceparent"] = traceparent
                answer.update(SECURITY_HEADERS)
                if scope["path"].startswith("/api/"):
                    answer.setdefault("Cache-Control", "no-store")
                path = getattr(scope.get("route"), "path", "other")
                self._metrics.requests.labels(
                    scope["method"], path, str(message["status"])
                ).observe(self._clock.elapsed() - began)
            await send(message)

        itself = scope["path"].startswith(BOUNDED_BY_THEMSELVES)
        most = self._file_bytes if FILES.fullmatch(scope["path"]) else self._body_bytes
        refusal = None if itself else _refusal(headers, most)
        if refusal is not None:
            await refusal.response(instance_of(Request(scope)))(scope, receive, dressed)
            return
        await self._app(scope, receive, dressed)


def _refusal(headers: Headers, most: int) -> Problem | None:
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers:
        return Problem(411, "A body needs a Content-Length.", slug="bad-request")
    if not length.isdigit() or int(length) > most:
        return Problem(413, f"{EXPLANATIONS['too-large']} Here: {most} bytes.")
    return None


def trace_of(given: str | None) -> tuple[str, str]:
    """(traceparent to answer with, its trace id): the caller's where well formed, else new."""
    match = _TRACEPARENT.fullmatch(given or "")
    if match is not None and given is not None:
        return given, match[1]
    trace = secrets.token_hex(16)
    return f"00-{trace}-{secrets.token_hex(8)}-00", trace
