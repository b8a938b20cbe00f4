"""The wire contract for machines: up to date, and of one mind with the code that keeps it."""

import gzip
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator
from typer.testing import CliRunner

from alerts.events import alarm_event
from alerts.present_colours import PresentColours
from domain.alarms import Edge, Finding, Kind
from domain.plant import Node, Registry
from domain.risk import Colour, SourceRisk, risk_model
from hazwatch.cli import assembled
from hazwatch.commands import import_files, wire
from ingest import reports, topics
from ingest.decode import decode
from ingest.http_answers import RESPONSES
from ingest.message import Message, Unread
from ingest.rejection import Rejection
from tests.support.builders import at, registry, tag
from tests.support.warned import Watched

SCHEMAS = Path("schemas")
OFFICIAL = Path("tests/support/asyncapi-3.0.0.schema.json.gz")
"""schemas/3.0.0-without-$id.json of @asyncapi/specs 6.11.1, Apache-2.0, unchanged."""


SITE = Registry(
    1,
    {
        5: Node(5, None, "park", "p1", "园区"),
        6: Node(6, 5, "enterprise", "e1", "企业", 6),
        7: Node(7, 6, "source", "s1", "罐区", 6),
    },
    (),
    {},
)


@cache
def checker(name: str) -> Draft202012Validator:
    schema = json.loads((SCHEMAS / "wire" / f"{name}.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def fits(name: str, body: Any) -> bool:
    return bool(checker(name).is_valid(body))


# Published


@pytest.mark.parametrize("body", list(wire.Body))
def test_the_published_schema_is_what_the_code_says(body: wire.Body):
    found = (SCHEMAS / "wire" / f"{body.value}.json").read_text("utf-8")
    assert found == wire.schema_json(body), f"hazwatch wire schema {body.value} > schemas/wire/…"
    said = CliRunner().invoke(assembled(), ["wire", "schema", body.value])
    assert said.stdout == found


def test_the_published_asyncapi_document_is_what_the_code_says():
    found = (SCHEMAS / "asyncapi.yaml").read_text("utf-8")
    assert found == wire.asyncapi_yaml(), "hazwatch wire asyncapi > schemas/asyncapi.yaml"


def test_the_published_schema_of_import_maps_is_what_the_code_says():
    found = (SCHEMAS / "import-map.schema.json").read_text("utf-8")
    assert found == import_files.json_schema(), "hazwatch import --schema > schemas/import-map…"


def test_the_asyncapi_document_is_one():
    official = json.loads(gzip.decompress(OFFICIAL.read_bytes()))
    document = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text("utf-8"))
    assert [error.message for error in Draft7Validator(official).iter_errors(document)] == []
    for message in document["components"]["messages"].values():
        assert (SCHEMAS / message["payload"]["$ref"]).is_file()
    wrong = document | {"channels": {"data": {"address": 7}}}
    assert not Draft7Validator(official).is_valid(wrong)


def test_the_asyncapi_document_knows_every_topic():
    channels = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text("utf-8"))["channels"]
    addresses = {name: channel["address"] for name, channel in channels.items()}

    def filled(name: str, *parts: str) -> str:
        rest = iter(parts)
        return re.sub(r"\{\w+\}", lambda _: next(rest), addresses[name])

    assert set(topics.CHANNELS) <= addresses.keys()
    for name in ("data", "state", "alarm"):
        found = topics.parse(filled(name, "p1", "e1", "g1"))
        assert isinstance(found, topics.Topic)
        assert found.channel == name
    assert filled("receipt", "p1", "e1", "g1") == topics.receipt("p1", "e1", "g1")
    for kind in channels["event"]["parameters"]["kind"]["enum"]:
        assert filled("event", "p1", "-", kind) == topics.events("p1", None, kind)
    assert filled("colour", "p1", "-") == topics.colour("p1")
    assert filled("source_colour", "p1", "e1", "s1") == topics.colour("p1", "e1", "s1")


def test_the_schema_of_colours_fits_what_is_said():
    said = PresentColours(SITE, risk_model().area).told(
        [SourceRisk(7, 6, at(0), Colour.RED, False, 90.0, False, (), (), "v")], at(0)
    )
    assert len(said) == 3
    for one in said:
        body = json.loads(msgspec.json.encode(one.body))
        assert fits("colour", body)
        assert not fits("colour", body | {"level": 4})


# Of one mind with the decoders


