"""The options of `hazwatch demo`, and where its page is."""

import socket

import pytest
import typer

from hazwatch.commands.demo import duration
from hazwatch.demo_servers import DemoError
from hazwatch.demo_service import page_port, page_url


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("60", 60),
        ("60s", 60),
        ("2m", 120),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("1m30", 90),
        ("0.5s", 0.5),
    ],
)
def test_a_duration_is_said_in_hours_minutes_and_seconds(said, seconds):
    assert duration(said) == seconds


@pytest.mark.parametrize(
    "said", ["", "0", "0s", "-5", "s", "5 m", "30m1h", "1d", "nan", "1e3", "٣"]
)
def test_what_is_no_duration_is_refused_with_what_is_allowed(said):
    with pytest.raises(typer.BadParameter, match="1h30m"):
        duration(said)


def test_a_port_that_nobody_chose_and_that_is_taken_gives_way():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert page_port("127.0.0.1", port, chosen=False) == 0
        with pytest.raises(DemoError, match=f"{port}.*--port"):
            page_port("127.0.0.1", port, chosen=True)
    assert page_port("127.0.0.1", port, chosen=True) == port


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("demo.example", "http://demo.example:80"),
    ],
)
def test_the_page_is_where_a_browser_of_this_machine_finds_it(host, url):
    assert page_url(host, 80) == url
