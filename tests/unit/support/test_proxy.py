"""A wire that is taken away leaves no connection open: it would be told of in some later test."""

import gc
import socket
import sys
from typing import Any

import pytest

from tests.support.clock import turns
from tests.support.proxy import Proxy, Wire


@pytest.mark.parametrize("after", range(8))
@pytest.mark.parametrize("wire", [Wire.SOUND, Wire.SILENT])
async def test_whoever_is_being_let_in_when_it_ends_is_shown_out(
    monkeypatch: pytest.MonkeyPatch, wire: Wire, after: int
):
    left_open: list[Any] = []
    gc.collect()
    monkeypatch.setattr(sys, "unraisablehook", left_open.append)
    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy = Proxy("127.0.0.1", server.getsockname()[1])
        await proxy.become(Wire.SOUND)
        await proxy.become(wire)
        with socket.create_connection(("127.0.0.1", proxy.port)):
            await turns(after)
            await proxy.close()
    del proxy
    gc.collect()
    assert not left_open
