import re
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.instant import SECOND
from ingest.failures import BURST, REFILL, Failures
from ingest.gateway_keys import GatewayKey, KeyBook, digest, is_key, new_key
from tests.support.builders import START, at


def made(gateway: int = 1, **more) -> tuple[str, GatewayKey]:
    id, key, kept = new_key()
    return key, GatewayKey(id, gateway, kept, **more)


def test_a_key_is_256_bits_of_chance_behind_an_id_and_kept_as_its_digest():
    id, key, kept = new_key()
    assert re.fullmatch(rf"hwk_{id}_[\w-]{{43}}", key)
    assert is_key(key)
    assert kept == digest(key)
    assert len({new_key()[1] for _ in range(100)}) == 100


def test_only_the_whole_key_is_one():
    key, kept = made()
    other, _ = made()
    book = KeyBook([kept])
    assert book.holder(key, START) is not None
    wrong = [other, key[:-1], key + "A", key[:17] + other[17:], other[:17] + key[17:], key.upper()]
    assert [book.holder(one, START) for one in wrong] == [None] * len(wrong)


@given(st.text(max_size=80))
def test_no_text_opens_the_door(token):
    _, kept = made()
    assert KeyBook([kept]).holder(token, START) is None


def test_a_key_runs_out_at_its_time():
    key, kept = made(expires=at(10))
    book = KeyBook([kept])
    assert book.holder(key, at(9.999)) is not None
    assert book.holder(key, at(10)) is None


def test_a_revoked_key_holds_no_longer():
    key, kept = made()
    book = KeyBook([kept])
    book.replace([])
    assert book.holder(key, START) is None


def test_the_last_use_is_kept_once_an_hour():
    key, kept = made()
    book = KeyBook([kept])
    for minutes in range(61):
        book.holder(key, START + timedelta(minutes=minutes))
        if minutes < 60:
            assert book.newly_used() == ({kept.id: START} if minutes == 0 else {})
    assert book.newly_used() == {kept.id: START + timedelta(hours=1)}


def test_failures_of_an_address_are_braked_after_a_burst_and_only_there():
    failures = Failures()
    for _ in range(BURST):
        assert failures.wait("a", 0) == 0
        failures.add("a", 0)
    assert failures.wait("a", 0) == REFILL / SECOND
    assert failures.wait("b", 0) == 0
    failures.add("a", 0)
    assert failures.wait("a", REFILL) == 0


def test_failures_remember_no_more_addresses_than_they_may():
    failures = Failures(keep=10)
    for n in range(100):
        failures.add(f"10.0.0.{n}", n)
    assert len(failures) == 10
