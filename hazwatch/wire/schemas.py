"""JSON Schemas of what travels, out of the structs and constants that decode it.

A body that a schema accepts is taken whole; one that hazwatch refuses as a whole, no schema
accepts. In between hazwatch is more tolerant than the schemas: value by value.
"""

import sys
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Literal

import msgspec
from pydantic import BaseModel

from api.case_schemas import WarningItem
from api.routes.alarms import AlarmItem
from api.routes.risk import RiskItem
from domain.instant import SECOND
from domain.policy import LIMITS
from domain.quality import WORDS
from domain.risk import Colour
from ingest.decode import Body
from ingest.http_answers import Taken
from ingest.message import MAX_BOOT, MAX_SEQ, MAX_VALUES
from ingest.reports import MAX_TEXT
from ingest.wiretime import END, FIRST

Schema = dict[str, Any]
Name = Literal["data", "state", "alarm", "receipt", "event", "colour", "answer"]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
LARGEST = sys.float_info.max
RFC_3339 = (
    r"^[2-9]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]"
    r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$"
)
"""It cannot tell that there is no 30 February."""
AT_THE_ENDS = r"^(2000-01-01.*\+|9999-12-3)"
"""Where the offset may take a time out of what is taken: not worth a longer expression."""
NOT_IN_EVENTS = frozenset({"enterprise_name", "source_name", "notices"})
"""Members that the lists of the API have and events do not."""

TIME: Schema = {
    "description": "RFC 3339 with an offset, or whole milliseconds since 1970 UTC; from 2000 on",
    "oneOf": [
        {"type": "string", "pattern": RFC_3339, "not": {"pattern": AT_THE_ENDS}},
        {
            "type": "integer",
            "minimum": FIRST * 1000 // SECOND,
            "exclusiveMaximum": END * 1000 // SECOND,
        },
    ],
}
NUMBER: Schema = {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}
BOOT: Schema = {"type": "string", "maxLength": MAX_BOOT, "pattern": "^[^\\x00]*$"}
SEQ: Schema = {"type": "integer", "minimum": 0, "maximum": MAX_SEQ}
STAMP: Schema = {"type": "string", "pattern": RFC_3339}
CODE: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}


def data() -> Schema:
    """A body of the `data` topic, and of HTTP ingest."""
    (found,), defs = msgspec.json.schema_components([Body], ref_template="#/$defs/{name}")
    made: Schema = deepcopy(defs[found["$ref"].rsplit("/", 1)[1]])
    sample, reading = deepcopy(defs["Sample"]), deepcopy(defs["Reading"])
    for part in (made, sample, reading):
        part.pop("additionalProperties", None)  # unknown members are ignored, and counted
        for member, schema in part["properties"].items():
            if member not in part["required"]:
                part["properties"][member] = _or_null(schema)
    made["properties"]["sent"] = _or_null(TIME)
    made["properties"]["samples"]["maxItems"] = MAX_VALUES
    sample["properties"]["time"] = TIME
    plain = {"oneOf": [NUMBER, {"type": "boolean"}, {"type": "null"}]}
    values: Schema = {"anyOf": [*plain["oneOf"], {"$ref": "#/$defs/Reading"}]}
    sample["properties"]["values"] |= {
        "additionalProperties": values,
        "maxProperties": MAX_VALUES,
        "description": "by tag name",
    }
    reading["properties"]["value"] = plain
    quality = {"oneOf": [{"enum": list(WORDS)}, {"type": "integer", "minimum": 0, "maximum": 255}]}
    reading["properties"]["quality"] = _or_null(quality)
    return made | {"$defs": {"Sample": sample, "Reading": reading}}


def state() -> Schema:
    """A body of the `state` topic."""
    members = {"online": {"type": "boolean"}, "time": _or_null(TIME), "boot": _or_null(BOOT)}
    return _object(members, ["online"], "What a gateway says of itself; its will says online false")


