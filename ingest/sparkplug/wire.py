"""Sparkplug B payloads: bytes in, `Payload` or `Rejection` out, whatever the bytes are.

The schema has the field numbers of the specification (Sparkplug B 3.0, 6.4.1). Text and what is
nested are declared as bytes, which look the same on the wire, and are read one by one: so a metric
that is broken takes no neighbour with it, and what nobody asks for is never unpacked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from domain.instant import SECOND
from domain.quality import Quality
from ingest.message import MAX_VALUES
from ingest.rejection import Rejection
from ingest.unpack import MAX_RAW

UINT32, UINT64, FLOAT, DOUBLE, BOOL, BYTES = (
    descriptor_pb2.FieldDescriptorProto.TYPE_UINT32,
    descriptor_pb2.FieldDescriptorProto.TYPE_UINT64,
    descriptor_pb2.FieldDescriptorProto.TYPE_FLOAT,
    descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE,
    descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
    descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
)
Field = tuple[str, int, int]
"""name, number, type"""
SCHEMA: dict[str, tuple[Field, ...]] = {
    "Payload": (
        ("timestamp", 1, UINT64),
        ("metrics", 2, BYTES),
        ("seq", 3, UINT64),
        ("uuid", 4, BYTES),
        ("body", 5, BYTES),
    ),
    "Metric": (
        ("name", 1, BYTES),
        ("alias", 2, UINT64),
        ("timestamp", 3, UINT64),
        ("datatype", 4, UINT32),
        ("is_historical", 5, BOOL),
        ("is_transient", 6, BOOL),
        ("is_null", 7, BOOL),
        ("metadata", 8, BYTES),
        ("properties", 9, BYTES),
        ("int_value", 10, UINT32),
        ("long_value", 11, UINT64),
        ("float_value", 12, FLOAT),
        ("double_value", 13, DOUBLE),
        ("boolean_value", 14, BOOL),
        ("string_value", 15, BYTES),
        ("bytes_value", 16, BYTES),
        ("dataset_value", 17, BYTES),
        ("template_value", 18, BYTES),
        ("extension_value", 19, BYTES),
    ),
    "PropertySet": (("keys", 1, BYTES), ("values", 2, BYTES)),
    "PropertyValue": (
        ("type", 1, UINT32),
        ("is_null", 2, BOOL),
        ("int_value", 3, UINT32),
        ("long_value", 4, UINT64),
        ("float_value", 5, FLOAT),
        ("double_value", 6, DOUBLE),
        ("boolean_value", 7, BOOL),
        ("string_value", 8, BYTES),
        ("propertyset_value", 9, BYTES),
        ("propertysets_value", 10, BYTES),
        ("extension_value", 11, BYTES),
    ),
}
REPEATED = {"metrics", "keys", "values"}
BOOLEAN = 11
"""DataType Boolean."""
REBIRTH = "Node Control/Rebirth"
MAX_NAME = 1024
"""Characters of a metric's name."""
MAX_PROPERTIES = 256
STALE_SAID, BYTE_MOST = 500, 255
"""Quality 500 is STALE; up to 255 it is a byte as in OPC, of which 0 BAD and 192 GOOD are two."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. alias, time (milliseconds since 1970 UTC), datatype, quality (see
    `domain.quality`), unit: None where not said. kind: member of the value's oneof, None for no
    value; raw: what stands there. why: it can't be taken, for this reason. odd: what is strange in
    it, and was not heeded."""

    name: str | None = None
    alias: int | None = None
    time: int | None = None
    datatype: int | None = None
    historical: bool = False
    null: bool = False
    kind: str | None = None
    raw: Any = None
    quality: int | None = None
    unit: str | None = None
    why: Rejection | None = None
    odd: Rejection | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """A payload. time: when it was published, microseconds since 1970 UTC; seq: 0 to 255. Both
    None where not said, or where it is no such number."""

    time: int | None
    seq: int | None
    metrics: tuple[Metric, ...]


