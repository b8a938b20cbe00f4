"""One attempt through apprise, in a thread of its own. It alone imports apprise, when first asked:
some 40 MB and a quarter of a second that nobody pays who does not use it.

Apprise says only yes or no, and says yes to services that answer 200 and refuse in the body. So
what they answered is listened to here: `requests` makes its sessions of our class (nothing else in
this process uses it), and the log of apprise, which would show secrets, goes to the thread that
asked and nowhere else.
"""

import logging
import threading
from dataclasses import dataclass, field
from typing import Any

from alerts.channels.apprise_address import Address, parse, scrubbed

ACCEPTED: dict[str, tuple[str, ...]] = {
    "wecombot": ("errcode",),
    "dingtalk": ("errcode",),
    "feishu": ("code", "StatusCode"),
    "lark": ("code", "StatusCode"),
}
"""Services that answer 200 whatever they think: the member of the answer that has to be 0."""
SHORT_UP_TO = 600
"""Services that take fewer characters than this get the short form."""
LONGEST_REASON = 300
TODO = {
    400: "the service does not understand the address or the text",
    401: "the key or the password in the address is wrong",
    403: "the key in the address is wrong or not allowed to send",
    404: "the service does not know this address: is the key whole and the robot still there?",
    429: "too many messages: the service takes no more for now",
}


@dataclass(frozen=True, slots=True)
class Message:
    """What to say, in every form: a service takes one. short: one line without a title."""

    title: str
    text: str
    markdown: str
    short: str


@dataclass(slots=True)
class _Heard:
    """What one attempt brought: answers as (status, body), what broke, and what apprise logged."""

    answers: list[tuple[int, bytes]] = field(default_factory=list)
    broke: list[Exception] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


class _Here(threading.local):
    heard: _Heard | None = None


_here = _Here()
_ready = threading.Lock()
_apprise: Any = None


def attempt(address: Address, message: Message, timeout_s: float) -> str | None:
    """Send once. None: the service took it; else a sentence that says why not and what to do,
    without secrets. Blocks; each step of the network at most `timeout_s`."""
    apprise = _loaded()
    heard = _here.heard = _Heard()
    try:
        service = _service(apprise, address)
        if service is None:
            return _told(address, _unusable(heard))
        service.redirects, service.request_rate_per_sec = False, 0
        service.socket_connect_timeout = service.socket_read_timeout = timeout_s / 2
        taken = service.notify(**_content(service, address, message))
        reason = _refusal(address, heard) if taken else _failure(address, heard)
        return None if reason is None else _told(address, reason)
    finally:
        _here.heard = None


def fault(url: str) -> str | None:
    """What is wrong with an address as apprise reads it, None where nothing is; without secrets."""
    try:
        address = parse(url)
    except ValueError as wrong:
        return str(wrong)
    apprise = _loaded()
    heard = _here.heard = _Heard()
    try:
        return None if _service(apprise, address) else _told(address, _unusable(heard))
    finally:
        _here.heard = None


def _service(apprise: Any, address: Address) -> Any:
    asset = apprise.AppriseAsset(
        app_id="hazwatch", app_desc="hazwatch", secure_logging=True, storage_mode="memory"
    )
    return apprise.Apprise.instantiate(address.url, asset=asset)


def _content(service: Any, address: Address, message: Message) -> dict[str, Any]:
    """The form that this service takes, as arguments of its `notify`."""
    small = 0 < service.body_maxlen <= SHORT_UP_TO
    if address.form == "short" or (address.form is None and small):
        return {"body": message.short, "title": "", "body_format": "text"}
    if service.resolve_format("markdown") == "markdown":
        return {"body": message.markdown, "title": message.title, "body_format": "markdown"}
    return {"body": message.text, "title": message.title, "body_format": "text"}


def _refusal(address: Address, heard: _Heard) -> str | None:
    """Why a service that answered 200 did not take it all the same; None if it did."""
    members = ACCEPTED.get(address.scheme)
    if members is None:
        return None
    if not heard.answers:
        return "it was not sent: nothing went to the service"
    said = _json(heard.answers[-1][1])
    codes = [said[name] for name in members if name in said]
    if not codes:
        return "the service gave no answer that says it took it; is the address that of a robot?"
    if codes[0] in (0, "0"):
        return None
    why = said.get("errmsg") or said.get("msg") or said.get("StatusMessage") or ""
    return (
        f"the service refused it: {codes[0]} {why}; check the key in the address, and the robot's "
        "security settings (keyword, signature, address list)"
    )


def _failure(address: Address, heard: _Heard) -> str:
    if heard.broke:
        kind = type(heard.broke[-1]).__name__
        return f"no connection to the service ({kind}): is the way out through the firewall open?"
    if heard.answers:
        status = heard.answers[-1][0]
        if 300 <= status < 400:
            return f"the service answered {status}: it moved; give its new address"
        return f"the service answered {status}: {TODO.get(status, 'it is out of order')}"
    said = "; ".join(line for line in heard.lines if line)
    return f"{said or 'the service did not take it'}; check address, server and account"


def _unusable(heard: _Heard) -> str:
    said = "; ".join(heard.lines)
    return f"apprise can't use this address: {said or 'no such service'}; see docs/notices.md"


def _told(address: Address, reason: str) -> str:
    return scrubbed(f"{address.scheme}: {reason}", address.url)[:LONGEST_REASON]


def _json(body: bytes) -> dict[str, Any]:
    import msgspec

    try:
        said = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _loaded() -> Any:
    """Apprise, with its log and its answers turned to us."""
    global _apprise
    with _ready:
        if _apprise is None:
            import apprise
            import requests

            _listen(requests)
            logging.getLogger("urllib3").setLevel(
                logging.CRITICAL
            )  # it shows paths, with their key
            logger = logging.getLogger("apprise")
            logger.propagate = False
            logger.setLevel(logging.DEBUG)
            logger.addHandler(_Lines())
            _apprise = apprise
    return _apprise


def _listen(requests: Any) -> None:
    class Listening(requests.Session):  # type: ignore[misc]
        def send(self, request: Any, **how: Any) -> Any:
            heard = _here.heard
            try:
                answer = super().send(request, **how)
            except Exception as error:
                if heard is not None:
                    heard.broke.append(error)
                raise
            if heard is not None:
                heard.answers.append((answer.status_code, answer.content))
            return answer

    requests.sessions.Session = Listening


class _Lines(logging.Handler):
    """Gives what apprise logs to the attempt of this thread."""

    SAID = ("Socket Exception: ",)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep warnings, and what broke a connection."""
        heard = _here.heard
        if heard is None:
            return
        text = record.getMessage()
        if record.levelno >= logging.WARNING:
            heard.lines.append(text.rstrip("."))
        elif text.startswith(self.SAID):
            heard.lines.append(text.removeprefix(self.SAID[0]))
