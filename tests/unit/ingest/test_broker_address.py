import pytest

from ingest.connection import Address


def test_a_url_says_where_the_broker_is_and_who_we_are():
    address = Address.of("mqtt://shard-1:p%40ss%3A@broker.example:1884")
    assert (address.host, address.port) == ("broker.example", 1884)
    assert (address.user, address.password, address.tls) == ("shard-1", "p@ss:", None)


def test_ports_are_1883_and_with_tls_8883():
    assert Address.of("mqtt://b").port == 1883
    secure = Address.of("mqtts://b")
    assert secure.port == 8883
    assert secure.tls is not None
    assert secure.tls.check_hostname


@pytest.mark.parametrize("url", ["", "broker:1883", "http://b", "mqtt://"])
def test_what_is_no_mqtt_url_is_refused_with_an_example(url):
    with pytest.raises(ValueError, match="mqtt://user:password@host:port"):
        Address.of(url)
