"""Services of others on loopback: an HTTP server that behaves as told, and an SMTP server that
keeps its mail."""

import email
import email.policy
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Robot(ThreadingHTTPServer):
    """Takes POSTs and answers as `behave` says.

    behave: a status with `answer` as its body, "hang" (no answer until the end), "close" (the line
    is cut), "redirect" (302 to itself). got: (path with query, JSON body) in order.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behave: int | str = 200
        self.answer: Any = {"errcode": 0, "errmsg": "ok", "code": 0, "msg": "success"}
        self.got: list[tuple[str, Any]] = []
        self.pause_s = 0.0
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away is none of our errors."""


class _Handler(BaseHTTPRequestHandler):
    server: Robot

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server = self.server
        server.got.append((self.path, json.loads(body)))
        time.sleep(server.pause_s)
        match server.behave:
            case "hang":
                server.over.wait(30)
            case "close":
                self.connection.close()
            case "redirect":
                self._answer(302, b"", Location=f"{server.url}/elsewhere")
            case status:
                self._answer(int(status), json.dumps(server.answer).encode())

    def do_GET(self) -> None:
        self.server.got.append((self.path, None))
        self._answer(200, b"{}")

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def robot() -> Iterator[Robot]:
    """A service that really listens, until the block ends."""
    server = Robot()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


class Letters:
    """The mail that an SMTP server took, and where it listens. refuse: takes none."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []
        self.refuse = False
        self.port = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refuse:
            return "554 no, thank you"
        content = envelope.content
        assert isinstance(content, bytes)
        self.got.append(email.message_from_bytes(content, policy=email.policy.default))
        return "250 taken"


@contextmanager
def mail_server() -> Iterator[Letters]:
    """An SMTP server that really listens, until the block ends."""
    letters = Letters()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        letters.port = free.getsockname()[1]
    controller = Controller(letters, hostname="127.0.0.1", port=letters.port)
    controller.start()
    try:
        yield letters
    finally:
        controller.stop()