TIME: st.SearchStrategy[Any] = st.one_of(
    st.datetimes(timezones=st.timezones()).map(lambda one: one.isoformat()),
    st.integers(-1, 4_102_444_800_000),
    st.sampled_from(["2026-11-21T08:00:00Z", "2016-12-31T23:59:60z", "2026-11-21T08:00:00"]),
    st.sampled_from(["x", "1999-12-01T00:00:00Z", "2026-13-01T00:00:00Z", None, 1.5, True, []]),
)
PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False)
)
READING = st.fixed_dictionaries(
    {"value": PLAIN},
    optional={
        "quality": st.one_of(
            st.sampled_from(["good", "calibration", "simulated", "splendid", None, True, 1.5]),
            st.integers(-1, 256),
        ),
        "unit": st.one_of(st.none(), st.sampled_from(["ppm", 7])),
        "more": st.just(1),
    },
)
VALUE = st.one_of(PLAIN, READING, st.sampled_from(["7", [], {}]))
SAMPLE = st.one_of(
    st.fixed_dictionaries(
        {
            "time": TIME,
            "values": st.dictionaries(st.text(max_size=4), VALUE, min_size=1, max_size=3),
        },
        optional={"more": st.just(1)},
    ),
    st.sampled_from([{}, 7, {"time": 0}]),
)
SEQ = st.sampled_from([0, 5, 2**62, 2**62 + 1, -1, None, True, "5"])
DATA = st.one_of(
    st.fixed_dictionaries(
        {"samples": st.lists(SAMPLE, max_size=3)},
        optional={
            "boot": st.sampled_from(["b", "b" * 64, "b" * 65, "", "a\x00", None, 7]),
            "seq": SEQ,
            "sent": TIME,
            "historical": st.sampled_from([True, False, None, 1]),
            "more": st.just({}),
        },
    ),
    st.sampled_from([{}, [], 7, None, {"samples": None}, {"samples": {}}]),
)


def whole(found: Message) -> bool:
    """Whether all of a message was taken as it was meant."""
    return not found.rejected and not found.more_rejected and not found.odd


@settings(max_examples=300)
@given(DATA)
def test_a_body_of_samples_fits_where_it_is_taken_whole(body: Any):
    text = json.dumps(body)
    found = decode(text.encode())
    if isinstance(found, Unread):
        assert not fits("data", body)
    else:
        # hazwatch reads more ways to write a time than the contract has
        assert fits("data", body) == whole(found) or (whole(found) and _odd_times(body))


def _odd_times(body: Any) -> bool:
    said = [body.get("sent"), *(sample.get("time") for sample in body["samples"])]
    return any(isinstance(one, str) and not fits("data", _only(one)) for one in said)


def _only(time: str) -> dict[str, Any]:
    return {"samples": [{"time": time, "values": {}}]}


@settings(max_examples=200)
@given(
    st.one_of(
        st.fixed_dictionaries(
            {},
            optional={
                "online": st.sampled_from([True, False, 1, None, "x"]),
                "time": TIME,
                "boot": st.sampled_from(["b", "b" * 65, None, 7]),
            },
        ),
        st.sampled_from([[], 7, None]),
    )
)
def test_a_state_fits_where_it_is_taken(body: Any):
    found = reports.state(json.dumps(body).encode(), 1, 0, False)
    refused = isinstance(found, Rejection)
    odd = isinstance(body, dict) and "time" in body and not _known(body["time"])
    assert fits("state", body) != refused or (odd and not refused)


NAME = st.sampled_from(["a", "x" * 128, "x" * 129, "", None, 7])


@settings(max_examples=200)
@given(
    st.fixed_dictionaries(
        {"id": NAME, "time": TIME, "tag": NAME, "kind": NAME},
        optional={
            "active": st.sampled_from([True, False, None, 1]),
            "value": st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
            "shelved": st.one_of(st.none(), st.booleans()),
            "by": st.one_of(st.none(), st.just("li")),
        },
    )
)
def test_an_alarm_fits_where_it_is_taken(body: Any):
    refused = isinstance(reports.alarm(json.dumps(body).encode(), 1, 0), Rejection)
    assert fits("alarm", body) != refused or (not refused and not _known(body["time"]))


def _known(time: Any) -> bool:
    return fits("data", {"samples": [{"time": time, "values": {}}]})


# What hazwatch says


def test_every_event_fits():
    place = registry(tag(limits={Kind.HH: 9.0}))
    watched = Watched(place)
    finding = Finding(Edge.RAISED, Kind.HH, 1, None, at(0), at(0), 9.5, 9.0)
    (raised,) = watched.book.apply([finding], at(0))
    watched.kill()
    watched.raises(Kind.HH, 1, 9.5)
    watched.wait(3600, 60)
    events = [alarm_event(place, raised), *watched.events]
    assert {event.body["type"] for event in events} == {"alarm", "warning", "risk"}
    for event in events:
        body = msgspec.json.decode(msgspec.json.encode(event.body))
        assert [error.message for error in checker("event").iter_errors(body)] == []
    assert not fits("event", {**body, "type": "other"})


def test_a_receipt_and_the_answers_fit():
    assert fits("receipt", {"boot": "b", "seq": 7})
    assert not fits("receipt", {"boot": None, "seq": 7})
    examples = RESPONSES[200]["content"]["application/json"]["examples"]
    assert examples
    for example in examples.values():
        assert fits("answer", example["value"])


# What people read


def test_the_examples_of_the_docs_fit():
    text = Path("docs/mqtt.md").read_text("utf-8")
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    shell = re.findall(r"-m '(\{.*?\})'", text, re.DOTALL)
    first = [json.loads(re.sub(r"'\$\(date[^)]*\)'", "2026-11-21T08:00:00Z", one)) for one in shell]
    seen = set()
    for body in (*blocks, *first):
        said = body.get("type")
        name = "data" if "samples" in body else "alarm" if "kind" in body else said or "state"
        seen.add(name)
        assert fits(name, body), body
    assert {"data", "alarm", "colour"} <= seen
