import json
import re
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from api.app import create_app
from api.options import ApiOptions
from ingest.decode import decode
from ingest.http import ingest_routes
from ingest.http_answers import Taken
from ingest.message import Message
from storage.outbox_reading import OutboxStream
from storage.reading import Reading
from tests.support.builders import START
from tests.support.clock import ManualClock
from tests.support.door import Rig

METHODS = ("get", "post", "delete", "put", "patch")


@pytest.fixture
async def description() -> dict[str, Any]:
    reading, clock = Reading("postgresql://nowhere"), ManualClock(START)
    app = create_app(
        ApiOptions(), reading, OutboxStream(reading, clock), clock, CollectorRegistry()
    )
    return app.openapi()


def operations(description: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        operation
        for methods in description["paths"].values()
        for method, operation in methods.items()
        if method in METHODS
    ]


async def test_sending_samples_is_described_with_examples():
    reading, clock = Reading("postgresql://nowhere"), ManualClock(START)
    stream = OutboxStream(reading, clock)
    more = [ingest_routes(Rig().door)]
    app = create_app(ApiOptions(), reading, stream, clock, CollectorRegistry(), more)
    told = app.openapi()["paths"]["/api/v1/ingest/{park}/{enterprise}/{gateway}"]["post"]
    assert (told["operationId"], told["tags"]) == ("ingestSamples", ["ingest"])
    assert set(told["responses"]) >= {"200", "401", "403", "413", "422", "429", "503"}
    body = told["requestBody"]["content"]["application/json"]
    for example in body["examples"].values():
        assert isinstance(decode(json.dumps(example["value"]).encode()), Message)
    answer = told["responses"]["200"]["content"]["application/json"]
    for example in answer["examples"].values():
        Taken.model_validate(example["value"])
    assert answer["schema"] == {"$ref": "#/components/schemas/Taken"}
    assert told["security"] == [{"GatewayKey": []}]


async def test_every_operation_has_a_name_a_sentence_and_a_place(description):
    found = operations(description)
    names = [operation["operationId"] for operation in found]
    assert description["openapi"].startswith("3.1")
    assert len(set(names)) == len(names) >= 23
    assert all(re.fullmatch(r"[a-z][A-Za-z]+", name) for name in names)
    assert all(operation["description"] and operation["tags"] for operation in found)


async def test_every_error_is_described_as_a_problem(description):
    for operation in operations(description):
        assert "application/problem+json" in operation["responses"]["422"]["content"]
        assert "application/json" not in operation["responses"]["422"]["content"]


async def test_every_reference_leads_somewhere(description):
    schemas = description["components"]["schemas"]
    for name in re.findall(r"'\$ref': '([^']+)'", str(description)):
        assert name.removeprefix("#/components/schemas/") in schemas


async def test_no_two_things_have_the_same_name(description):
    assert [name for name in description["components"]["schemas"] if "__" in name] == []


async def test_a_second_persons_password_is_a_secret_that_is_only_ever_sent(description):
    schemas = description["components"]["schemas"]
    having = {name for name in schemas if "second_password" in schemas[name].get("properties", {})}
    assert having >= {"Shelf", "Removal", "Permit", "ModeOfUnit", "OfflineReport"}
    assert not any("Item" in name for name in having)
    for name in having:
        told = schemas[name]["properties"]["second_password"]
        secret = next(one for one in told["anyOf"] if one["type"] == "string")
        assert (secret["format"], secret["writeOnly"]) == ("password", True)


async def test_the_paths_of_the_contract_are_there(description):
    assert set(description["paths"]) >= {
        "/api/v1/session",
        "/api/v1/tree",
        "/api/v1/tags",
        "/api/v1/latest",
        "/api/v1/tags/{id}/history",
        "/api/v1/alarms",
        "/api/v1/alarms/{id}",
        "/api/v1/alarms/{id}/acknowledge",
        "/api/v1/warnings",
        "/api/v1/warnings/{id}",
        "/api/v1/warnings/{id}/receive",
        "/api/v1/warnings/{id}/release",
        "/api/v1/warnings/{id}/verify",
        "/api/v1/risk",
        "/api/v1/actions/{id}",
        "/api/v1/events",
        "/api/v1/gateways",
        "/api/v1/quarantine",
        "/healthz",
        "/readyz",
        "/metrics",
    }