def read(payload: bytes) -> Payload | Rejection:
    """What a payload says; `too_large`, `malformed`, `too_many_values`, `compressed` as a whole."""
    if len(payload) > MAX_RAW:
        return Rejection("too_large", f"{len(payload)} bytes came; at most {MAX_RAW} are taken")
    try:
        told = _PAYLOAD.FromString(payload)
    except DecodeError:
        return Rejection("malformed", "the body is no Sparkplug B payload (Protocol Buffers)")
    if len(told.metrics) > MAX_VALUES:
        return Rejection("too_many_values", f"at most {MAX_VALUES} metrics are taken in a message")
    if told.uuid == b"SPBV1.0_COMPRESSED":
        return Rejection("compressed", "the payload is compressed; switch that off at the node")
    time = told.timestamp * 1000 if told.HasField("timestamp") else None
    seq = told.seq if told.HasField("seq") and told.seq <= BYTE_MOST else None
    return Payload(time, seq, tuple(map(_metric, told.metrics)))


def rebirth(at: int) -> bytes:
    """The command that asks an edge node for its births, at microseconds `at`."""
    time = at * 1000 // SECOND
    metric = _METRIC(
        name=REBIRTH.encode(), timestamp=time, datatype=BOOLEAN, boolean_value=True
    ).SerializeToString()
    body: bytes = _PAYLOAD(timestamp=time, metrics=[metric]).SerializeToString()
    return body


def _metric(body: bytes) -> Metric:
    try:
        told = _METRIC.FromString(body)
    except DecodeError:
        return Metric(why=Rejection("malformed", "a metric is broken"))
    name, why = _name(told)
    quality = unit = odd = None
    if told.properties:
        try:
            quality, unit, odd = _properties(told.properties)
        except (DecodeError, UnicodeDecodeError):
            broken = Rejection("malformed", "the properties of a metric are broken")
            why = why or broken
    kind = told.WhichOneof("value")
    return Metric(
        name,
        told.alias if told.HasField("alias") else None,
        told.timestamp if told.HasField("timestamp") else None,
        told.datatype if told.HasField("datatype") else None,
        told.is_historical,
        told.is_null,
        kind,
        None if kind is None else getattr(told, kind),
        quality,
        unit,
        why,
        odd,
    )


def _name(told: Any) -> tuple[str | None, Rejection | None]:
    if not told.name:
        return None, None
    try:
        name = told.name.decode()
    except UnicodeDecodeError:
        return None, Rejection("bad_name", f"the name {told.name[:80]!r} is not UTF-8")
    if len(name) > MAX_NAME or "\x00" in name:
        return name[:80], Rejection("bad_name", f"a name has at most {MAX_NAME} characters, no NUL")
    return name, None


def _properties(body: bytes) -> tuple[int | None, str | None, Rejection | None]:
    """quality, unit, and what is strange."""
    quality = unit = odd = None
    told = _PROPERTIES.FromString(body)
    for key, value in zip(told.keys[:MAX_PROPERTIES], told.values, strict=False):
        if key == b"Quality":
            quality, odd = _quality(_PROPERTY.FromString(value))
        elif key == b"engUnit":
            unit = _PROPERTY.FromString(value).string_value.decode() or None
    return quality, unit, odd


def _quality(told: Any) -> tuple[int | None, Rejection | None]:
    """The OPC byte; uncertain, and why, for what is none: such a value may start an alarm and never
    ends one."""
    if told.is_null:
        return None, None
    kind = told.WhichOneof("value")
    said = getattr(told, kind) if kind in ("int_value", "long_value") else kind
    if said == STALE_SAID:
        return int(Quality.STALE), None
    if isinstance(said, int) and said <= BYTE_MOST:
        return said, None
    why = f"Quality {said!r} is taken for uncertain: allowed are 0 BAD, 192 GOOD, 500 STALE, 0-255"
    return int(Quality.UNCERTAIN), Rejection("bad_quality", why)


def _classes(schema: dict[str, tuple[Field, ...]]) -> Iterable[Any]:
    """A class for each message of the schema."""
    file = descriptor_pb2.FileDescriptorProto(name="sparkplug_b.proto", syntax="proto2")
    for message, fields in schema.items():
        made = file.message_type.add(name=message)
        if message in ("Metric", "PropertyValue"):
            made.oneof_decl.add(name="value")
        for name, number, kind in fields:
            label = 3 if name in REPEATED else 1
            field = made.field.add(name=name, number=number, type=kind, label=label)
            if name.endswith("_value") and len(made.oneof_decl):
                field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    for message in schema:
        yield message_factory.GetMessageClass(pool.FindMessageTypeByName(message))


_PAYLOAD, _METRIC, _PROPERTIES, _PROPERTY = _classes(SCHEMA)
