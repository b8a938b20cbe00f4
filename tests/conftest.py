"""Servers and databases for every test that names them."""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numba
import pytest
from hypothesis import settings

from tests.support.databases import Databases
from tests.support.servers import (
    Database,
    Given,
    MissingServerError,
    Mosquitto,
    PlainPostgres,
    Session,
    Timescale,
    clear_abandoned,
)

NUMBA: Any = numba.config
NUMBA.BOUNDSCHECK = True
"""Here compiled loops say where they would reach beyond their arrays. No environment variable: the
services that tests start run as they do elsewhere."""
os.environ.setdefault("HAZWATCH_SELF_TEST", "false")
"""Tests count what they have sent; those of the self-test switch it on."""
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
"""Properties hold however slow the machine is."""
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # started in the background of a shell: all that tests start would ignore Ctrl-C, too
    signal.signal(signal.SIGINT, signal.default_int_handler)
Startable = TypeVar("Startable", bound=Database | Mosquitto)
DATABASE_FIXTURES = {"timescale", "plain_postgres", "timescale_url", "plain_url", "database_url"}
BROKER_FIXTURES = {"mosquitto"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a test needs follows from the fixtures it names: `make quick` leaves such tests out."""
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if names & DATABASE_FIXTURES:
            item.add_marker("database")
        if names & BROKER_FIXTURES:
            item.add_marker("broker")
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.timeout(0))


@pytest.fixture(scope="session")
def server_session() -> Iterator[Session]:
    """Folders for the servers of this test session."""
    clear_abandoned()
    session = Session()
    yield session
    session.close()


@pytest.fixture(scope="session")
def timescale(server_session: Session) -> Iterator[Database]:
    """A running TimescaleDB: `.url`, `.start()`, `.stop(signal)`, `.restart(signal)`."""
    given = os.environ.get("HAZWATCH_TEST_DATABASE_URL")
    yield from _running(lambda: Given(given) if given else Timescale(server_session))


@pytest.fixture(scope="session")
def plain_postgres(server_session: Session) -> Iterator[Database]:
    """A running PostgreSQL without TimescaleDB, as the demonstration uses it; same methods."""
    yield from _running(lambda: PlainPostgres(server_session))


@pytest.fixture(scope="session")
def mosquitto(server_session: Session) -> Iterator[Mosquitto | Given]:
    """A running broker with `.host`, `.port`, `.url`, and the methods of the databases."""
    given = os.environ.get("HAZWATCH_TEST_MQTT_URL")
    yield from _running(lambda: Given(given) if given else Mosquitto(server_session))


@pytest.fixture(scope="session")
def timescale_databases(timescale: Database) -> Databases:
    """Makes databases on TimescaleDB."""
    return Databases(timescale)


@pytest.fixture(scope="session")
def plain_databases(plain_postgres: Database) -> Databases:
    """Makes databases without TimescaleDB."""
    return Databases(plain_postgres)


@pytest.fixture
def timescale_url(timescale_databases: Databases) -> Iterator[str]:
    """URL of a fresh, migrated database on TimescaleDB."""
    with timescale_databases.fresh() as url:
        yield url


@pytest.fixture
def plain_url(plain_databases: Databases) -> Iterator[str]:
    """URL of a fresh, migrated database without TimescaleDB."""
    with plain_databases.fresh() as url:
        yield url


@pytest.fixture(params=["timescale", "plain"])
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of a fresh, migrated database, once on either kind of server."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(autouse=True)
def servers_up(request: pytest.FixtureRequest) -> None:
    """A test that left a server stopped, or failed while it was, is no trouble to the next."""
    for name in ("timescale", "plain_postgres", "mosquitto"):
        if name in request.fixturenames:
            request.getfixturevalue(name).start()


def _running(make: Callable[[], Startable]) -> Iterator[Startable]:
    """A server from its start to its stop; where there is none, tests skip, in CI they fail."""
    try:
        server = make()
    except MissingServerError as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    server.start()
    yield server
    if not isinstance(server, Given):
        server.stop()
