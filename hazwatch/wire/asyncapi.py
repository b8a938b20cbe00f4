"""The MQTT side of the wire as an AsyncAPI 3.0 document."""

from typing import Any

from hazwatch.wire.schemas import SCHEMAS, Name
from ingest.topics import PREFIX, RESERVED_PARK

FROM_GATEWAYS: tuple[Name, ...] = ("data", "state", "alarm")
CODE = "1 to 64 of A-Z a-z 0-9 . _ -"
PLACE = {
    "park": {"description": f"its code, {CODE}; no park is called {RESERVED_PARK}"},
    "enterprise": {"description": f"its code, {CODE}"},
    "gateway": {"description": f"its code, {CODE}"},
}
SUMMARIES: dict[Name, str] = {
    "data": "Samples, by a gateway",
    "state": "A gateway lives, or is gone; retained, and its will",
    "alarm": "An alarm that the plant raised by itself",
    "receipt": "Up to which message of a gateway all is in the database; retained",
    "event": "A change of an alarm, a warning or a risk",
    "colour": "The present colour of a park, an enterprise or a source; retained",
}
RETAINED: tuple[Name, ...] = ("state", "receipt", "colour")
QOS = 1
BINDING = "0.2.0"


def asyncapi(version: str) -> dict[str, Any]:
    """The document; version: of hazwatch. Messages refer to the schemas beside it."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:hazwatch:wire:1",
        "info": {
            "title": "hazwatch wire, version 1",
            "version": version,
            "description": "What gateways and readers exchange with hazwatch over MQTT 3.1.1 or "
            "5, QoS 1. Bodies are JSON in UTF-8, of gateways also gzip or zstd. docs/mqtt.md says "
            "what they mean.",
            "license": {
                "name": "Apache-2.0",
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            },
        },
        "defaultContentType": "application/json",
        "channels": _channels(),
        "operations": _operations(),
        "components": {"messages": _messages()},
    }


def _channels() -> dict[str, Any]:
    gateway = f"{PREFIX}/{{park}}/{{enterprise}}/{{gateway}}"
    names: tuple[Name, ...] = (*FROM_GATEWAYS, "receipt")
    found: dict[str, Any] = {name: _channel(f"{gateway}/{name}", PLACE, (name,)) for name in names}
    found["event"] = _channel(
        f"{PREFIX}/{RESERVED_PARK}/{{park}}/{{enterprise}}/{{kind}}",
        {
            "park": PLACE["park"],
            "enterprise": {"description": "its code; - where it belongs to the park or an area"},
            "kind": {"enum": ["alarm", "warning", "risk"]},
        },
        ("event",),
    )
    area = f"{PREFIX}/{RESERVED_PARK}/{{park}}/{{enterprise}}/colour"
    place = {"park": PLACE["park"], "enterprise": {"description": "its code; - for the park"}}
    found["colour"] = _channel(area, place, ("colour",))
    found["source_colour"] = _channel(
        f"{area}/{{source}}",
        {**place, "enterprise": PLACE["enterprise"], "source": {"description": "its code"}},
        ("colour",),
    )
    found["sparkplug"] = {
        "address": "spBv1.0/{group}/{type}/{node}",
        "title": "Sparkplug B 3.0",
        "description": "group: park:enterprise; node: the gateway; devices below it. Payloads are "
        "those of the Eclipse Sparkplug Specification 3.0.0, not of this document.",
        "parameters": {
            "group": {"description": "{park}:{enterprise}"},
            "type": {
                "enum": ["NBIRTH", "NDEATH", "NDATA", "NCMD", "DBIRTH", "DDEATH", "DDATA", "DCMD"]
            },
            "node": {"description": "the gateway; of a device node/device"},
        },
        "externalDocs": {
            "description": "Eclipse Sparkplug Specification 3.0.0",
            "url": "https://sparkplug.eclipse.org/specification/version/3.0/documents/"
            "sparkplug-specification-3.0.0.pdf",
        },
    }
    return found


def _channel(
    address: str, parameters: dict[str, Any], messages: tuple[Name, ...]
) -> dict[str, Any]:
    return {
        "address": address,
        "parameters": parameters,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }


def _operations() -> dict[str, Any]:
    """As hazwatch sees them: it receives what gateways publish, and sends the rest."""
    channels: dict[str, Name] = {name: name for name in SUMMARIES} | {"source_colour": "colour"}
    return {
        channel: {
            "action": "receive" if name in FROM_GATEWAYS else "send",
            "channel": {"$ref": f"#/channels/{channel}"},
            "summary": SUMMARIES[name],
            "bindings": {
                "mqtt": {"qos": QOS, "retain": name in RETAINED, "bindingVersion": BINDING}
            },
        }
        for channel, name in channels.items()
    }


def _messages() -> dict[str, Any]:
    return {
        name: {
            "name": name,
            "title": SUMMARIES[name],
            "contentType": "application/json",
            "payload": {"$ref": f"wire/{name}.json"},
        }
        for name in SCHEMAS
        if name in SUMMARIES
    }
