"""A CAP 1.2 message as XML, elements in the order of the standard."""

import re
from xml.etree import ElementTree as ET

from domain.cap import EVENT_CODE, Info, Message
from domain.cap_area import GEOCODE, Area

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
UNFIT = re.compile("[^\t\n -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no place for, and carriage returns, which no reader gets back."""


def document(message: Message) -> bytes:
    """The whole document, UTF-8. The same message makes the same bytes."""
    alert = ET.Element("alert", xmlns=NAMESPACE)
    add(alert, "identifier", message.identifier)
    add(alert, "sender", message.sender)
    add(alert, "sent", message.sent)
    add(alert, "status", message.status)
    add(alert, "msgType", message.msg_type)
    add(alert, "scope", message.scope)
    kind = "restriction" if message.scope == "Restricted" else "addresses"
    add(alert, kind, message.audience)
    if message.status == "Exercise":
        add(alert, "note", "演练 This is an exercise.")
    if message.references:
        add(alert, "references", " ".join(message.references))
    add(alert, "incidents", message.incident)
    for info in message.infos:
        _info(alert, message, info)
    return written(alert)


def add(parent: ET.Element, name: str, said: str) -> None:
    """A child with a text; what XML can't carry becomes U+FFFD."""
    ET.SubElement(parent, name).text = fit(said)


def fit(said: str) -> str:
    """A text that XML can carry."""
    return UNFIT.sub("\ufffd", said)


def written(root: ET.Element) -> bytes:
    """The document below `root`, indented, in UTF-8 with its declaration."""
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return text + b"\n"


def _info(alert: ET.Element, message: Message, info: Info) -> None:
    block = ET.SubElement(alert, "info")
    add(block, "language", info.language)
    for category in info.hazard.categories:
        add(block, "category", category)
    add(block, "event", info.event)
    if message.msg_type == "Cancel":
        add(block, "responseType", "AllClear")
    add(block, "urgency", info.urgency)
    add(block, "severity", info.severity)
    add(block, "certainty", info.certainty)
    _named(block, "eventCode", EVENT_CODE, info.hazard.code)
    add(block, "effective", message.sent)
    add(block, "onset", info.onset)
    add(block, "headline", info.headline)
    add(block, "description", info.description)
    if info.instruction:
        add(block, "instruction", info.instruction)
    for name, value in info.parameters:
        _named(block, "parameter", name, value)
    _area(block, info.area)


def _area(block: ET.Element, area: Area) -> None:
    found = ET.SubElement(block, "area")
    add(found, "areaDesc", area.description)
    if area.polygon:
        add(found, "polygon", area.polygon)
    if area.circle:
        add(found, "circle", area.circle)
    for code in area.geocodes:
        _named(found, "geocode", GEOCODE, code)


def _named(parent: ET.Element, element: str, name: str, value: str) -> None:
    pair = ET.SubElement(parent, element)
    add(pair, "valueName", name)
    add(pair, "value", value)