def alarm() -> Schema:
    """A body of the `alarm` topic."""
    kinds = ", ".join(sorted(kind.name for kind in LIMITS))
    flag = _or_null({"type": "boolean"})
    members = {
        "id": CODE,
        "time": TIME,
        "tag": CODE,
        "kind": CODE | {"description": f"{kinds}; others are kept and not compared"},
        "active": {"type": "boolean", "description": "false: it is over"},
        "value": _or_null(NUMBER),
        "limit": _or_null(NUMBER),
        "acknowledged": flag,
        "by": {"type": ["string", "null"]},
        "shelved": flag,
        "fault": flag,
    }
    required = ["id", "time", "tag", "kind", "active"]
    return _object(members, required, "An alarm that the plant raised by itself, or its end")


def receipt() -> Schema:
    """A body of the `receipt` topic."""
    return _object(
        {"boot": BOOT, "seq": SEQ},
        ["boot", "seq"],
        "Every message of this boot up to seq is in the database",
    )


def answer() -> Schema:
    """What HTTP ingest answers with 200."""
    return Taken.model_json_schema(mode="serialization")


def event() -> Schema:
    """An event, on its MQTT topic and in the live stream."""
    models: Mapping[str, type[BaseModel]] = {
        "alarm": AlarmItem,
        "warning": WarningItem,
        "risk": RiskItem,
    }
    defs: Schema = {}
    every = []
    for kind, model in models.items():
        made = model.model_json_schema(mode="serialization", ref_template="#/$defs/{model}")
        defs |= made.pop("$defs", {}) | {model.__name__: made}
        members = {
            "id": {"type": "string", "format": "uuid", "description": "the same in a repeat"},
            "type": {"const": kind},
            "at": STAMP,
            "node": {"type": "string"},
            "tag": {"type": ["string", "null"]},
            "transition": _object(
                {"from": {"type": "string"}, "to": {"type": "string"}}, ["from", "to"]
            ),
            kind: {"$ref": f"#/$defs/{model.__name__}"},
        }
        every.append(_object(members, list(members)))
    for made in defs.values():
        if "required" in made:
            made["required"] = [name for name in made["required"] if name not in NOT_IN_EVENTS]
    return {"description": event.__doc__, "oneOf": every, "$defs": defs}


def colour() -> Schema:
    """The present colour of a source, an enterprise or a park."""
    count = {"type": "integer", "minimum": 0}
    names = ("red", "orange", "yellow", "blue", "unknown")
    members = {
        "type": {"const": "colour"},
        "node": {"type": "string"},
        "colour": {"enum": [one.name.lower() for one in Colour]},
        "level": {"enum": [int(one) for one in Colour], "description": "blue 0 to red 3"},
        "unknown": {"type": "boolean", "description": "it, or a source below it, is not seen"},
        "at": STAMP,
        "counts": _object(dict.fromkeys(names, count), list(names), "of the sources below"),
    }
    required = [name for name in members if name != "counts"]
    return _object(members, required, "Retained; an empty body: there is no such place any more")


SCHEMAS: Mapping[Name, Callable[[], Schema]] = {
    "data": data,
    "state": state,
    "alarm": alarm,
    "receipt": receipt,
    "event": event,
    "colour": colour,
    "answer": answer,
}
"""By name: each is published as schemas/wire/NAME.json."""


def titled(name: Name) -> Schema:
    """A schema as it is published."""
    made = SCHEMAS[name]()
    return {"$schema": DRAFT} | made | {"title": f"hazwatch wire 1: {name}"}


def _object(
    members: Mapping[str, Any], required: list[str], description: str | None = None
) -> Schema:
    made: Schema = {"type": "object", "properties": dict(members), "required": required}
    return made if description is None else made | {"description": description}


def _or_null(schema: Mapping[str, Any]) -> Schema:
    """The schema, or null, which is as if the member were not there."""
    if {"type": "null"} in schema.get("anyOf", ()):
        return dict(schema)
    return {"anyOf": [dict(schema), {"type": "null"}]}
