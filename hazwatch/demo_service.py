"""Worker, api and page of the demonstration, and where the page is."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from hazwatch import app
from hazwatch.demo_servers import USAGE, DemoError
from hazwatch.settings import Settings
from storage.spool import SpoolInUse

ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Addresses that mean all of this machine's, and one of them."""


@dataclass(slots=True)
class Up:
    """Tells when the api listens, and on which port, and when the worker takes messages."""

    page: "asyncio.Future[int]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    worker: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def service(settings: Settings) -> AsyncIterator[Up]:
    """Worker and api, on their way up; at the end of the block they are told to stop, and have."""
    up, stop = Up(), asyncio.Event()
    try:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(
                app.run(settings, ("worker", "api"), stop, up.page.set_result, up.worker.set),
                name="hazwatch",
            )
            try:
                yield up
            finally:
                stop.set()
                await asyncio.wait([running])
    except* SpoolInUse:
        raise DemoError(
            f"{settings.data_dir}: another hazwatch uses this data; stop it, or take another "
            "--data-dir"
        ) from None


def page_port(host: str, port: int, *, chosen: bool) -> int:
    """The port for the page: this one, or any (0) where it is taken and nobody chose it.

    `DemoError` where somebody did.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            if not chosen:
                return 0
            raise DemoError(
                f"port {port} of {host} is not to be had ({error.strerror}): stop what uses it, "
                "or choose another with --port, 0 for any that is free",
                USAGE,
            ) from error
    return port


def page_url(host: str, port: int) -> str:
    """Where a browser on this machine finds the page."""
    host = ANYWHERE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
