"""An Atom 1.0 feed (RFC 4287) of CAP messages, paged by `next` links (RFC 5005)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import uuid5
from xml.etree import ElementTree as ET

from domain.alarms import NAMESPACE
from domain.cap import Message
from domain.cap_xml import NAMESPACE as CAP
from domain.cap_xml import add, fit, written
from domain.instant import EPOCH, rfc3339

ATOM = "http://www.w3.org/2005/Atom"
FEED_TYPE = "application/atom+xml"
CAP_TYPE = "application/cap+xml"
COLOURS = "urn:hazwatch:warning-colour"
"""Scheme of the category that names a message's colour."""


def feed(
    messages: Sequence[Message], sender: str, here: dict[str, str], following: str | None
) -> bytes:
    """The document. here: the query of this page; following: the cursor of the next one.

    Links are relative to the feed's own address; ids are those of the messages, whoever asks.
    """
    root = ET.Element("feed", {"xmlns": ATOM, "xmlns:cap": CAP})
    add(root, "id", f"urn:uuid:{uuid5(NAMESPACE, f'cap feed/{sender}')}")
    add(root, "title", "hazwatch 重大危险源预警 warnings of major hazard sources")
    newest = max((message.at for message in messages), default=EPOCH)
    add(root, "updated", rfc3339(newest))
    add(ET.SubElement(root, "author"), "name", sender)
    add(root, "generator", "hazwatch")
    _link(root, "self", FEED_TYPE, _address(here))
    if following is not None:
        _link(root, "next", FEED_TYPE, _address(here | {"cursor": following}))
    for message in messages:
        _entry(root, message)
    return written(root)


def newest_of(messages: Sequence[Message]) -> datetime | None:
    """When the newest was sent; None where there is none."""
    return max((message.at.astimezone(UTC) for message in messages), default=None)


def _entry(root: ET.Element, message: Message) -> None:
    entry, info = ET.SubElement(root, "entry"), message.infos[0]
    add(entry, "id", f"urn:uuid:{uuid5(NAMESPACE, f'cap/{message.identifier}')}")
    add(entry, "title", " / ".join(one.headline for one in message.infos))
    add(entry, "updated", rfc3339(message.at))
    add(entry, "published", rfc3339(message.at))
    _link(entry, "alternate", CAP_TYPE, f"cap/{message.identifier}.xml")
    ET.SubElement(entry, "category", {"term": message.colour.name.lower(), "scheme": COLOURS})
    add(entry, "summary", info.description)
    for name, value in (
        ("identifier", message.identifier),
        ("status", message.status),
        ("msgType", message.msg_type),
        ("event", info.event),
        ("urgency", info.urgency),
        ("severity", info.severity),
        ("certainty", info.certainty),
        ("areaDesc", info.area.description),
    ):
        add(entry, f"cap:{name}", value)


def _link(parent: ET.Element, rel: str, type: str, href: str) -> None:
    ET.SubElement(parent, "link", {"rel": rel, "type": type, "href": fit(href)})


def _address(query: dict[str, str]) -> str:
    return f"cap.atom?{urlencode(query)}" if query else "cap.atom"
