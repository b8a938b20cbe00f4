import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rejection import Rejection
from ingest.topics import Topic, events, filters, is_name, parse, receipt


def test_a_gateways_topic_has_a_park_an_enterprise_a_gateway_and_a_channel():
    assert parse("hw/v1/P1/E-7/gw.a_1/data") == Topic("P1", "E-7", "gw.a_1", "data")
    assert parse("hw/v1/P1/E1/G1/state") == Topic("P1", "E1", "G1", "state")
    assert parse("hw/v1/P1/E1/G1/alarm") == Topic("P1", "E1", "G1", "alarm")


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "hw/v1/P1/E1/G1",
        "hw/v1/P1/E1/G1/data/more",
        "hw/v2/P1/E1/G1/data",
        "hw/v1/P1/E1/G1/receipt",
        "hw/v1/P1//G1/data",
        "hw/v1/P1/E 1/G1/data",
        "hw/v1/园区/E1/G1/data",
        f"hw/v1/{'p' * 65}/E1/G1/data",
        "spBv1.0/P1:E1/DDATA",
        "spBv1.0/P1E1/DDATA/G1",
    ],
)
def test_other_topics_are_rejected_with_the_topic_in_the_sentence(topic):
    rejection = parse(topic)
    assert isinstance(rejection, Rejection)
    assert rejection.reason == "bad_topic"
    assert repr(topic[:20])[1:-1] in rejection.detail


def test_no_park_is_called_events():
    rejection = parse("hw/v1/events/E1/G1/data")
    assert isinstance(rejection, Rejection)
    assert "events" in rejection.detail


def test_names_have_1_to_64_plain_characters():
    assert is_name("A.b_c-9")
    assert is_name("x" * 64)
    assert not is_name("")
    assert not is_name("x" * 65)
    assert not is_name("a\n")


def test_topics_going_out_are_as_the_profile_writes_them():
    assert receipt("P1", "E1", "G1") == "hw/v1/P1/E1/G1/receipt"
    assert events("P1", "E1", "alarm") == "hw/v1/events/P1/E1/alarm"
    assert events("P1", None, "risk") == "hw/v1/events/P1/-/risk"
    assert filters("P1", "E1") == (
        "hw/v1/P1/E1/+/data",
        "hw/v1/P1/E1/+/state",
        "hw/v1/P1/E1/+/alarm",
    )


@given(st.text())
def test_no_topic_breaks_the_parser(topic):
    assert isinstance(parse(topic), Topic | Rejection)
