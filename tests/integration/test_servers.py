"""The test servers can be ended in every way and come back with what they had confirmed."""

import signal

import aiomqtt
import psycopg
import pytest

ENDS = [signal.SIGINT, signal.SIGQUIT, signal.SIGKILL]


@pytest.mark.database
@pytest.mark.parametrize("how", ENDS, ids=[how.name for how in ENDS])
@pytest.mark.parametrize("kind", ["timescale", "plain_postgres"])
def test_a_database_comes_back_with_what_was_committed(kind, how, request):
    server = request.getfixturevalue(kind)
    table = f"kept_{how.value}"
    with psycopg.connect(server.url) as connection:
        connection.execute(f"CREATE TABLE {table} ()")
    server.restart(how)
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT to_regclass(%s)::text", [table]).fetchone() == (table,)


def test_the_two_kinds_of_database_differ_in_what_they_say(timescale_url, plain_url):
    extensions = "SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'"
    with psycopg.connect(timescale_url) as first, psycopg.connect(plain_url) as second:
        assert first.execute(extensions).fetchone() == (1,)
        assert second.execute(extensions).fetchone() is None


def test_a_test_may_leave_a_server_stopped(timescale, mosquitto):
    timescale.stop()
    mosquitto.stop()


async def test_the_next_test_finds_it_running(timescale_url, mosquitto):
    psycopg.connect(timescale_url).close()
    async with aiomqtt.Client(mosquitto.host, mosquitto.port):
        pass


async def test_the_broker_keeps_what_it_holds_for_an_absent_session_when_it_is_stopped(mosquitto):
    async with aiomqtt.Client(
        mosquitto.host, mosquitto.port, identifier="absent", clean_session=False
    ) as reader:
        await reader.subscribe("kept", qos=1)
    async with aiomqtt.Client(mosquitto.host, mosquitto.port) as writer:
        await writer.publish("kept", "here", qos=1)
    mosquitto.restart(signal.SIGTERM)
    async with aiomqtt.Client(
        mosquitto.host, mosquitto.port, identifier="absent", clean_session=False
    ) as reader:
        assert (await anext(reader.messages)).payload == b"here"
        await reader.unsubscribe("kept")
